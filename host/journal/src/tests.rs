//! Tests of the journal: at most once, over crashes, in doubt, and tampering.

use std::{path::Path, process::Command};

use platinum_core::{ActionKind, DraftId, TaskId, Timestamp};
use proptest::prelude::*;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{Begin, Intent, Journal, JournalError, Outcome, Receipt, State};

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(folder: &TempDir) -> Journal {
    Journal::open(&folder.path().join("journal.db")).unwrap()
}

pub(crate) fn draft(number: u128) -> DraftId {
    DraftId::from_parts(1, number)
}

pub(crate) fn intent(number: u128) -> Intent {
    Intent {
        draft: draft(number),
        task: TaskId::from_parts(1, number / 10),
        kind: ActionKind::EMAIL_SEND,
        fingerprint: "ab".repeat(32),
        message: None,
        reference: format!("{number}@example.test"),
        recipients: vec!["Ada@example.test".to_owned()],
        at: "2026-11-20T18:40:00Z".parse().unwrap(),
        notes_hand_over: true,
    }
}

fn receipt(number: u128) -> Receipt {
    Receipt {
        at: "2026-11-20T18:41:00Z".parse::<Timestamp>().unwrap(),
        reference: format!("{number}@example.test"),
        answer: "250 queued \"it\"".to_owned(),
    }
}

pub(crate) fn not_sent() -> Outcome {
    Outcome::NotSent {
        reason: "451 later".to_owned(),
        retry: true,
        differs: false,
    }
}

fn unknown() -> Outcome {
    Outcome::Unknown {
        reason: "connection lost after DATA".to_owned(),
    }
}

fn goes(begin: &Begin) -> bool {
    matches!(begin, Begin::Go { .. })
}

/// An effect goes once and its receipt is there after a restart.
#[test]
fn effect_goes_once_and_its_receipt_survives() {
    let folder = folder();
    let journal = open(&folder);
    assert_eq!(journal.state(draft(1)).unwrap(), State::Absent);
    let begin = journal.intend(&intent(1)).unwrap();
    assert_eq!(
        begin,
        Begin::Go {
            reference: "1@example.test".to_owned()
        }
    );
    journal
        .record(draft(1), &Outcome::Receipt(receipt(1)))
        .unwrap();
    drop(journal);
    let journal = open(&folder);
    assert_eq!(
        journal.intend(&intent(1)).unwrap(),
        Begin::AlreadyDone(receipt(1))
    );
    assert_eq!(
        journal.state(draft(1)).unwrap(),
        State::Done(intent(1), receipt(1))
    );
    assert!(journal.open_intents().unwrap().is_empty());
    assert_eq!(journal.verify().unwrap().entries, 2);
}

/// An attempt without an outcome is in doubt for everybody else.
#[test]
fn attempt_without_outcome_is_in_doubt() {
    let folder = folder();
    let first = open(&folder);
    assert!(goes(&first.intend(&intent(1)).unwrap()));
    let second = open(&folder);
    let mut other = intent(1);
    other.reference = "another@example.test".to_owned();
    assert_eq!(second.intend(&other).unwrap(), Begin::InDoubt(intent(1)));
    assert_eq!(first.intend(&other).unwrap(), Begin::InDoubt(intent(1)));
    assert_eq!(second.open_intents().unwrap(), [intent(1)]);
}

/// Runs in a process of its own, which dies between the intent and the receipt.
#[test]
fn child_dies_after_the_intent() {
    if let Some(path) = std::env::var_os("PLATINUM_JOURNAL_TO_DIE_ON") {
        let journal = Journal::open(Path::new(&path)).unwrap();
        assert!(goes(&journal.intend(&intent(7)).unwrap()));
        std::process::abort();
    }
}

/// A host that died between intent and receipt leaves the attempt in doubt.
#[test]
fn crash_between_intent_and_receipt_is_in_doubt() {
    let folder = folder();
    let status = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "tests::child_dies_after_the_intent"])
        .env(
            "PLATINUM_JOURNAL_TO_DIE_ON",
            folder.path().join("journal.db"),
        )
        .output()
        .unwrap()
        .status;
    assert!(!status.success());
    let journal = open(&folder);
    assert_eq!(journal.open_intents().unwrap(), [intent(7)]);
    assert_eq!(
        journal.intend(&intent(7)).unwrap(),
        Begin::InDoubt(intent(7))
    );
    journal.verify().unwrap();
    // The mail server knows the Message-ID: it was sent.
    journal
        .record(draft(7), &Outcome::Receipt(receipt(7)))
        .unwrap();
    assert_eq!(
        journal.intend(&intent(7)).unwrap(),
        Begin::AlreadyDone(receipt(7))
    );
}

