//! What is decided while the remote is away, and what becomes of it when it is back.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::SeqCst},
};

use platinum_core::{Action, DraftId, EmailSend, TaskId, Timestamp, ZoneId, layout};
use platinum_protocol::{Claimed, TaskPlace};
use platinum_repo::{GitRemote, Remote};
use platinum_sync::Finish;
use platinum_testkit::git::GitServer;
use platinum_vault::note::DraftNote;

use crate::races::replica::{CutOff, Replica, at, put_tasks, remote_files, replica, replica_with};

/// A line that can be cut.
#[derive(Clone, Default)]
pub(crate) struct Line(Arc<AtomicBool>);

impl Line {
    pub(crate) fn cut(&self) {
        self.0.store(true, SeqCst);
    }

    pub(crate) fn heal(&self) {
        self.0.store(false, SeqCst);
    }

    pub(crate) fn through(&self) -> impl FnOnce(GitRemote) -> Box<dyn Remote> + use<> {
        let away = Arc::clone(&self.0);
        move |inner| Box::new(CutOff { inner, away })
    }
}

/// Puts a draft where a skill would put it, under the epoch that a skill would be told.
pub(crate) async fn draft(replica: &Replica, task: TaskId, body: &str) -> String {
    let epoch = replica.sync.drafting_epoch(task).await.unwrap();
    assert!(epoch.is_some(), "{} may draft", replica.agent);
    let note = DraftNote {
        id: DraftId::generate(),
        created: Timestamp::now(),
        by: format!("{}/skill", replica.agent),
        task,
        epoch,
        action: Action::new(&EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["someone@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Question".to_owned(),
            body: body.to_owned(),
            in_reply_to: None,
            references: vec![],
            attachments: vec![],
        }),
        summary: "Answers the question".to_owned(),
        reason: "It was asked".to_owned(),
        expires: "2030-01-01T00:00:00Z".parse().unwrap(),
        doubts: vec![],
    };
    let path = layout::pending(note.id);
    replica
        .vault
        .create(&path, note.render().as_bytes())
        .unwrap();
    path.to_string()
}

/// The headlines of the updates that a side has.
pub(crate) fn messages(replica: &Replica) -> Vec<String> {
    let updates = replica.files().into_iter();
    updates
        .filter(|(path, _)| path.starts_with("Updates/") && !path.contains(".conflict-"))
        .map(|(_, text)| text)
        .collect()
}

/// In a zone of its own the owners machine works while it is cut off.
#[tokio::test(flavor = "multi_thread")]
async fn local_zone_works_offline() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica_with(&server, "local", line.through());
    let cloud = replica(&server, "cloud");
    let tasks = put_tasks(&owner, ZoneId::PAYMENTS, 2);
    owner.sync.sync().await.unwrap();

    line.cut();
    for task in &tasks {
        let won = owner.sync.claim(*task).await.unwrap();
        assert_eq!(won, Claimed::Won { epoch: 1 });
        assert_eq!(owner.sync.claim(*task).await.unwrap(), won, "asked again");
        let place = owner.sync.place(*task).await.unwrap();
        assert!(matches!(place, TaskPlace::Owned(record) if record.agent == owner.agent));
        assert!(owner.sync.is_local_only_claim(*task).await.unwrap());
        assert_eq!(owner.sync.drafting_epoch(*task).await.unwrap(), Some(1));
    }
    assert_eq!(owner.sync.owned().await.unwrap().len(), 2);
    assert!(owner.sync.tentative().is_empty());
    owner
        .sync
        .finish(tasks[0], Finish::done("paid", vec![]))
        .await
        .unwrap();
    assert_eq!(
        owner.sync.place(tasks[0]).await.unwrap(),
        TaskPlace::Finished
    );
    assert!(owner.sync.sync().await.unwrap_err().is_away());

    // All of it is still known after a restart, and told when the line is back.
    let owner = owner.restarted(&server, line.through());
    assert_eq!(
        owner.sync.place(tasks[0]).await.unwrap(),
        TaskPlace::Finished
    );
    assert!(owner.sync.is_local_only_claim(tasks[1]).await.unwrap());
    line.heal();
    let report = owner.sync.sync().await.unwrap();
    assert_eq!(report.withheld, []);
    let files = remote_files(&server);
    assert_eq!(files.len(), 2, "{files:?}");
    assert!(files[0].starts_with("Done/") && files[0].contains(&tasks[0].to_string()));
    assert_eq!(files[1], format!("In_Progress/local/{}.md", tasks[1]));
    cloud.sync.sync().await.unwrap();
    let place = cloud.sync.place(tasks[1]).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(record) if record.epoch == 1));
    owner
        .sync
        .finish(tasks[1], Finish::done("paid", vec![]))
        .await
        .unwrap();
    assert_eq!(
        owner.sync.place(tasks[1]).await.unwrap(),
        TaskPlace::Finished
    );
}

