//! What counts as an approval: the move of the very file that waited, a command, a confirmation;
//! and what stops one.

mod moves;

use std::{
    cell::Cell,
    collections::HashMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicBool, Ordering},
};

use platinum_core::{Action, DraftId, EmailSend, VaultPath, layout};
use platinum_journal::{AuditEvent, approvals::How};
use platinum_vault::note::{DraftNote, Note};

use super::{
    ApprovalPolicy, EntryState, Outgoing, Returned, act,
    admission::admit,
    inspect::{Difference, Inspection, drift},
};
use crate::{
    EffectError,
    tests::{Fixture, draft, id, policy, sent},
};

/// Puts a draft before the owner, as a sync does, and notes which file that is.
fn wait(fixture: &Fixture, draft: &DraftNote) {
    fixture.wait(draft.id, &draft.render());
}

/// What a synchroniser makes of a move on another device.
fn move_elsewhere(fixture: &Fixture, n: u128) {
    let (from, to) = (layout::pending(id(n)), layout::approved(id(n)));
    let text = fixture.vault.read_text(&from, 10_000).unwrap();
    fixture.vault.create(&to, text.as_bytes()).unwrap();
    fixture.vault.remove(&from).unwrap();
}

fn read(fixture: &Fixture, path: &VaultPath) -> Note {
    Note::parse(&fixture.vault.read_text(path, 10_000).unwrap()).unwrap()
}

fn undo(fixture: &Fixture, n: u128) -> Result<act::Undone, act::ActError> {
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    act::undo(vault, journal, &policy(0), id(n), fixture.now())
}

fn inspection<'a>(
    fixture: &'a Fixture,
    policy: &'a ApprovalPolicy,
    (attempts, differences): &'a (HashMap<DraftId, u32>, HashMap<DraftId, Difference>),
) -> Inspection<'a> {
    Inspection {
        vault: &fixture.vault,
        journal: &fixture.journal,
        policy,
        now: fixture.now(),
        attempts,
        differences,
        installed_skills: None,
        is_shown_alone: false,
    }
}

/// Admits, and answers the reasons for what went back.
async fn returned(fixture: &Fixture) -> Vec<Returned> {
    fixture.approvals.admit().await.unwrap().returned
}

#[tokio::test]
async fn moved_draft_is_recorded_and_sent_once() {
    let fixture = Fixture::new([sent()]);
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    // The file alone is nothing.
    assert!(fixture.next().await.is_none());
    let admitted = fixture.approvals.admit().await.unwrap();
    assert_eq!((admitted.recorded, admitted.has_ready), (1, true));
    let approval = fixture.journal.approval(id(1)).unwrap().unwrap();
    assert_eq!(approval.how, How::Moved);
    assert_eq!(approval.machine, "local");
    assert_eq!(approval.binds.expires, draft(1).expires);
    let identity = fixture.vault.identity(&layout::approved(id(1))).unwrap();
    assert_eq!(approval.file, identity);
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
}

/// Edits a file in place, without its inode changing, some time ago.
fn edit(fixture: &Fixture, path: &VaultPath, from: &str, to: &str) {
    let path = fixture.vault.root().join(path.as_str());
    let text = std::fs::read_to_string(&path).unwrap();
    let mut file = std::fs::File::options().write(true).open(&path).unwrap();
    std::io::Write::write_all(&mut file, text.replace(from, to).as_bytes()).unwrap();
    let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    file.set_modified(an_hour_ago).unwrap();
}

#[tokio::test]
async fn draft_changed_after_its_approval_goes_back() {
    let fixture = Fixture::new([sent()]);
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    let mut edited = draft(1);
    let mut mail: EmailSend = edited.action.read().unwrap();
    mail.to = vec!["eve@else.test".into()];
    edited.action = platinum_core::Action::new(&mail);
    fixture
        .vault
        .replace(&layout::approved(id(1)), edited.render().as_bytes(), None)
        .unwrap();
    assert!(fixture.next().await.is_none());
    let back = returned(&fixture).await;
    assert_eq!(
        back[0].reason,
        "it, or a file that it attaches, was changed after it was approved at \
         2026-11-20T12:00:00Z; read it, then approve it again"
    );
    assert_eq!(fixture.journal.approval(id(1)).unwrap(), None);
    assert_eq!(fixture.asked(), 0);
    // It is no loss: the edit is in the file that waits.
    let text = fixture
        .vault
        .read_text(&layout::pending(id(1)), 10_000)
        .unwrap();
    assert_eq!(DraftNote::parse(&text).unwrap().action, edited.action);
}