/// The files of a host that lost power hold the intent.
#[test]
fn power_failure_keeps_the_intent() {
    let (folder, after) = (folder(), self::folder());
    let journal = open(&folder);
    assert!(goes(&journal.intend(&intent(1)).unwrap()));
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        // The index of the log is rebuilt from the log.
        if !entry.file_name().to_string_lossy().ends_with("-shm") {
            std::fs::copy(entry.path(), after.path().join(entry.file_name())).unwrap();
        }
    }
    assert_eq!(
        open(&after).intend(&intent(1)).unwrap(),
        Begin::InDoubt(intent(1))
    );
}

/// After a definite failure the same bytes go again under the same reference, and others never.
#[test]
fn definite_failure_retries_under_one_reference() {
    let folder = folder();
    let journal = open(&folder);
    assert!(goes(&journal.intend(&intent(1)).unwrap()));
    journal.record(draft(1), &not_sent()).unwrap();
    assert!(journal.open_intents().unwrap().is_empty());
    let mut again = intent(1);
    again.reference = "fresh@example.test".to_owned();
    let begin = journal.intend(&again).unwrap();
    assert_eq!(
        begin,
        Begin::Go {
            reference: "1@example.test".to_owned()
        }
    );
    journal.record(draft(1), &not_sent()).unwrap();
    again.fingerprint = "cd".repeat(32);
    let begin = journal.intend(&again).unwrap();
    assert_eq!(
        begin,
        Begin::Go {
            reference: "fresh.2@example.test".to_owned()
        }
    );
    let State::Intended(under_way) = journal.state(draft(1)).unwrap() else {
        panic!()
    };
    assert_eq!(under_way.fingerprint, "cd".repeat(32));
    assert_eq!(journal.intend(&again).unwrap(), Begin::InDoubt(under_way));
}

#[test]
fn unknown_outcome_blocks_until_resolved() {
    let folder = folder();
    let journal = open(&folder);
    assert!(goes(&journal.intend(&intent(1)).unwrap()));
    journal.record(draft(1), &unknown()).unwrap();
    assert_eq!(
        journal.intend(&intent(1)).unwrap(),
        Begin::InDoubt(intent(1))
    );
    assert_eq!(journal.open_intents().unwrap(), [intent(1)]);
    journal.record(draft(1), &unknown()).unwrap();
    journal.record(draft(1), &not_sent()).unwrap();
    assert!(goes(&journal.intend(&intent(1)).unwrap()));
}

#[test]
fn outcome_needs_an_attempt_and_receipt_is_final() {
    let folder = folder();
    let journal = open(&folder);
    let done = Outcome::Receipt(receipt(1));
    assert!(matches!(
        journal.record(draft(1), &done),
        Err(JournalError::NoIntent(_))
    ));
    journal.intend(&intent(1)).unwrap();
    journal.record(draft(1), &done).unwrap();
    journal.record(draft(1), &done).unwrap();
    assert!(matches!(
        journal.record(draft(1), &not_sent()),
        Err(JournalError::AlreadyDone(_))
    ));
    assert_eq!(journal.verify().unwrap().entries, 2);
}

#[test]
fn receipts_of_a_task_are_in_order() {
    let folder = folder();
    let journal = open(&folder);
    for number in [12, 11, 25, 13] {
        journal.intend(&intent(number)).unwrap();
        let outcome = if number == 13 {
            unknown()
        } else {
            Outcome::Receipt(receipt(number))
        };
        journal.record(draft(number), &outcome).unwrap();
    }
    let receipts = journal.receipts_of(TaskId::from_parts(1, 1)).unwrap();
    let drafts: Vec<_> = receipts.iter().map(|found| found.intent.draft).collect();
    assert_eq!(drafts, [draft(12), draft(11)]);
    assert_eq!(receipts[0].receipt, receipt(12));
}

#[test]
fn begin_race_admits_one() {
    let folder = folder();
    let path = folder.path().join("journal.db");
    let go: usize = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| goes(&Journal::open(&path).unwrap().intend(&intent(1)).unwrap()))
            })
            .collect();
        threads
            .into_iter()
            .map(|t| usize::from(t.join().unwrap()))
            .sum()
    });
    assert_eq!(go, 1);
    assert_eq!(open(&folder).verify().unwrap().entries, 1);
}

/// Changes the file as a program could that has the file but not the journal's code.
fn tamper(folder: &TempDir, sql: &str) -> JournalError {
    let connection = Connection::open(folder.path().join("journal.db")).unwrap();
    connection
        .execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;")
        .unwrap();
    connection.execute_batch(sql).unwrap();
    open(folder).verify().unwrap_err()
}

