//! What came back of what was carried out: a mail that could not be delivered opens its task again, and
//! an automatic answer is attached to it.
//!
//! Lives elsewhere: such mails are recognised by the intake, and no agent works on their notes; what a
//! note says then is `vault`'s.
//! Invariants: only a draft that the vault itself has a receipt for can come back; anybody who got its
//! mail can say that it did, so this only opens a task again and tells why, in words that are marked as
//! from outside. The steps can be repeated: after a crash in between they are.

use std::collections::BTreeSet;

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{
    AgentName, Clock as _, DraftId, SystemClock, TaskId, Timestamp, VaultPath, layout,
    text::one_line,
};
use platinum_journal::{AuditEvent, Intent, State};
use platinum_protocol::Claimed;
use platinum_sync::Finish;
use platinum_vault::{
    Vault, VaultError,
    note::{BOUNCE_REASON, BOUNCED_RECIPIENTS, DraftNote, Note, Returned, TaskNote, reopen},
};

use crate::executor::context::ApprovalContext;

/// Largest task that is read, in bytes.
const MAX_TASK_BYTES: u64 = 1024 * 1024;
/// Longest reason, in characters.
const MAX_REASON: usize = 300;
/// How many recipients the owner is told of.
const MAX_RECIPIENTS: usize = 3;

/// The notes that were read and say of nothing that came back, as they were then.
pub(super) type OtherTasks = BTreeSet<(VaultPath, u64, Timestamp)>;

/// A draft that was carried out.
#[derive(Debug)]
struct Sent {
    draft: DraftId,
    task: TaskId,
    /// Its task's note.
    path: VaultPath,
    summary: String,
    /// The text of that note.
    body: String,
}

/// What the vault has of a draft.
#[derive(Debug)]
enum SentLookup {
    /// It was carried out.
    Sent(Sent),
    /// Its task is open, and not finished with its receipt yet.
    Open,
    /// There is no task of it, or none that has its receipt.
    Missing,
}

/// Does what follows from what came back. `others` saves reading again what is about nothing that did.
pub(super) async fn finish(context: &mut ApprovalContext, others: &mut OtherTasks) -> bool {
    let (vault, agent) = (context.vault.clone(), context.sync.agent().clone());
    let mut known = std::mem::take(others);
    let (found, known) = in_background(move || (reports(&vault, &agent, &mut known), known)).await;
    *others = known;
    let reports = match found {
        Ok(reports) => reports,
        Err(error) => {
            tracing::warn!("Cannot look for what came back: {error}.");
            return false;
        }
    };
    let mut changed = false;
    for (report, returned) in reports {
        changed |= finish_one(context, &report, returned)
            .await
            .unwrap_or_else(|error| {
                let task = report.id;
                tracing::warn!(%task, "Cannot deal with what came back yet: {error}.");
                false
            });
    }
    changed
}

async fn finish_one(
    context: &mut ApprovalContext,
    report: &TaskNote,
    returned: Returned,
) -> Result<bool, String> {
    let (Returned::Bounced(draft) | Returned::AutoReply(draft)) = returned;
    let state = context.state_of(draft).await;
    let intended = match &state {
        Some(State::Done(intent, _)) => Some(intent.task),
        _ => None,
    };
    let vault = context.vault.clone();
    let found = in_background(move || find_sent(&vault, draft, intended)).await;
    let sent = match (found.map_err(|error| error.to_string())?, state) {
        (SentLookup::Sent(sent), _) => sent,
        (_, Some(State::Absent)) => {
            let reason = "It is about a mail that was not sent from this vault.";
            return end(context, report.id, reason).await;
        }
        (SentLookup::Missing, Some(State::Done(intent, _))) => {
            return finish_without_task(context, report, returned, &intent).await;
        }
        // What left a moment ago, or may have, is put away first.
        _ => return Ok(false),
    };
    let text = match returned {
        Returned::Bounced(_) => {
            let reason = reason_of(report);
            if !sent.body.contains(&report.id.to_string()) {
                note_came_back(context, draft, sent.task, &reason).await?;
            }
            let (vault, path, block) = (context.vault.clone(), sent.path.clone(), block_of(report));
            let (draft, words, report) = (sent.draft, reason.clone(), report.id);
            let opened = move || open_again(&vault, &path, draft, &words, report, &block);
            let then = match in_background(opened).await? {
                true => "Its task is open again: look at the address in its next draft",
                false => "It is in the note of its task",
            };
            format!("Came back: {}: {reason}. {then}", sent.summary)
        }
        Returned::AutoReply(_) => {
            let (vault, path) = (context.vault.clone(), sent.path.clone());
            let (id, from, block) = (report.id, report.from.clone(), block_of(report));
            in_background(move || attach(&vault, &path, id, &from, &block)).await?;
            format!(
                "Automatic answer to “{}”: {}; it is in the note of its task",
                sent.summary,
                one_line(&report.subject, 80)
            )
        }
    };
    let reason = format!("It is in the note of {}, which it is about.", sent.task);
    let ended = end(context, report.id, &reason).await?;
    context.notify_once(Some(sent.task), &text).await;
    Ok(ended)
}

