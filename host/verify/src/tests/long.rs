//! Histories that are long, or are made to be too much: they keep no host from going on.

use std::{
    collections::BTreeSet,
    ffi::OsStr,
    time::{Duration, Instant},
};

use platinum_repo::{Oid, Repo};
use platinum_testkit::notes::draft_path;
use proptest::prelude::*;

use super::{KINDS, Story, edits_of, honest, honest_ops, key, task, violate};
use crate::verifier::{Perspective, Report};
use crate::violation::Recovery;

/// Far more than any of this takes on a slow machine.
const SOON: Duration = Duration::from_secs(60);

fn named(report: &Report) -> [BTreeSet<String>; 2] {
    [&report.open, &report.reverted].map(|list| list.iter().map(|v| v.commit.clone()).collect())
}

/// A folder in which 58 levels each hold the one below twice.
fn bomb(story: &Story) -> String {
    let mktree = |entries: String| story.git(&["mktree"].map(OsStr::new), entries.as_bytes());
    let blob = story.git(&["hash-object", "-w", "--stdin"].map(OsStr::new), b"x");
    let mut below = mktree(format!("100644 blob {blob}\tx.md\n"));
    for _ in 0..58 {
        below = mktree(format!("040000 tree {below}\ta\n040000 tree {below}\tb\n"));
    }
    below
}

/// The tip's tree with this one in the place of a folder at the top.
fn with_folder(story: &Story, name: &str, tree: &str) -> String {
    let listed = story.run(&["ls-tree", &story.tip.to_string()]);
    let others = listed
        .lines()
        .filter(|line| !line.ends_with(&format!("\t{name}")));
    let mut root: Vec<String> = others.map(str::to_owned).collect();
    root.push(format!("040000 tree {tree}\t{name}"));
    story.git(
        &["mktree"].map(OsStr::new),
        (root.join("\n") + "\n").as_bytes(),
    )
}

/// The cloud puts a bomb on the tip, in a folder where it may make anything.
fn throw(story: &mut Story) -> Oid {
    let tree = with_folder(story, "Plans", &bomb(story));
    let tip = story.tip;
    story.by_hand(&tree, &[tip])
}

/// One that is not signed.
fn throw_unsigned(story: &mut Story) -> Oid {
    let tree = with_folder(story, "Plans", &bomb(story));
    let tip = story.tip.to_string();
    let commit = story.run(&["commit-tree", &tree, "-p", &tip, "-m", "x"]);
    story.tip = Repo::oid(&commit).unwrap();
    story.tip
}

#[test]
fn batches_advance_up_to_the_first_violation() {
    let mut story = Story::begin();
    let mut all: Vec<Oid> = (0..10)
        .map(|n| story.commit("cloud", &[(&format!("Plans/{n}.md"), Some("x"))]))
        .collect();
    let verify = |story: &Story| story.judge_in(3, Perspective::Cloud, Some(story.base), story.tip);
    let (report, passed) = verify(&story);
    assert_eq!(passed, [all[2], all[5], all[8]]);
    assert_eq!(report.base, Some(all[8]));
    assert_eq!(named(&report), [BTreeSet::new(), BTreeSet::new()]);

    let bad = story.commit("cloud", &[("Approved/evil.md", Some("send"))]);
    all.extend((10..20).map(|n| story.commit("cloud", &[(&format!("Plans/{n}.md"), Some("x"))])));
    let (report, passed) = verify(&story);
    assert_eq!(
        passed,
        [all[2], all[5], all[8]],
        "nothing is handed on with it"
    );
    assert_eq!(report.base, Some(all[8]));
    assert_eq!(named(&report)[0], BTreeSet::from([bad.to_string()]));
    // What is left of the others is message from there on.
    let clean: Vec<_> = report.clean.iter().map(|(path, _)| path.as_str()).collect();
    let mut expected: Vec<_> = (9..20).map(|n| format!("Plans/{n}.md")).collect();
    expected.sort();
    assert_eq!(clean, expected);

    story.revert();
    let (report, passed) = verify(&story);
    assert_eq!(passed, [all[2], all[5], all[8]]);
    assert_eq!(
        named(&report),
        [BTreeSet::new(), BTreeSet::from([bad.to_string()])]
    );
}

