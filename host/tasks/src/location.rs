//! Where a tree has a task: the id is the file name.

use platinum_core::{AgentName, ClaimId, TaskId, Timestamp, VaultPath, ZoneId, layout};
use platinum_protocol::{ClaimRecord, TaskPlace};
use platinum_repo::{Oid, Repo, RepoError};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};

use crate::TaskNoteError;

/// Longest task note that is read.
pub const MAX_NOTE: usize = 4 * 1024 * 1024;
/// The key of a released task that keeps its claims' epochs growing.
pub const LAST_EPOCH: &str = "last-epoch";

/// A task in a tree.
#[derive(Debug, Clone)]
pub struct TaskLocation {
    /// Who has it.
    pub place: TaskPlace,
    /// Its path and blob; none if it is absent.
    pub file: Option<(VaultPath, Oid)>,
    /// The zone of its folder, while it waits.
    pub zone: Option<ZoneId>,
    /// The highest epoch its note speaks of.
    pub epoch: u64,
}

/// The task whose own file is at a path.
pub fn task_at(path: &VaultPath) -> Option<TaskId> {
    let depth = path.components().count();
    let is_place = match path.top() {
        layout::NEEDS_ACTION | layout::IN_PROGRESS => depth == 3,
        layout::DONE => depth == 4,
        _ => false,
    };
    (is_place && path.extension() == Some("md"))
        .then(|| path.stem().parse().ok())
        .flatten()
}

/// The zones with a folder of waiting tasks in a commit, in the order of their names.
///
/// # Errors
/// If the repository cannot be read.
pub fn zones_at(repo: &Repo, commit: Oid) -> Result<Vec<ZoneId>, RepoError> {
    let items = repo.items(commit, layout::NEEDS_ACTION)?.into_iter();
    let folders = items.filter(|item| item.folder);
    Ok(folders.filter_map(|item| item.name.parse().ok()).collect())
}

/// The zones with a folder of waiting tasks in the vault, in the order of their names.
///
/// # Errors
/// If the folder cannot be read.
pub fn zones_in(vault: &Vault) -> Result<Vec<ZoneId>, VaultError> {
    let listing = vault.list_folder(layout::NEEDS_ACTION)?.unwrap_or_default();
    let names = listing.folders.iter().map(VaultPath::file_name);
    Ok(names.filter_map(|name| name.parse().ok()).collect())
}

/// Finds a task in a tree. Finished wins over owned, and owned over waiting.
pub fn find(repo: &Repo, tip: Oid, task: TaskId) -> Result<TaskLocation, RepoError> {
    let name = format!("{task}.md");
    let earliest = earliest_month(task, Timestamp::now());
    for year in repo
        .items(tip, layout::DONE)?
        .iter()
        .rev()
        .filter(|year| year.folder)
    {
        let folder = format!("{}/{}", layout::DONE, year.name);
        for month in repo
            .items(tip, &folder)?
            .iter()
            .rev()
            .filter(|month| month.folder && may_be_in(&year.name, &month.name, earliest))
        {
            if let Some(file) = at(repo, tip, &format!("{folder}/{}/{name}", month.name))? {
                return Ok(TaskLocation {
                    place: TaskPlace::Finished,
                    file: Some(file),
                    zone: None,
                    epoch: 0,
                });
            }
        }
    }
    for owner in repo.items(tip, layout::IN_PROGRESS)? {
        let Ok(agent) = owner.name.parse::<AgentName>() else {
            continue;
        };
        let path = layout::in_progress(&agent, task);
        let Some(blob) = repo.blob_at(tip, &path)? else {
            continue;
        };
        let note = note_of(repo, blob)?;
        let record = claim_in(note.as_ref(), &agent).unwrap_or_else(|| unclaimed(agent));
        // One that was moved there by hand may speak of an older claim than none.
        let epoch = note.as_ref().map_or(0, epoch_in).max(record.epoch);
        let place = TaskPlace::Owned(record);
        return Ok(TaskLocation {
            place,
            file: Some((path, blob)),
            zone: None,
            epoch,
        });
    }
    for zone in zones_at(repo, tip)? {
        let path = layout::waiting(zone, task);
        let Some(blob) = repo.blob_at(tip, &path)? else {
            continue;
        };
        let epoch = note_of(repo, blob)?.map_or(0, |note| epoch_in(&note));
        let place = TaskPlace::Waiting;
        return Ok(TaskLocation {
            place,
            file: Some((path, blob)),
            zone: Some(zone),
            epoch,
        });
    }
    Ok(TaskLocation {
        place: TaskPlace::Absent,
        file: None,
        zone: None,
        epoch: 0,
    })
}

/// The first month that a task can have been finished in: what was done before it was made grows
/// for ever, and is not searched. An id from the future says nothing.
fn earliest_month(task: TaskId, now: Timestamp) -> Option<(i16, i8)> {
    let made = i64::try_from(task.unix_ms()).ok()?;
    let made = Timestamp::from_millisecond(made).ok()?;
    if made > now {
        return None;
    }
    Some(layout::earliest_done(task))
}

