//! What of a device's commit stays out, file by file.
//!
//! A phone commits everything that was touched on it at once: what it may not change stays out alone.
//! Lives elsewhere: the path table is `policy`'s; that a task has one place is asked by the walk.
//! Invariants: a move is one change, so that no file is gone whose new place is not taken over; the
//! epoch of a waiting task stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, Member, VaultPath, layout};
use platinum_policy::{Change, MAX_FILE_BYTES, MAX_LFS_POINTER_BYTES, check, is_lfs_pointer};
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::{epoch_in, note_of, task_at};

use super::claim_rules::Before;

/// Each file that a device may not change so, and why not. `before` has what was at a path.
///
/// # Errors
/// If the repository cannot be read.
pub fn faults(
    repo: &Repo,
    device: &AgentName,
    changed: &[Changed],
    before: Before<'_>,
) -> Result<BTreeMap<VaultPath, String>, RepoError> {
    let pairs: Vec<_> = changed.iter().map(|c| (c.path.clone(), c.change)).collect();
    let mut faults: BTreeMap<VaultPath, String> = match check(Member::Device, device, &pairs) {
        Ok(()) => BTreeMap::new(),
        Err(found) => found
            .into_iter()
            .map(|violation| (violation.path.clone(), violation.to_string()))
            .collect(),
    };
    for Changed { path, change, blob } in changed {
        if let Some(blob) = *blob
            && !faults.contains_key(path)
            && let Some(what) = content_fault(repo, (path, blob), before)?
        {
            let sentence = format!("device {device} may not {change} {path}: {what}");
            faults.insert(path.clone(), sentence);
        }
    }
    let stays_out = |one: &&Changed| one.change == Change::Create && faults.contains_key(&one.path);
    let not_arrived: BTreeSet<String> = changed
        .iter()
        .filter(stays_out)
        .map(|one| one.path.file_name().to_owned())
        .collect();
    for Changed { path, change, .. } in changed {
        if *change == Change::Delete && not_arrived.contains(path.file_name()) {
            let sentence = format!(
                "device {device} may not delete {path}: it was moved to where a device puts nothing"
            );
            faults.entry(path.clone()).or_insert(sentence);
        }
    }
    Ok(faults)
}

/// What is wrong with a Git LFS pointer.
pub const LFS_POINTER: &str =
    "it is a Git LFS pointer and not the file itself; commit the file without LFS";

/// Whether a blob of this length is a Git LFS pointer in the place of an attachment.
///
/// # Errors
/// If the repository cannot be read.
pub fn is_lfs_blob(
    repo: &Repo,
    path: &VaultPath,
    (blob, len): (Oid, usize),
) -> Result<bool, RepoError> {
    // Most are notes, and not read.
    Ok(len <= MAX_LFS_POINTER_BYTES
        && !path.as_str().ends_with(".md")
        && is_lfs_pointer(path, &repo.read_blob(blob, MAX_LFS_POINTER_BYTES)?))
}

fn content_fault(
    repo: &Repo,
    (path, blob): (&VaultPath, Oid),
    before: Before<'_>,
) -> Result<Option<String>, RepoError> {
    let len = repo.blob_len(blob)?;
    if len > MAX_FILE_BYTES {
        return Ok(Some(format!(
            "it has {len} bytes; {MAX_FILE_BYTES} is the most"
        )));
    }
    if is_lfs_blob(repo, path, (blob, len))? {
        return Ok(Some(LFS_POINTER.to_owned()));
    }
    if path.top() != layout::NEEDS_ACTION || task_at(path).is_none() {
        return Ok(None);
    }
    let epoch = |blob: Option<Oid>| -> Result<u64, RepoError> {
        let note = blob.map(|blob| note_of(repo, blob)).transpose()?.flatten();
        Ok(note.as_ref().map_or(0, epoch_in))
    };
    let (was, is) = (epoch(before(path)?)?, epoch(Some(blob))?);
    Ok((was != is).then(|| format!("the epoch of its claims is {was}, not {is}")))
}
