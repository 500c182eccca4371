//! What was decided while the remote was away, and that people take back by hand before it is told.

use std::fs;

use platinum_core::{TaskId, ZoneId, layout};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_sync::Finish;
use platinum_testkit::git::GitServer;

use crate::races::{
    offline::{Line, draft},
    replica::{Replica, at, put_tasks, remote_files, replica, replica_with},
};

/// The owner's machine with a task that the remote has, and the line to it.
async fn cluster(server: &GitServer, zone: ZoneId) -> (Replica, Line, TaskId) {
    let line = Line::default();
    let owner = replica_with(server, "local", line.through());
    let task = put_tasks(&owner, zone, 1)[0];
    // A vault of one file that is gone is taken for one that is not mounted.
    owner.write("Inbox/a.md", "one\n");
    owner.sync.sync().await.unwrap();
    (owner, line, task)
}

/// The files of tasks that the remote has.
fn tasks_there(server: &GitServer) -> Vec<String> {
    let mut files = remote_files(server);
    let folders = ["Needs_Action/", "In_Progress/", "Done/"];
    files.retain(|path| folders.iter().any(|folder| path.starts_with(folder)));
    files
}

/// Whether anything is still to be told, or to be claimed.
fn is_something_open(replica: &Replica) -> bool {
    let intents = replica.folder().join("state/vault.git/intents.json");
    fs::read_to_string(intents).is_ok_and(|text| text.trim() != "{}")
}

async fn back_in_touch(owner: &Replica, line: &Line) {
    line.heal();
    for _ in 0..2 {
        owner.sync.sync().await.unwrap();
    }
}

/// The id and the epoch of the claim by which a task is local's.
async fn claim_of(owner: &Replica, task: TaskId) -> (String, u64) {
    let TaskPlace::Owned(record) = owner.sync.place(task).await.unwrap() else {
        panic!("the task has no owner");
    };
    assert_eq!(record.agent, owner.agent);
    (record.id.to_string(), record.epoch)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_was_claimed_here_and_deleted_is_nobodys() {
    let server = GitServer::start().unwrap();
    let (owner, line, task) = cluster(&server, ZoneId::PAYMENTS).await;
    line.cut();
    owner.sync.claim(task).await.unwrap();
    let own = layout::in_progress(&owner.agent, task);
    owner.vault.remove(&own).unwrap();
    // An effect for it is refused at once.
    assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Waiting);
    assert_eq!(owner.sync.drafting_epoch(task).await.unwrap(), None);
    back_in_touch(&owner, &line).await;
    assert_eq!(tasks_there(&server), [""; 0]);
    assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Absent);
    assert!(!is_something_open(&owner));
}

/// A task that was claimed here and moved back waits for a claim of the next epoch.
#[tokio::test(flavor = "multi_thread")]
async fn claimed_task_moved_back_waits_for_the_next_epoch() {
    for is_told_before in [false, true] {
        let server = GitServer::start().unwrap();
        let (owner, line, task) = cluster(&server, ZoneId::PAYMENTS).await;
        line.cut();
        let won = owner.sync.claim(task).await.unwrap();
        assert_eq!(won, Claimed::Won { epoch: 1 });
        let (first, _) = claim_of(&owner, task).await;
        let own = layout::in_progress(&owner.agent, task);
        let waiting = layout::waiting(ZoneId::PAYMENTS, task);
        owner.vault.rename(&own, &waiting).unwrap();
        assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Waiting);
        if is_told_before {
            back_in_touch(&owner, &line).await;
            assert_eq!(tasks_there(&server), [waiting.as_str()]);
            assert!(!is_something_open(&owner));
        }
        let won = owner.sync.claim(task).await.unwrap();
        assert_eq!(won, Claimed::Won { epoch: 2 });
        back_in_touch(&owner, &line).await;
        let (second, epoch) = claim_of(&owner, task).await;
        assert_eq!(epoch, 2);
        assert_ne!(first, second);
        assert_eq!(tasks_there(&server), [own.as_str()]);
        assert!(!is_something_open(&owner));
    }
}

