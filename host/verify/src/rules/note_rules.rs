//! What a cloud agent's commit may put before the owner: notes of their kind, and not many; and what
//! it may make of a task that was there.
//!
//! Lives elsewhere: what one such note may hold is `vault::note`'s; which folders are the cloud's to
//! write in is `policy`'s; claims and epochs are `claim_rules`'.
//! Invariants: one draft for each claim of a task; so many a day, and so many that wait, and no
//! more; a commit that brings more than that is refused without reading them. A task that is only
//! moved is what it was, whatever the owner wrote into it.

use std::collections::{BTreeMap, btree_map::Entry};

use platinum_core::{AgentName, DraftId, TaskId, VaultPath, layout};
use platinum_policy::{Change, MAX_FILE_BYTES};
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::{claim_in, note_of, task_at};
use platinum_vault::note::{
    DraftNote, MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS, check_carried, check_drafted, day_of, kinds_of,
};

use crate::claim_rules::Before;

/// Where a draft is that its owner has not decided, or that was not carried out yet.
pub(crate) const OPEN: [&str; 2] = [layout::PENDING_APPROVAL, layout::APPROVED];
/// Folders whose notes the owner reads.
const READ: [&str; 3] = [layout::PENDING_APPROVAL, layout::PLANS, layout::UPDATES];

/// Folders of tasks, through which one moves.
const TASKS: [&str; 3] = [layout::NEEDS_ACTION, layout::IN_PROGRESS, layout::DONE];
/// In the name of a version that was set aside, behind the stem of the file.
const CONFLICT: &str = ".conflict-";

/// The files of drafts that are open, by their paths.
pub type OpenFiles = BTreeMap<String, Oid>;

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
    faults_beside(repo, agent, changed, &at, &|| open_files(repo, before))
}

/// As [`faults`], by what was at a path before, and where these drafts are open already.
pub(crate) fn faults_beside(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    before: Before<'_>,
    open: &dyn Fn() -> Result<OpenFiles, RepoError>,
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
    let mut open = OpenDrafts {
        files: open()?,
        claims: None,
    };
    let drafts = created
        .iter()
        .filter(|(path, _)| path.top() == layout::PENDING_APPROVAL);
    if let Some((path, what)) = open.too_many(drafts.map(|(path, _)| *path)) {
        found.push(sentence(path, &what));
        return Ok(found);
    }
    let owned: BTreeMap<&VaultPath, Oid> = changed
        .iter()
        .filter(|one| one.path.top() == layout::IN_PROGRESS)
        .filter_map(|one| Some((&one.path, one.blob?)))
        .collect();
    let now = |path: &VaultPath| -> Result<Option<Oid>, RepoError> {
        match owned.get(path) {
            Some(blob) => Ok(Some(*blob)),
            None => before(path),
        }
    };
    // One blob may be at very many places, and says the same at all of its kind.
    let mut read: BTreeMap<_, Option<String>> = BTreeMap::new();
    for (path, blob) in created {
        let fault = match read.entry((kinds_of(path), path.extension() == Some("md"), blob)) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(fault_in(repo, path, blob)?),
        };
        if let Some(fault) = fault {
            found.push(sentence(path, fault));
        } else if path.top() == layout::PENDING_APPROVAL {
            let fault = match open.add(repo, path, blob)? {
                Some(other) => Some(format!(
                    "its task has the draft {other} under the same claim already"
                )),
                None => epoch_fault(repo, agent, blob, &now)?,
            };
            found.extend(fault.map(|fault| sentence(path, &fault)));
        }
    }
    Ok(found)
}

/// What is wrong with the claim that a draft says it was made under, if its task is this agent's. One
/// that went to another, or to its end, meanwhile says nothing: the fence before the effect asks.
fn epoch_fault(
    repo: &Repo,
    agent: &AgentName,
    draft: Oid,
    now: Before<'_>,
) -> Result<Option<String>, RepoError> {
    let Some((_, (task, epoch))) = claim_of(repo, draft)? else {
        return Ok(None);
    };
    let Some(owned) = now(&layout::in_progress(agent, task))? else {
        return Ok(None);
    };
    let claim = claim_in(note_of(repo, owned)?.as_ref(), agent);
    let other = claim.filter(|claim| claim.epoch != epoch);
    Ok(other.map(|claim| {
        format!(
            "it says that it was made under claim {epoch} of its task, and {agent} has it under \
             claim {}",
            claim.epoch
        )
    }))
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
    files: OpenFiles,
    /// Read when the first draft is asked about.
    claims: Option<BTreeMap<Claim, DraftId>>,
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

    /// Takes a draft up; answers one of the same claim that is there already. A version that was set
    /// aside may be of the same draft.
    fn add(
        &mut self,
        repo: &Repo,
        path: &VaultPath,
        blob: Oid,
    ) -> Result<Option<DraftId>, RepoError> {
        let is_copy = path.file_name().contains(CONFLICT);
        let mut claims = match self.claims.take() {
            Some(claims) => claims,
            None => {
                let mut claims = BTreeMap::new();
                for blob in self.files.values() {
                    claims.extend(claim_of(repo, *blob)?.map(|(id, claim)| (claim, id)));
                }
                claims
            }
        };
        let other = claim_of(repo, blob)?.and_then(|(id, claim)| {
            let other = claims.insert(claim, id);
            other.filter(|other| *other != id || !is_copy)
        });
        self.claims = Some(claims);
        Ok(other)
    }
}
