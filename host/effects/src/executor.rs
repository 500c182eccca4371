//! [`Effect`], one kind of action on the outside world, and [`Executor`], the one way from an
//! approval to a receipt.
//!
//! The order is the whole point: everything is checked again, the intent is written, the other side
//! is asked whether it happened already, or its owner has done it themself, and meanwhile the way is prepared; the
//! hand-over is written, the effect is performed once, the outcome is written. A crash before the hand-over is certain to have done
//! nothing; one after it leaves an intent in doubt, which is asked after and never tried again on a
//! guess.
//!
//! To add an effect: a folder of its zone that implements [`Effect`], its interface with a line in
//! [`offers`](crate::offers), and one line in the composition root of `local`.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use platinum_core::{Action, ActionError, ActionKind, DraftId, TaskId, Timestamp, text::one_line};
use platinum_journal::{Closing, Intent, Outcome, Receipt, State, approvals::MessageDigest};
use platinum_vault::note::DraftNote;

use crate::{
    approvals::{Approvals, Approved, Outgoing},
    bindings::platinum::actions::types::{EffectError, Receipt as WitReceipt},
    writing::blocking,
};

/// Longest text that is kept of what the other side answered.
const MAX_ANSWER: usize = 500;
/// Of so many tasks what is left is cleared away at once.
const MAX_CLOSINGS: u32 = 10;
/// After so many tries it is left: a week of one a minute.
const MAX_CLOSING_TRIES: u32 = 10_000;

/// One kind of action on the outside world.
#[async_trait]
pub trait Effect: Send + Sync {
    /// What it carries out.
    fn kind(&self) -> ActionKind;

    /// The name under which the other side will know it: chosen before the first attempt, the same
    /// in every further one. The draft's id, if nothing else is said.
    fn reference(&self, draft: &DraftNote) -> String {
        draft.id.to_string().to_lowercase()
    }

    /// Does all that can be done before it may have happened: connects, logs in.
    ///
    /// # Errors
    /// Why it cannot be performed now; nothing happened.
    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        let _ = attempt;
        Ok(())
    }

    /// Does it, once. What may have happened is [`Outcome::Unknown`]. The receipt of
    /// [`done`] gets its time and reference from the executor.
    ///
    /// # Errors
    /// Why it was not performed; nothing happened.
    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone>;

    /// Asks the other side whether it happened, under this reference or that of another attempt of
    /// the draft: its answer if it did, none if that is not known. Asked before every attempt too:
    /// after a backup was restored, the journal knows less than the other side. The draft is given
    /// if it can still be read.
    ///
    /// # Errors
    /// If it cannot be asked now.
    async fn reconcile(
        &self,
        reference: &str,
        draft: Option<&DraftNote>,
    ) -> Result<Option<String>, String>;

    /// Asks whether the owner has done themself what this is for: how, in words for them. Asked
    /// before every attempt; what they did is not done once more. If its task was `finished` before and
    /// they opened it again, what they did until then does not count.
    ///
    /// # Errors
    /// If it cannot be asked now: then nothing leaves yet.
    async fn done_by_owner(
        &self,
        draft: &DraftNote,
        finished: Option<Timestamp>,
    ) -> Result<Option<String>, String> {
        let _ = (draft, finished);
        Ok(None)
    }

    /// Clears away what the drafts of a task have left at the other side, now that it is over.
    /// `sent` is what left for it, if anything did.
    ///
    /// # Errors
    /// Why that is not done. Nothing else depends on it.
    async fn close(&self, task: TaskId, sent: Option<&DraftNote>) -> Result<(), String> {
        let _ = (task, sent);
        Ok(())
    }

    /// What the owner can do about one whose outcome stays unknown, in a sentence.
    fn advice(&self) -> &'static str;

    /// As [`Effect::advice`], with what the other side has of it, if only a part of it happened. Asked after
    /// [`Effect::reconcile`] answered that it is not known to have happened.
    async fn describe_doubt(&self, reference: &str, draft: Option<&DraftNote>) -> String {
        let _ = (reference, draft);
        self.advice().to_owned()
    }
}

