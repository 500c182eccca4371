//! What an unknown device pushes is taken out of the remote and held for the owner.

use platinum_sync::held::{NotTaken, Taken};
use platinum_testkit::{git::GitServer, notes::draft_path};

use super::phone::{Phone, held, held_paths, take_all};
use crate::races::{
    intruders::messages,
    replica::{Replica, at, remote_files, replica},
};

/// Both halves, with two notes of the owner's.
async fn hosts(server: &GitServer) -> (Replica, Replica) {
    let owner = replica(server, "local");
    owner.write("Dashboard.md", "# Today\n");
    owner.write("Inbox/base.md", "base\n");
    owner.write("Inbox/old.md", "old\n");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let cloud = replica(server, "cloud");
    cloud.sync.sync().await.unwrap();
    (owner, cloud)
}

/// Everything but what the owner is told.
fn notes(replica: &Replica) -> Vec<(String, String)> {
    let files = replica.files().into_iter();
    files
        .filter(|(path, _)| !path.starts_with("Updates/"))
        .collect()
}

async fn agree(owner: &Replica, cloud: &Replica, phone: &Phone) {
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(notes(owner), notes(cloud));
    phone.pull();
    for (path, text) in notes(owner) {
        assert!(phone.read(&path).unwrap().ends_with(&text), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unsigned_push_is_held_told_and_taken() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let before = notes(&owner);
    let phone = Phone::unsigned(&server);
    phone.write("Inbox/phone.md", "from the phone\n");
    phone.write("Inbox/base.md", "base, edited on the phone\n");
    phone.remove("Inbox/old.md");
    let commit = phone.backup();

    owner.sync.sync().await.unwrap();
    assert_eq!(notes(&owner), before);
    assert_eq!(
        messages(&owner),
        [format!(
            "Held from another device, not in the vault: Inbox/base.md, Inbox/old.md (deleted), \
             Inbox/phone.md; `platinum held` shows how to take it. Commit {}: it is not signed",
            &commit[..12]
        )]
    );
    assert_eq!(
        held_paths(&owner),
        ["Inbox/base.md", "Inbox/old.md", "Inbox/phone.md"]
    );
    assert!(!remote_files(&server).contains(&"Inbox/phone.md".to_owned()));
    // The next sync tells nothing anew, and all go on.
    agree(&owner, &cloud, &phone).await;
    assert_eq!(messages(&owner).len(), 1);
    assert_eq!(notes(&cloud), before);
    assert_eq!(phone.read("Inbox/phone.md"), None);

    let taken: Vec<_> = take_all(&owner).into_iter().map(Result::unwrap).collect();
    assert_eq!(
        taken,
        [
            Taken::Written(at("Inbox/base.md")),
            Taken::Deleted(at("Inbox/old.md")),
            Taken::Written(at("Inbox/phone.md")),
        ]
    );
    assert!(held(&owner).is_empty());
    agree(&owner, &cloud, &phone).await;
    assert_eq!(phone.read("Inbox/phone.md").unwrap(), "from the phone\n");
    assert_eq!(phone.read("Inbox/old.md"), None);
    assert_eq!(
        cloud.read("Inbox/base.md").unwrap(),
        "base, edited on the phone\n"
    );
}

/// A phone that pulls merges what the hosts did since; that is theirs and stays.
#[tokio::test(flavor = "multi_thread")]
async fn unsigned_merge_holds_the_phones_part_alone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let phone = Phone::unsigned(&server);
    phone.write("Inbox/phone.md", "from the phone\n");
    cloud.write("Plans/plan.md", "a plan\n");
    cloud.write(&draft_path("a"), "a draft\n");
    cloud.sync.sync().await.unwrap();
    phone.backup();
    // Another one on the tip that nobody has reverted yet.
    phone.write("Inbox/second.md", "second\n");
    phone.backup();
    owner.sync.sync().await.unwrap();
    assert_eq!(held_paths(&owner), ["Inbox/phone.md", "Inbox/second.md"]);
    assert_eq!(owner.read("Plans/plan.md").unwrap(), "a plan\n");
    assert_eq!(owner.read(&draft_path("a")).unwrap(), "a draft\n");
    assert_eq!(owner.read("Inbox/phone.md"), None);
    agree(&owner, &cloud, &phone).await;
    assert_eq!(messages(&owner).len(), 1);
}

/// What the owner edits meanwhile stays, and so does each version that the phone pushed.
#[tokio::test(flavor = "multi_thread")]
async fn held_edit_and_owners_edit_are_both_kept() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let phone = Phone::unsigned(&server);
    for round in ["first", "second"] {
        phone.write("Inbox/base.md", &format!("{round} on the phone\n"));
        phone.remove("Inbox/old.md");
        phone.backup();
        owner.sync.sync().await.unwrap();
        agree(&owner, &cloud, &phone).await;
        assert_eq!(phone.read("Inbox/base.md").unwrap(), "base\n");
    }
    assert_eq!(held(&owner).len(), 4);
    owner.write("Inbox/old.md", "edited here\n");
    let taken = take_all(&owner);
    assert_eq!(
        *taken[0].as_ref().unwrap(),
        Taken::Written(at("Inbox/base.md"))
    );
    assert!(matches!(taken[1], Ok(Taken::Beside(_))), "{taken:?}");
    for one in &taken[2..] {
        assert!(matches!(one, Err(NotTaken::Edited(_))), "{one:?}");
    }
    assert_eq!(owner.read("Inbox/base.md").unwrap(), "first on the phone\n");
    assert_eq!(owner.read("Inbox/old.md").unwrap(), "edited here\n");
    let copy = owner.files().into_iter();
    let copy = copy.filter(|(path, _)| path.starts_with("Inbox/base.conflict-device-"));
    let copy: Vec<_> = copy.map(|(_, text)| text).collect();
    assert_eq!(copy, ["second on the phone\n"]);
    agree(&owner, &cloud, &phone).await;
}

