//! What the owner approved is recorded and carried out; what is no approval goes back, and the owner
//! is told why.

use platinum_daemon::skills::Event;

use super::ApprovalLoop;

impl ApprovalLoop {
    /// Admits what is in `Approved/`, carries out what is due, and finishes what was; whether
    /// anything changed.
    pub(super) async fn carry_out_approved(&mut self) -> bool {
        let Some((mut changed, has_ready)) = self.admit().await else {
            return false;
        };
        let is_paused = self.notify_pause().await;
        if has_ready && !is_paused {
            self.raise(&Event::ApprovalGranted).await;
            // What the mail server does not compose as it was approved goes back at once.
            if self.executor.approvals().has_differences()
                && let Some((has_changed, _)) = self.admit().await
            {
                changed |= has_changed;
            }
        }
        changed | self.finish_approved(is_paused).await
    }

    /// Records what the owner moved and puts back what is no approval; whether anything changed, and
    /// whether something may be carried out. None if the approvals cannot be read.
    async fn admit(&mut self) -> Option<(bool, bool)> {
        let admitted = match self.executor.approvals().admit().await {
            Ok(admitted) => admitted,
            Err(error) => {
                tracing::warn!("Cannot read the approvals: {error}.");
                return None;
            }
        };
        let mut changed = admitted.recorded > 0 || !admitted.withdrawn.is_empty();
        for draft in admitted.withdrawn {
            tracing::info!(%draft, "The approval was taken back.");
        }
        for returned in admitted.returned {
            let text = format!("Not approved: {}: {}", returned.path, returned.reason);
            tracing::info!("{text}");
            self.updates.publish(Some(returned.task), &text).await;
            changed = true;
        }
        self.next_due = admitted.next_due;
        Some((changed, admitted.has_ready))
    }

    /// Tells the owner once that everything is paused, or goes on; whether it is paused.
    async fn notify_pause(&mut self) -> bool {
        let paused = match self.executor.approvals().paused().await {
            Ok(paused) => paused,
            Err(error) => {
                tracing::warn!("Cannot read whether everything is paused: {error}.");
                return true;
            }
        };
        let is_paused = paused.is_some();
        if self.was_paused != is_paused {
            self.was_paused = is_paused;
            let text = match paused {
                Some(pause) => format!(
                    "Paused at {:.0}: nothing leaves until `platinum resume`. {}",
                    pause.since, pause.reason
                ),
                None => "Resumed: what is approved leaves again.".to_owned(),
            };
            tracing::warn!("{text}");
            self.updates.publish(None, text.trim_end()).await;
        }
        is_paused
    }
}
