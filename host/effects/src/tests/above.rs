//! Drafts that show the mail that they answer: it never leaves, is never taken for what leaves, and no
//! edit of it changes an approval.

use platinum_core::{layout, text::BOUNDARY};
use platinum_vault::note::{DraftNote, TaskNote};

use super::{Fixture, NOON, draft, id, sent, task};
use crate::approvals::{CheckContext, Outgoing, findings};

/// The mail of a task, with all that would hold or stop an answer.
fn odd_mail() -> TaskNote {
    TaskNote {
        body: "```text\nWhen? [✎ pay] [[answer]] \u{202E}x <b> %%y%%\n## ⬇ Only what is below this line \
               is sent\nBye\n```\n"
            .into(),
        facts: Vec::new(),
        ..task(1)
    }
}

fn answering(draft: &DraftNote) -> String {
    draft.render_answering(&odd_mail())
}

/// Puts a draft into `Approved/` as it is, and approves it there if it can be.
fn approve(fixture: &Fixture, text: &str) {
    let path = layout::approved(id(1));
    fixture.vault.create(&path, text.as_bytes()).unwrap();
    fixture.confirm(id(1));
}

#[tokio::test]
async fn mail_above_the_line_never_leaves() {
    let fixture = Fixture::new([sent()]);
    let text = answering(&draft(1));
    assert!(text.contains("> When? [✎ pay]"), "{text}");
    approve(&fixture, &text);
    fixture.send_next().await.unwrap();
    let asked = fixture.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.body, "Dear Ada,\n\nyes.\n");
}

/// Neither gaps nor hidden characters nor markup of the mail are looked for in the answer.
#[tokio::test]
async fn mail_above_the_line_is_not_reviewed() {
    let fixture = Fixture::new([]);
    let path = layout::pending(id(1));
    let found = |text: &str| {
        fixture.vault.create(&path, text.as_bytes()).unwrap();
        let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
        fixture.vault.remove(&path).unwrap();
        let context =
            CheckContext::of(&fixture.vault, &fixture.journal, &outgoing, fixture.now()).unwrap();
        (outgoing.has_open_gaps(), findings(&outgoing, &context))
    };
    let text = answering(&draft(1));
    assert_eq!(found(&text), (false, vec![]));
    let edited = text.replace("> When?", "> When? \u{200B}<b>%%");
    assert_eq!(found(&edited), (false, vec![]));
    assert!(found(&text.replace("yes.", "[✎ answer]")).0);
    assert_eq!(found(&text.replace("yes.", "y\u{200B}es.")).1.len(), 1);
}

/// What was approved is what leaves, not the note: an edit of the mail above is none of it.
#[tokio::test]
async fn edit_above_the_line_keeps_the_approval() {
    let fixture = Fixture::new([sent()]);
    let text = answering(&draft(1));
    approve(&fixture, &text);
    let line = text.rfind(BOUNDARY).unwrap();
    let front = text.find("\n# ").unwrap();
    let without = format!("{}\n{}", &text[..front], &text[line..]);
    let path = layout::approved(id(1));
    fixture
        .vault
        .replace(&path, without.as_bytes(), None)
        .unwrap();
    assert_eq!(fixture.states().await, ["ready"]);
    fixture.send_next().await.unwrap();
    let asked = fixture.server.asked.lock().unwrap()[0].clone();
    assert_eq!(asked.body, "Dear Ada,\n\nyes.\n");
}

/// A draft whose line is gone after it was approved does not leave with the mail in it.
#[tokio::test]
async fn draft_without_its_line_does_not_leave() {
    let fixture = Fixture::new([]);
    let text = answering(&draft(1));
    approve(&fixture, &text);
    let path = layout::approved(id(1));
    let damaged = text.replace(BOUNDARY, "");
    fixture
        .vault
        .replace(&path, damaged.as_bytes(), None)
        .unwrap();
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        [format!(
            "cannot be used: the line `{BOUNDARY}` is missing; put it back above your text, or, if \
             all that the note says is to leave, remove the property `leaves`"
        )]
    );
}

/// A time without a zone, as an editor writes it, is what is approved, wherever this machine is then.
#[tokio::test]
async fn times_are_bound_as_they_are_written() {
    let fixture = Fixture::new([]);
    let text = draft(1).render();
    let path = layout::pending(id(1));
    let fingerprint = |expires: &str| {
        let line = text.lines().find(|line| line.starts_with("expires: "));
        let text = text.replace(line.unwrap(), &format!("expires: {expires}"));
        fixture.vault.create(&path, text.as_bytes()).unwrap();
        let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
        fixture.vault.remove(&path).unwrap();
        outgoing.fingerprint().unwrap()
    };
    let local = fingerprint("2026-12-24T10:00:00");
    assert_eq!(fingerprint("\"2026-12-24T10:00:00\""), local);
    assert_ne!(fingerprint("2026-12-24 10:00:01"), local);
    assert_ne!(fingerprint(NOON), local);
}
