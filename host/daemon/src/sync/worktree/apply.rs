//! Changing the work tree: path by path, never over an edit that was not seen.
//!
//! Invariants: every write says which bytes it expects to replace; what is there instead is moved
//! to a conflict copy before anything takes its place; nothing else in the vault is touched; two
//! files whose names are one on some systems are not both put there, and a name that only changes
//! its spelling is a rename.

use std::collections::BTreeMap;

use platinum_core::VaultPath;
use platinum_repo::{Oid, Repo};
use platinum_vault::{VaultError, name_key};

use super::super::{MAX_FILE, SyncError, side::Side};

/// One path of the work tree that changes.
#[derive(Debug, Clone)]
pub(in crate::sync) struct Arrival {
    /// Where.
    pub(in crate::sync) path: VaultPath,
    /// The blob that is there, as far as is known.
    pub(in crate::sync) expected: Option<Oid>,
    /// The blob that shall be there; none to take the file away.
    pub(in crate::sync) new: Option<Oid>,
}

impl Side {
    /// Writes copies and arrivals, all or, at the first that fails, no further; answers how many
    /// more copies it had to make of files that were edited in this very moment.
    pub(in crate::sync) fn apply(
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
    pub(in crate::sync) fn apply_each(
        &self,
        copies: &[(VaultPath, Oid)],
        arrivals: &[Arrival],
    ) -> Result<(u32, Vec<(VaultPath, VaultError)>), SyncError> {
        let arriving = arrivals.iter().map(|arrival| &arrival.path);
        self.touch(copies.iter().map(|(path, _)| path).chain(arriving));
        for (copy, blob) in copies {
            let bytes = self.repo.read_blob(*blob, MAX_FILE)?;
            match self.vault.create(copy, &bytes) {
                Err(VaultError::Exists(_)) if self.blob_there(copy)? == Some(*blob) => {}
                other => other?,
            }
        }
        fail::fail_point!("apply-copies-written");
        let mut more = 0;
        let mut failed = Vec::new();
        let mut note = |path: &VaultPath, done: Result<bool, SyncError>| match done {
            Ok(copied) => {
                more += u32::from(copied);
                Ok(())
            }
            Err(SyncError::Vault(error)) => {
                failed.push((path.clone(), error));
                Ok(())
            }
            Err(error) => Err(error),
        };
        let respelled = Respelled::among(arrivals);
        // What comes first, so that what is moved is never nowhere; but what goes away may have to
        // make room for it.
        let mut blocked = Vec::new();
        for arrival in arrivals {
            let Some(new) = arrival.new else { continue };
            let done = match respelled.from.get(&arrival.path) {
                Some(old) => self.respell(old, &arrival.path, new),
                None => self.put(&arrival.path, arrival.expected, new),
            };
            match done {
                Err(SyncError::Vault(VaultError::Twin { .. } | VaultError::NotAFolder { .. })) => {
                    blocked.push((arrival, new));
                }
                done => note(&arrival.path, done)?,
            }
        }
        fail::fail_point!("apply-before-removals");
        for arrival in arrivals {
            if arrival.new.is_none() && !respelled.has(&arrival.path) {
                note(
                    &arrival.path,
                    self.take_away(&arrival.path, arrival.expected),
                )?;
            }
        }
        for (arrival, new) in blocked {
            note(
                &arrival.path,
                self.put(&arrival.path, arrival.expected, new),
            )?;
        }
        Ok((more, failed))
    }

    /// A name that changes its spelling: the file moves, whatever the file system makes of it.
    fn respell(&self, old: &Arrival, path: &VaultPath, new: Oid) -> Result<bool, SyncError> {
        let there = self.blob_there(&old.path)?;
        if there.is_some() && there == old.expected {
            match self.vault.respell(&old.path, path) {
                Ok(()) if there == Some(new) => return Ok(false),
                Ok(()) => return self.put(path, there, new),
                Err(VaultError::NotFound(_) | VaultError::Exists(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let copied = self.take_away(&old.path, old.expected)?;
        Ok(self.put(path, None, new)? || copied)
    }

    fn put(&self, path: &VaultPath, expected: Option<Oid>, new: Oid) -> Result<bool, SyncError> {
        if expected.is_none()
            && let Some(twin) = self.vault.other_spelling(path)?
        {
            return Err(VaultError::Twin {
                path: path.clone(),
                twin,
            }
            .into());
        }
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
                fail::fail_point!("apply-set-aside");
                self.vault.create(path, &bytes)?;
                Ok(moved)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Takes a file away; one that is not what was expected goes to a conflict copy.
    fn take_away(&self, path: &VaultPath, expected: Option<Oid>) -> Result<bool, SyncError> {
        if let Some(expected) = expected {
            let expected = self.repo.read_blob(expected, MAX_FILE)?;
            match self.vault.remove_if(path, &expected) {
                Ok(()) | Err(VaultError::NotFound(_)) => return Ok(false),
                Err(VaultError::Changed(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.set_aside(path)
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

    /// The blob that a file of the work tree is.
    pub(in crate::sync) fn blob_there(&self, path: &VaultPath) -> Result<Option<Oid>, SyncError> {
        match self.vault.read(path, MAX_FILE as u64) {
            Ok(bytes) => Ok(Some(Repo::blob_oid_of(&bytes)?)),
            Err(VaultError::NotFound(_)) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The arrivals that take a file away and bring it back under another spelling.
struct Respelled<'a> {
    /// The old one, by the new path.
    from: BTreeMap<&'a VaultPath, &'a Arrival>,
}

impl<'a> Respelled<'a> {
    fn among(arrivals: &'a [Arrival]) -> Self {
        let going: BTreeMap<String, &Arrival> = arrivals
            .iter()
            .filter(|arrival| arrival.new.is_none() && arrival.expected.is_some())
            .map(|arrival| (name_key(arrival.path.as_str()), arrival))
            .collect();
        let from = arrivals
            .iter()
            .filter(|arrival| arrival.new.is_some() && arrival.expected.is_none())
            .filter_map(|arrival| {
                let old = going.get(&name_key(arrival.path.as_str()))?;
                Some((&arrival.path, *old))
            })
            .collect();
        Self { from }
    }

    fn has(&self, path: &VaultPath) -> bool {
        self.from.values().any(|old| old.path == *path)
    }
}
