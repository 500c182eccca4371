//! Running other programs as named steps, with the time each took.

use std::{
    io::IsTerminal,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};

/// Says a step's name, with a moving sign on a terminal.
pub(crate) struct Step {
    name: String,
    started: Instant,
    bar: Option<ProgressBar>,
}

impl Step {
    pub(crate) fn start(name: impl Into<String>) -> Self {
        let name = name.into();
        let bar = if std::io::stderr().is_terminal() {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed:.dim}") {
                bar.set_style(style);
            }
            bar.set_message(name.clone());
            bar.enable_steady_tick(Duration::from_millis(120));
            Some(bar)
        } else {
            eprintln!("… {name}");
            None
        };
        Self {
            name,
            started: Instant::now(),
            bar,
        }
    }

    pub(crate) fn done(self) {
        self.end("✓");
    }

    pub(crate) fn failed(self) {
        self.end("✗");
    }

    fn end(self, sign: &str) {
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
        }
        eprintln!(
            "{sign} {} ({:.1} s)",
            self.name,
            self.started.elapsed().as_secs_f32()
        );
    }
}

/// Runs a program to its end, showing its output only if it fails.
pub(crate) fn run_quiet(name: &str, command: &mut Command) -> anyhow::Result<()> {
    let step = Step::start(name);
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("{name}: {:?} cannot be started", command.get_program()))?;
    if output.status.success() {
        step.done();
        return Ok(());
    }
    step.failed();
    eprint!("{}", String::from_utf8_lossy(&output.stdout));
    eprint!("{}", String::from_utf8_lossy(&output.stderr));
    bail!("{name} failed ({})", output.status)
}

/// Runs a program to its end with its output on the screen.
pub(crate) fn run_verbose(name: &str, command: &mut Command) -> anyhow::Result<()> {
    eprintln!("… {name}");
    let started = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("{name}: {:?} cannot be started", command.get_program()))?;
    let seconds = started.elapsed().as_secs_f32();
    if !status.success() {
        bail!("{name} failed ({status}) after {seconds:.1} s");
    }
    eprintln!("✓ {name} ({seconds:.1} s)");
    Ok(())
}

/// This cargo, in the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root);
    command
}

/// The same command at a low priority: what runs beside it goes first.
pub(crate) fn nice(command: &Command) -> Command {
    let mut nice = Command::new("nice");
    nice.args(["-n", "10"]);
    nice.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => nice.env(name, value),
            None => nice.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        nice.current_dir(folder);
    }
    nice
}
