//! What every `propose` interface and `plans/write` share: who may propose for a task, and the
//! draft that a proposal becomes.
//!
//! To add a kind: its `propose` in its zone's folder, and its line in [`offers`].
//! Lives elsewhere: the record of each kind is checked in its zone's folder.
//! Invariants: a draft is made once; only for a task that this agent owns, under the epoch of its
//! claim, and only of a kind that is the zone's own; one draft for each claim, and of posts one for each
//! account; nothing is written that would be reverted when it is shared; an equal plan that waits already
//! is not made again.

use std::sync::Arc;

use jiff::SignedDuration;
use platinum_core::{
    Action, ActionKind, DraftId, EmailSend, OdooPost, SocialPublish, TaskId, Timestamp,
    TypedAction, VaultPath, WhatsappSend, ZoneId, layout, text::one_line, whole_second,
};
use platinum_engine::{Call, Interface};
use platinum_vault::{
    Vault, VaultError,
    note::{
        CAME_BACK, DraftNote, MAX_DRAFT_BYTES, MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS, Note,
        PlanNote, TaskNote, check_drafted, day_of,
    },
};

use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        plans::write,
    },
    blocking::{Author, in_background},
    convert, email, plans,
    registry::Offer,
    tasks::{TaskError, TaskStore},
    text::checked_line,
};

/// How the refusal of a draft ends when as many as may be wait.
pub const LIMIT_REACHED: &str = "and no more are made";
/// How long an approval counts if the skill does not say.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long it may count at most.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// The interfaces that need no more than the vault and its tasks.
fn offers() -> Vec<Offer<ProposeCtx>> {
    vec![email::PROPOSE, plans::WRITE]
}

/// Every `propose` interface and `plans/write`, over a vault and its tasks.
pub fn interfaces(vault: &Vault, store: &Arc<dyn TaskStore>) -> Vec<Box<dyn Interface>> {
    let offers = offers().into_iter();
    offers
        .map(|offer| offer.with(context(vault, store)))
        .collect()
}

/// The same, to check components that are never run.
pub(crate) fn link_only() -> Vec<Box<dyn Interface>> {
    offers().into_iter().map(Offer::link_only).collect()
}

/// What the interfaces that propose work on.
pub(crate) struct ProposeCtx {
    pub(crate) vault: Vault,
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) author: Author,
    pub(crate) now: Timestamp,
}

/// Why nothing was written.
#[derive(Debug)]
pub(crate) enum Unwritten {
    Invalid(String),
    NotOwner,
    Unavailable(String),
}

