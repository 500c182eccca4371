//! What comes in: judged before anything of it is applied, and undone if it may not be.
//!
//! Lives here: the way of a fetched tip ([`Synchronizer::take_up`]). To read: `passing` goes through
//! what is new, `verify` judges every commit by who signed it, `undoing` makes the commit that takes
//! out what may not be, `received` tells of secrets, and `hook` asks the same on a server, before
//! anything gets there.
//! Lives elsewhere: who may change what is `policy`'s; keys and signatures are `repo`'s.
//! Invariants: `verified` never moves over a violation that is not undone; local alone undoes, by
//! a commit on the remote's tip like any other, never by rewriting history; until it has landed
//! the work tree stays with the last verified tip.

pub(super) mod claims;
mod doubles;
mod history;
pub mod hook;
mod keys;
mod passing;
mod received;
#[cfg(test)]
mod tests;
mod undoing;
mod verify;

use platinum_core::Role;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, RefName};

use super::{SyncError, Synchronizer, error::Remedy, pause, side::Side};
use passing::STRETCH;
use undoing::Answer;
use verify::{Judge, View};

/// How often an answer is rebuilt on a new tip before the turn is given back.
const MAX_ANSWERS: u32 = 8;

/// What becomes of a fetched tip.
pub(super) enum Verdict {
    /// It is verified.
    Fine,
    /// It is not, but with this commit on it it would be.
    Answer(Answer),
}

impl Synchronizer {
    /// Judges a fetched tip. On local, what may not be is undone on the remote first; answers the
    /// tip that is verified then.
    ///
    /// # Errors
    /// If the remote has what may not be applied and this host may not, or cannot, undo it.
    pub(super) async fn take_up(&self, mut tip: Option<Oid>) -> Result<Option<Oid>, SyncError> {
        let mut reason = String::new();
        for round in 1..=MAX_ANSWERS {
            let at = tip;
            let verdict = self
                .blocking(move |side| match at {
                    Some(tip) => side.accept(tip),
                    None => match side.repo.tip(RefName::Verified)? {
                        Some(had) => Err(SyncError::RemoteLost(had.to_string())),
                        None => side.settle_outbox(None).map(|()| Verdict::Fine),
                    },
                })
                .await?;
            let answer = match verdict {
                Verdict::Fine => return Ok(tip),
                Verdict::Answer(answer) => answer,
            };
            let commit = answer.commit;
            fail::fail_point!("undo-made");
            let tell = move |side: &Side| {
                fail::fail_point!("undo-landed");
                side.tell_undone(&answer.told);
                side.tell_received(&answer.received);
            };
            match self.push_and(commit, tip, tell).await? {
                PushOutcome::Landed => return Ok(Some(commit)),
                PushOutcome::Rejected(why) | PushOutcome::Indeterminate(why) => reason = why,
            }
            tokio::time::sleep(pause(round)).await;
            if let Some(remote) = &self.remote {
                tip = self.fetch(remote.as_ref()).await?;
            }
        }
        Err(SyncError::Contended {
            times: MAX_ANSWERS,
            reason,
        })
    }
}

impl Side {
    /// Judges a fetched tip, and moves `verified` there if nothing is left to undo.
    pub(super) fn accept(&self, tip: Oid) -> Result<Verdict, SyncError> {
        let verified = self.repo.tip(RefName::Verified)?;
        if verified == Some(tip) {
            self.settle_outbox(verified)?;
            return Ok(Verdict::Fine);
        }
        let signers = self
            .identity
            .signers()
            .map_err(|error| SyncError::Refused(error.to_string()))?;
        let mut base = verified;
        let judged = Judge {
            repo: &self.repo,
            view: match self.role {
                Role::Local => View::Local,
                Role::Cloud => View::Cloud,
            },
            signers: &signers,
            own: Some(&self.identity.own().key),
            stretch: STRETCH,
        }
        .judge_on(verified, tip, &mut |passed| {
            self.passed(base.replace(passed), passed)
        })?;
        let stays = |remedy: Remedy| self.role == Role::Cloud || remedy != Remedy::Undo;
        let stopping = judged.unanswered.iter().find(|v| stays(v.remedy));
        if let Some(violation) = stopping {
            return Err(SyncError::Violation(violation.clone()));
        }
        if !judged.unanswered.is_empty() || !judged.unproven.is_empty() {
            return self.answer(tip, judged).map(Verdict::Answer);
        }
        // Undone before a crash, maybe: then nobody was told yet.
        self.tell_undone(&undoing::told(&judged.answered, 0));
        self.passed(base, tip)?;
        self.settle_outbox(Some(tip))?;
        Ok(Verdict::Fine)
    }

    /// Takes over that all is right up to here.
    fn passed(&self, before: Option<Oid>, tip: Oid) -> Result<(), SyncError> {
        self.tell_received(&self.received(before, tip));
        self.observe(before, tip)?;
        self.repo.set_ref(RefName::Verified, tip)?;
        fail::fail_point!("sync-verified");
        Ok(())
    }

    fn tell_undone(&self, told: &[String]) {
        for told in told {
            tracing::warn!("{told}");
            self.tell_owner(told);
        }
    }
}
