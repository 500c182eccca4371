//! Rounds, medians, and the table.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::{Scale, ours::Loads};

/// One way to do the job.
pub(crate) struct Contender {
    /// What the table calls it.
    pub(crate) name: String,
    /// How many calls are one round of it.
    pub(crate) batch: u32,
    /// Makes that many calls.
    pub(crate) calls: Box<dyn FnMut(u32) -> anyhow::Result<()>>,
}

/// What a contender took for one call.
pub(crate) struct Measured {
    name: String,
    median: Duration,
    best: Duration,
    worst: Duration,
}

/// Goes around all contenders, round by round; the first round does not count.
pub(crate) fn rounds(contenders: &mut [Contender], scale: Scale) -> anyhow::Result<Vec<Measured>> {
    let mut taken = vec![Vec::with_capacity(scale.rounds); contenders.len()];
    for round in 0..=scale.rounds {
        for (contender, taken) in contenders.iter_mut().zip(&mut taken) {
            let start = Instant::now();
            let batch = contender.batch.min(scale.batch);
            (contender.calls)(batch)?;
            if round > 0 {
                taken.push(start.elapsed() / batch);
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
pub(crate) fn table(results: &[Measured]) -> String {
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
pub(crate) fn json(results: &[Measured], absent: &[&str], loads: &Loads, rounds: usize) -> String {
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
        "rounds": rounds,
        "call": rows,
        "absent": absent,
        "load": { "compiled_ns": nanos(loads.compiled), "cached_ns": nanos(loads.cached) },
    })
    .to_string()
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}
