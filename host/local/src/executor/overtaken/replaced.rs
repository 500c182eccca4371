//! A thread, and a chat, has one live draft: when something newer of it came and was answered, the draft for what came
//! before is put into `Rejected/`, and the owner is told.
//!
//! Lives elsewhere: which drafts are of one conversation is `core`'s; the task of what was put away is
//! filed by [`rejected`](crate::executor::rejected).
//! Invariants: a draft that the owner approved or edited is never put away, they are told that something newer
//! came; only a mail of the same writer, by the whole address, replaces: a stranger who knows a thread,
//! and asks for the answer to go to its people, replaces nothing in it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{
    DraftId, EmailSend, TaskId, Timestamp, VaultPath, WhatsappSend, layout, sha256_hex,
};
use platinum_effects::approvals::act;
use platinum_vault::{
    ReadFiles, Vault,
    note::{DraftNote, TaskNote},
};

use crate::executor::context::ApprovalContext;

/// A draft that is not decided or not carried out yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LiveDraft {
    note: DraftNote,
    answer: Answer,
    is_approved: bool,
}

/// An answer in a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Answer {
    Mail(EmailSend),
    Chat(WhatsappSend),
}

impl Answer {
    /// That of a draft, if it is one.
    fn of(note: &DraftNote) -> Option<Self> {
        let mail = note.action.read().map(Self::Mail);
        mail.or_else(|_| note.action.read().map(Self::Chat)).ok()
    }

    /// By what it is found among others: two of one conversation have one in common.
    fn keys(&self) -> Vec<&str> {
        match self {
            Self::Mail(mail) => mail.thread().map(String::as_str).collect(),
            Self::Chat(message) => vec![message.chat.as_str()],
        }
    }

    fn is_same_conversation(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Mail(own), Self::Mail(other)) => own.is_same_conversation(other),
            (Self::Chat(own), Self::Chat(other)) => own.is_same_conversation(other),
            (Self::Mail(_), Self::Chat(_)) | (Self::Chat(_), Self::Mail(_)) => false,
        }
    }

    /// Who wrote what it answers; of a chat, the chat.
    fn writer(&self, task: &TaskNote) -> Option<String> {
        match self {
            Self::Mail(_) => task.from_address(),
            Self::Chat(_) => task.fact(WhatsappSend::CHAT_FACT).last().cloned(),
        }
    }

    /// What has come that it does not answer, in words.
    fn newer(&self) -> &'static str {
        match self {
            Self::Mail(_) => "newer mail of this thread came",
            Self::Chat(_) => "newer message of this chat came",
        }
    }
}

/// What tasks are about: who wrote it, and when it came.
type Arrivals = BTreeMap<TaskId, (String, Timestamp)>;

/// The files that were read, each with the draft that it is.
pub(super) type LiveDrafts = ReadFiles<Option<LiveDraft>>;

/// Puts away what newer mails and messages replace. `drafts` saves reading again what is as it was.
pub(super) async fn finish(context: &mut ApprovalContext, drafts: &mut LiveDrafts) -> bool {
    let (vault, mut known) = (context.vault.clone(), std::mem::take(drafts));
    let folders = [layout::PENDING_APPROVAL, layout::APPROVED];
    let look = move || {
        (
            known.read_on(&vault, &folders, |path| read(&vault, path)),
            known,
        )
    };
    let (listed, known) = in_background(look).await;
    *drafts = known;
    if let Err(error) = listed {
        tracing::warn!("Cannot look for drafts of one conversation: {error}.");
        return false;
    }
    let live: Vec<LiveDraft> = drafts.values().flatten().cloned().collect();
    let conversations = conversations(&live);
    let mut arrivals = Arrivals::new();
    for (draft, _) in live
        .iter()
        .zip(&conversations)
        .filter(|(_, others)| !others.is_empty())
    {
        if let Ok(task) = context.sync.task(draft.note.task).await
            && let Some(from) = draft.answer.writer(&task)
        {
            let at = task.received.unwrap_or(task.created);
            arrivals.insert(task.id, (from, at));
        }
    }
    let mut changed = false;
    for (old, new) in replaced(&live, &conversations, &arrivals) {
        changed |= replace(context, old, new).await;
    }
    changed
}