/// Tells of what came back of a mail whose task the owner has put away or written anew.
async fn finish_without_task(
    context: &mut ApprovalContext,
    report: &TaskNote,
    returned: Returned,
    sent: &Intent,
) -> Result<bool, String> {
    let reason = format!("It is about {}, whose note is gone.", sent.task);
    if !end(context, report.id, &reason).await? {
        return Ok(false);
    }
    let to = sent.recipients.iter().take(MAX_RECIPIENTS);
    let to = to.map(String::as_str).collect::<Vec<_>>().join(", ");
    let what = match returned {
        Returned::Bounced(draft) => {
            let reason = reason_of(report);
            note_came_back(context, draft, sent.task, &reason).await?;
            format!("Came back: your mail to {to}: {reason}")
        }
        Returned::AutoReply(_) => {
            format!(
                "Automatic answer to your mail to {to}: {}",
                one_line(&report.subject, 80)
            )
        }
    };
    let text = format!("{what}. The note of its task is gone; write anew if it matters");
    context.notify_once(Some(report.id), &text).await;
    Ok(true)
}

/// Writes into the log that a draft came back.
async fn note_came_back(
    context: &ApprovalContext,
    subject: DraftId,
    task: TaskId,
    reason: &str,
) -> Result<(), String> {
    let reason = reason.to_owned();
    let event = AuditEvent::CameBack {
        subject,
        task,
        reason,
    };
    let journal = context.journal();
    let noted = in_background(move || journal.note_change(&event, SystemClock.now()));
    noted.await.map_err(|error| error.to_string())
}

/// Files the note of a mail that is dealt with; whether it is filed.
async fn end(context: &ApprovalContext, task: TaskId, reason: &str) -> Result<bool, String> {
    let claimed = context.sync.claim(task).await;
    match claimed.map_err(|error| error.to_string())? {
        Claimed::Won { .. } => {}
        // Another machine of the owner's, or the remote is away: later.
        Claimed::Lost { .. } | Claimed::Tentative | Claimed::GaveUp => return Ok(false),
    }
    let finished = context.sync.finish(task, Finish::filed(reason)).await;
    finished.map(|()| true).map_err(|error| error.to_string())
}

/// Whom it did not reach and why, in a line.
fn reason_of(report: &TaskNote) -> String {
    let recipients = report.fact(BOUNCED_RECIPIENTS);
    let shown = recipients.iter().take(MAX_RECIPIENTS);
    let shown: Vec<&str> = shown.map(String::as_str).collect();
    let more = match recipients.len().saturating_sub(MAX_RECIPIENTS) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let reason = report.fact(BOUNCE_REASON).first().map(String::as_str);
    let reason = reason.unwrap_or("the report does not say why");
    let words = match shown.is_empty() {
        true => reason.to_owned(),
        false => format!("{}{more}: {reason}", shown.join(", ")),
    };
    one_line(&words, MAX_REASON)
}

/// The fenced text of a note that the intake made: nothing in it can end its block.
fn block_of(report: &TaskNote) -> String {
    let start = report.body.find("\n```").map_or(0, |at| at + 1);
    let block = &report.body[start..];
    match block.starts_with("```") {
        true => block.to_owned(),
        false => String::new(),
    }
}