#[tokio::test]
async fn every_bound_field_drifts() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let approval = fixture.journal.approval(id(1)).unwrap().unwrap();
    let path = layout::approved(id(1));
    let text = fixture.vault.read_text(&path, 10_000).unwrap();
    let first = text.lines().nth(1).unwrap();
    for line in [
        "expires: 2027-11-27T12:00:00Z",
        "send-at: 2026-11-21T08:00",
        "epoch: 2",
        "cc: eve@else.test",
        "bcc: eve@else.test",
        "attachments: Approved/x.pdf",
    ] {
        let key = line.split(':').next().unwrap();
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with(&format!("{key}:")))
            .collect();
        let changed = kept
            .join("\n")
            .replacen(first, &format!("{first}\n{line}"), 1)
            + "\n";
        let attached: VaultPath = "Approved/x.pdf".parse().unwrap();
        fixture.vault.replace(&attached, b"x", None).unwrap();
        fixture
            .vault
            .replace(&path, changed.as_bytes(), None)
            .unwrap();
        let now = Outgoing::read(&fixture.vault, &path).unwrap();
        let fingerprint = now.fingerprint().unwrap();
        let policy = policy(0);
        assert!(
            drift(&approval, &now, &fingerprint, &policy).is_some(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn draft_goes_back_when_the_acting_skills_change() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let fixture = fixture.restarted_with(ApprovalPolicy {
        skills: Some("s2".to_owned()),
        ..policy(0)
    });
    let back = returned(&fixture).await;
    assert!(
        back[0].reason.starts_with("the skills that carry it out"),
        "{back:?}"
    );
    assert!(fixture.next().await.is_none());
}

/// A command approves with what is installed; the daemon runs what was when it started.
#[tokio::test]
async fn draft_approved_with_newer_skills_waits_for_a_restart() {
    let fixture = Fixture::new([sent()]).restarted_with(ApprovalPolicy {
        skills: Some("s2".to_owned()),
        ..policy(0)
    });
    fixture.approve(&draft(1));
    let daemon = fixture.running("s1", "s2");
    assert_eq!(returned(&daemon).await, []);
    assert!(daemon.next().await.is_none());
    assert_eq!(
        daemon.states().await,
        [
            "waits: it was approved with other skills or grants than this daemon runs; restart \
             `platinum run`"
        ]
    );
    // What is approved with neither goes back.
    let daemon = daemon.running("s1", "s3");
    assert_eq!(returned(&daemon).await.len(), 1);
}

#[tokio::test]
async fn moved_draft_with_open_gaps_goes_back() {
    let fixture = Fixture::new([]);
    let mut gaps = draft(1);
    gaps.action
        .set_text("Dear Ada,\n\n[[answer]]\n".into())
        .unwrap();
    wait(&fixture, &gaps);
    fixture.move_to_approved(id(1));
    let back = returned(&fixture).await;
    assert!(
        back[0].reason.starts_with("its text still has gaps"),
        "{back:?}"
    );
    // Filled in, it may be moved again at once.
    edit(
        &fixture,
        &layout::pending(id(1)),
        "[[answer]]",
        "yes.       ",
    );
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
}

/// It cannot be meant as it is: no command for that is named.
#[tokio::test]
async fn moved_draft_with_a_gap_for_a_field_goes_back() {
    let fixture = Fixture::new([]);
    let mut gap = draft(1);
    let mail: EmailSend = gap.action.read().unwrap();
    gap.action = Action::new(&EmailSend {
        to: vec!["[✎ address of Ada]".to_owned()],
        ..mail
    });
    wait(&fixture, &gap);
    fixture.move_to_approved(id(1));
    let back = returned(&fixture).await;
    assert_eq!(
        back[0].reason,
        "a field is still a gap, marked [✎ …]; fill it in and approve it again"
    );
}

/// A drafter that says `gaps: keep` does not speak for the owner.
#[tokio::test]
async fn gaps_kept_by_the_drafter_are_held() {
    let fixture = Fixture::new([]);
    let mut gaps = draft(1);
    gaps.action
        .set_text("Dear Ada,\n\n[[answer]]\n".into())
        .unwrap();
    let text = gaps.render().replacen("---\n", "---\ngaps: keep\n", 1);
    fixture.wait(gaps.id, &text);
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    assert_eq!(
        fixture.states().await,
        [
            "held; read it and confirm with `platinum approve`: text: it has gaps, marked [✎ …], and \
          `gaps: keep` sends them as they are"
        ]
    );
}

#[tokio::test]
async fn approval_is_held_and_can_be_undone() {
    let fixture = Fixture::new([sent()]).restarted_with(policy(10));
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    let admitted = fixture.approvals.admit().await.unwrap();
    assert!(!admitted.has_ready);
    assert_eq!(
        admitted.next_due.unwrap().to_string(),
        "2026-11-20T12:00:10Z"
    );
    fixture.pass(9);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        ["leaves at 2026-11-20T12:00:10Z; `platinum undo` takes it back"]
    );
    let undone = undo(&fixture, 1).unwrap();
    assert_eq!(
        (undone.path, undone.not_moved),
        (Some(layout::pending(id(1))), None)
    );
    fixture.pass(60);
    assert!(fixture.next().await.is_none());
    assert!(matches!(
        undo(&fixture, 1),
        Err(act::ActError::NotApproved(_))
    ));
    // A new act is a new moment.
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    assert!(fixture.next().await.is_none());
    fixture.pass(10);
    fixture.send_next().await.unwrap();
    assert_eq!(fixture.asked(), 1);
    assert!(matches!(undo(&fixture, 1), Err(act::ActError::Done(..))));
}