/// One attempt: what leaves, exactly as it was approved.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// The draft and what it names.
    pub outgoing: Outgoing,
    /// The name under which the other side will know it.
    pub reference: String,
    /// The message that was approved, for what is one. Whoever hands it over checks that it is this.
    pub message: Option<MessageDigest>,
    /// When its approval was given.
    pub approved_at: Timestamp,
}

/// The name of the first attempt, by that of any.
pub(crate) fn first_attempt(reference: &str) -> &str {
    reference.split('.').next().unwrap_or(reference)
}

/// It happened, and this is what the other side answered.
pub fn done(answer: impl Into<String>) -> Outcome {
    Outcome::Receipt(Receipt {
        at: Timestamp::UNIX_EPOCH,
        reference: String::new(),
        answer: answer.into(),
    })
}

/// Why an effect was not performed. It certainly did not happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotDone {
    /// Why, one line.
    pub reason: String,
    /// What may help.
    pub recovery: Recovery,
    /// With [`Recovery::Approval`]: what would leave now, for its owner to read in the place of what they approved,
    /// if that is known.
    pub renewed: Option<Box<Action>>,
}

/// What may help if an effect was not performed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Nothing.
    None,
    /// Trying again later.
    Retry,
    /// Its owner's look: what would leave is not what was approved.
    Approval,
}

impl NotDone {
    /// Why it was not done, and whether trying again later may help.
    pub fn new(reason: impl Into<String>, retry: bool) -> Self {
        Self {
            reason: reason.into(),
            recovery: if retry {
                Recovery::Retry
            } else {
                Recovery::None
            },
            renewed: None,
        }
    }

    /// What would leave is not what was approved: why, and what would.
    pub fn differs(reason: impl Into<String>, renewed: Option<Action>) -> Self {
        Self {
            reason: reason.into(),
            recovery: Recovery::Approval,
            renewed: renewed.map(Box::new),
        }
    }
}

impl From<ActionError> for NotDone {
    /// What was approved is of another kind, or cannot be read: the same next time.
    fn from(error: ActionError) -> Self {
        Self::new(format!("what was approved cannot be read: {error}"), false)
    }
}

impl From<NotDone> for Outcome {
    /// Approved again, the same bytes may leave: that is no refusal for ever.
    fn from(not_done: NotDone) -> Self {
        let NotDone {
            reason, recovery, ..
        } = not_done;
        Self::NotSent {
            reason,
            retry: recovery != Recovery::None,
            differs: recovery == Recovery::Approval,
        }
    }
}

/// An attempt whose outcome is still not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// The draft.
    pub draft: DraftId,
    /// Its task.
    pub task: TaskId,
    /// One line for the owner.
    pub why: String,
}

/// What came of asking after attempts in doubt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// How many happened after all; their receipts are in the journal now.
    pub confirmed: usize,
    /// Still not known: the owner has to look.
    pub in_doubt: Vec<InDoubt>,
}

/// Carries out what the owner approved, each kind by its effect.
pub struct Executor {
    approvals: Arc<Approvals>,
    effects: BTreeMap<ActionKind, Arc<dyn Effect>>,
    /// Held by who clears away what is left elsewhere.
    closing: tokio::sync::Mutex<()>,
}

impl Executor {
    /// Carries out what these approvals hand out. Of two effects of one kind, the last counts.
    pub fn new(
        approvals: Arc<Approvals>,
        effects: impl IntoIterator<Item = Arc<dyn Effect>>,
    ) -> Self {
        let by_kind = effects.into_iter().map(|effect| (effect.kind(), effect));
        let effects: BTreeMap<_, _> = by_kind.collect();
        approvals.hand_out_only(effects.keys().copied().collect());
        Self {
            approvals,
            effects,
            closing: tokio::sync::Mutex::default(),
        }
    }

    /// Whether there is an effect of this kind.
    pub fn can_perform(&self, kind: ActionKind) -> bool {
        self.effects.contains_key(&kind)
    }

    /// Whose approvals these are.
    pub fn approvals(&self) -> &Arc<Approvals> {
        &self.approvals
    }

