//! Any text as the rows of a journal: reading them ends in a value or an error, the change is found, and nothing is
//! added behind them.

use platinum_core::{DraftId, TaskId};
use platinum_journal::Journal;

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("journal.db");
    drop(Journal::open(&path).expect("a new journal"));
    let (draft, task) = (DraftId::from_parts(1, 1), TaskId::from_parts(1, 1));
    let file = rusqlite::Connection::open(&path).expect("the file");
    let mut rows = 0;
    for (number, data) in text.split('\0').take(8).enumerate() {
        let event = ["intent", "outcome", "audit"][number % 3];
        let row = rusqlite::params![number + 1, draft.to_string(), task.to_string(), event, data];
        rows += file
            .execute(
                "INSERT INTO entries VALUES (?1, ?2, ?3, ?4, ?5, '', '')",
                row,
            )
            .expect("a row");
    }
    drop(file);
    let journal = Journal::open(&path).expect("the journal");
    assert!(journal.verify().is_err());
    assert_eq!(journal.newest(9).expect("the rows").len(), rows);
    let _ = journal.state(draft);
    let _ = journal.open_intents();
    let _ = journal.receipts_of(task);
    let event = platinum_journal::AuditEvent::Refused {
        subject: "x".to_owned(),
        reason: "y".to_owned(),
    };
    assert!(
        journal
            .note(&event, platinum_core::Timestamp::UNIX_EPOCH)
            .is_err()
    );
}
