//! How much a cloud agent may put into the vault: with one commit, and in all.
//!
//! A push is small and can still fill a disk: one blob may stand at a hundred thousand paths. And
//! commits that are each small enough add up to a tree that nobody can compare with another one.
//! Lives elsewhere: how large one file may be, and how many a commit may change, is `verifier`'s.
//! Invariants: what is there counts, whoever put it there, in the folders in which a cloud agent
//! makes files; a commit that only takes away is never one too many. The bound on the weight keeps
//! two such trees within what one comparison reads.

use platinum_core::{AgentName, VaultPath, layout};
use platinum_policy::Change;
use platinum_repo::{Changed, FolderSize, Oid, Repo, RepoError, file_weight};

/// The bytes that one commit may bring, in the files that it creates and modifies.
pub const MAX_COMMIT_BYTES: u64 = 256 << 20;
/// The bytes that the folders may hold together in which a cloud agent makes files.
pub const MAX_BYTES: u64 = 8 << 30;
/// What the files in them may weigh together, [`file_weight`] each.
pub const MAX_WEIGHT: u64 = 1_000_000;

/// Where a cloud agent may make files.
const FOLDERS: [&str; 6] = [
    layout::NEEDS_ACTION,
    layout::IN_PROGRESS,
    layout::PLANS,
    layout::PENDING_APPROVAL,
    layout::UPDATES,
    layout::DONE,
];

/// By how much a change makes those folders larger; less than nothing if smaller.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Growth {
    weight: i64,
    bytes: i64,
}

impl Growth {
    /// Adds what one path does: what was there, and what is.
    pub(crate) fn add(
        &mut self,
        repo: &Repo,
        path: &VaultPath,
        (was, is): (Option<Oid>, Option<Oid>),
    ) -> Result<(), RepoError> {
        if !FOLDERS.contains(&path.top()) {
            return Ok(());
        }
        let weight = signed(file_weight(path.components().count()));
        for (blob, sign) in [(was, -1), (is, 1)] {
            if let Some(blob) = blob {
                self.weight = self.weight.saturating_add(weight.saturating_mul(sign));
                let len = signed(repo.blob_len(blob)? as u64);
                self.bytes = self.bytes.saturating_add(len.saturating_mul(sign));
            }
        }
        Ok(())
    }

    /// Adds what other changes do.
    pub(crate) fn add_all(&mut self, other: Growth) {
        self.weight = self.weight.saturating_add(other.weight);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }

    /// How large what was so large is then.
    pub(crate) fn applied_to(self, size: FolderSize) -> FolderSize {
        FolderSize {
            weight: size.weight.saturating_add_signed(self.weight),
            bytes: size.bytes.saturating_add_signed(self.bytes),
        }
    }

    /// Why there may not be so much more, if there may not.
    pub(crate) fn excess(self, size: FolderSize) -> Option<String> {
        let after = self.applied_to(size);
        let folders = "the folders in which a cloud agent makes files";
        if self.bytes > 0 && after.bytes > MAX_BYTES {
            return Some(format!(
                "{folders} would hold {} bytes; {MAX_BYTES} is the most",
                after.bytes
            ));
        }
        (self.weight > 0 && after.weight > MAX_WEIGHT).then(|| {
            format!("{folders} would hold more than {MAX_WEIGHT} files: move old ones elsewhere")
        })
    }
}

/// How much the folders of a commit hold in which a cloud agent makes files.
pub(crate) fn size_at(repo: &Repo, commit: Option<Oid>) -> Result<FolderSize, RepoError> {
    let mut size = FolderSize::default();
    for folder in FOLDERS {
        if let Some(commit) = commit {
            let of = repo.folder_size(commit, folder)?;
            size.weight = size.weight.saturating_add(of.weight);
            size.bytes = size.bytes.saturating_add(of.bytes);
        }
    }
    Ok(size)
}

/// Judges commits that follow each other.
#[derive(Debug, Default)]
pub struct Budget {
    /// The commit that was judged last, and how large it left the folders.
    last: Option<(Oid, FolderSize)>,
}

impl Budget {
    /// The paths that are too much in what a cloud agent's commit changes, and a sentence each;
    /// it is `commit`, and builds on `before`.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn faults(
        &mut self,
        repo: &Repo,
        agent: &AgentName,
        changed: &[Changed],
        (before, commit): (Option<Oid>, Oid),
    ) -> Result<Vec<(VaultPath, String)>, RepoError> {
        let size = match self.last.take() {
            Some((last, size)) if Some(last) == before => size,
            _ => size_at(repo, before)?,
        };
        let replaced = changed.iter().filter(|one| one.change != Change::Create);
        let old = match before {
            Some(before) => repo.blobs_at(before, replaced.map(|one| &one.path))?,
            None => Default::default(),
        };
        let mut growth = Growth::default();
        let mut faults = Vec::new();
        let mut bytes = 0_u64;
        for one in changed {
            let was = old.get(&one.path).copied();
            growth.add(repo, &one.path, (was, one.blob))?;
            let Some(blob) = one.blob else { continue };
            bytes = bytes.saturating_add(repo.blob_len(blob)? as u64);
            if bytes > MAX_COMMIT_BYTES {
                let what = format!(
                    "with it the commit brings more than {MAX_COMMIT_BYTES} bytes of files"
                );
                faults.push(fault(agent, one, &what));
            }
        }
        if faults.is_empty()
            && let Some(what) = growth.excess(size)
        {
            let made = changed.iter().filter(|one| one.blob.is_some());
            faults.extend(made.map(|one| fault(agent, one, &what)));
        }
        self.last = Some((commit, growth.applied_to(size)));
        Ok(faults)
    }
}

fn fault(agent: &AgentName, one: &Changed, what: &str) -> (VaultPath, String) {
    let Changed { path, change, .. } = one;
    let sentence = format!("cloud agent {agent} may not {change} {path}: {what}");
    (path.clone(), sentence)
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