    /// Carries the action out and writes down what came of it. Uses the approval up.
    ///
    /// # Errors
    /// Says whether it may have happened.
    pub async fn execute(
        &self,
        approved: Approved,
        kind: ActionKind,
    ) -> Result<Receipt, EffectError> {
        let effect = self.effects.get(&kind).ok_or_else(|| {
            EffectError::Postponed(format!("this host has nothing that carries out {kind}"))
        })?;
        let draft = approved.draft().id;
        let first = effect.reference(approved.draft());
        let (attempt, _under_way) = self.approvals.begin_effect(&approved, kind, first).await?;
        let reference = attempt.reference.clone();
        let attempted = self.attempt(&**effect, &approved, attempt).await;
        if let Err(NotDone {
            reason,
            recovery: Recovery::Approval,
            renewed,
        }) = &attempted
        {
            let renewed = renewed.as_deref();
            self.approvals.note_difference(&approved, reason, renewed);
        }
        let mut outcome = attempted.unwrap_or_else(Outcome::from);
        match &mut outcome {
            Outcome::Receipt(receipt) => {
                receipt.at = self.approvals.clock().now();
                receipt.reference = reference;
                receipt.answer = one_line(&receipt.answer, MAX_ANSWER);
            }
            Outcome::NotSent { reason, .. }
            | Outcome::DoneByOwner { reason }
            | Outcome::Unknown { reason } => {
                *reason = one_line(reason, MAX_ANSWER);
            }
        }
        self.approvals.record(draft, outcome.clone()).await;
        fail::fail_point!("effect-recorded", |_| std::process::abort());
        match outcome {
            Outcome::Receipt(receipt) => Ok(receipt),
            Outcome::NotSent {
                reason,
                retry: true,
                ..
            } => Err(EffectError::Postponed(reason)),
            Outcome::NotSent { reason, .. } | Outcome::DoneByOwner { reason } => {
                Err(EffectError::Refused(reason))
            }
            Outcome::Unknown { reason } => Err(EffectError::OutcomeUnknown(reason)),
        }
    }

    /// One attempt whose intent is written.
    async fn attempt(
        &self,
        effect: &dyn Effect,
        approved: &Approved,
        attempt: Attempt,
    ) -> Result<Outcome, NotDone> {
        fail::fail_point!("effect-intended", |_| std::process::abort());
        let later = |reason: String| NotDone::new(reason, true);
        let (task, draft) = (attempt.outgoing.note.task, attempt.outgoing.note.id);
        let fence = self.approvals.fence();
        let doubt = fence.claim_effect(task, draft).await.map_err(later)?;
        fail::fail_point!("effect-claimed", |_| std::process::abort());
        // Nothing is handed over by a preparation: so it need not wait for the answers.
        let (over, prepared) = tokio::join!(
            self.find_outcome(effect, approved, &attempt, doubt),
            effect.prepare(&attempt)
        );
        if let Some(outcome) = over? {
            return Ok(outcome);
        }
        fail::fail_point!("effect-asked", |_| std::process::abort());
        prepared?;
        fail::fail_point!("effect-prepared", |_| std::process::abort());
        // The owner may have stopped it while the other sides were asked.
        self.approvals.hand_over(approved).await.map_err(later)?;
        fail::fail_point!("effect-handed-over", |_| std::process::abort());
        let outcome = effect.perform(attempt).await;
        fail::fail_point!("effect-performed", |_| std::process::abort());
        outcome
    }

