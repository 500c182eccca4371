//! [`Remote`]: the one branch everybody shares, as a compare-and-swap register.
//!
//! Lives here: the trait, [`Address`] (which remotes are spoken to at all) and [`GitRemote`], which
//! runs git's own client and watches for a [`RemoteEvent`]. The claim machine that uses it is `protocol`'s.
//! Invariant: a push whose outcome is not known for certain is [`PushOutcome::Indeterminate`],
//! never a success and never a refusal.

mod address;
mod client;
mod endpoint;
mod folder;
mod git;
mod porcelain;
mod stderr;
mod watch_stream;
mod watcher;

use std::time::Duration;

use async_trait::async_trait;
use git2::Oid;
use platinum_protocol::PushOutcome;

pub use address::{Address, AddressError};
pub use client::ClientOptions;
pub(crate) use client::Run;
pub use git::GitRemote;
pub use porcelain::push_outcome;
pub(crate) use stderr::error_line;
pub use watch_stream::watch_branch;
pub use watcher::RemoteEvent;

/// The branch of the remote.
pub const BRANCH: &str = "refs/heads/main";

/// In the reason of a push that was rejected, what the server itself says follows these words.
pub const SERVER_SAYS: &str = "the server says: ";

/// A remote with one branch.
#[async_trait]
pub trait Remote: Send + Sync {
    /// Brings the branch's commits here and answers its tip; `None` while there is no branch.
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError>;
    /// Moves the branch from `expected` (or from nothing) to `commit`, or does not.
    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome;
    /// Waits until the branch is elsewhere than it was `known` to be, or the remote begins or ceases
    /// to answer; at most so long. A hint: callers fetch by a timer too.
    async fn next_event(&self, known: Option<Oid>, at_most: Duration) -> RemoteEvent {
        let _ = known;
        tokio::time::sleep(at_most).await;
        RemoteEvent::Unknown
    }
    /// What a person calls it; without secrets.
    fn describe(&self) -> String;
}

/// Why a remote cannot be used, or a fetch failed. The remote is unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RemoteError {
    /// Its address is refused.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The repository on this side cannot be opened.
    #[error("{0}")]
    Repository(String),
    /// Git's client could not reach it, or was turned away.
    #[error("the remote {remote} did not answer: {reason}")]
    Unreachable {
        /// The remote.
        remote: String,
        /// The client's error, on one line.
        reason: String,
    },
    /// Ssh does not trust the host's key, and no user is there to be asked.
    #[error("ssh does not trust the host {host}: {what}")]
    HostKey {
        /// The host.
        host: String,
        /// What is wrong with its key, and what to do.
        what: HostKey,
    },
    /// It took too long.
    #[error("the remote {remote} took longer than {seconds} s; the attempt was ended")]
    TimedOut {
        /// The remote.
        remote: String,
        /// The limit.
        seconds: u64,
    },
    /// It answered, and what it holds is not as git writes it: git takes nothing of it, now or
    /// later.
    #[error(
        "the remote holds a faulty object, {object} ({what}), and git takes nothing more from it: put its branch back to a commit without it, and set `receive.fsckObjects` to true there ({remote})"
    )]
    Faulty {
        /// The remote.
        remote: String,
        /// The object, in hex.
        object: String,
        /// What git says is wrong with it.
        what: String,
    },
    /// Git's client is not installed or does not start.
    #[error("git's own client cannot be started ({reason}); install git 2.41 or newer")]
    NoClient {
        /// The system's error.
        reason: String,
    },
}

/// What is wrong with the key of an ssh host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HostKey {
    /// It was never seen here.
    #[error(
        "its key is not known here; run `ssh` to it once in a terminal as this user, compare the fingerprint that it shows with the host's own, and answer yes"
    )]
    Unknown,
    /// It is another than before.
    #[error(
        "its key has changed; if the host was not set up again, this may be an attack. Ask the host's administrator, then remove the old key with `ssh-keygen -R` and connect once in a terminal"
    )]
    Changed,
}
