//! What is in `Rejected/`, and why each is there: the owner's no, a skill's, or an end in doubt.

use std::collections::BTreeSet;

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{DraftId, TaskId, VaultPath, layout};
use platinum_journal::State;
use platinum_protocol::TaskPlace;
use platinum_sync::Drafts;
use platinum_vault::{
    Vault, VaultError,
    note::{DraftNote, Note, linked_name},
};

use super::context::ApprovalContext;

/// How the name of a draft's file begins, that of a conflict copy too.
const DRAFT_PREFIX: &str = "draft_";
/// The property with the reason of a skill that gave an action back.
const REFUSED: &str = "refused";
/// The property with the owner's reason.
const OWNERS_REASON: &str = "rejected-because";

/// Files the tasks of drafts in `Rejected/`, unless another draft of theirs is still open, or
/// they were claimed again since. What was carried out, or may have been, is not rejected, wherever
/// its file is. A draft whose task was found finished is `closed`: there is nothing left to do
/// about it.
pub(super) async fn finish(context: &mut ApprovalContext, closed: &mut BTreeSet<DraftId>) -> bool {
    let (vault, done) = (context.vault.clone(), closed.clone());
    let (rejected, open) = match in_background(move || rejected_and_open(&vault, &done)).await {
        Ok(found) => found,
        Err(why) => {
            let text = format!("No task of a rejected draft is filed: {why}");
            return context.notify_once(None, &text).await;
        }
    };
    let mut changed = false;
    for rejected in rejected {
        let task = rejected.draft.task;
        let Some(place) = context.place(task).await else {
            continue;
        };
        match next_step(&rejected.draft, &place, &open) {
            NextStep::Finish => {}
            NextStep::Nothing => {
                closed.insert(rejected.draft.id);
                continue;
            }
            NextStep::Wait => continue,
        }
        let known = match context.state_of(rejected.draft.id).await {
            // Of what was carried out, or may have been, `Rejected/` says nothing.
            Some(known) if known.may_be_tried() => known,
            _ => continue,
        };
        let reason = reason_of(&rejected, &known);
        changed |= context.file(task, &reason).await;
    }
    changed
}

/// A draft in `Rejected/`.
struct Rejected {
    draft: DraftNote,
    /// What the file says of why.
    refused: Option<String>,
    because: Option<String>,
}

/// What a draft in `Rejected/` asks for.
#[derive(Debug, PartialEq, Eq)]
enum NextStep {
    /// Its task is to be filed.
    Finish,
    /// Nothing any more.
    Nothing,
    /// Nothing now.
    Wait,
}

/// What a rejected draft asks for, as its task is now. A no is one to the claim under which the
/// draft was made: a task that was claimed again since is being answered anew.
fn next_step(draft: &DraftNote, place: &TaskPlace, open: &OpenDrafts) -> NextStep {
    match place {
        TaskPlace::Finished => NextStep::Nothing,
        TaskPlace::Owned(claim) if DraftNote::is_under(draft.epoch, claim.epoch) => {
            // What was made on a claim that is not confirmed yet is on its way, too.
            let counts =
                |made: Option<u64>| made == Some(0) || DraftNote::is_under(made, claim.epoch);
            match open.is_unclear(draft.task) || open.drafts.epochs(draft.task).any(counts) {
                true => NextStep::Wait,
                false => NextStep::Finish,
            }
        }
        TaskPlace::Owned(_) | TaskPlace::Waiting | TaskPlace::Absent => NextStep::Wait,
    }
}

/// The drafts that are not decided yet.
#[derive(Debug, Default, PartialEq, Eq)]
struct OpenDrafts {
    drafts: Drafts,
    /// The texts of files that are no draft as they are, but may become one.
    unclear: Vec<String>,
}

impl OpenDrafts {
    /// Whether something that is no draft as it is names this task.
    fn is_unclear(&self, task: TaskId) -> bool {
        let task = task.to_string();
        self.unclear.iter().any(|text| text.contains(&task))
    }
}

/// The drafts in `Rejected/` that are not closed yet, and those on their way. Blocks on the disk.
///
/// # Errors
/// If it is not known whether a task has another draft on its way; why.
fn rejected_and_open(
    vault: &Vault,
    closed: &BTreeSet<DraftId>,
) -> Result<(Vec<Rejected>, OpenDrafts), String> {
    let mut rejected = Vec::new();
    for entry in list(vault, layout::REJECTED)? {
        let id = entry.stem().parse::<DraftId>();
        if id.is_ok_and(|id| closed.contains(&id)) {
            continue;
        }
        // One that cannot be read waits.
        let text = vault.read_text(&entry, MAX_DRAFT_BYTES).ok();
        let Some(note) = text.and_then(|text| Note::parse(&text).ok()) else {
            continue;
        };
        let text = |key: &str| note.get_text(key).map(str::to_owned);
        rejected.extend(DraftNote::from_note(&note).ok().map(|draft| Rejected {
            draft,
            refused: text(REFUSED),
            because: text(OWNERS_REASON),
        }));
    }
    let mut open = OpenDrafts::default();
    if rejected.is_empty() {
        return Ok((rejected, open));
    }
    let mut drafts = Vec::new();
    for folder in [layout::PENDING_APPROVAL, layout::APPROVED] {
        for path in list(vault, folder)? {
            let text = match vault.read_text(&path, MAX_DRAFT_BYTES) {
                Ok(text) => text,
                Err(VaultError::NotFound(_)) => continue,
                // A file of the owner's own.
                Err(_) if !path.file_name().starts_with(DRAFT_PREFIX) => continue,
                Err(error) => {
                    return Err(format!("{path} may be another draft of it: {error}"));
                }
            };
            match task_and_epoch(&text) {
                Some(draft) => drafts.push(draft),
                None => open.unclear.push(text),
            }
        }
    }
    open.drafts = drafts.into_iter().collect();
    Ok((rejected, open))
}