    /// What is known of it before it is performed: that it happened, that its owner did it themself, or that only
    /// they can find out.
    async fn find_outcome(
        &self,
        effect: &dyn Effect,
        approved: &Approved,
        attempt: &Attempt,
        doubt: Option<String>,
    ) -> Result<Option<Outcome>, NotDone> {
        let later = |reason: String| NotDone::new(reason, true);
        let note = &attempt.outgoing.note;
        let asked = effect.reconcile(&attempt.reference, Some(note)).await;
        let found = asked.map_err(|reason| {
            later(format!(
                "it cannot be asked whether this left already, so nothing is sent: {reason}"
            ))
        })?;
        if let Some(answer) = found {
            return Ok(Some(done(answer)));
        }
        let is_first = attempt.reference == effect.reference(approved.draft());
        if is_first && let Some(reason) = doubt {
            // Only the owner can find out what that copy has done.
            return Ok(Some(Outcome::Unknown { reason }));
        }
        let finished = self.approvals.finished_before(note.task).await;
        let asked = effect.done_by_owner(note, finished.map_err(later)?).await;
        let found = asked.map_err(|reason| {
            later(format!(
                "it cannot be asked whether you have done it yourself, so nothing is sent: {reason}"
            ))
        })?;
        Ok(found.map(|reason| {
            fail::fail_point!("effect-done-by-owner", |_| std::process::abort());
            Outcome::DoneByOwner { reason }
        }))
    }

    /// As [`Executor::execute`], in a task of its own: if the caller is cut off, the attempt still
    /// ends with an outcome.
    pub(crate) async fn execute_to_its_end(
        self: &Arc<Self>,
        approved: Approved,
        kind: ActionKind,
    ) -> Result<WitReceipt, EffectError> {
        let executor = Arc::clone(self);
        let done = tokio::spawn(async move { executor.execute(approved, kind).await }).await;
        let cut_off = |error| EffectError::OutcomeUnknown(format!("{kind} was cut off: {error}"));
        Ok(done.map_err(cut_off)??.into())
    }

    /// Asks the other side after every attempt in doubt. Run it at the start, before anything is
    /// done.
    ///
    /// # Errors
    /// If the journal cannot be read or written.
    pub async fn reconcile(&self) -> Result<Reconciled, String> {
        let journal = Arc::clone(self.approvals.journal());
        let intents =
            blocking(move || journal.open_intents().map_err(|error| error.to_string())).await??;
        let mut result = Reconciled::default();
        for intent in intents {
            if self.approvals.is_under_way(intent.draft) {
                continue;
            }
            let outcome = match self.state(intent.draft).await? {
                // The host ended before it: nothing happened, and it is tried again.
                State::Intended(_) => Some(Outcome::NotSent {
                    reason: "Platinum ended before it was handed over".to_owned(),
                    retry: true,
                    differs: false,
                }),
                // From here on it is the owner's to decide, unless the other side has it.
                State::HandedOver(_) => Some(Outcome::Unknown {
                    reason: format!(
                        "an attempt was made at {:.0} and its outcome was never written down",
                        intent.at
                    ),
                }),
                State::Unknown { .. } => None,
                // It came to its end since the list was made: an attempt that this process was at, or
                // its owner's word.
                State::Absent
                | State::Done(..)
                | State::NotSent { .. }
                | State::DoneByOwner { .. }
                | State::LetGo(_) => {
                    continue;
                }
            };
            if let Some(outcome) = outcome {
                let is_over = matches!(outcome, Outcome::NotSent { .. });
                self.write(intent.draft, outcome).await?;
                if is_over {
                    self.approvals.retry_at_once(intent.draft);
                    continue;
                }
            }
            let Some(effect) = self.effects.get(&intent.kind) else {
                result.in_doubt.push(InDoubt {
                    draft: intent.draft,
                    task: intent.task,
                    why: format!(
                        "Nothing on this host can ask after {}: set its zone up again.",
                        intent.kind
                    ),
                });
                continue;
            };
            let note = self.approvals.draft(intent.draft).await?;
            let why = match effect.reconcile(&intent.reference, note.as_ref()).await {
                Ok(Some(answer)) => {
                    let outcome = Outcome::Receipt(Receipt {
                        at: self.approvals.clock().now(),
                        reference: intent.reference,
                        answer: one_line(&answer, MAX_ANSWER),
                    });
                    self.write(intent.draft, outcome).await?;
                    result.confirmed += 1;
                    continue;
                }
                Ok(None) => {
                    effect
                        .describe_doubt(&intent.reference, note.as_ref())
                        .await
                }
                Err(reason) => {
                    tracing::warn!(draft = %intent.draft, reason, "The other side could not be asked.");
                    "The other side could not be asked yet.".to_owned()
                }
            };
            result.in_doubt.push(InDoubt {
                draft: intent.draft,
                task: intent.task,
                why,
            });
        }
        Ok(result)
    }

