//! What a verification finds, and what it does not blame.

use std::{path::PathBuf, process::Command, sync::Arc};

use platinum_core::TaskId;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

use super::*;
use crate::{
    Begin, HeadSigner, Journal, State,
    approvals::Approval,
    tests::{draft, intent, not_sent},
};

/// A key for tests: who does not know its word cannot make its signatures.
#[derive(Debug)]
pub(crate) struct Key(&'static str);

impl HeadVerifier for Key {
    fn check(&self, head: &str, signature: &str) -> Result<(), String> {
        match self.sign(head)? == signature {
            true => Ok(()),
            false => Err("the signature is of something else".to_owned()),
        }
    }
}

impl HeadSigner for Key {
    fn sign(&self, head: &str) -> Result<String, String> {
        if self.0.is_empty() {
            return Err("there is no key".to_owned());
        }
        Ok(hex::encode(Sha256::digest([self.0, head].concat())))
    }
}

const KEY: Key = Key("owner");

struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    /// A signed log of six entries: three effects of drafts 1 to 3, each with its outcome.
    fn new() -> Self {
        let fixture = Self::empty();
        let journal = fixture.signed();
        for number in 1..=3 {
            journal.intend(&intent(number)).unwrap();
            journal.record(draft(number), &not_sent()).unwrap();
        }
        fixture
    }

    fn empty() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("journal.db")
    }

    fn signed(&self) -> Journal {
        Journal::open_signed(&self.path(), Arc::new(KEY)).unwrap()
    }

    fn witness(&self, entries: u64) -> Witness {
        let hash = self.sql().query_row(
            "SELECT hash FROM entries WHERE seq = ?1",
            [entries.cast_signed()],
            |row| row.get(0),
        );
        Witness {
            entries,
            head: hash.unwrap(),
            by: format!("commit c0ffee{entries} by cloud"),
        }
    }

    /// As a program that has the file and knows how it is made, but has not the key.
    fn sql(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn tamper(&self, sql: &str) {
        let connection = self.sql();
        connection
            .execute_batch("DROP TRIGGER entries_stay; DROP TRIGGER entries_remain;")
            .unwrap();
        connection.execute_batch(sql).unwrap();
        let rows: Vec<Row> = {
            let mut rows = connection
                .prepare("SELECT seq, draft, task, event, data, at FROM entries ORDER BY seq")
                .unwrap();
            let rows = rows.query_map([], Row::read);
            rows.unwrap().map(Result::unwrap).collect()
        };
        let mut head = (0, START.to_owned());
        for row in rows {
            head = (row.seq, row.hash(&head.1));
            connection
                .execute(
                    "UPDATE entries SET hash = ?1 WHERE seq = ?2",
                    params![head.1, head.0],
                )
                .unwrap();
        }
        connection
            .execute(
                "UPDATE head SET seq = ?1, hash = ?2",
                params![head.0, head.1],
            )
            .unwrap();
    }

    fn error(&self, witnesses: &[Witness]) -> String {
        let journal = Journal::open_copy(&self.path()).unwrap();
        journal
            .verify_with(&KEY, witnesses)
            .unwrap_err()
            .to_string()
    }
}

const EDIT: &str = "UPDATE entries SET data = replace(data, 'example', 'elsewhere') WHERE seq = 3";

#[test]
fn verify_signed_log_agrees_with_its_witnesses() {
    let fixture = Fixture::new();
    let witnesses = [fixture.witness(4), fixture.witness(2)];
    let journal = Journal::open_copy(&fixture.path()).unwrap();
    let verified = journal.verify_with(&KEY, &witnesses).unwrap();
    assert_eq!((verified.entries, verified.witnessed), (6, 4));
    assert!(verified.is_signed);
    assert_eq!(journal.head().unwrap(), (6, verified.head));
    assert_eq!(fixture.signed().distrust(), None);
}

