//! Nothing that was written is lost, and nothing half-made is sent: while the remote is away, after
//! programs that were killed, and when names are one to some systems.

use std::{fs, sync::Arc};

use platinum_core::Role;
use platinum_repo::{Oid, Repo};
use platinum_testkit::{git::GitServer, notes::text_of};

use crate::races::{
    intruders::forge,
    replica::{CutOff, Replica, at, remote_files, replica, replica_with},
};

fn repo(replica: &Replica) -> Repo {
    Repo::open_or_init(&replica.folder().join("state/vault.git")).unwrap()
}

/// Every version of a file in the chain of kept edits.
fn kept(replica: &Replica, path: &str) -> Vec<Oid> {
    let repo = repo(replica);
    let last = repo.last_snapshot().unwrap().unwrap();
    let chain = repo.commits_between(None, last, 1_000).unwrap();
    let blobs = chain.into_iter();
    blobs
        .filter_map(|link| repo.blob_at(link, &at(path)).unwrap())
        .collect()
}

/// What is written while the remote is away is in history version by version.
#[tokio::test(flavor = "multi_thread")]
async fn edits_made_offline_keep_every_version_in_history() {
    let server = GitServer::start().unwrap();
    let away = Arc::new(std::sync::atomic::AtomicBool::new(true));
    let owner = replica_with(&server, "local", |inner| {
        let away = Arc::clone(&away);
        Box::new(CutOff { inner, away })
    });
    for text in ["one\n", "two\n", "three\n"] {
        owner.write("Inbox/a.md", text);
        owner.sync.sync().await.unwrap_err();
    }
    let versions = ["one\n", "two\n", "three\n"].map(|t| Repo::blob_oid_of(t.as_bytes()).unwrap());
    assert_eq!(kept(&owner, "Inbox/a.md"), versions);
    // Looking again without a change keeps nothing more.
    owner.sync.sync().await.unwrap_err();
    assert_eq!(kept(&owner, "Inbox/a.md").len(), 3);
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(owner.sync.sync().await.unwrap().pushed, 1);
    assert_eq!(server.git(&["show", "main:Inbox/a.md"]).unwrap(), "three");
    // The chain itself stays here.
    let refs = server
        .git(&["for-each-ref", "--format=%(refname)"])
        .unwrap();
    assert_eq!(refs.lines().collect::<Vec<_>>(), ["refs/heads/main"]);
}

/// What killed programs left is removed if it is known and brought back if not.
#[tokio::test(flavor = "multi_thread")]
async fn leftovers_of_killed_programs_are_removed_or_restored() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "as it was\n");
    owner.sync.sync().await.unwrap();
    let hidden = |kind: &str, process: i32| {
        let name = format!(".platinum-tmp-{kind}-{process}-1-0-a.md");
        owner.root().join("Inbox").join(name)
    };
    let (half, known, edit) = (
        hidden("new", i32::MAX),
        hidden("swap", i32::MAX),
        hidden("gone", i32::MAX),
    );
    // The first process always runs.
    let living = hidden("swap", 1);
    fs::write(&half, "half a no").unwrap();
    fs::write(&known, "as it was\n").unwrap();
    fs::write(&edit, "an edit\n").unwrap();
    fs::write(&living, "being written\n").unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.pushed, 1, "{report:?}");
    assert!(!half.exists() && !known.exists() && !edit.exists());
    assert!(living.exists());
    let files = owner.files();
    let (copy, text) = files
        .iter()
        .find(|(path, _)| path.contains("a.conflict-local-"))
        .unwrap();
    assert!(
        copy.starts_with("Inbox/") && text == "an edit\n",
        "{files:?}"
    );
    assert_eq!(files.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_only_changes_its_spelling_arrives_as_a_rename() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    for name in ["note", "other"] {
        owner.write(
            &format!("In_Progress/cloud/{name}.md"),
            &format!("{name}\n"),
        );
    }
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    let folder = owner.root().join("In_Progress/cloud");
    fs::rename(folder.join("note.md"), folder.join("Note.md")).unwrap();
    fs::rename(folder.join("other.md"), folder.join("OTHER.md")).unwrap();
    owner.write("In_Progress/cloud/OTHER.md", "edited too\n");
    owner.sync.sync().await.unwrap();
    let report = cloud.sync.sync().await.unwrap();
    assert!(report.withheld.is_empty(), "{report:?}");
    assert_eq!(report.conflicts, 0);
    let files = cloud.files();
    assert_eq!(files["In_Progress/cloud/Note.md"], "note\n");
    assert_eq!(files["In_Progress/cloud/OTHER.md"], "edited too\n");
    assert_eq!(files.len(), 2);
    // Nothing of it comes back to the owner.
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pulled, report.pushed), (0, 0), "{report:?}");
}

