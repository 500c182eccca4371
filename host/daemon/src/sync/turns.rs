//! Taking the turn: one thing at a time with the remote, and each to its end.
//!
//! Whoever asks for a sync or a claim may go away before it has ended: a skill's time is up after
//! some minutes, a first transfer over a slow line takes an hour. Ended with its caller it would
//! begin from zero the next time, for ever; and what runs on a thread just then would go on
//! without the turn.
//! Invariant: what has begun in a turn goes on to its end, or to the end of the daemon, and holds
//! the turn for as long.

use std::{future::Future, sync::Arc, time::Duration};

use super::{SyncError, Synchronizer};
use crate::Shutdown;

/// How long a turn may go on when the daemon is stopping. What is ended then is as after a crash.
const LAST: Duration = Duration::from_secs(15);

impl Synchronizer {
    /// From now on a turn ends soon when the daemon stops.
    pub fn stopped_by(&self, shutdown: Shutdown) {
        // The first one counts: there is one order to stop.
        self.stop.set(shutdown).ok();
    }

    /// Waits for the turn, which can be given up at any time, and does the work in it, to its end.
    pub(super) async fn in_turn<T, W>(&self, work: impl FnOnce(Self) -> W) -> Result<T, SyncError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, SyncError>> + Send + 'static,
    {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let work = work(self.clone());
        let stop = self.stop.get().cloned();
        let done = tokio::spawn(async move {
            let _turn = turn;
            tokio::select! {
                done = work => done,
                () = overdue(stop) => Err(SyncError::Stopping),
            }
        });
        match done.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The daemon is stopping.
            Err(_) => Err(SyncError::Stopping),
        }
    }
}

/// Waits for the order to stop, and a little longer.
async fn overdue(stop: Option<Shutdown>) {
    match stop {
        Some(mut stop) => stop.stopped().await,
        None => std::future::pending().await,
    }
    tokio::time::sleep(LAST).await;
}
