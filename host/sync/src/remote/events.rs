//! Waiting for the remote's news.
//!
//! Lives elsewhere: how a remote is listened to is `repo`'s; when to sync is a loop's.
//! Invariant: what is heard is a reason to sync, and nothing else; what this machine did itself is
//! no news.

use std::time::{Duration, Instant};

use platinum_repo::{News, Oid, RefName};

use crate::Synchronizer;

/// Waits till the remote's branch is elsewhere than where it was seen last, or the remote
/// begins or ceases to answer; at most so long. Takes no turn: claims and syncs go on meanwhile.
pub(crate) async fn wait_for_event(sync: &Synchronizer, at_most: Duration) -> News {
    let Some(remote) = &sync.remote else {
        tokio::time::sleep(at_most).await;
        return News::Quiet;
    };
    let began = Instant::now();
    loop {
        let known = known_tip(sync).await;
        let left = at_most.saturating_sub(began.elapsed());
        match remote.news(known, left).await {
            // A claim of our own landed while we listened.
            News::TaskMove(tip) if tip != known && tip == known_tip(sync).await => {}
            news => return news,
        }
    }
}

/// The tip that the remote had when it was last spoken to.
async fn known_tip(sync: &Synchronizer) -> Option<Oid> {
    let (heard, tip) = {
        let state = sync.remote_state();
        (state.is_tip_known, state.tip)
    };
    if heard {
        return tip;
    }
    let read = sync.blocking(|replica| Ok(replica.repo.tip(RefName::Remote)?));
    read.await.ok().flatten()
}
