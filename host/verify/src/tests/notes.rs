//! What a cloud agent may put before the owner: notes of their kind, without anything active, one
//! draft a claim, and so many a day.

use platinum_core::{Action, DraftId, SocialPublish, TaskId, VaultPath};
use platinum_testkit::notes::{as_note, draft_path, drafted_task, with_line};
use platinum_vault::note::{DraftNote, MAX_DRAFTS_A_DAY, MAX_WAITING_DRAFTS};

use super::{Story, claim, note, task};
use crate::verifier::Perspective;

/// The reasons why a commit of the cloud's on the tip may not be; the tip stays. A server finds
/// the same.
fn refused(story: &mut Story, edits: &[(&str, &str)]) -> Vec<String> {
    let edits: Vec<_> = edits
        .iter()
        .map(|(path, text)| (*path, Some(*text)))
        .collect();
    refusals(story, &edits)
}

/// As [`refused`], of any edits.
fn refusals(story: &mut Story, edits: &[(&str, Option<&str>)]) -> Vec<String> {
    let tip = story.tip;
    let commit = story.write_raw("cloud", Some(tip), edits);
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
    let draft = draft_path("a");
    let places = [
        (draft.as_str(), "draft"),
        ("Plans/a.md", "plan"),
        ("Updates/cloud/a.md", "update"),
        ("Needs_Action/email/a.md", "task"),
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
    for (path, most, kind) in [
        ("Plans/a.md", 64 * 1024, "plan"),
        ("Needs_Action/email/a.md", 256 * 1024, "task"),
    ] {
        let long = as_note(path, &"word ".repeat(most / 4));
        assert_eq!(
            refused(&mut story, &[(path, &long)]),
            [sentence(
                path,
                &format!(
                    "it has {} bytes; {most} is the most for a {kind}",
                    long.len()
                )
            )]
        );
    }
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
        for path in [
            "Plans/a.md",
            "Updates/cloud/a.md",
            &draft_path("a"),
            "Needs_Action/email/a.md",
        ] {
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

/// What the owner wrote into a task goes with it; a cloud agent adds nothing active to it, be it
/// when the task is claimed, changed, given back or finished, or in a copy that is set aside.
#[test]
fn cloud_task_of_the_owner_keeps_its_words() {
    const BLOCK: &str = "```dataviewjs\ndv.list()\n```";
    let name = task(1);
    let waiting = format!("Needs_Action/email/{name}");
    let owned = format!("In_Progress/cloud/{name}");
    let done = format!("Done/2026/11/{name}");
    let claimed = |body: &str| note(&claim("cloud", 1, 0), body);
    let given_back = |body: &str| note("last-epoch: 1\n", body);
    let mut story = Story::begin();
    story.commit("local", &[(&waiting, Some(&note("", BLOCK)))]);

    let more = format!("{BLOCK}\n<b>");
    let found = refusals(
        &mut story,
        &[(&waiting, None), (&owned, Some(&claimed(&more)))],
    );
    let line = claimed("").matches('\n').count();
    assert_eq!(
        found,
        [format!(
            "cloud agent cloud may not create {owned}: line {line} has a code block that a plugin \
             may run"
        )]
    );
    story.commit(
        "cloud",
        &[(&waiting, None), (&owned, Some(&claimed(BLOCK)))],
    );
    assert_eq!(story.open(), [].into());

    // Also if it only changes what the block does.
    let changed = BLOCK.replace("list", "evil");
    let found = refusals(&mut story, &[(&owned, Some(&claimed(&changed)))]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with(&format!("cloud agent cloud may not modify {owned}: line ")));
    let template = note(&format!("{}title: <% x %>\n", claim("cloud", 1, 0)), BLOCK);
    let found = refusals(&mut story, &[(&owned, Some(&template))]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].ends_with("has a template"), "{found:?}");
    let beside = format!("In_Progress/cloud/{}", name.replace(".md", ".notes.md"));
    let found = refusals(&mut story, &[(&beside, Some(BLOCK))]);
    assert_eq!(
        found,
        [format!(
            "cloud agent cloud may not create {beside}: line 1 has a code block that a plugin may \
             run"
        )]
    );

    // Plain words instead, the block again in a copy, the end, and the way back.
    let copy = name.replace(".md", ".conflict-cloud-20261120T184303123Z-0123abcd.md");
    let copy = format!("In_Progress/cloud/{copy}");
    for edits in [
        vec![(owned.as_str(), Some(claimed("Plain words.")))],
        vec![
            (owned.as_str(), Some(claimed("Plain."))),
            (copy.as_str(), Some(claimed(BLOCK))),
        ],
        vec![
            (owned.as_str(), None),
            (done.as_str(), Some(claimed(BLOCK))),
        ],
        vec![
            (owned.as_str(), None),
            (waiting.as_str(), Some(given_back(BLOCK))),
        ],
    ] {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, text)| (*path, text.as_deref()))
            .collect();
        assert_eq!(refusals(&mut story, &edits), [""; 0], "{edits:?}");
    }
    let evil = claimed(&changed);
    for edits in [
        [
            (copy.as_str(), Some(evil.as_str())),
            (owned.as_str(), Some(evil.as_str())),
        ],
        [(owned.as_str(), None), (done.as_str(), Some(evil.as_str()))],
    ] {
        assert_ne!(refusals(&mut story, &edits), [""; 0], "{edits:?}");
    }
}

