//! Four hosts, each a process, contest for the same tasks on a real remote while the worst
//! befalls them; what they wrote down must be linearizable, and the remote must agree.
//!
//! To read: `worker` is a contestant, `nemesis` what befalls them, `history` what they write down,
//! `linear` the judge, `remote` what plain git finds in the end.
//! How long: `PLATINUM_CLAIMS` claims in all (400 of them if it is not set; `cargo xtask test --full` sets
//! 10000), half over ssh and half over https.

mod history;
mod linear;
mod nemesis;
mod remote;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use history::{Operation, Outcome, What};
use linear::Register;
use nemesis::Nemesis;
use platinum_core::layout;
use platinum_host_tests::worker::{Setup, acquaint, open};
use platinum_repo::ClientOptions;
use platinum_testkit::{
    git::{Access, HttpsServer, Proxy, SshServer},
    seed,
};
use platinum_vault::note::TaskNote;
use worker::{Part, name, zone};

/// How many contest.
const WORKERS: usize = 4;
/// The claims of a short contest, over both ways.
const SHORT: usize = 400;
/// No one wins less than this share of so many wins.
const LEAST_SHARE: (f64, usize) = (0.1, 400);
/// Nor this share of fewer, where chance weighs more.
const LEAST_SHARE_OF_FEW: f64 = 0.03;

/// One contest at a time: two would fight for the machine, too.
static TURN: Mutex<()> = Mutex::new(());

#[test]
fn four_hosts_contest_over_ssh_and_every_task_has_one_owner() {
    const TEST: &str = "contest::four_hosts_contest_over_ssh_and_every_task_has_one_owner";
    if let Some(part) = worker::asked() {
        return worker::play(&part);
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = SshServer::start().unwrap();
    contest(
        TEST,
        server.port(),
        &server.repository(),
        &server.access(),
        |port| server.access_through(port),
    );
}

#[test]
fn four_hosts_contest_over_https_and_every_task_has_one_owner() {
    const TEST: &str = "contest::four_hosts_contest_over_https_and_every_task_has_one_owner";
    if let Some(part) = worker::asked() {
        return worker::play(&part);
    }
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let server = HttpsServer::start().unwrap();
    contest(
        TEST,
        server.port(),
        &server.repository(),
        &server.access(),
        |port| server.access_through(port),
    );
}

fn contest(
    test: &str,
    port: u16,
    repository: &Path,
    access: &Access,
    through: impl Fn(u16) -> Access,
) {
    let claims = match std::env::var("PLATINUM_CLAIMS") {
        Ok(text) => text.parse().unwrap(),
        Err(_) => SHORT,
    };
    let tasks = (claims / 2usize).div_ceil(WORKERS);
    let folder = tempfile::tempdir().unwrap();
    let seed = seed();
    let proxy = Proxy::start(port, seed).unwrap();
    proxy.watch(repository).unwrap();
    let line = through(proxy.port());
    let setups: Vec<_> = (0..WORKERS)
        .map(|number| setup(folder.path(), &name(number), &line))
        .collect();
    let owner = setup(folder.path(), "local", access);
    let hosts: Vec<_> = setups.iter().chain([&owner]).collect();
    acquaint(&hosts);
    put_tasks(&owner, access, tasks);
    let parts: Vec<_> = setups
        .into_iter()
        .enumerate()
        .map(|(number, setup)| Part {
            number,
            of: WORKERS,
            tasks,
            setup,
            settings: line.settings.clone(),
            folder: folder.path().to_owned(),
        })
        .collect();

    println!("{tasks} tasks for {WORKERS} workers over {}", line.address);
    let began = Instant::now();
    let most = Duration::from_secs(240) + Duration::from_secs(5) * u32::try_from(tasks).unwrap();
    let mut nemesis = Nemesis::start(test, &parts, &proxy, seed);
    while !nemesis.step() {
        let places = worker::places(folder.path(), WORKERS);
        assert!(
            began.elapsed() < most,
            "{tasks} tasks, and the workers are at {places:?}"
        );
        #[expect(
            clippy::disallowed_methods,
            reason = "the pace of the nemesis, not a wait for a state"
        )]
        std::thread::sleep(Duration::from_millis(5));
    }
    let took = began.elapsed();
    let deeds = nemesis.deeds;
    drop(nemesis);

    let all: Vec<_> = (0..WORKERS)
        .flat_map(|number| history::read(folder.path(), number))
        .collect();
    judge(&all, tasks, repository);
    let count = proxy.count();
    println!(
        "{deeds:?}\n{count:?}\n{} copies kept beside tasks",
        remote::copies(repository)
    );
    report(&all, tasks, took);
    assert!(
        deeds.kills > 0 && deeds.stops > 0 && deeds.cuts > 0,
        "{deeds:?}"
    );
    assert!(count.lost_answers > 0 && count.resets > 0, "{count:?}");
    everybody_wins(&all);
}

fn setup(folder: &Path, agent: &str, access: &Access) -> Setup {
    let own = folder.join(agent);
    let vault = own.join("vault");
    std::fs::create_dir_all(&vault).unwrap();
    Setup {
        agent: agent.to_owned(),
        vault,
        state: own.join("state"),
        remote: access.address.clone(),
        ssh: Some(access.ssh.clone()),
        time_out: Duration::from_secs(20),
        every: None,
        points: Vec::new(),
        fail_points: Vec::new(),
    }
}

