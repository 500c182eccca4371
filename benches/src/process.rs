//! A process per call, as scripts beside an agent are usually run. It makes no host call at all:
//! what is measured is the least such a call can take.

use std::process::{Command, Stdio};

use crate::measure::Contender;

/// The programs and how they say one line.
pub const PROGRAMS: &[(&str, &[&str])] = &[
    (
        "python3",
        &["-I", "-c", "print('bench at 1970-01-01T00:00:00Z')"],
    ),
    (
        "node",
        &["-e", "console.log('bench at 1970-01-01T00:00:00Z')"],
    ),
];

fn call(program: &str, arguments: &[&str]) -> anyhow::Result<()> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .output()?;
    anyhow::ensure!(output.status.success(), "{program} failed");
    anyhow::ensure!(
        output.stdout.starts_with(b"bench at"),
        "{program} answered something else"
    );
    Ok(())
}

/// The contender, if the program is on this machine.
pub fn contender(program: &'static str, arguments: &'static [&'static str]) -> Option<Contender> {
    call(program, arguments).ok()?;
    Some(Contender {
        name: format!("{program}, a process per call"),
        batch: 3,
        calls: Box::new(move |calls| (0..calls).try_for_each(|_| call(program, arguments))),
    })
}
