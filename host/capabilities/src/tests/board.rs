//! `dashboard/board`.

use std::fs;

use super::{now, vault};
use crate::{
    bindings::platinum::dashboard::board::{Error, Host},
    dashboard::BoardCtx,
};

/// The page is replaced only if it is still the one that was read.
#[tokio::test]
async fn board_replace_of_a_changed_page_conflicts() {
    let (folder, vault) = vault();
    let mut ctx = BoardCtx { vault, now: now() };
    let view = &mut ctx;
    let none = view.read().await.unwrap().unwrap();
    assert_eq!(none.text, "");
    let first = view
        .replace("one".into(), none.version.clone())
        .await
        .unwrap()
        .unwrap();

    // The owner edits the page between the skill's look and its write.
    fs::write(folder.path().join("Dashboard.md"), "mine").unwrap();
    for stale in [first, none.version] {
        let refused = view.replace("two".into(), stale).await.unwrap();
        assert!(matches!(refused, Err(Error::Conflict)));
    }
    assert_eq!(
        fs::read_to_string(folder.path().join("Dashboard.md")).unwrap(),
        "mine"
    );
    let seen = view.read().await.unwrap().unwrap();
    view.replace("two".into(), seen.version)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(view.read().await.unwrap().unwrap().text, "two");
    let large = view
        .replace("x".repeat(300 * 1024), String::new())
        .await
        .unwrap();
    assert!(matches!(large, Err(Error::TooLarge)));
}

/// The numbers count notes by folder and tasks alone in this month.
#[tokio::test]
async fn board_count_is_by_folder_and_month() {
    let (folder, vault) = vault();
    for path in [
        "Needs_Action/email/task_01M7X6GTQCRHB45XG4DER8NAA1.md",
        "Needs_Action/email/a.md",
        "In_Progress/cloud/task_01M7X6GTQCRHB45XG4DER8NAA2.md",
        "Pending_Approval/draft_01M7X6GV1QWKMHJ2VPYYR55MM1.md",
        "Pending_Approval/c.md",
        "Approved/d.md",
        "Done/2026/11/task_01M7X6GTQCRHB45XG4DER8NAA9.md",
        "Done/2026/11/draft_01M7X6GV1QWKMHJ2VPYYR55MM3.md",
        "Done/2026/10/task_01M7X6GTQCRHB45XG4DER8NAA8.md",
        "Inbox/e.md",
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "x").unwrap();
    }
    let mut ctx = BoardCtx { vault, now: now() };
    let counts = ctx.count().await.unwrap().unwrap();
    assert_eq!(
        (
            counts.waiting,
            counts.in_progress,
            counts.pending,
            counts.approved,
            counts.done
        ),
        (1, 1, 1, 1, 1)
    );
}
