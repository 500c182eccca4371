//! Keeps a child process running: restarts it when it ends, slower each time it ends soon.
//!
//! Lives here: processes without a protocol, like the mail watcher. MCP servers are children of
//! their sessions in `mcp`.

use std::{collections::BTreeMap, path::PathBuf, process::Stdio, sync::Arc, time::Duration};

use platinum_core::Backoff;
use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, BufReader},
    process::Command,
    sync::Notify,
    time::Instant,
};

use crate::Shutdown;

/// A child that lasted this long was well: its next restart is quick again.
const WELL_AFTER: Duration = Duration::from_secs(60);
const RESTARTS: Backoff = Backoff::new(Duration::from_millis(500), Duration::from_secs(60));
/// How long a child may take to end by itself after it was asked to.
const GRACE: Duration = Duration::from_secs(5);
/// A longer line of a child is read in pieces.
const MAX_LINE: u64 = 8 * 1024;

/// A process to keep running.
#[derive(Debug, Clone)]
pub struct Child {
    /// Its name in the log.
    pub name: String,
    /// The program.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// Its environment besides PATH and HOME.
    pub env: BTreeMap<String, String>,
    /// Notified when the child has written to its standard output. What it wrote is not kept.
    pub written: Arc<Notify>,
}

/// Runs the child until the host stops.
pub async fn keep_running(child: Child, mut shutdown: Shutdown) {
    let mut failures = 0_u32;
    while !shutdown.is_stopping() {
        let started = Instant::now();
        let pause = RESTARTS.delay(failures);
        match run_once(&child, &mut shutdown).await {
            Ok(ended) if shutdown.is_stopping() => {
                tracing::debug!(child = child.name, %ended, "The child has stopped.");
                return;
            }
            Ok(ended) => tracing::warn!(
                "{} exited ({ended}); restarting in {:.1} s.",
                child.name,
                pause.as_secs_f32()
            ),
            Err(error) => tracing::error!(
                "Cannot start {} ({}: {error}); retrying in {:.1} s.",
                child.name,
                child.program.display(),
                pause.as_secs_f32()
            ),
        }
        tokio::select! {
            () = shutdown.stopped() => return,
            () = tokio::time::sleep(pause) => {}
        }
        failures = match started.elapsed() > WELL_AFTER {
            true => 0,
            false => failures.saturating_add(1),
        };
    }
}

async fn run_once(
    child: &Child,
    shutdown: &mut Shutdown,
) -> std::io::Result<std::process::ExitStatus> {
    let mut command = Command::new(&child.program);
    command
        .args(&child.args)
        .env_clear()
        .envs(
            ["PATH", "HOME", "PLATINUM_LOG"]
                .into_iter()
                .filter_map(|name| std::env::var_os(name).map(|value| (name, value))),
        )
        .envs(&child.env)
        // Its standard input stays open as long as this process lives: a child that reads the end
        // knows that its parent is gone.
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    let mut process = command.spawn()?;
    let lifeline = process.stdin.take();
    if let Some(stderr) = process.stderr.take() {
        let name = child.name.clone();
        tokio::spawn(async move {
            let mut stderr = BufReader::new(stderr);
            while let Some(line) = next_line(&mut stderr).await {
                let (level, line) = level_of(&line);
                let line = line.chars().take(500).collect::<String>();
                match level {
                    "ERROR" => tracing::error!("{name}: {line}"),
                    "WARN" => tracing::warn!("{name}: {line}"),
                    _ => tracing::info!("{name}: {line}"),
                }
            }
        });
    }
    if let Some(mut stdout) = process.stdout.take() {
        let written = Arc::clone(&child.written);
        tokio::spawn(async move {
            let mut ignored = [0; 256];
            while stdout.read(&mut ignored).await.is_ok_and(|read| read > 0) {
                written.notify_one();
            }
        });
    }
    tokio::select! {
        ended = process.wait() => ended,
        () = shutdown.stopped() => {
            drop(lifeline);
            match tokio::time::timeout(GRACE, process.wait()).await {
                Ok(ended) => ended,
                Err(_) => {
                    process.kill().await?;
                    process.wait().await
                }
            }
        }
    }
}

/// The next line of a child, at most [`MAX_LINE`] bytes of it; none at its end. Whatever it writes is
/// read: a child whose pipe is full stands still.
async fn next_line(stderr: &mut (impl AsyncBufRead + Unpin)) -> Option<String> {
    let mut line = Vec::new();
    match stderr.take(MAX_LINE).read_until(b'\n', &mut line).await {
        Ok(0) | Err(_) => None,
        Ok(_) => Some(String::from_utf8_lossy(&line).into_owned()),
    }
}

/// A child's line apart from the level that it begins with, if it does.
fn level_of(line: &str) -> (&str, &str) {
    let line = line.trim();
    match line.split_once(' ') {
        Some((level @ ("ERROR" | "WARN" | "INFO" | "DEBUG" | "TRACE"), rest)) => {
            (level, rest.trim_start())
        }
        _ => ("INFO", line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is no UTF-8, or has no end of a line, is read on as well.
    #[tokio::test]
    async fn next_line_reads_whatever_a_child_writes() {
        let written = [&b"WARN a\n\xff\xfe b\n"[..], &[b'x'; 20_000], b"\nlast"].concat();
        let mut stderr = &written[..];
        let mut lines = Vec::new();
        while let Some(line) = next_line(&mut stderr).await {
            lines.push(line.trim().to_owned());
        }
        assert_eq!(lines[..2], ["WARN a", "\u{fffd}\u{fffd} b"]);
        let longest = lines.iter().map(String::len).max();
        assert_eq!((lines.len(), longest), (6, Some(8 * 1024)));
        assert_eq!(lines[5], "last");
    }

    #[test]
    fn level_of_splits_the_level_off() {
        assert_eq!(level_of(" WARN  no mail"), ("WARN", "no mail"));
        assert_eq!(level_of(" INFO watching"), ("INFO", "watching"));
        assert_eq!(level_of("plain words"), ("INFO", "plain words"));
    }
}
