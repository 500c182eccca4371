//! What one changed note costs in vaults of three sizes, and what a daemon costs that does nothing.

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use tokio::runtime::Runtime;

use crate::scale::fixture::{Daemon, child_process, generate, given_folder};

/// The test below.
const NAME: &str = "scale::cost::sync_of_a_changed_note_costs_the_same_in_a_large_vault";
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];
/// How often a note is changed.
const TIMES: usize = 40;
/// How long the daemon is left alone.
const IDLE: Duration = Duration::from_secs(60);

/// What the measured process tells, as one line.
struct Measured {
    /// The middle of the times that a sync took, in microseconds.
    middle: u64,
    /// What it holds in memory, in kilobytes.
    resident: u64,
    /// What it used of one processor while it was left child_process, in millionths.
    idle: u64,
}

#[test]
#[ignore = "takes minutes on a quiet machine: cargo xtask test --full runs it"]
fn sync_of_a_changed_note_costs_the_same_in_a_large_vault() {
    if let Some(folder) = given_folder() {
        return Runtime::new().unwrap().block_on(measured(&folder));
    }
    let mut middles = Vec::new();
    for notes in SIZES {
        let folder = tempfile::tempdir().unwrap();
        generate(folder.path(), notes);
        // The first one reads everything; the second is a daemon on a day like any other.
        let first = measure(folder.path());
        let second = measure(folder.path());
        for (which, measured) in [("first", &first), ("second", &second)] {
            println!(
                "FIGURE: {notes:>7} notes, {which} run: {:>6} µs a change, {:>7} kB, {:>5} ppm idle",
                measured.middle, measured.resident, measured.idle
            );
        }
        assert!(second.resident < 150 * 1024, "{} kB", second.resident);
        assert!(second.idle < 1_000, "{} ppm", second.idle);
        middles.push(second.middle);
    }
    let (small, large) = (middles[0], middles[2]);
    assert!(large * 2 <= small * 3, "{small} µs and {large} µs");
}

fn measure(folder: &Path) -> Measured {
    let ran = child_process(NAME, folder).output().unwrap();
    let output = String::from_utf8_lossy(&ran.stdout);
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{output}\n{errors}");
    let line = output.lines().find_map(|line| line.split_once("figures: "));
    let numbers: Vec<u64> = line
        .unwrap()
        .1
        .split_whitespace()
        .map(|number| number.parse().unwrap())
        .collect();
    for line in output.lines().filter_map(|line| line.split_once("about ")) {
        println!("        {}", line.1);
    }
    Measured {
        middle: numbers[0],
        resident: numbers[1],
        idle: numbers[2],
    }
}

/// What is measured, in a process of its own.
async fn measured(folder: &Path) {
    let began = Instant::now();
    let mut daemon = Daemon::start(folder);
    daemon.sync.sync().await.unwrap();
    let first = began.elapsed();
    daemon.calm_down().await;
    let mut times = Vec::new();
    for time in 0..TIMES {
        let (report, took) = daemon
            .change(time * 23, &format!("changed {time} {first:?}\n"))
            .await;
        assert_eq!(report.pushed, 1);
        times.push(took);
    }
    times.sort_unstable();
    daemon.calm_down().await;
    let (used, began) = (processor_time(), Instant::now());
    while began.elapsed() < IDLE {
        // As the daemon's timer does.
        tokio::time::sleep(Duration::from_secs(10)).await;
        daemon.sync.sync().await.unwrap();
    }
    let idle = (processor_time() - used).as_micros() * 1_000_000 / began.elapsed().as_micros();
    println!(
        "about the first sync: {first:?}; slowest change {:?}",
        times.last().unwrap()
    );
    println!(
        "figures: {} {} {idle}",
        times[TIMES / 2].as_micros(),
        resident_kilobytes()
    );
}

fn resident_kilobytes() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.unwrap()
        .trim()
        .trim_end_matches(" kB")
        .parse()
        .unwrap()
}

/// What this process used of the processors so far.
fn processor_time() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::new(
        u64::try_from(now.tv_sec).unwrap(),
        u32::try_from(now.tv_nsec).unwrap(),
    )
}
