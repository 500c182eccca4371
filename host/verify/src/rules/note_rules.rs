//! What a cloud agent's commit may put before the owner: notes of their kind, and not many; and what
//! it may make of a task that was there.
//!
//! Lives elsewhere: what one such note may hold is `vault::note`'s; which folders are the cloud's to
//! write in is `policy`'s; claims and epochs are `claim_rules`'.
//! Invariants: one draft for each claim of a task; so many a day, and so many that wait, and no
//! more; a commit that brings more than that is refused without reading them. A task that is only
//! moved is what it was, whatever the owner wrote into it.

use std::collections::BTreeMap;

use platinum_core::{AgentName, DraftId, TaskId, VaultPath, layout};
use platinum_policy::{Change, MAX_FILE_BYTES};
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::{note_of, task_at};
use platinum_vault::note::{
    DraftNote, MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS, check_carried, check_drafted, day_of,
};

/// Where a draft is that its owner has not decided, or that was not carried out yet.
const OPEN: [&str; 2] = [layout::PENDING_APPROVAL, layout::APPROVED];
/// Folders whose notes the owner reads.
const READ: [&str; 3] = [layout::PENDING_APPROVAL, layout::PLANS, layout::UPDATES];

/// Folders of tasks, through which one moves.
const TASKS: [&str; 3] = [layout::NEEDS_ACTION, layout::IN_PROGRESS, layout::DONE];
/// In the name of a version that was set aside, behind the stem of the file.
const CONFLICT: &str = ".conflict-";

/// The faults of what a cloud agent puts before the owner: each path, and a sentence. `before` is
/// the commit it builds on.
///
/// # Errors
/// If the repository cannot be read.
pub fn faults(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    before: Option<Oid>,
) -> Result<Vec<(VaultPath, String)>, RepoError> {
    let mut found = task_faults(repo, agent, changed, before)?;
    let created: Vec<(&VaultPath, Oid)> = changed
        .iter()
        .filter(|one| one.change == Change::Create && READ.contains(&one.path.top()))
        .filter_map(|one| Some((&one.path, one.blob?)))
        .collect();
    if created.is_empty() {
        return Ok(found);
    }
    let sentence = |path: &VaultPath, what: &dyn std::fmt::Display| {
        let text = format!("cloud agent {agent} may not create {path}: {what}");
        (path.clone(), text)
    };
    let mut open = OpenDrafts::at(repo, before)?;
    let drafts = created
        .iter()
        .filter(|(path, _)| path.top() == layout::PENDING_APPROVAL);
    if let Some((path, what)) = open.too_many(drafts.map(|(path, _)| *path)) {
        found.push(sentence(path, &what));
        return Ok(found);
    }
    for (path, blob) in created {
        // What is larger is refused already, as any file of that size.
        if repo.blob_len(blob)? > MAX_FILE_BYTES {
            continue;
        }
        let bytes = repo.read_blob(blob, MAX_FILE_BYTES)?;
        if let Err(fault) = check_drafted(path, &bytes) {
            found.push(sentence(path, &fault));
        } else if path.top() == layout::PENDING_APPROVAL
            && let Some(other) = open.add(repo, blob)?
        {
            let what = format!("its task has the draft {other} under the same claim already");
            found.push(sentence(path, &what));
        }
    }
    Ok(found)
}

/// The faults of tasks that a cloud agent makes, moves or changes.
fn task_faults(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    before: Option<Oid>,
) -> Result<Vec<(VaultPath, String)>, RepoError> {
    let gone: BTreeMap<&str, &VaultPath> = changed
        .iter()
        .filter(|one| one.change == Change::Delete && task_at(&one.path).is_some())
        .map(|one| (one.path.file_name(), &one.path))
        .collect();
    let mut found = Vec::new();
    for one in changed {
        let path = &one.path;
        let Some(blob) = one.blob.filter(|_| TASKS.contains(&path.top())) else {
            continue;
        };
        let versions = match before {
            Some(commit) => earlier_versions(repo, commit, path, &gone)?,
            None => Vec::new(),
        };
        // What is larger is refused already, as any file of that size.
        if versions.contains(&blob) || repo.blob_len(blob)? > MAX_FILE_BYTES {
            continue;
        }
        let bytes = repo.read_blob(blob, MAX_FILE_BYTES)?;
        let earlier = match versions.first() {
            Some(blob) if repo.blob_len(*blob)? <= MAX_FILE_BYTES => {
                repo.read_blob(*blob, MAX_FILE_BYTES)?
            }
            _ => Vec::new(),
        };
        let checked = match path.top() {
            layout::NEEDS_ACTION if versions.is_empty() => check_drafted(path, &bytes),
            _ if path.extension() != Some("md") => continue,
            _ => check_carried(&earlier, &bytes),
        };
        if let Err(fault) = checked {
            let change = one.change;
            let text = format!("cloud agent {agent} may not {change} {path}: {fault}");
            found.push((path.clone(), text));
        }
    }
    Ok(found)
}

