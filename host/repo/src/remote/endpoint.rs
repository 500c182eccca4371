//! [`Endpoint`]: one remote address, and git's own client to speak to it with.
//!
//! Lives elsewhere: what is fetched, pushed and watched is decided in `git` and `watcher`.

use std::{path::PathBuf, process::Stdio, time::Duration};

use git2::Oid;
use tokio::process::Command;

use super::{
    Address, BRANCH, ClientOptions, RemoteError,
    address::Way,
    client::Run,
    stderr::{error_line, faulty, host_key},
};
use crate::{Repo, process_lock};

/// How long a question for the branch may go unanswered.
const LS_REMOTE_TIME_OUT: Duration = Duration::from_secs(15);

/// Where a remote is, and how git's client is run to reach it.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    /// The repository on this side.
    pub(super) git_dir: PathBuf,
    pub(super) address: Address,
    pub(super) options: ClientOptions,
}

/// What git's client answered.
pub(super) struct Answer {
    pub(super) success: bool,
    pub(super) stdout: Vec<u8>,
    pub(super) stderr: Vec<u8>,
}

impl Endpoint {
    /// Runs git with these arguments; while it runs, its locks are not stale.
    pub(super) async fn run(&self, args: &[&str]) -> Result<Answer, RemoteError> {
        let lock = process_lock::hold(&self.git_dir)
            .map_err(|error| RemoteError::Repository(error.to_string()))?;
        let mut command = self.command(&self.options, args);
        command.stdin(lock);
        self.answer(self.options.run(command).await)
    }

    /// Runs git with these arguments, which change nothing here, for a short time.
    pub(super) async fn ask(&self, args: &[&str]) -> Result<Answer, RemoteError> {
        let options = ClientOptions {
            time_out: self.options.time_out.min(LS_REMOTE_TIME_OUT),
            whole: self.options.whole.min(LS_REMOTE_TIME_OUT),
            ..self.options.clone()
        };
        let mut command = self.command(&options, args);
        command.stdin(Stdio::null());
        self.answer(options.run(command).await)
    }

    /// Asks git's client where the branch points.
    pub(super) async fn ls_remote(&self) -> Result<Option<Oid>, String> {
        let args = ["ls-remote", "--", ClientOptions::alias(), BRANCH];
        let answer = self.ask(&args).await.map_err(|error| error.to_string())?;
        if !answer.success {
            return Err(error_line(&answer.stderr));
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let found = text.lines().find_map(|line| {
            let (hex, name) = line.split_once('\t')?;
            (name == BRANCH).then_some(hex)
        });
        found
            .map(|hex| Repo::oid(hex).map_err(|error| error.to_string()))
            .transpose()
    }

    /// Why git was not successful.
    pub(super) fn failure(&self, stderr: &[u8]) -> RemoteError {
        if let Some((object, what)) = faulty(stderr) {
            let remote = self.address.to_string();
            return RemoteError::Faulty {
                remote,
                object,
                what,
            };
        }
        match (host_key(stderr), self.address.way()) {
            (Some(key), Way::Ssh(site)) => RemoteError::HostKey {
                host: site.host.clone(),
                what: key,
            },
            _ => self.unreachable(error_line(stderr)),
        }
    }

    pub(super) fn unreachable(&self, reason: String) -> RemoteError {
        RemoteError::Unreachable {
            remote: self.address.to_string(),
            reason,
        }
    }

    fn command(&self, options: &ClientOptions, args: &[&str]) -> Command {
        let mut command = options.command(&self.git_dir, Some(&self.address));
        command.args(args);
        command
    }

    fn answer(&self, run: Run) -> Result<Answer, RemoteError> {
        match run {
            Run::Ended {
                status,
                stdout,
                stderr,
            } => Ok(Answer {
                success: status.success(),
                stdout,
                stderr,
            }),
            Run::TimedOut => Err(RemoteError::TimedOut {
                remote: self.address.to_string(),
                seconds: self.options.time_out.as_secs(),
            }),
            Run::NotStarted(error) => Err(RemoteError::NoClient {
                reason: error.to_string(),
            }),
            Run::Lost(error) => Err(self.unreachable(error.to_string())),
        }
    }
}