/// Two names that are one to some systems are not both put there.
#[tokio::test(flavor = "multi_thread")]
async fn names_that_fold_together_are_not_both_written() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    cloud.write("Updates/cloud/straße.md", "the cloud's\n");
    cloud.write("Updates/cloud/fine.md", "fine\n");
    cloud.sync.sync().await.unwrap();
    owner.write("Updates/cloud/STRASSE.md", "the owner's\n");
    let report = owner.sync.sync().await.unwrap();
    let reasons: Vec<_> = report.withheld.iter().map(|held| &held.reason).collect();
    assert!(
        reasons.iter().any(|reason| **reason
            == "Updates/cloud/straße.md is not put here: `Updates/cloud/STRASSE.md` is the same \
                name on many systems; rename one of them"),
        "{reasons:?}"
    );
    assert_eq!(
        owner.read("Updates/cloud/STRASSE.md").unwrap(),
        "the owner's\n"
    );
    assert_eq!(owner.read("Updates/cloud/straße.md"), None);
    assert_eq!(owner.read("Updates/cloud/fine.md").unwrap(), "fine\n");
    // It is kept in the tree, and not taken for deleted.
    owner.sync.sync().await.unwrap();
    let there = server
        .git(&["show", "main:Updates/cloud/straße.md"])
        .unwrap();
    assert_eq!(text_of(&there), "the cloud's");
    // Renamed, both are everywhere.
    let folder = owner.root().join("Updates/cloud");
    fs::rename(folder.join("STRASSE.md"), folder.join("another.md")).unwrap();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
    assert_eq!(owner.files().len(), 4);
}

/// A note that became empty a moment ago is not sent and that is told.
#[tokio::test(flavor = "multi_thread")]
async fn note_just_truncated_is_not_pushed_and_reported() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("Company_Handbook.md", "Be kind.\n");
    owner.sync.sync().await.unwrap();
    fs::write(owner.root().join("Company_Handbook.md"), "").unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.pushed, 0, "{report:?}");
    let reasons: Vec<_> = report.withheld.iter().map(|held| &held.reason).collect();
    assert_eq!(
        reasons,
        ["Company_Handbook.md has just become empty; that counts once it stays so"]
    );
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.read("Company_Handbook.md").unwrap(), "Be kind.\n");
}

/// What came for `Approved/` waits where there is room for it, and keeps nothing else from the sync:
/// a folder is in its place, or the path there would be too long.
#[tokio::test(flavor = "multi_thread")]
async fn approval_without_its_place_waits_beside_it() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Pending_Approval/d.md/inside.md", "mine\n");
    owner.sync.sync().await.unwrap();
    let folder = "x".repeat(180);
    let long = format!("Approved/{folder}/{folder}/{}.md", "y".repeat(136));
    let edits = [
        ("Approved/d.md", Some("Send it.\n")),
        (long.as_str(), Some("Send it, too.\n")),
    ];
    forge(&server, Some("local"), ("local", Role::Local), &edits);
    owner.write("Inbox/b.md", "two\n");
    owner.sync.sync().await.unwrap();
    let there = remote_files(&server);
    assert!(there.iter().all(|path| !path.starts_with("Approved/")));
    // The owner is told of it in a note.
    let mut here = owner.files();
    here.retain(|path, _| !path.starts_with("Updates/"));
    assert!(here.keys().all(|path| there.contains(path)), "{there:?}");
    let mut texts: Vec<_> = here.into_values().collect();
    texts.sort();
    assert_eq!(texts, ["Send it, too.\n", "Send it.\n", "mine\n", "two\n"]);
}
