//! Paths that not every host can hold: too deep, too long, one name on some systems, a file
//! against a folder. What cannot be held is kept out or set aside, and all else goes on.

use platinum_core::MAX_DEPTH;
use platinum_testkit::git::GitServer;

use super::{cloud_puts, cluster, sync_until_quiet, tip};
use crate::races::intruders::messages;

/// A commit of the cloud's with a path that a host could not bear is reverted by name, and what
/// both hosts do goes on.
#[tokio::test(flavor = "multi_thread")]
async fn cloud_paths_no_vault_can_hold_are_reverted() {
    let folders = |count: usize| -> String { (0..count).map(|n| format!("d{n}/")).collect() };
    let deep = format!("Plans/{}x.md", folders(40));
    let deeper = format!("Plans/{}x.md", folders(90));
    let deepest = format!("Plans/{}", folders(MAX_DEPTH - 1));
    let long = format!("Plans/{}.md", "x".repeat(250));
    let path = [
        "Plans",
        &"y".repeat(150),
        &"z".repeat(190),
        &"w".repeat(190),
        "x.md",
    ]
    .join("/");
    for (path, reason) in [
        (
            deep.as_str(),
            format!("`{deepest}` is deeper than any folder of a vault"),
        ),
        (
            &deeper,
            format!("`{deepest}` is deeper than any folder of a vault"),
        ),
        (&long, "the path is 259 bytes long".to_owned()),
        (
            &path,
            "bytes long; 512 is the most, 200 for one component".to_owned(),
        ),
        (
            "Plans/e\u{301}.md",
            "is not in Unicode's composed form (NFC)".to_owned(),
        ),
        (
            "Plans/CON.md",
            "which Windows and Android refuse or change".to_owned(),
        ),
        (
            "Plans/a?.md",
            "which some systems refuse or hide".to_owned(),
        ),
        (
            "Plans/KEPT.md",
            "differs only in case from `kept.md`".to_owned(),
        ),
        (
            "plans/new.md",
            "differs only in case from `Plans`".to_owned(),
        ),
        (
            "Inbox/Kept.md/x.md",
            "differs only in case from `kept.md`".to_owned(),
        ),
    ] {
        let server = GitServer::start().unwrap();
        let (owner, cloud) = cluster(&server).await;
        owner.write("Plans/kept.md", "kept\n");
        owner.write("Inbox/kept.md", "kept\n");
        sync_until_quiet(&[&owner, &cloud]).await;
        cloud_puts(&server, path);
        owner.write("Inbox/new.md", "new\n");
        sync_until_quiet(&[&owner, &cloud]).await;
        let told = messages(&owner).join("\n");
        // A long path leaves no room for the end of the sentence.
        let shown: String = reason.chars().take(100).collect();
        assert!(told.starts_with("Reverted: commit"), "{path:?}: {told}");
        assert!(
            told.len() > 250 || told.contains(&shown),
            "{path:?}: {told}"
        );
        assert_eq!(
            cloud.read("Inbox/new.md").as_deref(),
            Some("new\n"),
            "{path:?}"
        );
        assert_eq!(owner.files(), cloud.files());
        let left = server
            .git(&["ls-tree", "-r", "-z", "--name-only", "main"])
            .unwrap();
        assert!(!left.split('\0').any(|there| there == path), "{path:?}");
        assert_ne!(tip(&server), "");
    }
}

/// A folder of the owner's that is too deep stays here alone, with one line that says what to do.
#[tokio::test(flavor = "multi_thread")]
async fn owner_folder_too_deep_is_withheld_alone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    let top = format!("Inbox{}", "/d".repeat(MAX_DEPTH - 1));
    let folder = owner.root().join(format!("{top}/e/f"));
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("x.md"), "x").unwrap();
    for name in ["y.md", "z.md"] {
        std::fs::write(owner.root().join(&top).join(name), "y").unwrap();
    }
    owner.write("Inbox/new.md", "new\n");
    let report = owner.sync.sync().await.unwrap();
    let withheld: Vec<_> = report.withheld.iter().collect();
    let [one] = withheld.as_slice() else {
        panic!("{withheld:?}");
    };
    assert_eq!(one.path.as_str(), top);
    assert_eq!(
        one.reason,
        "what is in it stays on this machine: the path has 33 parts; 32 is the most. Move it into \
         fewer folders"
    );
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.read("Inbox/new.md").as_deref(), Some("new\n"));
    // What can be listed at all does not stumble over it either.
    assert!(owner.vault.walk().is_ok());
    std::fs::rename(folder.join("x.md"), owner.root().join("Inbox/x.md")).unwrap();
    sync_until_quiet(&[&owner, &cloud]).await;
    assert_eq!(cloud.read("Inbox/x.md").as_deref(), Some("x"));
}

