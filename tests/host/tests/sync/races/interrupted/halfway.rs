//! Files of tasks that are merely behind what the remote has, and moves of a task that stopped
//! halfway: neither is an edit of anybody's.

use std::{os::unix::fs::symlink, time::Duration};

use platinum_core::{ZoneId, layout};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_repo::{RefName, Repo};
use platinum_sync::Finish;
use platinum_testkit::git::GitServer;

use crate::races::{
    offline::Line,
    replica::{Replica, put_tasks, remote_files, replica, replica_with},
};

fn copies(replica: &Replica) -> Vec<String> {
    let files = replica.files().into_keys();
    files.filter(|path| path.contains(".conflict-")).collect()
}

/// A file that is only behind when its task is claimed is no edit.
#[tokio::test(flavor = "multi_thread")]
async fn stale_file_at_a_claim_is_not_an_edit() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let (first, second) = (replica(&server, "cloud"), replica(&server, "cloud-2"));
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    for replica in [&owner, &first, &second] {
        replica.sync.sync().await.unwrap();
    }
    first.sync.claim(task).await.unwrap();
    first.sync.release(task, "not today").await.unwrap();
    // The file that waits here is not the one that the remote has since.
    let won = second.sync.claim(task).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 2 });
    assert_eq!(copies(&second), [""; 0]);
    let report = second.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.conflicts), (0, 0), "{report:?}");
    assert_eq!(
        remote_files(&server),
        [format!("In_Progress/cloud-2/{task}.md")]
    );
}

/// A file that is only behind when its task ends is no edit.
#[tokio::test(flavor = "multi_thread")]
async fn stale_file_at_a_finish_is_not_an_edit() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 2);
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        cloud.sync.claim(*task).await.unwrap();
    }
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        let path = layout::in_progress(&cloud.agent, *task);
        let text = owner.read(path.as_str()).unwrap();
        owner.write(path.as_str(), &format!("{text}The owner's remark.\n"));
    }
    owner.sync.sync().await.unwrap();
    let how = Finish::filed("no answer is wanted");
    cloud.sync.finish(tasks[0], how).await.unwrap();
    cloud.sync.release(tasks[1], "not today").await.unwrap();
    assert_eq!(copies(&cloud), [""; 0]);
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    assert_eq!(files.len(), 2, "{files:?}");
    let has_remark = |text: &String| text.contains("The owner's remark.\n");
    assert!(files.values().all(has_remark), "{files:?}");
    assert_eq!(cloud.files(), files);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_stopped_halfway_on_this_machine_is_gone_on_with() {
    for is_edited in [false, true] {
        let server = GitServer::start().unwrap();
        let line = Line::default();
        let owner = replica_with(&server, "local", line.through());
        let task = put_tasks(&owner, ZoneId::PAYMENTS, 1)[0];
        owner.sync.sync().await.unwrap();
        let waiting = layout::waiting(ZoneId::PAYMENTS, task);
        let text = owner.read(waiting.as_str()).unwrap();
        line.cut();
        owner.sync.claim(task).await.unwrap();
        // As after a kill between the two halves of the move.
        owner.write(waiting.as_str(), &text);
        let own = layout::in_progress(&owner.agent, task);
        if is_edited {
            let text = owner.read(own.as_str()).unwrap();
            owner.write(own.as_str(), &format!("{text}Pay it today.\n"));
        }
        let owner = owner.restarted(&server, line.through());
        line.heal();
        for _ in 0..3 {
            owner.sync.sync().await.unwrap();
        }
        let files: Vec<_> = owner.files().into_keys().collect();
        assert_eq!(files, [own.as_str()]);
        assert_eq!(remote_files(&server), files);
        let text = owner.read(own.as_str()).unwrap();
        assert_eq!(text.ends_with("Pay it today.\n"), is_edited, "{text}");
        let place = owner.sync.place(task).await.unwrap();
        assert!(
            matches!(&place, TaskPlace::Owned(record)
                if record.agent == owner.agent && record.epoch == 1),
            "{place:?}"
        );
        let won = owner.sync.claim(task).await.unwrap();
        assert_eq!(won, Claimed::Won { epoch: 1 });
    }
}

/// One that is filed while the line is cut, up to the first half of its move.
async fn half_filed(server: &GitServer, line: &Line, zone: ZoneId) -> (Replica, String) {
    let owner = replica_with(server, "local", line.through());
    let task = put_tasks(&owner, zone, 1)[0];
    owner.sync.sync().await.unwrap();
    owner.sync.claim(task).await.unwrap();
    owner.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let own = layout::in_progress(&owner.agent, task);
    let text = owner.read(own.as_str()).unwrap();
    line.cut();
    let how = Finish::done("paid", vec![]);
    owner.sync.finish(task, how).await.unwrap();
    let filed: Vec<_> = owner.files().into_keys().collect();
    assert_eq!(filed.len(), 1);
    // As after a kill between the two halves of the move.
    owner.write(own.as_str(), &text);
    let owner = owner.restarted(server, line.through());
    (owner, filed[0].clone())
}

