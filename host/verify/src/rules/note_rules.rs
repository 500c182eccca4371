//! What a cloud agent's commit may put before the owner: notes of their kind, and not many; and what
//! it may make of a task that was there.
//!
//! Lives elsewhere: what one such note may hold is `vault::note`'s; which folders are the cloud's to
//! write in is `policy`'s; claims and epochs are `claim_rules`'.
//! Whether a draft is of a task and a claim that its maker had is decided in `draft_rules`.
//! Invariants: one draft for each claim of a task, in the file of its id; so many a day, and so many
//! that wait, and no more; a commit that brings more than that is refused without reading them. A
//! task that is only moved is what it was, whatever the owner wrote into it.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use platinum_core::{AgentName, DraftId, VaultPath, layout};
use platinum_policy::{Change, MAX_FILE_BYTES};
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::task_at;
use platinum_vault::note::{
    MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS, check_carried, check_drafted, day_of, kinds_of,
};

use super::{
    claim_rules::Before,
    draft_rules::{DraftRules, DraftSubject, MadeDraft, place_fault},
    duplicates,
};

/// Where a draft is that its owner has not decided, or that was not carried out yet.
pub(crate) const OPEN: [&str; 2] = [layout::PENDING_APPROVAL, layout::APPROVED];
/// Folders whose notes the owner reads.
const READ: [&str; 3] = [layout::PENDING_APPROVAL, layout::PLANS, layout::UPDATES];

/// Folders of tasks, through which one moves.
const TASKS: [&str; 3] = [layout::NEEDS_ACTION, layout::IN_PROGRESS, layout::DONE];
/// In the name of a version that was set aside, behind the stem of the file.
pub(super) const CONFLICT: &str = ".conflict-";

/// The files of drafts that are open, by their paths.
pub type OpenFiles = BTreeMap<String, Oid>;

/// What a commit builds on.
pub(crate) struct Basis<'a> {
    /// What was at a path.
    pub(crate) before: Before<'a>,
    /// The drafts that are open already.
    pub(crate) open: &'a dyn Fn() -> Result<OpenFiles, RepoError>,
    /// The folders that tasks may be in.
    pub(crate) folders: &'a dyn Fn() -> Result<BTreeSet<String>, RepoError>,
    /// Whether a violation before may have taken away what was there: then the commit is judged once
    /// more without it.
    pub(crate) is_after_violation: bool,
}

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
    let at = |path: &VaultPath| -> Result<Option<Oid>, RepoError> {
        let blob = before.map(|before| repo.blob_at(before, path));
        Ok(blob.transpose()?.flatten())
    };
    let basis = Basis {
        before: &at,
        open: &|| open_files(repo, before),
        folders: &|| duplicates::folders(repo, before),
        is_after_violation: false,
    };
    faults_on(repo, agent, changed, &basis)
}

/// As [`faults`], by what is known of the commit before.
pub(crate) fn faults_on(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    basis: &Basis<'_>,
) -> Result<Vec<(VaultPath, String)>, RepoError> {
    let mut found = task_faults(repo, agent, changed, basis.before)?;
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
    let mut open = OpenDrafts {
        files: (basis.open)()?,
        claims: None,
    };
    let drafts = created
        .iter()
        .filter(|(path, _)| path.top() == layout::PENDING_APPROVAL);
    if let Some((path, what)) = open.too_many(drafts.map(|(path, _)| *path)) {
        found.push(sentence(path, &what));
        return Ok(found);
    }
    let mut rules = DraftRules::new(repo, agent, changed, basis);
    // One blob may be at very many places, and says the same at all of its kind.
    let mut read: BTreeMap<_, Option<String>> = BTreeMap::new();
    for (path, blob) in created {
        let fault = match read.entry((kinds_of(path), path.extension() == Some("md"), blob)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(fault_in(repo, path, blob)?),
        };
        if let Some(fault) = fault {
            found.push(sentence(path, fault));
        } else if path.top() == layout::PENDING_APPROVAL
            && let Some(draft) = MadeDraft::read(repo, blob)?
        {
            let fault = match place_fault(path, draft.id) {
                Some(fault) => Some(fault),
                None => match open.add(repo, path, &draft)? {
                    Some(other) => Some(format!(
                        "its task has the draft {other} under the same claim already"
                    )),
                    None => rules.fault(&draft)?,
                },
            };
            found.extend(fault.map(|fault| sentence(path, &fault)));
        }
    }
    Ok(found)
}

