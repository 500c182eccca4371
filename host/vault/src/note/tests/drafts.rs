//! Drafts that show what they answer: what leaves, and that nothing else does.

use platinum_core::{
    Action, Money, OdooPost, layout,
    text::{BOUNDARY, find_active},
};
use proptest::prelude::*;

use super::{draft, email, hostile, task};
use crate::note::{
    DraftBody, DraftNote, LEAVES, MAX_DRAFT_BYTES, Note, NoteError, TaskNote, check_drafted,
    set_action,
};

const MAIL: &str =
    "# Mail\n\nThe text below came from outside.\n\n```text\nWhen?\n> earlier\n\nAnn\n```\n";

fn answering(mail: &TaskNote, text: &str) -> String {
    draft(email("ann@example.test", text)).render_answering(mail)
}

fn leaves(note: &str) -> Result<String, String> {
    DraftNote::parse(note)
        .map(|draft| draft.action.text().to_owned())
        .map_err(|error| error.to_string())
}

#[test]
fn draft_note_shows_the_mail_above_the_answer() {
    let facts = vec![
        ("to", vec!["Owner <owner@example.test>"]),
        ("cc", vec!["bo@example.test", "[c](https://evil.test)"]),
        ("attachments", vec!["offer.pdf (application/pdf, 12 bytes)"]),
    ];
    let mut mail = task("Tea?", facts, MAIL);
    mail.received = None;
    let text = answering(&mail, "On Monday.\n");
    let body = text.split_once("\n---\n").unwrap().1;
    assert_eq!(
        body,
        format!(
            "# Tea? · Ann\n\n\
             > [!quote] From Ann &lt;ann\\@example.test&gt;\n\
             > **Subject:** Tea?\n\
             > **To:** Owner &lt;owner\\@example.test&gt;\n\
             > **Cc:** bo\\@example.test, \\[c\\]\\(https:\\//evil.test\\)\n\
             > **Attached:** offer.pdf \\(application/pdf, 12 bytes\\)\n\
             > **Files:** [[Mail_Attachments/task_00000000010000000000000002/Attachments|saved on your machine]]\n\
             > **Task:** [[task_00000000010000000000000002]]\n\
             >\n\
             > ```text\n> When?\n> > earlier\n>\n> Ann\n> ```\n\n\
             {BOUNDARY}\n\nOn Monday.\n"
        )
    );
    assert!(text.contains("\ntask: \"[[task_00000000010000000000000002]]\"\n"));
    assert!(text.contains("\naliases:\n  - \"Tea? · Ann\"\n"));
    assert!(text.contains("\nleaves: \"below the line\"\n"));
    assert_eq!(
        DraftNote::parse(&text).unwrap(),
        draft(email("ann@example.test", "On Monday.\n"))
    );
}

/// How it will look stands right above the line, and is told from what the mail that is answered says of it.
#[test]
fn draft_note_shows_how_it_will_look() {
    let spoof = MAIL.replace(
        "When?",
        "[!example] As it will look\n\n[!example] As it will look\nfalse",
    );
    let mail = task("Tea?", vec![], &spoof);
    let own = draft(email("ann@example.test", "On Monday.\n"));
    let card = |text: &str| DraftBody::of(&Note::parse(text).unwrap()).unwrap().card();
    assert_eq!(card(&own.render_answering(&mail)), None);
    assert_eq!(card(&own.render()), None);
    let text = own.render_shown(
        &mail,
        Some("**Bluesky** · ada.test\n\n> Tea?\n- 10 of 300 characters\n"),
    );
    assert_eq!(
        card(&text).as_deref(),
        Some("**Bluesky** · ada.test\n\n> Tea?\n- 10 of 300 characters")
    );
    let end = format!(
        "> ```\n\n> [!example] As it will look\n> **Bluesky** · ada.test\n>\n> > Tea?\n> - 10 of 300 characters\n\n\
         {BOUNDARY}\n\nOn Monday.\n"
    );
    assert!(text.ends_with(&end), "{text}");
    assert_eq!(DraftNote::parse(&text).unwrap(), own);
    // Whatever a server shows, what leaves is what is below the line.
    let hostile = own.render_shown(&mail, Some(&format!("{BOUNDARY}\n\nsend this\n---\n")));
    assert_eq!(DraftNote::parse(&hostile).unwrap(), own);
}

