//! Running git's own client: one child, its own process group, a limit on silence, on time and on
//! output.
//!
//! Invariants: nothing can prompt; no variable of the caller's git session reaches the child; when
//! the time is up, or the caller goes away, the whole process group is killed, ssh included. A
//! transfer that moves is not ended, however slow the line: git says so as it goes (`--progress`).

use std::{
    ffi::OsString,
    process::{ExitStatus, Stdio},
    time::Duration,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    process::{Child, Command},
    sync::mpsc,
    task::JoinSet,
    time::Instant,
};

/// Of more output than this, only the end is kept.
const MAX_OUTPUT: usize = 64 * 1024;
/// How long the output of a client that has ended is waited for: a shared ssh connection that
/// stays open in the background (ControlPersist) never closes it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How git's client is run.
#[derive(Debug, Clone)]
pub struct ClientOptions {
    /// The program.
    pub program: OsString,
    /// How long a fetch or push may say nothing at all.
    pub time_out: Duration,
    /// How long one may take in all.
    pub whole: Duration,
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
            whole: Duration::from_secs(6 * 3600),
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
        let mut output = Output::of(&mut child);
        let silence = tokio::time::sleep(self.time_out);
        let whole = tokio::time::sleep(self.whole);
        tokio::pin!(silence, whole);
        let ended = loop {
            tokio::select! {
                status = child.wait() => break Some(status),
                Some(piece) = output.pieces.recv() => {
                    output.keep(piece);
                    silence.as_mut().reset(Instant::now() + self.time_out);
                }
                () = &mut silence => break None,
                () = &mut whole => break None,
            }
        };
        match ended {
            Some(Ok(status)) => {
                group.ended();
                let (stdout, stderr) = output.finish().await;
                Run::Ended {
                    status,
                    stdout,
                    stderr,
                }
            }
            Some(Err(error)) => Run::Lost(error),
            None => {
                drop(group);
                // Dead already; this takes its exit status so that no zombie stays.
                drop(child.wait().await);
                Run::TimedOut
            }
        }
    }
}

/// What a child says, as it says it.
struct Output {
    pieces: mpsc::Receiver<(bool, Vec<u8>)>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Dropped with this, they read no further.
    _readers: JoinSet<()>,
}

impl Output {
    fn of(child: &mut Child) -> Self {
        let (tell, pieces) = mpsc::channel(8);
        let mut readers = JoinSet::new();
        if let Some(stream) = child.stdout.take() {
            readers.spawn(read(stream, false, tell.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            readers.spawn(read(stream, true, tell));
        }
        Self {
            pieces,
            stdout: Vec::new(),
            stderr: Vec::new(),
            _readers: readers,
        }
    }

    fn keep(&mut self, (is_error, piece): (bool, Vec<u8>)) {
        let kept = match is_error {
            true => &mut self.stderr,
            false => &mut self.stdout,
        };
        kept.extend_from_slice(&piece);
        let excess = kept.len().saturating_sub(MAX_OUTPUT);
        kept.drain(..excess);
    }

    /// The rest, once the child has ended.
    async fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        let rest = async {
            while let Some(piece) = self.pieces.recv().await {
                self.keep(piece);
            }
        };
        if tokio::time::timeout(LAST_WORDS, rest).await.is_err() {
            tracing::debug!("something that git started keeps its output open");
        }
        (self.stdout, self.stderr)
    }
}

async fn read(
    mut stream: impl AsyncRead + Unpin,
    is_error: bool,
    tell: mpsc::Sender<(bool, Vec<u8>)>,
) {
    let mut piece = vec![0_u8; 8 * 1024];
    // A stream that fails ends here; what it said until then is kept.
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        if tell
            .send((is_error, piece[..count].to_vec()))
            .await
            .is_err()
        {
            return;
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

/// What git says at the end of every failure, whatever its reason was.
const SAYS_NOTHING: &[&str] = &[
    "fatal: the remote end hung up unexpectedly",
    "fatal: Could not read from remote repository.",
    "fatal: early EOF",
    "Please make sure you have the correct access rights",
    "and the repository exists.",
];

/// The line that says why, printable and short: ssh tells its reason before git's own last words.
pub(crate) fn said(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    // Progress is told over and over on one line.
    let lines = || {
        text.split(['\n', '\r'])
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let telling = || {
        lines().filter(|line| {
            let beside = ["warning:", "hint:"].iter().any(|w| line.starts_with(w));
            !beside && !line.contains("% (") && !SAYS_NOTHING.contains(line)
        })
    };
    let grave = |line: &&str| line.starts_with("fatal:") || line.starts_with("error:");
    let line = telling()
        .rfind(grave)
        .or_else(|| telling().next_back())
        .or_else(|| lines().rfind(grave))
        .unwrap_or("git said nothing");
    line.chars().filter(|c| !c.is_control()).take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn told(script: &str) -> Run {
        let options = ClientOptions {
            time_out: Duration::from_millis(600),
            ..ClientOptions::default()
        };
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        options.run(command).await
    }

    #[test]
    fn what_is_said_is_the_cause_and_not_the_ending_that_all_failures_share() {
        let ending = "fatal: Could not read from remote repository.\n\nPlease make sure you have \
                      the correct access rights\nand the repository exists.\n";
        for (cause, line) in [
            (
                "ssh: Could not resolve hostname nowhere: Name or service not known\r\n",
                "ssh: Could not resolve hostname nowhere: Name or service not known",
            ),
            (
                "fatal: '/x.git' does not appear to be a git repository\n",
                "fatal: '/x.git' does not appear to be a git repository",
            ),
            ("", "fatal: Could not read from remote repository."),
        ] {
            assert_eq!(said(format!("{cause}{ending}").as_bytes()), line);
        }
        assert_eq!(said(b"a\nfatal: b\nhint: c\n"), "fatal: b");
    }

    #[test]
    fn the_reason_is_told_and_not_the_last_words() {
        let last = "fatal: Could not read from remote repository.\n\nPlease make sure you have the \
                    correct access rights\nand the repository exists.\n";
        for (before, reason) in [
            (
                "ssh: connect to host h port 22: Connection refused\r\n",
                "ssh: connect to host h port 22: Connection refused",
            ),
            (
                "me@h: Permission denied (publickey).\r\n",
                "me@h: Permission denied (publickey).",
            ),
            (
                "warning: old\nfatal: couldn't find remote ref x\n",
                "fatal: couldn't find remote ref x",
            ),
            ("", "fatal: Could not read from remote repository."),
        ] {
            assert_eq!(said(format!("{before}{last}").as_bytes()), reason);
        }
        assert_eq!(
            said(b"Receiving objects:  50% (1/2)\rfatal: early EOF\n"),
            "fatal: early EOF"
        );
        assert_eq!(said(b""), "git said nothing");
    }

    #[tokio::test]
    async fn a_slow_transfer_that_moves_is_not_ended() {
        let run =
            told("for n in 1 2 3 4 5 6 7 8; do printf 'Writing: %s\\r' $n >&2; sleep 0.2; done")
                .await;
        let Run::Ended { status, stderr, .. } = run else {
            panic!("{run:?}");
        };
        assert!(status.success());
        assert_eq!(said(&stderr), "Writing: 8");
    }

    #[tokio::test]
    async fn a_helper_that_stays_in_the_background_is_not_waited_for() {
        let began = Instant::now();
        let run = told("sleep 20 & echo done").await;
        let Run::Ended { stdout, .. } = run else {
            panic!("{run:?}");
        };
        assert_eq!(stdout, b"done\n");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

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
