//! What the work tree holds now, as blob ids.
//!
//! Invariants: only what was read to the end is taken; a file that cannot be read counts as
//! unchanged and is reported, never as deleted; an unchanged file is not read again, unless it
//! changed so recently that its time could hide a second change.

use std::collections::{BTreeMap, HashMap};

use jiff::SignedDuration;
use platinum_core::{Timestamp, VaultPath};
use platinum_repo::{Oid, Repo};
use platinum_vault::{Entry, Vault, VaultError};

use super::{HeldBack, MAX_FILE, SyncError};

/// A file changed less than this before it was read is read again: clocks of file systems are
/// coarse.
const SETTLED: SignedDuration = SignedDuration::from_secs(2);

/// The blob ids of files that have not changed since they were read.
#[derive(Default)]
pub(super) struct Cache(HashMap<VaultPath, Known>);

struct Known {
    len: u64,
    modified: Timestamp,
    oid: Oid,
}

/// The work tree.
pub(super) struct Snapshot {
    /// Every synced file and its blob. Blobs that the base has not are stored.
    pub(super) files: BTreeMap<VaultPath, Oid>,
    /// Files that could not be read; they are in `files` as the base has them.
    pub(super) unread: Vec<HeldBack>,
}

/// Reads what changed since the last time.
pub(super) fn take(
    vault: &Vault,
    repo: &Repo,
    base: &BTreeMap<VaultPath, Oid>,
    cache: &mut Cache,
) -> Result<Snapshot, SyncError> {
    let mut files = BTreeMap::new();
    let mut unread = Vec::new();
    let mut known = HashMap::new();
    let began = Timestamp::now();
    let entries = vault.walk()?;
    if entries.is_empty() && !base.is_empty() {
        return Err(SyncError::VaultEmptied(base.len()));
    }
    for entry in entries {
        let expected = base.get(&entry.path).copied();
        match blob_of(vault, repo, &entry, expected, cache) {
            Ok(oid) => {
                known.insert(
                    entry.path.clone(),
                    Known {
                        len: entry.len,
                        modified: entry.modified,
                        oid,
                    },
                );
                files.insert(entry.path, oid);
            }
            // Gone between the walk and now; the next sync sees that it is deleted.
            Err(SyncError::Vault(error)) => {
                unread.push(HeldBack {
                    path: entry.path.clone(),
                    reason: error.to_string(),
                });
                if let Some(expected) = expected {
                    files.insert(entry.path, expected);
                }
            }
            Err(error) => return Err(error),
        }
    }
    // A file that the walk did not show is deleted only if it is really not there: a link or an
    // odd file in its place is not walked.
    for (path, oid) in base {
        if files.contains_key(path) {
            continue;
        }
        match vault.read(path, 0) {
            Err(VaultError::NotFound(_) | VaultError::NotAFolder { .. }) => {}
            Ok(_) | Err(VaultError::TooLarge { .. }) => {
                // It came back this moment.
                files.insert(path.clone(), *oid);
            }
            Err(error) => {
                unread.push(HeldBack {
                    path: path.clone(),
                    reason: error.to_string(),
                });
                files.insert(path.clone(), *oid);
            }
        }
    }
    known.retain(|_, k| began.duration_since(k.modified) > SETTLED);
    cache.0 = known;
    Ok(Snapshot { files, unread })
}

fn blob_of(
    vault: &Vault,
    repo: &Repo,
    entry: &Entry,
    expected: Option<Oid>,
    cache: &Cache,
) -> Result<Oid, SyncError> {
    if let Some(known) = cache.0.get(&entry.path)
        && known.len == entry.len
        && known.modified == entry.modified
        && (Some(known.oid) == expected || repo.blob_len(known.oid).is_ok())
    {
        return Ok(known.oid);
    }
    let bytes = vault.read(&entry.path, MAX_FILE as u64)?;
    let oid = Repo::blob_oid_of(&bytes)?;
    if Some(oid) != expected {
        repo.write_blob(&bytes)?;
    }
    Ok(oid)
}