/// The notes that say of something that came back, in `Needs_Action/` and in this agent's own folder.
/// Blocks on the disk.
fn reports(
    vault: &Vault,
    agent: &AgentName,
    others: &mut OtherTasks,
) -> Result<Vec<(TaskNote, Returned)>, VaultError> {
    let own = format!("{}/{agent}", layout::IN_PROGRESS);
    let mut found = Vec::new();
    let mut there = OtherTasks::new();
    for folder in [layout::NEEDS_ACTION, &own] {
        for entry in vault.walk_in(folder)? {
            if entry.path.stem().parse::<TaskId>().is_err() {
                continue;
            }
            let state = (entry.path.clone(), entry.len, entry.modified);
            if others.contains(&state) {
                there.insert(state);
                continue;
            }
            let text = vault.read_text(&entry.path, MAX_TASK_BYTES).ok();
            let note = text.and_then(|text| TaskNote::parse(&text).ok());
            match note.and_then(|note| Some((note.returned()?, note))) {
                Some((returned, note)) => found.push((note, returned)),
                None => drop(there.insert(state)),
            }
        }
    }
    *others = there;
    Ok(found)
}

/// What was carried out, by its draft's file in `Done/` or, if that cannot be found, by the task that it was
/// `intended` for; and by that task's receipt. Blocks on the disk.
fn find_sent(
    vault: &Vault,
    draft: DraftId,
    intended: Option<TaskId>,
) -> Result<SentLookup, VaultError> {
    let done = vault.walk_in(layout::DONE)?;
    let file = done.iter().find(|entry| {
        entry.path.stem() == draft.to_string() && entry.path.extension() == Some("md")
    });
    let text = file.and_then(|file| vault.read_text(&file.path, MAX_DRAFT_BYTES).ok());
    let of_draft = text.and_then(|text| DraftNote::parse(&text).ok());
    let Some(task) = of_draft.as_ref().map(|note| note.task).or(intended) else {
        return Ok(SentLookup::Missing);
    };
    let name = task.to_string();
    let mut open = vault.walk_in(layout::NEEDS_ACTION)?;
    open.extend(vault.walk_in(layout::IN_PROGRESS)?);
    let mut all = open.into_iter().chain(done);
    let Some(entry) = all.find(|entry| entry.path.stem() == name) else {
        return Ok(SentLookup::Missing);
    };
    let is_open = entry.path.top() != layout::DONE;
    let text = vault.read_text(&entry.path, MAX_TASK_BYTES)?;
    let note = Note::parse(&text).ok();
    let Some(note) = note.filter(|note| note.has_receipt(draft)) else {
        return Ok(match is_open {
            true => SentLookup::Open,
            false => SentLookup::Missing,
        });
    };
    let subject = || one_line(note.get_text("subject").unwrap_or_default(), 80);
    Ok(SentLookup::Sent(Sent {
        draft,
        task,
        path: entry.path,
        summary: of_draft.map_or_else(subject, |draft| draft.summary),
        body: note.body().to_owned(),
    }))
}

/// Writes into a finished task that its mail came back, and puts it where agents find it; whether it is put
/// there. Blocks on the disk.
fn open_again(
    vault: &Vault,
    path: &VaultPath,
    draft: DraftId,
    reason: &str,
    report: TaskId,
    block: &str,
) -> Result<bool, String> {
    let failed = |error: VaultError| error.to_string();
    let text = vault.read_text(path, MAX_TASK_BYTES).map_err(failed)?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    let is_new =
        reopen(&mut note, draft, reason, report, block).map_err(|error| error.to_string())?;
    if is_new {
        let edited = note.to_text();
        vault
            .replace(path, edited.as_bytes(), Some(text.as_bytes()))
            .map_err(failed)?;
    }
    // Finished again since: what came back then is known, and it stays finished.
    if path.top() != layout::DONE || note.get("finished").is_some() {
        return Ok(false);
    }
    let task = TaskNote::from_note(&note).map_err(|error| error.to_string())?;
    let waiting = layout::waiting(task.zone, task.id);
    vault.rename(path, &waiting).map_err(failed)?;
    Ok(true)
}

/// Writes an automatic answer into the note of the task that it is about, once. Blocks on the disk.
fn attach(
    vault: &Vault,
    path: &VaultPath,
    report: TaskId,
    from: &str,
    block: &str,
) -> Result<(), String> {
    let failed = |error: VaultError| error.to_string();
    let text = vault.read_text(path, MAX_TASK_BYTES).map_err(failed)?;
    let mut note = Note::parse(&text).map_err(|error| error.to_string())?;
    let name = report.to_string();
    if note.body().contains(&name) {
        return Ok(());
    }
    let from: String = one_line(from, 100)
        .chars()
        .filter(|c| c.is_alphanumeric() || " .,@-+_".contains(*c))
        .collect();
    note.set_body(format!(
        "{}\n\n# Automatic answer\n\n- From {from}, as {name}\n\n{block}",
        note.body().trim_end()
    ));
    let edited = note.to_text();
    vault
        .replace(path, edited.as_bytes(), Some(text.as_bytes()))
        .map_err(failed)
}

