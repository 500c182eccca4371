//! What `status` states about the remote, and when.

use platinum_core::{AgentName, Role, VaultPath, format_minute};
use platinum_repo::{CommitMeta, Edit, Oid};

use super::*;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-20T20:00:00Z")
}

fn fresh() -> RemoteContact {
    RemoteContact::Fresh { answered: now() }
}

#[test]
fn contact_is_as_old_as_the_last_answer() {
    let words = |answered: Option<&str>, trouble: Option<&str>, is_running| {
        let contact = RemoteHealth {
            answered: answered.map(at),
            trouble: trouble.map(str::to_owned),
            remote: None,
        };
        RemoteContact::of(&contact, is_running, now()).words(now())
    };
    assert_eq!(
        words(Some("2026-11-20T19:59:58Z"), None, true),
        (Level::Ok, "answered 2 s ago".to_owned())
    );
    assert_eq!(
        words(Some("2026-11-20T19:00:00Z"), None, true),
        (Level::Warn, "last answered 1 h ago".to_owned())
    );
    assert_eq!(
        words(Some("2026-11-20T18:00:00Z"), None, false),
        (
            Level::Warn,
            "last answered 2 h ago; not asked while the daemon is off".to_owned()
        )
    );
    assert_eq!(
        words(Some("2026-11-20T19:57:00Z"), Some("no route"), true),
        (
            Level::Error,
            "last answered 3 min ago, then failed: no route".to_owned()
        )
    );
    assert_eq!(words(None, None, true).1, "not asked yet");
    assert_eq!(
        words(None, Some("no route."), true).1,
        "never answered: no route"
    );
}

#[test]
fn answer_takes_back_that_there_was_none() {
    let reason = "the remote /old did not answer: /old is no repository".to_owned();
    let nothing = SyncState::NothingYet {
        reason: Some(reason.clone()),
    };
    assert_eq!(
        nothing.with_empty_answer(),
        SyncState::NothingYet { reason: None }
    );
    let tip = TipInfo {
        commit: "a".repeat(40),
        made_at_second: 0,
    };
    let stopped = SyncState::Stopped {
        tip: tip.clone(),
        reason,
    };
    assert_eq!(
        stopped.with_answer(&"b".repeat(40), now()),
        SyncState::Unconfirmed { tip: tip.clone() }
    );
    // What an answer does not mend stays.
    let refused = SyncState::Stopped {
        tip,
        reason: "a commit is not signed by a trusted key".to_owned(),
    };
    assert_eq!(refused.clone().with_answer(&"b".repeat(40), now()), refused);
}

