//! Claiming an effect: of all copies of this machine, one carries a draft out.
//!
//! A commit without a change, which names the draft, is pushed by compare-and-swap before anything
//! leaves. A copy that was faster has moved the tip: its commit is seen at the next fetch.
//!
//! Lives elsewhere: what a commit of the own key from elsewhere means is `replica::elsewhere`'s.

use platinum_core::DraftId;
use platinum_protocol::PushOutcome;
use platinum_repo::RefName;

use crate::{
    SyncError, Synchronizer,
    content::ingest,
    remote::{self, backoff},
    replica::elsewhere::TRAILER_INTENT,
};

/// How often a claim of an effect is rebuilt on a new tip.
const MAX_ATTEMPTS: u32 = 8;

/// Claims an effect at the remote. Without one there is nothing to do.
pub(crate) async fn claim_effect(sync: &Synchronizer, draft: DraftId) -> Result<(), SyncError> {
    if sync.remote.is_none() {
        return Ok(());
    }
    let mut reason = String::new();
    for attempt in 1..=MAX_ATTEMPTS {
        let made = sync
            .blocking(move |replica| {
                let tip = replica.repo.tip(RefName::Verified)?;
                let message = format!("Carry out {draft}");
                let trailers = vec![(TRAILER_INTENT.to_owned(), draft.to_string())];
                let meta = replica.clock.meta(message, trailers);
                let commit = replica.repo.commit(tip, &[], &meta)?;
                replica.repo.record_outgoing(commit)?;
                Ok((commit, tip))
            })
            .await?;
        let known = sync.own_elsewhere();
        match remote::push(sync, made.0, made.1).await? {
            PushOutcome::Landed => return Ok(()),
            PushOutcome::Rejected(why) | PushOutcome::Indeterminate(why) => reason = why,
        }
        tokio::time::sleep(backoff::contended(attempt)).await;
        let tip = ingest::fetch_and_verify(sync).await?;
        // Not known to have landed, and there all the same.
        let landed = sync
            .blocking(move |replica| match tip {
                Some(tip) => Ok(replica.repo.is_ancestor(made.0, tip)?),
                None => Ok(false),
            })
            .await?;
        if landed {
            return Ok(());
        }
        if sync.own_elsewhere() != known {
            return Err(SyncError::Refused(
                "another copy of this machine was faster at the remote".to_owned(),
            ));
        }
    }
    Err(SyncError::Contended {
        times: MAX_ATTEMPTS,
        reason,
    })
}
