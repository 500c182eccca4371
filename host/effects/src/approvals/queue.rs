//! [`Approvals`]: the queue itself, shared by the interface that hands actions out and by the
//! effects that use them up.

use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use platinum_core::{
    Action, ActionKind, Clock, DraftId, Timestamp, VaultPath, layout, text::one_line,
};
use platinum_journal::{
    Begin, Intent, Journal, JournalError, Outcome, State,
    approvals::{Approval, Decision, Pause},
};
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note},
};

use super::{
    ApprovalPolicy, Approved,
    fingerprint::{MAX_DRAFT_BYTES, Outgoing, Unreadable},
    inspect::{Difference, EntryState, Inspection, QueueEntry, hold_while_paused, pause_reason},
    message::message_drift,
};
use crate::{
    Attempt, Fence, bindings::platinum::actions::types::EffectError, review::recipients_of,
    writing::blocking,
};

/// What the owner approved on this machine, and what became of it.
pub struct Approvals {
    pub(super) vault: Vault,
    journal: Arc<Journal>,
    fence: Arc<dyn Fence>,
    clock: Arc<dyn Clock>,
    policy: ApprovalPolicy,
    installed_skills: Option<Arc<InstalledSkills>>,
    memory: Mutex<Memory>,
}

/// What [`ApprovalPolicy::skills`] would be now, from the disk. May block on it.
pub(super) type InstalledSkills = dyn Fn() -> Option<String> + Send + Sync;

#[derive(Default)]
struct Memory {
    /// How often each was tried without anything happening, since this process started.
    attempts: HashMap<DraftId, u32>,
    /// Why the fence was closed when each was last looked at.
    held: HashMap<DraftId, String>,
    /// What is being carried out by this process.
    under_way: HashSet<DraftId>,
    /// What was logged of files that are not carried out, so that each is logged once.
    logged: HashSet<String>,
    /// What the other side's server said is not what was approved; it goes back to its owner next.
    differences: HashMap<DraftId, Difference>,
    /// The kinds that this host has an effect for, once that is known.
    performable: Option<BTreeSet<ActionKind>>,
}

impl Approvals {
    /// The approvals of this vault.
    pub fn new(
        vault: Vault,
        journal: Arc<Journal>,
        fence: Arc<dyn Fence>,
        clock: Arc<dyn Clock>,
        policy: ApprovalPolicy,
    ) -> Self {
        Self {
            vault,
            journal,
            fence,
            clock,
            policy,
            installed_skills: None,
            memory: Mutex::default(),
        }
    }

    /// Says how to find out which skills are installed by now: what was approved with them waits
    /// for this process to be started again, and does not go back. `read` may block on the disk.
    #[must_use]
    pub fn with_installed_skills(
        self,
        read: impl Fn() -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self {
            installed_skills: Some(Arc::new(read)),
            ..self
        }
    }

    /// Hands out these kinds alone from now on: what no effect here carries out waits.
    pub(crate) fn hand_out_only(&self, performable: BTreeSet<ActionKind>) {
        self.memory().performable = Some(performable);
    }

    fn may_hand_out(&self, kind: ActionKind) -> bool {
        let memory = self.memory();
        let performable = memory.performable.as_ref();
        performable.is_none_or(|kinds| kinds.contains(&kind))
    }

    /// Every file in `Approved/`, oldest draft first, and what becomes of it.
    ///
    /// # Errors
    /// If the folder or the journal cannot be read.
    pub async fn entries(&self) -> Result<Vec<QueueEntry>, String> {
        let mut entries = self.inspecting(|inspection| inspection.scan()).await??;
        hold_while_paused(&mut entries, self.paused().await?.as_ref());
        let memory = self.memory();
        for entry in &mut entries {
            if let (EntryState::Ready, Some(outgoing)) = (&entry.state, &entry.outgoing)
                && let Some(reason) = memory.held.get(&outgoing.note.id)
            {
                entry.state = EntryState::Held(reason.clone());
            }
        }
        Ok(entries)
    }

