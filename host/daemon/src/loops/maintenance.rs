//! The loop that keeps the repository fast: maintenance, when there are many loose objects.

use std::time::{Duration, Instant};

use platinum_sync::Synchronizer;

use crate::Shutdown;

/// A daemon that was just started has more urgent things to do.
const FIRST: Duration = Duration::from_secs(120);
/// How often the number of loose objects is checked.
const EVERY: Duration = Duration::from_secs(20 * 60);
/// After a failure it is not tried again for so long: it would fail the same way.
const AFTER_FAILURE: Duration = Duration::from_secs(6 * 3600);

/// Checks now and then, and packs; a stop ends it in the middle of its work.
pub async fn run_maintenance(sync: Synchronizer, mut shutdown: Shutdown) {
    let mut pause = FIRST;
    while !shutdown.is_stopping() {
        tokio::select! {
            () = shutdown.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let began = Instant::now();
        let maintained = tokio::select! {
            () = shutdown.stopped() => return,
            maintained = sync.maintain() => maintained,
        };
        pause = match maintained {
            Ok(done) => {
                if done {
                    tracing::info!(
                        "Packed the repository's objects in {:.1} s.",
                        began.elapsed().as_secs_f64()
                    );
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!("Maintenance failed (the repository is still usable): {error}.");
                AFTER_FAILURE
            }
        };
    }
}
