//! One call of a skill with two host functions, beside what others do for the same; the jobs on real servers;
//! the sync of one changed note, beside git and what is built on it; and what the daemons weigh.
//!
//! `cargo xtask bench` builds and runs it. Prints tables, and the first one as JSON, too. With `--smoke` each
//! benchmark runs once with the smallest numbers: that shows that it still runs, and its figures mean nothing.
//!
//! Every contender starts from nothing for each call, as Platinum does: a fresh instance, a fresh plugin, a fresh
//! process. Rounds go around all contenders, and the median round counts, so that a busy machine slows all of them
//! and not the one that had bad luck.
//!
//! Lives elsewhere: one contender or benchmark per file.

mod bare;
mod bindings;
mod daemons;
mod extism;
mod job;
mod measure;
mod ours;
mod process;
mod sync;

use std::{path::PathBuf, time::Duration};

use anyhow::Context;
use clap::Parser;

/// Measures Platinum beside others.
#[derive(Parser)]
struct Arguments {
    /// The repository, with its skills and guests built (`cargo xtask skills`).
    root: PathBuf,
    /// The program of `benches/extism`; without it that row is left out.
    #[arg(long)]
    extism: Option<PathBuf>,
    /// Run everything once with the smallest numbers.
    #[arg(long)]
    smoke: bool,
    /// Measure the sync alone, in vaults of these many notes.
    #[arg(long, value_delimiter = ',')]
    sync: Vec<usize>,
    /// Measure the jobs on real servers alone.
    #[arg(long)]
    jobs: bool,
}

/// How much of everything is measured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    /// How many rounds count, for calls.
    rounds: usize,
    /// No more calls in a round than this.
    batch: u32,
    /// How often each of the jobs on real servers is done.
    jobs: usize,
    /// How often with a hold before the effect, and how long that is.
    held: (usize, Duration),
    /// How many rounds count, for syncs.
    syncs: usize,
    /// Notes in the vaults that are synced.
    notes: &'static [usize],
    /// How often a daemon is started.
    starts: usize,
}

const FULL: Scale = Scale {
    rounds: 30,
    batch: u32::MAX,
    jobs: 15,
    held: (3, Duration::from_secs(10)),
    syncs: 15,
    notes: &[1_000, 10_000, 100_000],
    starts: 5,
};

const SMOKE: Scale = Scale {
    rounds: 1,
    batch: 1,
    jobs: 1,
    held: (1, Duration::from_secs(1)),
    syncs: 1,
    notes: &[100],
    starts: 1,
};

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let scale = if arguments.smoke { SMOKE } else { FULL };
    if !arguments.sync.is_empty() {
        return sync::run(&arguments.sync, scale.syncs);
    }
    if arguments.jobs {
        return job::run(scale.jobs, scale.held);
    }
    // The daemons look for their skills from folders of their own.
    let root = arguments
        .root
        .canonicalize()
        .with_context(|| format!("cannot find {}", arguments.root.display()))?;
    calls(&root, arguments.extism.as_deref(), scale)?;
    println!();
    daemons::run(scale.starts)?;
    println!();
    job::run(scale.jobs, scale.held)?;
    println!();
    sync::run(scale.notes, scale.syncs)
}

fn calls(
    root: &std::path::Path,
    extism: Option<&std::path::Path>,
    scale: Scale,
) -> anyhow::Result<()> {
    let guest = root.join("target/skills/guests/two-calls.wasm");
    let component = std::fs::read(&guest)
        .with_context(|| format!("run cargo xtask skills first: {}", guest.display()))?;
    let mut contenders = vec![bare::contender(&component)?, ours::contender(&component)?];
    let mut absent = Vec::new();
    match extism {
        Some(program) => contenders.push(extism::contender(program)?),
        None => absent.push("extism"),
    }
    for &program in process::PROGRAMS {
        match process::contender(program) {
            Some(contender) => contenders.push(contender),
            None => absent.push(program.0),
        }
    }
    let results = measure::rounds(&mut contenders, scale)?;
    let loads = ours::loads(&component)?;
    print!("{}", measure::table(&results));
    for program in &absent {
        println!("{program:<34} not on this machine");
    }
    println!();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!(
        "{:<52} {:>10.1} ms",
        "load of the same skill, compiled anew",
        ms(loads.compiled)
    );
    println!(
        "{:<52} {:>10.1} ms",
        "load of the same skill, from the cache",
        ms(loads.cached)
    );
    let (name, bytes) = largest_skill(root)?;
    println!(
        "{:<52} {:>10.1} ms",
        format!("compiling {name} ({} kB)", bytes.len() / 1000),
        ms(bare::compile(&bytes)?)
    );
    println!();
    println!("{}", measure::json(&results, &absent, &loads, scale.rounds));
    Ok(())
}

/// The largest of the installed skills, by its name and its bytes.
fn largest_skill(root: &std::path::Path) -> anyhow::Result<(String, Vec<u8>)> {
    let folder = root.join("target/skills/installed");
    let mut largest = (String::new(), Vec::new());
    for entry in std::fs::read_dir(&folder)
        .with_context(|| format!("run cargo xtask skills first: {}", folder.display()))?
    {
        let entry = entry?;
        let Ok(bytes) = std::fs::read(entry.path().join("skill.wasm")) else {
            continue;
        };
        if bytes.len() > largest.1.len() {
            largest = (entry.file_name().to_string_lossy().into_owned(), bytes);
        }
    }
    anyhow::ensure!(!largest.1.is_empty(), "no skill in {}", folder.display());
    Ok(largest)
}
