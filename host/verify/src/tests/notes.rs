//! What a cloud agent may put before the owner: notes of their kind, without anything active, one
//! draft a claim, and so many a day.

use platinum_core::DraftId;
use platinum_testkit::notes::as_note;
use platinum_vault::note::{MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS};

use super::Story;
use crate::verifier::Perspective;

/// The reasons why a commit of the cloud's on the tip may not be; the tip stays. A server finds
/// the same.
fn refused(story: &mut Story, edits: &[(&str, &str)]) -> Vec<String> {
    let tip = story.tip;
    let edits: Vec<_> = edits
        .iter()
        .map(|(path, text)| (*path, Some(*text)))
        .collect();
    let commit = story.write_raw("cloud", Some(tip), &edits);
    let report = story.judge_as(Perspective::Local, Some(tip), commit);
    let server = story.judge_as(Perspective::Server, Some(tip), commit);
    assert_eq!(report.open, server.open);
    let found = report.open.into_iter();
    found.flat_map(|violation| violation.reasons).collect()
}

fn sentence(path: &str, what: &str) -> String {
    format!("cloud agent cloud may not create {path}: {what}")
}

#[test]
fn cloud_creates_only_notes_of_the_kind_of_a_folder() {
    let mut story = Story::begin();
    let places = [
        ("Pending_Approval/a.md", "draft"),
        ("Plans/a.md", "plan"),
        ("Updates/cloud/a.md", "update"),
    ];
    for (path, kind) in places {
        let fine = as_note(path, "Words, and [[a gap]].\n");
        assert_eq!(refused(&mut story, &[(path, &fine)]), [""; 0]);
        for (text, what) in [
            (
                "# Only words\n".to_owned(),
                format!("it is no {kind}: the note is of kind ``, not `{kind}`"),
            ),
            (
                "---\nkind: note\n---\n".to_owned(),
                format!("it is no {kind}: the note is of kind `note`, not `{kind}`"),
            ),
            (
                fine.replace("created: 2026", "created: x2026"),
                format!("it is no {kind}: line 4: the key `created` cannot be read: "),
            ),
        ] {
            let found = refused(&mut story, &[(path, &text)]);
            assert_eq!(found.len(), 1, "{path} {text}: {found:?}");
            assert!(found[0].starts_with(&sentence(path, &what)), "{found:?}");
        }
        // Nor one of another kind's.
        for (other, _) in places.iter().filter(|(other, _)| *other != path) {
            let found = refused(&mut story, &[(path, &as_note(other, "x\n"))]);
            assert_eq!(found.len(), 1, "{path} {other}: {found:?}");
        }
        let picture = path.replace(".md", ".svg");
        assert_eq!(
            refused(&mut story, &[(&picture, "<svg/>")]),
            [sentence(
                &picture,
                &format!("only notes of the kind `{kind}` may be put there")
            )]
        );
    }
    let long = as_note("Plans/a.md", &"word ".repeat(20_000));
    assert_eq!(
        refused(&mut story, &[("Plans/a.md", &long)]),
        [sentence(
            "Plans/a.md",
            &format!("it has {} bytes; 65536 is the most for a plan", long.len())
        )]
    );
}

