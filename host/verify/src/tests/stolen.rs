//! Tasks that a cloud agent takes, brings back or ends although they are another agent's, and
//! claims that are none.

use std::collections::BTreeSet;

use platinum_repo::Oid;
use platinum_testkit::notes::{as_note, draft_path, with_line};

use super::{Story, claim, note, task};
use crate::verifier::Perspective;

type Edits<'a> = &'a [(&'a str, Option<&'a str>)];

/// The reasons why a commit of the cloud's on the tip may not be; the tip stays.
fn refused(story: &mut Story, edits: Edits<'_>) -> Vec<String> {
    let tip = story.tip;
    let commit = story.commit("cloud", edits);
    let report = story.judge_as(Perspective::Cloud, Some(tip), commit);
    let server = story.judge_as(Perspective::Server, Some(tip), commit);
    assert_eq!(report.open, server.open);
    story.tip = tip;
    let found = report.open.into_iter();
    found.flat_map(|violation| violation.reasons).collect()
}

fn hex(commits: &[Oid]) -> BTreeSet<String> {
    commits.iter().map(Oid::to_string).collect()
}

/// Where a task is.
struct Places {
    ghost: String,
    payments: String,
    email: String,
    social: String,
    local: String,
    cloud: String,
    done: String,
}

fn places(n: u64) -> Places {
    let name = task(n);
    Places {
        ghost: format!("In_Progress/cloud/x/{name}"),
        payments: format!("Needs_Action/payments/{name}"),
        email: format!("Needs_Action/email/{name}"),
        social: format!("Needs_Action/social/{name}"),
        local: format!("In_Progress/local/{name}"),
        cloud: format!("In_Progress/cloud/{name}"),
        done: format!("Done/2026/11/{name}"),
    }
}

/// A file that was moved away early lets no cloud take a task of local's.
#[test]
fn early_decoy_lets_no_cloud_take_a_local_task() {
    let mut story = Story::begin();
    let Places {
        ghost,
        payments,
        email,
        local,
        cloud,
        done,
        ..
    } = places(1);
    // It cannot even be put there; an older version may have let it in.
    assert_eq!(
        refused(&mut story, &[(&ghost, Some("ghost"))]),
        [format!(
            "cloud agent cloud may not create {ghost}: a task is at In_Progress/<agent>/<file>"
        )]
    );
    story.commit("local", &[(&ghost, Some("ghost"))]);
    let pay = note("", "Pay it.");
    story.commit("cloud", &[(&payments, Some(&pay))]);
    let owned = note(&claim("local", 1, 0), "Pay it.");
    story.base = story.commit("local", &[(&payments, None), (&local, Some(&owned))]);
    assert_eq!(
        refused(&mut story, &[(&ghost, None), (&email, Some(&pay))]),
        [format!(
            "cloud agent cloud may not create {email}: the task is in {local} already"
        )]
    );
    let stolen = note(&claim("cloud", 1, 0), "Pay it.");
    let bad = [
        story.commit("cloud", &[(&ghost, None), (&email, Some(&pay))]),
        story.commit("cloud", &[(&email, None), (&cloud, Some(&stolen))]),
        story.commit("cloud", &[(&cloud, None), (&done, Some(&stolen))]),
    ];
    assert_eq!(story.open(), hex(&bad));
    story.revert();
    assert_eq!(story.open(), BTreeSet::new());
    let files = story.files(story.tip);
    assert_eq!(files.get(&local), Some(&owned));
    for path in [&email, &cloud, &done] {
        assert!(!files.contains_key(path), "{path}");
    }
}

#[test]
fn decoy_deletion_does_not_bring_back_a_done_task() {
    let mut story = Story::begin();
    let Places {
        ghost, email, done, ..
    } = places(2);
    story.base = story.commit("local", &[(&ghost, Some("x")), (&done, Some("done"))]);
    assert_eq!(
        refused(&mut story, &[(&ghost, None), (&email, Some("again"))]),
        [format!(
            "cloud agent cloud may not create {email}: the task is in {done} already"
        )]
    );
}

