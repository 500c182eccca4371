//! Running git's own client: one child, its own process group, a limit on silence, on time and on
//! output.
//!
//! Invariants: nothing can prompt; of the caller's environment only what git and ssh need reaches
//! the child; no configuration leads to another address, protocol or program than the address
//! says; when the time is up, or the caller goes away, the whole process group is killed, ssh
//! included. A transfer that moves is not ended, however slow the line: git says so as it goes
//! (`--progress`).
//! Lives elsewhere: git's error messages are read in `stderr`.

use std::{
    ffi::OsString,
    path::Path,
    process::{ExitStatus, Stdio},
    sync::OnceLock,
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

use super::{Address, address::Way};

/// Of more output than this, only the end is kept.
const MAX_OUTPUT: usize = 64 * 1024;
/// How long the output of a client that has ended is waited for: a shared ssh connection that
/// stays open in the background (ControlPersist) never closes it.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// How long a killed client is waited for: one that hangs in the system (a network drive) does not
/// die, and must not hold us.
const DYING: Duration = Duration::from_secs(5);
/// Ssh's options in every case: never to ask, and to notice a dead line.
const SSH_OPTIONS: &str =
    "-oBatchMode=yes -oConnectTimeout=10 -oServerAliveInterval=5 -oServerAliveCountMax=3";

/// The variables that git, ssh and credential helpers see. The daemon's own may hold secrets that
/// are none of theirs: a hook of a folder remote runs with what git was given.
const SEEN: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "SHELL",
    "TMPDIR",
    "SSH_AUTH_SOCK",
    "DBUS_SESSION_BUS_ADDRESS",
    "GNUPGHOME",
    "PASSWORD_STORE_DIR",
    "KRB5CCNAME",
    "KRB5_CONFIG",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "NIX_SSL_CERT_FILE",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
];
/// And those that start so.
const SEEN_STARTS: &[&str] = &["XDG_", "GCM_"];