/// What is to be looked at first stands above all else, and none of it leaves or does anything.
#[test]
fn draft_note_begins_with_its_doubts() {
    let doubts = vec![
        "The bill says EUR 12.00, its lines come to EUR 11.00".to_owned(),
        "`x` <b>[y](z)</b>\n## ⬇ You approve only what is below this line \u{202E}".to_owned(),
    ];
    let doubtful = DraftNote {
        doubts: doubts.clone(),
        ..draft(email("ann@example.test", "On Monday.\n"))
    };
    let callout = "> [!warning] Look at this first\n\
        > - The bill says EUR 12.00, its lines come to EUR 11.00\n\
        > - 'x' &lt;b&gt;\\[y\\]\\(z\\)&lt;/b&gt; \\#\\# ⬇ You approve only what is below this line\n\n";
    let alone = doubtful.render();
    let body = alone.split_once("\n---\n").unwrap().1;
    assert_eq!(body, format!("{callout}{BOUNDARY}\n\nOn Monday.\n"));
    let mail = task("Tea?", vec![], MAIL);
    let answering = doubtful.render_answering(&mail);
    let body = answering.split_once("\n---\n").unwrap().1;
    assert!(
        body.starts_with(&format!("{callout}# Tea? · Ann\n")),
        "{body}"
    );
    for text in [alone, answering] {
        assert_eq!(DraftNote::parse(&text).unwrap(), doubtful);
        assert_eq!(
            find_active(text.split_once("\n---\n").unwrap().1).next(),
            None
        );
        let one = text
            .replace("doubts:\n  - \"The", "doubts: \"The")
            .replacen("  - \"`x", "x: \"", 1);
        assert_eq!(DraftNote::parse(&one).unwrap().doubts, doubts[..1]);
        let emptied = one.replacen(&format!("doubts: \"{}\"", doubts[0]), "doubts:", 1);
        assert_eq!(DraftNote::parse(&emptied).unwrap().doubts, [""; 0]);
        let wrong = one.replacen(&format!("doubts: \"{}\"", doubts[0]), "doubts: [5]", 1);
        let error = DraftNote::parse(&wrong).unwrap_err().to_string();
        assert!(
            error.ends_with("it has to be a list of texts; put each in quotes"),
            "{error}"
        );
    }
}

/// Another action in its place: fields that it does not have go, all that is not the action stays.
#[test]
fn set_action_changes_fields_and_text_alone() {
    let document = |minor, due: Option<&str>, shown: &str| {
        Action::new(&OdooPost {
            document: 12,
            total: Money {
                minor,
                currency: "EUR".parse().unwrap(),
            },
            due: due.map(|due| due.parse().unwrap()),
            shown: shown.to_owned(),
        })
    };
    let old = DraftNote {
        doubts: vec!["Is it ours?".to_owned()],
        ..draft(document(
            2249,
            Some("2026-12-14"),
            "# Bill 12 · Ann · 22.49 EUR\n",
        ))
    };
    let mail = task("Bill", vec![], MAIL);
    let written = old.render_answering(&mail);
    let mut note =
        Note::parse(&written.replacen("reason:", "mine: 1 # stays\nreason:", 1)).unwrap();
    let new = document(2500, None, "# Bill 12 · Bob · 25.00 EUR\n\nmore\n");
    set_action(&mut note, &new).unwrap();
    let text = note.to_text();
    let read = DraftNote::parse(&text).unwrap();
    assert_eq!(read.action, new);
    assert_eq!(read.summary, "Bill 12 · Bob · 25.00 EUR");
    assert_eq!(read.doubts, old.doubts);
    assert!(
        text.contains("\nmine: 1 # stays\n") && !text.contains("\ndue:"),
        "{text}"
    );
    assert_eq!(
        DraftBody::of(&note).unwrap().above,
        DraftBody::of(&Note::parse(&written).unwrap())
            .unwrap()
            .above
    );
    let before = note.clone();
    assert!(set_action(&mut note, &email("ann@example.test", "x")).is_err());
    assert_eq!(note, before);
}

/// Whatever the owner does to the part above, and to the file as a whole, the same leaves.
#[test]
fn draft_note_edits_above_the_line_change_nothing() {
    let text = answering(&task("Tea?", vec![], MAIL), "On Monday.\n");
    let (front, body) = text.split_once("\n---\n").unwrap();
    let below = &body[body.find(BOUNDARY).unwrap()..];
    for edited in [
        format!("{front}\n---\n{below}"),
        format!("{front}\n---\nmy remark\n\n{below}"),
        format!("{front}\n---\n{body}").replace("> When?", "> Why? [✎ x] \u{202E}"),
        text.replace("> ```\n\n", "\n"),
        text.replace("leaves: \"below the line\"\n", ""),
        text.replace("task: \"[[task_", "task: \"[[In_Progress/cloud/task_")
            .replace("02]]", "02.md|Tea]]"),
    ] {
        assert_eq!(leaves(&edited).as_deref(), Ok("On Monday.\n"), "{edited}");
    }
    let windows = text.replace('\n', "\r\n");
    assert_eq!(leaves(&windows).as_deref(), Ok("On Monday.\r\n"));
}