/// A stop depends on no free place for the file.
#[tokio::test]
async fn undo_goes_beside_what_is_in_its_place() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    let pending = layout::pending(id(1));
    fixture.vault.create(&pending, b"another\n").unwrap();
    let undone = undo(&fixture, 1).unwrap();
    let beside = undone.path.unwrap();
    assert!(
        beside.as_str().starts_with("Pending_Approval/") && beside.as_str().contains(".conflict-"),
        "{beside}"
    );
    assert_eq!(undone.not_moved, None);
    assert_eq!(fixture.vault.read(&pending, 100).unwrap(), b"another\n");
    assert!(!fixture.vault.exists(&layout::approved(id(1))).unwrap());
    assert!(fixture.send(approved).await.is_err());
    assert!(fixture.next().await.is_none());
    assert_eq!(fixture.asked(), 0);
}

/// Also where the file cannot be moved at all, and is the very one that waited.
#[tokio::test]
async fn undo_counts_although_the_file_cannot_be_moved() {
    let fixture = Fixture::new([]).restarted_with(policy(10));
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    let folder = fixture.vault.root().join("Pending_Approval");
    std::fs::remove_dir(&folder).unwrap();
    std::fs::write(&folder, "no folder").unwrap();
    let undone = undo(&fixture, 1).unwrap();
    assert_eq!(undone.path, Some(layout::approved(id(1))));
    let why = format!(
        "{} is refused: `Pending_Approval` is not a folder",
        layout::pending(id(1))
    );
    assert_eq!(undone.not_moved, Some(why));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    fixture.pass(60);
    assert!(fixture.next().await.is_none());
    // It goes back once it can.
    std::fs::remove_file(&folder).unwrap();
    assert_eq!(returned(&fixture).await.len(), 1);
    assert!(fixture.vault.exists(&layout::pending(id(1))).unwrap());
    assert_eq!(fixture.asked(), 0);
}

/// What was handed out before it was taken back does not leave.
#[tokio::test]
async fn undone_approval_stops_a_handle_that_is_out() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    undo(&fixture, 1).unwrap();
    let error = fixture.send(approved).await.unwrap_err();
    assert!(
        matches!(&error, EffectError::Refused(why) if why.ends_with("was taken back")),
        "{error:?}"
    );
    assert_eq!(fixture.asked(), 0);
}

