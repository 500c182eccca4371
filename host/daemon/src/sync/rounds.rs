//! The sync: fetch, verify, merge, push, apply; and again from the new tip if others were faster.

use jiff::SignedDuration;
use platinum_core::Timestamp;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, RefName};

use super::{
    Contact, HeldBack, SyncError, SyncReport, Synchronizer, pause,
    side::{Prepared, Side},
};

/// A remote that answered this recently is pushed to without being asked first.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

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
        if let Some(report) = self.push_first().await? {
            return Ok(report);
        }
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
            return self.take_in(prepared, landed).await;
        }
        Err(SyncError::Contended {
            times: MAX_ROUNDS,
            reason,
        })
    }

    /// If the remote was asked a moment ago, and there is something to give it: gives it without
    /// asking again. The push compares: that it lands proves that nothing new was there.
    async fn push_first(&self) -> Result<Option<SyncReport>, SyncError> {
        if !self.asked_just_now() {
            return Ok(None);
        }
        let (tip, prepared) = self
            .blocking(|side| {
                let tip = side.repo.tip(RefName::Verified)?;
                Ok((tip, side.prepare(tip)?))
            })
            .await?;
        let Some(commit) = prepared.commit else {
            return Ok(None);
        };
        match self.land(commit, tip).await? {
            Landing::Landed => self.take_in(prepared, Some(commit)).await.map(Some),
            Landing::Moved(_) => Ok(None),
        }
    }

    fn asked_just_now(&self) -> bool {
        let contact = self.contact();
        let fresh = |at| Timestamp::now().duration_since(at).abs() < FRESH;
        self.remote.is_some() && contact.error.is_none() && contact.at.is_some_and(fresh)
    }

    /// Brings what was prepared to the work tree.
    async fn take_in(
        &self,
        prepared: Prepared,
        landed: Option<Oid>,
    ) -> Result<SyncReport, SyncError> {
        self.blocking(move |side| {
            let (more, failed) = side.apply_each(&prepared.copies, &prepared.arrivals)?;
            if let Some(tip) = landed {
                side.applied_except(tip, &failed)?;
            }
            let conflicts = prepared.copies.len().saturating_add(more as usize);
            let mut held_back = prepared.held_back;
            let mut brought = Vec::new();
            for arrival in prepared.arrivals {
                match failed.iter().find(|(path, _)| *path == arrival.path) {
                    Some((path, error)) => held_back.push(HeldBack {
                        path: path.clone(),
                        reason: error.to_string(),
                    }),
                    None => brought.push(arrival.path),
                }
            }
            Ok(SyncReport {
                pulled: u32::try_from(brought.len()).unwrap_or(u32::MAX),
                pushed: prepared.edits,
                conflicts: u32::try_from(conflicts).unwrap_or(u32::MAX),
                tip: landed.map(|oid| oid.to_string()),
                brought,
                held_back,
            })
        })
        .await
    }

    pub(super) fn contact(&self) -> std::sync::MutexGuard<'_, Contact> {
        self.contact
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The remote's tip, judged. Without a remote, our own.
    pub(super) async fn fetch_and_verify(&self) -> Result<Option<Oid>, SyncError> {
        let Some(remote) = &self.remote else {
            return self
                .blocking(|side| Ok(side.repo.tip(RefName::Verified)?))
                .await;
        };
        self.blocking(Side::tidy).await?;
        let fetched = remote.fetch().await;
        {
            let mut contact = self.contact();
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
            let mut contact = self.contact();
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
            {
                let mut contact = self.contact();
                contact.at = Some(Timestamp::now());
                contact.tip = Some(commit);
            }
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