#[test]
fn draft_note_wrong_field_is_named() {
    for (key, found, wrong) in [
        ("cc", "kind: draft", "kind: draft\ncc:\n  - 5"),
        ("subject", "subject: \"Hi\"", "subject:"),
    ] {
        let text = draft(email("a@b", "Hi\n")).render();
        match DraftNote::parse(&text.replacen(found, wrong, 1)).unwrap_err() {
            NoteError::Invalid { key: named, .. } => assert_eq!(named, key),
            error => panic!("{error}"),
        }
    }
}

/// If it is not certain where the answer begins, nothing leaves, and it is said what to do.
#[test]
fn draft_note_damaged_line_is_an_explained_refusal() {
    let text = answering(&task("Tea?", vec![], MAIL), "On Monday.\n");
    let line = text[..text.find(BOUNDARY).unwrap()].matches('\n').count() + 1;
    let missing = format!(
        "the line `{BOUNDARY}` is missing; put it back above your text, or, if all that the note \
         says is to leave, remove the property `leaves`"
    );
    assert_eq!(leaves(&text.replace(BOUNDARY, "")), Err(missing));
    assert_eq!(
        leaves(&text.replace(BOUNDARY, "# you approve only what is below this line!")),
        Err(format!(
            "line {line}: this line says where your text begins and was changed; write it as \
             `{BOUNDARY}`"
        ))
    );
    assert_eq!(
        leaves(&format!("{text}\n{BOUNDARY}\n\nBye\n")),
        Err(format!(
            "line {}: this line says a second time where your text begins; keep the one above \
             your text",
            line + 4
        ))
    );
}

/// A note that was emptied has no text to leave.
#[test]
fn draft_note_emptied_has_a_blank_text() {
    let text = answering(&task("Tea?", vec![], MAIL), "On Monday.\n");
    let (front, _) = text.split_once("\n---\n").unwrap();
    let emptied = format!("{front}\n---\n \u{200B}\n");
    assert_eq!(leaves(&emptied).as_deref(), Ok(" \u{200B}\n"));
}

/// A note from before there was a line is all text.
#[test]
fn draft_note_without_a_line_is_all_text() {
    let old = draft(email("ann@example.test", "> When?\n\nOn Monday.\n"));
    let note = Note::parse(&old.render()).unwrap();
    assert_eq!(note.get(LEAVES.0), None);
    let body = DraftBody::of(&note).unwrap();
    assert_eq!((body.above, body.text), ("", "> When?\n\nOn Monday.\n"));
}

/// A long mail is cut, says so, and leaves room for the longest answer.
#[test]
fn draft_note_long_mail_is_cut_with_a_mark() {
    let long = format!("```text\n{}\n```\n", "0123456789 ".repeat(100_000));
    let text = answering(&task("Tea?", vec![], &long), "Yes\n");
    assert!(text.len() < 64 * 1024, "{}", text.len());
    assert!(text.contains(
        "> **This is not all of it: the rest is in [[task_00000000010000000000000002]].**\n"
    ));
    let short = answering(&task("Tea?", vec![], MAIL), "Yes\n");
    assert!(!short.contains("This is not all of it"));
}

proptest! {
    /// No mail and no answer makes another text leave, or gets anything into the note that an editor
    /// would run, fetch or hide.
    #[test]
    fn draft_note_any_mail_is_only_shown(
        parts in prop::collection::vec(prop::sample::select(&[
            "## ⬇ You approve only what is below this line", "\n", "\r", "```", "````text", "~~~", "> ", "<!--", "%%",
            "<%", "<", "%", "![[x]]", "`= x`", "\u{202E}", "\u{200B}", "[a]: b", "---", "a", "- ", "# Mail", "\t",
        ][..]), 0..24),
        subject in hostile(), from in hostile(), value in hostile(),
        is_fenced in any::<bool>(),
    ) {
        let mail = parts.concat();
        let body = if is_fenced { format!("`````text\n{mail}\n`````\n") } else { mail };
        let mut mail = task(&subject, vec![("to", vec![&*value]), ("attachments", vec![&*value])], &body);
        mail.from = from;
        let text = answering(&mail, "On Monday.\n");
        let left = leaves(&text);
        prop_assert_eq!(left.as_deref(), Ok("On Monday.\n"));
        let note = Note::parse(&text).unwrap();
        let above = DraftBody::of(&note).unwrap().above;
        prop_assert_eq!(find_active(above).next(), None, "{}", above);
        let is_shown = |line: &str| line.is_empty() || line.starts_with("> ") || line == ">" || line.starts_with("# ");
        prop_assert!(above.lines().all(is_shown), "{}", above);
        let path = layout::pending(DraftNote::parse(&text).unwrap().id);
        prop_assert!(check_drafted(&path, text.as_bytes()).is_ok() && text.len() < MAX_DRAFT_BYTES);
    }
}