    /// Looks at files in `Approved/`, off the async threads.
    pub(super) async fn inspecting<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Inspection<'_>) -> T + Send + 'static,
    ) -> Result<T, String> {
        let (vault, journal, policy, now, installed_skills) = (
            self.vault.clone(),
            Arc::clone(&self.journal),
            self.policy.clone(),
            self.clock.now(),
            self.installed_skills.clone(),
        );
        let (attempts, differences) = {
            let memory = self.memory();
            (memory.attempts.clone(), memory.differences.clone())
        };
        blocking(move || {
            look(&Inspection {
                vault: &vault,
                journal: &journal,
                policy: &policy,
                now,
                attempts: &attempts,
                differences: &differences,
                installed_skills: installed_skills.as_deref(),
                is_shown_alone: false,
            })
        })
        .await
    }

    /// Notes that what would leave is not what was approved: it goes back to its owner at the next
    /// [`Approvals::admit`], as what would leave now if that is given, and may be tried at once when it was approved
    /// again.
    pub(crate) fn note_difference(
        &self,
        approved: &Approved,
        reason: &str,
        renewed: Option<&Action>,
    ) {
        let difference = Difference {
            approved_at: approved.approval.at,
            reason: one_line(reason, 500),
            renewed: renewed.cloned(),
        };
        let draft = approved.note.id;
        self.memory().differences.insert(draft, difference);
    }

    pub(super) fn forget_differences(&self, drafts: impl Iterator<Item = DraftId>) {
        let mut memory = self.memory();
        for draft in drafts {
            if memory.differences.remove(&draft).is_some() {
                memory.attempts.insert(draft, 0);
            }
        }
    }

    /// Whether something was refused as not what was approved, and goes back to its owner next.
    pub fn has_differences(&self) -> bool {
        !self.memory().differences.is_empty()
    }

    /// Whether everything is paused.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub async fn paused(&self) -> Result<Option<Pause>, String> {
        let journal = Arc::clone(&self.journal);
        blocking(move || journal.paused().map_err(|error| error.to_string())).await?
    }

    /// The oldest approved action of these kinds that may be carried out now.
    ///
    /// # Errors
    /// If the folder or the journal cannot be read.
    pub async fn next_due(&self, kinds: &[ActionKind]) -> Result<Option<Approved>, String> {
        if let Some(pause) = self.paused().await? {
            self.log_once(pause_reason(&pause));
            return Ok(None);
        }
        // One after the other: a file with its attachments may be large, and there may be many.
        for path in self.inspecting(|inspection| inspection.paths()).await?? {
            let entry = self.inspecting(move |inspection| inspection.candidate(path));
            let Some(entry) = entry.await?? else {
                continue;
            };
            match (&entry.state, entry.outgoing) {
                (EntryState::Ready, Some(outgoing))
                    if kinds.contains(&outgoing.note.action.kind())
                        && self.may_hand_out(outgoing.note.action.kind()) =>
                {
                    if let Err(reason) = self.ask_fence(&outgoing.note).await {
                        self.log_once(format!("{} waits: {reason}", entry.path));
                        continue;
                    }
                    let fingerprint = outgoing.fingerprint().map_err(|error| error.to_string())?;
                    let (journal, id) = (Arc::clone(&self.journal), outgoing.note.id);
                    let approval =
                        blocking(move || journal.approval(id).map_err(|error| error.to_string()));
                    // Taken back in this moment.
                    let Some(approval) = approval.await?? else {
                        continue;
                    };
                    return Ok(Some(Approved {
                        note: outgoing.note,
                        fingerprint,
                        approval,
                    }));
                }
                (
                    EntryState::Broken(_) | EntryState::Expired(_) | EntryState::Unconfirmed(_),
                    _,
                ) => {
                    self.log_once(format!("{} {}", entry.path, entry.state));
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// Puts an action aside: its file goes to `Rejected/`, with the reason in its frontmatter.
    ///
    /// # Errors
    /// If the file cannot be moved.
    pub async fn refuse(&self, approved: Approved, reason: &str) -> Result<(), String> {
        self.set_aside(approved.note.id, reason).await
    }

    /// As [`Approvals::refuse`], for an action that was not handed out.
    ///
    /// # Errors
    /// As there.
    pub async fn set_aside(&self, draft: DraftId, reason: &str) -> Result<(), String> {
        let (vault, at) = (self.vault.clone(), self.clock.now());
        let reason = one_line(reason, 500);
        let from = layout::approved(draft);
        blocking(move || put_aside(&vault, &from, draft, &reason, &at.to_string())).await?
    }

    /// As [`Approvals::set_aside`], for a draft that waits and that another one replaces.
    ///
    /// # Errors
    /// As there.
    pub async fn set_waiting_aside(&self, draft: DraftId, reason: &str) -> Result<(), String> {
        let (vault, at) = (self.vault.clone(), self.clock.now());
        let reason = one_line(reason, 500);
        let from = layout::pending(draft);
        blocking(move || put_aside(&vault, &from, draft, &reason, &at.to_string())).await?
    }

    /// Checks everything once more and writes the intent; answers what leaves, and what to keep for as
    /// long as this process is at it. `reference` is the name of the first attempt. An error means
    /// that nothing was tried just now.
    pub(crate) async fn begin_effect(
        &self,
        approved: &Approved,
        kind: ActionKind,
        reference: String,
    ) -> Result<(Attempt, UnderWay<'_>), EffectError> {
        let note = &approved.note;
        if note.action.kind() != kind {
            let is = note.action.kind();
            return Err(EffectError::Refused(format!(
                "the approval is for {is}, not for {kind}"
            )));
        }
        let now = self.clock.now();
        let preflight = Preflight::new(&self.vault, approved, now);
        preflight.check_expiry()?;
        self.ask_fence(note).await.map_err(EffectError::Postponed)?;
        let due = self.policy.due(&approved.approval);
        if due > now {
            return Err(EffectError::Postponed(format!("it leaves at {due:.0}")));
        }
        let (journal, policy) = (Arc::clone(&self.journal), self.policy.clone());
        let (id, task) = (note.id, note.task);
        let under_way = UnderWay::new(self, id);
        let begun = blocking(move || {
            journal.decide(|decision| {
                let outgoing = preflight.check(decision)?;
                let Preflight {
                    approval,
                    fingerprint,
                    ..
                } = preflight;
                // A definite no to these very bytes stays a no, until they are approved anew.
                if let State::NotSent {
                    intent,
                    reason,
                    retry: false,
                    ..
                }
                | State::DoneByOwner { intent, reason } = decision.state(id)?
                    && intent.fingerprint == fingerprint
                    && !decision.is_approved_anew(id)?
                {
                    return Err(BeginError(EffectError::Refused(reason)));
                }
                let next = decision.reference_for(id, &fingerprint, &reference)?;
                let message = policy
                    .compose(&outgoing, &next)
                    .map_err(|error| BeginError(EffectError::Postponed(error.to_string())))?;
                // Whatever was changed in this moment: it goes back when it is looked at next.
                if let Some(reason) = message_drift(&approval, message.as_ref()) {
                    return Err(BeginError(EffectError::Postponed(reason)));
                }
                let intent = Intent {
                    draft: id,
                    task,
                    kind,
                    fingerprint,
                    message: message.as_ref().map(|message| message.sha256.clone()),
                    reference,
                    recipients: recipients_of(&outgoing.note.action),
                    at: now,
                    notes_hand_over: true,
                };
                match decision.intend(&intent)? {
                    Begin::Go { reference } => Ok(Attempt {
                        outgoing,
                        reference,
                        message,
                        approved_at: approval.at,
                    }),
                    Begin::AlreadyDone(receipt) => {
                        Err(BeginError(EffectError::AlreadyDone(receipt.into())))
                    }
                    Begin::InDoubt(before) => {
                        Err(BeginError(EffectError::OutcomeUnknown(format!(
                            "an attempt was made at {:.0} and its outcome is not known",
                            before.at
                        ))))
                    }
                }
            })
        });
        let begun = begun.await.map_err(EffectError::Postponed)?;
        let attempt = begun.map_err(|BeginError(error)| error)?;
        Ok((attempt, under_way))
    }

    /// A draft in any of the folders where its owner may have moved it; none if it cannot be read.
    pub(crate) async fn draft(&self, draft: DraftId) -> Result<Option<DraftNote>, String> {
        let vault = self.vault.clone();
        let places = [layout::approved, layout::pending, layout::rejected];
        blocking(move || {
            places.iter().find_map(|place| {
                let text = vault.read_text(&place(draft), MAX_DRAFT_BYTES).ok()?;
                DraftNote::parse(&text).ok()
            })
        })
        .await
    }

    /// Whether this process is carrying it out now.
    pub(crate) fn is_under_way(&self, draft: DraftId) -> bool {
        self.memory().under_way.contains(&draft)
    }

    /// Nothing was wrong with the last attempt but that the host ended: the next need not wait.
    pub(crate) fn retry_at_once(&self, draft: DraftId) {
        self.memory().attempts.insert(draft, 0);
    }

    /// Writes that the effect is handed over now, if nothing stopped it since it was begun: a
    /// pause, its approval taken back, a change of its file. Without that, it may not be.
    ///
    /// # Errors
    /// Why it may not be; nothing happened.
    pub(crate) async fn hand_over(&self, approved: &Approved) -> Result<(), String> {
        let (journal, id) = (Arc::clone(&self.journal), approved.note.id);
        let preflight = Preflight::new(&self.vault, approved, self.clock.now());
        let decide = move || {
            journal.decide(|decision| {
                preflight.check(decision)?;
                decision.hand_over(id).map_err(BeginError::from)
            })
        };
        let handed_over = blocking(decide).await?;
        handed_over.map_err(|BeginError(error)| match error {
            EffectError::Postponed(reason)
            | EffectError::Refused(reason)
            | EffectError::OutcomeUnknown(reason) => reason,
            EffectError::AlreadyDone(receipt) => receipt.answer,
        })
    }

    /// Whether the fence is open; remembers why not.
    async fn ask_fence(&self, draft: &DraftNote) -> Result<(), String> {
        let open = self.fence.may_act(draft.task, draft.epoch).await;
        match &open {
            Ok(()) => self.memory().held.remove(&draft.id),
            Err(reason) => self.memory().held.insert(draft.id, one_line(reason, 300)),
        };
        open
    }

    /// Writes what came of an attempt. The file stays in `Approved/`: the daemon files the task
    /// first, then puts the draft away.
    pub(crate) async fn record(&self, draft: DraftId, outcome: Outcome) {
        match &outcome {
            Outcome::NotSent { .. } => {
                *self.memory().attempts.entry(draft).or_default() += 1;
            }
            Outcome::Receipt(_) | Outcome::DoneByOwner { .. } | Outcome::Unknown { .. } => {
                self.memory().attempts.remove(&draft);
            }
        }
        let journal = Arc::clone(&self.journal);
        let recorded = blocking(move || {
            journal
                .record(draft, &outcome)
                .map_err(|error| error.to_string())
        });
        let recorded = recorded.await.and_then(|recorded| recorded);
        if let Err(reason) = recorded {
            // The intent stays without an outcome: in doubt, and so never tried again.
            tracing::error!(%draft, reason, "what came of an effect could not be written down");
        }
    }

    /// The journal behind it.
    pub fn journal(&self) -> &Arc<Journal> {
        &self.journal
    }

    pub(crate) fn fence(&self) -> &dyn Fence {
        &*self.fence
    }

    /// What their owner configured about them.
    pub fn policy(&self) -> &ApprovalPolicy {
        &self.policy
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        &*self.clock
    }

    fn log_once(&self, what: String) {
        if !self.memory().logged.contains(&what) {
            tracing::warn!("{what}");
            let mut memory = self.memory();
            if memory.logged.len() > 10_000 {
                memory.logged.clear();
            }
            memory.logged.insert(what);
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        // Counters and texts: whole after any panic.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Says that this process carries a draft out, until it is dropped: also by a panic.
pub(crate) struct UnderWay<'a> {
    approvals: &'a Approvals,
    draft: DraftId,
    is_first: bool,
}

impl<'a> UnderWay<'a> {
    fn new(approvals: &'a Approvals, draft: DraftId) -> Self {
        let is_first = approvals.memory().under_way.insert(draft);
        Self {
            approvals,
            draft,
            is_first,
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if self.is_first {
            self.approvals.memory().under_way.remove(&self.draft);
        }
    }
}

/// What has to hold at the beginning of an effect, and still when it is handed over.
struct Preflight {
    vault: Vault,
    draft: DraftId,
    approval: Approval,
    fingerprint: String,
    expires: Timestamp,
    now: Timestamp,
}

impl Preflight {
    fn new(vault: &Vault, approved: &Approved, now: Timestamp) -> Self {
        Self {
            vault: vault.clone(),
            draft: approved.note.id,
            approval: approved.approval.clone(),
            fingerprint: approved.fingerprint.clone(),
            expires: approved.note.expires,
            now,
        }
    }

    fn check_expiry(&self) -> Result<(), EffectError> {
        match self.expires <= self.now {
            true => Err(EffectError::Refused(format!(
                "the approval expired at {:.0}",
                self.expires
            ))),
            false => Ok(()),
        }
    }

    /// The draft as it is now, if nothing is paused, this very approval counts, and the file is as
    /// it was approved.
    fn check(&self, decision: &Decision<'_>) -> Result<Outgoing, BeginError> {
        self.check_expiry().map_err(BeginError)?;
        if let Some(pause) = decision.paused()? {
            return Err(BeginError(EffectError::Postponed(pause_reason(&pause))));
        }
        // Taken back, or approved anew as something else, since it was handed out.
        if decision.approval(self.draft)?.as_ref() != Some(&self.approval) {
            let taken_back = format!("the approval of {} was taken back", self.draft);
            return Err(BeginError(EffectError::Refused(taken_back)));
        }
        unchanged(&self.vault, self.draft, &self.fingerprint).map_err(BeginError)
    }
}

/// Why an effect does not begin. Whatever the journal says is wrong with it: not now.
struct BeginError(EffectError);

impl From<JournalError> for BeginError {
    fn from(error: JournalError) -> Self {
        Self(EffectError::Postponed(format!(
            "nothing is done without the journal: {error}"
        )))
    }
}

/// The draft as it is now, if that is what was approved.
fn unchanged(vault: &Vault, id: DraftId, approved: &str) -> Result<Outgoing, EffectError> {
    let path = layout::approved(id);
    let outgoing = Outgoing::read(vault, &path).map_err(|error| match error {
        Unreadable::Gone => EffectError::Refused(format!("{path} is no longer there")),
        Unreadable::Broken(reason) => EffectError::Postponed(format!("{path}: {reason}")),
        Unreadable::Away(reason) => EffectError::Postponed(reason),
    })?;
    match outgoing.fingerprint() {
        Ok(now) if now == approved => Ok(outgoing),
        Ok(_) => Err(EffectError::Postponed(format!(
            "{path} was changed in the meantime"
        ))),
        Err(error) => Err(EffectError::Postponed(error.to_string())),
    }
}

fn put_aside(
    vault: &Vault,
    from: &VaultPath,
    id: DraftId,
    reason: &str,
    at: &str,
) -> Result<(), String> {
    let to = layout::rejected(id);
    let failed = |error: VaultError| error.to_string();
    // The reason first: a file in Rejected/ without one would be taken for the owner's own no.
    let text = vault.read_text(from, 1024 * 1024).map_err(failed)?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    let edited = note
        .set("refused", reason)
        .and_then(|()| note.set("refused-at", at));
    edited.map_err(|error| error.to_string())?;
    vault
        .replace(from, note.to_text().as_bytes(), Some(text.as_bytes()))
        .map_err(failed)?;
    vault.rename(from, &to).map_err(failed)
}
