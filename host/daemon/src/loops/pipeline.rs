//! The loop that claims tasks and drafts.

use std::{sync::Arc, time::Duration};

use platinum_watch::{Wake, WakeUps};

use crate::{Pipeline, Shutdown};

/// Passes over the tasks whenever the vault changes, and every `every` anyway.
pub async fn run_pipeline(
    pipeline: Arc<Pipeline>,
    mut wake_ups: WakeUps,
    every: Duration,
    mut shutdown: Shutdown,
) {
    while !shutdown.is_stopping() {
        pipeline.work().await;
        tokio::select! {
            () = shutdown.stopped() => {}
            wake = wake_ups.wait(every) => {
                if wake == Wake::Closed {
                    // Without events the timer still runs.
                    tokio::time::sleep(every).await;
                }
            }
        }
    }
}
