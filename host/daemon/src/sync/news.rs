//! Waiting for the remote's news.
//!
//! Lives elsewhere: how a remote is listened to is `repo`'s; when to sync is a loop's.
//! Invariant: what is heard is a reason to sync, and nothing else; what this machine did itself is
//! no news.

use std::time::{Duration, Instant};

use platinum_repo::{Oid, RefName, RemoteEvent};

use super::Synchronizer;

impl Synchronizer {
    /// Waits till the remote's branch is elsewhere than where it was seen last, or the remote
    /// begins or ceases to answer; at most so long. Takes no turn: claims and syncs go on meanwhile.
    pub async fn news(&self, at_most: Duration) -> RemoteEvent {
        let Some(remote) = &self.remote else {
            tokio::time::sleep(at_most).await;
            return RemoteEvent::Unchanged;
        };
        let began = Instant::now();
        loop {
            let known = self.seen().await;
            let left = at_most.saturating_sub(began.elapsed());
            match remote.next_event(known, left).await {
                // A claim of our own landed while we listened.
                RemoteEvent::Moved(tip) if tip != known && tip == self.seen().await => {}
                news => return news,
            }
        }
    }

    /// The tip that the remote had when it was last spoken to.
    async fn seen(&self) -> Option<Oid> {
        let (heard, tip) = {
            let contact = self.contact();
            (contact.heard, contact.tip)
        };
        if heard {
            return tip;
        }
        let read = self.blocking(|side| Ok(side.repo.tip(RefName::Remote)?));
        read.await.ok().flatten()
    }
}