/// A task of its own zone that was taken and given back offline waits again.
#[tokio::test(flavor = "multi_thread")]
async fn local_task_released_offline_waits_again() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica_with(&server, "local", line.through());
    let task = put_tasks(&owner, ZoneId::PAYMENTS, 1)[0];
    owner.sync.sync().await.unwrap();
    line.cut();
    owner.sync.claim(task).await.unwrap();
    owner.sync.release(task, "not today").await.unwrap();
    assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Waiting);
    line.heal();
    owner.sync.sync().await.unwrap();
    assert_eq!(
        remote_files(&server),
        [layout::waiting(ZoneId::PAYMENTS, task).as_str()]
    );
    // Its epochs go on.
    let again = owner.sync.claim(task).await.unwrap();
    assert_eq!(again, Claimed::Won { epoch: 2 });
}

/// A draft on a tentative claim goes out when the claim is confirmed.
#[tokio::test(flavor = "multi_thread")]
async fn tentative_draft_is_pushed_when_its_claim_is_confirmed() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica(&server, "local");
    let cloud = replica_with(&server, "cloud", line.through());
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();

    line.cut();
    assert_eq!(cloud.sync.claim(task).await.unwrap(), Claimed::Tentative);
    assert_eq!(cloud.sync.status().await.unwrap().tentative, [task]);
    // Nothing that needs the task itself: the remote decides whose it is.
    assert_eq!(cloud.sync.place(task).await.unwrap(), TaskPlace::Waiting);
    assert!(cloud.sync.finish(task, Finish::filed("x")).await.is_err());
    let path = draft(&cloud, task, "Made offline\n").await;
    assert!(cloud.read(&path).unwrap().contains("epoch: 0\n"));
    let cloud = cloud.restarted(&server, line.through());
    assert_eq!(cloud.sync.tentative(), [task]);

    line.heal();
    let report = cloud.sync.sync().await.unwrap();
    assert_eq!(report.withheld, []);
    assert!(cloud.sync.tentative().is_empty());
    owner.sync.sync().await.unwrap();
    let place = owner.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(record)
        if record.agent == cloud.agent && record.epoch == 1));
    let text = owner.read(&path).unwrap();
    assert!(
        text.contains("epoch: 1\n") && text.contains("Made offline"),
        "{text}"
    );
    let messages = messages(&owner);
    assert!(
        messages
            .iter()
            .any(|text| text.contains("The claim of a task is confirmed")),
        "{messages:?}"
    );
}

