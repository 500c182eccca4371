//! Taking the turn: one thing at a time with the remote, and each to its end.
//!
//! Whoever asks for a sync or a claim may go away before it has ended: a skill's time is up after
//! some minutes, a first transfer over a slow line takes an hour. Ended with its caller it would
//! begin from zero the next time, for ever; and what runs on a thread just then would go on
//! without the turn.
//! Invariant: what has begun in a turn goes on to its end, or to the end of the daemon, and holds
//! the turn for as long. Where the daemon's end cuts a turn short, a thread of it may still run: it is
//! the last one of that life.

use std::{
    future::Future,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use super::{SyncError, Synchronizer};
use crate::Shutdown;

/// How long a turn may go on when the daemon is stopping. What is ended then is as after a crash.
const LAST: Duration = Duration::from_millis(if cfg!(test) { 50 } else { 15_000 });

/// What is known of the end of the daemon.
#[derive(Default)]
pub(super) struct Stop {
    order: OnceLock<Shutdown>,
    /// Whether a turn was ended in the middle of its work.
    is_cut: AtomicBool,
}

impl Synchronizer {
    /// From now on a turn ends soon when the daemon stops.
    pub fn stopped_by(&self, shutdown: Shutdown) {
        // The first one counts: there is one order to stop.
        self.stop.order.set(shutdown).ok();
    }

    /// Waits for the turn, which can be given up at any time, and does the work in it, to its end.
    pub(super) async fn in_turn<T, W>(&self, work: impl FnOnce(Self) -> W) -> Result<T, SyncError>
    where
        T: Send + 'static,
        W: Future<Output = Result<T, SyncError>> + Send + 'static,
    {
        let turn = Arc::clone(&self.turn).lock_owned().await;
        let stop = Arc::clone(&self.stop);
        if stop.is_cut.load(Ordering::SeqCst) {
            return Err(SyncError::Stopping);
        }
        let work = work(self.clone());
        let done = tokio::spawn(async move {
            let _turn = turn;
            tokio::select! {
                done = work => done,
                () = overdue(stop.order.get().cloned()) => {
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
}

/// Waits for the order to stop, and a little longer.
async fn overdue(stop: Option<Shutdown>) {
    match stop {
        Some(mut stop) => stop.stopped().await,
        None => std::future::pending().await,
    }
    tokio::time::sleep(LAST).await;
}

#[cfg(test)]
mod tests {
    use platinum_core::{AgentName, Role};
    use platinum_repo::{Signers, SigningKey};
    use platinum_vault::Vault;

    use super::{super::SyncConfig, *};
    use crate::identity::Identity;

    #[tokio::test]
    async fn after_a_turn_that_was_cut_short_there_is_none() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("vault")).unwrap();
        let agent: AgentName = "local".parse().unwrap();
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let sync = Synchronizer::new(SyncConfig {
            vault: Vault::open(&folder.path().join("vault")).unwrap(),
            git_dir: folder.path().join("state/vault.git"),
            remote: None,
            agent: agent.clone(),
            role: Role::Local,
            identity: Identity::new(agent, Role::Local, key, Signers::default()),
            scanner: Arc::default(),
        })
        .unwrap();
        let (stop, shutdown) = Shutdown::new();
        sync.stopped_by(shutdown);
        stop.send(true).unwrap();
        // The order alone ends nothing that is done soon.
        sync.in_turn(|_| async { Ok(()) }).await.unwrap();
        let cut: Result<(), _> = sync.in_turn(|_| std::future::pending()).await;
        assert!(matches!(cut, Err(SyncError::Stopping)), "{cut:?}");
        let after = sync.in_turn(|_| async { Ok(()) }).await;
        assert!(matches!(after, Err(SyncError::Stopping)), "{after:?}");
    }
}