#[test]
fn verify_tampered_entry_is_named() {
    for (sql, entry) in [
        (
            "UPDATE entries SET data = replace(data, 'example', 'elsewhere') WHERE seq = 2",
            2,
        ),
        ("UPDATE entries SET event = 'outcome' WHERE seq = 1", 1),
        ("UPDATE entries SET task = draft WHERE seq = 3", 3),
        ("DELETE FROM entries WHERE seq = 2", 3),
        ("DELETE FROM entries WHERE seq = 4", 3),
        ("DELETE FROM entries", 0),
        ("UPDATE entries SET seq = 9 WHERE seq = 4", 9),
    ] {
        let folder = folder();
        let journal = open(&folder);
        for number in [1, 2] {
            journal.intend(&intent(number)).unwrap();
            journal
                .record(draft(number), &Outcome::Receipt(receipt(number)))
                .unwrap();
        }
        drop(journal);
        match tamper(&folder, sql) {
            JournalError::Broken { entry: found, .. } => assert_eq!(found, entry, "{sql}"),
            other => panic!("{sql}: {other}"),
        }
    }
}

/// Entries are neither changed nor removed through sql.
#[test]
fn sql_update_and_delete_are_refused() {
    let folder = folder();
    open(&folder).intend(&intent(1)).unwrap();
    let connection = Connection::open(folder.path().join("journal.db")).unwrap();
    for sql in ["DELETE FROM entries", "UPDATE entries SET data = '{}'"] {
        assert!(connection.execute_batch(sql).is_err());
    }
}

#[test]
fn open_other_file_is_refused() {
    let folder = folder();
    let path = folder.path().join("journal.db");
    let newer = open(&folder);
    drop(newer);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("PRAGMA user_version = 3").unwrap();
    let error = Journal::open(&path).unwrap_err().to_string();
    assert!(
        error.contains("has layout 3, and this Platinum knows 2"),
        "{error}"
    );

    let other = folder.path().join("other.db");
    Connection::open(&other)
        .unwrap()
        .execute_batch("CREATE TABLE t (x)")
        .unwrap();
    assert!(matches!(
        Journal::open(&other),
        Err(JournalError::NotAJournal(_))
    ));

    let text = folder.path().join("text.md");
    std::fs::write(&text, "# not a database\n".repeat(100)).unwrap();
    assert!(matches!(
        Journal::open(&text),
        Err(JournalError::Database(_))
    ));
    assert!(matches!(
        Journal::open(&folder.path().join("missing/journal.db")),
        Err(JournalError::Open { .. })
    ));
}

#[test]
fn journal_file_is_private_and_durable() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let journal = open(&folder);
    journal.intend(&intent(1)).unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
    assert_eq!(journal.pragma("synchronous"), "2");
    assert_eq!(journal.pragma("journal_mode"), "wal");
}

/// What a host may do with one draft.
#[derive(Debug, Clone)]
enum Move {
    Intend,
    Record(Outcome),
    Restart,
}

