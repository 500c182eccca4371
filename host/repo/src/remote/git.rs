//! [`GitRemote`]: a remote spoken to by git's own client.
//!
//! Why not libgit2: its push to a path or `file://` overwrites the branch without comparing and
//! runs no hook, and it cannot be killed when a connection hangs. Git's client starts
//! `receive-pack` even for a path, which locks the ref and compares.

use std::{path::Path, process::Stdio, sync::Arc, time::Duration};

use async_trait::async_trait;
use git2::Oid;
use platinum_protocol::PushOutcome;

use tokio::{process::Command, sync::Mutex, time::Instant};

use super::{
    Address, BRANCH, ClientOptions, News, Remote, RemoteError,
    address::Way,
    client::Run,
    news::Ear,
    porcelain,
    said::{faulty, host_key, said},
};
use crate::{RefName, Repo};

/// How long a question for the branch may go unanswered.
const ASKING: Duration = Duration::from_secs(15);
/// Longer waits for news end early.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// A remote behind git's own client.
#[derive(Debug, Clone)]
pub struct GitRemote {
    repo: Repo,
    address: Address,
    options: ClientOptions,
    ear: Arc<Mutex<Ear>>,
}

impl GitRemote {
    /// The remote at `address` for the repository in `git_dir`, which is made if need be.
    ///
    /// # Errors
    /// If the address is refused or the repository cannot be opened.
    pub fn new(git_dir: &Path, address: &str, time_out: Duration) -> Result<Self, RemoteError> {
        let address = Address::parse(address)?;
        let repo = Repo::open_or_init(git_dir)
            .map_err(|error| RemoteError::Repository(error.to_string()))?;
        let options = ClientOptions {
            time_out,
            ..ClientOptions::default()
        };
        Ok(Self::with(repo, address, options))
    }

    /// A remote for this repository, with every option stated.
    pub fn with(repo: Repo, address: Address, options: ClientOptions) -> Self {
        Self {
            repo,
            address,
            options,
            ear: Arc::default(),
        }
    }

    /// The same, with these environment variables seen by git and its credential helpers beside
    /// the usual ones.
    #[must_use]
    pub fn seeing(mut self, env: &[String]) -> Self {
        self.options.env = env.to_vec();
        self
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    pub(super) fn options(&self) -> &ClientOptions {
        &self.options
    }

    /// Where the branch points; nothing is brought here. `None` while there is no branch.
    ///
    /// # Errors
    /// If the remote cannot be asked.
    pub async fn tip(&self) -> Result<Option<Oid>, RemoteError> {
        self.ask().await.map_err(|reason| self.unreachable(reason))
    }

    /// Asks with git's client where the branch points. Nothing here changes.
    pub(super) async fn ask(&self) -> Result<Option<Oid>, String> {
        let options = ClientOptions {
            time_out: self.options.time_out.min(ASKING),
            whole: self.options.whole.min(ASKING),
            ..self.options.clone()
        };
        let mut command = self.command(
            &options,
            &["ls-remote", "--", ClientOptions::alias(), BRANCH],
        );
        command.stdin(Stdio::null());
        let answer = self.ended(options.run(command).await);
        let (success, stdout, stderr) = answer.map_err(|error| error.to_string())?;
        if !success {
            return Err(said(&stderr));
        }
        let text = String::from_utf8_lossy(&stdout);
        let found = text.lines().find_map(|line| {
            let (hex, name) = line.split_once('\t')?;
            (name == BRANCH).then_some(hex)
        });
        match found {
            None => Ok(None),
            Some(hex) => Repo::oid(hex).map(Some).map_err(|error| error.to_string()),
        }
    }

    fn unreachable(&self, reason: String) -> RemoteError {
        RemoteError::Unreachable {
            remote: self.describe(),
            reason,
        }
    }

    /// Why git was not successful.
    fn failed(&self, stderr: &[u8]) -> RemoteError {
        if let Some((object, what)) = faulty(stderr) {
            let remote = self.describe();
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
            _ => self.unreachable(said(stderr)),
        }
    }

    fn command(&self, options: &ClientOptions, args: &[&str]) -> Command {
        let mut command = options.command(self.repo.git_dir(), Some(&self.address));
        command.args(args);
        command
    }

    fn ended(&self, run: Run) -> Result<(bool, Vec<u8>, Vec<u8>), RemoteError> {
        match run {
            Run::Ended {
                status,
                stdout,
                stderr,
            } => Ok((status.success(), stdout, stderr)),
            Run::TimedOut => Err(RemoteError::TimedOut {
                remote: self.describe(),
                seconds: self.options.time_out.as_secs(),
            }),
            Run::NotStarted(error) => Err(RemoteError::NoClient {
                reason: error.to_string(),
            }),
            Run::Lost(error) => Err(self.unreachable(error.to_string())),
        }
    }

    async fn run(&self, args: &[&str]) -> Result<(bool, Vec<u8>, Vec<u8>), RemoteError> {
        let alive = crate::in_use::lifetime(self.repo.git_dir())
            .map_err(|error| RemoteError::Repository(error.to_string()))?;
        let mut command = self.command(&self.options, args);
        command.stdin(alive);
        self.ended(self.options.run(command).await)
    }
}

#[async_trait]
impl Remote for GitRemote {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        let refspec = format!("+{BRANCH}:{}", RefName::Remote.as_str());
        let url = ClientOptions::alias();
        let fetch = [
            "fetch",
            "--progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
            "--no-prune",
            "--no-write-commit-graph",
            "--",
            url,
            &refspec,
        ];
        let (success, _, stderr) = self.run(&fetch).await?;
        if success {
            let repo = self.repo.clone();
            let tip = tokio::task::spawn_blocking(move || repo.tip(RefName::Remote))
                .await
                .map_err(|error| self.unreachable(error.to_string()))?
                .map_err(|error| self.unreachable(error.to_string()))?;
            return tip
                .map(Some)
                .ok_or_else(|| self.unreachable("the fetch brought no branch".to_owned()));
        }
        // Not always the last thing that is said: over ssh the remote hangs up after it.
        if String::from_utf8_lossy(&stderr).contains("couldn't find remote ref") {
            // No branch yet, if the remote says so itself.
            let (success, stdout, stderr) = self
                .run(&["ls-remote", "--quiet", "--", url, BRANCH])
                .await?;
            return match success && stdout.is_empty() {
                true => Ok(None),
                false => Err(self.failed(&stderr)),
            };
        }
        Err(self.failed(&stderr))
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        // Always the full id: a short one or a tracking ref would compare with something else.
        let lease = match expected {
            Some(tip) => format!("--force-with-lease={BRANCH}:{tip}"),
            None => format!("--force-with-lease={BRANCH}:"),
        };
        let refspec = format!("{commit}:{BRANCH}");
        let push = [
            "push",
            "--porcelain",
            "--progress",
            "--no-verify",
            "--no-signed",
            "--recurse-submodules=no",
            &lease,
            "--",
            ClientOptions::alias(),
            &refspec,
        ];
        match self.run(&push).await {
            Ok((success, stdout, stderr)) => {
                porcelain::outcome(&stdout, success, commit, &said(&stderr))
            }
            // Nothing was ever started, so nothing can have landed; that is all a fetch finds too.
            Err(error) => PushOutcome::Indeterminate(error.to_string()),
        }
    }

    async fn news(&self, known: Option<Oid>, at_most: Duration) -> News {
        let deadline = Instant::now() + at_most.min(LONGEST);
        let mut ear = self.ear.lock().await;
        ear.listen(self, known, deadline).await
    }

    fn describe(&self) -> String {
        self.address.to_string()
    }
}