    /// The attempts that the owner has to decide on: the other side was asked, and does not have them.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn doubts(&self) -> Result<Vec<Intent>, String> {
        let journal = Arc::clone(self.approvals.journal());
        blocking(move || journal.doubts().map_err(|error| error.to_string())).await?
    }

    /// Writes that the owner says it went out.
    ///
    /// # Errors
    /// If it is not in doubt, or the journal cannot be written.
    pub async fn confirm(&self, draft: DraftId, receipt: Receipt) -> Result<(), String> {
        self.write(draft, Outcome::Receipt(receipt)).await
    }

    /// Writes that the owner does not wait for its outcome any more. Approved again, it is sent again.
    ///
    /// # Errors
    /// If it is not in doubt, or the journal cannot be written.
    pub async fn let_go(&self, draft: DraftId) -> Result<(), String> {
        let journal = Arc::clone(self.approvals.journal());
        blocking(move || journal.let_go(draft).map_err(|error| error.to_string())).await?
    }

    /// Clears away what the drafts of a task have left at the other sides, by and by: nothing waits
    /// for it, and what cannot be cleared away now is tried again by [`Executor::close_pending`].
    pub async fn close(self: &Arc<Self>, task: TaskId, sent: Option<DraftNote>) {
        let journal = Arc::clone(self.approvals.journal());
        let sent = sent.map(|draft| draft.render());
        let added = blocking(move || {
            let added = journal.closings().add(task, sent.as_deref());
            added.map_err(|error| error.to_string())
        });
        if let Err(error) = added.await.flatten() {
            tracing::warn!(%task, "What its drafts left elsewhere will not be cleared away: {error}.");
        }
        self.close_pending();
    }

    /// Tries to clear away what is left of tasks that are over, in the background.
    pub fn close_pending(self: &Arc<Self>) {
        let executor = Arc::clone(self);
        tokio::spawn(async move {
            let _alone = executor.closing.lock().await;
            if let Err(error) = executor.close_now().await {
                tracing::warn!("Cannot clear away what drafts left elsewhere: {error}.");
            }
        });
    }

    async fn close_now(&self) -> Result<(), String> {
        let journal = Arc::clone(self.approvals.journal());
        let listed = blocking(move || journal.closings().first(MAX_CLOSINGS)).await?;
        for Closing { task, sent, tries } in listed.map_err(|error| error.to_string())? {
            let sent = sent.and_then(|text| DraftNote::parse(&text).ok());
            let mut is_done = true;
            for effect in self.effects.values() {
                if let Err(reason) = effect.close(task, sent.as_ref()).await {
                    is_done = false;
                    // Once, and when it is given up.
                    if tries == 0 || tries >= MAX_CLOSING_TRIES {
                        tracing::warn!(%task, tries, "What its drafts left elsewhere is not cleared away: {reason}.");
                    }
                }
            }
            is_done |= tries >= MAX_CLOSING_TRIES;
            let journal = Arc::clone(self.approvals.journal());
            let noted = blocking(move || journal.closings().note_try(task, is_done)).await?;
            noted.map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    async fn state(&self, draft: DraftId) -> Result<State, String> {
        let journal = Arc::clone(self.approvals.journal());
        blocking(move || journal.state(draft).map_err(|error| error.to_string())).await?
    }

    async fn write(&self, draft: DraftId, outcome: Outcome) -> Result<(), String> {
        let journal = Arc::clone(self.approvals.journal());
        let record = move || journal.record(draft, &outcome);
        blocking(move || record().map_err(|error| error.to_string())).await?
    }
}

impl From<Receipt> for WitReceipt {
    fn from(receipt: Receipt) -> Self {
        Self {
            at: receipt.at.to_string(),
            reference: receipt.reference,
            answer: receipt.answer,
        }
    }
}
