//! Changing the work tree: path by path, never over an edit that was not seen.
//!
//! Invariants: every write says which bytes it expects to replace; what is there instead is moved
//! to a conflict copy before anything takes its place; nothing else in the vault is touched.

use platinum_core::{Timestamp, VaultPath};
use platinum_protocol::conflict_name;
use platinum_repo::{Oid, Repo};
use platinum_vault::{TEMP_PREFIX, VaultError};

use super::{MAX_FILE, SyncError, side::Side};

/// One path of the work tree that changes.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    /// Where.
    pub(super) path: VaultPath,
    /// The blob that is there, as far as is known.
    pub(super) expected: Option<Oid>,
    /// The blob that shall be there; none to take the file away.
    pub(super) new: Option<Oid>,
}

impl Side {
    /// Writes copies and arrivals, all or, at the first that fails, no further; answers how many
    /// more copies it had to make of files that were edited in this very moment.
    pub(super) fn apply(
        &self,
        copies: &[(VaultPath, Oid)],
        arrivals: &[Arrival],
    ) -> Result<u32, SyncError> {
        let (more, failed) = self.apply_each(copies, arrivals)?;
        match failed.into_iter().next() {
            Some((_, error)) => Err(error.into()),
            None => Ok(more),
        }
    }

    /// As [`Side::apply`], but one file that cannot be written does not keep the others away: it
    /// is named in the answer.
    pub(super) fn apply_each(
        &self,
        copies: &[(VaultPath, Oid)],
        arrivals: &[Arrival],
    ) -> Result<(u32, Vec<(VaultPath, VaultError)>), SyncError> {
        for (copy, blob) in copies {
            let bytes = self.repo.read_blob(*blob, MAX_FILE)?;
            match self.vault.create(copy, &bytes) {
                Err(VaultError::Exists(_)) if self.blob_there(copy)? == Some(*blob) => {}
                other => other?,
            }
        }
        let mut more = 0;
        let mut failed = Vec::new();
        for arrival in arrivals {
            let done = match arrival.new {
                Some(new) => self.put(&arrival.path, arrival.expected, new),
                None => self.take_away(&arrival.path, arrival.expected),
            };
            match done {
                Ok(copied) => more += u32::from(copied),
                Err(SyncError::Vault(error)) => failed.push((arrival.path.clone(), error)),
                Err(error) => return Err(error),
            }
        }
        Ok((more, failed))
    }

    fn put(&self, path: &VaultPath, expected: Option<Oid>, new: Oid) -> Result<bool, SyncError> {
        let bytes = self.repo.read_blob(new, MAX_FILE)?;
        let tried = match expected {
            Some(expected) => {
                let expected = self.repo.read_blob(expected, MAX_FILE)?;
                self.vault.replace(path, &bytes, Some(&expected))
            }
            None => self.vault.create(path, &bytes),
        };
        match tried {
            Ok(()) => Ok(false),
            Err(VaultError::Changed(_) | VaultError::Exists(_)) => {
                if self.blob_there(path)? == Some(new) {
                    return Ok(false);
                }
                let moved = self.set_aside(path)?;
                self.vault.create(path, &bytes)?;
                Ok(moved)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Moves the file out of sight first and looks at it there: an edit made until that moment is
    /// found, one made after it is a new file.
    fn take_away(&self, path: &VaultPath, expected: Option<Oid>) -> Result<bool, SyncError> {
        let name = format!("{TEMP_PREFIX}gone-{}", ulid::Ulid::new());
        let hidden = beside(path, &name)?;
        match self.vault.rename(path, &hidden) {
            Ok(()) => {}
            Err(VaultError::NotFound(_)) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        if expected.is_some() && self.blob_there(&hidden).ok().flatten() == expected {
            self.vault.remove(&hidden)?;
            return Ok(false);
        }
        let oid = self.blob_there(&hidden).ok().flatten();
        self.vault.rename(&hidden, &self.copy_name(path, oid))?;
        Ok(true)
    }

    /// Moves a file that nobody expected to a conflict copy.
    fn set_aside(&self, path: &VaultPath) -> Result<bool, SyncError> {
        let oid = self.blob_there(path).ok().flatten();
        match self.vault.rename(path, &self.copy_name(path, oid)) {
            Ok(()) => Ok(true),
            Err(VaultError::NotFound(_)) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    fn copy_name(&self, path: &VaultPath, blob: Option<Oid>) -> VaultPath {
        let at = Timestamp::now().as_millisecond();
        let hex = blob.map_or_else(|| "unread".to_owned(), |oid| oid.to_string());
        conflict_name(path, &self.agent, at, &hex)
    }

    /// The blob that a file of the work tree is.
    pub(super) fn blob_there(&self, path: &VaultPath) -> Result<Option<Oid>, SyncError> {
        match self.vault.read(path, MAX_FILE as u64) {
            Ok(bytes) => Ok(Some(Repo::blob_oid_of(&bytes)?)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn beside(path: &VaultPath, name: &str) -> Result<VaultPath, SyncError> {
    let text = match path.parent() {
        Some(folder) => format!("{folder}/{name}"),
        None => name.to_owned(),
    };
    VaultPath::new(text).map_err(|error| SyncError::Vault(error.into()))
}