/// The faults of tasks that a cloud agent makes, moves or changes.
fn task_faults(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    before: Before<'_>,
) -> Result<Vec<(VaultPath, String)>, RepoError> {
    let gone: BTreeMap<&str, &VaultPath> = changed
        .iter()
        .filter(|one| one.change == Change::Delete && task_at(&one.path).is_some())
        .map(|one| (one.path.file_name(), &one.path))
        .collect();
    let mut found = Vec::new();
    // As in the folders that the owner reads.
    let mut read: BTreeMap<_, Option<String>> = BTreeMap::new();
    for one in changed {
        let path = &one.path;
        let Some(blob) = one.blob.filter(|_| TASKS.contains(&path.top())) else {
            continue;
        };
        let versions = earlier_versions(before, path, &gone)?;
        let is_new = path.top() == layout::NEEDS_ACTION && versions.is_empty();
        let is_note = path.extension() == Some("md");
        if versions.contains(&blob) || !(is_new || is_note) {
            continue;
        }
        let earlier = versions.first().copied();
        let fault = match read.entry((is_new, is_note, earlier, blob)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(match is_new {
                true => fault_in(repo, path, blob)?,
                false => carried_fault(repo, earlier, blob)?,
            }),
        };
        if let Some(fault) = fault {
            let change = one.change;
            let text = format!("cloud agent {agent} may not {change} {path}: {fault}");
            found.push((path.clone(), text));
        }
    }
    Ok(found)
}

/// What is wrong with what was made of a task.
fn carried_fault(
    repo: &Repo,
    earlier: Option<Oid>,
    blob: Oid,
) -> Result<Option<String>, RepoError> {
    // What is larger is refused already, as any file of that size.
    if repo.blob_len(blob)? > MAX_FILE_BYTES {
        return Ok(None);
    }
    let bytes = repo.read_blob(blob, MAX_FILE_BYTES)?;
    let earlier = match earlier {
        Some(blob) if repo.blob_len(blob)? <= MAX_FILE_BYTES => {
            repo.read_blob(blob, MAX_FILE_BYTES)?
        }
        _ => Vec::new(),
    };
    let fault = check_carried(&earlier, &bytes).err();
    Ok(fault.map(|fault| fault.to_string()))
}

/// What a file in a folder of tasks was before, there or where it goes from; for a version that
/// was set aside, what the file is that it is one of.
fn earlier_versions(
    before: Before<'_>,
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
    let mut versions = Vec::new();
    for place in places.into_iter().flatten() {
        versions.extend(before(place)?);
    }
    Ok(versions)
}

/// What is wrong with the note at a path.
fn fault_in(repo: &Repo, path: &VaultPath, blob: Oid) -> Result<Option<String>, RepoError> {
    // What is larger is refused already, as any file of that size.
    if repo.blob_len(blob)? > MAX_FILE_BYTES {
        return Ok(None);
    }
    let bytes = repo.read_blob(blob, MAX_FILE_BYTES)?;
    Ok(check_drafted(path, &bytes)
        .err()
        .map(|fault| fault.to_string()))
}

/// The files of the drafts that are open in a commit, in whatever folder.
pub(crate) fn open_files(repo: &Repo, commit: Option<Oid>) -> Result<OpenFiles, RepoError> {
    let mut files = OpenFiles::new();
    let Some(commit) = commit else {
        return Ok(files);
    };
    for top in OPEN {
        let tree = repo.folder_at(commit, top)?;
        let mut folders: Vec<_> = tree
            .map(|tree| (top.to_owned(), tree))
            .into_iter()
            .collect();
        while let Some((at, tree)) = folders.pop() {
            let folder = repo.folder(tree)?;
            let below = |name: String| format!("{at}/{name}");
            files.extend(
                folder
                    .files
                    .into_iter()
                    .map(|(name, blob)| (below(name), blob)),
            );
            folders.extend(
                folder
                    .folders
                    .into_iter()
                    .map(|(name, tree)| (below(name), tree)),
            );
        }
    }
    Ok(files)
}

/// The drafts of a commit that are open.
struct OpenDrafts {
    files: OpenFiles,
    /// Read when the first draft is asked about.
    claims: Option<BTreeMap<DraftSubject, DraftId>>,
}

impl OpenDrafts {
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
        for path in self.files.keys() {
            let name = path.rsplit('/').next().unwrap_or(path);
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

    /// Takes a draft up; answers one of the same claim, of posts by the same account, that is there already. A version that was set
    /// aside may be of the same draft.
    fn add(
        &mut self,
        repo: &Repo,
        path: &VaultPath,
        draft: &MadeDraft,
    ) -> Result<Option<DraftId>, RepoError> {
        let mut claims = match self.claims.take() {
            Some(claims) => claims,
            None => {
                let mut claims = BTreeMap::new();
                for blob in self.files.values() {
                    let open = MadeDraft::read(repo, *blob)?;
                    claims.extend(open.and_then(|open| Some((open.subject()?, open.id))));
                }
                claims
            }
        };
        let is_copy = path.file_name().contains(CONFLICT);
        let other = draft.subject().and_then(|subject| {
            let other = claims.insert(subject, draft.id);
            other.filter(|other| *other != draft.id || !is_copy)
        });
        self.claims = Some(claims);
        Ok(other)
    }
}