fn may_be_in(year: &str, month: &str, earliest: Option<(i16, i8)>) -> bool {
    match (earliest, year.parse(), month.parse()) {
        (Some(earliest), Ok(year), Ok(month)) => (year, month) >= earliest,
        // Not a year and a month: made by a person, so it is searched.
        _ => true,
    }
}

fn at(repo: &Repo, tip: Oid, path: &str) -> Result<Option<(VaultPath, Oid)>, RepoError> {
    let Ok(path) = VaultPath::new(path) else {
        return Ok(None);
    };
    Ok(repo.blob_at(tip, &path)?.map(|blob| (path, blob)))
}

/// The claim in a note, if it is one of this agent's.
pub fn claim_in(note: Option<&Note>, agent: &AgentName) -> Option<ClaimRecord> {
    let record = note?.claim()?;
    (record.agent == *agent).then_some(record)
}

/// The folder says who owns a task; a note that a person moved there by hand has no claim of its
/// own, and gets one that no agent can have made.
fn unclaimed(agent: AgentName) -> ClaimRecord {
    ClaimRecord {
        id: ClaimId::from_parts(0, 0),
        agent,
        epoch: 0,
        at: Timestamp::UNIX_EPOCH,
        base: String::new(),
        heartbeats: 0,
    }
}

/// The note in a blob, if it is one.
pub fn note_of(repo: &Repo, blob: Oid) -> Result<Option<Note>, RepoError> {
    if repo.blob_len(blob)? > MAX_NOTE {
        return Ok(None);
    }
    let text = String::from_utf8(repo.read_blob(blob, MAX_NOTE)?).ok();
    Ok(text.and_then(|text| Note::parse(&text).ok()))
}

/// The highest epoch that a task's note speaks of: where it was given back, or was moved back by
/// hand with its claim still in it.
pub fn epoch_in(note: &Note) -> u64 {
    let last = note.get(LAST_EPOCH).and_then(|value| value.as_u64());
    last.max(note.claim_epoch()).unwrap_or(0)
}

/// Writes a claim into a task's note.
///
/// # Errors
/// If the note's frontmatter cannot be edited.
pub fn write_claim(
    note: &mut Note,
    path: &VaultPath,
    record: &ClaimRecord,
) -> Result<(), TaskNoteError> {
    let unreadable = |source| TaskNoteError::Note {
        path: path.clone(),
        source,
    };
    note.set_claim(record).map_err(unreadable)?;
    note.remove(LAST_EPOCH).map(drop).map_err(unreadable)
}

/// The note of a task whose path and blob are known.
///
/// # Errors
/// If it is too long, not UTF-8 or not a note, or the repository cannot be read.
pub fn read_note(repo: &Repo, file: &(VaultPath, Oid)) -> Result<Note, TaskNoteError> {
    let (path, blob) = file;
    let bytes = repo.read_blob(*blob, MAX_NOTE);
    let bytes = bytes.map_err(|error| match error {
        // Only this note is affected: it stops nothing else.
        RepoError::TooLarge { len, .. } => TaskNoteError::TooLong {
            path: path.clone(),
            len,
        },
        error => error.into(),
    })?;
    let text = String::from_utf8(bytes).map_err(|_| TaskNoteError::NotText(path.clone()))?;
    Note::parse(&text).map_err(|source| TaskNoteError::Note {
        path: path.clone(),
        source,
    })
}

/// The task that the draft in a blob is for, and the epoch that it says, if it is one.
pub fn draft_of(repo: &Repo, blob: Oid) -> Result<Option<(TaskId, Option<u64>)>, RepoError> {
    let note = note_of(repo, blob)?;
    Ok(note.and_then(|note| DraftNote::made_for(&note)))
}

#[cfg(test)]
mod month_tests {
    use super::*;

    /// Only months since a task was made are searched; all of them if its id is from the future.
    #[test]
    fn earliest_month_follows_the_task_id() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let made = |at: &str| {
            let at: Timestamp = at.parse().unwrap();
            TaskId::from_parts(u64::try_from(at.as_millisecond()).unwrap(), 1)
        };
        let earliest = earliest_month(made("2026-03-05T00:00:00Z"), now);
        assert_eq!(earliest, Some((2026, 2)));
        for (year, month, looked) in [
            ("2026", "01", false),
            ("2026", "02", true),
            ("2026", "11", true),
            ("2025", "12", false),
            ("2027", "01", true),
            ("odd", "01", true),
            ("2025", "odd", true),
        ] {
            assert_eq!(may_be_in(year, month, earliest), looked, "{year}/{month}");
        }
        assert_eq!(earliest_month(made("2027-01-01T00:00:00Z"), now), None);
        assert!(may_be_in("1970", "01", None));
        assert_eq!(
            earliest_month(TaskId::from_parts(0, 1), now),
            Some((1969, 12))
        );
    }
}
