//! The loop that keeps the repository quick: upkeep, when there is much to gather.

use std::time::{Duration, Instant};

use platinum_sync::Synchronizer;

use crate::Shutdown;

/// A daemon that was just started has more urgent things to do.
const FIRST: Duration = Duration::from_secs(120);
/// How often it is looked how much there is to gather.
const EVERY: Duration = Duration::from_secs(20 * 60);
/// After trouble it is not tried again for so long: it would be the same.
const AFTER_TROUBLE: Duration = Duration::from_secs(6 * 3600);

/// Looks now and then, and gathers; a stop ends it in the middle of its work.
pub async fn keep_tended(sync: Synchronizer, mut shutdown: Shutdown) {
    let mut pause = FIRST;
    while !shutdown.is_stopping() {
        tokio::select! {
            () = shutdown.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
        let began = Instant::now();
        let tended = tokio::select! {
            () = shutdown.stopped() => return,
            tended = sync.maintain() => tended,
        };
        pause = match tended {
            Ok(done) => {
                if done {
                    tracing::info!(
                        "The repository's objects are gathered; it took {:.1} s.",
                        began.elapsed().as_secs_f64()
                    );
                }
                EVERY
            }
            Err(error) => {
                tracing::warn!("The repository was not tidied, and works all the same: {error}.");
                AFTER_TROUBLE
            }
        };
    }
}
