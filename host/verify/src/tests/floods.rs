//! Commits of a cloud's that are each allowed, and too much: for a disk, for a comparison, or for
//! what is left of the others once one of them is reverted.

use std::ffi::OsStr;

use platinum_core::{DraftId, VaultPath};
use platinum_repo::Oid;
use platinum_testkit::notes::{as_note, draft_path, with_line};
use platinum_vault::note::MAX_DRAFTS_A_DAY;

use super::{Story, claim, note, task};
use crate::{
    revert::Reverter,
    verifier::{Perspective, Report, Verifier},
    walk::BATCH,
};

/// A tree with this folder at a path and nothing else.
fn tree_at(story: &Story, path: &str, folder: &str) -> String {
    let mut tree = folder.to_owned();
    for name in path.rsplit('/') {
        tree = folder_of(story, [(format!("040000 tree {tree}"), name.to_owned())]);
    }
    tree
}

/// A folder of these entries: mode, kind and id, and a name.
fn folder_of(story: &Story, entries: impl IntoIterator<Item = (String, String)>) -> String {
    let lines: Vec<_> = entries
        .into_iter()
        .map(|(what, name)| format!("{what}\t{name}\n"))
        .collect();
    story.git(&["mktree"].map(OsStr::new), lines.concat().as_bytes())
}

fn blob(story: &Story, bytes: &[u8]) -> String {
    story.git(&["hash-object", "-w", "--stdin"].map(OsStr::new), bytes)
}

/// So many names in one folder, of the same thing.
fn many(story: &Story, what: &str, count: usize, ending: &str) -> String {
    folder_of(
        story,
        (0..count).map(|n| (what.to_owned(), format!("{n:04}{ending}"))),
    )
}

/// What local finds in a cloud's commit of this tree on `base`, and that a server finds it too.
fn found(story: &mut Story, base: Oid, tree: &str) -> Vec<String> {
    let commit = story.by_hand(tree, &[base]);
    let report = story.judge_as(Perspective::Local, Some(base), commit);
    let server = story.judge_as(Perspective::Server, Some(base), commit);
    assert_eq!(report.open, server.open);
    report.open.into_iter().flat_map(|v| v.reasons).collect()
}

#[test]
fn one_blob_at_many_paths_is_a_violation() {
    let mut story = Story::begin();
    let base = story.by_hand_of("local", &folder_of(&story, []), &[]);
    let large = blob(&story, &vec![b'x'; platinum_policy::MAX_FILE_BYTES]);
    let place = "In_Progress/cloud/x";
    let folder = |story: &Story, count| {
        let folder = many(story, &format!("100644 blob {large}"), count, ".png");
        tree_at(story, place, &folder)
    };
    let fits = folder(&story, 8);
    assert_eq!(found(&mut story, base, &fits), [""; 0]);
    let too_much = folder(&story, 9);
    assert_eq!(
        found(&mut story, base, &too_much),
        [
            "cloud agent cloud may not create In_Progress/cloud/x/0008.png: with it the commit \
             brings more than 268435456 bytes of files"
        ]
    );
    // However many commits they come with.
    let full = folder(&story, 256);
    let full = story.by_hand_of("local", &full, &[base]);
    let more = folder(&story, 257);
    assert_eq!(
        found(&mut story, full, &more),
        [
            "cloud agent cloud may not create In_Progress/cloud/x/0256.png: the folders in which a \
             cloud agent makes files would hold 8623489024 bytes; 8589934592 is the most"
        ]
    );
    let fewer = folder(&story, 255);
    assert_eq!(found(&mut story, full, &fewer), [""; 0]);
}

/// As many files as two sides of a comparison can have, and not one more.
#[test]
fn files_of_many_commits_add_up_to_a_violation() {
    let mut story = Story::begin();
    let base = story.by_hand_of("local", &folder_of(&story, []), &[]);
    let one = blob(&story, b"x");
    let thousand = many(&story, &format!("100644 blob {one}"), 1000, ".png");
    let tree = |story: &Story, count| {
        let folder = many(story, &format!("040000 tree {thousand}"), count, "");
        tree_at(story, "In_Progress/cloud", &folder)
    };
    // In_Progress/cloud/0000/0000.png weighs two.
    let full = tree(&story, 500);
    let full = story.by_hand_of("local", &full, &[base]);
    let more = tree(&story, 501);
    let reasons = found(&mut story, full, &more);
    assert_eq!(
        reasons,
        [
            "cloud agent cloud may not create In_Progress/cloud/0500/0000.png: the folders in which \
             a cloud agent makes files would hold more than 1000000 files: move old ones elsewhere"
        ]
    );
    let fewer = tree(&story, 499);
    assert_eq!(found(&mut story, full, &fewer), [""; 0]);
}

