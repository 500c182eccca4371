//! [`Admission`]: what the owner approved is recorded; what is no approval goes back, and the owner is
//! told why.

use std::time::Duration;

use platinum_core::{Clock as _, SystemClock, Timestamp};

use super::context::ApprovalContext;

/// What is known of `Approved/` between two looks at it.
#[derive(Default)]
pub(super) struct Admission {
    /// When the next approval has been held long enough.
    next_due: Option<Timestamp>,
    /// Whether everything was paused when it was last looked at.
    was_paused: bool,
}

/// What one look at `Approved/` came to.
pub(super) struct Admitted {
    /// Whether anything changed.
    pub(super) changed: bool,
    /// Whether an approval may be carried out now, unless everything is paused.
    pub(super) has_ready: bool,
    pub(super) is_paused: bool,
}

impl Admission {
    /// Records what was approved and sends back what was not; nothing if that cannot be read now.
    pub(super) async fn admit(&mut self, context: &ApprovalContext) -> Option<Admitted> {
        let admitted = match context.executor.approvals().admit().await {
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
            context.updates.publish(Some(returned.task), &text).await;
            changed = true;
        }
        self.next_due = admitted.next_due;
        Some(Admitted {
            changed,
            has_ready: admitted.has_ready,
            is_paused: self.notify_pause(context).await,
        })
    }

    /// Tells the owner once that everything is paused, or goes on; whether it is paused.
    async fn notify_pause(&mut self, context: &ApprovalContext) -> bool {
        let paused = match context.executor.approvals().paused().await {
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
            context.updates.publish(None, text.trim_end()).await;
        }
        is_paused
    }

    /// How long to wait at most: until the next approval has been held long enough.
    pub(super) fn until_due(&self, every: Duration) -> Duration {
        let Some(due) = self.next_due else {
            return every;
        };
        // A little more than the rest, so that it is over then.
        Duration::try_from(due - SystemClock.now()).map_or(Duration::ZERO, |left| {
            every.min(left + Duration::from_millis(5))
        })
    }
}
