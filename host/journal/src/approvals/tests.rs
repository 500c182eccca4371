//! Tests of approvals: the last one counts, one decision at a time, never changed.

use platinum_core::{ActionKind, DraftId, FileIdentity, TaskId, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;

use super::{Approval, Binding, How, Pause, PendingFile};
use crate::{Begin, Intent, Journal, JournalError, Outcome, Receipt, State};

fn open() -> (TempDir, Journal) {
    let folder = tempfile::tempdir().unwrap();
    let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
    (folder, journal)
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn draft(number: u128) -> DraftId {
    DraftId::from_parts(1, number)
}

fn approval(number: u128, how: How) -> Approval {
    Approval {
        draft: draft(number),
        task: TaskId::from_parts(1, number),
        how,
        binds: Binding {
            fingerprint: "ab".repeat(32),
            expires: at(1000),
            epoch: Some(3),
            send_at: None,
            skills: None,
            message: None,
        },
        machine: "local".to_owned(),
        at: at(0),
        file: None,
        confirmed: Vec::new(),
    }
}

fn approve(journal: &Journal, approval: &Approval) {
    let done: Result<(), JournalError> = journal.decide(|decision| decision.approve(approval));
    done.unwrap();
}

fn intent(number: u128) -> Intent {
    Intent {
        draft: draft(number),
        task: TaskId::from_parts(1, number),
        kind: ActionKind::EMAIL_SEND,
        fingerprint: "ab".repeat(32),
        message: None,
        reference: format!("{number}@example.test"),
        recipients: vec!["Ada@example.test".to_owned()],
        at: at(1),
        notes_hand_over: true,
    }
}

#[test]
fn approval_counts_until_it_is_withdrawn() {
    let (_folder, journal) = open();
    assert_eq!(journal.approval(draft(1)).unwrap(), None);
    let first = approval(1, How::Moved);
    approve(&journal, &first);
    approve(&journal, &approval(2, How::Command));
    assert_eq!(journal.approval(draft(1)).unwrap(), Some(first));
    let withdraw: Result<(), JournalError> =
        journal.decide(|decision| decision.withdraw(draft(1), at(2), "moved back"));
    withdraw.unwrap();
    assert_eq!(journal.approval(draft(1)).unwrap(), None);
    let open: Vec<DraftId> = journal
        .open_approvals()
        .unwrap()
        .iter()
        .map(|approval| approval.draft)
        .collect();
    assert_eq!(open, [draft(2)]);
    // Only a new act counts again.
    let again = approval(1, How::Confirmed);
    approve(&journal, &again);
    assert_eq!(journal.approval(draft(1)).unwrap(), Some(again));
}

#[test]
fn approval_that_was_carried_out_is_open_no_more() {
    let (_folder, journal) = open();
    approve(&journal, &approval(1, How::Moved));
    journal.intend(&intent(1)).unwrap();
    assert_eq!(journal.open_approvals().unwrap().len(), 1);
    let receipt = Receipt {
        at: at(2),
        reference: "1@example.test".to_owned(),
        answer: "250".to_owned(),
    };
    journal
        .record(draft(1), &Outcome::Receipt(receipt))
        .unwrap();
    assert_eq!(journal.open_approvals().unwrap(), []);
    assert!(journal.verify().is_ok());
}

/// What a decision wrote before it failed is not there, and the intent neither.
#[test]
fn decision_that_fails_leaves_nothing() {
    let (_folder, journal) = open();
    let failed: Result<(), JournalError> = journal.decide(|decision| {
        decision.approve(&approval(1, How::Moved))?;
        decision.intend(&intent(1))?;
        Err(JournalError::NoIntent(draft(1)))
    });
    failed.unwrap_err();
    assert_eq!(journal.approval(draft(1)).unwrap(), None);
    assert_eq!(journal.state(draft(1)).unwrap(), State::Absent);
}

/// Of an effect and its undoing, in two processes at once, exactly one comes first.
#[test]
fn of_effect_and_undo_at_once_one_wins() {
    let (folder, journal) = open();
    let other = Journal::open(&folder.path().join("journal.db")).unwrap();
    for number in 1..=40 {
        approve(&journal, &approval(number, How::Moved));
        let begin = || {
            journal.decide(|decision| {
                Ok::<_, JournalError>(match decision.approval(draft(number))? {
                    Some(_) => matches!(decision.intend(&intent(number))?, Begin::Go { .. }),
                    None => false,
                })
            })
        };
        let undo = || {
            other.decide(|decision| {
                let is_open = decision.state(draft(number))? == State::Absent;
                if is_open {
                    decision.withdraw(draft(number), at(3), "undone")?;
                }
                Ok::<_, JournalError>(is_open)
            })
        };
        let (gone, undone) = std::thread::scope(|scope| {
            let gone = scope.spawn(begin);
            let undone = scope.spawn(undo);
            (
                gone.join().unwrap().unwrap(),
                undone.join().unwrap().unwrap(),
            )
        });
        assert!(gone != undone, "{number}: sent {gone}, undone {undone}");
    }
}

#[test]
fn approvals_are_never_changed_or_removed() {
    let (folder, journal) = open();
    approve(&journal, &approval(1, How::Moved));
    let file = Connection::open(folder.path().join("journal.db")).unwrap();
    for (sql, why) in [
        (
            "UPDATE approvals SET draft = 'x'",
            "an approval is never changed",
        ),
        ("DELETE FROM approvals", "an approval is never removed"),
    ] {
        let error = file.execute(sql, []).unwrap_err().to_string();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn pending_file_is_the_one_seen_last() {
    let (_folder, journal) = open();
    assert_eq!(journal.pending_file(draft(1)).unwrap(), None);
    let file = |inode, born, text: &str| PendingFile {
        identity: FileIdentity { inode, born },
        sha256: text.to_owned(),
        is_placed: born.is_some(),
    };
    for seen in [file(u64::MAX, Some(-7), "a"), file(3, None, "b")] {
        journal.note_pending(draft(1), &seen).unwrap();
        assert_eq!(journal.pending_file(draft(1)).unwrap(), Some(seen));
    }
}

#[test]
fn pause_holds_until_it_is_resumed() {
    let (folder, journal) = open();
    assert_eq!(journal.paused().unwrap(), None);
    assert!(journal.pause(at(0), "odd mails").unwrap());
    assert!(!journal.pause(at(5), "again").unwrap());
    drop(journal);
    let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
    let pause = Pause {
        since: at(0),
        reason: "odd mails".to_owned(),
    };
    assert_eq!(journal.paused().unwrap(), Some(pause));
    assert!(journal.resume(at(9)).unwrap());
    assert!(!journal.resume(at(9)).unwrap());
    assert_eq!(journal.paused().unwrap(), None);
}