/// The notes of a folder.
fn list(vault: &Vault, folder: &str) -> Result<Vec<VaultPath>, String> {
    let entries = vault.list(folder).map_err(|error| error.to_string())?;
    let paths = entries.into_iter().map(|entry| entry.path);
    Ok(paths
        .filter(|path| path.extension() == Some("md"))
        .collect())
}

/// Which task a draft answers, and under which claim it was made.
fn task_and_epoch(text: &str) -> Option<(TaskId, Option<u64>)> {
    let note = Note::parse(text).ok()?;
    let made = note.get("epoch").and_then(|epoch| epoch.as_u64());
    Some((linked_name(note.get_text("task")?).parse().ok()?, made))
}

/// One line for the owner: why a draft in `Rejected/` is not carried out.
fn reason_of(rejected: &Rejected, known: &State) -> String {
    let summary = &rejected.draft.summary;
    match (&rejected.refused, &rejected.because, known) {
        (_, _, State::LetGo(_)) => format!(
            "It is not known whether the draft “{summary}” was carried out; you put it away."
        ),
        (Some(reason), ..) => format!("The draft “{summary}” was not carried out: {reason}"),
        (None, Some(because), _) => format!("You rejected the draft “{summary}”: {because}"),
        (None, None, State::NotSent { reason, .. }) => {
            format!("You put the draft “{summary}” away; it was not sent: {reason}")
        }
        (None, None, _) => format!("You rejected the draft “{summary}”."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use platinum_core::{Action, Clock, EmailSend, SystemClock};
    use platinum_journal::{Intent, Receipt};

    use super::*;

    fn draft(n: u128, task: u128) -> DraftNote {
        DraftNote {
            id: DraftId::from_parts(1, n),
            created: SystemClock.now(),
            by: "cloud/cloud-draft-email".into(),
            task: TaskId::from_parts(1, task),
            epoch: None,
            action: Action::new(&EmailSend {
                from_account: "owner".into(),
                to: vec!["ada@example.test".into()],
                cc: vec![],
                bcc: vec![],
                subject: "Re: Offer".into(),
                in_reply_to: None,
                references: vec![],
                attachments: vec![],
                body: "Yes.\n".into(),
            }),
            summary: "Reply to Ada".into(),
            reason: "She asked".into(),
            expires: SystemClock.now(),
            doubts: vec![],
        }
    }

    #[test]
    fn each_no_has_its_own_reason() {
        let no = |refused: Option<&str>, because: Option<&str>| Rejected {
            draft: draft(1, 1),
            refused: refused.map(str::to_owned),
            because: because.map(str::to_owned),
        };
        assert_eq!(
            reason_of(&no(None, None), &State::Absent),
            "You rejected the draft “Reply to Ada”."
        );
        assert_eq!(
            reason_of(&no(None, Some("too dear")), &State::Absent),
            "You rejected the draft “Reply to Ada”: too dear"
        );
        assert_eq!(
            reason_of(&no(Some("the address is gone"), None), &State::Absent),
            "The draft “Reply to Ada” was not carried out: the address is gone"
        );
    }

    #[test]
    fn rejecting_a_stale_draft_keeps_the_reclaimed_task_open() {
        let claimed = |epoch| {
            TaskPlace::Owned(platinum_protocol::ClaimRecord {
                id: platinum_core::ClaimId::from_parts(1, 1),
                agent: "cloud".parse().unwrap(),
                epoch,
                at: SystemClock.now(),
                base: String::new(),
                heartbeats: 0,
            })
        };
        let made = |epoch| DraftNote {
            epoch,
            ..draft(1, 7)
        };
        let task = TaskId::from_parts(1, 7);
        let none = OpenDrafts::default();
        assert_eq!(
            next_step(&made(Some(1)), &claimed(2), &none),
            NextStep::Wait
        );
        assert_eq!(
            next_step(&made(Some(2)), &claimed(2), &none),
            NextStep::Finish
        );
        // Where there is nothing to compare it counts, as ever.
        assert_eq!(next_step(&made(None), &claimed(2), &none), NextStep::Finish);
        assert_eq!(
            next_step(&made(Some(1)), &claimed(0), &none),
            NextStep::Finish
        );
        // One that is on its way counts if it is of the claim that holds now.
        for (epoch, then) in [
            (Some(1), NextStep::Finish),
            (Some(2), NextStep::Wait),
            (Some(0), NextStep::Wait),
            (None, NextStep::Wait),
        ] {
            let open = OpenDrafts {
                drafts: [(task, epoch), (TaskId::from_parts(1, 8), Some(2))]
                    .into_iter()
                    .collect(),
                unclear: Vec::new(),
            };
            assert_eq!(
                next_step(&made(Some(2)), &claimed(2), &open),
                then,
                "{epoch:?}"
            );
        }
        assert_eq!(
            next_step(&made(Some(1)), &TaskPlace::Finished, &none),
            NextStep::Nothing
        );
        assert_eq!(
            next_step(&made(Some(1)), &TaskPlace::Waiting, &none),
            NextStep::Wait
        );
    }

    #[test]
    fn rejection_waits_for_another_open_draft() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        for (path, draft) in [
            (layout::rejected(DraftId::from_parts(1, 1)), draft(1, 7)),
            (layout::approved(DraftId::from_parts(1, 2)), draft(2, 7)),
            (layout::rejected(DraftId::from_parts(1, 3)), draft(3, 8)),
        ] {
            vault.create(&path, draft.render().as_bytes()).unwrap();
        }
        fs::write(folder.path().join("Rejected/notes.md"), "mine").unwrap();
        let (rejected, open) = rejected_and_open(&vault, &BTreeSet::new()).unwrap();
        assert_eq!(rejected.len(), 2);
        assert_eq!(
            open.drafts,
            Drafts::from_iter([(TaskId::from_parts(1, 7), None)])
        );
        let closed = BTreeSet::from([DraftId::from_parts(1, 1)]);
        assert_eq!(rejected_and_open(&vault, &closed).unwrap().0.len(), 1);
    }

    /// What may be another draft of its task keeps a rejection from filing it.
    #[test]
    fn rejection_waits_for_what_may_be_a_draft() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let create = |path: &VaultPath, text: &str| vault.create(path, text.as_bytes()).unwrap();
        for n in [7, 8] {
            let rejected = layout::rejected(DraftId::from_parts(1, n));
            create(&rejected, &draft(n, n).render());
        }
        // Its frontmatter is broken.
        let other = draft(2, 7).render().replacen("kind:", "kind", 1);
        create(&layout::pending(DraftId::from_parts(1, 2)), &other);
        let read = || rejected_and_open(&vault, &BTreeSet::new());
        let (rejected, open) = read().unwrap();
        let held = TaskPlace::Owned(platinum_protocol::ClaimRecord {
            id: platinum_core::ClaimId::from_parts(1, 1),
            agent: "cloud".parse().unwrap(),
            epoch: 0,
            at: SystemClock.now(),
            base: String::new(),
            heartbeats: 0,
        });
        let steps: Vec<NextStep> = rejected
            .iter()
            .map(|rejected| next_step(&rejected.draft, &held, &open))
            .collect();
        assert_eq!(steps, [NextStep::Wait, NextStep::Finish]);
        // It cannot be read at all: no task is filed on a guess.
        let path = layout::approved(DraftId::from_parts(1, 3));
        create(&path, "x");
        fs::write(folder.path().join(path.as_str()), [0xff]).unwrap();
        let why = read().err().unwrap();
        assert!(
            why.starts_with(&format!("{path} may be another draft of it: ")),
            "{why}"
        );
    }

    /// What left, or may have, is never filed as rejected.
    #[test]
    fn rejection_does_not_speak_for_what_left() {
        let intent = Intent {
            draft: DraftId::from_parts(1, 1),
            task: TaskId::from_parts(1, 7),
            kind: platinum_core::ActionKind::EMAIL_SEND,
            fingerprint: "f".to_owned(),
            message: None,
            reference: "1@example.test".to_owned(),
            recipients: vec![],
            at: SystemClock.now(),
            notes_hand_over: true,
        };
        let receipt = Receipt {
            at: intent.at,
            reference: intent.reference.clone(),
            answer: "250 ok".to_owned(),
        };
        let reason = "x".to_owned();
        for (known, is) in [
            (State::Done(intent.clone(), receipt), true),
            (State::Intended(intent.clone()), true),
            (State::HandedOver(intent.clone()), true),
            (
                State::Unknown {
                    intent: intent.clone(),
                    reason: reason.clone(),
                },
                true,
            ),
            (State::LetGo(intent.clone()), false),
            (
                State::NotSent {
                    intent,
                    reason,
                    retry: true,
                    differs: false,
                },
                false,
            ),
            (State::Absent, false),
        ] {
            assert_eq!(!known.may_be_tried(), is, "{known:?}");
        }
    }
}