#[test]
fn claim_leaving_a_waiting_copy_is_a_violation() {
    let mut story = Story::begin();
    let Places {
        email,
        social,
        cloud,
        ..
    } = places(3);
    story.commit("cloud", &[(&email, Some(&note("", "x")))]);
    let owned = note(&claim("cloud", 1, 0), "x");
    let waits = note("", "x");
    let reasons = refused(
        &mut story,
        &[
            (&email, None),
            (&cloud, Some(&owned)),
            (&social, Some(&waits)),
        ],
    );
    assert!(!reasons.is_empty());
}

#[test]
fn task_moved_honestly_is_not_created_again() {
    let mut story = Story::begin();
    let Places {
        payments,
        email,
        local,
        ..
    } = places(4);
    let (waits, owned) = (note("", "x"), note(&claim("local", 1, 0), "x"));
    story.commit("local", &[(&payments, Some(&waits))]);
    // The folder of local is new since the base, and gone again at the tip.
    story.commit("local", &[(&payments, None), (&local, Some(&owned))]);
    let bad = [
        story.commit("cloud", &[(&local, None)]),
        story.commit("cloud", &[(&email, Some(&waits))]),
    ];
    assert_eq!(story.open(), hex(&bad));
    story.revert();
    let files = story.files(story.tip);
    assert_eq!(files.get(&local), Some(&owned));
    assert!(!files.contains_key(&email));
}

#[test]
fn claims_with_growing_epochs_pass() {
    let mut story = Story::begin();
    let Places {
        email, cloud, done, ..
    } = places(5);
    let other = cloud.replace("/cloud/", "/cloud-2/");
    let text = |front: &str| note(front, "x");
    let back = |epoch: u64| format!("last-epoch: {epoch}\n");
    story.commit("cloud", &[(&email, Some(&text("")))]);
    for (agent, own, epoch) in [("cloud", &cloud, 1), ("cloud-2", &other, 2)] {
        let (claimed, beaten) = (claim(agent, epoch, 0), claim(agent, epoch, 7));
        story.commit(agent, &[(&email, None), (own, Some(&text(&claimed)))]);
        story.commit(agent, &[(own, Some(&text(&beaten)))]);
        story.commit(agent, &[(own, None), (&email, Some(&text(&back(epoch))))]);
    }
    // A person gives it to a host, by hand and without a claim; it gives it back as it was.
    story.commit(
        "local",
        &[
            (&email, None),
            (&cloud, Some(&text(&claim("cloud-2", 2, 7)))),
        ],
    );
    story.commit("cloud", &[(&cloud, None), (&email, Some(&text(&back(2))))]);
    let last = text(&claim("cloud", 3, 0));
    story.commit("cloud", &[(&email, None), (&cloud, Some(&last))]);
    story.commit("cloud", &[(&cloud, None), (&done, Some(&last))]);
    assert_eq!(story.open(), BTreeSet::new());
}

#[test]
fn claim_without_owner_or_next_epoch_is_refused() {
    let mut story = Story::begin();
    let Places { email, cloud, .. } = places(6);
    let waits = note("last-epoch: 4\n", "x");
    story.commit("local", &[(&email, Some(&waits))]);
    let expected = |next: u64| {
        format!(
            "cloud agent cloud may not create {cloud}: its note has to have a claim by cloud, of \
             epoch {next}"
        )
    };
    for front in [
        String::new(),
        "last-epoch: 5\n".to_owned(),
        claim("cloud-2", 5, 0),
        claim("local", 5, 0),
        claim("cloud", 0, 0),
        claim("cloud", 1, 0),
        claim("cloud", 4, 0),
        claim("cloud", 6, 0),
        claim("cloud", u64::MAX, 0),
        claim("cloud", 5, 0) + "  more: x\n",
        "claim: [\n".to_owned(),
    ] {
        let text = note(&front, "x");
        let reasons = refused(&mut story, &[(&email, None), (&cloud, Some(&text))]);
        assert_eq!(reasons, [expected(5)], "{front}");
    }
    let text = note(&claim("cloud", 5, 0), "x");
    let right = refused(&mut story, &[(&email, None), (&cloud, Some(&text))]);
    assert_eq!(right, Vec::<String>::new());
    // What the owner wrote there himself ends it, rather than giving an epoch twice.
    let most = format!("last-epoch: {}\n", u64::MAX);
    story.commit("local", &[(&email, Some(&note(&most, "x")))]);
    let text = note(&claim("cloud", u64::MAX, 0), "x");
    assert_eq!(
        refused(&mut story, &[(&email, None), (&cloud, Some(&text))]),
        [format!(
            "cloud agent cloud may not create {cloud}: the epochs of its claims are used up"
        )]
    );
}

