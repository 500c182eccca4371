//! [`Notifier`]: what the owner is notified of, on the dashboard and in the log.
//!
//! A notification is a note in `Updates/<agent>/`: local merges it into `Dashboard.md`, the cloud's
//! gets there by the next sync. Failing to write one is logged, and changes nothing.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use platinum_core::{
    AgentName, Role, TaskId, Timestamp, UpdateId, VaultPath, layout, text::one_line, whole_second,
};
use platinum_vault::{Vault, VaultError, note::UpdateNote};
use platinum_verify::Gate;
use platinum_worktree::Worktree;

use super::filter::sentence;

/// One note covers more files than this at once.
const MAX_NOTES: usize = 5;

/// Notifies the owner.
pub(crate) struct Notifier {
    vault: Vault,
    agent: AgentName,
    role: Role,
    worktree: Arc<Worktree>,
    sent: Mutex<Sent>,
}

/// What the owner was notified of and is still so, in this process.
#[derive(Default)]
struct Sent {
    /// Files that are withheld, as the log names them.
    withheld: BTreeSet<String>,
    /// Trouble since all was well.
    trouble: BTreeSet<String>,
}

impl Notifier {
    pub(crate) fn new(vault: Vault, agent: AgentName, role: Role, worktree: Arc<Worktree>) -> Self {
        Self {
            vault,
            agent,
            role,
            worktree,
            sent: Mutex::default(),
        }
    }

    fn sent(&self) -> MutexGuard<'_, Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Posts an update for the dashboard.
    pub(crate) fn post_update(&self, task: Option<TaskId>, headline: &str) {
        let (path, note) = self.update(task, headline);
        self.worktree.touch([&path].into_iter());
        self.create(&path, &note);
    }

    /// Posts several.
    pub(crate) fn post_updates(&self, headlines: &[String]) {
        for headline in headlines {
            self.post_update(None, headline);
        }
    }

    /// Notifies the owner once, on local's dashboard, of trouble that stops the sync: local writes
    /// it from the work tree, whatever the remote does.
    pub(crate) fn notify_owner(&self, trouble: &str) {
        if self.role == Role::Cloud || !self.sent().trouble.insert(trouble.to_owned()) {
            return;
        }
        let (path, note) = self.update(None, trouble);
        self.create(&path, &note);
    }

    /// Notifies the owner of commits that were reverted.
    pub(crate) fn notify_reverted(&self, messages: &[String]) {
        for message in messages {
            tracing::warn!("{message}");
            self.notify_owner(message);
        }
    }

    /// Posts an update for each file that the gate newly withholds; one for all if they are many.
    pub(crate) fn post_withheld(&self, gate: &Gate) {
        let notices = gate.take_notices().into_iter();
        let notices: Vec<_> = notices
            .map(|(path, finding)| {
                let why = sentence(self.role, &path, &finding);
                (path, why)
            })
            .collect();
        for (path, finding) in &notices {
            let line = format!("{path} is not synced: {finding}");
            tracing::warn!("{line}");
            // The list of what the sync withheld has it too.
            self.sent().withheld.insert(line);
        }
        let (here, list) = match self.role {
            Role::Local => ("this machine", "`platinum status`"),
            Role::Cloud => ("the cloud's machine", "the log there"),
        };
        if notices.len() <= MAX_NOTES {
            for (path, finding) in notices {
                self.post_update(None, &format!("{path} stays on {here} alone: {finding}."));
            }
            return;
        }
        let count = notices.len();
        let some: Vec<_> = notices.into_iter().take(3).map(|(path, _)| path).collect();
        self.post_update(None, &format!(
            "{count} files stay on {here} alone, because each of them may hold a secret: {}, and more; {list} names each.",
            some.join(", ")
        ));
    }

    /// What of these withheld files was not logged in this process yet. What is not withheld any
    /// more is forgotten.
    pub(crate) fn newly_withheld(&self, withheld: BTreeSet<String>) -> BTreeSet<String> {
        let mut sent = self.sent();
        let new = withheld.difference(&sent.withheld).cloned().collect();
        sent.withheld = withheld;
        new
    }

    /// A sync went through: trouble that comes after it is new.
    pub(crate) fn reset(&self) {
        self.sent().trouble.clear();
    }

    fn update(&self, task: Option<TaskId>, headline: &str) -> (VaultPath, UpdateNote) {
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: whole_second(Timestamp::now()),
            by: self.agent.to_string(),
            task,
            headline: one_line(headline, 300),
        };
        (layout::update(&self.agent, note.id), note)
    }

    fn create(&self, path: &VaultPath, note: &UpdateNote) {
        let created: Result<(), VaultError> = self.vault.create(path, note.render().as_bytes());
        if let Err(error) = created {
            tracing::warn!("Cannot notify the owner: {error}.");
        }
    }
}
