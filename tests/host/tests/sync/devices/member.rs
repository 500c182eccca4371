//! A device whose key is known has the owner's rights over notes, and decides nothing.

use platinum_core::ZoneId;
use platinum_sync::held::Taken;
use platinum_testkit::{git::GitServer, notes::draft_path};

use super::phone::{Phone, held, held_paths, take_all};
use crate::races::{
    intruders::messages,
    replica::{Replica, at, put_tasks, side_knowing},
};

const KNOWN: [&str; 3] = ["local", "cloud", "phone"];

async fn hosts(server: &GitServer) -> (Replica, Replica) {
    let owner = side_knowing(server, "local", &KNOWN);
    owner.write("Dashboard.md", "# Today\n");
    owner.write("Inbox/base.md", "base\n");
    owner.write_drafted_task();
    owner.sync.sync().await.unwrap();
    let cloud = side_knowing(server, "cloud", &KNOWN);
    cloud.write(&draft_path("a"), "a draft\n");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    (owner, cloud)
}

async fn sync_all(owner: &Replica, cloud: &Replica, phone: &Phone) {
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    phone.pull();
    assert_eq!(owner.files(), cloud.files());
}

#[tokio::test(flavor = "multi_thread")]
async fn known_device_edits_notes_drops_tasks_and_edits_drafts() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let phone = Phone::signing(&server);
    let draft = draft_path("a");
    let edited = phone
        .read(&draft)
        .unwrap()
        .replace("a draft", "a better draft");
    phone.write(&draft, &edited);
    phone.write("Inbox/phone.md", "from the phone\n");
    phone.write("Inbox/base.md", "edited\n");
    phone.write("Company_Handbook.md", "# Rules\n");
    phone.write("Needs_Action/email/note.md", "do this\n");
    phone.backup();
    // The cloud goes on without the owner's machine.
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.read("Inbox/base.md").unwrap(), "edited\n");
    sync_all(&owner, &cloud, &phone).await;
    assert_eq!(owner.read("Inbox/phone.md").unwrap(), "from the phone\n");
    assert_eq!(owner.read(&draft).unwrap(), "a better draft\n");
    assert_eq!(
        owner.read("Needs_Action/email/note.md").unwrap(),
        "do this\n"
    );
    // A rename and a deletion.
    phone.rename("Inbox/phone.md", "Plans/phone.md");
    phone.remove("Inbox/base.md");
    phone.backup();
    sync_all(&owner, &cloud, &phone).await;
    assert_eq!(owner.read("Plans/phone.md").unwrap(), "from the phone\n");
    assert_eq!(owner.read("Inbox/base.md"), None);
    assert_eq!(messages(&owner), [""; 0]);
    assert!(held(&owner).is_empty());
}

/// Merges that `git pull` makes, of what both hosts did since, pass; an edit of one note on both
/// sides is the owner's to merge, as between hosts.
#[tokio::test(flavor = "multi_thread")]
async fn merges_of_a_known_device_pass() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let phone = Phone::signing(&server);
    put_tasks(&owner, ZoneId::EMAIL, 1);
    for round in 0..3 {
        phone.write(&format!("Inbox/phone_{round}.md"), "phone\n");
        owner.write(&format!("Inbox/owner_{round}.md"), "owner\n");
        cloud.write(&format!("Plans/cloud_{round}.md"), "cloud\n");
        owner.sync.sync().await.unwrap();
        cloud.sync.sync().await.unwrap();
        phone.backup();
        // One that the owner's machine has not seen is merged by its next edit.
        owner.write("Inbox/base.md", &format!("owner {round}\n"));
        sync_all(&owner, &cloud, &phone).await;
        assert_eq!(
            phone.read("Inbox/base.md"),
            Some(format!("owner {round}\n"))
        );
    }
    assert_eq!(messages(&owner), [""; 0]);
    assert!(held(&owner).is_empty());
    let merges = server
        .git(&["rev-list", "--merges", "--count", "main"])
        .unwrap();
    assert!(merges.parse::<u32>().unwrap() >= 3, "{merges}");
    let files = owner.files();
    for round in 0..3 {
        for path in ["Inbox/phone_", "Inbox/owner_", "Plans/cloud_"] {
            assert!(files.contains_key(&format!("{path}{round}.md")), "{path}");
        }
    }
}

