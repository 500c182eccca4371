//! Who owns a task.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32},
    },
    time::{Duration, Instant},
};

use platinum_capabilities::tasks::{TaskError, TaskStore as _};
use platinum_core::{
    Action, ActionKind, DraftId, SocialPublish, TaskId, Timestamp, ZoneId, layout,
};
use platinum_daemon::Tasks;
use platinum_protocol::{Claimed, TaskPlace};
use platinum_sync::{ClaimError, Finish, SyncError};
use platinum_testkit::{git::GitServer, seed};
use platinum_vault::note::{DraftNote, ReceiptRecord};
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};

use crate::races::replica::{CutOff, LosesAnswers, put_tasks, remote_files, replica, replica_with};

/// Tasks in the race; `PLATINUM_RACE_TASKS` sets another number.
const TASKS: u64 = 200;

/// Three agents race for two hundred tasks and each is owned once.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn three_racing_agents_own_each_task_once() {
    let count = std::env::var("PLATINUM_RACE_TASKS")
        .ok()
        .and_then(|n| n.parse().ok());
    let count = count.unwrap_or(TASKS);
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, count);
    assert_eq!(u64::from(owner.sync.sync().await.unwrap().pushed), count);
    let replicas = [
        owner,
        replica(&server, "cloud"),
        replica(&server, "cloud-2"),
    ];
    for replica in &replicas {
        replica.sync.sync().await.unwrap();
    }

    let began = Instant::now();
    let deadline = began + Duration::from_secs(170);
    let seed = seed();
    let racers = (0..).zip(&replicas).map(|(number, replica)| {
        let sync = replica.sync.clone();
        let mut random = StdRng::seed_from_u64(seed.wrapping_add(number));
        let mut left = tasks.clone();
        tokio::spawn(async move {
            let (mut won, mut lost, mut times) = (Vec::new(), 0_usize, Vec::new());
            while !left.is_empty() {
                assert!(Instant::now() < deadline, "{} tasks are left", left.len());
                left.shuffle(&mut random);
                for task in std::mem::take(&mut left) {
                    let asked = Instant::now();
                    match sync.claim(task).await.unwrap() {
                        Claimed::Won { epoch } => {
                            assert_eq!(epoch, 1);
                            times.push(asked.elapsed());
                            won.push(task);
                        }
                        Claimed::Lost { owner } => {
                            assert!(owner.is_some(), "a task of the race has an owner");
                            lost += 1;
                        }
                        // Others were always faster: once more, later.
                        Claimed::GaveUp => left.push(task),
                        Claimed::Tentative => panic!("the remote was there all the time"),
                    }
                }
            }
            (won, lost, times)
        })
    });
    let results = futures_of(racers).await;
    let took = began.elapsed();

    // By the agents' own answers: disjoint, and together all of them.
    let mut owners: BTreeMap<TaskId, &str> = BTreeMap::new();
    let mut times = Vec::new();
    for (replica, (won, lost, took)) in replicas.iter().zip(&results) {
        println!("{}: won {}, lost {lost}", replica.agent, won.len());
        assert_eq!((won.len() + lost) as u64, count);
        for task in won {
            let before = owners.insert(*task, replica.agent.as_str());
            assert_eq!(before, None, "{task} was won twice");
        }
        times.extend(took.iter().copied());
    }
    assert_eq!(owners.len() as u64, count);
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_millis();
    println!(
        "FIGURE: {count} tasks in {:.1} s: {:.1} claims/s; a won claim took p50 {} ms, p95 {} ms, at most {} ms",
        took.as_secs_f64(),
        count as f64 / took.as_secs_f64(),
        at(50),
        at(95),
        at(100),
    );

    // By the remote's tree: each task once, where its winner says.
    let expected: BTreeSet<String> = owners
        .iter()
        .map(|(task, agent)| format!("In_Progress/{agent}/{task}.md"))
        .collect();
    assert_eq!(
        remote_files(&server).into_iter().collect::<BTreeSet<_>>(),
        expected
    );
    // By the history: one claim commit a task.
    let log = server.git(&["log", "--format=%s", "main"]).unwrap();
    let claims: Vec<_> = log
        .lines()
        .filter(|line| line.starts_with("Claim "))
        .collect();
    assert_eq!(claims.len() as u64, count);
    // And by every work tree, once it has synced.
    for replica in &replicas {
        let report = replica.sync.sync().await.unwrap();
        assert_eq!(
            (report.conflicts, report.pushed),
            (0, 0),
            "{}: {report:?}",
            replica.agent
        );
        assert_eq!(
            replica.files().into_keys().collect::<BTreeSet<_>>(),
            expected
        );
    }
}