/// Each of the two is allowed once the other has gone, and together they are too much.
#[test]
fn bytes_that_a_violation_made_room_for_are_a_violation() {
    let mut story = Story::begin();
    let base = story.by_hand_of("local", &folder_of(&story, []), &[]);
    let large = blob(&story, &vec![b'x'; platinum_policy::MAX_FILE_BYTES]);
    let folder = |story: &Story, count| many(story, &format!("100644 blob {large}"), count, ".png");
    let both = |story: &Story, plans: Option<&str>, own: Option<&str>| {
        let mut entries = Vec::new();
        if let Some(own) = own {
            let own = folder_of(story, [(format!("040000 tree {own}"), "cloud".to_owned())]);
            entries.push((format!("040000 tree {own}"), "In_Progress".to_owned()));
        }
        entries.extend(plans.map(|plans| (format!("040000 tree {plans}"), "Plans".to_owned())));
        folder_of(story, entries)
    };
    let (full, some) = (folder(&story, 256), folder(&story, 8));
    let tree = both(&story, Some(full.as_str()), None);
    let full = story.by_hand_of("local", &tree, &[base]);
    let tree = both(&story, None, None);
    let gone = story.by_hand(&tree, &[full]);
    let tree = both(&story, None, Some(some.as_str()));
    let made = story.by_hand(&tree, &[gone]);
    let report = story.judge_as(Perspective::Local, Some(full), made);
    let commits: Vec<_> = report.open.iter().map(|v| v.commit.clone()).collect();
    assert_eq!(commits, [gone.to_string(), made.to_string()]);
    assert_eq!(
        report.open[1].reasons,
        [
            "without what is reverted before it, the folders in which a cloud agent makes files would \
             hold 8858370048 bytes; 8589934592 is the most"
        ]
    );
}

/// Reverts what was found on the tip, as local does.
fn reverted(story: &mut Story, report: Report) -> Oid {
    let signing = story.repo.clone().signing_with(super::key("local"));
    let meta = story.meta("local", Vec::new());
    let reverter = Reverter {
        repo: &signing,
        agent: &"local".parse().unwrap(),
        meta: &|message, trailers| platinum_repo::CommitMeta {
            message,
            trailers,
            ..meta.clone()
        },
    };
    reverter.revert(story.tip, report).unwrap().commit
}

/// What a violation deleted comes back, and must not meet its twin.
#[test]
fn twin_of_a_reverted_deletion_is_a_violation() {
    for (deleted, made) in [
        ("Plans/a.md", "Plans/A.md"),
        ("Plans/x/a.md", "Plans/X/b.md"),
        ("Plans/stra\u{df}e/a.md", "Plans/STRASSE/a.md"),
    ] {
        let mut story = Story::begin();
        let note = as_note("Plans/a.md", "mine");
        story.commit("local", &[(deleted, Some(&note))]);
        let base = story.tip;
        let bad = story.commit("cloud", &[(deleted, None)]);
        let twin = story.commit("cloud", &[(made, Some(&note))]);
        let later = story.commit("cloud", &[("Plans/c.md", Some(&note))]);
        let report = story.judge_as(Perspective::Local, Some(base), later);
        let open: Vec<_> = report.open.iter().map(|v| v.commit.clone()).collect();
        assert_eq!(open, [bad.to_string(), twin.to_string()], "{made}");
        assert_eq!(
            report.open[1].reasons,
            [format!(
                "without what is reverted before it, {made} would be where something else is"
            )]
        );
        let tip = reverted(&mut story, report);
        let files = story.files(tip);
        assert!(files.contains_key(deleted) && !files.contains_key(made));
        assert!(files.contains_key("Plans/c.md"));
    }
}

/// The owner's own change of case is none, whatever a cloud did before it.
#[test]
fn rename_in_case_after_a_violation_stays() {
    let mut story = Story::begin();
    story.commit(
        "local",
        &[("Plans/x/a.md", Some("a")), ("Plans/x/b.md", Some("b"))],
    );
    let base = story.tip;
    let bad = story.commit("cloud", &[("Approved/evil.md", Some("x"))]);
    let edits = [
        ("Plans/x/a.md", None),
        ("Plans/x/b.md", None),
        ("Plans/X/a.md", Some("a")),
    ];
    story.commit("local", &edits);
    let tip = story.commit("local", &[("Plans/X/b.md", Some("b"))]);
    let report = story.judge_as(Perspective::Local, Some(base), tip);
    let open: Vec<_> = report.open.iter().map(|v| v.commit.clone()).collect();
    assert_eq!(open, [bad.to_string()]);
    let tip = reverted(&mut story, report);
    let files = story.files(tip);
    assert!(files.contains_key("Plans/X/a.md") && !files.contains_key("Plans/x/a.md"));
}

/// The last resort, should a rule be missing: nothing of other hosts is left, and all of local's.
#[test]
fn verify_for_local_alone_keeps_no_cloud_commit() {
    let mut story = Story::begin();
    let base = story.tip;
    story.commit("cloud", &[("Plans/a.md", Some("a"))]);
    story.commit("local", &[("Inbox/mine.md", Some("mine"))]);
    story.commit("cloud", &[("Plans/b.md", Some("b"))]);
    let key = super::key("local").public();
    let report = Verifier {
        repo: &story.repo,
        perspective: Perspective::Local,
        signers: &story.signers,
        own: Some(&key),
        batch: BATCH,
    }
    .verify_for_local_alone(base, story.tip)
    .unwrap();
    assert_eq!(report.open.len(), 2);
    let tip = reverted(&mut story, report);
    let mut expected = story.files(base);
    expected.insert("Inbox/mine.md".to_owned(), "mine".to_owned());
    assert_eq!(story.files(tip), expected);
    let report = story.judge_as(Perspective::Local, Some(base), tip);
    assert!(report.open.is_empty());
}