/// Moved back, it is approved no more: the same bytes from elsewhere are not sent for it.
#[tokio::test]
async fn draft_moved_back_is_not_approved_any_more() {
    let fixture = Fixture::new([sent()]).restarted_with(policy(10));
    wait(&fixture, &draft(1));
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    fixture
        .vault
        .rename(&layout::approved(id(1)), &layout::pending(id(1)))
        .unwrap();
    assert_eq!(fixture.approvals.admit().await.unwrap().withdrawn, [id(1)]);
    move_elsewhere(&fixture, 1);
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    fixture.pass(60);
    assert!(fixture.next().await.is_none());
}

#[tokio::test]
async fn send_at_is_obeyed() {
    let fixture = Fixture::new([sent()]).restarted_with(policy(10));
    let text = draft(1)
        .render()
        .replacen("---\n", "---\nsend-at: 2026-11-20T13:00:00Z\n", 1);
    fixture.wait(id(1), &text);
    fixture.move_to_approved(id(1));
    fixture.approvals.admit().await.unwrap();
    fixture.pass(3599);
    assert!(fixture.next().await.is_none());
    assert_eq!(
        fixture.states().await,
        ["leaves at 2026-11-20T13:00:00Z, as its `send-at` says"]
    );
    fixture.pass(1);
    fixture.send_next().await.unwrap();
    // What is no time is no `send-at` to guess at.
    let text = draft(2)
        .render()
        .replacen("---\n", "---\nsend-at: tomorrow\n", 1);
    fixture.wait(id(2), &text);
    fixture.move_to_approved(id(2));
    let entries = fixture.approvals.entries().await.unwrap();
    assert_eq!(
        entries[1].state.to_string(),
        "cannot be used: `send-at` has to be a time, such as 2026-11-30T08:00"
    );
}

#[tokio::test]
async fn pause_stops_everything_until_it_is_resumed() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    fixture.journal.pause(fixture.now(), "odd mails").unwrap();
    assert!(fixture.next().await.is_none());
    let why = "everything is paused since 2026-11-20T12:00:00Z (odd mails); `platinum resume` lets \
               it go on";
    assert_eq!(fixture.states().await, [format!("waits: {why}")]);
    // Also for what was handed out before.
    let error = fixture.send(approved).await.unwrap_err();
    assert!(
        matches!(&error, EffectError::Postponed(reason) if reason == why),
        "{error:?}"
    );
    assert_eq!(fixture.asked(), 0);
    fixture.journal.resume(fixture.now()).unwrap();
    fixture.send_next().await.unwrap();
}

/// What the daemon notes in a draft while its owner reads it is no change of what was shown.
#[tokio::test]
async fn approve_passes_over_what_was_noted_meanwhile() {
    let fixture = Fixture::new([]);
    wait(&fixture, &draft(1));
    let path = layout::pending(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let mut note = read(&fixture, &path);
    note.set("held", "to: new").unwrap();
    let noted = note.to_text();
    fixture
        .vault
        .replace(&path, noted.as_bytes(), None)
        .unwrap();
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings: &[],
    };
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    act::approve(vault, journal, &policy(0), &shown, fixture.now()).unwrap();
    assert_eq!(read(&fixture, &layout::approved(id(1))).get("held"), None);
}

#[tokio::test]
async fn approve_binds_what_was_shown() {
    let fixture = Fixture::new([]);
    wait(&fixture, &draft(1));
    let path = layout::pending(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let mut edited = draft(1);
    edited.action.set_text("Something else.\n".into()).unwrap();
    fixture
        .vault
        .replace(&path, edited.render().as_bytes(), None)
        .unwrap();
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings: &[],
    };
    let approved = act::approve(
        &fixture.vault,
        &fixture.journal,
        &policy(0),
        &shown,
        fixture.now(),
    );
    assert!(
        matches!(approved, Err(act::ActError::Changed(_))),
        "{approved:?}"
    );
    assert!(fixture.vault.exists(&path).unwrap());
    assert_eq!(fixture.journal.approval(id(1)).unwrap(), None);
}