#[test]
fn cloud_note_with_active_markup_is_a_violation() {
    let mut story = Story::begin();
    for (text, what) in [
        (
            "```dataviewjs\ndv.x()\n```\n",
            "a code block that a plugin may run",
        ),
        (
            "```tasks\nnot done\n```\n",
            "a code block that a plugin may run",
        ),
        ("~~~query\nx\n~~~\n", "a code block that a plugin may run"),
        (
            "`$= dv.pages().length`",
            "inline code that a plugin may run",
        ),
        ("`= this.file.name`", "inline code that a plugin may run"),
        ("<%* await tp.file.delete() %>", "a template"),
        ("```text\n<% tp %>\n```", "a template"),
        ("<script>x()</script>", "HTML"),
        ("<iframe src=x>", "HTML"),
        ("<!-- hidden -->", "a comment, which is not shown"),
        ("%%hidden%%", "a comment, which is not shown"),
        ("![[Company_Handbook]]", "an embedded picture or note"),
        ("![](https://evil.test/?q=1)", "an embedded picture or note"),
        (
            "[yes](https://evil.test)",
            "a link that shows other words than its address",
        ),
    ] {
        for path in ["Plans/a.md", "Updates/cloud/a.md", "Pending_Approval/a.md"] {
            let note = as_note(path, &format!("Fine.\n\n{text}\n"));
            let line = note[..note.find("Fine.").unwrap()].matches('\n').count() + 3;
            let line = line + usize::from(text.starts_with("```text"));
            assert_eq!(
                refused(&mut story, &[(path, &note)]),
                [sentence(path, &format!("line {line} has {what}"))]
            );
        }
    }
    let path = "Plans/a.md";
    let note = as_note(path, "x\n").replace("\"A plan\"", "\"A <% plan %>\"");
    assert_eq!(
        refused(&mut story, &[(path, &note)]),
        [sentence(path, "line 7 has a template")]
    );
}

#[test]
fn cloud_drafts_once_for_each_claim() {
    let mut story = Story::begin();
    let first = as_note("Pending_Approval/a.md", "Yes.\n");
    let id = first
        .lines()
        .find_map(|line| line.strip_prefix("id: "))
        .unwrap();
    let task = first
        .lines()
        .find_map(|line| line.strip_prefix("task: "))
        .unwrap();
    let other = as_note("Pending_Approval/b.md", "No.\n");
    let other_task = other
        .lines()
        .find_map(|line| line.strip_prefix("task: "))
        .unwrap();
    let second = other.replace(other_task, task);
    let path = "Pending_Approval/b.md";
    let why = sentence(
        path,
        &format!("its task has the draft {id} under the same claim already"),
    );
    let both = [("Pending_Approval/a.md", first.as_str()), (path, &second)];
    assert_eq!(refused(&mut story, &both), std::slice::from_ref(&why));
    // Also where the first waits, or is approved.
    let begun = story.tip;
    for place in ["Pending_Approval/a.md", "Approved/a.md"] {
        story.tip = story.write_raw("local", Some(begun), &[(place, Some(&first))]);
        assert_eq!(
            refused(&mut story, &[(path, &second)]),
            std::slice::from_ref(&why),
            "{place}"
        );
        // Under the next claim it may; and a copy of the same draft is no other one.
        let next = second.replace("epoch: 1", "epoch: 2");
        assert_eq!(refused(&mut story, &[(path, &next)]), [""; 0]);
        let copy = "Pending_Approval/a.conflict-cloud-20261120T184303123Z-0123abcd.md";
        assert_eq!(refused(&mut story, &[(copy, &first)]), [""; 0]);
    }
}

#[test]
fn cloud_drafts_so_many_a_day_and_no_more() {
    let mut story = Story::begin();
    let path_of = |day: u64, n: usize| {
        let id = DraftId::from_parts(day * 86_400_000, n as u128);
        format!("Pending_Approval/{id}.md")
    };
    let notes = |days: u64, each: usize| -> Vec<(String, String)> {
        (0..days)
            .flat_map(|day| (0..each).map(move |n| (day, n)))
            .map(|(day, n)| path_of(20_000 + day, n))
            .map(|path| (path.clone(), as_note(&path, "Yes.\n")))
            .collect()
    };
    let judged = |story: &mut Story, notes: &[(String, String)]| {
        let edits: Vec<_> = notes
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        refused(story, &edits)
    };
    assert_eq!(judged(&mut story, &notes(1, MAX_DRAFTS_A_DAY)), [""; 0]);
    let found = judged(&mut story, &notes(1, MAX_DRAFTS_A_DAY + 1));
    let last = path_of(20_000, MAX_DRAFTS_A_DAY);
    assert_eq!(
        found,
        [sentence(&last, "200 drafts a day are the most that wait")]
    );
    let found = judged(&mut story, &notes(6, MAX_DRAFTS_A_DAY));
    assert_eq!(found.len(), 1);
    let what = format!("{MAX_WAITING_DRAFTS} drafts are the most that wait");
    assert!(found[0].ends_with(&what), "{found:?}");
}