/// An entry is changed and the whole chain after it is made anew.
#[test]
fn verify_rewritten_log_names_the_first_entry() {
    let fixture = Fixture::new();
    let witnesses = [2, 4, 6].map(|entries| fixture.witness(entries));
    fixture.tamper(EDIT);
    assert_eq!(
        fixture.error(&[]),
        "the journal was cut or rewritten: its end, entry 6, is not signed by this machine's \
         key (the signature is of something else)"
    );
    assert_eq!(
        fixture.error(&witnesses),
        "the journal was rewritten: entries 3 to 4 are not what commit c0ffee4 by cloud saw; \
         what is there now was written later"
    );
    // Even by somebody who has the key.
    let connection = fixture.sql();
    let (seq, hash): (i64, String) = connection
        .query_row("SELECT seq, hash FROM head", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .unwrap();
    let signature = KEY.sign(&signed_text(seq, &hash)).unwrap();
    connection
        .execute("UPDATE head SET signature = ?1", [signature])
        .unwrap();
    drop(connection);
    let journal = Journal::open_copy(&fixture.path()).unwrap();
    journal.verify_with(&KEY, &[]).unwrap();
    assert_eq!(
        fixture.error(&witnesses[2..]),
        "the journal was rewritten: entries 1 to 6 are not what commit c0ffee6 by cloud saw; \
         what is there now was written later"
    );
}

#[test]
fn verify_cut_or_emptied_log_names_what_is_missing() {
    for (sql, entries, signed, seen) in [
        (
            "DELETE FROM entries WHERE seq > 4",
            "entry 4",
            "entry 5 is missing; commit c0ffee6 by cloud saw 6, and there are 4",
            6,
        ),
        (
            "DELETE FROM entries WHERE seq > 1",
            "entry 1",
            "entry 2 is missing; commit c0ffee2 by cloud saw 2, and there is 1",
            2,
        ),
        (
            "DELETE FROM entries",
            "entry 0",
            "entry 1 is missing; commit c0ffee4 by cloud saw 4, and there are none",
            4,
        ),
    ] {
        let fixture = Fixture::new();
        let witness = fixture.witness(seen);
        fixture.tamper(sql);
        assert_eq!(
            fixture.error(&[]),
            format!(
                "the journal was cut or rewritten: its end, {entries}, is not signed by this \
                 machine's key (the signature is of something else)"
            )
        );
        assert_eq!(
            fixture.error(&[witness]),
            format!("the journal was cut: {signed}")
        );
    }
}

/// The signature is taken away, too, as if the log had never been signed.
#[test]
fn verify_unsigned_log_that_was_seen_signed_is_refused() {
    let fixture = Fixture::new();
    let witness = fixture.witness(2);
    fixture.tamper("UPDATE head SET signature = NULL");
    assert_eq!(
        fixture.error(&[witness]),
        "the journal was cut or rewritten: its end, entry 6, is not signed by this machine's \
         key (commit c0ffee2 by cloud saw it signed)"
    );
}

/// A machine that was restored from a backup: the owner says that it goes on.
#[test]
fn accepted_ends_are_no_contradiction_any_more() {
    let (fixture, other) = (Fixture::new(), Fixture::new());
    let journal = other.signed();
    journal.intend(&intent(4)).unwrap();
    let seen = [fixture.witness(2), other.witness(7)];
    assert_eq!(
        fixture.error(&seen),
        "the journal was cut: entry 7 is missing; commit c0ffee7 by cloud saw 7, and there are 6"
    );
    let journal = fixture.signed();
    let at = "2026-11-20T18:42:00Z".parse().unwrap();
    assert_eq!(journal.accept(&seen, at).unwrap(), 1);
    assert_eq!(journal.accept(&seen, at).unwrap(), 0);
    let verified = journal.verify_with(&KEY, &seen).unwrap();
    assert_eq!(
        (verified.entries, verified.witnessed, verified.accepted),
        (7, 2, 1)
    );
    journal.intend(&intent(4)).unwrap();
}

#[test]
fn rewritten_log_takes_no_entry() {
    let fixture = Fixture::new();
    fixture.tamper(EDIT);
    let journal = fixture.signed();
    let why = "the journal was cut or rewritten: its end, entry 6, is not signed by this \
               machine's key (the signature is of something else)";
    assert_eq!(journal.distrust().as_deref(), Some(why));
    assert_eq!(
        journal.intend(&intent(4)).unwrap_err().to_string(),
        format!("nothing is added to the journal: {why}")
    );
    assert_eq!(journal.state(draft(4)).unwrap(), State::Absent);
}

/// The log is changed while the daemon runs.
#[test]
fn log_cut_behind_an_open_journal_takes_no_entry() {
    let fixture = Fixture::new();
    let journal = fixture.signed();
    fixture
        .sql()
        .execute_batch("DROP TRIGGER entries_remain; DELETE FROM entries WHERE seq = 6")
        .unwrap();
    assert_eq!(
        journal.intend(&intent(4)).unwrap_err().to_string(),
        "the journal was tampered with or damaged at entry 6: the entries end elsewhere than \
         they did"
    );
}

#[test]
fn signed_log_takes_no_entry_without_the_key() {
    let fixture = Fixture::new();
    let keyless = Journal::open(&fixture.path()).unwrap();
    assert_eq!(
        keyless.intend(&intent(4)).unwrap_err().to_string(),
        "nothing is added to the journal: it is signed, and was opened without the machine's key"
    );
    let other = Journal::open_signed(&fixture.path(), Arc::new(Key("other"))).unwrap();
    other.intend(&intent(4)).unwrap_err();
    fixture.signed().intend(&intent(4)).unwrap();
}

/// What the disk, the file system or the key refuses is not done.
#[test]
fn entry_that_cannot_be_written_lets_nothing_go() {
    let fixture = Fixture::new();
    let journal = fixture.signed();
    let full: i64 = journal
        .lock()
        .query_row("PRAGMA page_count", [], |row| row.get(0))
        .unwrap();
    let mut big = intent(4);
    big.reference = "r".repeat(100_000);
    for (limit, release, why) in [
        (
            format!("PRAGMA max_page_count = {full}"),
            "PRAGMA max_page_count = 1073741823",
            "the journal cannot be used: database or disk is full",
        ),
        (
            "PRAGMA query_only = ON".to_owned(),
            "PRAGMA query_only = OFF",
            "the journal cannot be used: attempt to write a readonly database",
        ),
    ] {
        let pragma = |sql: &str| journal.lock().execute_batch(sql).unwrap();
        pragma(&limit);
        assert_eq!(journal.intend(&big).unwrap_err().to_string(), why);
        pragma(release);
        assert_eq!(journal.state(draft(4)).unwrap(), State::Absent);
        assert_eq!(journal.verify_with(&KEY, &[]).unwrap().entries, 6);
    }
    let unsigned = Fixture::empty();
    let journal = Journal::open_signed(&unsigned.path(), Arc::new(Key("")));
    assert_eq!(
        journal.unwrap_err().to_string(),
        "the journal cannot be used: there is no key"
    );
    journal_goes_again(&fixture);
}

fn journal_goes_again(fixture: &Fixture) {
    let begin = fixture.signed().intend(&intent(4)).unwrap();
    assert!(matches!(begin, Begin::Go { .. }), "{begin:?}");
}

/// Runs in a process of its own, which dies at a fail point while it adds an entry.
#[test]
fn child_dies_at_a_fail_point() {
    let Some(path) = std::env::var_os("PLATINUM_JOURNAL_TO_ADD_TO") else {
        return;
    };
    let journal = Journal::open_signed(&PathBuf::from(path), Arc::new(KEY)).unwrap();
    let point = std::env::var("PLATINUM_JOURNAL_FAIL_POINT").unwrap();
    fail::cfg_callback(point, || std::process::abort()).unwrap();
    journal.intend(&intent(4)).unwrap();
}

#[test]
fn crash_at_a_fail_point_keeps_the_log_whole() {
    for point in ["journal-appended", "journal-signed"] {
        let fixture = Fixture::new();
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "verify::tests::child_dies_at_a_fail_point"])
            .env("PLATINUM_JOURNAL_TO_ADD_TO", fixture.path())
            .env("PLATINUM_JOURNAL_FAIL_POINT", point)
            .output()
            .unwrap();
        assert!(!status.status.success(), "{point}: {status:?}");
        let journal = fixture.signed();
        assert_eq!(journal.distrust(), None, "{point}");
        assert_eq!(journal.state(draft(4)).unwrap(), State::Absent, "{point}");
        assert_eq!(journal.verify_with(&KEY, &[]).unwrap().entries, 6);
        journal_goes_again(&fixture);
    }
}