/// Nothing that waits is overwritten by what comes back.
#[tokio::test]
async fn file_that_goes_back_overwrites_nothing() {
    let fixture = Fixture::new([]);
    wait(&fixture, &draft(1));
    let mut other = draft(1);
    other.action.set_text("Another text.\n".into()).unwrap();
    fixture
        .vault
        .create(&layout::approved(id(1)), other.render().as_bytes())
        .unwrap();
    // The file is not the one that waited: held, not sent.
    assert_eq!(returned(&fixture).await, []);
    assert!(matches!(
        fixture.approvals.entries().await.unwrap()[0].state,
        EntryState::Unconfirmed(_)
    ));
    // With gaps it goes back, beside the one that waits.
    other.action.set_text("[[what]]\n".into()).unwrap();
    fixture
        .vault
        .replace(&layout::approved(id(1)), other.render().as_bytes(), None)
        .unwrap();
    let back = returned(&fixture).await;
    assert!(
        back[0].path.as_str().contains(".conflict-local-"),
        "{back:?}"
    );
    let waiting = fixture
        .vault
        .read_text(&layout::pending(id(1)), 10_000)
        .unwrap();
    assert_eq!(waiting, draft(1).render());
}

#[tokio::test]
async fn withdrawn_approval_stops_the_mail() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    fixture
        .vault
        .rename(&layout::approved(id(1)), &layout::rejected(id(1)))
        .unwrap();
    assert!(matches!(
        fixture.send(approved).await,
        Err(EffectError::Refused(_))
    ));
    assert_eq!(fixture.asked(), 0);
}

#[tokio::test]
async fn next_hands_out_the_oldest_draft() {
    let fixture = Fixture::new([]);
    fixture.approve(&draft(9));
    fixture.approve(&draft(2));
    assert_eq!(fixture.next().await.unwrap().draft().id, id(2));
}

#[tokio::test]
async fn approval_that_expires_before_use_is_refused() {
    let fixture = Fixture::new([sent()]);
    fixture.approve(&draft(1));
    let approved = fixture.next().await.unwrap();
    fixture.pass(8 * 86_400);
    assert!(matches!(
        fixture.send(approved).await,
        Err(EffectError::Refused(_))
    ));
    assert_eq!(fixture.asked(), 0);
}

/// An attachment that is still being written holds its own draft, and no other.
#[tokio::test]
async fn unreadable_attachment_holds_its_draft_alone() {
    let fixture = Fixture::new([]);
    let attached: VaultPath = "Inbox/film.txt".parse().unwrap();
    fixture
        .vault
        .create(&attached, "x".repeat(4_000_000).as_bytes())
        .unwrap();
    let mut growing = draft(1);
    let mut mail: EmailSend = growing.action.read().unwrap();
    mail.attachments = vec![attached.clone()];
    growing.action = platinum_core::Action::new(&mail);
    fixture.approve(&growing);
    fixture.approve(&draft(2));
    wait(&fixture, &draft(3));
    fixture.move_to_approved(id(3));
    let is_over = AtomicBool::new(false);
    let file = fixture.vault.root().join(attached.as_str());
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
            let mut left = 12_000_000;
            while !is_over.load(Ordering::SeqCst) && left > 0 {
                left -= std::io::Write::write(&mut file, b"y").unwrap();
            }
        });
        let (policy, known) = (policy(0), Default::default());
        let inspection = inspection(&fixture, &policy, &known);
        // Now and then it stands still for long enough to be read.
        let is_seen = (0..2000).any(|_| {
            let entries = inspection.scan().unwrap();
            let states: Vec<String> = entries.iter().map(|one| one.state.to_string()).collect();
            assert_eq!(
                states[1..],
                ["ready", "moved here; the approval is recorded next"]
            );
            states[0]
                == "waits: Inbox/film.txt was changed by another program in the meantime; read it \
                    again"
        });
        is_over.store(true, Ordering::SeqCst);
        assert!(is_seen);
    });
}