async fn futures_of<T>(tasks: impl Iterator<Item = tokio::task::JoinHandle<T>>) -> Vec<T> {
    // All are started before the first is waited for.
    let tasks: Vec<_> = tasks.collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_is_lost_is_won_once() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let tasks = put_tasks(&owner, ZoneId::EMAIL, 2);
    owner.sync.sync().await.unwrap();
    let pushes = Arc::new(Mutex::new(Vec::new()));
    for (lands, expected_pushes, task) in [(true, 1, tasks[0]), (false, 2, tasks[1])] {
        pushes.lock().unwrap().clear();
        let kept = Arc::clone(&pushes);
        let name = if lands { "cloud" } else { "cloud-2" };
        let cloud = replica_with(&server, name, move |inner| {
            Box::new(LosesAnswers {
                inner,
                lost: Arc::new(AtomicU32::new(1)),
                pushes: kept,
                lands,
            })
        });
        cloud.sync.sync().await.unwrap();
        assert_eq!(
            cloud.sync.claim(task).await.unwrap(),
            Claimed::Won { epoch: 1 }
        );
        {
            // What did not land is pushed again unchanged: the very same commit.
            let pushes = pushes.lock().unwrap();
            assert_eq!(pushes.len(), expected_pushes);
            assert!(pushes.iter().all(|commit| *commit == pushes[0]));
        }
        let owned = format!("In_Progress/{name}/{task}.md");
        assert!(cloud.read(&owned).is_some());
        // Asking again is no second claim.
        assert_eq!(
            cloud.sync.claim(task).await.unwrap(),
            Claimed::Won { epoch: 1 }
        );
        let places: Vec<_> = remote_files(&server)
            .into_iter()
            .filter(|path| path.ends_with(&format!("{task}.md")))
            .collect();
        assert_eq!(places, [owned]);
        assert_eq!(cloud.sync.status().await.unwrap().in_doubt, 0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hosts_of_one_name_do_not_both_own_a_task() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    // The same name, the same tree, the same second.
    let (one, two) = (replica(&server, "cloud"), replica(&server, "cloud'"));
    one.sync.sync().await.unwrap();
    two.sync.sync().await.unwrap();
    let (a, b) = tokio::join!(one.sync.claim(task), two.sync.claim(task));
    let won = [&a, &b]
        .iter()
        .filter(|r| matches!(r, Ok(Claimed::Won { .. })))
        .count();
    assert_eq!(won, 1, "{a:?} {b:?}");
    // Platinum knows one key by that name. Its holder stops at the commit of the other one; the
    // other one loses to someone of its own name.
    match (a, b) {
        (Err(stopped), _) => assert!(
            stopped
                .to_string()
                .contains("it is signed by a key that is not trusted here"),
            "{stopped}"
        ),
        (_, lost) => assert_eq!(
            lost.unwrap(),
            Claimed::Lost {
                owner: Some(one.agent.clone())
            }
        ),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn cut_off_a_claim_is_tentative_and_moves_nothing() {
    let server = GitServer::start().unwrap();
    let owner = replica(&server, "local");
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    owner.sync.sync().await.unwrap();
    let away = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&away);
    let cloud = replica_with(&server, "cloud", |inner| {
        Box::new(CutOff { inner, away: cut })
    });
    cloud.sync.sync().await.unwrap();
    away.store(true, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(cloud.sync.claim(task).await.unwrap(), Claimed::Tentative);
    assert!(
        cloud
            .read(layout::waiting(ZoneId::EMAIL, task).as_str())
            .is_some()
    );
    assert_eq!(cloud.sync.place(task).await.unwrap(), TaskPlace::Waiting);
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );

    // Its own task it may file while it is cut off; the remote learns of it later.
    away.store(true, std::sync::atomic::Ordering::SeqCst);
    cloud
        .sync
        .finish(task, Finish::filed("no answer is wanted"))
        .await
        .unwrap();
    assert!(cloud.sync.sync().await.unwrap_err().is_away());
    away.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(cloud.sync.sync().await.unwrap().withheld, []);
    assert_eq!(cloud.sync.place(task).await.unwrap(), TaskPlace::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_round_with_a_growing_epoch_and_ends_in_done() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    // Not synced yet: the claim does that first.
    let task = put_tasks(&owner, ZoneId::EMAIL, 1)[0];
    assert_eq!(
        owner.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
    let lost = cloud.sync.claim(task).await.unwrap();
    assert_eq!(
        lost,
        Claimed::Lost {
            owner: Some(owner.agent.clone())
        }
    );
    assert!(matches!(
        cloud.sync.finish(task, Finish::filed("x")).await,
        Err(SyncError::Claim(ClaimError::NotOwner { .. }))
    ));
    owner.sync.release(task, "the owner is away").await.unwrap();
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 2 }
    );
    // A skill of local's does not, without a receipt of what was done for it.
    let tasks = Tasks(owner.sync.clone());
    for ended in [
        tasks.complete(task, "sent", Vec::new()).await,
        tasks.fail(task, "no").await,
    ] {
        assert_eq!(ended, Err(TaskError::NotOwner("cloud".to_owned())));
    }
    // Local files it, although it is the cloud's: the owner approved what was drafted.
    owner
        .sync
        .finish(task, Finish::done("sent", Vec::new()))
        .await
        .unwrap();
    owner
        .sync
        .finish(task, Finish::done("sent", Vec::new()))
        .await
        .unwrap();
    let files = remote_files(&server);
    assert_eq!(files.len(), 1, "{files:?}");
    assert!(files[0].starts_with("Done/"), "{files:?}");
    cloud.sync.sync().await.unwrap();
    owner.sync.sync().await.unwrap();
    assert_eq!(cloud.files(), owner.files());
    assert!(cloud.files()[&files[0]].contains("outcome: "));
    assert_eq!(
        cloud.sync.claim(task).await.unwrap(),
        Claimed::Lost { owner: None }
    );
}

/// One text for each network: the task of two posts stays open until both are decided, and is finished with what left.
#[tokio::test(flavor = "multi_thread")]
async fn a_task_of_two_posts_is_finished_with_the_last() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::SOCIAL, 1)[0];
    owner.sync.sync().await.unwrap();
    cloud.sync.claim(task).await.unwrap();
    owner.sync.sync().await.unwrap();
    let at: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
    let draft = |n: u128| DraftId::from_parts(1, n);
    let post = |n: u128, account: &str| DraftNote {
        id: draft(n),
        created: at,
        by: "cloud/test".to_owned(),
        task,
        epoch: Some(1),
        action: Action::new(&SocialPublish {
            account: account.to_owned(),
            text: "Hello\n".to_owned(),
            ..SocialPublish::default()
        }),
        summary: "Post “Hello”".to_owned(),
        reason: "A note asks for it.".to_owned(),
        expires: at,
        doubts: vec![],
    };
    // The first is carried out, and its file not put away yet.
    owner.write(
        layout::approved(draft(1)).as_str(),
        &post(1, "sky").render(),
    );
    owner.write(
        layout::pending(draft(2)).as_str(),
        &post(2, "fedi").render(),
    );
    let receipt = ReceiptRecord {
        draft: draft(1),
        kind: ActionKind::SOCIAL_PUBLISH,
        at,
        reference: "r".to_owned(),
        answer: "published".to_owned(),
        recipients: vec!["sky".to_owned()],
        sha256: String::new(),
        came_back: None,
    };
    let tasks = Tasks(owner.sync.clone());
    let complete = || tasks.complete(task, "published", vec![receipt.clone()]);
    complete().await.unwrap();
    let place = owner.sync.place(task).await.unwrap();
    assert!(matches!(place, TaskPlace::Owned(_)), "{place:?}");
    // Its owner says no to the second.
    let (from, to) = (layout::pending(draft(2)), layout::rejected(draft(2)));
    owner.vault.rename(&from, &to).unwrap();
    complete().await.unwrap();
    assert_eq!(owner.sync.place(task).await.unwrap(), TaskPlace::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cloud_cannot_claim_what_belongs_to_the_owners_machine() {
    let server = GitServer::start().unwrap();
    let (owner, cloud) = (replica(&server, "local"), replica(&server, "cloud"));
    let task = put_tasks(&owner, ZoneId::PAYMENTS, 1)[0];
    owner.sync.sync().await.unwrap();
    assert!(matches!(
        cloud.sync.claim(task).await,
        Err(SyncError::Claim(ClaimError::ZoneDenied(ZoneId::PAYMENTS)))
    ));
    assert_eq!(
        owner.sync.claim(task).await.unwrap(),
        Claimed::Won { epoch: 1 }
    );
}
