//! Taking a held file into the vault, as the owner's own edit.
//!
//! Invariants: a file goes only where a device of the owner's might put it, so that taking all of
//! them approves, claims and finishes nothing; an edit that was made here since stays, and the held
//! version goes beside it.

use std::io;

use platinum_core::{AgentName, AgentNameError, Timestamp, VaultPath};
use platinum_policy::{Change, MAX_FILE_BYTES};
use platinum_protocol::conflict_name;
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_vault::{Vault, VaultError};
use platinum_verify::{device_rules, moved_from};

use super::{HeldFile, HeldFiles};

/// What became of a file that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// It is in the vault.
    Written(VaultPath),
    /// It is not in the vault any more, as on the device.
    Deleted(VaultPath),
    /// The vault's own was edited since: the device's is beside it.
    Beside(VaultPath),
    /// The vault has it so already.
    AlreadySo(VaultPath),
}

/// Why a held file was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// What it is would decide something that is decided on this machine.
    #[error("{0}")]
    NotADevices(String),
    /// The device deleted it, and it was edited here since.
    #[error("{0} was edited here since the device deleted it, so it stays")]
    Edited(VaultPath),
    /// The repository.
    #[error(transparent)]
    Repo(#[from] RepoError),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The list.
    #[error("the list of held files: {0}")]
    List(#[from] io::Error),
    /// The name of a copy.
    #[error(transparent)]
    Name(#[from] AgentNameError),
}

impl HeldFiles {
    /// The bytes of a held file; `None` if the device deleted it.
    ///
    /// # Errors
    /// If the repository does not have them any more.
    pub fn read(&self, repo: &Repo, file: &HeldFile) -> Result<Option<Vec<u8>>, RepoError> {
        let blob = file.blob.as_deref().map(Repo::oid).transpose()?;
        blob.map(|blob| repo.read_blob(blob, MAX_FILE_BYTES))
            .transpose()
    }

    /// Puts a held file into the vault and takes it off the list.
    ///
    /// # Errors
    /// [`NotTaken::NotADevices`] if a device may not put it there, [`NotTaken::Edited`] if it is a
    /// deletion of what was edited here since; or if something cannot be read or written.
    pub fn take(&self, vault: &Vault, repo: &Repo, file: &HeldFile) -> Result<Taken, NotTaken> {
        let theirs = self.read(repo, file)?;
        // An edit of a draft that was moved to be approved is an edit of the draft that waits.
        let moved = theirs.as_ref().and_then(|_| moved_from(&file.path));
        let path = moved.unwrap_or_else(|| file.path.clone());
        let ours = match vault.read(&path, MAX_FILE_BYTES as u64) {
            Ok(bytes) => Some(bytes),
            Err(VaultError::NotFound(_)) => None,
            Err(error) => return Err(error.into()),
        };
        let taken = match ours == theirs {
            true => Taken::AlreadySo(path),
            false => {
                ensure_a_devices(repo, file, &path, ours.is_some())?;
                put(vault, file, path, ours, theirs)?
            }
        };
        self.remove(file)?;
        Ok(taken)
    }
}

/// Whether a device of the owner's might make this change to the vault as it is.
fn ensure_a_devices(
    repo: &Repo,
    file: &HeldFile,
    path: &VaultPath,
    is_there: bool,
) -> Result<(), NotTaken> {
    let oid = |hex: &Option<String>| hex.as_deref().map(Repo::oid).transpose();
    let (blob, base) = (oid(&file.blob)?, oid(&file.base)?);
    let change = match (is_there, blob) {
        (_, None) => Change::Delete,
        (true, _) => Change::Modify,
        (false, _) => Change::Create,
    };
    let changed = [Changed {
        path: path.clone(),
        change,
        blob,
    }];
    let faults = device_rules::faults(repo, &name_of(file)?, &changed, &|_| Ok(base))?;
    match faults.into_values().next() {
        Some(why) => Err(NotTaken::NotADevices(why)),
        None => Ok(()),
    }
}

fn put(
    vault: &Vault,
    file: &HeldFile,
    path: VaultPath,
    ours: Option<Vec<u8>>,
    theirs: Option<Vec<u8>>,
) -> Result<Taken, NotTaken> {
    let is_as_before = match (&ours, &file.base) {
        (Some(ours), Some(base)) => Repo::blob_oid_of(ours)?.to_string() == *base,
        _ => false,
    };
    match (ours, theirs) {
        (Some(ours), Some(theirs)) if is_as_before => {
            vault.replace(&path, &theirs, Some(&ours))?;
            Ok(Taken::Written(path))
        }
        (Some(_), Some(theirs)) => {
            let blob: Oid = Repo::blob_oid_of(&theirs)?;
            let at = Timestamp::now().as_millisecond();
            let copy = conflict_name(&path, &name_of(file)?, at, &blob.to_string());
            vault.create(&copy, &theirs)?;
            Ok(Taken::Beside(copy))
        }
        (None, Some(theirs)) => {
            vault.create(&path, &theirs)?;
            Ok(Taken::Written(path))
        }
        (Some(ours), None) if is_as_before => {
            vault.remove_if(&path, &ours)?;
            Ok(Taken::Deleted(path))
        }
        (Some(_), None) => Err(NotTaken::Edited(path)),
        (None, None) => Ok(Taken::AlreadySo(path)),
    }
}

/// By what name a copy says whose it is.
fn name_of(file: &HeldFile) -> Result<AgentName, AgentNameError> {
    match &file.device {
        Some(device) => Ok(device.clone()),
        None => "device".parse(),
    }
}
