//! Rounds, medians, and the table.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::ours::Starts;

/// How many rounds there are; the first is not counted.
const ROUNDS: usize = 31;

/// One way to do the job.
pub struct Contender {
    /// What the table calls it.
    pub name: String,
    /// How many calls are one round of it.
    pub batch: u32,
    /// Makes that many calls.
    pub calls: Box<dyn FnMut(u32) -> anyhow::Result<()>>,
}

/// What a contender took for one call.
pub struct Measured {
    name: String,
    median: Duration,
    best: Duration,
    worst: Duration,
}

/// Goes around all contenders, round by round.
pub fn rounds(contenders: &mut [Contender]) -> anyhow::Result<Vec<Measured>> {
    let mut taken = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for round in 0..ROUNDS {
        for (contender, taken) in contenders.iter_mut().zip(&mut taken) {
            let start = Instant::now();
            (contender.calls)(contender.batch)?;
            if round > 0 {
                taken.push(start.elapsed() / contender.batch);
            }
        }
    }
    let measured = contenders.iter().zip(taken).map(|(contender, mut taken)| {
        taken.sort();
        Measured {
            name: contender.name.clone(),
            median: taken[taken.len() / 2],
            best: taken[0],
            worst: taken[taken.len() - 1],
        }
    });
    Ok(measured.collect())
}

fn ratio(of: Duration, to: Duration) -> f64 {
    of.as_secs_f64() / to.as_secs_f64()
}

/// The table for people; the first contender is the measure of all others.
pub fn table(results: &[Measured]) -> String {
    let micros = |time: Duration| time.as_secs_f64() * 1e6;
    let mut table = format!(
        "{:<34} {:>12} {:>12} {:>12} {:>9}\n",
        "one call with two host functions", "median us", "best us", "worst us", "ratio"
    );
    for result in results {
        table += &format!(
            "{:<34} {:>12.1} {:>12.1} {:>12.1} {:>8.2}x\n",
            result.name,
            micros(result.median),
            micros(result.best),
            micros(result.worst),
            ratio(result.median, results[0].median)
        );
    }
    table
}

/// The same for programs.
pub fn json(results: &[Measured], absent: &[&str], starts: &Starts) -> String {
    let rows: Vec<_> = results
        .iter()
        .map(|result| {
            json!({
                "name": result.name,
                "median_ns": nanos(result.median),
                "best_ns": nanos(result.best),
                "worst_ns": nanos(result.worst),
                "ratio_to_bare": ratio(result.median, results[0].median),
            })
        })
        .collect();
    json!({
        "rounds": ROUNDS - 1,
        "call": rows,
        "absent": absent,
        "load": { "compiled_ns": nanos(starts.compiled), "cached_ns": nanos(starts.cached) },
    })
    .to_string()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