impl From<Unwritten> for ProposeError {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::Invalid(what) => Self::Invalid(what),
            Unwritten::NotOwner => Self::NotOwner,
            Unwritten::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl From<Unwritten> for write::Error {
    fn from(error: Unwritten) -> Self {
        match error {
            Unwritten::Invalid(what) => Self::Invalid(what),
            Unwritten::NotOwner => Self::NotOwner,
            Unwritten::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

/// Makes the context of an interface that proposes, for each call.
pub(crate) fn context(
    vault: &Vault,
    store: &Arc<dyn TaskStore>,
) -> impl Fn(&Call) -> ProposeCtx + Send + Sync + use<> {
    let (vault, store) = (vault.clone(), Arc::clone(store));
    move |call| ProposeCtx {
        vault: vault.clone(),
        store: Arc::clone(&store),
        author: Author::of(call),
        now: whole_second(call.now),
    }
}

impl ProposeCtx {
    /// Whether this agent may propose something for a task now; a post, by this account.
    pub(crate) async fn check_ready(
        &self,
        task: &str,
        account: Option<&str>,
    ) -> Result<(), ProposeError> {
        let (task, epoch) = self.owned_task(task).await?;
        match self.open_draft(task, epoch, account).await? {
            Some(id) => Err(ProposeError::Duplicate(id.to_string())),
            None => Ok(()),
        }
    }

    /// Makes a draft of an action that was checked, with what the owner has to look at first;
    /// answers its id.
    pub(crate) async fn propose_action<T: TypedAction>(
        &self,
        proposal: Proposal,
        record: Result<T, String>,
        doubts: Vec<String>,
    ) -> Result<String, ProposeError> {
        self.propose_shown(proposal, record, doubts, None).await
    }

    /// As [`ProposeCtx::propose_action`], with how what leaves will look, as its server shows it.
    pub(crate) async fn propose_shown<T: TypedAction>(
        &self,
        proposal: Proposal,
        record: Result<T, String>,
        doubts: Vec<String>,
        card: Option<String>,
    ) -> Result<String, ProposeError> {
        let (task, epoch) = self.owned_task(&proposal.task).await?;
        let answered = match self.store.get(task).await {
            Ok(note) => note,
            Err(error) => return Err(ProposeError::Unavailable(error.to_string())),
        };
        platinum_policy::check_action(answered.zone, T::KIND)
            .map_err(|error| ProposeError::Invalid(error.to_string()))?;
        let action = Action::new(&record.map_err(ProposeError::Invalid)?);
        let expires = match proposal.expires {
            Some(text) => convert::time("expires", &text).map_err(ProposeError::Invalid)?,
            None => self.now + DEFAULT_LIFE,
        };
        if expires <= self.now || expires > self.now + LONGEST_LIFE {
            return Err(ProposeError::Invalid(
                "`expires` must lie within the next 90 days".to_owned(),
            ));
        }
        let account = action.read::<SocialPublish>().ok();
        let account = account.as_ref().map(|post| post.account.as_str());
        if let Some(id) = self.open_draft(task, epoch, account).await? {
            return Err(ProposeError::Duplicate(id.to_string()));
        }
        if let Ok(post) = action.read::<OdooPost>()
            && let Some(other) = self.proposed_posting(task, post.document).await?
        {
            return Err(ProposeError::Invalid(format!(
                "{other} waits for the owner already and proposes to post document {}",
                post.document
            )));
        }
        let mut reason =
            checked_line("reason", &proposal.reason, 500).map_err(ProposeError::Invalid)?;
        if let Some(why) = answered.fact(CAME_BACK).last() {
            reason.push_str(&format!(
                " Careful: what was sent for it came back: {}.",
                one_line(why, 200)
            ));
        }
        if let Some(other) = self.earlier_of_conversation(&answered, &action).await {
            reason.push_str(&format!(" {}", replaces(&other)));
        }
        let note = DraftNote {
            id: DraftId::generate(),
            created: self.now,
            by: self.author.by.clone(),
            task,
            epoch: Some(epoch),
            action,
            summary: checked_line("summary", &proposal.summary, 300)
                .map_err(ProposeError::Invalid)?,
            reason,
            expires,
            doubts,
        };
        let text = note.render_shown(&answered, card.as_deref());
        self.create(layout::pending(note.id), text).await?;
        Ok(note.id.to_string())
    }

    /// Writes a plan, unless it is there; answers its id.
    pub(crate) async fn write_plan(&self, note: PlanNote) -> Result<String, Unwritten> {
        let (vault, path) = (self.vault.clone(), layout::plan(note.id));
        let is_there = {
            let path = path.clone();
            in_background(move || vault.exists(&path)).await
        };
        if !is_there.map_err(|error| Unwritten::Unavailable(error.to_string()))? {
            self.create(path, note.render()).await?;
        }
        Ok(note.id.to_string())
    }

    /// The task and the epoch of its claim, if this agent may draft for it.
    pub(crate) async fn owned_task(&self, id: &str) -> Result<(TaskId, u64), Unwritten> {
        let id: TaskId = id
            .parse()
            .map_err(|error: platinum_core::IdError| Unwritten::Invalid(error.to_string()))?;
        match self.store.drafting_epoch(id).await {
            Ok(Some(epoch)) => Ok((id, epoch)),
            Ok(None) | Err(TaskError::NotFound) => Err(Unwritten::NotOwner),
            Err(error) => Err(Unwritten::Unavailable(error.to_string())),
        }
    }

    /// A draft of another task than this that waits and posts this document of Odoo's, if there is one.
    async fn proposed_posting(
        &self,
        task: TaskId,
        document: u64,
    ) -> Result<Option<DraftId>, Unwritten> {
        let vault = self.vault.clone();
        let found = in_background(move || {
            for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
                let found = drafts_in(&vault, folder)?.find(|note| {
                    let post = note.action.read::<OdooPost>();
                    note.task != task && post.is_ok_and(|post| post.document == document)
                });
                if let Some(note) = found {
                    return Ok(Some(note.id));
                }
            }
            Ok::<_, VaultError>(None)
        });
        found
            .await
            .map_err(|error| Unwritten::Unavailable(error.to_string()))
    }

    /// A draft for an earlier mail or message of the same conversation that waits, if there is one.
    async fn earlier_of_conversation(&self, own: &TaskNote, action: &Action) -> Option<DraftNote> {
        let (vault, task, action) = (self.vault.clone(), own.id, action.clone());
        if !is_answer(&action) {
            return None;
        }
        let found = in_background(move || {
            let found = drafts_in(&vault, layout::PENDING_APPROVAL)?
                .filter(|note| note.task != task && is_same_conversation(&action, &note.action));
            Ok::<_, VaultError>(found.collect::<Vec<_>>())
        });
        let time = |note: &TaskNote| (note.received.unwrap_or(note.created), note.id);
        for draft in found.await.ok()? {
            let Ok(other) = self.store.get(draft.task).await else {
                continue;
            };
            let from = own.from_address();
            // A chat has one other side.
            let is_by_same = own.zone == ZoneId::WHATSAPP
                || from.is_some_and(|from| other.from_address() == Some(from));
            if is_by_same && time(&other) < time(own) {
                return Some(draft);
            }
        }
        None
    }

    /// The draft that was made under this claim already: a skill that runs again after a crash
    /// proposes once, whatever it says the second time. Of posts, the one by this account.
    async fn open_draft(
        &self,
        task: TaskId,
        epoch: u64,
        account: Option<&str>,
    ) -> Result<Option<DraftId>, Unwritten> {
        let (vault, today) = (self.vault.clone(), day_of(DraftId::generate()));
        let account = account.map(str::to_owned);
        let found = in_background(move || {
            let mut of_today = 0;
            let mut waiting = 0;
            for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
                for entry in vault.list(folder)? {
                    let Ok(id) = entry.path.stem().parse::<DraftId>() else {
                        continue;
                    };
                    waiting += 1;
                    of_today += usize::from(day_of(id) == today);
                    let text = vault.read_text(&entry.path, MAX_DRAFT_BYTES as u64);
                    let Some(note) = text.ok().and_then(|text| Note::parse(&text).ok()) else {
                        continue;
                    };
                    let made_for = DraftNote::made_for(&note);
                    // One of an earlier claim would be refused when it is approved.
                    if made_for
                        .is_some_and(|(of, made)| of == task && made.is_none_or(|of| of == epoch))
                        && !is_by_another(&note, account.as_deref())
                    {
                        return Ok(Err(id));
                    }
                }
            }
            Ok::<_, VaultError>(Ok((of_today, waiting)))
        });
        match found.await {
            Err(error) => Err(Unwritten::Unavailable(error.to_string())),
            Ok(Err(id)) => Ok(Some(id)),
            Ok(Ok((of_today, _))) if of_today >= MAX_DRAFTS_A_DAY => Err(Unwritten::Unavailable(
                format!("{of_today} drafts of today wait for the owner, {LIMIT_REACHED}"),
            )),
            Ok(Ok((_, waiting))) if waiting >= MAX_WAITING_DRAFTS => Err(Unwritten::Unavailable(
                format!("{waiting} drafts wait for the owner, {LIMIT_REACHED}"),
            )),
            Ok(Ok(_)) => Ok(None),
        }
    }

    async fn create(&self, path: VaultPath, text: String) -> Result<(), Unwritten> {
        // What a commit would be reverted for is not written in the first place.
        check_drafted(&path, text.as_bytes())
            .map_err(|fault| Unwritten::Invalid(fault.to_string()))?;
        self.author
            .create(&self.vault, path, text)
            .await
            .map_err(Unwritten::Unavailable)
    }
}

/// The drafts of a folder that can be read, one after the other.
fn drafts_in(vault: &Vault, folder: &str) -> Result<impl Iterator<Item = DraftNote>, VaultError> {
    let entries = vault.list(folder)?.into_iter();
    Ok(entries.filter_map(move |entry| {
        let text = vault.read_text(&entry.path, MAX_DRAFT_BYTES as u64).ok()?;
        DraftNote::parse(&text).ok()
    }))
}

/// Whether a draft is a post by another account than this, for which its task has one of its own.
fn is_by_another(note: &Note, account: Option<&str>) -> bool {
    let draft = DraftNote::from_note(note).ok();
    let post = draft.and_then(|draft| draft.action.read::<SocialPublish>().ok());
    account.is_some_and(|account| post.is_some_and(|post| post.account != account))
}

/// Whether an action is an answer in a conversation.
fn is_answer(action: &Action) -> bool {
    [ActionKind::EMAIL_SEND, ActionKind::WHATSAPP_SEND].contains(&action.kind())
}

fn is_same_conversation(own: &Action, other: &Action) -> bool {
    let mails = own
        .read::<EmailSend>()
        .ok()
        .zip(other.read::<EmailSend>().ok());
    let messages = own
        .read::<WhatsappSend>()
        .ok()
        .zip(other.read::<WhatsappSend>().ok());
    mails.is_some_and(|(own, other)| own.is_same_conversation(&other))
        || messages.is_some_and(|(own, other)| own.is_same_conversation(&other))
}

/// The sentence for the owner about a draft that is put away for this one.
fn replaces(earlier: &DraftNote) -> String {
    let summary = one_line(&earlier.summary, 100);
    let what = match earlier.action.kind() {
        ActionKind::WHATSAPP_SEND => "earlier messages of this chat",
        _ => "an earlier mail of this thread",
    };
    format!("It replaces the draft for {what}, unless you edited that: {summary}.")
}
