//! What is in `Rejected/`, and why each is there: the owner's no, a skill's, or an end in doubt.

use std::collections::BTreeSet;

use platinum_api::approvals::MAX_DRAFT_BYTES;
use platinum_capabilities::in_background;
use platinum_core::{DraftId, layout};
use platinum_journal::State;
use platinum_protocol::TaskPlace;
use platinum_sync::{Drafts, Finish};
use platinum_vault::{
    Vault,
    note::{DraftNote, Note},
};

use super::context::ApprovalContext;

/// The property with the reason of a skill that gave an action back.
const REFUSED: &str = "refused";
/// The property with the owner's reason.
const OWNERS_REASON: &str = "rejected-because";

/// Files the tasks of drafts in `Rejected/`, unless another draft of theirs is still open, or
/// they were claimed again since. A draft whose task was found finished is `closed`: there is
/// nothing left to do about it.
pub(super) async fn finish(context: &ApprovalContext, closed: &mut BTreeSet<DraftId>) -> bool {
    let (vault, done) = (context.vault.clone(), closed.clone());
    let (rejected, open) = in_background(move || rejected_and_open(&vault, &done)).await;
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
        let reason = rejection_reason(context, &rejected).await;
        match context.sync.finish(task, Finish::filed(&reason)).await {
            Ok(()) => changed = true,
            Err(error) => {
                tracing::warn!(%task, "Cannot finish the task yet: {error}.");
            }
        }
    }
    changed
}

/// One line for the owner: why a draft in `Rejected/` is not carried out.
async fn rejection_reason(context: &ApprovalContext, rejected: &Rejected) -> String {
    let (journal, id) = (context.journal(), rejected.draft.id);
    let known = in_background(move || journal.state(id)).await;
    reason_of(rejected, known.ok().as_ref())
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
fn next_step(draft: &DraftNote, place: &TaskPlace, open: &Drafts) -> NextStep {
    match place {
        TaskPlace::Finished => NextStep::Nothing,
        TaskPlace::Owned(claim) if DraftNote::is_under(draft.epoch, claim.epoch) => {
            // What was made on a claim that is not confirmed yet is on its way, too.
            let counts =
                |made: Option<u64>| made == Some(0) || DraftNote::is_under(made, claim.epoch);
            match open.epochs(draft.task).any(counts) {
                true => NextStep::Wait,
                false => NextStep::Finish,
            }
        }
        TaskPlace::Owned(_) | TaskPlace::Waiting | TaskPlace::Absent => NextStep::Wait,
    }
}

/// The drafts in `Rejected/` that are not closed yet, and the tasks that have another draft on its
/// way. Blocks on the disk.
fn rejected_and_open(vault: &Vault, closed: &BTreeSet<DraftId>) -> (Vec<Rejected>, Drafts) {
    let notes = |folder: &str| -> Vec<Note> {
        let entries = vault.list(folder).unwrap_or_default();
        entries
            .iter()
            .filter(|entry| {
                let id = entry.path.stem().parse::<DraftId>();
                id.map_or(true, |id| !closed.contains(&id))
            })
            .filter_map(|entry| vault.read_text(&entry.path, MAX_DRAFT_BYTES).ok())
            .filter_map(|text| Note::parse(&text).ok())
            .collect()
    };
    let rejected: Vec<Rejected> = notes(layout::REJECTED)
        .iter()
        .filter_map(|note| {
            let text = |key: &str| note.get_text(key).map(str::to_owned);
            Some(Rejected {
                draft: DraftNote::from_note(note).ok()?,
                refused: text(REFUSED),
                because: text(OWNERS_REASON),
            })
        })
        .collect();
    if rejected.is_empty() {
        return (rejected, Drafts::default());
    }
    let open = [layout::PENDING_APPROVAL, layout::APPROVED]
        .into_iter()
        .flat_map(notes)
        .filter_map(|note| {
            let made = note.get("epoch").and_then(|epoch| epoch.as_u64());
            Some((note.get_text("task")?.parse().ok()?, made))
        })
        .collect();
    (rejected, open)
}

fn reason_of(rejected: &Rejected, known: Option<&State>) -> String {
    let summary = &rejected.draft.summary;
    match (&rejected.refused, &rejected.because, known) {
        (_, _, Some(State::HandedOver(_) | State::Unknown { .. } | State::LetGo(_))) => format!(
            "It is not known whether the draft “{summary}” was carried out; you put it away."
        ),
        (Some(reason), ..) => format!("The draft “{summary}” was not carried out: {reason}"),
        (None, Some(because), _) => format!("You rejected the draft “{summary}”: {because}"),
        (None, None, Some(State::NotSent { reason, .. })) => {
            format!("You put the draft “{summary}” away; it was not sent: {reason}")
        }
        (None, None, _) => format!("You rejected the draft “{summary}”."),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use platinum_core::{Action, Clock, EmailSend, SystemClock, TaskId};

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
            reason_of(&no(None, None), Some(&State::Absent)),
            "You rejected the draft “Reply to Ada”."
        );
        assert_eq!(
            reason_of(&no(None, Some("too dear")), None),
            "You rejected the draft “Reply to Ada”: too dear"
        );
        assert_eq!(
            reason_of(&no(Some("the address is gone"), None), None),
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
        let none = Drafts::default();
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
            let open = Drafts::from_iter([(task, epoch), (TaskId::from_parts(1, 8), Some(2))]);
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
        let (rejected, open) = rejected_and_open(&vault, &BTreeSet::new());
        assert_eq!(rejected.len(), 2);
        assert_eq!(open, Drafts::from_iter([(TaskId::from_parts(1, 7), None)]));
        let closed = BTreeSet::from([DraftId::from_parts(1, 1)]);
        assert_eq!(rejected_and_open(&vault, &closed).0.len(), 1);
    }
}
