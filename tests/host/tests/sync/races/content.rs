//! Files that both sides change.

use platinum_core::{ZoneId, layout};
use platinum_protocol::Claimed;
use platinum_testkit::git::GitServer;

use crate::races::replica::{at, put_tasks, remote_files, replica};

#[tokio::test(flavor = "multi_thread")]
async fn what_one_side_writes_the_other_gets() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("Company_Handbook.md", "Be kind.\n");
    owner.write("Dashboard.md", "# Today\n");
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.pulled), (2, 0));
    let report = cloud.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.pulled), (0, 2));
    assert_eq!(
        report.brought,
        [at("Company_Handbook.md"), at("Dashboard.md")]
    );
    cloud.write("Updates/cloud/u.md", "All is well.\n");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read("Updates/cloud/u.md").unwrap(), "All is well.\n");
    // Nothing changed: nothing is sent, and the second look reads no file again.
    let before = server.git(&["rev-parse", "main"]).unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.pulled, report.conflicts), (0, 0, 0));
    assert_eq!(report.tip.unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn edits_made_apart_are_both_kept() {
    let server = GitServer::start().unwrap();
    // Two hosts of the owner's could both write anywhere; the cloud may only in its own folder.
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("In_Progress/cloud/note.md", "first\n");
    owner.write("In_Progress/cloud/gone.md", "first\n");
    owner.write("In_Progress/cloud/same.md", "first\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    for (replica, text) in [(&owner, "the owner's\n"), (&cloud, "the cloud's\n")] {
        replica.write("In_Progress/cloud/note.md", text);
        replica.write("In_Progress/cloud/same.md", "the same\n");
    }
    owner
        .vault
        .remove(&at("In_Progress/cloud/gone.md"))
        .unwrap();
    cloud.write("In_Progress/cloud/gone.md", "edited meanwhile\n");

    owner.sync.sync().await.unwrap();
    let report = cloud.sync.sync().await.unwrap();
    assert_eq!(report.conflicts, 1, "{report:?}");
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
    let files = owner.files();
    // Of two edits the later one keeps the path: the cloud's was found after the owner's had gone.
    assert_eq!(files["In_Progress/cloud/note.md"], "the cloud's\n");
    assert_eq!(files["In_Progress/cloud/same.md"], "the same\n");
    assert_eq!(files["In_Progress/cloud/gone.md"], "edited meanwhile\n");
    let (copy, text) = files
        .iter()
        .find(|(path, _)| path.contains("note.conflict-local-"))
        .unwrap();
    assert!(copy.ends_with(".md"));
    assert_eq!(text, "the owner's\n");
    assert_eq!(files.len(), 4);
    // It is over: no side finds anything more to do.
    for replica in [&owner, &cloud] {
        let report = replica.sync.sync().await.unwrap();
        assert_eq!((report.pushed, report.pulled, report.conflicts), (0, 0, 0));
    }
}

/// What the cloud may not write stays with it and the rest goes on.
#[tokio::test(flavor = "multi_thread")]
async fn forbidden_cloud_writes_stay_local_and_the_rest_is_pushed() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("Dashboard.md", "# Today\n");
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    cloud.write("Dashboard.md", "# Mine\n");
    cloud.write("Approved/draft.md", "send it\n");
    cloud.write("Updates/cloud/u.md", "All is well.\n");
    let report = cloud.sync.sync().await.unwrap();
    assert_eq!(report.pushed, 1);
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| held.reason.as_str())
        .collect();
    assert_eq!(
        held,
        [
            "cloud agent cloud may not create Approved/draft.md: only the owner's machine changes it",
            "cloud agent cloud may not modify Dashboard.md: only the owner's machine changes it",
        ]
    );
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.read("Dashboard.md").unwrap(), "# Today\n");
    assert_eq!(owner.read("Approved/draft.md"), None);
    assert_eq!(owner.read("Updates/cloud/u.md").unwrap(), "All is well.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_vault_is_not_taken_for_a_deleted_one() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "a\n");
    owner.write("Inbox/b.md", "b\n");
    owner.sync.sync().await.unwrap();
    // As if the disk were not mounted.
    std::fs::remove_dir_all(owner.root().join("Inbox")).unwrap();
    let error = owner.sync.sync().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "2 of the 2 files of the last sync are gone; is the vault's disk mounted? Nothing was sent. \
         Bring them back and start the daemon anew; or, if they are to go from every machine, run \
         `platinum accept-deletions` (or `platinum-cloud`, where this is the cloud's)"
    );
    // One that is left says that the vault is there.
    owner.write("Inbox/a.md", "a\n");
    assert_eq!(owner.sync.sync().await.unwrap().pushed, 1);
}

