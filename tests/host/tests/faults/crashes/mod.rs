//! Both daemons are killed (kill -9) again and again, at random moments, while mails come in and
//! the owner approves; they work on a Maildir each side can see and a remote behind git's daemon.
//!
//! Lives elsewhere: the same way without accidents, on mail servers, is in `gate`.

pub(crate) mod cluster;

use std::{collections::BTreeMap, fs, time::Duration};

use cluster::{Cluster, pause};
use platinum_testkit::seed;
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

const MAILS: usize = 30;
const KILLS: usize = 20;
/// So many drafts get a yes while the killing goes on.
const APPROVED: usize = 12;
/// How long the rest may take once no one is killed any more.
const AT_MOST: Duration = Duration::from_secs(60);

/// A host that is killed at random moments loses nothing and does nothing twice.
#[test]
fn random_kills_lose_nothing_and_send_once() {
    let mut cluster = Cluster::set();
    let mut random = StdRng::seed_from_u64(seed());
    cluster.start("cloud");
    cluster.start("local");
    cluster.wait_for_line("cloud", "The cloud half is up");
    cluster.wait_for_line("intake", "");
    let mut arrived = 0;
    let mut approved = 0;
    for kill in 0..KILLS {
        // All mails come while the killing goes on.
        for _ in 0..MAILS.div_ceil(KILLS).min(MAILS - arrived) {
            cluster.deliver(arrived);
            arrived += 1;
        }
        pause(random.random_range(50..=1200));
        approved += cluster.approve(APPROVED - approved);
        let role = if random.random_bool(0.6) {
            "cloud"
        } else {
            "local"
        };
        cluster.kill(role);
        if kill % 4 == 0 {
            cluster.leave_locks_behind(role);
        }
        cluster.start(role);
    }
    assert_eq!(arrived, MAILS);

    let outcome = cluster.wait(
        "every mail to have its draft, every yes its mail",
        AT_MOST,
        |cluster| {
            approved += cluster.approve(APPROVED - approved);
            // Killed between handing a mail over and its receipt, local asks its owner.
            cluster.resolve_doubts();
            let all = cluster.drafts().len() >= MAILS;
            let sent = cluster.outbox().len() >= APPROVED;
            all && sent && cluster.done() >= APPROVED
        },
    );
    if let Err(error) = outcome {
        panic!("{error}\n{}", cluster.picture());
    }
    // A little longer, in case something is done twice.
    pause(1500);

    let picture = cluster.picture();
    let tasks = cluster.tasks();
    let mut per_mail: BTreeMap<&str, usize> = BTreeMap::new();
    for mail in tasks.values() {
        *per_mail.entry(mail).or_default() += 1;
    }
    assert_eq!(per_mail.len(), MAILS, "every mail is a task\n{picture}");
    assert!(per_mail.values().all(|&n| n == 1), "once\n{picture}");
    let mut per_task: BTreeMap<String, usize> = BTreeMap::new();
    for task in cluster.drafts() {
        *per_task.entry(task).or_default() += 1;
    }
    assert_eq!(per_task.len(), MAILS, "every task has a draft\n{picture}");
    assert!(
        per_task.values().all(|&n| n == 1),
        "and only one\n{picture}"
    );
    let mut answers = cluster.outbox();
    let sent = answers.len();
    answers.sort();
    answers.dedup();
    assert_eq!(
        (sent, answers.len()),
        (APPROVED, APPROVED),
        "each yes is one mail\n{picture}"
    );
    let copies: Vec<_> = cluster
        .paths()
        .into_iter()
        .filter(|path| path.contains(".conflict-"))
        .collect();
    assert!(copies.is_empty(), "{copies:?}");
    for role in ["cloud", "local"] {
        let log = fs::read_to_string(cluster.log(role)).unwrap();
        assert!(!log.contains("panicked"), "{log}");
    }
}