/// A repository whose refs are at the first, the second, or no commit.
fn repository(
    verified: Option<usize>,
    seen: Option<usize>,
    applied: Option<usize>,
) -> (tempfile::TempDir, [Oid; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
    let agent: AgentName = "cloud".parse().unwrap();
    let commit = |parent, name: &str| {
        let edits = [(VaultPath::new(name).unwrap(), Edit::Put(b"x".to_vec()))];
        let meta = CommitMeta {
            agent: agent.clone(),
            role: Role::Cloud,
            message: "A".to_owned(),
            trailers: Vec::new(),
            at: at("2026-11-20T19:57:00Z"),
        };
        repo.commit(parent, &edits, &meta).unwrap()
    };
    let first = commit(None, "Inbox/a.md");
    let second = commit(Some(first), "Inbox/b.md");
    let commits = [first, second];
    for (name, at) in [
        (RefName::Verified, verified),
        (RefName::Remote, seen),
        (RefName::Applied, applied),
    ] {
        if let Some(at) = at {
            repo.set_ref(name, commits[at]).unwrap();
        }
    }
    (folder, commits)
}

fn words(
    snapshot: &SyncSnapshot,
    contact: &RemoteContact,
    folder: &tempfile::TempDir,
) -> (Level, String) {
    let check = SyncState::read(snapshot, contact, &folder.path().join("vault.git")).check(now());
    (check.level, check.text)
}

#[test]
fn in_sync_needs_a_fresh_answer_and_equal_tips() {
    let (folder, [_, second]) = repository(Some(1), Some(1), Some(1));
    let tip = second.to_string();
    let fine = SyncSnapshot {
        at: Some(now()),
        remote_tip: Some(tip.clone()),
        verified: Some(tip.clone()),
        ..SyncSnapshot::default()
    };
    let at_tip = format!("{}, made 3 min ago", short_oid(&tip));
    assert_eq!(
        words(&fine, &fresh(), &folder),
        (Level::Ok, format!("in sync: both hold {at_tip}"))
    );
    let answered = at("2026-11-20T19:58:00Z");
    let failing = RemoteContact::Failing {
        answered,
        reason: "no route".to_owned(),
    };
    for (contact, verb) in [
        (RemoteContact::Late { answered }, "answered"),
        (failing, "answered"),
        (RemoteContact::DaemonOff { answered }, "been asked"),
    ] {
        assert_eq!(
            words(&fine, &contact, &folder),
            (
                Level::Warn,
                format!(
                    "up to date as of {} at {at_tip}; the remote has not {verb} since",
                    format_minute(answered)
                )
            )
        );
    }
    let off = RemoteContact::DaemonOff { answered };
    let state = SyncState::read(&fine, &off, &folder.path().join("vault.git"));
    let answered_with = |tip: &str| state.clone().with_answer(tip, now()).check(now()).text;
    assert_eq!(answered_with(&tip), format!("in sync: both hold {at_tip}"));
    assert!(answered_with(&"0".repeat(40)).starts_with("not in sync, at "));
    let unsynced = SyncSnapshot::default();
    for contact in [fresh(), RemoteContact::NotAsked] {
        assert_eq!(
            words(&unsynced, &contact, &folder),
            (
                Level::Warn,
                format!("at {at_tip}; not yet confirmed by a sync")
            )
        );
    }
    let withheld = SyncSnapshot {
        withheld: vec![Withheld {
            path: VaultPath::new("Inbox/a.md").unwrap(),
            reason: "it cannot be read".to_owned(),
        }],
        ..fine.clone()
    };
    assert_eq!(
        words(&withheld, &fresh(), &folder).1,
        format!("not in sync, at {at_tip}: 1 file is withheld")
    );
    let busy = SyncSnapshot {
        waiting: 2,
        ..fine.clone()
    };
    assert_eq!(
        words(&busy, &fresh(), &folder).1,
        format!("not in sync, at {at_tip}: 2 files are being written")
    );
    let state = SyncState::read(&fine, &fresh(), &folder.path().join("vault.git"));
    let doubted = state.with_doubts(&["no key".to_owned(), "no room".to_owned()]);
    assert_eq!(
        (doubted.check(now()).level, doubted.check(now()).text),
        (
            Level::Warn,
            format!(
                "the vault and the remote hold {at_tip}; not in sync all the same: no key; no room"
            )
        )
    );
    let stopped = SyncSnapshot {
        trouble: Some("commit 0123456789ab is not applied: why".to_owned()),
        ..fine
    };
    assert_eq!(
        words(&stopped, &fresh(), &folder),
        (
            Level::Error,
            format!("stopped at {at_tip}: commit 0123456789ab is not applied: why")
        )
    );
}

/// The refs may be newer than what the daemon recorded after its last sync.
#[test]
fn refs_that_differ_outweigh_the_recorded_sync() {
    let (folder, [first, _]) = repository(Some(0), Some(1), None);
    let (level, text) = words(&SyncSnapshot::default(), &fresh(), &folder);
    assert_eq!(level, Level::Warn);
    assert_eq!(
        text,
        format!(
            "not in sync, at {}, made 3 min ago: the remote has newer changes that are not \
             taken over; 1 file of it is not in the vault yet",
            short_oid(&first.to_string())
        )
    );
    let (folder, _) = repository(None, None, None);
    assert_eq!(
        words(&SyncSnapshot::default(), &fresh(), &folder),
        (Level::Warn, "nothing came from the remote yet".to_owned())
    );
}

#[test]
fn withheld_names_every_recorded_file() {
    let file = |n: usize| Withheld {
        path: VaultPath::new(format!("Inbox/{n}.md")).unwrap(),
        reason: "it cannot be read".to_owned(),
    };
    let withheld = WithheldFiles {
        files: (0..7).map(file).collect(),
        more: 10,
    };
    let checks = withheld.checks();
    assert_eq!(checks.len(), 8);
    assert_eq!(checks[6].text, "Inbox/6.md: it cannot be read");
    assert_eq!(checks[7].text, "and 10 more files");
}
