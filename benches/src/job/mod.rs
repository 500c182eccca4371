//! The jobs on real servers: a mail is answered, an invoice is posted in Odoo, a post is published. Both daemons are
//! processes with `git daemon` between them; one task after the other.
//!
//! Most of the time goes to servers, git and file events, not to our own code. So each row stands beside its peer: the
//! same server asked for the same thing directly.
//!
//! Lives here: the rounds and the table. Lives elsewhere: the daemons are in [`halves`], each job in a file of its own.

mod halves;
mod mail;
mod odoo;
mod social;

use std::time::{Duration, Instant};

use platinum_testkit::{
    mail::MailServers,
    odoo::OdooServer,
    social::{Pds, Snac},
};

use halves::Halves;

/// One of the jobs. Its rounds count from 0.
trait Job {
    /// What the rows are called: from the task to its draft, from the approval to its end, and the peers of both.
    const ROWS: [(&'static str, &'static str); 2];

    /// Brings the task.
    fn bring(&mut self, halves: &Halves, round: usize) -> anyhow::Result<()>;

    /// Whether it is drafted.
    fn is_drafted(&mut self, halves: &Halves) -> anyhow::Result<bool> {
        Ok(halves.count_on_remote("Pending_Approval") > 0)
    }

    /// Whether what was approved has happened.
    fn is_accepted(&mut self) -> anyhow::Result<bool>;

    /// How long the peers take, where there are some on this machine.
    fn peers(&mut self, halves: &Halves, round: usize) -> anyhow::Result<[Option<Duration>; 2]>;
}

/// Runs each job so many times, and the answer to a mail a few times more, held before it is sent.
pub(crate) fn run(rounds: usize, (held_rounds, hold): (usize, Duration)) -> anyhow::Result<()> {
    println!(
        "{:<66} {:>8} {:>8} {:>8} {:>8}",
        "the jobs on real servers, ms", "median", "best", "worst", "ratio"
    );
    if is_available("mail", &MailServers::available()) {
        mail::run(rounds, (held_rounds, hold))?;
    }
    if is_available("accounting", &OdooServer::available()) {
        odoo::run(rounds)?;
    }
    if is_available("posts on Bluesky's PDS", &Pds::available()) {
        social::run_bluesky(rounds)?;
    }
    if is_available("posts on snac", &Snac::available()) {
        social::run_fediverse(rounds)?;
    }
    Ok(())
}

fn is_available(job: &str, available: &Result<(), String>) -> bool {
    if let Err(reason) = available {
        println!("{job}: skipped, {reason}");
    }
    available.is_ok()
}

/// What the rows of a job and their peers took.
type Times = [(Vec<Duration>, Vec<Duration>); 2];

/// Does a job so many times.
fn measure<J: Job>(halves: &Halves, job: &mut J, rounds: usize) -> anyhow::Result<Times> {
    let mut taken = Times::default();
    for round in 0..rounds {
        job.bring(halves, round)?;
        let brought = Instant::now();
        halves.await_true("the draft", || job.is_drafted(halves))?;
        taken[0].0.push(brought.elapsed());
        let draft = halves.await_draft()?;
        halves.approve(&draft)?;
        let approved = Instant::now();
        halves.await_true("what was approved", || job.is_accepted())?;
        taken[1].0.push(approved.elapsed());
        // A task and its draft.
        halves.await_true("the end of the task", || {
            Ok(halves.count_on_remote("Done") == 2 * (round + 1))
        })?;
        for ((_, peers), peer) in taken.iter_mut().zip(job.peers(halves, round)?) {
            peers.extend(peer);
        }
    }
    Ok(taken)
}

/// Does a job and prints its rows.
fn print<J: Job>(halves: &Halves, job: &mut J, rounds: usize) -> anyhow::Result<()> {
    for ((name, peer), (times, peers)) in J::ROWS.into_iter().zip(measure(halves, job, rounds)?) {
        let ratio = match (median(&times), median(&peers)) {
            (Some(ours), Some(peer)) => format!("{:.1}x", ours.as_secs_f64() / peer.as_secs_f64()),
            _ => String::new(),
        };
        row(name, &times, &ratio);
        row(&format!("  {peer}"), &peers, "1.0x");
    }
    Ok(())
}

fn median(times: &[Duration]) -> Option<Duration> {
    let mut times = times.to_vec();
    times.sort();
    times.get(times.len() / 2).copied()
}

/// Prints a row, if there is anything in it.
fn row(name: &str, times: &[Duration], ratio: &str) {
    let ms = |time: &Duration| time.as_secs_f64() * 1e3;
    if let (Some(median), Some(best), Some(worst)) =
        (median(times), times.iter().min(), times.iter().max())
    {
        println!(
            "{name:<66} {:>8.0} {:>8.0} {:>8.0} {ratio:>8}",
            ms(&median),
            ms(best),
            ms(worst)
        );
    }
}
