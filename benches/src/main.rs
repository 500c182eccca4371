//! One call of a skill with two host functions, beside what others do for the same; and the main
//! job on real servers.
//!
//! Usage: `platinum-benches ROOT`, where ROOT is the repository with its guests built
//! (`cargo xtask bench` does all of it). Prints a table and the same as JSON.
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

use std::path::PathBuf;

use anyhow::Context;

fn main() -> anyhow::Result<()> {
    let root: PathBuf = std::env::args_os()
        .nth(1)
        .context("say where the repository is: platinum-benches ROOT")?
        .into();
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
    Ok(())
}