async fn replace(context: &mut ApprovalContext, old: &LiveDraft, new: &LiveDraft) -> bool {
    let (id, task, by) = (old.note.id, old.note.task, new.note.id);
    let (summary, newer, came) = (&old.note.summary, &new.note.summary, new.answer.newer());
    let as_made = match context.sync.past_drafts(vec![task], BTreeSet::new()).await {
        Ok(past) => past.into_iter().find(|draft| draft.id == id),
        Err(error) => {
            tracing::warn!(draft = %id, "Cannot find out whether a draft was edited: {error}.");
            return false;
        }
    };
    let (vault, as_made) = (
        context.vault.clone(),
        as_made.and_then(|draft| draft.as_made),
    );
    let is_as_made = in_background(move || is_as_made(&vault, id, as_made.as_deref())).await;
    if old.is_approved || !is_as_made {
        let (what, place) = match old.is_approved {
            true => ("approved", layout::APPROVED),
            false => ("edited", layout::PENDING_APPROVAL),
        };
        let text = format!("A {came}: {newer}. “{summary}”, which you {what}, stays in {place}/");
        return context.notify_once(Some(task), &text).await;
    }
    let reason = format!("a {came}, and {by} answers it");
    let approvals = context.executor.approvals();
    if let Err(error) = approvals.set_waiting_aside(id, &reason).await {
        tracing::warn!(draft = %id, "Cannot put a replaced draft away yet: {error}.");
        return false;
    }
    let text = format!(
        "Replaced: {summary}: a {came}, and “{newer}” waits in its place; \
         the earlier draft is in {}/",
        layout::REJECTED
    );
    context.notify_once(Some(task), &text).await;
    true
}

/// Whether the file that waits is as it was made. Blocks on the disk.
fn is_as_made(vault: &Vault, draft: DraftId, as_made: Option<&str>) -> bool {
    let now = vault.read_text(&layout::pending(draft), MAX_DRAFT_BYTES);
    let is_it = |text: &str| as_made == Some(sha256_hex(text).as_str());
    // What this machine wrote into it is no edit of its owner's.
    now.is_ok_and(|now| is_it(&now) || is_it(&act::without_remarks(&now)))
}

/// Of each draft those of other tasks that are of the same conversation, by their places in `live`.
fn conversations(live: &[LiveDraft]) -> Vec<BTreeSet<usize>> {
    let mut by_id: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, draft) in live.iter().enumerate() {
        for id in draft.answer.keys() {
            by_id.entry(id).or_default().push(place);
        }
    }
    let of_draft = |draft: &LiveDraft| -> BTreeSet<usize> {
        let keys = draft.answer.keys().into_iter();
        let near = keys.filter_map(|id| by_id.get(id)).flatten();
        let near: BTreeSet<usize> = near.copied().collect();
        near.into_iter()
            .filter(|&place| {
                let other = &live[place];
                other.note.task != draft.note.task
                    && other.answer.is_same_conversation(&draft.answer)
            })
            .collect()
    };
    live.iter().map(of_draft).collect()
}

/// Each draft with the newest one of its conversation, by when came what they answer. What is not known of that decides
/// nothing.
fn replaced<'a>(
    live: &'a [LiveDraft],
    conversations: &[BTreeSet<usize>],
    arrivals: &Arrivals,
) -> Vec<(&'a LiveDraft, &'a LiveDraft)> {
    // Of two of one moment, the ids say which task was made first.
    let age = |draft: &LiveDraft| Some((arrivals.get(&draft.note.task)?.1, draft.note.task));
    let from = |draft: &LiveDraft| arrivals.get(&draft.note.task).map(|(from, _)| from);
    let pairs = live
        .iter()
        .zip(conversations)
        .filter_map(|(draft, others)| {
            let others = others.iter().map(|&place| &live[place]);
            let others = others.filter(|one| from(one) == from(draft));
            let newest = others.max_by_key(|one| age(one))?;
            (age(draft).is_some() && age(newest) > age(draft)).then_some((draft, newest))
        });
    pairs.collect()
}

/// The draft of an answer in a file. One that cannot be read replaces nothing, and is not replaced. Blocks on the
/// disk.
fn read(vault: &Vault, path: &VaultPath) -> Option<LiveDraft> {
    let text = vault.read_text(path, MAX_DRAFT_BYTES).ok()?;
    let note = DraftNote::parse(&text).ok()?;
    Some(LiveDraft {
        answer: Answer::of(&note)?,
        note,
        is_approved: path.top() == layout::APPROVED,
    })
}

#[cfg(test)]
mod tests {
    use platinum_core::Action;
    use platinum_vault::note::Note;

    use super::*;

