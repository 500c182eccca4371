//! [`Author`]: who writes into the vault on behalf of a skill, and the check before it does.

use platinum_core::{AgentName, Role, VaultPath};
use platinum_engine::Call;
use platinum_policy::Change;
use platinum_vault::Vault;

/// A skill's host, role and own name, as notes say them.
#[derive(Clone)]
pub(crate) struct Author {
    pub(crate) role: Role,
    pub(crate) agent: AgentName,
    /// `cloud/cloud-draft-email`
    pub(crate) by: String,
}

impl Author {
    pub(crate) fn of(call: &Call) -> Self {
        Self {
            role: call.role,
            agent: call.agent.clone(),
            by: format!("{}/{}", call.agent, call.skill),
        }
    }

    /// Makes a note, if the path table lets this role make it, off the async threads.
    pub(crate) async fn create(
        &self,
        vault: &Vault,
        path: VaultPath,
        text: String,
    ) -> Result<(), String> {
        platinum_policy::check(self.role, &self.agent, &[(path.clone(), Change::Create)]).map_err(
            |violations| {
                violations
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; ")
            },
        )?;
        let vault = vault.clone();
        in_background(move || vault.create(&path, text.as_bytes()))
            .await
            .map_err(|e| e.to_string())
    }
}

/// Runs blocking work off the async threads.
pub async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        // The work panicked: that is a defect here, and the panic goes on where it can be seen.
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime ends before it was begun: nobody waits for the answer.
            Err(_cancelled) => std::future::pending().await,
        },
    }
}
