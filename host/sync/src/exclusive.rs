//! [`SyncLock`]: mutual exclusion of remote operations. The work runs in its own task, so a
//! cancelled caller does not cancel it.
//!
//! A caller may go away before a sync or a claim has ended: a skill's time is up after some
//! minutes, a first transfer over a slow line takes an hour. Ended with its caller it would begin
//! from zero the next time, for ever; and what runs on a thread just then would go on without the
//! lock.
//! Invariant: what has begun under the lock goes on to its end, or to the end of the daemon, and
//! holds the lock for as long. Where the daemon's end cuts work short, a thread of it may still run:
//! it is the last work of that process.

use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use crate::SyncError;

/// How long work may go on when the daemon is stopping. What is ended then is as after a crash.
const GRACE: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 15_000 });

/// Waits, each time it is called, until the daemon has to stop.
pub type StopSignal = Box<dyn Fn() -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// Excludes one remote operation from the other. Cloning shares it.
#[derive(Clone, Default)]
pub(crate) struct SyncLock {
    mutex: Arc<tokio::sync::Mutex<()>>,
    stop: Arc<Stopping>,
}

/// What is known of the end of the daemon.
#[derive(Default)]
struct Stopping {
    signal: OnceLock<StopSignal>,
    /// Whether work was ended before it was done.
    is_cut: AtomicBool,
}

impl SyncLock {
    /// From now on work ends soon when the daemon stops.
    pub(crate) fn stop_on(&self, signal: StopSignal) {
        // The first one counts: there is one order to stop.
        self.stop.signal.set(signal).ok();
    }

    /// Waits for the lock, which can be given up at any time, and does the work under it.
    pub(crate) async fn run<T, W>(&self, work: impl FnOnce() -> W) -> Result<T, SyncError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, SyncError>> + Send + 'static,
    {
        let guard = Arc::clone(&self.mutex).lock_owned().await;
        let stop = Arc::clone(&self.stop);
        if stop.is_cut.load(Ordering::SeqCst) {
            return Err(SyncError::Stopping);
        }
        let work = work();
        let done = tokio::spawn(async move {
            let _guard = guard;
            tokio::select! {
                done = work => done,
                () = overdue(stop.signal.get()) => {
                    stop.is_cut.store(true, Ordering::SeqCst);
                    Err(SyncError::Stopping)
                }
            }
        });
        match done.await {
            Ok(done) => done,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // The daemon is stopping.
            Err(_) => Err(SyncError::Stopping),
        }
    }

    /// Waits for the lock, and holds it until the guard is dropped.
    pub(crate) async fn hold(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.mutex.lock().await
    }

    /// Whether nothing holds the lock at the moment.
    pub(crate) fn is_free(&self) -> bool {
        self.mutex.try_lock().is_ok()
    }
}

/// Waits for the order to stop, and a little longer.
async fn overdue(signal: Option<&StopSignal>) {
    match signal {
        Some(stopped) => stopped().await,
        None => std::future::pending().await,
    }
    tokio::time::sleep(GRACE).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nothing_runs_after_work_was_cut_short() {
        let lock = SyncLock::default();
        let (stop, stopped) = tokio::sync::watch::channel(false);
        lock.stop_on(Box::new(move || {
            let mut stopped = stopped.clone();
            Box::pin(async move {
                stopped.wait_for(|is_stopping| *is_stopping).await.ok();
            })
        }));
        stop.send(true).unwrap();
        // The order alone ends nothing that is done soon.
        lock.run(|| async { Ok(()) }).await.unwrap();
        let cut: Result<(), _> = lock.run(std::future::pending).await;
        assert!(matches!(cut, Err(SyncError::Stopping)), "{cut:?}");
        let after = lock.run(|| async { Ok(()) }).await;
        assert!(matches!(after, Err(SyncError::Stopping)), "{after:?}");
    }
}
