//! What stays on one machine, named, while all else goes on: a folder that may not be read, a file
//! that the remote's server refuses; and a vault whose folder is another one by now.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, time::Duration};

use platinum_core::MAX_COMPONENT_BYTES;
use platinum_testkit::{
    git::{GitServer, hook},
    rerun_unprivileged,
};

use super::{SOON, cluster, sync_until_quiet};
use crate::races::intruders::messages;

fn permit(folder: &Path, mode: u32) {
    fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_folder_is_withheld_alone() {
    const THIS: &str = "races::floods::kept_here::unreadable_folder_is_withheld_alone";
    if rerun_unprivileged(THIS).unwrap() {
        return;
    }
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    owner.write("Inbox/private/a.md", "a\n");
    sync_until_quiet(&[&owner, &cloud]).await;
    let private = owner.root().join("Inbox/private");
    // Neither to be listed nor entered, and to be listed alone.
    for (round, mode) in [(1, 0o000), (2, 0o444)] {
        permit(&private, mode);
        owner.write(&format!("Inbox/{round}.md"), "new\n");
        cloud.write(&format!("In_Progress/cloud/{round}.md"), "new\n");
        sync_until_quiet(&[&owner, &cloud]).await;
        let withheld = owner.sync.sync().await.unwrap().withheld;
        let reasons: Vec<&str> = withheld.iter().map(|one| one.reason.as_str()).collect();
        assert!(
            !reasons.is_empty()
                && reasons
                    .iter()
                    .all(|why| why.contains("Inbox/private") && why.contains("Permission denied")),
            "{mode:o}: {withheld:?}"
        );
        let new = Some("new\n");
        assert_eq!(cloud.read(&format!("Inbox/{round}.md")).as_deref(), new);
        let other = format!("In_Progress/cloud/{round}.md");
        assert_eq!(owner.read(&other).as_deref(), new);
        assert_eq!(cloud.read("Inbox/private/a.md").as_deref(), Some("a\n"));
        permit(&private, 0o755);
    }
    owner.write("Inbox/private/b.md", "b\n");
    sync_until_quiet(&[&owner, &cloud]).await;
    assert_eq!(owner.sync.sync().await.unwrap().withheld, []);
    assert_eq!(cloud.read("Inbox/private/b.md").as_deref(), Some("b\n"));
}

/// As a forge says it of a file that is larger than it takes.
#[tokio::test(flavor = "multi_thread")]
async fn file_the_server_refuses_is_withheld_alone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let script = "#!/bin/sh\nwhile read old new ref; do\n  \
        big=$(git ls-tree -r -l \"$new\" | awk '$4 > 5000 { print $5 }')\n  \
        if [ -n \"$big\" ]; then echo \"error: File $big is too large\"; exit 1; fi\ndone\n";
    hook(&server.repository(), "pre-receive", script).unwrap();
    owner.write("Inbox/big.md", &"x".repeat(6000));
    owner.write("Inbox/small.md", "small\n");
    let report = owner.sync.sync().await.unwrap();
    let withheld: Vec<String> = report
        .withheld
        .iter()
        .map(|one| format!("{}: {}", one.path, one.reason))
        .collect();
    assert_eq!(
        withheld,
        ["Inbox/big.md: the remote's server refuses it: error: File Inbox/big.md is too large"]
    );
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.read("Inbox/small.md").as_deref(), Some("small\n"));
    assert_eq!(
        messages(&owner),
        [
            "Inbox/big.md stays on this machine alone: pre-receive hook declined; the server says: error: \
          File Inbox/big.md is too large"
        ]
    );
    owner.write("Inbox/big.md", "shorter\n");
    sync_until_quiet(&[&owner, &cloud]).await;
    assert_eq!(cloud.read("Inbox/big.md").as_deref(), Some("shorter\n"));
}

/// Where the server names no file, its words reach the owner, once.
#[tokio::test(flavor = "multi_thread")]
async fn refusal_of_everything_is_told_in_the_servers_words() {
    let server = GitServer::start().unwrap();
    let (owner, _cloud) = cluster(&server).await;
    let script = "#!/bin/sh\necho 'error: the quota of this project is used up'; exit 1\n";
    hook(&server.repository(), "pre-receive", script).unwrap();
    owner.write("Inbox/a.md", "a\n");
    for _ in 0..2 {
        let error = owner.sync.sync_and_record().await.unwrap_err().to_string();
        assert!(
            error.contains("the quota of this project is used up"),
            "{error}"
        );
    }
    let told = messages(&owner);
    assert!(
        told.len() == 1
            && told[0].starts_with("Nothing is synced any more: ")
            && told[0].contains("the quota of this"),
        "{told:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn vault_whose_folder_is_replaced_stops_until_it_is_back() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let root = owner.root().to_owned();
    let away = root.with_file_name("away");
    fs::rename(&root, &away).unwrap();
    // Noticed without a sync.
    let waited = owner.sync.wait_for_remote(Duration::from_secs(600));
    tokio::time::timeout(SOON, waited).await.unwrap();
    let error = owner.sync.sync().await.unwrap_err().to_string();
    assert!(
        error.contains("was moved away or removed while the daemon ran"),
        "{error}"
    );
    fs::create_dir_all(root.join("Inbox")).unwrap();
    fs::write(root.join("Inbox/new.md"), "new\n").unwrap();
    cloud.write("In_Progress/cloud/a.md", "a\n");
    cloud.sync.sync().await.unwrap();
    let error = owner.sync.sync().await.unwrap_err().to_string();
    assert!(
        error.contains("was replaced by another one while the daemon ran"),
        "{error}"
    );
    assert!(!root.join("In_Progress").exists() && !away.join("In_Progress/cloud/a.md").exists());
    fs::remove_dir_all(&root).unwrap();
    fs::rename(&away, &root).unwrap();
    let waited = owner.sync.wait_for_remote(Duration::from_secs(600));
    tokio::time::timeout(SOON, waited).await.unwrap();
    sync_until_quiet(&[&owner, &cloud]).await;
    assert_eq!(owner.read("In_Progress/cloud/a.md").as_deref(), Some("a\n"));
}

/// No name fits where its folder is too long already: then the folder is named, and what helps.
#[tokio::test(flavor = "multi_thread")]
async fn name_that_cannot_be_shortened_names_its_folder() {
    let server = GitServer::start().unwrap();
    let (owner, _cloud) = cluster(&server).await;
    let part = "y".repeat(MAX_COMPONENT_BYTES - 1);
    let folder = format!("Inbox/{part}/{part}/{}", "z".repeat(98));
    let path = owner.root().join(&folder);
    fs::create_dir_all(&path).unwrap();
    fs::write(path.join("a long name.md"), "x").unwrap();
    let withheld = owner.sync.sync().await.unwrap().withheld;
    let [one] = withheld.as_slice() else {
        panic!("{withheld:?}");
    };
    assert_eq!(one.path.as_str(), folder);
    assert!(
        one.reason
            .ends_with("512 is the most, 200 for one component. Give its folders shorter names"),
        "{}",
        one.reason
    );
}