/// A draft on a tentative claim that is lost is kept and told and never goes out.
#[tokio::test(flavor = "multi_thread")]
async fn tentative_draft_of_a_lost_claim_is_preserved_unpushed() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica(&server, "local");
    let cloud = replica_with(&server, "cloud", line.through());
    let faster = replica(&server, "cloud-2");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    line.cut();
    assert_eq!(cloud.sync.claim(task).await.unwrap(), Claimed::Tentative);
    let path = draft(&cloud, task, "Made offline\n").await;
    let text = cloud.read(&path).unwrap();
    assert_eq!(
        faster.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );

    line.heal();
    cloud.sync.sync().await.unwrap();
    assert!(cloud.sync.tentative().is_empty());
    assert_eq!(cloud.read(&path), None);
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let start = format!("Updates/cloud/{task}.conflict-cloud-");
    let kept: Vec<_> = files
        .iter()
        .filter(|(path, _)| path.starts_with(&start))
        .collect();
    assert_eq!(kept.len(), 1, "{files:?}");
    assert_eq!(*kept[0].1, text, "every byte of it");
    assert!(
        !files
            .keys()
            .any(|path| path.starts_with("Pending_Approval/"))
    );
    let messages = messages(&owner);
    assert!(
        messages
            .iter()
            .any(|text| text.contains("cloud-2 was faster with its task")),
        "{messages:?}"
    );
    // At no time did it reach the remote as a draft.
    let all = server
        .git(&["log", "--name-only", "--format=", "main"])
        .unwrap();
    assert!(!all.contains("Pending_Approval/"), "{all}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_waits_while_it_is_not_known_whose_its_task_is() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica_with(&server, "local", line.through());
    line.cut();
    // A task that the remote has never heard of, claimed and drafted for.
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    assert_eq!(owner.sync.claim(task).await.unwrap(), Claimed::Tentative);
    let path = draft(&owner, task, "Made offline\n").await;
    line.heal();
    owner.sync.sync().await.unwrap();
    let files = remote_files(&server);
    assert!(files.contains(&path), "{files:?}");
    assert!(
        files.contains(&format!("In_Progress/local/{task}.md")),
        "{files:?}"
    );
    assert!(owner.read(&path).unwrap().contains("epoch: 1\n"));
    let log = server
        .git(&["log", "--reverse", "--name-only", "--format=%s", "main"])
        .unwrap();
    let (claim, draft) = (log.find("Claim ").unwrap(), log.find(&path).unwrap());
    assert!(claim < draft, "first the claim, then the draft: {log}");
}

/// A task that was filed offline but taken over meanwhile is not filed twice.
#[tokio::test(flavor = "multi_thread")]
async fn offline_finish_of_a_task_taken_over_is_not_filed_twice() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let owner = replica(&server, "local");
    let cloud = replica_with(&server, "cloud", line.through());
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    owner.sync.sync().await.unwrap();
    line.cut();
    cloud
        .sync
        .finish(task, Finish::filed("no answer is wanted"))
        .await
        .unwrap();
    // Meanwhile the owner moves the task to the own machine by hand.
    owner
        .vault
        .rename(
            &layout::in_progress(&cloud.agent, task),
            &layout::in_progress(&owner.agent, task),
        )
        .unwrap();
    owner.sync.sync().await.unwrap();

    line.heal();
    cloud.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    let files = owner.files();
    let name = format!("{task}.md");
    let places: Vec<_> = files.keys().filter(|path| path.ends_with(&name)).collect();
    assert_eq!(places, [&format!("In_Progress/local/{task}.md")]);
    let kept = files
        .iter()
        .find(|(path, _)| path.starts_with(&format!("Updates/cloud/{task}.conflict-cloud-")));
    assert!(
        kept.is_some_and(|(_, text)| text.contains("no answer is wanted")),
        "{files:?}"
    );
    assert_eq!(cloud.files(), files);
}

/// A task of its own zone is won again also after the remote was told of it.
#[tokio::test(flavor = "multi_thread")]
async fn local_task_is_won_again_after_it_was_pushed() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::PAYMENTS, 1)[0];
    owner.sync.sync().await.unwrap();
    let won = owner.sync.claim(task).await.unwrap();
    assert_eq!(won, Claimed::Won { epoch: 1 });
    // Once to tell, once to see that it is told.
    for _ in 0..2 {
        owner.sync.sync().await.unwrap();
    }
    assert_eq!(owner.sync.claim(task).await.unwrap(), won);
}

/// A task that the cloud wished for and drafted on while it was cut off.
async fn wished(server: &GitServer, line: &Line) -> (Replica, Replica, TaskId, String) {
    let owner = replica(server, "local");
    let cloud = replica_with(server, "cloud", line.through());
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.sync().await.unwrap();
    line.cut();
    assert_eq!(cloud.sync.claim(task).await.unwrap(), Claimed::Tentative);
    let path = draft(&cloud, task, "Made offline\n").await;
    (owner, cloud, task, path)
}

/// Whether the cloud's content still goes out.
async fn goes_out(server: &GitServer, cloud: &Replica) {
    let update = format!("Updates/cloud/{}.md", platinum_core::UpdateId::generate());
    cloud.write(&update, "All is well.\n");
    cloud.sync.sync().await.unwrap();
    assert!(remote_files(server).contains(&update));
}