/// Posts are one for each account under a claim.
#[test]
fn cloud_drafts_a_post_once_for_each_account() {
    let mut story = Story::begin();
    let post = |path: &str, account: &str| {
        let mut draft = DraftNote::parse(&as_note(path, "Yes.\n")).unwrap();
        draft.epoch = Some(1);
        draft.action = Action::new(&SocialPublish {
            account: account.to_owned(),
            text: "We open on Monday.\n".to_owned(),
            ..SocialPublish::default()
        });
        draft.render()
    };
    let (first, second) = (draft_path("a"), draft_path("b"));
    let both = |other: &str| {
        [
            (first.clone(), post(&first, "bluesky")),
            (second.clone(), post(&second, other)),
        ]
    };
    let id = VaultPath::new(&*first).unwrap().stem().to_owned();
    let why = sentence(
        &second,
        &format!("its task has the draft {id} under the same claim already"),
    );
    for (other, expected) in [("bluesky", vec![why]), ("fediverse", vec![])] {
        let made = both(other);
        let made: Vec<_> = made
            .iter()
            .map(|(path, text)| (path.as_str(), text.as_str()))
            .collect();
        assert_eq!(refused(&mut story, &made), expected, "{other}");
    }
}

#[test]
fn cloud_drafts_once_for_each_claim() {
    let mut story = Story::begin();
    let (at, path) = (draft_path("a"), draft_path("b"));
    let under = |path: &str, epoch: u64| {
        with_line(
            &as_note(path, "Yes.\n"),
            "epoch: ",
            &format!("epoch: {epoch}"),
        )
    };
    let (first, second) = (under(&at, 1), under(&path, 1));
    let id = VaultPath::new(&*at).unwrap().stem().to_owned();
    let why = sentence(
        &path,
        &format!("its task has the draft {id} under the same claim already"),
    );
    let both = [(at.as_str(), first.as_str()), (&path, &second)];
    assert_eq!(refused(&mut story, &both), std::slice::from_ref(&why));
    // Also where the first waits, or is approved.
    let begun = story.tip;
    for place in [at.as_str(), "Approved/a.md"] {
        story.tip = story.write_raw("local", Some(begun), &[(place, Some(&first))]);
        assert_eq!(
            refused(&mut story, &[(&path, &second)]),
            std::slice::from_ref(&why),
            "{place}"
        );
        // Under the next claim it may; and a copy of the same draft is no other one.
        assert_eq!(refused(&mut story, &[(&path, &under(&path, 2))]), [""; 0]);
        let copy = "conflict-cloud-20261120T184303123Z-0123abcd";
        let copy = format!("Pending_Approval/{id}.{copy}.md");
        assert_eq!(refused(&mut story, &[(&copy, &first)]), [""; 0]);
    }
}

