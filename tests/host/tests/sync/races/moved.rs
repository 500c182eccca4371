//! Tasks that people move by hand in their vaults.

use platinum_core::{ZoneId, layout};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_testkit::git::GitServer;

use crate::races::{
    offline::messages,
    replica::{at, put_tasks, remote_files, replica},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_is_dragged_into_the_own_folder_is_claimed() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    let own = layout::in_progress(&owner.agent, task);
    owner
        .vault
        .rename(&layout::waiting(ZoneId::EMAIL, task), &own)
        .unwrap();
    let text = owner.read(own.as_str()).unwrap();
    owner.write(own.as_str(), &format!("{text}A remark of the owner's.\n"));

    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.conflicts), (1, 0), "{report:?}");
    assert_eq!(remote_files(&server), [own.as_str()]);
    let place = owner.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(record) if record.epoch == 1));
    let text = owner.read(own.as_str()).unwrap();
    assert!(
        text.contains("epoch: 1") && text.ends_with("A remark of the owner's.\n"),
        "{text}"
    );
    assert_eq!(
        owner.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.pulled, report.conflicts), (0, 0, 0));
}

/// A drag in vain is set aside and the task keeps one owner.
#[tokio::test(flavor = "multi_thread")]
async fn rejected_move_is_preserved_and_the_task_keeps_one_owner() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    // Not synced yet: to the owner it still waits.
    let own = layout::in_progress(&owner.agent, task);
    owner
        .vault
        .rename(&layout::waiting(ZoneId::EMAIL, task), &own)
        .unwrap();
    let text = owner.read(own.as_str()).unwrap();
    owner.write(own.as_str(), &format!("{text}A remark of the owner's.\n"));

    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.conflicts, 1, "{report:?}");
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let name = format!("{task}.md");
    let places: Vec<_> = files.keys().filter(|path| path.ends_with(&name)).collect();
    assert_eq!(places, [&format!("In_Progress/cloud/{task}.md")]);
    let kept = files
        .iter()
        .find(|(path, _)| path.starts_with(&format!("Updates/local/{task}.conflict-local-")));
    assert!(kept.is_some_and(|(_, text)| text.ends_with("A remark of the owner's.\n")));
    let messages = messages(&owner);
    assert!(
        messages
            .iter()
            .any(|text| text.contains("cloud has the task")),
        "{messages:?}"
    );
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.conflicts), (0, 0), "{report:?}");
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.files(), owner.files());
}

/// A task that the owner drags out of the clouds folder is taken over.
#[tokio::test(flavor = "multi_thread")]
async fn task_moved_out_of_the_clouds_folder_is_taken_over() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    owner.sync.sync().await.unwrap();
    let own = layout::in_progress(&owner.agent, task);
    owner
        .vault
        .rename(&layout::in_progress(&cloud.agent, task), &own)
        .unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(remote_files(&server), [own.as_str()]);
    let place = owner.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(record)
        if record.agent == owner.agent && record.epoch == 2));
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.files(), owner.files());
    let lost = Claimed::Lost {
        owner: Some(owner.agent.clone()),
    };
    assert_eq!(cloud.sync.claim(task).await.unwrap(), lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_by_hand_puts_no_task_into_two_places() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    let (from, to) = (
        layout::waiting(ZoneId::EMAIL, task),
        layout::waiting(ZoneId::SOCIAL, task),
    );
    let text = owner.read(from.as_str()).unwrap();
    owner.write(to.as_str(), &text);
    let report = owner.sync.sync().await.unwrap();
    let held: Vec<_> = report
        .withheld
        .iter()
        .map(|held| (&held.path, held.reason.as_str()))
        .collect();
    assert_eq!(held, [(&to, format!("the task is in {from}").as_str())]);
    assert_eq!(remote_files(&server), [from.as_str()]);
    // A move is no copy.
    owner.vault.remove(&from).unwrap();
    assert_eq!(owner.sync.sync().await.unwrap().withheld, []);
    assert_eq!(remote_files(&server), [to.as_str()]);
}

/// A task that is moved back by hand is claimed with a higher epoch.
#[tokio::test(flavor = "multi_thread")]
async fn task_moved_back_by_hand_is_claimed_with_a_higher_epoch() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    assert_eq!(
        owner.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    let own = layout::in_progress(&owner.agent, task);
    owner
        .vault
        .rename(&own, &layout::waiting(ZoneId::EMAIL, task))
        .unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(
        cloud.sync.place(task).await.unwrap(),
        TaskPlace::Absent,
        "not synced yet"
    );
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 2 }
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_note_that_is_no_task_goes_wherever_it_is_put() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    owner.write("In_Progress/local/remarks.md", "one\n");
    owner.write("Needs_Action/email/remarks.md", "two\n");
    let report = owner.sync.sync().await.unwrap();
    assert_eq!((report.pushed, report.withheld), (2, vec![]));
    owner
        .vault
        .remove(&at("Needs_Action/email/remarks.md"))
        .unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(remote_files(&server), ["In_Progress/local/remarks.md"]);
}

/// A drag of a note that is broken keeps nothing else from going out.
#[tokio::test(flavor = "multi_thread")]
async fn move_of_a_broken_note_delays_no_other_file() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 2);
    owner.sync.sync().await.unwrap();
    for task in &tasks {
        let own = layout::in_progress(&owner.agent, *task);
        let waiting = layout::waiting(ZoneId::EMAIL, *task);
        owner.vault.rename(&waiting, &own).unwrap();
    }
    let broken = layout::in_progress(&owner.agent, tasks[0]);
    owner.write(broken.as_str(), "---\nid: [\n---\n");
    owner.write("Inbox/a.md", "a thought\n");
    owner.sync.sync().await.unwrap();
    let files = remote_files(&server);
    let own = layout::in_progress(&owner.agent, tasks[1]);
    for path in [own.as_str(), "Inbox/a.md"] {
        assert!(files.iter().any(|file| file == path), "{path}: {files:?}");
    }
    assert_eq!(
        owner.read(broken.as_str()).as_deref(),
        Some("---\nid: [\n---\n")
    );
}
