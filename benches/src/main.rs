//! One call of a skill with two host functions, beside what others do for the same; the main job
//! on real servers; and the sync of one changed note, beside git and what is built on it.
//!
//! Usage: `platinum-benches ROOT`, where ROOT is the repository with its guests built
//! (`cargo xtask bench` does all of it). Prints a table and the same as JSON.
//! `platinum-benches ROOT sync [NOTES …]` measures the sync alone, in vaults of these sizes.
//!
//! Every contender starts from nothing for each call, as this house does: a fresh instance, a fresh
//! plugin, a fresh process. Rounds go around all contenders, and the median round counts, so that a
//! busy machine slows all of them and not the one that had bad luck.
//!
//! Lives elsewhere: one contender per file.

mod bare;
mod bindings;
mod extism_peer;
mod job;
mod measure;
mod ours;
mod process;
mod sync;

use std::path::PathBuf;

use anyhow::Context;

/// The vaults of the last table.
const SIZES: [usize; 3] = [1_000, 10_000, 100_000];

fn main() -> anyhow::Result<()> {
    let root: PathBuf = std::env::args_os()
        .nth(1)
        .context("say where the repository is: platinum-benches ROOT")?
        .into();
    if std::env::args().nth(2).is_some_and(|what| what == "sync") {
        let sizes: Result<Vec<usize>, _> = std::env::args().skip(3).map(|n| n.parse()).collect();
        let sizes = sizes.context("how many notes? A number")?;
        return sync::run(if sizes.is_empty() { &SIZES } else { &sizes });
    }
    let guest = root.join("target/skills/guests/two-calls.wasm");
    let component = std::fs::read(&guest)
        .with_context(|| format!("run cargo xtask skills first: {}", guest.display()))?;

    let mut contenders = vec![
        bare::contender(&component)?,
        ours::contender(&component)?,
        extism_peer::contender()?,
    ];
    let mut absent = Vec::new();
    for &program in process::PROGRAMS {
        match process::contender(program) {
            Some(contender) => contenders.push(contender),
            None => absent.push(program.0),
        }
    }
    let results = measure::rounds(&mut contenders)?;
    let starts = ours::starts(&component)?;
    print!("{}", measure::table(&results));
    for program in &absent {
        println!("{program:<34} not on this machine");
    }
    println!();
    println!(
        "load of the same skill, compiled anew   {:>10.1} ms",
        starts.compiled.as_secs_f64() * 1e3
    );
    println!(
        "load of the same skill, from the cache  {:>10.1} ms",
        starts.cached.as_secs_f64() * 1e3
    );
    println!();
    println!("{}", measure::json(&results, &absent, &starts));
    println!();
    job::run(&root)?;
    println!();
    sync::run(&SIZES)
}
