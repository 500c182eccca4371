//! One changed note in vaults of growing size: to its commit, and to the remote on loopback;
//! beside what others do for the same.
//!
//! Lives here: the rounds and the table. Lives elsewhere: the notes are `vaults`', our own way is
//! in `ours`, the calls of the others are in `peers`.
//! Everybody has a vault and a remote of its own with the same notes. Rounds go around all of
//! them, so that a busy machine slows all.

mod ours;
mod peers;
mod vaults;

use std::{
    fs,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use platinum_testkit::git::GitServer;

use ours::Ours;
use peers::{PEERS, Peer};

/// What one contender took, round by round.
#[derive(Default)]
struct Taken {
    local: Vec<Duration>,
    whole: Vec<Duration>,
}

/// Runs every size and prints a table for each. So many rounds count, after one that does not.
pub(crate) fn run(sizes: &[usize], rounds: usize) -> anyhow::Result<()> {
    for &notes in sizes {
        let folder = tempfile::tempdir()?;
        let results = measure(folder.path(), notes, rounds)
            .with_context(|| format!("a vault of {notes} notes"))?;
        print!("{}", table(notes, &results));
    }
    Ok(())
}

fn measure(
    folder: &Path,
    notes: usize,
    rounds: usize,
) -> anyhow::Result<Vec<(&'static str, Taken)>> {
    let mut numbers = vaults::Numbers(notes as u64);
    let mut any = || usize::try_from(numbers.next() % notes as u64).unwrap_or(0);

    // Ours: one synchronizer that works alone, for the local part, and one with a remote.
    let vault = folder.join("ours");
    fs::create_dir(&vault)?;
    vaults::write(&vault, notes)?;
    let server = GitServer::start()?;
    let mut alone = begin(&vault, &folder.join("alone"), None, notes)?;
    let mut joined = begin(
        &vault,
        &folder.join("joined"),
        Some(&server.address()),
        notes,
    )?;

    let mut clones = Vec::new();
    for peer in &PEERS {
        let vault = folder.join(peer.name.replace([' ', ','], "-"));
        fs::create_dir(&vault)?;
        vaults::write(&vault, notes)?;
        let server = GitServer::start()?;
        peer.begin(&vault, &server.address())?;
        clones.push((peer, vault, server));
    }

    let mut results = vec![("platinum", Taken::default())];
    results.extend(PEERS.iter().map(|peer| (peer.name, Taken::default())));
    for round in 0..=rounds {
        let version = round as u64 * 2 + 1;
        let counts = round > 0;
        let local = timed(|| {
            vaults::change(&vault, any(), version)?;
            alone.take_change()
        })?;
        joined.drain_events();
        joined.sync()?;
        joined.drain_events();
        let whole = timed(|| {
            vaults::change(&vault, any(), version + 1)?;
            joined.take_change()
        })?;
        alone.drain_events();
        alone.sync()?;
        alone.drain_events();
        if counts {
            results[0].1.local.push(local);
            results[0].1.whole.push(whole);
        }
        for ((peer, vault, _), (_, taken)) in clones.iter().zip(&mut results[1..]) {
            let (local, whole) = one_round(peer, vault, any(), version)?;
            if counts {
                taken.local.push(local);
                taken.whole.push(whole);
            }
        }
    }
    Ok(results)
}

/// The first sync of so many notes is not what is measured: it is made in memory, gathered, and
/// then put on the disk.
fn begin(vault: &Path, state: &Path, remote: Option<&str>, notes: usize) -> anyhow::Result<Ours> {
    let memory = Path::new("/dev/shm");
    let quick = match memory.is_dir() {
        true => tempfile::tempdir_in(memory)?,
        false => tempfile::tempdir()?,
    };
    Ours::open(vault, quick.path(), remote)?.begin(notes)?;
    copy(quick.path(), state)?;
    let mut ours = Ours::open(vault, state, remote)?;
    // The full look that every start has.
    ours.sync()?;
    ours.drain_events();
    Ok(ours)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        match entry.file_type()?.is_dir() {
            true => copy(&entry.path(), &target)?,
            false => drop(fs::copy(entry.path(), target)?),
        }
    }
    Ok(())
}

fn one_round(
    peer: &Peer,
    vault: &Path,
    number: usize,
    version: u64,
) -> anyhow::Result<(Duration, Duration)> {
    let local = timed(|| {
        vaults::change(vault, number, version)?;
        peer.local(vault)
    })?;
    let rest = timed(|| peer.rest(vault))?;
    Ok((local, local + rest))
}

fn timed(work: impl FnOnce() -> anyhow::Result<()>) -> anyhow::Result<Duration> {
    let began = Instant::now();
    work()?;
    Ok(began.elapsed())
}

fn table(notes: usize, results: &[(&'static str, Taken)]) -> String {
    let mut text = format!(
        "{:<34} {:>9} {:>9} {:>7} {:>10} {:>9} {:>7}\n",
        format!("{notes} notes, one changed (ms)"),
        "commit50",
        "commit95",
        "ratio",
        "pushed50",
        "pushed95",
        "ratio"
    );
    let at = |times: &[Duration], percent: usize| {
        let mut times = times.to_vec();
        times.sort();
        let index = (times.len() * percent).div_ceil(100).saturating_sub(1);
        times
            .get(index)
            .map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
    };
    let ours = &results[0].1;
    for (name, taken) in results {
        text += &format!(
            "{name:<34} {:>9.1} {:>9.1} {:>6.1}x {:>10.1} {:>9.1} {:>6.1}x\n",
            at(&taken.local, 50),
            at(&taken.local, 95),
            at(&taken.local, 50) / at(&ours.local, 50),
            at(&taken.whole, 50),
            at(&taken.whole, 95),
            at(&taken.whole, 50) / at(&ours.whole, 50),
        );
    }
    text + "\n"
}
