//! Running git's own client: one child, its own process group, a limit on time and on output.
//!
//! Invariants: nothing can prompt; no variable of the caller's git session reaches the child; when
//! the time is up, or the caller goes away, the whole process group is killed, ssh included.

use std::{
    ffi::OsString,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::Command,
};

/// More output than this is read and dropped.
const MAX_OUTPUT: usize = 64 * 1024;

/// How git's client is run.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The program.
    pub program: OsString,
    /// How long one fetch or push may take.
    pub time_out: Duration,
    /// Whether the user's and the system's git configuration are read. They hold credential
    /// helpers, so yes outside tests; they cannot change the protocol.
    pub user_config: bool,
    /// The ssh program with its options.
    pub ssh: String,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            program: "git".into(),
            time_out: Duration::from_secs(60),
            user_config: true,
            ssh: "ssh".to_owned(),
        }
    }
}

/// How a run ended.
#[derive(Debug)]
pub(crate) enum Run {
    /// The program ended by itself.
    Ended {
        status: ExitStatus,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
    },
    /// It was killed because the time was up.
    TimedOut,
    /// It never started.
    NotStarted(std::io::Error),
    /// It started, and waiting for it failed.
    Lost(std::io::Error),
}

impl ClientOptions {
    /// A command that speaks only `protocol`, in the repository `git_dir`.
    pub(crate) fn command(&self, git_dir: &std::path::Path, protocol: &str) -> Command {
        let mut command = Command::new(&self.program);
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let keep = self.user_config
                && matches!(
                    &*text,
                    "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_NOSYSTEM" | "GIT_CONFIG_SYSTEM"
                );
            if (text.starts_with("GIT_") || text == "SSH_ASKPASS") && !keep {
                command.env_remove(&name);
            }
        }
        if !self.user_config {
            command
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1");
        }
        command
            .env("GIT_DIR", git_dir)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ALLOW_PROTOCOL", protocol)
            .env(
                "GIT_SSH_COMMAND",
                format!(
                    "{} -oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=5 -oServerAliveCountMax=3",
                    self.ssh
                ),
            )
            .env("LC_ALL", "C")
            .env("LANGUAGE", "C")
            .current_dir(git_dir)
            .args(["-c", "core.hooksPath=/dev/null", "-c", "core.askPass="])
            .args(["-c", "core.fsmonitor=false", "-c", "gc.auto=0", "-c", "maintenance.auto=false"])
            .args(["-c", "push.followTags=false", "-c", "credential.interactive=false"])
            .args(["-c", "fetch.fsckObjects=true", "-c", "advice.pushUpdateRejected=false"]);
        command
    }

    /// Runs a command to its end, or to the end of its time.
    pub(crate) async fn run(&self, mut command: Command) -> Run {
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => return Run::NotStarted(error),
        };
        let group = Group(
            child
                .id()
                .and_then(|id| i32::try_from(id).ok())
                .and_then(Pid::from_raw),
        );
        let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
        let work = async {
            let (out, err, status) =
                tokio::join!(read_bounded(stdout), read_bounded(stderr), child.wait());
            (out, err, status)
        };
        match tokio::time::timeout(self.time_out, work).await {
            Ok((stdout, stderr, Ok(status))) => {
                group.ended();
                Run::Ended {
                    status,
                    stdout,
                    stderr,
                }
            }
            Ok((_, _, Err(error))) => Run::Lost(error),
            Err(_) => {
                drop(group);
                // Dead already; this takes its exit status so that no zombie stays.
                drop(child.wait().await);
                Run::TimedOut
            }
        }
    }
}

/// Kills the process group when dropped, unless it has ended.
struct Group(Option<Pid>);

impl Group {
    fn ended(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && let Err(error) = kill_process_group(leader, Signal::KILL)
        {
            // It ended in this very moment: there is nothing to kill.
            tracing::debug!(%error, "git's process group was gone already");
        }
    }
}

async fn read_bounded(stream: Option<impl AsyncRead + Unpin>) -> Vec<u8> {
    let Some(mut stream) = stream else {
        return Vec::new();
    };
    let mut kept = Vec::new();
    let mut piece = vec![0_u8; 8 * 1024];
    // A stream that fails ends here; what it said until then is kept.
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        let room = MAX_OUTPUT.saturating_sub(kept.len()).min(count);
        kept.extend_from_slice(&piece[..room]);
    }
    kept
}

/// The last line that says something, printable and short.
pub(crate) fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    let line = text
        .lines()
        .map(str::trim)
        .rfind(|line| line.starts_with("fatal:") || line.starts_with("error:"))
        .or_else(|| text.lines().map(str::trim).rfind(|line| !line.is_empty()))
        .unwrap_or("git said nothing");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[tokio::test]
    async fn a_child_that_hangs_is_killed_with_its_own_children() {
        let folder = tempfile::tempdir().unwrap();
        let pid_file = folder.path().join("pid");
        let options = ClientOptions {
            time_out: Duration::from_millis(300),
            ..ClientOptions::default()
        };
        let mut command = Command::new("sh");
        command
            .arg("-c")
            .arg(format!("sleep 60 & echo $! > {}; wait", pid_file.display()));
        let began = Instant::now();
        assert!(matches!(options.run(command).await, Run::TimedOut));
        assert!(began.elapsed() < Duration::from_secs(10));
        let pid = std::fs::read_to_string(&pid_file).unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        // A killed process may stay a zombie until its new parent takes it; either is dead.
        let alive = || {
            std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
                .is_ok_and(|stat| !stat.contains(") Z "))
        };
        while alive() {
            assert!(Instant::now() < deadline, "the grandchild survived");
            tokio::task::yield_now().await;
        }
    }

    #[tokio::test]
    async fn a_client_that_is_not_there_is_told_apart() {
        let options = ClientOptions::default();
        let run = options.run(Command::new("/nonexistent/git")).await;
        assert!(matches!(run, Run::NotStarted(_)));
    }
}