#[cfg(test)]
mod tests {
    use platinum_core::{ActionKind, ZoneId};
    use platinum_vault::note::{ReceiptRecord, finish, receipts_of};

    use super::*;

    fn draft() -> DraftId {
        DraftId::from_parts(1, 1)
    }

    fn id() -> TaskId {
        TaskId::from_parts(1, 2)
    }

    fn path(text: &str) -> VaultPath {
        VaultPath::new(text).unwrap()
    }

    /// The note of a task, finished with a receipt if it `is_sent`.
    fn task(is_sent: bool) -> String {
        let task = TaskNote {
            id: id(),
            zone: ZoneId::EMAIL,
            source: "imap:me".to_owned(),
            from: "Ada <ada@x.test>".to_owned(),
            subject: "Offer".to_owned(),
            received: None,
            created: Timestamp::UNIX_EPOCH,
            by: "intake/mail".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: "Text.\n".to_owned(),
        };
        let mut note = Note::parse(&task.render()).unwrap();
        let receipt = ReceiptRecord {
            draft: draft(),
            kind: ActionKind::EMAIL_SEND,
            at: Timestamp::UNIX_EPOCH,
            reference: "1@x".to_owned(),
            answer: "250".to_owned(),
            recipients: vec![],
            sha256: String::new(),
            came_back: None,
        };
        if is_sent {
            finish(&mut note, "done", "Sent", Timestamp::UNIX_EPOCH, &[receipt]).unwrap();
        }
        note.to_text()
    }

    /// Whatever the owner has made of its draft's file.
    #[test]
    fn sent_mail_is_found_by_the_task_it_was_for() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let find = |intended| find_sent(&vault, draft(), intended).unwrap();
        let open = layout::waiting(ZoneId::EMAIL, id());
        assert!(matches!(find(Some(id())), SentLookup::Missing));
        vault.create(&open, task(false).as_bytes()).unwrap();
        assert!(matches!(find(Some(id())), SentLookup::Open));
        let done = path(&format!("Done/1970/01/{}.md", id()));
        vault.rename(&open, &done).unwrap();
        assert!(matches!(find(Some(id())), SentLookup::Missing));
        vault.replace(&done, task(true).as_bytes(), None).unwrap();
        assert!(matches!(find(None), SentLookup::Missing));
        for text in [None, Some("no draft any more")] {
            if let Some(text) = text {
                let file = path(&format!("Done/1970/01/{}.md", draft()));
                vault.create(&file, text.as_bytes()).unwrap();
            }
            let SentLookup::Sent(sent) = find(Some(id())) else {
                panic!("{text:?}");
            };
            assert_eq!((sent.path, &*sent.summary), (done.clone(), "Offer"));
        }
        vault.replace(&done, b"no note", None).unwrap();
        assert!(matches!(find(Some(id())), SentLookup::Missing));
    }

    #[test]
    fn second_report_is_added_to_the_open_task() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let (done, open) = (
            path(&format!("Done/1970/01/{}.md", id())),
            layout::waiting(ZoneId::EMAIL, id()),
        );
        vault.create(&done, task(true).as_bytes()).unwrap();
        let report = |number| TaskId::from_parts(2, number);
        let add = |at: &VaultPath, why, number| {
            open_again(
                &vault,
                at,
                draft(),
                why,
                report(number),
                "```\nSorry\n```\n",
            )
            .unwrap()
        };
        assert!(add(&done, "ann: gone", 1));
        assert!(!add(&open, "ann: gone", 1));
        assert!(!add(&open, "bob: full", 2));
        let text = vault.read_text(&open, MAX_TASK_BYTES).unwrap();
        assert_eq!(text.matches("# What came back").count(), 2);
        let receipts = receipts_of(&Note::parse(&text).unwrap()).unwrap();
        assert_eq!(
            receipts[0].came_back.as_deref(),
            Some("ann: gone; bob: full")
        );
    }
}