/// What would leave only after it expired never leaves: it is not approved.
#[tokio::test]
async fn send_at_after_the_expiry_is_not_approved() {
    let fixture = Fixture::new([]);
    let text = draft(1)
        .render()
        .replacen("---\n", "---\nsend-at: 2026-11-28T13:00:00Z\n", 1);
    fixture.wait(id(1), &text);
    let path = layout::pending(id(1));
    let outgoing = Outgoing::read(&fixture.vault, &path).unwrap();
    let shown = act::Shown {
        path: &path,
        outgoing: &outgoing,
        findings: &[],
    };
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    let refused = act::approve(vault, journal, &policy(0), &shown, fixture.now());
    assert_eq!(
        refused.unwrap_err().to_string(),
        format!(
            "{} would never leave: it is to leave at 2026-11-28T13:00:00Z, and expires before, at \
             2026-11-27T12:00:00Z",
            id(1)
        )
    );
    assert!(fixture.vault.exists(&path).unwrap());
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    assert_eq!(
        fixture.states().await,
        [
            "held; read it and confirm with `platinum approve`: send-at: it is to leave at \
             2026-11-28T13:00:00Z, and expires before, at 2026-11-27T12:00:00Z: it would never \
             leave"
        ]
    );
}

thread_local! {
    static DIES: Cell<bool> = const { Cell::new(false) };
}

/// Ends work at a fail point, on this thread alone: what was not committed there is not.
fn die_at(point: &str, work: impl FnOnce()) {
    let dies = || assert!(!DIES.get(), "this is a part of the test");
    fail::cfg_callback(point, dies).unwrap();
    DIES.set(true);
    let died = catch_unwind(AssertUnwindSafe(work));
    DIES.set(false);
    assert!(died.is_err(), "{point} was not met");
}

/// If the process dies between the move of a file and its record, the next look makes it good.
#[tokio::test]
async fn act_that_dies_before_its_record_is_made_good() {
    let fixture = Fixture::new([]);
    let (vault, journal) = (&fixture.vault, &fixture.journal);
    let (policy, known) = (policy(0), Default::default());
    let (waiting, approved) = (layout::pending(id(1)), layout::approved(id(1)));
    wait(&fixture, &draft(1));
    let outgoing = Outgoing::read(vault, &waiting).unwrap();
    let shown = act::Shown {
        path: &waiting,
        outgoing: &outgoing,
        findings: &[],
    };
    die_at("approval-moved", || {
        act::approve(vault, journal, &policy, &shown, fixture.now()).unwrap();
    });
    assert_eq!(journal.approval(id(1)).unwrap(), None);
    // The move counts by itself.
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    die_at("approval-undone", || {
        act::undo(vault, journal, &policy, id(1), fixture.now()).unwrap();
    });
    assert!(fixture.next().await.is_none());
    assert_eq!(fixture.approvals.admit().await.unwrap().withdrawn, [id(1)]);
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 1);
    let mut edited = draft(1);
    edited.action.set_text("Something else.\n".into()).unwrap();
    vault
        .replace(&approved, edited.render().as_bytes(), None)
        .unwrap();
    die_at("approval-returned", || {
        admit(&inspection(&fixture, &policy, &known)).unwrap();
    });
    assert_eq!(fixture.approvals.admit().await.unwrap().withdrawn, [id(1)]);
    assert!(read(&fixture, &waiting).get_text("returned").is_some());
    // What was found is written into the draft, and the draft stays held.
    let mut gaps = draft(2);
    gaps.action.set_text("[[answer]]\n".into()).unwrap();
    let text = gaps.render().replacen("---\n", "---\ngaps: keep\n", 1);
    fixture.wait(gaps.id, &text);
    fixture.move_to_approved(id(2));
    die_at("approval-findings-written", || {
        admit(&inspection(&fixture, &policy, &known)).unwrap();
    });
    let admitted = fixture.approvals.admit().await.unwrap();
    assert_eq!((admitted.recorded, admitted.returned.len()), (0, 0));
    assert!(fixture.states().await[0].starts_with("held; read it and confirm"));
    assert!(journal.verify().is_ok());
}