/// Without a key nothing is approved, claimed, finished or run, not even if all of it is taken.
#[tokio::test(flavor = "multi_thread")]
async fn push_without_a_key_decides_nothing() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    cloud.write(&draft_path("a"), "a draft\n");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let before = owner.files();
    let phone = Phone::unsigned(&server);
    let draft = draft_path("a");
    let name = draft.strip_prefix("Pending_Approval/").unwrap();
    let done = "Done/2026/11/task_00000000000000000000000001.md";
    phone.rename(&draft, &format!("Approved/{name}"));
    phone.write("Approved/forged.md", "send\n");
    phone.write(&draft_path("new"), "a draft\n");
    phone.write(
        "In_Progress/local/task_00000000000000000000000007.md",
        "mine\n",
    );
    phone.write("Updates/local/update.md", "all is well\n");
    phone.write("Dashboard.md", "# Mine\n");
    phone.write(".obsidian/plugins/x/main.js", "run()\n");
    phone.write("Notes/private.md", "a note\n");
    phone.remove(done);
    std::os::unix::fs::symlink("/etc/passwd", phone_path(&phone, "Inbox/link.md")).unwrap();
    phone.backup();
    owner.sync.sync().await.unwrap();
    let told = messages(&owner);
    // A link cannot be held: it is named beside what is.
    assert_eq!(told.len(), 2, "{told:?}");
    for part in [
        "nothing is approved by it",
        "`Inbox/link.md` is a symbolic link",
    ] {
        assert!(told.iter().any(|one| one.contains(part)), "{told:?}");
    }
    let after = |owner: &Replica| {
        let mut files = owner.files();
        files.retain(|path, _| before.contains_key(path) || !path.starts_with("Updates/local/"));
        files
    };
    assert_eq!(after(&owner), before);
    cloud.sync.sync().await.unwrap();

    for taken in take_all(&owner) {
        let harmless = matches!(
            taken,
            Err(NotTaken::NotADevices(_)) | Ok(Taken::AlreadySo(_))
        );
        assert!(harmless, "{taken:?}");
    }
    assert_eq!(after(&owner), before);
    let left = held_paths(&owner);
    assert!(left.contains(&"Notes/private.md".to_owned()), "{left:?}");
    assert!(left.contains(&done.to_owned()), "{left:?}");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(notes(&owner), notes(&cloud));
}

fn phone_path(phone: &Phone, path: &str) -> std::path::PathBuf {
    let root = phone.git(&["rev-parse", "--show-toplevel"]);
    std::path::Path::new(root.trim()).join(path)
}
