//! [`GitRemote`]: a remote spoken to by git's own client.
//!
//! Why not libgit2: its push to a path or `file://` overwrites the branch without comparing and
//! runs no hook, and it cannot be killed when a connection hangs. Git's client starts
//! `receive-pack` even for a path, which locks the ref and compares.

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use git2::Oid;
use platinum_protocol::PushOutcome;

use super::{
    Address, BRANCH, ClientOptions, Remote, RemoteError,
    client::{Run, said},
    porcelain,
};
use crate::{RefName, Repo};

/// A remote behind git's own client.
#[derive(Debug, Clone)]
pub struct GitRemote {
    repo: Repo,
    address: Address,
    options: ClientOptions,
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
        Ok(Self::with(
            repo,
            address,
            ClientOptions {
                time_out,
                ..ClientOptions::default()
            },
        ))
    }

    /// A remote for this repository, with every option stated.
    pub fn with(repo: Repo, address: Address, options: ClientOptions) -> Self {
        Self {
            repo,
            address,
            options,
        }
    }

    fn unreachable(&self, reason: String) -> RemoteError {
        RemoteError::Unreachable {
            remote: self.describe(),
            reason,
        }
    }

    async fn run(&self, args: &[&str]) -> Result<(bool, Vec<u8>, Vec<u8>), RemoteError> {
        let mut command = self
            .options
            .command(self.repo.git_dir(), self.address.protocol());
        command.args(args);
        let alive = crate::in_use::lifetime(self.repo.git_dir())
            .map_err(|error| RemoteError::Repository(error.to_string()))?;
        command.stdin(alive);
        match self.options.run(command).await {
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
}

#[async_trait]
impl Remote for GitRemote {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        let refspec = format!("+{BRANCH}:{}", RefName::Remote.as_str());
        let url = self.address.as_str();
        let fetch = [
            "fetch",
            "--progress",
            "--no-tags",
            "--no-write-fetch-head",
            "--no-auto-maintenance",
            "--no-recurse-submodules",
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
                false => Err(self.unreachable(said(&stderr))),
            };
        }
        Err(self.unreachable(said(&stderr)))
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
            self.address.as_str(),
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

    fn describe(&self) -> String {
        self.address.to_string()
    }
}