/// A file of one host against a folder of the other: both are kept, whichever came first, and
/// both hosts come to the same.
#[tokio::test(flavor = "multi_thread")]
async fn file_against_a_folder_keeps_both() {
    const NAME: &str = "In_Progress/cloud/a.md";
    for owner_has_the_file in [true, false] {
        for owner_first in [true, false] {
            let server = GitServer::start().unwrap();
            let (owner, cloud) = cluster(&server).await;
            let (file, folder) = match owner_has_the_file {
                true => (&owner, &cloud),
                false => (&cloud, &owner),
            };
            file.write(NAME, "the file\n");
            folder.write(&format!("{NAME}/b.md"), "in the folder\n");
            let (first, second) = match owner_first {
                true => (&owner, &cloud),
                false => (&cloud, &owner),
            };
            first.sync.sync().await.unwrap();
            second.write("In_Progress/cloud/other.md", "other\n");
            sync_until_quiet(&[second, first]).await;
            assert_eq!(
                owner.files(),
                cloud.files(),
                "{owner_has_the_file} {owner_first}"
            );
            let files = owner.files();
            assert_eq!(files[&format!("{NAME}/b.md")], "in the folder\n");
            assert_eq!(files["In_Progress/cloud/other.md"], "other\n");
            let copies: Vec<_> = files
                .iter()
                .filter(|(path, _)| path.starts_with("In_Progress/cloud/a.conflict-"))
                .collect();
            assert_eq!(copies.len(), 1, "{files:?}");
            assert_eq!(copies[0].1, "the file\n");
        }
    }
}

/// A folder that became a file arrives as one, although folders were left of it.
#[tokio::test(flavor = "multi_thread")]
async fn folder_that_becomes_a_file_arrives() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    owner.write("Inbox/a.md/b/c.md", "below\n");
    owner.write("Inbox/kept.md", "kept\n");
    sync_until_quiet(&[&owner, &cloud]).await;
    std::fs::create_dir_all(cloud.root().join("Inbox/a.md/empty")).unwrap();
    std::fs::remove_dir_all(owner.root().join("Inbox/a.md")).unwrap();
    owner.write("Inbox/a.md", "a file now\n");
    sync_until_quiet(&[&owner, &cloud]).await;
    assert_eq!(cloud.read("Inbox/a.md").as_deref(), Some("a file now\n"));
    assert_eq!(owner.files(), cloud.files());
}

/// Where a host may not move what is in its way, its own files wait, named, and nothing else does.
#[tokio::test(flavor = "multi_thread")]
async fn folder_against_the_owners_file_waits_alone() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = cluster(&server).await;
    cloud.write("Plans/a.md/b.md", "in the folder\n");
    owner.write("Plans/a.md", "the owner's\n");
    owner.write("Plans/new.md", "new\n");
    owner.sync.sync().await.unwrap();
    cloud.write("In_Progress/cloud/other.md", "other\n");
    let report = cloud.sync.sync().await.unwrap();
    let mut withheld: Vec<_> = report
        .withheld
        .iter()
        .map(|one| format!("{}: {}", one.path, one.reason))
        .collect();
    withheld.sort();
    assert_eq!(
        withheld,
        [
            "Plans/a.md/b.md: `Plans/a.md` is a folder here and a file in the remote; rename yours",
            "Plans/a.md: Plans/a.md is refused: it is a folder, not a regular file",
        ]
    );
    assert_eq!(cloud.read("Plans/new.md").as_deref(), Some("new\n"));
    owner.sync.sync().await.unwrap();
    assert_eq!(
        owner.read("In_Progress/cloud/other.md").as_deref(),
        Some("other\n")
    );
    assert_eq!(owner.read("Plans/a.md").as_deref(), Some("the owner's\n"));
    assert_eq!(
        cloud.read("Plans/a.md/b.md").as_deref(),
        Some("in the folder\n")
    );
}
