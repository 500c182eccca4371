//! The files that came with mails: saved while a draft of the mail's answer waits, for its owner to read beside it, and
//! removed once the task is done.
//!
//! - here: the loop, and which tasks are due; - [`save`]: one mail's files; - [`note`]: the note that lists them;
//! - [`names`]: what they are called; - [`drafts`]: which drafts there are.
//!
//! Lives elsewhere: that nothing in `Mail_Attachments/` is synced is `policy`'s; the mail is read by the mail server.
//! Invariants: this machine alone saves them; a mailbox that is away stops nothing else: the note says why, and it is
//! tried again, each time after a longer pause; a mail without files costs one reading of its task.

mod drafts;
mod names;
mod note;
mod save;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use platinum_capabilities::in_background;
use platinum_core::{Backoff, Clock as _, SystemClock, TaskId, layout};
use platinum_daemon::Shutdown;
use platinum_effects::email::MailFiles;
use platinum_protocol::TaskPlace;
use platinum_sync::Synchronizer;
use platinum_vault::{
    Vault, VaultError,
    note::{ATTACHMENTS, TaskNote},
};
use platinum_watch::{Wake, WakeUps};
use tokio::time::Instant;

use drafts::{Drafts, read_on};

const RETRIES: Backoff = Backoff::new(Duration::from_secs(15), Duration::from_secs(60 * 60));

/// The loop over what is saved.
pub(crate) struct AttachmentLoop {
    vault: Vault,
    sync: Synchronizer,
    mail: Box<dyn MailFiles>,
    drafts: Drafts,
    /// Tasks of which all is saved, or that have nothing.
    saved: BTreeSet<TaskId>,
    /// Tasks that failed: how often in a row, and when they are tried again.
    failed: BTreeMap<TaskId, (u32, Instant)>,
    /// Tasks that are done and of which all is removed that may be.
    removed: BTreeSet<TaskId>,
}

impl AttachmentLoop {
    pub(crate) fn new(vault: Vault, sync: Synchronizer, mail: Box<dyn MailFiles>) -> Self {
        Self {
            vault,
            sync,
            mail,
            drafts: Drafts::default(),
            saved: BTreeSet::new(),
            failed: BTreeMap::new(),
            removed: BTreeSet::new(),
        }
    }

    /// Runs until the host stops.
    pub(crate) async fn run(
        mut self,
        mut wake_ups: WakeUps,
        every: Duration,
        mut shutdown: Shutdown,
    ) {
        while !shutdown.is_stopping() {
            let turn = async {
                if let Err(error) = self.turn().await {
                    tracing::warn!("Cannot look after the files of mails: {error}.");
                }
            };
            tokio::select! {
                () = shutdown.stopped() => break,
                () = turn => {}
            }
            tokio::select! {
                () = shutdown.stopped() => {}
                wake = wake_ups.wait(every.min(self.until_due())) => if wake == Wake::Closed {
                    tokio::time::sleep(every).await;
                }
            }
        }
    }

    /// How long until the next task is tried again.
    fn until_due(&self) -> Duration {
        let dues = self.failed.values().map(|(_, due)| *due);
        let first = dues.min();
        let wait = first.map(|due| due.saturating_duration_since(Instant::now()));
        wait.map_or(Duration::MAX, |wait| wait.max(Duration::from_secs(1)))
    }

    async fn turn(&mut self) -> Result<(), VaultError> {
        let (vault, mut known) = (self.vault.clone(), std::mem::take(&mut self.drafts));
        let (listed, known) = in_background(move || (read_on(&vault, &mut known), known)).await;
        self.drafts = known;
        listed?;
        let live: BTreeSet<TaskId> = self.drafts.values().flatten().copied().collect();
        self.saved.retain(|task| live.contains(task));
        self.failed.retain(|task, _| live.contains(task));
        for task in &live {
            let is_due = |(_, due): &(u32, Instant)| *due <= Instant::now();
            if !self.saved.contains(task) && self.failed.get(task).is_none_or(is_due) {
                self.save(*task).await;
            }
        }
        let vault = self.vault.clone();
        let folders = in_background(move || vault.folders(layout::MAIL_ATTACHMENTS)).await?;
        for folder in folders {
            if let Ok(task) = folder.file_name().parse::<TaskId>()
                && !live.contains(&task)
            {
                self.remove_if_done(task).await;
            }
        }
        Ok(())
    }

    /// Saves what came with the mail of a task, if anything did.
    async fn save(&mut self, id: TaskId) {
        // A task that is not there now is looked for again.
        let Ok(task) = self.sync.task(id).await else {
            return;
        };
        self.removed.remove(&id);
        match self.save_files(&task).await {
            Ok(()) => {
                self.failed.remove(&id);
                self.saved.insert(id);
            }
            Err(why) => {
                let failures = self.failed.get(&id).map_or(0, |(failures, _)| *failures);
                let delay = RETRIES.delay(failures);
                self.failed
                    .insert(id, (failures.saturating_add(1), Instant::now() + delay));
                tracing::info!(
                    task = %id,
                    "The files of its mail are not saved yet: {why}; trying again in {} s.",
                    delay.as_secs()
                );
                let noted = save::note_failure(&self.vault, &task, why, SystemClock.now()).await;
                if let Err(error) = noted {
                    tracing::warn!(task = %id, "Cannot write the note of its files: {error}.");
                }
            }
        }
    }

    async fn save_files(&self, task: &TaskNote) -> Result<(), String> {
        if task.fact(ATTACHMENTS).is_empty() {
            return Ok(());
        }
        let (vault, id) = (self.vault.clone(), task.id);
        let known = in_background(move || save::read_note(&vault, id)).await?;
        if known.is_some_and(|(note, _)| note::is_saved(&note)) {
            return Ok(());
        }
        save::save(&self.vault, task, &*self.mail, SystemClock.now()).await
    }

    async fn remove_if_done(&mut self, task: TaskId) {
        if self.removed.contains(&task) {
            return;
        }
        let place = self.sync.place(task).await;
        if !matches!(place, Ok(TaskPlace::Finished)) {
            return;
        }
        let vault = self.vault.clone();
        // Once in the life of a daemon: what stays is the owner's.
        self.removed.insert(task);
        match in_background(move || save::remove(&vault, task)).await {
            Ok(is_all) => {
                tracing::debug!(%task, is_all, "what came with its mail is removed");
            }
            Err(error) => {
                tracing::warn!(%task, "Cannot remove what came with its mail: {error}.");
            }
        }
    }
}

#[cfg(test)]
mod tests;