    fn live(n: u128, in_reply_to: &str, references: &[&str]) -> LiveDraft {
        let mail = EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["ada@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Offer".to_owned(),
            in_reply_to: Some(in_reply_to.to_owned()),
            references: references.iter().map(|&id| id.to_owned()).collect(),
            attachments: vec![],
            body: "Yes.\n".to_owned(),
        };
        let note = DraftNote {
            id: DraftId::from_parts(1, n),
            created: Timestamp::UNIX_EPOCH,
            by: "cloud/cloud-draft-email".to_owned(),
            task: TaskId::from_parts(1, n),
            epoch: Some(1),
            action: Action::new(&mail),
            summary: "Answer Ada".to_owned(),
            reason: "She asked".to_owned(),
            expires: Timestamp::UNIX_EPOCH,
            doubts: vec![],
        };
        LiveDraft {
            note,
            answer: Answer::Mail(mail),
            is_approved: false,
        }
    }

    /// An answer in a chat.
    fn message(n: u128, chat: &str) -> LiveDraft {
        let message = WhatsappSend {
            chat: chat.to_owned(),
            text: "Yes.".to_owned(),
            ..WhatsappSend::default()
        };
        let mut draft = live(n, "", &[]);
        draft.note.action = Action::new(&message);
        LiveDraft {
            answer: Answer::of(&draft.note).unwrap(),
            ..draft
        }
    }

    /// Of the same chat alone; an id of a mail that is called like a chat is none.
    #[test]
    fn replaced_is_what_answers_earlier_messages_of_the_chat() {
        let drafts = [
            message(1, "1650"),
            message(2, "1650"),
            message(3, "1219"),
            live(4, "1650", &[]),
        ];
        let arrival = |n: u128, who: &str| {
            let at = Timestamp::from_second(i64::try_from(n).unwrap()).unwrap();
            (TaskId::from_parts(1, n), (who.to_owned(), at))
        };
        let arrivals = [
            arrival(1, "1650"),
            arrival(2, "1650"),
            arrival(3, "1219"),
            arrival(4, "1650"),
        ];
        let all = conversations(&drafts);
        let pairs: Vec<_> = replaced(&drafts, &all, &arrivals.into())
            .into_iter()
            .map(|(old, new)| (old.note.id, new.note.id))
            .collect();
        assert_eq!(
            pairs,
            [(DraftId::from_parts(1, 1), DraftId::from_parts(1, 2))]
        );
    }

    #[test]
    fn draft_with_remarks_of_this_machine_is_as_made() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let note = live(1, "a@x", &[]).note;
        let (path, text) = (layout::pending(note.id), note.render());
        let made = sha256_hex(&text);
        vault.create(&path, text.as_bytes()).unwrap();
        assert!(is_as_made(&vault, note.id, Some(&made)));
        let mut edited = Note::parse(&text).unwrap();
        for key in ["returned", "held", "in-doubt"] {
            edited.set(key, "why").unwrap();
        }
        let write = |text: String| vault.replace(&path, text.as_bytes(), None).unwrap();
        write(edited.to_text());
        assert!(is_as_made(&vault, note.id, Some(&made)));
        edited.set_body("Mine.\n".to_owned());
        write(edited.to_text());
        assert!(!is_as_made(&vault, note.id, Some(&made)));
    }

    /// By the times of the mails, not by the order in which they were drafted.
    #[test]
    fn replaced_is_what_answers_an_earlier_mail_of_the_thread() {
        let drafts = [
            live(1, "c@x", &["a@x", "c@x"]),
            live(2, "a@x", &[]),
            live(3, "b@x", &["a@x"]),
            live(4, "z@x", &[]),
        ];
        let ann = |seconds| {
            let at = Timestamp::from_second(seconds).unwrap();
            ("ann@x.test".to_owned(), at)
        };
        let task = |n| TaskId::from_parts(1, n);
        let mails = Arrivals::from([
            (task(1), ann(30)),
            (task(2), ann(10)),
            (task(3), ann(20)),
            (task(4), ann(40)),
        ]);
        let pairs: Vec<_> = replaced(&drafts, &conversations(&drafts), &mails)
            .into_iter()
            .map(|(old, new)| (old.note.id, new.note.id))
            .collect();
        let id = |n| DraftId::from_parts(1, n);
        assert_eq!(pairs, [(id(2), id(1)), (id(3), id(1))]);
        let all = conversations(&drafts);
        assert_eq!(replaced(&drafts, &all, &Arrivals::new()), []);
        // Of two that came in the same second, one stays.
        let same = Arrivals::from([(task(2), ann(10)), (task(3), ann(10))]);
        let two = &drafts[1..3];
        assert_eq!(replaced(two, &conversations(two), &same).len(), 1);
        // Somebody else who has the answer go to the same people.
        let mallory = ("mallory@x.test".to_owned(), ann(20).1);
        let foreign = Arrivals::from([(task(2), ann(10)), (task(3), mallory)]);
        assert_eq!(replaced(two, &conversations(two), &foreign), []);
    }
}
