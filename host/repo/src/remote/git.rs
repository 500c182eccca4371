//! [`GitRemote`]: a remote spoken to by git's own client.
//!
//! Why not libgit2: its push to a path or `file://` overwrites the branch without comparing and
//! runs no hook, and it cannot be killed when a connection hangs. Git's client starts
//! `receive-pack` even for a path, which locks the ref and compares.

use std::{path::Path, sync::Arc, time::Duration};

use async_trait::async_trait;
use git2::Oid;
use platinum_protocol::PushOutcome;
use tokio::{sync::Mutex, time::Instant};

use super::{
    Address, BRANCH, ClientOptions, Remote, RemoteError, RemoteEvent, SERVER_SAYS,
    endpoint::{Answer, Endpoint},
    porcelain,
    stderr::{error_line, server_words},
    watcher::RemoteWatcher,
};
use crate::{RefName, Repo};

/// Longer waits for an event end early.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A remote behind git's own client.
#[derive(Debug, Clone)]
pub struct GitRemote {
    repo: Repo,
    endpoint: Endpoint,
    watcher: Arc<Mutex<RemoteWatcher>>,
}

impl GitRemote {
    /// The remote at `address` for the repository in `git_dir`, which is made if need be.
    ///
    /// # Errors
    /// If the address is refused or the repository cannot be opened.
    pub fn open(git_dir: &Path, address: &str, time_out: Duration) -> Result<Self, RemoteError> {
        let address = Address::parse(address)?;
        let repo = Repo::open_or_init(git_dir)
            .map_err(|error| RemoteError::Repository(error.to_string()))?;
        let options = ClientOptions {
            time_out,
            ..ClientOptions::default()
        };
        Ok(Self::with_options(repo, address, options))
    }

    /// A remote for this repository, with every option stated.
    pub fn with_options(repo: Repo, address: Address, options: ClientOptions) -> Self {
        let endpoint = Endpoint {
            git_dir: repo.git_dir().to_owned(),
            address,
            options,
        };
        Self {
            repo,
            endpoint,
            watcher: Arc::default(),
        }
    }

    /// The same, with these environment variables seen by git and its credential helpers beside
    /// the usual ones.
    #[must_use]
    pub fn with_env(mut self, names: &[String]) -> Self {
        self.endpoint.options.env = names.to_vec();
        self
    }

    /// Where the branch points; nothing is brought here. `None` while there is no branch.
    ///
    /// # Errors
    /// If the remote cannot be asked.
    pub async fn tip(&self) -> Result<Option<Oid>, RemoteError> {
        let tip = self.endpoint.ls_remote().await;
        tip.map_err(|reason| self.endpoint.unreachable(reason))
    }

    /// The names of all branches; nothing is brought here.
    ///
    /// # Errors
    /// If the remote cannot be asked.
    pub async fn branches(&self) -> Result<Vec<String>, RemoteError> {
        let args = [
            "ls-remote",
            "--heads",
            "--quiet",
            "--",
            ClientOptions::alias(),
        ];
        let answer = self.endpoint.ask(&args).await?;
        if !answer.success {
            return Err(self.endpoint.failure(&answer.stderr));
        }
        let text = String::from_utf8_lossy(&answer.stdout);
        let names = text
            .lines()
            .filter_map(|line| line.split_once("\trefs/heads/"));
        Ok(names.map(|(_, name)| name.to_owned()).collect())
    }

    /// Asks whether this host may push; nothing is pushed.
    ///
    /// # Errors
    /// If it may not, or the remote cannot be asked.
    pub async fn check_push(&self) -> Result<(), RemoteError> {
        // What there is none of: the remote is greeted as for a push, and gets nothing.
        const NOTHING: &str = "refs/platinum/nothing/*:refs/platinum/nothing/*";
        let push = [
            "push",
            "--dry-run",
            "--porcelain",
            "--no-verify",
            "--no-signed",
            "--recurse-submodules=no",
            "--",
            ClientOptions::alias(),
            NOTHING,
        ];
        let Answer {
            success, stderr, ..
        } = self.endpoint.ask(&push).await?;
        // That is what git says to an empty one.
        match success || String::from_utf8_lossy(&stderr).contains("No refs in common") {
            true => Ok(()),
            false => Err(self.endpoint.failure(&stderr)),
        }
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
        let Answer {
            success, stderr, ..
        } = self.endpoint.run(&fetch).await?;
        if success {
            let repo = self.repo.clone();
            let tip = tokio::task::spawn_blocking(move || repo.tip(RefName::Remote))
                .await
                .map_err(|error| self.endpoint.unreachable(error.to_string()))?
                .map_err(|error| self.endpoint.unreachable(error.to_string()))?;
            return tip.map(Some).ok_or_else(|| {
                self.endpoint
                    .unreachable("the fetch brought no branch".to_owned())
            });
        }
        // Not always the last line: over ssh the remote hangs up after it.
        if String::from_utf8_lossy(&stderr).contains("couldn't find remote ref") {
            // No branch yet, if the remote says so itself.
            let asked = self
                .endpoint
                .run(&["ls-remote", "--quiet", "--", url, BRANCH])
                .await?;
            return match asked.success && asked.stdout.is_empty() {
                true => Ok(None),
                false => Err(self.endpoint.failure(&asked.stderr)),
            };
        }
        Err(self.endpoint.failure(&stderr))
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
        match self.endpoint.run(&push).await {
            Ok(answer) => {
                let reason = error_line(&answer.stderr);
                let outcome =
                    porcelain::push_outcome(&answer.stdout, answer.success, commit, &reason);
                match (outcome, server_words(&answer.stderr)) {
                    (PushOutcome::Rejected(why), Some(words)) => {
                        PushOutcome::Rejected(format!("{why}; {SERVER_SAYS}{words}"))
                    }
                    (outcome, _) => outcome,
                }
            }
            // Nothing was ever started, so nothing can have landed; that is all a fetch finds too.
            Err(error) => PushOutcome::Indeterminate(error.to_string()),
        }
    }

    async fn next_event(&self, known: Option<Oid>, at_most: Duration) -> RemoteEvent {
        let deadline = Instant::now() + at_most.min(LONGEST_WAIT);
        let mut watcher = self.watcher.lock().await;
        watcher
            .wait_for_event(&self.endpoint, known, deadline)
            .await
    }

    fn describe(&self) -> String {
        self.endpoint.address.to_string()
    }
}
