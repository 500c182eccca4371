//! What the sources share of the vault: the tasks there are, a task's note made once, the owner's handbook, and what
//! the owner is told.
//!
//! Lives elsewhere: what was seen is [`crate::ledger`]'s; what a note says is each source's own.

use std::collections::BTreeSet;

use platinum_core::{
    AgentName, Clock as _, SystemClock, TaskId, UpdateId, VaultPath, ZoneId, layout,
};
use platinum_vault::{Vault, VaultError, note::UpdateNote};
use tracing::warn;

use crate::text::one_line;

/// The most notes whose writing was cut short that are asked for at once.
pub(crate) const UNWRITTEN_AT_ONCE: usize = 64;
/// The folders in which a task is, waiting, claimed or finished.
pub(crate) const TASK_FOLDERS: [&str; 3] =
    [layout::NEEDS_ACTION, layout::IN_PROGRESS, layout::DONE];
/// The largest handbook that is read for its rules.
const MAX_HANDBOOK_BYTES: u64 = 256 * 1024;

/// The tasks that are anywhere in these folders.
pub(crate) fn tasks_in(vault: &Vault, folders: &[&str]) -> Result<BTreeSet<TaskId>, VaultError> {
    let mut tasks = BTreeSet::new();
    // Twice, because one can move from a folder not yet walked to one already walked.
    for _ in 0..2 {
        for folder in folders {
            let entries = vault.walk_in(folder)?;
            tasks.extend(
                entries
                    .iter()
                    .filter_map(|entry| entry.path.stem().parse::<TaskId>().ok()),
            );
        }
    }
    Ok(tasks)
}

/// Creates the note of a task whose id stands for one thing alone: a note that is there already is this one.
pub(crate) fn create_note(
    vault: &Vault,
    zone: ZoneId,
    task: TaskId,
    note: &str,
) -> Result<(), VaultError> {
    match vault.create(&layout::waiting(zone, task), note.as_bytes()) {
        Ok(()) | Err(VaultError::Exists(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// The owner's handbook; empty if there is none.
pub(crate) fn read_handbook(vault: &Vault) -> String {
    let path = VaultPath::new(layout::HANDBOOK).ok();
    let text = path.and_then(|path| vault.read_text(&path, MAX_HANDBOOK_BYTES).ok());
    text.unwrap_or_default()
}

/// Tells the owner, by a note that the dashboard shows.
pub(crate) fn report(
    vault: &Vault,
    agent: &AgentName,
    text: &str,
    task: Option<TaskId>,
) -> Result<(), VaultError> {
    let headline = one_line(text, 300);
    warn!("{headline}");
    let note = UpdateNote {
        id: UpdateId::generate(),
        created: SystemClock.now(),
        by: agent.to_string(),
        task,
        headline,
    };
    let path = layout::update(agent, note.id);
    vault.create(&path, note.render().as_bytes())
}