/// The owner's machine puts the tasks there, before the contest begins.
fn put_tasks(owner: &Setup, access: &Access, tasks: usize) {
    let options = ClientOptions {
        user_config: false,
        ssh: access.ssh.clone(),
        settings: access.settings.clone(),
        ..ClientOptions::default()
    };
    let (vault, sync) = open(owner, options);
    for number in 0..tasks {
        let note = TaskNote {
            id: worker::task(number),
            zone: zone(number),
            source: "maildir:owner".to_owned(),
            from: "Someone <someone@example.test>".to_owned(),
            subject: format!("Question {number}"),
            received: None,
            created: platinum_core::Timestamp::from_second(1_795_000_000).unwrap(),
            by: "intake".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: format!("Can you answer question {number}?\n"),
        };
        let path = layout::waiting(note.zone, note.id);
        vault.create(&path, note.render().as_bytes()).unwrap();
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let report = runtime.block_on(sync.sync()).unwrap();
    assert_eq!(report.pushed as usize, tasks, "{report:?}");
}

/// Whether what was written down is linearizable and the remote agrees; and whether the judge
/// sees a history that was tampered with.
fn judge(all: &[Operation], tasks: usize, repository: &Path) {
    let log = remote::claims(repository);
    let last = remote::last(repository, tasks);
    let mut tampered = 0;
    for (task, last) in last.into_iter().enumerate() {
        let operations: Vec<_> = all.iter().filter(|it| it.task == task).cloned().collect();
        let claims = log.get(&task).map_or(&[][..], Vec::as_slice);
        remote::agrees(task, &operations, claims, last);
        if let Err(why) = linear::check(&operations, last, name) {
            panic!("task {task} ({}): {why}", worker::task(task));
        }
        tampered += usize::from(tampering_is_seen(&operations, last));
    }
    assert!(
        tampered * 2 > tasks,
        "tampered with {tampered} of {tasks} alone"
    );
}

/// Makes someone else who lost a task a second winner of it. Answers whether there was one.
fn tampering_is_seen(operations: &[Operation], last: Register) -> bool {
    let won = operations.iter().find_map(|it| match it.outcome {
        Outcome::Won(epoch) => Some((it.worker, epoch)),
        _ => None,
    });
    let Some((winner, epoch)) = won else {
        return false;
    };
    // Whoever lost it, was killed, and asked once more may have won it the second time.
    let lost = operations
        .iter()
        .position(|it| it.worker != winner && matches!(it.outcome, Outcome::Lost(_)));
    let Some(lost) = lost else {
        return false;
    };
    let mut forged = operations.to_vec();
    forged[lost].outcome = Outcome::Won(epoch);
    assert!(linear::check(&forged, last, name).is_err(), "{forged:?}");
    true
}

/// Each task's wins, by worker.
fn wins(all: &[Operation]) -> BTreeMap<usize, BTreeSet<usize>> {
    let mut wins: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for it in all {
        if matches!(it.outcome, Outcome::Won(_)) {
            wins.entry(it.worker).or_default().insert(it.task);
        }
    }
    wins
}

fn everybody_wins(all: &[Operation]) {
    let wins = wins(all);
    let total: usize = wins.values().map(BTreeSet::len).sum();
    let least = match LEAST_SHARE {
        (share, many) if total >= many => share,
        _ => LEAST_SHARE_OF_FEW,
    };
    for worker in 0..WORKERS {
        let own = wins.get(&worker).map_or(0, BTreeSet::len);
        let share = own as f64 / total as f64;
        assert!(share >= least, "{} won {own} of {total}", name(worker));
    }
}

fn report(all: &[Operation], tasks: usize, took: Duration) {
    let mut reasons: BTreeMap<_, usize> = BTreeMap::new();
    for it in all {
        if let Outcome::Unknown(why) = &it.outcome {
            let why: String = why
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .take(200)
                .collect();
            *reasons.entry((it.what as u8, why)).or_default() += 1;
        }
    }
    for ((_, why), times) in reasons {
        println!("{times} × {why}");
    }
    let claims: Vec<_> = all.iter().filter(|it| it.what == What::Claim).collect();
    let unknown = claims.iter().filter(|it| it.end.is_none()).count();
    let mut times: Vec<_> = claims
        .iter()
        .filter_map(|it| Some((it.end? - it.begin) / 1_000_000))
        .collect();
    times.sort_unstable();
    let part = |percent: usize| times[(times.len() - 1) * percent / 100];
    let overlapping = claims
        .iter()
        .filter(|it| {
            let meets = |other: &&&Operation| {
                other.task == it.task
                    && other.worker != it.worker
                    && other.begin < it.end.unwrap_or(u64::MAX)
                    && it.begin < other.end.unwrap_or(u64::MAX)
            };
            claims.iter().any(|other| meets(&other))
        })
        .count();
    println!(
        "FIGURE: {} claims of {tasks} tasks in {} s ({overlapping} at the same time as another's, {unknown} of unknown outcome), \
         p50 {} ms, p95 {} ms, most {} ms; wins {:?}",
        claims.len(),
        took.as_secs(),
        part(50),
        part(95),
        part(100),
        wins(all)
            .into_iter()
            .map(|(worker, won)| (name(worker), won.len()))
            .collect::<Vec<_>>(),
    );
}
