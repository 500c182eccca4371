//! The sync: doing what [`SyncMachine`] says, with the remote, the repository and the work tree.
//!
//! Lives elsewhere: in which order things go is decided in `protocol`; what was decided while the
//! remote was away comes first, in [`super::owning`].

use std::time::{Duration, Instant};

use jiff::SignedDuration;
use platinum_core::Timestamp;
use platinum_protocol::{PushOutcome, SyncMachine, SyncStep, Synced};
use platinum_repo::{Oid, RefName, Remote, RemoteError, Repo};

use super::{
    Contact, HeldBack, SyncError, SyncReport, Synchronizer, pause,
    side::{Prepared, Side},
};

/// A remote that answered this recently is pushed to without being asked first.
const FRESH: SignedDuration = SignedDuration::from_secs(10);

/// How long no claim asks a remote that let a fetch wait in vain. At most so long the sync waits
/// before it asks again.
const SILENT: Duration = Duration::from_secs(60);

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
    /// One sync of everything. What was decided without the remote is held against its tip before
    /// any content goes out.
    pub(super) async fn sync_in_turn(&self) -> Result<SyncReport, SyncError> {
        // First: a lock that was left behind keeps edits from being kept, too.
        self.blocking(|side| {
            side.tidy()?;
            side.begin()
        })
        .await?;
        self.prune_marks().await?;
        if self.side.decided.is_empty() {
            return self.content().await;
        }
        self.settle().await?;
        let report = self.content().await?;
        // Tasks that the remote had not heard of can be claimed now, and drafts go out that had to
        // wait for that.
        if self.settle().await? == 0 {
            return Ok(report);
        }
        Ok(report.and(self.content().await?))
    }

    /// One sync of content, as the machine says.
    pub(super) async fn content(&self) -> Result<SyncReport, SyncError> {
        let mut machine = self.machine().await?;
        let mut prepared = Prepared::default();
        let mut report = SyncReport::default();
        let mut away = None;
        loop {
            match machine.step().clone() {
                SyncStep::Fetch => match self.fetch_and_verify().await {
                    Ok(tip) => drop(machine.fetched(tip.map(hex)).clone()),
                    Err(error @ SyncError::Remote(_)) => {
                        machine.fetch_failed(error.to_string());
                        away = Some(error);
                    }
                    Err(error) => return Err(error),
                },
                SyncStep::Prepare { on_tip } => {
                    let tip = oid(on_tip.as_deref())?;
                    prepared = self.blocking(move |side| side.prepare(tip)).await?;
                    fail::fail_point!("sync-prepared");
                    machine.prepared(prepared.commit.map(hex));
                }
                SyncStep::Push { commit, on_tip } => {
                    let on_tip = oid(on_tip.as_deref())?;
                    let outcome = self.push(Repo::oid(&commit)?, on_tip).await?;
                    machine.pushed(outcome);
                }
                SyncStep::Pause { round } => {
                    tokio::time::sleep(pause(round)).await;
                    machine.paused();
                }
                SyncStep::TakeIn { tip } => {
                    let tip = oid(tip.as_deref())?;
                    let mut prepared = std::mem::take(&mut prepared);
                    let asked = std::mem::take(&mut prepared.asked);
                    report = self.take_in(prepared, tip).await?;
                    self.answer_drags(asked, &mut report).await?;
                    machine.taken_in();
                }
                SyncStep::End(end) => {
                    return match end {
                        Synced::Done { .. } => Ok(report),
                        Synced::Away(reason) => Err(away.unwrap_or(SyncError::InDoubt(reason))),
                        Synced::InDoubt(reason) => Err(SyncError::InDoubt(reason)),
                        Synced::Contended { rounds, reason } => Err(SyncError::Contended {
                            times: rounds,
                            reason,
                        }),
                    };
                }
            }
        }
    }

    /// A remote that was asked a moment ago is pushed to without being asked again.
    async fn machine(&self) -> Result<SyncMachine, SyncError> {
        if !self.asked_just_now() {
            return Ok(SyncMachine::new(MAX_ROUNDS, MAX_PUSHES));
        }
        let tip = self.blocking(|side| Ok(side.repo.tip(RefName::Verified)?));
        let tip = tip.await?.map(hex);
        Ok(SyncMachine::push_first(MAX_ROUNDS, MAX_PUSHES, tip))
    }

    fn asked_just_now(&self) -> bool {
        self.asked_within(FRESH)
    }

    /// Whether the remote answered so short a time ago. Its verified tip is then built on without
    /// asking again: if it is not the tip any more, the push finds out.
    pub(super) fn asked_within(&self, time: SignedDuration) -> bool {
        let contact = self.contact();
        let fresh = |at| Timestamp::now().duration_since(at).abs() < time;
        self.remote.is_some() && contact.error.is_none() && contact.at.is_some_and(fresh)
    }

    /// Brings what was prepared to the work tree.
    async fn take_in(
        &self,
        prepared: Prepared,
        landed: Option<Oid>,
    ) -> Result<SyncReport, SyncError> {
        self.blocking(move |side| {
            let _hands = side.hands();
            let changes = !(prepared.copies.is_empty() && prepared.arrivals.is_empty());
            if let Some(tip) = landed.filter(|_| changes) {
                side.begin_bringing(tip)?;
                fail::fail_point!("sync-bringing");
            }
            let (more, failed) = side.apply_each(&prepared.copies, &prepared.arrivals)?;
            fail::fail_point!("sync-files-changed");
            if let Some(tip) = landed {
                side.applied_except(tip, &failed)?;
            }
            if changes {
                side.end_bringing()?;
            }
            fail::fail_point!("sync-taken-in");
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
        // Its answer is of some moment after this one, however long it takes.
        let asked = Timestamp::now();
        let tip = self.fetch(remote.as_ref()).await?;
        fail::fail_point!("sync-fetched");
        let judged = self.take_up(tip).await;
        let mut contact = self.contact();
        match &judged {
            Ok(_) => {
                contact.at = Some(asked);
                contact.error = None;
                contact.won = false;
            }
            Err(error) => contact.error = Some(error.to_string()),
        }
        drop(contact);
        judged
    }

    /// One fetch. What it brings is not judged yet.
    pub(super) async fn fetch(&self, remote: &dyn Remote) -> Result<Option<Oid>, SyncError> {
        let git = self.side.git_begins();
        let fetched = remote.fetch().await;
        if fetched.is_ok() {
            self.side.git_ended(git);
        }
        let mut contact = self.contact();
        match &fetched {
            Ok(tip) => {
                contact.heard = true;
                contact.tip = *tip;
                contact.silent = None;
            }
            Err(error) => {
                contact.error = Some(error.to_string());
                contact.silent = matches!(error, RemoteError::TimedOut { .. })
                    .then(|| (Instant::now(), error.clone()));
            }
        }
        drop(contact);
        Ok(fetched?)
    }

    /// Why a claim does not ask the remote: it let a fetch wait in vain a moment ago. One claim
    /// after the other would wait as long, and be as tentative in the end. The sync asks again by
    /// itself, and makes all of them for real when it is answered.
    pub(super) fn silence(&self) -> Option<SyncError> {
        let silent = self.contact().silent.clone();
        silent
            .filter(|(at, _)| at.elapsed() < SILENT)
            .map(|(_, error)| error.into())
    }

    /// One push. Without a remote the commit is simply our tip.
    pub(super) async fn push(
        &self,
        commit: Oid,
        tip: Option<Oid>,
    ) -> Result<PushOutcome, SyncError> {
        self.push_and(commit, tip, |_| ()).await
    }

    /// As [`Synchronizer::push`]; when it has landed, this is done before that is noted: a crash
    /// in between does it once more.
    pub(super) async fn push_and(
        &self,
        commit: Oid,
        tip: Option<Oid>,
        then: impl FnOnce(&Side) + Send + 'static,
    ) -> Result<PushOutcome, SyncError> {
        let mut asked = Timestamp::now();
        let outcome = match &self.remote {
            Some(remote) => {
                let passes = move |side: &Side| {
                    // What is never sent is no question.
                    side.passes(tip, commit)
                        .inspect_err(|_| side.refused(commit))
                };
                self.blocking(passes).await?;
                asked = Timestamp::now();
                fail::fail_point!("sync-before-push");
                let git = self.side.git_begins();
                let outcome = remote.push(commit, tip).await;
                if !matches!(outcome, PushOutcome::Indeterminate(_)) {
                    self.side.git_ended(git);
                }
                outcome
            }
            None => PushOutcome::Landed,
        };
        fail::fail_point!("sync-after-push");
        match &outcome {
            PushOutcome::Landed => {
                {
                    let mut contact = self.contact();
                    contact.heard = true;
                    contact.tip = Some(commit);
                }
                self.note_pushed();
                let landed = move |side: &Side| {
                    then(side);
                    side.landed(commit)
                };
                self.blocking(landed).await?;
                self.contact().at = Some(asked);
            }
            PushOutcome::Rejected(_) => self.side.refused(commit),
            PushOutcome::Indeterminate(_) => self.side.doubted(commit),
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

fn hex(oid: Oid) -> String {
    oid.to_string()
}

fn oid(hex: Option<&str>) -> Result<Option<Oid>, SyncError> {
    Ok(hex.map(Repo::oid).transpose()?)
}
