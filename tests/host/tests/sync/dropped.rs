//! Files that a person drops: each becomes one task with one owner.

use std::{collections::BTreeSet, fs, time::Duration};

use platinum_core::{Role, TaskId, ZoneId, layout};
use platinum_intake::{
    accounting::pdf::PdfReader,
    folder::{FolderSettings, FolderSource},
    source::Source as _,
};
use platinum_protocol::Claimed;
use platinum_testkit::git::GitServer;

use crate::races::replica::{Replica, remote_files, replica};

const FILES: usize = 200;

/// What takes in the dropped files of a host.
fn folder_source(host: &Replica, role: Role) -> FolderSource {
    FolderSource::open(FolderSettings {
        vault: host.root().to_owned(),
        state: host.folder().join("state/intake"),
        role,
        agent: host.agent.clone(),
        zones: [ZoneId::EMAIL].into(),
        facts: Vec::new(),
        default_zone: ZoneId::EMAIL,
        pdfs: PdfReader::Here,
        settled: Some(Duration::ZERO),
    })
    .unwrap()
}

async fn take_in(source: &mut FolderSource) {
    while source.poll().await.unwrap() > 0 {}
}

fn waiting(replica: &Replica) -> BTreeSet<TaskId> {
    let folder = format!("{}/{}", layout::NEEDS_ACTION, ZoneId::EMAIL);
    let entries = replica.vault.list(&folder).unwrap();
    let tasks = entries
        .iter()
        .filter_map(|entry| entry.path.stem().parse().ok());
    tasks.collect()
}

/// Two hundred dropped files raced by three agents: each is owned once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropped_files_are_each_owned_once() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let folders = ["Inbox", "Needs_Action", "Needs_Action/email"];
    for folder in folders {
        fs::create_dir_all(owner.root().join(folder)).unwrap();
    }
    // The first start leaves alone what is there already: nothing yet.
    let mut source = folder_source(&owner, Role::Local);
    for number in 0..FILES {
        let name = match number % 4 {
            0 => format!("idea {number}.md"),
            1 => format!("scan {number}.pdf"),
            2 => format!("what? {number}.txt"),
            _ => format!("note-{number}"),
        };
        let text = match number % 4 {
            1 => format!("%PDF\0{number}"),
            _ => format!("---\ntitle: File {number}\n---\nCall {number}.\n"),
        };
        let path = owner.root().join(folders[number % 3]).join(name);
        fs::write(path, text).unwrap();
    }
    take_in(&mut source).await;
    let tasks = waiting(&owner);
    assert_eq!(tasks.len(), FILES);
    owner.sync.sync().await.unwrap();

    let replicas = [
        owner,
        replica(&server, "cloud"),
        replica(&server, "cloud-2"),
    ];
    let racers = replicas.iter().map(|replica| {
        let (sync, tasks) = (replica.sync.clone(), tasks.clone());
        tokio::spawn(async move {
            sync.sync().await.unwrap();
            let mut won = Vec::new();
            for task in tasks {
                if let Claimed::Won { .. } = sync.claim(task).await.unwrap() {
                    won.push(task);
                }
            }
            won
        })
    });
    let mut owned = Vec::new();
    for racer in racers.collect::<Vec<_>>() {
        owned.extend(racer.await.unwrap());
    }
    assert_eq!(owned.len(), FILES);
    assert_eq!(owned.into_iter().collect::<BTreeSet<_>>(), tasks);
    let places = remote_files(&server);
    let in_progress = |path: &&String| path.starts_with(layout::IN_PROGRESS);
    assert_eq!(places.iter().filter(in_progress).count(), FILES);
    assert!(
        !places
            .iter()
            .any(|path| path.starts_with("Needs_Action/email/task_"))
    );
}

/// With the owner's machine away, a cloud host takes in what waits in `Needs_Action/`; once the
/// owner's machine is back it moves the file and makes no second task.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropped_file_is_one_task_whichever_host_is_first() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let mut at_owner = folder_source(&owner, Role::Local);
    let mut at_cloud = folder_source(&cloud, Role::Cloud);
    fs::create_dir_all(owner.root().join("Needs_Action/email")).unwrap();
    let dropped = owner.root().join("Needs_Action/email/idea.md");
    fs::write(&dropped, "Call Bob.\n").unwrap();
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();

    take_in(&mut at_cloud).await;
    let tasks = waiting(&cloud);
    assert_eq!(tasks.len(), 1);
    cloud.sync.sync().await.unwrap();
    for task in &tasks {
        let claimed = cloud.sync.claim(*task).await.unwrap();
        assert!(matches!(claimed, Claimed::Won { .. }), "{claimed:?}");
    }

    owner.sync.sync().await.unwrap();
    take_in(&mut at_owner).await;
    assert_eq!(waiting(&owner), BTreeSet::new());
    assert!(!dropped.exists());
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    let places = remote_files(&server);
    let of_task: Vec<_> = places
        .iter()
        .filter(|path| path.contains("task_"))
        .collect();
    assert_eq!(of_task.len(), 2, "{places:?}");
    assert!(
        places
            .iter()
            .any(|path| path.starts_with("In_Progress/cloud/task_"))
    );
    assert!(!places.contains(&"Needs_Action/email/idea.md".to_owned()));
}