/// A claim is neither changed nor dropped, nor forgotten when the task is released.
#[test]
fn claim_record_stays_until_and_after_release() {
    let mut story = Story::begin();
    let Places { email, cloud, .. } = places(7);
    let owned = note(&claim("cloud", 3, 0), "x");
    story.commit("local", &[(&cloud, Some(&owned))]);
    for front in [
        String::new(),
        "last-epoch: 3\n".to_owned(),
        claim("cloud", 2, 0),
        claim("cloud", 4, 0),
        claim("cloud", u64::MAX, 0),
        claim("cloud-2", 3, 0),
        claim("cloud", 3, 0).replace(&claim_id(3), &claim_id(9)),
        "claim: [\n".to_owned(),
    ] {
        assert_eq!(
            refused(&mut story, &[(&cloud, Some(&note(&front, "x")))]),
            [format!(
                "cloud agent cloud may not modify {cloud}: a claim stays as it was made"
            )],
            "{front}"
        );
    }
    let more = note(&(claim("cloud", 3, 5) + "mine: x\n"), "worked on");
    assert!(refused(&mut story, &[(&cloud, Some(&more))]).is_empty());
    for (front, is_right) in [
        (String::new(), false),
        ("last-epoch: 2\n".to_owned(), false),
        (format!("last-epoch: {}\n", u64::MAX), false),
        ("last-epoch: 3\n".to_owned(), true),
        (claim("cloud", 3, 0), true),
    ] {
        let back = note(&front, "x");
        let reasons = refused(&mut story, &[(&cloud, None), (&email, Some(&back))]);
        let expected = format!(
            "cloud agent cloud may not create {email}: a task that is given back keeps the epoch \
             of its claim, 3"
        );
        let expected = if is_right { vec![] } else { vec![expected] };
        assert_eq!(reasons, expected, "{front}");
    }
}

fn claim_id(n: u64) -> String {
    platinum_core::ClaimId::from_parts(n, 1).to_string()
}

#[test]
fn new_cloud_task_has_no_epoch_and_its_draft_has() {
    let mut story = Story::begin();
    let Places { email, .. } = places(8);
    for front in ["last-epoch: 1\n".to_owned(), claim("cloud", 1, 0)] {
        assert_eq!(
            refused(&mut story, &[(&email, Some(&note(&front, "x")))]),
            [format!(
                "cloud agent cloud may not create {email}: a task that is not claimed yet has \
                 no epoch"
            )]
        );
    }
    let path = &*draft_path("1");
    let draft = |epoch: &str| with_line(&as_note(path, "Yes.\n"), "epoch: ", epoch);
    for (epoch, more) in [
        ("other: 1", 0),
        ("epoch: 0", 0),
        ("epoch: x", 1),
        ("epoch: -1", 1),
    ] {
        let found = refused(&mut story, &[(path, Some(&draft(epoch)))]);
        assert_eq!(
            found[0],
            format!(
                "cloud agent cloud may not create {path}: a draft says under which claim of its \
                 task it was made (`epoch`)"
            )
        );
        assert_eq!(found.len(), 1 + more, "{found:?}");
    }
    assert!(refused(&mut story, &[(path, Some(&draft("epoch: 1")))]).is_empty());
}

#[test]
fn claim_on_a_forged_epoch_is_reverted_with_it() {
    let mut story = Story::begin();
    let Places { email, .. } = places(9);
    let other = format!("In_Progress/cloud-2/{}", task(9));
    story.base = story.commit("cloud", &[(&email, Some(&note("", "x")))]);
    let far = u64::MAX - 1;
    let forged = note(&format!("last-epoch: {far}\n"), "x");
    let claimed = note(&claim("cloud-2", far + 1, 0), "x");
    let bad = [
        story.commit("cloud", &[(&email, Some(&forged))]),
        story.commit("cloud-2", &[(&email, None), (&other, Some(&claimed))]),
    ];
    assert_eq!(story.open(), hex(&bad));
    story.revert();
    assert_eq!(story.files(story.tip), story.files(story.base));
}
