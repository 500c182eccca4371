//! [`ScratchTasks`]: the tasks of a scratch vault, which have no other owner.
//!
//! Invariant: a task is in one place of the vault at any moment, so that a trial that is called off
//! leaves it whole.

use async_trait::async_trait;
use platinum_capabilities::{
    in_background,
    tasks::{Owner, TaskError, TaskStore},
};
use platinum_core::{Clock as _, SystemClock, TaskId, VaultPath, ZoneId, layout};
use platinum_protocol::Claimed;
use platinum_vault::{
    Vault, VaultError,
    note::{Note, ReceiptRecord, TaskNote, finish},
};

/// The largest note of a task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 4 * 1024 * 1024;
/// Every claim of a trial.
const EPOCH: u64 = 1;

/// The tasks of a scratch vault.
#[derive(Clone)]
pub(super) struct ScratchTasks {
    vault: Vault,
}

impl ScratchTasks {
    pub(super) fn new(vault: Vault) -> Self {
        Self { vault }
    }

    /// Moves a task to `Done/`, with what came of it. That it could not be is logged: the trial
    /// itself says what came of it, too.
    pub(super) fn file(&self, id: TaskId, outcome: &str, summary: &str) {
        if let Err(error) = self.try_file(id, outcome, summary) {
            tracing::warn!(task = %id, "Cannot file a task: {error}.");
        }
    }

    fn try_file(&self, id: TaskId, outcome: &str, summary: &str) -> Result<(), TaskError> {
        let now = SystemClock.now();
        let path = self.path(id)?;
        let text = self.vault.read_text(&path, MAX_TASK_BYTES).map_err(away)?;
        let broken = |error: platinum_vault::note::NoteError| TaskError::Broken(error.to_string());
        let mut note = Note::parse(&text).map_err(broken)?;
        finish(&mut note, outcome, summary, now, &[]).map_err(broken)?;
        let written = note.to_text();
        self.vault
            .replace(&path, written.as_bytes(), Some(text.as_bytes()))
            .map_err(away)?;
        self.vault
            .rename(&path, &layout::done(now, id))
            .map_err(away)
    }

    /// Where a task waits.
    fn path(&self, id: TaskId) -> Result<VaultPath, TaskError> {
        let entries = self.vault.walk_in(layout::NEEDS_ACTION).map_err(away)?;
        let mut paths = entries.into_iter().map(|entry| entry.path);
        paths
            .find(|path| path.stem() == id.to_string())
            .ok_or(TaskError::NotFound)
    }

    fn read(&self, path: &VaultPath) -> Result<TaskNote, TaskError> {
        let text = self.vault.read_text(path, MAX_TASK_BYTES).map_err(away)?;
        TaskNote::parse(&text).map_err(|error| TaskError::Broken(error.to_string()))
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn away(error: VaultError) -> TaskError {
    TaskError::Unavailable(error.to_string())
}

#[async_trait]
impl TaskStore for ScratchTasks {
    async fn waiting(&self, zone: ZoneId) -> Result<Vec<TaskNote>, TaskError> {
        let tasks = self.clone();
        in_background(move || {
            let folder = format!("{}/{zone}", layout::NEEDS_ACTION);
            let entries = tasks.vault.walk_in(&folder).map_err(away)?;
            let mut notes = Vec::new();
            for entry in entries {
                match tasks.read(&entry.path) {
                    Ok(note) => notes.push(note),
                    Err(error) => tracing::warn!("{}: {error}.", entry.path),
                }
            }
            notes.sort_by_key(|note| (note.received, note.id));
            Ok(notes)
        })
        .await
    }

    async fn get(&self, id: TaskId) -> Result<TaskNote, TaskError> {
        let tasks = self.clone();
        in_background(move || tasks.read(&tasks.path(id)?)).await
    }

    async fn owner_of(&self, id: TaskId) -> Result<Owner, TaskError> {
        let tasks = self.clone();
        in_background(move || tasks.path(id).map(|_| Owner::ThisAgent)).await
    }

    async fn drafting_epoch(&self, id: TaskId) -> Result<Option<u64>, TaskError> {
        self.owner_of(id).await.map(|_| Some(EPOCH))
    }

    async fn claim(&self, id: TaskId) -> Result<Claimed, TaskError> {
        self.owner_of(id).await?;
        Ok(Claimed::Won { epoch: EPOCH })
    }

    async fn complete(
        &self,
        id: TaskId,
        summary: &str,
        _: Vec<ReceiptRecord>,
    ) -> Result<(), TaskError> {
        let (tasks, summary) = (self.clone(), summary.to_owned());
        in_background(move || tasks.try_file(id, "done", &summary)).await
    }

    async fn release(&self, _: TaskId, _: &str) -> Result<(), TaskError> {
        Ok(())
    }

    async fn fail(&self, id: TaskId, reason: &str) -> Result<(), TaskError> {
        let (tasks, reason) = (self.clone(), reason.to_owned());
        in_background(move || tasks.try_file(id, "failed", &reason)).await
    }
}
