//! The sync: fetch, verify, merge, push, apply; and again from the new tip if others were faster.

use platinum_core::Timestamp;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, RefName};

use super::{SyncError, SyncReport, Synchronizer, pause};

/// How often a sync is rebuilt on a new tip before it gives the turn back.
const MAX_ROUNDS: u32 = 8;
/// How often the same commit is pushed while nobody knows whether it landed.
const MAX_PUSHES: u32 = 3;

/// How a push ended, once it was looked up.
pub(super) enum Landing {
    /// The commit is the tip.
    Landed,
    /// The tip is another now: build anew on it.
    Moved(String),
}

impl Synchronizer {
    pub(super) async fn sync_in_turn(&self) -> Result<SyncReport, SyncError> {
        let mut reason = String::new();
        for round in 1..=MAX_ROUNDS {
            let tip = self.fetch_and_verify().await?;
            let prepared = self.blocking(move |side| side.prepare(tip)).await?;
            let mut landed = tip;
            if let Some(commit) = prepared.commit {
                match self.land(commit, tip).await? {
                    Landing::Landed => landed = Some(commit),
                    Landing::Moved(why) => {
                        reason = why;
                        tokio::time::sleep(pause(round)).await;
                        continue;
                    }
                }
            }
            return self
                .blocking(move |side| {
                    let more = side.apply(&prepared.copies, &prepared.arrivals)?;
                    if let Some(tip) = landed {
                        side.applied(tip)?;
                    }
                    let conflicts = prepared.copies.len().saturating_add(more as usize);
                    let brought: Vec<_> = prepared.arrivals.into_iter().map(|a| a.path).collect();
                    Ok(SyncReport {
                        pulled: u32::try_from(brought.len()).unwrap_or(u32::MAX),
                        pushed: prepared.edits,
                        conflicts: u32::try_from(conflicts).unwrap_or(u32::MAX),
                        tip: landed.map(|oid| oid.to_string()),
                        brought,
                        held_back: prepared.held_back,
                    })
                })
                .await;
        }
        Err(SyncError::Contended {
            times: MAX_ROUNDS,
            reason,
        })
    }

    /// The remote's tip, judged. Without a remote, our own.
    pub(super) async fn fetch_and_verify(&self) -> Result<Option<Oid>, SyncError> {
        let Some(remote) = &self.remote else {
            return self
                .blocking(|side| Ok(side.repo.tip(RefName::Verified)?))
                .await;
        };
        let fetched = remote.fetch().await;
        {
            let mut contact = self
                .contact
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match &fetched {
                Ok(tip) => {
                    contact.at = Some(Timestamp::now());
                    contact.tip = *tip;
                    contact.error = None;
                }
                Err(error) => contact.error = Some(error.to_string()),
            }
        }
        let tip = fetched?;
        let judged = self
            .blocking(move |side| match tip {
                Some(tip) => side.accept(tip),
                None => match side.repo.tip(RefName::Verified)? {
                    Some(had) => Err(SyncError::RemoteLost(had.to_string())),
                    None => Ok(()),
                },
            })
            .await;
        if let Err(error) = &judged {
            let mut contact = self
                .contact
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            contact.error = Some(error.to_string());
        }
        judged.map(|()| tip)
    }

    /// One push. Without a remote the commit is simply our tip.
    pub(super) async fn push(
        &self,
        commit: Oid,
        tip: Option<Oid>,
    ) -> Result<PushOutcome, SyncError> {
        let outcome = match &self.remote {
            Some(remote) => remote.push(commit, tip).await,
            None => PushOutcome::Landed,
        };
        if outcome == PushOutcome::Landed {
            self.blocking(move |side| side.landed(commit)).await?;
        }
        Ok(outcome)
    }

    /// Pushes until it is known what became of the commit.
    pub(super) async fn land(&self, commit: Oid, tip: Option<Oid>) -> Result<Landing, SyncError> {
        let mut doubt = String::new();
        for _ in 0..MAX_PUSHES {
            match self.push(commit, tip).await? {
                PushOutcome::Landed => return Ok(Landing::Landed),
                PushOutcome::Rejected(reason) => return Ok(Landing::Moved(reason)),
                PushOutcome::Indeterminate(reason) => doubt = reason,
            }
            let now = match self.fetch_and_verify().await {
                Ok(now) => now,
                Err(SyncError::Remote(_)) => return Err(SyncError::InDoubt(doubt)),
                Err(error) => return Err(error),
            };
            if now == Some(commit) {
                return Ok(Landing::Landed);
            }
            if now != tip {
                // It landed and others went on, or it never will: the next round sees which.
                return Ok(Landing::Moved(doubt));
            }
        }
        Err(SyncError::InDoubt(doubt))
    }
}