/// A draft is in the file of its id, and its task is somewhere; where, and under which claims, says which
/// epoch it may have. Locally and on the server, and without a violation that made the task.
#[test]
fn cloud_drafts_for_claims_that_it_had() {
    let mut story = Story::begin();
    let path = draft_path("a");
    let id = TaskId::from_parts(1, 0);
    let draft = |epoch: u64| {
        let note = as_note(&path, "Yes.\n");
        let note = with_line(&note, "task: ", &format!("task: {id}"));
        with_line(&note, "epoch: ", &format!("epoch: {epoch}"))
    };
    let name = task(1);
    let begun = story.tip;
    let nowhere = format!("its task {id} is nowhere");
    let made = |rest: &str| format!("it says that it was made under claim 3 of its task{rest}");
    for (at, front, why) in [
        ("In_Progress/cloud", claim("cloud", 3, 0), None),
        (
            "In_Progress/cloud",
            claim("cloud", 4, 0),
            Some(made(", and cloud has it under claim 4")),
        ),
        // Moved there by hand.
        (
            "In_Progress/cloud",
            String::new(),
            Some(made(", which nobody has claimed")),
        ),
        ("In_Progress/local", claim("local", 4, 0), None),
        (
            "In_Progress/local",
            claim("local", 3, 0),
            Some(made(", and local has claim 3")),
        ),
        ("In_Progress/local", claim("cloud", 3, 0), None),
        (
            "In_Progress/cloud-2",
            claim("cloud-2", 2, 0),
            Some(made(", and cloud-2 has claim 2")),
        ),
        ("Needs_Action/email", "last-epoch: 3\n".to_owned(), None),
        (
            "Needs_Action/email",
            "last-epoch: 2\n".to_owned(),
            Some(made(", whose last one is 2")),
        ),
        (
            "Needs_Action/email",
            String::new(),
            Some(made(", which nobody has claimed")),
        ),
        ("Done/2026/11", claim("cloud", 3, 0), None),
        (
            "Done/2026/11",
            claim("local", 3, 0),
            Some(made(", and local has claim 3")),
        ),
        // No place of a task.
        ("Inbox", claim("cloud", 3, 0), Some(nowhere.clone())),
    ] {
        let file = format!("{at}/{name}");
        let task = note(&front, "Tea?");
        story.tip = story.write_raw("local", Some(begun), &[(&file, Some(&task))]);
        let expected: Vec<String> = why.iter().map(|why| sentence(&path, why)).collect();
        assert_eq!(
            refused(&mut story, &[(&path, &draft(3))]),
            expected,
            "{at} {front}"
        );
    }
    story.tip = begun;
    assert_eq!(
        refused(&mut story, &[(&path, &draft(3))]),
        [sentence(&path, &nowhere)]
    );

    // Only the violation before it made its task.
    let file = format!("In_Progress/cloud/{name}");
    let bad = story.commit("cloud", &[(&file, Some(&note(&claim("cloud", 3, 0), "x")))]);
    let then = story.commit("cloud", &[(&path, Some(&draft(3)))]);
    let report = story.judge_as(Perspective::Local, Some(begun), then);
    let open: Vec<_> = report.open.iter().map(|one| one.commit.clone()).collect();
    assert_eq!(open, [bad.to_string(), then.to_string()]);
    assert_eq!(
        report.open[1].reasons,
        [format!(
            "without what is reverted before it, {}",
            sentence(&path, &nowhere)
        )]
    );

    // Nor does a violation hide that there is none.
    story.tip = begun;
    let bad = story.commit("cloud", &[("Approved/evil.md", Some("x"))]);
    let then = story.commit("cloud", &[(&path, Some(&draft(3)))]);
    let report = story.judge_as(Perspective::Local, Some(begun), then);
    let open: Vec<_> = report.open.iter().map(|one| one.commit.clone()).collect();
    assert_eq!(open, [bad.to_string(), then.to_string()]);

    // Another name than its id.
    story.tip = begun;
    for other in [
        "Pending_Approval/a.md",
        &draft_path("b"),
        "Pending_Approval/x/a.md",
    ] {
        let what = format!("a draft is in the file of its id, {path}");
        assert_eq!(
            refused(&mut story, &[(other, &as_note(&path, "Yes.\n"))]),
            [sentence(other, &what)]
        );
    }
    let (drafted, _) = drafted_task();
    assert!(story.files(story.tip).contains_key(&drafted));
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
