//! Extism, in a program of its own (`benches/extism`), because it has another wasmtime.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use anyhow::Context as _;

use crate::measure::Contender;

/// The program, and the lines to and from it. It ends with the value.
struct ExtismProcess {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl ExtismProcess {
    fn start(program: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(program)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", program.display()))?;
        let input = child.stdin.take().context("no standard input")?;
        let output = child.stdout.take().context("no standard output")?;
        Ok(Self {
            child,
            input,
            output: BufReader::new(output),
        })
    }

    fn line(&mut self) -> anyhow::Result<String> {
        let mut line = String::new();
        let length = self.output.read_line(&mut line)?;
        anyhow::ensure!(length > 0, "the Extism peer ended");
        Ok(line.trim().to_owned())
    }

    fn calls(&mut self, calls: u32) -> anyhow::Result<()> {
        writeln!(self.input, "{calls}")?;
        self.line().map(drop)
    }
}

impl Drop for ExtismProcess {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The contender. The way to the program and back is part of a batch: some hundredths of a microsecond a call.
pub(crate) fn contender(program: &Path) -> anyhow::Result<Contender> {
    let mut peer = ExtismProcess::start(program)?;
    let version = peer.line()?;
    Ok(Contender {
        name: format!("{version}, fresh plugin"),
        batch: 500,
        calls: Box::new(move |calls| peer.calls(calls)),
    })
}
