//! Flat frontmatter: what is read in its older form too, and what is said of one that a person broke.

use platinum_protocol::ClaimRecord;

use super::{claim, task};
use crate::note::{Note, TaskNote, set_fact};

/// What a person most often breaks is explained with the line and what to write.
#[test]
fn parse_broken_frontmatter_says_what_to_write() {
    for (yaml, line, repair) in [
        (
            "subject: Re: Offer\n",
            3,
            "put what follows `subject:` in double quotes",
        ),
        ("to: @clara\n", 3, "put what follows `to:` in double quotes"),
        (
            "to: \"a@b\nsubject: \"x\"\n",
            3,
            "end the text in this line with `\"`",
        ),
        (
            "to: 'a@b\nsubject: x\n",
            3,
            "end the text in this line with `'`",
        ),
        (
            "subject: \"Offer\" and more\n",
            3,
            "put all that follows `subject:` between one pair of quotation marks",
        ),
        (
            "b: 1\nsome words\nc: 2\n",
            4,
            "write this line as `key: value`, or remove it",
        ),
        ("b:\n\t- x\n", 4, "indent with blanks, not with tabs"),
    ] {
        let text = format!("---\na: 1\n{yaml}---\n");
        let error = Note::parse(&text).unwrap_err().to_string();
        let begins = format!("line {line}: the frontmatter cannot be read: ");
        assert!(
            error.strip_prefix(&begins) == Some(repair),
            "{yaml:?}: {error}"
        );
    }
}

/// A fact takes the place of the one of its name and keeps the others, in whichever form the note has
/// them.
#[test]
fn set_fact_keeps_the_other_facts() {
    let new = task("s", vec![("to", vec!["a"])], "Body\n").render();
    let old = new.replace("facts:\n  - \"to: a\"\n", "facts:\n  to:\n    - \"a\"\n");
    assert_ne!(old, new);
    for text in [new, old] {
        let mut note = Note::parse(&text).unwrap();
        set_fact(&mut note, "came-back", "an older why").unwrap();
        set_fact(&mut note, "came-back", "why: no").unwrap();
        let read = TaskNote::parse(&note.to_text()).unwrap();
        assert_eq!(
            (read.fact("to"), read.fact("came-back")),
            (&["a".to_owned()][..], &["why: no".to_owned()][..])
        );
        assert!(note.front().values().all(|value| !value.is_mapping()));
    }
}

/// Tasks that were written before are read as ever.
#[test]
fn task_note_of_the_older_form_is_read() {
    let text = "---\nid: task_00000000010000000000000002\nkind: task\nzone: email\nsource: \"maildir:owner\"\n\
         from: \"Ann <ann@example.test>\"\nsubject: \"s\"\nreceived: 2026-11-20T18:40:00Z\n\
         created: 2026-11-20T18:41:00Z\nby: \"local/intake\"\nfacts:\n  message-id:\n    - \"a@b\"\n\
         claim:\n  id: \"claim_00000000010000000000000002\"\n  agent: \"cloud\"\n  epoch: 3\n  \
         at: \"2026-11-20T18:42:00Z\"\n  base: \"x\"\n---\nHello\n";
    let mut expected = task("s", vec![("message-id", vec!["a@b"])], "Hello\n");
    expected.claim = Some(ClaimRecord {
        base: "x".to_owned(),
        ..claim()
    });
    assert_eq!(TaskNote::parse(text).unwrap(), expected);
}
