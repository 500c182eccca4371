//! Tasks that are open again: their mail came back, or their owner put a report back.

use platinum_core::{ActionKind, DraftId, TaskId, Timestamp};

use super::task;
use crate::note::*;

/// A task whose mail came back is open again, and says why; what is sent for it next stands beside.
/// Put back by its owner, it is a mail to answer.
#[test]
fn report_that_was_filed_before_is_a_task() {
    let draft = DraftId::from_parts(1, 2).to_string();
    for name in [BOUNCED_DRAFT, AUTO_REPLY_TO] {
        let mut note =
            Note::parse(&task("s", vec![(name, vec![&draft])], "Body\n").render()).unwrap();
        assert!(TaskNote::from_note(&note).unwrap().returned().is_some());
        finish(
            &mut note,
            FILED,
            "It is in the note",
            Timestamp::UNIX_EPOCH,
            &[],
        )
        .unwrap();
        assert_eq!(TaskNote::from_note(&note).unwrap().returned(), None);
    }
}

#[test]
fn reopen_says_why_and_keeps_the_receipt() {
    let at: Timestamp = "2026-11-21T08:00:00Z".parse().unwrap();
    let text = task("s", vec![("message-id", vec!["a@b"])], "Body\n").render();
    let mut note = Note::parse(&text).unwrap();
    let receipt = |n| ReceiptRecord {
        draft: DraftId::from_parts(1, n),
        kind: ActionKind::EMAIL_SEND,
        at,
        reference: "x@y".to_owned(),
        answer: "250".to_owned(),
        recipients: vec![],
        sha256: String::new(),
        came_back: None,
    };
    assert_eq!(note.finished_at(), None);
    finish(&mut note, "done", "Sent", at, &[receipt(2)]).unwrap();
    assert_eq!(note.finished_at(), Some(at));
    let why = "there is no such address (550: \"gone\")";
    let draft = DraftId::from_parts(1, 2);
    let block = "```text\nSorry\n```\n";
    let report = TaskId::from_parts(1, 4);
    assert!(reopen(&mut note, DraftId::from_parts(1, 3), why, report, block).is_err());
    assert_eq!(reopen(&mut note, draft, why, report, block), Ok(true));
    assert_eq!(reopen(&mut note, draft, "again", report, block), Ok(false));
    let second = TaskId::from_parts(1, 5);
    assert_eq!(reopen(&mut note, draft, why, second, block), Ok(false));
    let mut note = Note::parse(&note.to_text()).unwrap();
    for key in ["outcome", "summary", "finished"] {
        assert_eq!(note.get(key), None, "{key}");
    }
    assert_eq!(
        note.body(),
        format!("Body\n\n# What came back\n\n- As {report}\n\n{block}")
    );
    let read = TaskNote::from_note(&note).unwrap();
    assert_eq!(read.fact(CAME_BACK), [why]);
    assert_eq!(read.fact("message-id"), ["a@b"]);
    finish(&mut note, "done", "Sent", at, &[receipt(2), receipt(4)]).unwrap();
    let receipts = receipts_of(&note).unwrap();
    assert_eq!(receipts.len(), 2);
    assert_eq!(receipts[0].came_back.as_deref(), Some(why));
    assert_eq!(receipts[1].came_back, None);
    // From a second of its recipients, later.
    assert_eq!(reopen(&mut note, draft, "full", second, block), Ok(true));
    let read = TaskNote::from_note(&note).unwrap();
    assert_eq!(read.fact(CAME_BACK), [format!("{why}; full")]);
    assert_eq!(note.get("finished"), None);
    assert!(note.body().ends_with(&format!("- As {second}\n\n{block}")));
}