/// A log as an earlier version wrote it.
#[test]
fn log_of_the_first_layout_goes_on() {
    let fixture = Fixture::empty();
    let connection = fixture.sql();
    connection.execute_batch(crate::file::FIRST).unwrap();
    connection
        .execute_batch("PRAGMA application_id = 0x506c6174; PRAGMA user_version = 1;")
        .unwrap();
    let row = Row {
        seq: 1,
        draft: draft(1).to_string(),
        task: TaskId::from_parts(1, 1).to_string(),
        event: "intent".to_owned(),
        data: serde_json::to_string(&intent(1)).unwrap(),
        at: "2026-11-20T18:40:00Z".to_owned(),
    };
    let hash = row.hash(START);
    connection
        .execute(
            "INSERT INTO entries VALUES (1, ?1, ?2, ?3, ?4, ?5, ?6)",
            params![row.draft, row.task, row.event, row.data, row.at, hash],
        )
        .unwrap();
    connection
        .execute("UPDATE head SET seq = 1, hash = ?1", [&hash])
        .unwrap();
    drop(connection);
    let before = std::fs::read(fixture.path()).unwrap();
    let copy = Journal::open_copy(&fixture.path()).unwrap();
    let verified = copy.verify_with(&KEY, &[]).unwrap();
    assert_eq!((verified.entries, verified.is_signed), (1, false));
    assert_eq!(std::fs::read(fixture.path()).unwrap(), before);

    let journal = fixture.signed();
    let verified = journal.verify_with(&KEY, &[]).unwrap();
    assert_eq!((verified.head, verified.is_signed), (hash, true));
    assert_eq!(journal.open_intents().unwrap(), [intent(1)]);
    journal.record(draft(1), &not_sent()).unwrap();
    journal
        .note(
            &AuditEvent::Refused {
                subject: draft(2).to_string(),
                reason: "no".to_owned(),
            },
            "2026-11-20T18:42:00Z".parse().unwrap(),
        )
        .unwrap();
    assert_eq!(journal.verify_with(&KEY, &[]).unwrap().entries, 3);
}