/// A wish for a task that the remote never had ends with its note.
#[tokio::test(flavor = "multi_thread")]
async fn offline_claim_of_an_unpushed_task_ends_with_its_note() {
    let server = GitServer::start().unwrap();
    let (owner, line, _) = cluster(&server, ZoneId::SOCIAL).await;
    line.cut();
    let note = crate::races::replica::task(ZoneId::EMAIL, 7);
    let waiting = layout::waiting(ZoneId::EMAIL, note.id);
    owner.write(waiting.as_str(), &note.render());
    let claimed = owner.sync.claim(note.id).await.unwrap();
    assert_eq!(claimed, Claimed::Tentative);
    let path = draft(&owner, note.id, "Made offline\n").await;
    owner.vault.remove(&waiting).unwrap();
    back_in_touch(&owner, &line).await;
    assert!(owner.sync.tentative().is_empty());
    assert!(!is_something_open(&owner));
    assert_eq!(owner.read(&path), None);
    let start = format!("Updates/local/{}.conflict-local-", note.id);
    let mut kept = owner.files().into_keys();
    assert!(kept.any(|path| path.starts_with(&start)));
}

/// A task that is filed while the line is cut, and where its note is.
async fn filed(owner: &Replica, line: &Line, task: TaskId, is_told: bool) -> String {
    if is_told {
        owner.sync.claim(task).await.unwrap();
        back_in_touch(owner, line).await;
    }
    line.cut();
    owner.sync.claim(task).await.unwrap();
    let how = Finish::done("paid", vec![]);
    owner.sync.finish(task, how).await.unwrap();
    let mut done = owner.files().into_keys();
    done.find(|path| path.starts_with("Done/")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_whose_note_was_deleted_or_moved_is_over() {
    for is_told in [false, true] {
        for is_deleted in [false, true] {
            let server = GitServer::start().unwrap();
            let (owner, line, task) = cluster(&server, ZoneId::PAYMENTS).await;
            let done = at(&filed(&owner, &line, task, is_told).await);
            let own = layout::in_progress(&owner.agent, task);
            match is_deleted {
                true => owner.vault.remove(&done).unwrap(),
                false => owner.vault.rename(&done, &own).unwrap(),
            }
            let owner = owner.restarted(&server, line.through());
            back_in_touch(&owner, &line).await;
            assert!(!is_something_open(&owner), "{is_told}, {is_deleted}");
            match is_deleted {
                true => assert_eq!(tasks_there(&server), [""; 0]),
                false => {
                    assert_eq!(tasks_there(&server), [own.as_str()]);
                    assert_eq!(claim_of(&owner, task).await.1, 1);
                }
            }
        }
    }
}

/// A task that is deleted after a claim was wished for is not brought back by it.
#[tokio::test(flavor = "multi_thread")]
async fn offline_claim_does_not_restore_a_deleted_task() {
    let server = GitServer::start().unwrap();
    let (owner, line, task) = cluster(&server, ZoneId::EMAIL).await;
    line.cut();
    let claimed = owner.sync.claim(task).await.unwrap();
    assert_eq!(claimed, Claimed::Tentative);
    let path = draft(&owner, task, "Made offline\n").await;
    let waiting = layout::waiting(ZoneId::EMAIL, task);
    owner.vault.remove(&waiting).unwrap();
    back_in_touch(&owner, &line).await;
    assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Absent);
    assert_eq!(owner.read(&path), None);
    assert!(!is_something_open(&owner));
    let files = tasks_there(&server);
    let name = format!("{task}.md");
    assert!(!files.iter().any(|path| path.ends_with(&name)), "{files:?}");
}

/// A task that is wished for and dragged into the own folder is claimed and keeps its draft.
#[tokio::test(flavor = "multi_thread")]
async fn offline_claim_moved_by_hand_is_claimed_with_its_draft() {
    let server = GitServer::start().unwrap();
    let (owner, line, task) = cluster(&server, ZoneId::EMAIL).await;
    let cloud = replica(&server, "cloud");
    line.cut();
    let claimed = owner.sync.claim(task).await.unwrap();
    assert_eq!(claimed, Claimed::Tentative);
    let path = draft(&owner, task, "Made offline\n").await;
    let own = layout::in_progress(&owner.agent, task);
    let waiting = layout::waiting(ZoneId::EMAIL, task);
    owner.vault.rename(&waiting, &own).unwrap();
    back_in_touch(&owner, &line).await;
    assert!(!is_something_open(&owner));
    assert_eq!(claim_of(&owner, task).await.1, 1);
    assert!(owner.read(&path).unwrap().contains("epoch: 1\n"));
    cloud.sync.sync().await.unwrap();
    let files = cloud.files();
    assert!(
        files.contains_key(own.as_str()) && files.contains_key(&path),
        "{files:?}"
    );
    assert!(!files.contains_key(waiting.as_str()), "{files:?}");
}
