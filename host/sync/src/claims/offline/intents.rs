//! [`IntentStore`]: what was decided without the remote, kept over restarts.
//!
//! Lives elsewhere: what becomes of it is [`super::tentative`]'s.
//! Invariant: an intent is on the disk before it is in memory.

use std::{
    collections::BTreeMap,
    io::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_core::TaskId;
use platinum_protocol::reconcile::Intent;

use crate::SyncError;

/// The file with the intents, in the repository's folder.
const FILE: &str = "intents.json";

/// The intents of this host.
pub(crate) struct IntentStore {
    file: PathBuf,
    intents: Mutex<BTreeMap<TaskId, Intent>>,
}

impl IntentStore {
    /// Reads the intents of an earlier process.
    ///
    /// # Errors
    /// If it is there and cannot be read: without it, other things would be decided.
    pub(crate) fn open(git_dir: &Path) -> Result<Self, SyncError> {
        let file = git_dir.join(FILE);
        let intents = match std::fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).unwrap_or_else(|error| {
                // The files of the vault are all there; only the intents about them are lost.
                tracing::error!(
                    "Cannot parse {} ({error}); tasks claimed offline are claimed anew.",
                    file.display()
                );
                BTreeMap::new()
            }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => {
                return Err(SyncError::Refused(format!(
                    "cannot read the offline intents from {}: {error}",
                    file.display()
                )));
            }
        };
        Ok(Self {
            file,
            intents: Mutex::new(intents),
        })
    }

    fn intents(&self) -> MutexGuard<'_, BTreeMap<TaskId, Intent>> {
        self.intents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.intents().is_empty()
    }

    pub(crate) fn get(&self, task: TaskId) -> Option<Intent> {
        self.intents().get(&task).cloned()
    }

    pub(crate) fn all(&self) -> BTreeMap<TaskId, Intent> {
        self.intents().clone()
    }

    /// The tasks with a tentative claim.
    pub(crate) fn tentative(&self) -> Vec<TaskId> {
        let is_claim = |intent: &Intent| matches!(intent, Intent::Claim { .. });
        let intents = self.intents();
        let claims = intents.iter().filter(|(_, intent)| is_claim(intent));
        claims.map(|(task, _)| *task).collect()
    }

    /// Keeps an intent, or forgets it; on the disk first.
    pub(crate) fn set(&self, task: TaskId, intent: Option<Intent>) -> Result<(), SyncError> {
        let mut intents = self.intents();
        let mut next = intents.clone();
        match intent {
            Some(intent) => next.insert(task, intent),
            None => next.remove(&task),
        };
        if next == *intents {
            return Ok(());
        }
        self.write(&next).map_err(|error| {
            SyncError::Refused(format!(
                "cannot write the offline intents to {}: {error}",
                self.file.display()
            ))
        })?;
        *intents = next;
        Ok(())
    }

    fn write(&self, intents: &BTreeMap<TaskId, Intent>) -> std::io::Result<()> {
        let new = self.file.with_extension("json.new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(&serde_json::to_vec_pretty(intents)?)?;
        file.sync_all()?;
        fail::fail_point!("intent-written");
        std::fs::rename(new, &self.file)?;
        if let Some(folder) = self.file.parent() {
            std::fs::File::open(folder)?.sync_all()?;
        }
        fail::fail_point!("intent-kept");
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::ClaimId;

    use super::*;

    /// An intent is known after a restart; a file that cannot be read is an error.
    #[test]
    fn intent_store_survives_a_restart() {
        let folder = tempfile::tempdir().unwrap();
        let task = TaskId::from_parts(1, 1);
        let intent = Intent::Claim {
            claim: ClaimId::from_parts(0, 1),
            known: true,
        };
        let intents = IntentStore::open(folder.path()).unwrap();
        intents.set(task, Some(intent.clone())).unwrap();
        let intents = IntentStore::open(folder.path()).unwrap();
        assert_eq!(intents.get(task), Some(intent));
        // It is there, and cannot be read.
        let file = folder.path().join(FILE);
        std::fs::remove_file(&file).unwrap();
        std::fs::create_dir(&file).unwrap();
        assert!(IntentStore::open(folder.path()).is_err());
    }
}
