//! [`OwnerUpdates`]: what the host itself has to let the owner know, as updates for the dashboard.
//!
//! Lives elsewhere: the updates that skills write go through `capabilities::updates`.

use platinum_capabilities::in_background;
use platinum_core::{
    AgentName, Clock as _, SystemClock, TaskId, UpdateId, layout, text::one_line, whole_second,
};
use platinum_vault::{Vault, note::UpdateNote};

/// Longest headline, in characters.
const MAX_HEADLINE: usize = 300;

/// Writes updates in the name of the host.
#[derive(Clone, Debug)]
pub struct OwnerUpdates {
    vault: Vault,
    agent: AgentName,
}

impl OwnerUpdates {
    /// Updates of `agent` in this vault.
    pub fn new(vault: Vault, agent: AgentName) -> Self {
        Self { vault, agent }
    }

    /// Writes an update; whether that went well. If not, the log has the reason.
    pub async fn publish(&self, task: Option<TaskId>, text: &str) -> bool {
        let note = UpdateNote {
            id: UpdateId::generate(),
            created: whole_second(SystemClock.now()),
            by: self.agent.to_string(),
            task,
            headline: one_line(text, MAX_HEADLINE),
        };
        let path = layout::update(&self.agent, note.id);
        let vault = self.vault.clone();
        match in_background(move || vault.create(&path, note.render().as_bytes())).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!("Cannot write an update for the owner: {error}.");
                false
            }
        }
    }
}
