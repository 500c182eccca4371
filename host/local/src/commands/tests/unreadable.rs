//! A folder of the vault that may not be read: each command says so, and shows the rest.

use std::{fs, os::unix::fs::PermissionsExt as _};

use platinum_testkit::rerun_unprivileged;

use super::{Home, draft};

#[tokio::test]
async fn unreadable_folder_is_a_row_of_each_command() {
    const THIS: &str = "commands::tests::unreadable::unreadable_folder_is_a_row_of_each_command";
    if rerun_unprivileged(THIS).unwrap() {
        return;
    }
    let home = Home::ready().await;
    home.pending(&draft(1, "Body\n"));
    let folders = ["Inbox/private", "Pending_Approval/old", "Journal"];
    let permit = |folder: &str, mode: u32| {
        let folder = home.path("vault").join(folder);
        fs::set_permissions(folder, fs::Permissions::from_mode(mode)).unwrap();
    };
    for folder in folders {
        fs::create_dir_all(home.path("vault").join(folder)).unwrap();
        fs::write(home.path("vault").join(folder).join("a.md"), "a").unwrap();
        permit(folder, 0o000);
    }
    let row = |folder: &str| format!("cannot open {folder}: Permission denied (os error 13)");
    let status = home.does(&["status"]).await;
    let (doctor, _) = home.tries(&["doctor"]).await;
    for folder in folders {
        assert!(status.contains(&row(folder)), "{folder}: {status}");
        assert!(doctor.contains(&row(folder)), "{folder}: {doctor}");
    }
    assert!(status.contains("1 waits for you"), "{status}");
    let approvals = home.does(&["approvals"]).await;
    assert!(approvals.contains("1 draft waits for you."), "{approvals}");
    assert!(
        approvals.contains(&row("Pending_Approval/old")),
        "{approvals}"
    );
    // The folder of what was approved itself; and one that can be listed, and its files not looked at.
    permit("Approved", 0o000);
    permit("Inbox/private", 0o444);
    let approvals = home.does(&["approvals"]).await;
    assert!(approvals.contains("1 draft waits for you."), "{approvals}");
    assert!(approvals.contains(&row("Approved")), "{approvals}");
    let status = home.does(&["status"]).await;
    assert!(
        status.contains("cannot list Inbox/private: Permission denied"),
        "{status}"
    );
    for folder in folders.into_iter().chain(["Approved"]) {
        permit(folder, 0o755);
    }
    let status = home.does(&["status"]).await;
    assert!(!status.contains("unreadable"), "{status}");
}
