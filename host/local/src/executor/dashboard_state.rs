//! What the dashboard shows, in short: if it is the same, there is nothing to write.
//!
//! Lives elsewhere: the dashboard itself is made by a skill, which runs on `vault.synced`.

use platinum_capabilities::in_background;
use platinum_core::{Clock, SystemClock, layout};
use platinum_vault::Vault;

/// The files that are shown, and how long each is.
pub(super) async fn dashboard_state(vault: Vault) -> Option<Vec<(String, u64)>> {
    in_background(move || {
        let shown = [
            layout::NEEDS_ACTION,
            layout::IN_PROGRESS,
            layout::PENDING_APPROVAL,
            layout::APPROVED,
            &layout::done_month(SystemClock.now()),
            layout::UPDATES,
        ];
        let mut entries = vault.list("").ok()?;
        let is_page = |path: &str| path == layout::DASHBOARD || path == layout::FILED_LIST;
        entries.retain(|entry| is_page(entry.path.as_str()));
        for folder in shown {
            entries.append(&mut vault.walk_in(folder).ok()?);
        }
        let shown = entries.into_iter();
        Some(
            shown
                .map(|entry| (entry.path.to_string(), entry.len))
                .collect(),
        )
    })
    .await
}
