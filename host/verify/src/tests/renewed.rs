//! Keys that were replaced or revoked: what they signed before counts, what they sign after does
//! not.

use std::collections::BTreeSet;

use platinum_core::Role;
use platinum_repo::Oid;

use super::Story;
use crate::verifier::{Perspective, Report};

fn hex(commits: &[Oid]) -> BTreeSet<String> {
    commits.iter().map(Oid::to_string).collect()
}

fn found(report: Report) -> BTreeSet<String> {
    let found = report.open.into_iter();
    found.map(|violation| violation.commit).collect()
}

#[test]
fn work_before_the_key_rotation_stays() {
    let mut story = Story::begin();
    for n in 0..5 {
        let path = format!("Plans/night_{n}.md");
        story.commit("cloud", &[(&path, Some("honest"))]);
        story.commit("cloud-2", &[(&format!("{path}.md"), Some("another's"))]);
    }
    let at = story.tip;
    story
        .signers
        .retire(|signer| signer.agent.as_str() == "cloud", at);
    for perspective in [Perspective::Local, Perspective::Cloud, Perspective::Server] {
        for from in [Some(story.base), None] {
            let report = story.judge_as(perspective, from, story.tip);
            assert_eq!(found(report), BTreeSet::new(), "{perspective:?} {from:?}");
        }
    }
    // After it, on the tip or beside it, nothing counts; others go on.
    let late = story.commit("cloud", &[("Plans/late.md", Some("evil"))]);
    story.commit("cloud-2", &[("Plans/more.md", Some("honest"))]);
    for perspective in [Perspective::Local, Perspective::Cloud, Perspective::Server] {
        for from in [Some(story.base), Some(at), None] {
            let report = story.judge_as(perspective, from, story.tip);
            let reasons: Vec<_> = report.open.iter().flat_map(|v| &v.reasons).collect();
            assert_eq!(reasons.len(), 1, "{reasons:?}");
            assert!(
                reasons[0].starts_with("it is signed by a key of cloud that is no longer trusted")
            );
            assert_eq!(found(report), hex(&[late]), "{perspective:?} {from:?}");
        }
    }
    story.revert();
    assert_eq!(story.open(), BTreeSet::new());
    let files = story.files(story.tip);
    assert!(files.contains_key("Plans/night_4.md") && files.contains_key("Plans/more.md"));
    assert!(!files.contains_key("Plans/late.md"));
}

#[test]
fn retired_key_on_a_side_line_does_not_count() {
    let mut story = Story::begin();
    let at = story.commit("cloud", &[("Plans/a.md", Some("honest"))]);
    story
        .signers
        .retire(|signer| signer.agent.as_str() == "cloud", at);
    // As old as the honest one, by everything but the history.
    story.tip = story.base;
    let beside = story.commit("cloud", &[("Plans/b.md", Some("evil"))]);
    assert_eq!(story.open(), hex(&[beside]));
}

#[test]
fn retired_local_key_counts_only_for_the_past() {
    let mut story = Story::begin();
    let evil = story.commit("cloud", &[("Approved/evil.md", Some("send"))]);
    story.revert();
    let owners = story.commit("local", &[("Approved/mine.md", Some("send"))]);
    story
        .signers
        .retire(|signer| signer.role == Role::Local, story.tip);
    let report = story.judge_as(Perspective::Cloud, Some(story.base), story.tip);
    let reverted: BTreeSet<_> = report.reverted.iter().map(|v| v.commit.clone()).collect();
    assert_eq!(reverted, hex(&[evil]));
    assert!(report.open.is_empty());
    let late = story.commit("local", &[("Approved/late.md", Some("send"))]);
    let report = story.judge_as(Perspective::Cloud, Some(owners), story.tip);
    assert_eq!(found(report), hex(&[late]));
}

#[test]
fn retirement_at_a_lost_commit_covers_nothing() {
    let mut story = Story::begin();
    let nowhere = Oid::from_bytes(&[7; 20]).unwrap();
    let last = story.commit("cloud", &[("Plans/a.md", Some("honest"))]);
    story
        .signers
        .retire(|signer| signer.agent.as_str() == "cloud", nowhere);
    assert_eq!(story.open(), hex(&[last]));
}