#[test]
fn first_contact_is_one_batch() {
    let mut story = Story::begin();
    for n in 0..10 {
        story.commit("stranger", &[(&format!("Inbox/{n}.md"), Some("x"))]);
    }
    for perspective in [Perspective::Local, Perspective::Cloud] {
        let (report, passed) = story.judge_in(3, perspective, None, story.tip);
        assert_eq!(named(&report), [BTreeSet::new(), BTreeSet::new()]);
        // Handed on in parts, the rest of the past would be an attack.
        assert_eq!((passed, report.base), (Vec::new(), None));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn batches_find_the_same_as_one_pass(
        kind in 0..KINDS,
        before in honest_ops(),
        after in honest_ops(),
        reverted: bool,
        batch in 1_usize..5,
    ) {
        let mut story = Story::begin();
        for (n, what) in (1..).zip(&before) {
            honest(&mut story, *what, n);
        }
        violate(&mut story, kind);
        if reverted {
            story.revert();
        }
        for (n, what) in (100..).zip(&after) {
            honest(&mut story, *what, n);
        }
        for perspective in [Perspective::Local, Perspective::Cloud, Perspective::Server] {
            let whole = story.judge_in(usize::MAX, perspective, Some(story.base), story.tip).0;
            let (parts, passed) = story.judge_in(batch, perspective, Some(story.base), story.tip);
            prop_assert_eq!(&whole.open, &parts.open);
            prop_assert_eq!(&whole.reverted, &parts.reverted);
            for at in passed {
                let report = story.judge_in(usize::MAX, perspective, Some(story.base), at).0;
                prop_assert_eq!(named(&report), [BTreeSet::new(), BTreeSet::new()]);
            }
            let made = |report: &Report| {
                let meta = platinum_repo::CommitMeta {
                    agent: "local".parse().unwrap(),
                    role: platinum_core::Role::Local,
                    message: "x".to_owned(),
                    trailers: Vec::new(),
                    at: platinum_core::Timestamp::UNIX_EPOCH,
                };
                let repo = &story.repo;
                let commit = repo.commit_over(None, report.base, &report.clean, &meta).unwrap();
                story.tree_of(commit)
            };
            if !whole.open.is_empty() {
                prop_assert_eq!(made(&whole), made(&parts));
            }
        }
    }
}

#[test]
fn tree_bomb_is_a_violation_and_its_revert_is_not() {
    for later in 0..3 {
        let mut story = Story::begin();
        let mut alone = Story::begin();
        for story in [&mut story, &mut alone] {
            story.commit("cloud", &[("Plans/before.md", Some("x"))]);
        }
        let began = Instant::now();
        let bad = throw(&mut story);
        // Others may have gone on from there, the evil one itself or one that saw nothing.
        for n in 0..later {
            for story in [&mut story, &mut alone] {
                let path = draft_path(&format!("later {n}"));
                story.commit("cloud-2", &[(&path, Some("x"))]);
            }
        }
        let expected = BTreeSet::from([bad.to_string()]);
        assert_eq!(story.open(), expected);
        let evil = story.tip;
        let server = story.judge_as(Perspective::Server, Some(story.base), evil);
        assert_eq!(named(&server)[0], expected);
        assert_eq!(
            server.open[0].reasons,
            ["it changes more than 100000 files or folders at once"]
        );
        story.revert();
        assert_eq!(story.files(story.tip), alone.files(alone.tip));
        for perspective in [Perspective::Local, Perspective::Cloud] {
            for from in [Some(story.base), None] {
                let report = story.judge_as(perspective, from, story.tip);
                assert_eq!(
                    named(&report),
                    [BTreeSet::new(), expected.clone()],
                    "{perspective:?}"
                );
            }
        }
        // And all go on.
        let healed = story.tip;
        story.commit("cloud-2", &[("Plans/after.md", Some("x"))]);
        for from in [Some(story.base), Some(healed), None] {
            let report = story.judge_as(Perspective::Cloud, from, story.tip);
            assert_eq!(named(&report)[0], BTreeSet::new());
        }
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    }
}

#[test]
fn folder_only_git_reads_is_a_plain_violation() {
    for folder in ["Plans", "Done", "In_Progress", "Needs_Action"] {
        let mut story = Story::begin();
        let before = story.files(story.tip);
        let blob = story.git(&["hash-object", "-w", "--stdin"].map(OsStr::new), b"x");
        let mut raw = b"777777 evil.md\0".to_vec();
        raw.extend_from_slice(Repo::oid(&blob).unwrap().as_bytes());
        let args = ["hash-object", "-t", "tree", "-w", "--stdin", "--literally"];
        let raw = story.git(&args.map(OsStr::new), &raw);
        let (tree, tip) = (with_folder(&story, folder, &raw), story.tip);
        let bad = story.by_hand(&tree, &[tip]);
        // Whoever goes on from there.
        let path = draft_path(folder);
        story.commit("cloud-2", &[(&path, Some("x"))]);
        let expected = BTreeSet::from([bad.to_string()]);
        assert_eq!(story.open(), expected, "{folder}");
        let server = story.judge_as(Perspective::Server, Some(story.base), story.tip);
        assert_eq!(named(&server)[0], expected);
        let why = format!("`{folder}/` is a folder that cannot be read");
        assert!(server.open[0].reasons.contains(&why), "{server:?}");
        story.revert();
        let report = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
        assert_eq!(named(&report), [BTreeSet::new(), expected], "{folder}");
        let mut after = story.files(story.tip);
        assert!(after.remove(&path).is_some());
        assert_eq!(after, before);
    }
}

#[test]
fn several_tree_bombs_are_reverted_at_once() {
    let mut story = Story::begin();
    let mut expected = BTreeSet::new();
    for n in 0..5 {
        expected.insert(throw(&mut story).to_string());
        let taken_away = story.commit("cloud", &[(&format!("Plans/{n}.md"), Some("x"))]);
        assert_ne!(taken_away, story.base);
    }
    assert_eq!(story.open(), expected);
    story.revert();
    assert_eq!(story.open(), BTreeSet::new());
    let plans = story.files(story.tip).into_keys();
    assert_eq!(plans.filter(|path| path.starts_with("Plans/")).count(), 5);
}

/// A bomb before the first contact is history if it is gone, and the owner's to remove if not.
#[test]
fn tree_bomb_before_first_contact() {
    let mut story = Story::begin();
    let clean = story.tip;
    let bad = throw_unsigned(&mut story);
    for perspective in [Perspective::Local, Perspective::Cloud] {
        let report = story.judge_as(perspective, None, story.tip);
        assert_eq!(report.open.len(), 1);
        assert_eq!(report.open[0].commit, bad.to_string());
        assert_eq!(report.open[0].recovery, Recovery::Owner);
        let why = &report.open[0].reasons[0];
        assert_eq!(why, "it holds more than 1000000 files or folders");
    }
    // Taken out by hand, signed or not, as it says.
    let tree = story.tree_of(clean);
    let unsigned = ["commit-tree", &tree, "-p", &bad.to_string(), "-m", "x"];
    let unsigned = Repo::oid(&story.run(&unsigned)).unwrap();
    let signing = story.repo.clone().signing_with(key("local"));
    let meta = story.meta("local", Vec::new());
    let signed = signing
        .commit_over(Some(bad), Some(clean), &[], &meta)
        .unwrap();
    for healed in [unsigned, signed] {
        for perspective in [Perspective::Local, Perspective::Cloud] {
            let report = story.judge_as(perspective, None, healed);
            assert_eq!(named(&report), [BTreeSet::new(), BTreeSet::new()]);
            assert!(report.unproven.is_empty());
        }
    }
    // What was approved before it has to be asked for again: what became of it is not known.
    story.tip = clean;
    let own = story.commit("local", &[("Approved/a.md", Some("send"))]);
    throw_unsigned(&mut story);
    let tree = story.tree_of(own);
    let back = [
        "commit-tree",
        &tree,
        "-p",
        &story.tip.to_string(),
        "-m",
        "x",
    ];
    let back = Repo::oid(&story.run(&back)).unwrap();
    let report = story.judge_as(Perspective::Local, None, back);
    assert_eq!(report.unproven.len(), 1);
}

#[test]
fn tasks_over_the_lookup_limit_are_refused() {
    let mut story = Story::begin();
    // A few objects, and a million months.
    let mktree = |entries: String| story.git(&["mktree"].map(OsStr::new), entries.as_bytes());
    let month = mktree(String::new());
    let of = |tree: &str| {
        let line = |n| format!("040000 tree {tree}\t{n:04}\n");
        mktree((0..1000).map(line).collect())
    };
    let done = of(&of(&month));
    let tree = with_folder(&story, "Done", &done);
    let tip = story.tip;
    let bad = story.by_hand(&tree, &[tip]);
    let began = Instant::now();
    let late = story.commit(
        "cloud",
        &[(&format!("Needs_Action/email/{}", task(7)), Some("task"))],
    );
    let report = story.judge_as(Perspective::Server, Some(bad), late);
    let why = &report.open[0].reasons;
    assert!(
        why[0].starts_with("cloud agent cloud may not make 1 tasks at once"),
        "{why:?}"
    );
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn local_merge_of_a_violation_is_a_violation() {
    let mut story = Story::begin();
    let (base, bad) = (story.base, [("Approved/evil.md", Some("send"))]);
    let bad = story.write("cloud", Some(base), &bad);
    let good = story.write("cloud", Some(base), &[("Plans/side.md", Some("x"))]);
    story.tip = base;
    let main = story.commit("local", &[("Inbox/main.md", Some("x"))]);
    let (ours, side) = (story.tree_of(main), story.tree_of(good));
    // What is merged is not report by its files alone: these are those of the main line.
    let merge = story.by_hand_of("local", &ours, &[main, bad]);
    assert_eq!(story.open(), [bad, merge].map(|c| c.to_string()).into());
    story.tip = main;
    story.by_hand_of("local", &ours, &[main, good]);
    assert_eq!(story.open(), BTreeSet::new());
    // On a line that has it already, nothing is brought.
    let on_bad = story.write("cloud", Some(bad), &[("Plans/a.md", Some("x"))]);
    let beside = story.write("cloud", Some(bad), &[("Plans/b.md", Some("x"))]);
    story.by_hand_of("local", &side, &[on_bad, beside]);
    assert_eq!(story.open(), BTreeSet::from([bad.to_string()]));
}

#[test]
fn hundreds_of_violations_are_reverted_in_time() {
    let mut story = Story::begin();
    let began = Instant::now();
    let expected: BTreeSet<String> = (0..250)
        .map(|n| {
            let text = n.to_string();
            let edits = [("Dashboard.md", Some(text.as_str()))];
            story.commit("cloud", &edits).to_string()
        })
        .collect();
    assert_eq!(story.open(), expected);
    story.revert();
    let report = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
    assert_eq!(named(&report), [BTreeSet::new(), expected]);
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
}

#[test]
fn reasons_over_a_hundred_are_only_counted() {
    let mut story = Story::begin();
    let paths: Vec<String> = (0..1000).map(|n| format!("Approved/{n}.md")).collect();
    let edits: Vec<_> = paths
        .iter()
        .map(|path| (path.as_str(), Some("x")))
        .collect();
    assert_eq!(edits_of(&edits).len(), 1000);
    story.commit("cloud", &edits);
    let report = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
    let violation = &report.open[0];
    assert_eq!((violation.reasons.len(), violation.unlisted), (100, 900));
    let message = violation.to_string();
    assert!(message.ends_with("; and 995 more"), "{message}");
}