fn a_move() -> impl Strategy<Value = Move> {
    prop_oneof![
        3 => Just(Move::Intend),
        1 => Just(Move::Record(Outcome::Receipt(receipt(1)))),
        2 => Just(Move::Record(not_sent())),
        2 => Just(Move::Record(unknown())),
        1 => Just(Move::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// The rule for every history: between two "go" there is a definite failure,
    /// and after a receipt there is none.
    #[test]
    fn any_history_retries_only_after_definite_failure(moves in prop::collection::vec(a_move(), 1..14)) {
        let folder = folder();
        let mut journal = open(&folder);
        let (mut may_go, mut done, mut entries) = (true, false, 0);
        for step in moves {
            match step {
                Move::Intend => {
                    let begin = journal.intend(&intent(1)).unwrap();
                    prop_assert_eq!(goes(&begin), may_go && !done);
                    prop_assert_eq!(matches!(begin, Begin::AlreadyDone(_)), done);
                    entries += u64::from(goes(&begin));
                    may_go = false;
                }
                Move::Record(outcome) => {
                    let was_open = !may_go && !done;
                    let taken = journal.record(draft(1), &outcome).is_ok();
                    let same = done && matches!(outcome, Outcome::Receipt(_));
                    prop_assert_eq!(taken, was_open || same);
                    if was_open {
                        entries += 1;
                        done = matches!(outcome, Outcome::Receipt(_));
                        may_go = matches!(outcome, Outcome::NotSent { .. });
                    }
                }
                Move::Restart => journal = open(&folder),
            }
        }
        prop_assert_eq!(journal.open_intents().unwrap().len(), usize::from(!may_go && !done));
        prop_assert_eq!(journal.verify().unwrap().entries, entries);
    }
}

#[test]
fn attempt_without_a_hand_over_is_not_in_doubt() {
    let folder = folder();
    let journal = open(&folder);
    journal.intend(&intent(1)).unwrap();
    assert_eq!(journal.state(draft(1)).unwrap(), State::Intended(intent(1)));
    journal.hand_over(draft(1)).unwrap();
    assert_eq!(
        journal.state(draft(1)).unwrap(),
        State::HandedOver(intent(1))
    );
    assert_eq!(journal.open_intents().unwrap(), [intent(1)]);
    // Handed over once, and an outcome ends it.
    assert!(matches!(
        journal.hand_over(draft(1)),
        Err(JournalError::NoIntent(_))
    ));
    journal.record(draft(1), &not_sent()).unwrap();
    assert!(journal.open_intents().unwrap().is_empty());
    assert!(matches!(
        journal.hand_over(draft(1)),
        Err(JournalError::NoIntent(_))
    ));
    journal.verify().unwrap();
}

/// What was written before the journal was told of it may have happened.
#[test]
fn intent_that_promises_no_hand_over_counts_as_handed_over() {
    let folder = folder();
    let journal = open(&folder);
    let old = Intent {
        notes_hand_over: false,
        ..intent(1)
    };
    journal.intend(&old).unwrap();
    assert_eq!(journal.state(draft(1)).unwrap(), State::HandedOver(old));
}

#[test]
fn let_go_attempt_is_closed_and_the_next_has_a_new_reference() {
    let folder = folder();
    let journal = open(&folder);
    journal.intend(&intent(1)).unwrap();
    // It was not handed over: there is nothing to let go.
    assert!(journal.let_go(draft(1)).is_err());
    journal.hand_over(draft(1)).unwrap();
    // It may be under way.
    assert!(journal.let_go(draft(1)).is_err());
    assert!(journal.doubts().unwrap().is_empty());
    journal.record(draft(1), &unknown()).unwrap();
    assert_eq!(journal.doubts().unwrap(), [intent(1)]);
    journal.let_go(draft(1)).unwrap();
    assert_eq!(journal.state(draft(1)).unwrap(), State::LetGo(intent(1)));
    assert!(journal.open_intents().unwrap().is_empty());
    for number in 2..4 {
        assert_eq!(
            journal.intend(&intent(1)).unwrap(),
            Begin::Go {
                reference: format!("1.{number}@example.test")
            }
        );
        journal.hand_over(draft(1)).unwrap();
        journal.record(draft(1), &unknown()).unwrap();
        journal.let_go(draft(1)).unwrap();
    }
    journal.verify().unwrap();
}

#[test]
fn reference_is_never_used_for_other_bytes() {
    let folder = folder();
    let journal = open(&folder);
    let changed = |digit: &str| Intent {
        fingerprint: digit.repeat(64),
        ..intent(1)
    };
    let mut used = Vec::new();
    for fingerprint in ["a", "a", "b", "b", "c"] {
        let Begin::Go { reference } = journal.intend(&changed(fingerprint)).unwrap() else {
            panic!("refused");
        };
        journal.record(draft(1), &not_sent()).unwrap();
        used.push(reference);
    }
    assert_eq!(
        used,
        [
            "1@example.test",
            "1@example.test",
            "1.2@example.test",
            "1.2@example.test",
            "1.3@example.test"
        ]
    );
}

/// Whom something reached is known once there is a receipt, and not by an attempt.
#[test]
fn has_reached_needs_a_receipt() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder);
    journal.intend(&intent(1)).unwrap();
    assert!(!journal.has_reached("ada@example.test").unwrap());
    journal.record(draft(1), &not_sent()).unwrap();
    assert!(!journal.has_reached("ada@example.test").unwrap());
    journal.intend(&intent(1)).unwrap();
    journal
        .record(draft(1), &Outcome::Receipt(receipt(1)))
        .unwrap();
    assert!(journal.has_reached("ADA@example.test").unwrap());
    assert!(!journal.has_reached("eve@example.test").unwrap());
    assert!(journal.verify().is_ok());
}

/// A recipient of an attempt that did not happen was not reached by the one that did.
#[test]
fn has_reached_counts_the_attempt_that_happened() {
    let folder = tempfile::tempdir().unwrap();
    let journal = open(&folder);
    let attempt = |fingerprint: &str, recipient: &str| Intent {
        fingerprint: fingerprint.to_owned(),
        recipients: vec![recipient.to_owned()],
        ..intent(1)
    };
    journal.intend(&attempt("a", "eve@else.test")).unwrap();
    let not_sent = Outcome::NotSent {
        reason: "550 no such user".to_owned(),
        retry: false,
        differs: false,
    };
    journal.record(draft(1), &not_sent).unwrap();
    journal.intend(&attempt("b", "Ada@example.test")).unwrap();
    journal.hand_over(draft(1)).unwrap();
    journal
        .record(draft(1), &Outcome::Receipt(receipt(1)))
        .unwrap();
    assert!(journal.has_reached("ada@example.test").unwrap());
    assert!(!journal.has_reached("eve@else.test").unwrap());
}