/// What is stated for every run, whatever a configuration says: nothing runs, asks, follows or
/// tidies beside what was asked for, and what arrives is checked and on the disk.
const STATED: &[(&str, &str)] = &[
    ("core.hooksPath", "/dev/null"),
    ("core.askPass", ""),
    // Pictures and the like differ in all of their bytes: comparing them takes most of a first push.
    ("core.bigFileThreshold", "64k"),
    ("core.fsmonitor", "false"),
    ("core.fsync", "all"),
    ("core.fsyncMethod", "fsync"),
    ("credential.interactive", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("protocol.version", "2"),
    ("push.followTags", "false"),
    ("push.gpgSign", "false"),
    ("push.negotiate", "false"),
    ("push.pushOption", ""),
    ("push.recurseSubmodules", "no"),
    ("submodule.recurse", "false"),
    ("fetch.fsckObjects", "true"),
    ("fetch.prune", "false"),
    ("fetch.pruneTags", "false"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.uriProtocols", ""),
    ("fetch.writeCommitGraph", "false"),
    ("transfer.bundleURI", "false"),
    ("advice.pushUpdateRejected", "false"),
    ("http.followRedirects", "false"),
    ("http.sslVerify", "true"),
];

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
    /// helpers, so yes outside tests; they cannot change the protocol nor the address.
    pub user_config: bool,
    /// The ssh program with its options.
    pub ssh: String,
    /// Settings of git's own for this remote, such as `http.sslCAInfo`. What keeps the client safe
    /// is stated after them, and wins.
    pub settings: Vec<(String, String)>,
    /// Names of environment variables that git and its credential helpers see beside the usual
    /// ones.
    pub env: Vec<String>,
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self {
            program: "git".into(),
            time_out: Duration::from_secs(60),
            whole: Duration::from_secs(6 * 3600),
            user_config: true,
            ssh: "ssh".to_owned(),
            settings: Vec::new(),
            env: Vec::new(),
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
    /// A command in the repository `git_dir` that speaks to this remote alone, which it names
    /// [`ClientOptions::alias`]; without one, to none.
    pub(crate) fn command(&self, git_dir: &Path, address: Option<&Address>) -> Command {
        let mut command = Command::new(&self.program);
        self.see(&mut command);
        command
            .env("GIT_DIR", git_dir)
            .env("GIT_ALLOW_PROTOCOL", address.map_or("", Address::protocol))
            .current_dir(git_dir);
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let mut stated = self.settings.clone();
        stated.extend(STATED.iter().map(own));
        if let Some(address) = address {
            // A name that no configuration can know, and the longest that fits wins: so neither
            // `url.….insteadOf` nor `remote.<address>.…` lead anywhere else.
            for key in ["insteadOf", "pushInsteadOf"] {
                stated.push((format!("url.{address}.{key}"), Self::alias().to_owned()));
            }
            // As specific as can be: a setting for this one host does not win over it.
            if matches!(address.way(), Way::Http | Way::Https) {
                stated.push((
                    format!("http.{address}.followRedirects"),
                    "false".to_owned(),
                ));
                stated.push((format!("http.{address}.sslVerify"), "true".to_owned()));
            }
            // A proxy would be another machine: there what is not encrypted must not go.
            if matches!(address.way(), Way::Http) {
                command.env("no_proxy", "*").env("NO_PROXY", "*");
            }
        }
        command.env("GIT_CONFIG_COUNT", stated.len().to_string());
        for (number, (name, value)) in stated.into_iter().enumerate() {
            command
                .env(format!("GIT_CONFIG_KEY_{number}"), name)
                .env(format!("GIT_CONFIG_VALUE_{number}"), value);
        }
        command
    }

    /// What commands call the remote.
    pub(crate) fn alias() -> &'static str {
        static ALIAS: OnceLock<String> = OnceLock::new();
        ALIAS.get_or_init(|| format!("platinum:/{:032x}", rand::random::<u128>()))
    }

    /// Ssh, as git's client would start it; what follows are its arguments.
    pub(crate) fn ssh_command(&self) -> Command {
        let mut command = Command::new("sh");
        self.see(&mut command);
        command
            .args(["-c", &format!("exec {} {SSH_OPTIONS} \"$@\"", self.ssh)])
            .arg("ssh");
        command
    }

    /// What a child sees of this process's environment, and what is set for it.
    fn see(&self, command: &mut Command) {
        command.env_clear();
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy();
            let of_git = self.user_config
                && matches!(
                    &*text,
                    "GIT_CONFIG_GLOBAL" | "GIT_CONFIG_NOSYSTEM" | "GIT_CONFIG_SYSTEM"
                );
            if of_git
                || SEEN.contains(&&*text)
                || SEEN_STARTS.iter().any(|start| text.starts_with(start))
                || self.env.iter().any(|seen| *seen == text)
            {
                command.env(&name, value);
            }
        }
        if !self.user_config {
            command
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1");
        }
        command
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GCM_INTERACTIVE", "never")
            .env("GIT_NO_LAZY_FETCH", "1")
            // Set and empty: no `core.gitProxy` either.
            .env("GIT_PROXY_COMMAND", "")
            .env("GIT_SSH_COMMAND", format!("{} {SSH_OPTIONS}", self.ssh))
            .env("LC_ALL", "C")
            .env("LANGUAGE", "C");
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
        let group = ProcessGroup::of(&child);
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
                group.disarm();
                let (stdout, stderr) = output.rest().await;
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
                if tokio::time::timeout(DYING, child.wait()).await.is_err() {
                    tracing::warn!("Git did not exit after SIGKILL; giving up on it.");
                }
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
        let (send, pieces) = mpsc::channel(8);
        let mut readers = JoinSet::new();
        if let Some(stream) = child.stdout.take() {
            readers.spawn(read(stream, false, send.clone()));
        }
        if let Some(stream) = child.stderr.take() {
            readers.spawn(read(stream, true, send));
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
    async fn rest(mut self) -> (Vec<u8>, Vec<u8>) {
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
    send: mpsc::Sender<(bool, Vec<u8>)>,
) {
    let mut piece = vec![0_u8; 8 * 1024];
    // A stream that fails ends here; what it printed until then is kept.
    while let Ok(count @ 1..) = stream.read(&mut piece).await {
        if send
            .send((is_error, piece[..count].to_vec()))
            .await
            .is_err()
        {
            return;
        }
    }
}

/// Kills the process group when dropped, unless it has ended.
#[derive(Debug)]
pub(super) struct ProcessGroup(Option<Pid>);

impl ProcessGroup {
    /// The group that this child leads.
    pub(super) fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.and_then(Pid::from_raw))
    }

    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for ProcessGroup {
    fn drop(&mut self) {
        if let Some(leader) = self.0
            && let Err(error) = kill_process_group(leader, Signal::KILL)
        {
            // It ended in this very moment: there is nothing to kill.
            tracing::debug!(%error, "git's process group was gone already");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remote::stderr::error_line;

    async fn run_script(script: &str) -> Run {
        let options = ClientOptions {
            time_out: Duration::from_millis(600),
            ..ClientOptions::default()
        };
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        options.run(command).await
    }

    #[tokio::test]
    async fn run_slow_transfer_with_progress_is_not_killed() {
        let run = run_script(
            "for n in 1 2 3 4 5 6 7 8; do printf 'Writing: %s\\r' $n >&2; sleep 0.2; done",
        )
        .await;
        let Run::Ended { status, stderr, .. } = run else {
            panic!("{run:?}");
        };
        assert!(status.success());
        assert_eq!(error_line(&stderr), "Writing: 8");
    }

    /// A helper that stays in the background is not waited for.
    #[tokio::test]
    async fn run_does_not_wait_for_a_background_helper() {
        let began = Instant::now();
        let run = run_script("sleep 20 & echo done").await;
        let Run::Ended { stdout, .. } = run else {
            panic!("{run:?}");
        };
        assert_eq!(stdout, b"done\n");
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[tokio::test]
    async fn run_hanging_child_is_killed_with_its_group() {
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
    async fn run_missing_program_is_not_started() {
        let options = ClientOptions::default();
        let run = options.run(Command::new("/nonexistent/git")).await;
        assert!(matches!(run, Run::NotStarted(_)));
    }
}