/// An end that stopped halfway on this machine is told by the next sync.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_finish_is_pushed_by_the_next_sync() {
    for zone in [ZoneId::PAYMENTS, ZoneId::EMAIL] {
        let server = GitServer::start().unwrap();
        let line = Line::default();
        let (owner, filed) = half_filed(&server, &line, zone).await;
        line.heal();
        for _ in 0..2 {
            let report = owner.sync.sync().await.unwrap();
            assert_eq!(report.withheld, []);
        }
        let files: Vec<_> = owner.files().into_keys().collect();
        assert_eq!(files, [filed]);
        assert_eq!(remote_files(&server), files);
    }
}

/// An end that stopped halfway is filed once when it is asked for again.
#[tokio::test(flavor = "multi_thread")]
async fn interrupted_finish_repeated_files_the_task_once() {
    for is_back in [false, true] {
        for zone in [ZoneId::PAYMENTS, ZoneId::EMAIL] {
            let server = GitServer::start().unwrap();
            let line = Line::default();
            let (owner, filed) = half_filed(&server, &line, zone).await;
            if is_back {
                line.heal();
            }
            let task = task_of(&filed);
            // In another second, so that the note would be another one.
            tokio::time::sleep(Duration::from_millis(1_100)).await;
            let how = Finish::done("paid", vec![]);
            owner.sync.finish(task, how).await.unwrap();
            let files: Vec<_> = owner.files().into_keys().collect();
            assert_eq!(files, [filed.as_str()], "{zone}, {is_back}");
            line.heal();
            for _ in 0..2 {
                owner.sync.sync().await.unwrap();
            }
            let files: Vec<_> = owner.files().into_keys().collect();
            assert_eq!(files, [filed]);
            assert_eq!(remote_files(&server), files);
        }
    }
}

/// The task whose file this is.
fn task_of(path: &str) -> platinum_core::TaskId {
    let name = path.rsplit('/').next().unwrap();
    name.trim_end_matches(".md").parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_edit_of_a_task_whose_end_stopped_halfway_is_kept_beside() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, filed) = half_filed(&server, &line, ZoneId::EMAIL).await;
    let own = layout::in_progress(&owner.agent, task_of(&filed));
    let text = owner.read(own.as_str()).unwrap();
    let text = format!("{text}One more thing.\n");
    owner.write(own.as_str(), &text);
    line.heal();
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let found: Vec<_> = files.iter().filter(|(_, it)| **it == text).collect();
    assert!(
        found.len() == 1 && found[0].0.contains(".conflict-local-"),
        "{files:?}"
    );
    assert!(files.contains_key(&filed) && !files.contains_key(own.as_str()));
}

/// A file that cannot be read does not keep an interrupted sync from going on.
#[tokio::test(flavor = "multi_thread")]
async fn unreadable_file_does_not_block_an_interrupted_sync() {
    let server = GitServer::start().unwrap();
    let (owner, other) = (replica(&server, "local"), replica(&server, "cloud"));
    owner.write("Inbox/a.md", "one\n");
    owner.write("Inbox/b.md", "one\n");
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    let repo = Repo::open_or_init(&other.folder().join("state/vault.git")).unwrap();
    let before = repo.tip(RefName::Applied).unwrap().unwrap();
    owner.write("Inbox/a.md", "two\n");
    owner.write("Inbox/b.md", "two\n");
    owner.sync.sync().await.unwrap();
    other.sync.sync().await.unwrap();
    // As after a kill while it brings both; and someone has put a link in the place of one since.
    let brought = repo.tip(RefName::Applied).unwrap();
    repo.set_ref(RefName::Applied, before).unwrap();
    repo.set_mark("bringing", brought).unwrap();
    std::fs::remove_file(other.root().join("Inbox/a.md")).unwrap();
    symlink("b.md", other.root().join("Inbox/a.md")).unwrap();

    let report = other.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.conflicts), (0, 0), "{report:?}");
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| held.path.as_str())
        .collect();
    assert!(held.contains(&"Inbox/a.md"), "{held:?}");
    assert_eq!(repo.mark("bringing").unwrap(), None);
    std::fs::remove_file(other.root().join("Inbox/a.md")).unwrap();
    other.write("Inbox/a.md", "one\n");
    other.sync.sync().await.unwrap();
    assert_eq!(other.read("Inbox/a.md").as_deref(), Some("two\n"));
}