/// Of one commit that may not all be, what may be is taken over, and the rest is held.
#[tokio::test(flavor = "multi_thread")]
async fn mixed_push_of_a_known_device_keeps_what_may_be() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let phone = Phone::signing(&server);
    let draft = draft_path("a");
    let name = draft.strip_prefix("Pending_Approval/").unwrap();
    for n in 0..9 {
        phone.write(&format!("Inbox/{n}.md"), "note\n");
    }
    let edited = phone
        .read(&draft)
        .unwrap()
        .replace("a draft", "an edited draft");
    phone.remove(&draft);
    phone.write(&format!("Approved/{name}"), &edited);
    let commit = phone.backup();
    // Local alone takes the rest out.
    cloud.sync.sync().await.unwrap_err();
    owner.sync.sync().await.unwrap();
    sync_all(&owner, &cloud, &phone).await;
    for n in 0..9 {
        assert_eq!(owner.read(&format!("Inbox/{n}.md")).unwrap(), "note\n");
    }
    assert_eq!(owner.read(&draft).unwrap(), "a draft\n");
    assert_eq!(phone.read(&format!("Approved/{name}")), None);
    assert_eq!(
        held_paths(&owner),
        [format!("Approved/{name}"), draft.clone()]
    );
    let told = messages(&owner);
    assert_eq!(told.len(), 1, "{told:?}");
    let begin = format!(
        "Held from phone, not in the vault: Approved/{name}, {draft} (deleted); `platinum held`"
    );
    assert!(told[0].starts_with(&begin), "{told:?}");
    assert!(told[0].contains(&commit[..12]), "{told:?}");
    // Its text may be taken: as an edit of the draft that waits.
    let taken = take_all(&owner);
    assert_eq!(*taken[0].as_ref().unwrap(), Taken::Written(at(&draft)));
    assert!(taken[1].is_err(), "{taken:?}");
    assert_eq!(owner.read(&draft).unwrap(), "an edited draft\n");
    sync_all(&owner, &cloud, &phone).await;
}

/// No claim, no receipt, no second place of a task, no other epoch comes from a device.
#[tokio::test(flavor = "multi_thread")]
async fn known_device_moves_no_task_and_writes_no_claim() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = hosts(&server).await;
    let ids = put_tasks(&owner, ZoneId::EMAIL, 3);
    owner.sync.sync().await.unwrap();
    let phone = Phone::signing(&server);
    let waiting = |n: usize| format!("Needs_Action/email/{}.md", ids[n]);
    phone.rename(&waiting(0), &format!("In_Progress/cloud/{}.md", ids[0]));
    phone.rename(&waiting(1), &format!("Done/2026/11/{}.md", ids[1]));
    let text = phone.read(&waiting(2)).unwrap();
    phone.write(
        &waiting(2),
        &text.replacen("---\n", "---\nlast-epoch: 9\n", 1),
    );
    let done = "task_00000000000000000000000001.md";
    let again = phone.read(&format!("Done/2026/11/{done}")).unwrap();
    let again: String = again
        .lines()
        .filter(|line| !line.starts_with("last-epoch"))
        .map(|line| format!("{line}\n"))
        .collect();
    phone.write(&format!("Needs_Action/email/{done}"), &again);
    phone.write("Needs_Action/email/fine.md", "fine\n");
    phone.backup();
    let before = owner.files();
    owner.sync.sync().await.unwrap();
    let mut after = owner.files();
    assert_eq!(
        after.remove("Needs_Action/email/fine.md").unwrap(),
        "fine\n"
    );
    after.retain(|path, _| !path.starts_with("Updates/local/"));
    assert_eq!(after, before);
    assert_eq!(held(&owner).len(), 6, "{:?}", held_paths(&owner));
    sync_all(&owner, &cloud, &phone).await;
}

/// A device that is not on the list yet is told apart by its key alone.
#[tokio::test(flavor = "multi_thread")]
async fn device_with_an_unknown_key_is_held() {
    let server = GitServer::start().unwrap();
    let owner = side_knowing(&server, "local", &["local", "cloud"]);
    owner.write("Inbox/base.md", "base\n");
    owner.sync.sync().await.unwrap();
    let phone = Phone::signing(&server);
    phone.write("Inbox/phone.md", "phone\n");
    phone.backup();
    owner.sync.sync().await.unwrap();
    assert_eq!(held_paths(&owner), ["Inbox/phone.md"]);
    let reason = &held(&owner)[0].reason;
    assert!(reason.contains("`platinum device add`"), "{reason}");
}