/// What a file in a folder of tasks was in a commit, there or where it goes from; for a version that
/// was set aside, what the file is that it is one of.
fn earlier_versions(
    repo: &Repo,
    commit: Oid,
    path: &VaultPath,
    gone: &BTreeMap<&str, &VaultPath>,
) -> Result<Vec<Oid>, RepoError> {
    let original = match path.file_name().split_once(CONFLICT) {
        Some((stem, _)) => {
            let folder = path.as_str().len() - path.file_name().len();
            VaultPath::new(format!("{}{stem}.md", &path.as_str()[..folder])).ok()
        }
        None => None,
    };
    let name = original.as_ref().unwrap_or(path).file_name();
    let places = [Some(path), original.as_ref(), gone.get(name).copied()];
    let blobs = repo.blobs_at(commit, places.iter().flatten().copied())?;
    let found = places
        .iter()
        .flatten()
        .filter_map(|place| blobs.get(*place));
    Ok(found.copied().collect())
}

/// A task, and the epoch of a claim of it.
type Claim = (TaskId, u64);

/// The draft in a blob, and the claim that it says it was made under.
fn claim_of(repo: &Repo, blob: Oid) -> Result<Option<(DraftId, Claim)>, RepoError> {
    let draft = note_of(repo, blob)?.and_then(|note| DraftNote::from_note(&note).ok());
    Ok(draft.and_then(|draft| {
        let epoch = draft.epoch.filter(|epoch| *epoch > 0)?;
        Some((draft.id, (draft.task, epoch)))
    }))
}

/// The drafts of a commit that are open.
struct OpenDrafts {
    files: Vec<(String, Oid)>,
    /// Read when the first draft is asked about.
    claims: Option<BTreeMap<Claim, DraftId>>,
}

impl OpenDrafts {
    fn at(repo: &Repo, commit: Option<Oid>) -> Result<Self, RepoError> {
        let mut files = Vec::new();
        for top in OPEN {
            let tree = commit
                .map(|commit| repo.folder_at(commit, top))
                .transpose()?;
            if let Some(tree) = tree.flatten() {
                files.extend(repo.folder(tree)?.files);
            }
        }
        Ok(Self {
            files,
            claims: None,
        })
    }

    /// The first draft that is one too many with these, and why. The day of a draft is that of the
    /// id in its name.
    fn too_many<'a>(
        &self,
        made: impl Iterator<Item = &'a VaultPath>,
    ) -> Option<(&'a VaultPath, String)> {
        let day = |name: &str| {
            let stem = name.split('.').next().unwrap_or(name);
            stem.parse().ok().map(day_of)
        };
        let mut days: BTreeMap<Option<u64>, usize> = BTreeMap::new();
        for (name, _) in &self.files {
            *days.entry(day(name)).or_default() += 1;
        }
        let mut waiting = self.files.len();
        for path in made {
            let of_day = days.entry(day(path.file_name())).or_default();
            *of_day += 1;
            waiting += 1;
            if *of_day > MAX_DRAFTS_A_DAY {
                let what = format!("{MAX_DRAFTS_A_DAY} drafts a day are the most that wait");
                return Some((path, what));
            }
            if waiting > MAX_WAITING_DRAFTS {
                let what = format!("{MAX_WAITING_DRAFTS} drafts are the most that wait");
                return Some((path, what));
            }
        }
        None
    }

    /// Takes a draft up; answers another one of the same claim.
    fn add(&mut self, repo: &Repo, blob: Oid) -> Result<Option<DraftId>, RepoError> {
        let mut claims = match self.claims.take() {
            Some(claims) => claims,
            None => {
                let mut claims = BTreeMap::new();
                for (_, blob) in &self.files {
                    claims.extend(claim_of(repo, *blob)?.map(|(id, claim)| (claim, id)));
                }
                claims
            }
        };
        let other = claim_of(repo, blob)?.and_then(|(id, claim)| {
            let other = claims.insert(claim, id);
            other.filter(|other| *other != id)
        });
        self.claims = Some(claims);
        Ok(other)
    }
}
