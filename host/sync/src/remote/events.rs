//! Waiting for the remote to change.
//!
//! Lives elsewhere: how a remote is watched is `repo`'s; when to sync is a loop's.
//! Invariant: an event is a reason to sync, and nothing else; what this machine pushed itself is no
//! event.

use std::time::{Duration, Instant};

use platinum_repo::{Oid, RefName, RemoteEvent};

use crate::Synchronizer;

/// How often it is looked whether the vault's folder is in its place: no event tells of that.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Waits until the remote's branch is elsewhere than where it was seen last, or the remote
/// begins or ceases to answer, or the vault's folder is moved; at most so long. Takes no lock:
/// claims and syncs go on meanwhile.
pub(crate) async fn wait_for_event(sync: &Synchronizer, at_most: Duration) -> RemoteEvent {
    tokio::select! {
        event = wait_for_remote(sync, at_most) => event,
        // What that is, a sync finds out and says.
        () = wait_for_displaced_vault(sync) => RemoteEvent::Unreachable,
    }
}

async fn wait_for_displaced_vault(sync: &Synchronizer) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let displaced = sync.blocking(|replica| Ok(replica.worktree.was_displaced()));
        if displaced.await.unwrap_or(false) {
            return;
        }
    }
}

async fn wait_for_remote(sync: &Synchronizer, at_most: Duration) -> RemoteEvent {
    let Some(remote) = &sync.remote else {
        tokio::time::sleep(at_most).await;
        return RemoteEvent::Unchanged;
    };
    let began = Instant::now();
    loop {
        let known = known_tip(sync).await;
        let left = at_most.saturating_sub(began.elapsed());
        match remote.next_event(known, left).await {
            // A claim of our own landed while we waited.
            RemoteEvent::Moved(tip) if tip != known && tip == known_tip(sync).await => {}
            event => return event,
        }
    }
}

/// The tip that the remote had when it last answered.
async fn known_tip(sync: &Synchronizer) -> Option<Oid> {
    let (is_known, tip) = {
        let state = sync.remote_state();
        (state.is_tip_known, state.tip)
    };
    if is_known {
        return tip;
    }
    let read = sync.blocking(|replica| Ok(replica.repo.tip(RefName::Remote)?));
    read.await.ok().flatten()
}