/// Neither a closed journal nor one that a daemon has open is written to by a reader.
#[test]
fn open_copy_leaves_the_folder_as_it_is() {
    let fixture = Fixture::new();
    let files = || {
        let mut files: Vec<_> = std::fs::read_dir(fixture.folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            // The index of a log that is open: readers mark in it what they still need.
            .filter(|path| path.extension().is_none_or(|end| end != "db-shm"))
            .map(|path| (path.clone(), std::fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let read = || {
        let copy = Journal::open_copy(&fixture.path()).unwrap();
        assert_eq!(copy.open_intents().unwrap(), []);
        copy.newest(9).unwrap().len()
    };
    let closed = files();
    assert_eq!(closed.len(), 1, "the journal alone");
    assert_eq!(read(), 6);
    assert_eq!(files(), closed);
    let journal = fixture.signed();
    journal.intend(&intent(4)).unwrap();
    journal.record(draft(4), &not_sent()).unwrap();
    let open = files();
    assert!(open.len() > 1, "its log is beside it");
    assert_eq!(read(), 8);
    assert_eq!(files(), open);
    let error = Journal::open_copy(&fixture.folder.path().join("other.db")).unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("No such file or directory (os error 2)"),
        "{error}"
    );
    assert_eq!(files(), open);
}

#[test]
fn note_change_writes_only_what_differs() {
    let fixture = Fixture::new();
    let journal = fixture.signed();
    let at = "2026-11-20T18:42:00Z".parse().unwrap();
    let refused = |reason: &str| AuditEvent::Refused {
        subject: "skill x".to_owned(),
        reason: reason.to_owned(),
    };
    for (event, entries) in [
        (refused("no"), 7),
        (refused("no"), 7),
        (refused("not now"), 8),
        (refused("no"), 9),
    ] {
        journal.note_change(&event, at).unwrap();
        assert_eq!(journal.verify_with(&KEY, &[]).unwrap().entries, entries);
    }
    let newest = journal.newest(1).unwrap().remove(0);
    assert_eq!(
        (newest.seq, newest.event.as_str(), newest.draft),
        (9, "audit", None)
    );
    assert_eq!(
        serde_json::from_str::<AuditEvent>(&newest.data).unwrap(),
        refused("no")
    );
}

/// A row about an approval that nobody gave, made by a program that has the file.
#[test]
fn approval_that_is_not_in_the_log_is_found() {
    let fixture = Fixture::new();
    let journal = fixture.signed();
    let at = "2026-11-20T18:42:00Z";
    let approval = serde_json::json!({
        "draft": draft(4), "task": TaskId::from_parts(1, 4), "how": "moved", "at": at,
        "binds": { "fingerprint": "ab".repeat(32), "expires": at, "epoch": 1, "send_at": null },
        "machine": "local",
    });
    let approval: Approval = serde_json::from_value(approval).unwrap();
    journal
        .decide(|decision| decision.approve(&approval))
        .unwrap();
    journal
        .decide(|decision| decision.withdraw(draft(4), approval.at, "its owner took it back"))
        .unwrap();
    let verified = journal.verify_with(&KEY, &[]).unwrap();
    assert_eq!(verified.entries, 8);
    fixture
        .sql()
        .execute_batch(
            "INSERT INTO approvals (draft, event, data, at)
             SELECT draft, event, replace(data, 'abab', 'cdcd'), at FROM approvals WHERE seq = 1",
        )
        .unwrap();
    let why = format!(
        "the approval of {} was not written by Platinum: entry 3 of the approvals is not in the log",
        draft(4)
    );
    assert_eq!(fixture.error(&[]), why);
    assert_eq!(fixture.signed().distrust(), Some(why));
}

/// What a row of the log may hold by mistake: text of every sort, and records with a change in them.
fn row_text() -> impl Strategy<Value = String> {
    let good = |number| serde_json::to_string(&intent(number)).unwrap();
    let outcome = serde_json::to_string(&not_sent()).unwrap();
    prop_oneof![
        "\\PC{0,60}",
        Just(good(1)),
        Just(outcome.clone()),
        Just(r#"{"outcome":"receipt","at":"2026","reference":1}"#.to_owned()),
        Just(r#"{"outcome":["unknown"],"audit":{}}"#.to_owned()),
        (0..200_usize, any::<char>()).prop_map(move |(at, new)| {
            let changed = format!("{}{outcome}", good(1));
            let all = changed.chars().enumerate();
            all.map(|(n, c)| if n == at { new } else { c }).collect()
        }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Rows that nobody wrote: they are read or named as unreadable, and nothing new goes on them.
    #[test]
    fn any_row_is_read_or_named_as_unreadable(
        rows in proptest::collection::vec(
            (proptest::sample::select(vec!["intent", "outcome", "audit"]), row_text(), "\\PC{0,20}"),
            1..6,
        ),
    ) {
        let fixture = Fixture::empty();
        drop(fixture.signed());
        let connection = fixture.sql();
        for (n, (event, data, at)) in rows.iter().enumerate() {
            let hash = if n % 2 == 0 { START } else { "" };
            connection
                .execute(
                    "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                    params![n + 1, draft(1).to_string(), "", event, data, at, hash],
                )
                .unwrap();
        }
        drop(connection);
        let journal = fixture.signed();
        let error = journal.verify_with(&KEY, &[]).unwrap_err().to_string();
        prop_assert_eq!(
            &error,
            "the journal was tampered with or damaged at entry 1: its text is not the one that was written"
        );
        prop_assert_eq!(journal.distrust(), Some(error));
        prop_assert!(journal.intend(&intent(2)).is_err());
        prop_assert_eq!(journal.newest(9).unwrap().len(), rows.len());
        // Neither panics; what it says of the file is an error or a value.
        let _ = journal.state(draft(1));
        let _ = journal.open_intents();
        let _ = journal.receipts_of(TaskId::from_parts(1, 1));
    }
}