/// A link in the place of a note is neither followed nor a deletion.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn link_in_place_of_a_note_is_not_followed_nor_a_deletion() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "a\n");
    owner.write("Inbox/b.md", "b\n");
    owner.sync.sync().await.unwrap();
    let secret = owner.folder().join("secret.md");
    std::fs::write(&secret, "secret\n").unwrap();
    std::fs::remove_file(owner.root().join("Inbox/a.md")).unwrap();
    std::os::unix::fs::symlink(&secret, owner.root().join("Inbox/a.md")).unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.pushed, 0);
    assert_eq!(report.withheld.len(), 1, "{report:?}");
    assert!(
        report.withheld[0].reason.contains("symbolic link"),
        "{report:?}"
    );
    assert_eq!(server.git(&["show", "main:Inbox/a.md"]).unwrap(), "a");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_git_is_in_the_vault() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/a.md", "a\n");
    owner.sync.sync().await.unwrap();
    let names: Vec<_> = std::fs::read_dir(owner.root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    assert_eq!(names, ["Inbox"]);
    assert!(!owner.folder().join("state/vault.git/index").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_claimed_task_is_an_edit_and_no_conflict() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    // Before any sync has brought the tip that the claim made.
    let path = layout::in_progress(&cloud.agent, task);
    let text = format!("{}\nA thought.\n", cloud.read(path.as_str()).unwrap());
    cloud.write(path.as_str(), &text);
    let report = cloud.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.conflicts), (1, 0), "{report:?}");
    owner.sync.sync().await.unwrap();
    assert_eq!(owner.files(), cloud.files());
    assert_eq!(owner.read(path.as_str()).unwrap(), text);
}

/// A file that cannot be written keeps no other away and comes later.
#[tokio::test(flavor = "multi_thread")]
async fn unwritable_file_delays_no_other_and_is_written_later() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    for name in ["a", "b"] {
        cloud.write(&format!("Updates/cloud/{name}.md"), "All is well.\n");
    }
    cloud.sync.sync().await.unwrap();
    // A folder that is not empty is in its place.
    let in_the_way = owner.root().join("Updates/cloud/a.md");
    std::fs::create_dir_all(&in_the_way).unwrap();
    std::fs::write(in_the_way.join(".hidden"), "").unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.withheld.len(), 1, "{report:?}");
    assert_eq!(owner.read("Updates/cloud/b.md").unwrap(), "All is well.\n");
    // That it is not here is not taken for the owner's deletion.
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.pushed, 0, "{report:?}");
    std::fs::remove_dir_all(&in_the_way).unwrap();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pulled, report.pushed), (1, 0), "{report:?}");
    assert_eq!(owner.files(), cloud.files());
}

/// A folder that is held back for its name holds back no other name.
#[tokio::test(flavor = "multi_thread")]
async fn folder_withheld_for_its_name_withholds_no_other() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("Inbox/ideas/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    owner.write("Inbox/Ideas/b.md", "two\n");
    owner.write("Inbox/Ideas2.md", "three\n");
    let report = owner.sync.sync().await.unwrap();
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| held.path.as_str())
        .collect();
    assert_eq!(held, ["Inbox/Ideas/b.md"]);
    assert_eq!(
        remote_files(&server),
        ["Inbox/Ideas2.md", "Inbox/ideas/a.md"]
    );
}