/// A draft in a folder of its own counts; so does what is there again without a violation.
#[test]
fn drafts_count_in_folders_and_without_violations() {
    let mut story = Story::begin();
    let named = |n: usize, folder: &str| {
        let id = DraftId::from_parts(20_000 * 86_400_000, n as u128);
        format!("Pending_Approval/{folder}{id}.md")
    };
    let paths: Vec<_> = (0..MAX_DRAFTS_A_DAY).map(|n| named(n, "x/")).collect();
    let notes: Vec<_> = paths
        .iter()
        .map(|path| (path, as_note(path, "Yes.")))
        .collect();
    let edits: Vec<_> = notes
        .iter()
        .map(|(path, text)| (path.as_str(), Some(text.as_str())))
        .collect();
    story.commit("local", &edits);
    let full = story.tip;
    let last = named(MAX_DRAFTS_A_DAY, "");
    let one_more = story.commit("cloud", &[(&last, Some("Yes."))]);
    let why = format!(
        "cloud agent cloud may not create {last}: {MAX_DRAFTS_A_DAY} drafts a day are the most that wait"
    );
    let report = story.judge_as(Perspective::Local, Some(full), one_more);
    assert_eq!(report.open[0].reasons, std::slice::from_ref(&why));
    // Room that a violation made is none.
    story.tip = full;
    let first = VaultPath::new(&paths[0]).unwrap();
    let bad = story.commit("cloud", &[(first.as_str(), None)]);
    let one_more = story.commit("cloud", &[(&last, Some("Yes."))]);
    let report = story.judge_as(Perspective::Local, Some(full), one_more);
    let open: Vec<_> = report.open.iter().map(|v| v.commit.clone()).collect();
    assert_eq!(open, [bad.to_string(), one_more.to_string()]);
    assert_eq!(
        report.open[1].reasons,
        [format!("without what is reverted before it, {why}")]
    );
}

/// Another name makes no other draft of it.
#[test]
fn one_draft_under_two_names_is_a_violation() {
    let mut story = Story::begin();
    let base = story.tip;
    let path = draft_path("a");
    let note = as_note(&path, "Yes.");
    let twice = [
        (path.as_str(), Some(note.as_str())),
        ("Pending_Approval/b.md", Some(note.as_str())),
    ];
    let tip = story.commit("cloud", &twice);
    let report = story.judge_as(Perspective::Local, Some(base), tip);
    assert_eq!(
        report.open[0].reasons,
        [format!(
            "cloud agent cloud may not create Pending_Approval/b.md: a draft is in the file of its id, \
             {path}"
        )]
    );
}

/// An epoch that nobody claimed in makes no room for a second draft.
#[test]
fn draft_of_another_epoch_than_its_claim_is_a_violation() {
    let mut story = Story::begin();
    let (waiting, owned) = (
        format!("Needs_Action/email/{}", task(1)),
        format!("In_Progress/cloud/{}", task(1)),
    );
    story.commit("cloud", &[(&waiting, Some(&note("", "task")))]);
    let claimed = note(&claim("cloud", 1, 0), "task");
    story.commit("cloud", &[(&waiting, None), (&owned, Some(&claimed))]);
    let base = story.tip;
    let path = &*draft_path("a");
    let own_task = format!("task: {}", task(1).trim_end_matches(".md"));
    let draft = with_line(&as_note(path, "Yes."), "task: ", &own_task);
    for (epoch, reasons) in [
        ("epoch: 1", vec![]),
        (
            "epoch: 2",
            vec![format!(
                "cloud agent cloud may not create {path}: it says that it was made under claim 2 of \
                 its task, and cloud has it under claim 1"
            )],
        ),
    ] {
        let draft = with_line(&draft, "epoch: ", epoch);
        let tip = story.write_raw("cloud", Some(base), &[(path, Some(&draft))]);
        let report = story.judge_as(Perspective::Local, Some(base), tip);
        let found: Vec<_> = report.open.into_iter().flat_map(|v| v.reasons).collect();
        assert_eq!(found, reasons);
    }
}

/// One note at very many places is read once.
#[test]
fn one_note_at_many_paths_is_judged_at_once() {
    let mut story = Story::begin();
    let base = story.by_hand_of("local", &folder_of(&story, []), &[]);
    let text = as_note("Plans/a.md", &"word ".repeat(12_000));
    let note = blob(&story, text.as_bytes());
    let thousand = many(&story, &format!("100644 blob {note}"), 1000, ".md");
    let plans = many(&story, &format!("040000 tree {thousand}"), 4, "");
    let tree = tree_at(&story, "Plans", &plans);
    let started = std::time::Instant::now();
    assert_eq!(found(&mut story, base, &tree), [""; 0]);
    assert!(started.elapsed().as_secs() < 20, "{:?}", started.elapsed());
}
