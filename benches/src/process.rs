//! A process per call, as scripts beside an agent are usually run. It makes no host call at all:
//! what is measured is the least such a call can take.

use std::process::{Command, Stdio};

use crate::measure::Contender;

/// A program, how it names its own file, and how it says one line.
pub(crate) type Program = (
    &'static str,
    &'static [&'static str],
    &'static [&'static str],
);

/// The programs. Each is started by its own file: what stands in `PATH` may be a version manager's
/// script, which costs more than the program.
pub(crate) const PROGRAMS: &[Program] = &[
    (
        "python3",
        &["-c", "import sys; print(sys.executable)"],
        &["-I", "-c", "print('bench at 1970-01-01T00:00:00Z')"],
    ),
    (
        "node",
        &["-p", "process.execPath"],
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
pub(crate) fn contender((name, itself, line): Program) -> Option<Contender> {
    let file = Command::new(name)
        .args(itself)
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let file = String::from_utf8(file.stdout).ok()?.trim().to_owned();
    call(&file, line).ok()?;
    Some(Contender {
        name: format!("{name}, a process per call"),
        batch: 3,
        calls: Box::new(move |calls| (0..calls).try_for_each(|_| call(&file, line))),
    })
}