/// A wish for a task that was moved to a zone of the owners stops nothing and is lost.
#[tokio::test(flavor = "multi_thread")]
async fn offline_claim_moved_to_local_zone_is_dropped() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, cloud, task, path) = wished(&server, &line).await;
    let (from, to) = (
        layout::waiting(ZoneId::EMAIL, task),
        layout::waiting(ZoneId::PAYMENTS, task),
    );
    owner.vault.rename(&from, &to).unwrap();
    owner.sync.sync().await.unwrap();
    line.heal();
    goes_out(&server, &cloud).await;
    assert!(cloud.sync.tentative().is_empty());
    assert_eq!(cloud.read(&path), None);
    let start = format!("Updates/cloud/{task}.conflict-cloud-");
    let files = cloud.files();
    assert!(
        files.keys().any(|path| path.starts_with(&start)),
        "{files:?}"
    );
}

/// A wish for a task whose note is broken stops nothing and waits.
#[tokio::test(flavor = "multi_thread")]
async fn offline_claim_of_a_broken_note_waits() {
    let long = "More and more words.\n".repeat(4 * 1024 * 1024 / 20);
    for broken in [&b"---\nid: [\n---\n"[..], b"\xff\xfe", long.as_bytes()] {
        let server = GitServer::start().unwrap();
        let line = Line::default();
        let (owner, cloud, task, path) = wished(&server, &line).await;
        let waiting = layout::waiting(ZoneId::EMAIL, task);
        let good = owner.read(waiting.as_str()).unwrap();
        owner.vault.replace(&waiting, broken, None).unwrap();
        owner.sync.sync().await.unwrap();
        line.heal();
        goes_out(&server, &cloud).await;
        assert_eq!(cloud.sync.tentative(), [task]);
        // It is mended: then the wish comes true.
        owner.write(waiting.as_str(), &good);
        owner.sync.sync().await.unwrap();
        cloud.sync.sync().await.unwrap();
        assert!(cloud.sync.tentative().is_empty());
        assert!(cloud.read(&path).unwrap().contains("epoch: 1\n"));
    }
}

/// A draft that is written in the moment in which its claim is won gets its epoch.
#[tokio::test(flavor = "multi_thread")]
async fn draft_written_while_its_claim_is_won_gets_the_epoch() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (owner, cloud, task, first) = wished(&server, &line).await;
    line.heal();
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.sync.drafting_epoch(task).await.unwrap(), Some(1));
    // One claim has one draft: the owner takes the first away.
    owner.sync.sync().await.unwrap();
    owner.vault.remove(&at(&first)).unwrap();
    while remote_files(&server).contains(&first) {
        owner.sync.sync().await.unwrap();
    }
    cloud.sync.sync().await.unwrap();
    // Its skill was told before that the claim is tentative.
    let path = draft(&cloud, task, "Made at the last moment\n").await;
    let text = cloud.read(&path).unwrap();
    cloud.write(&path, &text.replace("epoch: 1\n", "epoch: 0\n"));
    for _ in 0..2 {
        cloud.sync.sync().await.unwrap();
    }
    assert_eq!(cloud.read(&path), Some(text));
    assert!(remote_files(&server).contains(&path));
}

/// A draft that is written in the moment in which its claim is lost is set aside.
#[tokio::test(flavor = "multi_thread")]
async fn draft_written_while_its_claim_is_lost_is_preserved() {
    let server = GitServer::start().unwrap();
    let line = Line::default();
    let (_owner, cloud, task, path) = wished(&server, &line).await;
    let text = cloud.read(&path).unwrap();
    let faster = replica(&server, "cloud-2");
    faster.sync.claim(task).await.unwrap();
    line.heal();
    cloud.sync.sync().await.unwrap();
    assert_eq!(cloud.read(&path), None);
    // Its skill was told before that the claim is tentative.
    let text = text.replace("Made offline", "Made at the last moment");
    cloud.write(&path, &text);
    for _ in 0..2 {
        assert_eq!(cloud.sync.sync().await.unwrap().conflicts, 0);
    }
    assert_eq!(cloud.read(&path), None);
    let start = format!("Updates/cloud/{task}.conflict-cloud-");
    let kept = cloud.files().into_iter();
    let kept: Vec<_> = kept.filter(|(path, _)| path.starts_with(&start)).collect();
    assert!(kept.iter().any(|(_, it)| *it == text), "{kept:?}");
}
