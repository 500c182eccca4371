//! [`ZoneTasks`]: the tasks of a source that are all of one zone, whose ids follow from what they are of: the vault that
//! gets their notes, and the record of them.
//!
//! Lives elsewhere: mails and dropped files, which may be of any zone, have their own.

use std::{collections::BTreeSet, path::Path};

use platinum_core::{
    AgentName, Clock as _, SystemClock, TaskId, Timestamp, ZoneId, layout, sha256_hex,
};
use platinum_vault::{Vault, VaultError};
use tracing::warn;

use crate::{
    ledger::{Chosen, Identity, Ledger, LedgerError, Start},
    notes::{self, TASK_FOLDERS, UNWRITTEN_AT_ONCE, create_note, tasks_in},
    text::one_line,
};

/// The tasks of a source.
#[derive(Debug)]
pub(crate) struct ZoneTasks {
    pub(crate) vault: Vault,
    pub(crate) ledger: Ledger,
    zone: ZoneId,
}

impl ZoneTasks {
    /// Opens the vault and the record, a file of this name in the state folder.
    pub(crate) fn open<E: From<VaultError> + From<LedgerError>>(
        vault: &Path,
        state: &Path,
        record: &str,
        zone: ZoneId,
    ) -> Result<Self, E> {
        Ok(Self {
            vault: Vault::open(vault)?,
            ledger: Ledger::open(&state.join(record))?,
            zone,
        })
    }

    /// When this host first looked; now, if it never did.
    pub(crate) fn started(&mut self) -> Result<Timestamp, LedgerError> {
        if let Some(start) = self.ledger.start()? {
            return Ok(start.at);
        }
        let start = Start {
            at: SystemClock.now(),
            first: String::new(),
            cursor: String::new(),
        };
        self.ledger.begin(&start, &[])?;
        Ok(start.at)
    }

    /// How many of this zone wait.
    pub(crate) fn waiting(&self) -> Result<usize, VaultError> {
        let folder = format!("{}/{}", layout::NEEDS_ACTION, self.zone);
        let entries = self.vault.walk_in(&folder)?;
        let tasks = entries
            .iter()
            .filter(|entry| entry.path.stem().parse::<TaskId>().is_ok());
        Ok(tasks.count())
    }

    /// Makes the task of what has this identity; whether it is new. `keys` are the names by which it is remembered,
    /// `present` the tasks that the vault has.
    pub(crate) fn take<E: From<VaultError> + From<LedgerError>>(
        &mut self,
        identity: &str,
        keys: &[String],
        task: TaskId,
        note: &str,
        present: &BTreeSet<TaskId>,
    ) -> Result<bool, E> {
        let hash = sha256_hex(identity);
        let identity = Identity {
            key: keys.first().cloned().unwrap_or_default(),
            identity: hash.clone(),
            content: hash,
        };
        match self.ledger.choose_all(&identity, keys, task, note)? {
            Chosen::New if present.contains(&task) => {
                // Another host took it in, or this one did before it lost its record.
                self.ledger.written(task)?;
                Ok(false)
            }
            Chosen::New => self.create(task, note).map(|()| true),
            Chosen::Known(_) => Ok(false),
        }
    }

    /// Writes a note that was chosen.
    pub(crate) fn create<E: From<VaultError> + From<LedgerError>>(
        &self,
        task: TaskId,
        note: &str,
    ) -> Result<(), E> {
        create_note(&self.vault, self.zone, task, note)?;
        Ok(self.ledger.written(task)?)
    }

    /// Writes the notes whose writing was cut short.
    pub(crate) fn finish<E: From<VaultError> + From<LedgerError>>(&self) -> Result<(), E> {
        let unwritten = self.ledger.unwritten(UNWRITTEN_AT_ONCE)?;
        if unwritten.is_empty() {
            return Ok(());
        }
        let present = tasks_in(&self.vault, &TASK_FOLDERS)?;
        for (task, note) in unwritten {
            match present.contains(&task) {
                true => self.ledger.written(task)?,
                false => self.create::<E>(task, &note)?,
            }
        }
        Ok(())
    }

    /// Tells the owner: in the name of this host on the dashboard, if it is known, else in the log.
    pub(crate) fn notify(
        &self,
        agent: Option<&AgentName>,
        headline: &str,
    ) -> Result<(), VaultError> {
        match agent {
            Some(agent) => notes::report(&self.vault, agent, headline, None),
            None => {
                warn!("{}", one_line(headline, 300));
                Ok(())
            }
        }
    }
}
