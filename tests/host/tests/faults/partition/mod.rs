//! Two hosts in network namespaces, with a remote behind sshd in a third; their lines are cut in
//! several ways while both work and people edit by hand at both, and then mended.
//!
//! Lives here: `network` is the namespaces and the cuts, `cluster` the hosts and what is looked at
//! in the end, `editors` the edits by hand, `work` what each host does with the tasks.
//! Lives elsewhere: what is decided without a remote is tried state by state in `protocol`.
//!
//! In the test command the lines are cut for [`CUT`] in all; `PLATINUM_CUT_SECONDS=180` is the
//! full length. Without the right to make namespaces the test says so and is skipped, unless it
//! is root's and the tests must run.

mod cluster;
mod editors;
mod network;
mod work;

use std::time::{Duration, Instant};

use platinum_host_tests::worker;

use cluster::Cluster;
use network::{Cut, network};

/// How long the lines are cut in the test command.
const CUT: Duration = Duration::from_secs(30);
/// The test that the workers are copies of.
pub(crate) const NAME: &str = "partition::partitioned_hosts_work_on_and_agree_afterwards";

/// What happens to the lines of local and cloud, and for how many tenths of the time.
const PHASES: [(Option<Cut>, Option<Cut>, u32); 4] = [
    (Some(Cut::Silent), None, 4),
    (Some(Cut::Silent), Some(Cut::Refused), 2),
    (Some(Cut::Refused), Some(Cut::AnswersLost), 2),
    (Some(Cut::AnswersLost), Some(Cut::Unplugged), 2),
];

/// Two hosts that are cut off both work on and agree afterwards.
#[test]
fn partitioned_hosts_work_on_and_agree_afterwards() {
    if let Some(asked) = worker::asked() {
        return worker::serve(asked);
    }
    let Some(network) = network().unwrap() else {
        return;
    };
    let seconds = std::env::var("PLATINUM_CUT_SECONDS").ok();
    let whole = seconds
        .and_then(|text| text.parse().ok())
        .map_or(CUT, Duration::from_secs);
    let mut cluster = Cluster::set(network);
    cluster.begin();
    let cut_at = Instant::now();
    for (local, cloud, tenths) in PHASES {
        for (host, cut) in [("local", local), ("cloud", cloud)] {
            match cut {
                Some(cut) => cluster.network.cut(host, cut).unwrap(),
                None => cluster.network.heal(host).unwrap(),
            }
        }
        println!("local: {local:?}, cloud: {cloud:?}");
        cluster.let_pass(whole * tenths / 10);
    }
    for host in ["local", "cloud"] {
        cluster.network.heal(host).unwrap();
    }
    let healed_at = Instant::now();
    cluster.end(cut_at, healed_at);
}
