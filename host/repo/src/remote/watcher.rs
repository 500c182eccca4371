//! [`RemoteWatcher`]: notices soon, and at little cost, that others moved the branch.
//!
//! Lives here: what is polled when, and what an answer means. Lives elsewhere: a folder is read by
//! libgit2 (`folder`), a host of ours reports over ssh by itself (`watch_stream`); every other
//! remote is asked by git's own client (`endpoint`).
//! Invariants: an event is a hint: a caller that misses one finds out by its own timer, and nothing
//! is decided by it. Every wait has an end; nothing prompts; a wait that is dropped loses no event.

use std::time::Duration;

use git2::Oid;
use platinum_core::Backoff;
use tokio::time::{Instant, sleep_until, timeout};

use super::{
    address::Way,
    endpoint::Endpoint,
    folder::{FolderPoll, FolderTip},
    watch_stream::{Line, WatchStream},
};

/// For this long after an event the next one is likely.
const RECENT: Duration = Duration::from_secs(600);
/// How long one poll may take.
const POLL_TIME_OUT: Duration = Duration::from_secs(20);
/// How long a host without `platinum hook watch` is not asked for it again.
const NO_WATCH: Duration = Duration::from_secs(6 * 3600);
/// After so many failures in a row the remote counts as unreachable.
const LOST_AFTER: u32 = 2;
/// The delays between polls of a remote that does not answer.
const RETRIES: Backoff = Backoff::new(Duration::from_secs(2), Duration::from_secs(30));

/// What was noticed of the branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteEvent {
    /// It points there now (`None`: there is none), which is not where it was known to point.
    Moved(Option<Oid>),
    /// The remote answers again after it did not.
    Reachable,
    /// The remote does not answer any more; reported once.
    Unreachable,
    /// It answered, and the branch stayed where it was.
    Unchanged,
    /// The remote still does not answer, or it cannot be watched.
    Unknown,
}

/// What is remembered between two waits.
#[derive(Debug)]
pub(super) struct RemoteWatcher {
    known: Option<Oid>,
    /// The last event, here or there.
    last_event: Instant,
    /// Not polled before then.
    next_poll: Instant,
    /// Failures in a row.
    failures: u32,
    /// Whether it answered, and that it does not any more was not reported yet.
    is_reachable: bool,
    folder: FolderPoll,
    stream: Option<WatchStream>,
    no_watch_until: Option<Instant>,
}

/// What one poll brought.
enum Polled {
    Tip(Option<Oid>),
    /// The connection lives; the branch did not move.
    Alive,
    Failed(String),
}

impl Default for RemoteWatcher {
    fn default() -> Self {
        let now = Instant::now();
        Self {
            known: None,
            last_event: now,
            next_poll: now,
            failures: 0,
            is_reachable: false,
            folder: FolderPoll::default(),
            stream: None,
            no_watch_until: None,
        }
    }
}

impl RemoteWatcher {
    /// Waits for an event, at most until `deadline`; polls at least once if a poll is due.
    pub(super) async fn wait_for_event(
        &mut self,
        remote: &Endpoint,
        known: Option<Oid>,
        deadline: Instant,
    ) -> RemoteEvent {
        if self.known != known {
            self.known = known;
            self.last_event = Instant::now();
        }
        let mut event = match self.failures {
            0 => RemoteEvent::Unchanged,
            _ => RemoteEvent::Unknown,
        };
        while let Some(polled) = self.poll(remote, deadline).await {
            let was_away = self.failures > 0;
            match polled {
                Polled::Failed(reason) => {
                    tracing::debug!(remote = %remote.address, "The remote did not answer: {reason}.");
                    self.failures = self.failures.saturating_add(1);
                    self.next_poll = Instant::now() + self.poll_interval(remote);
                    if self.failures >= LOST_AFTER && std::mem::take(&mut self.is_reachable) {
                        return RemoteEvent::Unreachable;
                    }
                    event = RemoteEvent::Unknown;
                    continue;
                }
                Polled::Tip(_) | Polled::Alive => {
                    self.failures = 0;
                    self.is_reachable = true;
                }
            }
            if let Polled::Tip(tip) = polled
                && tip != known
            {
                self.last_event = Instant::now();
                return RemoteEvent::Moved(tip);
            }
            if was_away {
                return RemoteEvent::Reachable;
            }
            event = RemoteEvent::Unchanged;
        }
        event
    }

    /// The next answer; `None` at the deadline.
    async fn poll(&mut self, remote: &Endpoint, deadline: Instant) -> Option<Polled> {
        if self.next_poll > deadline {
            sleep_until(deadline).await;
            return None;
        }
        sleep_until(self.next_poll).await;
        if let Way::Ssh(site) = remote.address.way()
            && self
                .no_watch_until
                .is_none_or(|until| Instant::now() > until)
        {
            if self.stream.is_none() {
                match WatchStream::start(&remote.options, site) {
                    Ok(stream) => self.stream = Some(stream),
                    Err(error) => return Some(Polled::Failed(error.to_string())),
                }
            }
            return self.read_stream(deadline).await;
        }
        if Instant::now() > deadline {
            return None;
        }
        // Before the poll, so that one that is dropped is not repeated at once.
        self.next_poll = Instant::now() + self.poll_interval(remote);
        let polled = match timeout(POLL_TIME_OUT, self.poll_tip(remote)).await {
            Ok(Ok(tip)) => Polled::Tip(tip),
            Ok(Err(reason)) => Polled::Failed(reason),
            Err(_) => Polled::Failed(format!("no answer in {} s", POLL_TIME_OUT.as_secs())),
        };
        Some(polled)
    }

    /// What the connection to a host of ours brings.
    async fn read_stream(&mut self, deadline: Instant) -> Option<Polled> {
        let stream = self.stream.as_mut()?;
        let line = stream.next_line(deadline).await;
        let is_handshaken = stream.is_handshaken();
        match line {
            Line::Tip(tip) => Some(Polled::Tip(tip)),
            Line::KeepAlive => Some(Polled::Alive),
            Line::Nothing => None,
            Line::Closed { unknown_command } => {
                self.stream = None;
                if unknown_command && !is_handshaken {
                    tracing::info!(
                        "The remote's host has no `platinum hook watch`; git polls it instead."
                    );
                    self.no_watch_until = Some(Instant::now() + NO_WATCH);
                    // Not a failure: it is polled right now in the other way.
                    return Some(Polled::Alive);
                }
                Some(Polled::Failed("the connection ended".to_owned()))
            }
        }
    }

    async fn poll_tip(&mut self, remote: &Endpoint) -> Result<Option<Oid>, String> {
        if let Way::Folder(path) = remote.address.way()
            && let FolderTip::Known(tip) = self.folder.poll_tip(path).await?
        {
            return Ok(tip);
        }
        remote.ls_remote().await
    }

    /// How long until the next poll: short where a poll is cheap or an event likely.
    fn poll_interval(&self, remote: &Endpoint) -> Duration {
        let quiet = self.last_event.elapsed();
        let (seconds, is_cheap) = match remote.address.way() {
            Way::Folder(_) if !self.folder.needs_git() => (1, true),
            // A process, but no login and no network.
            Way::Daemon if quiet < RECENT => (1, true),
            Way::Daemon => (2, true),
            _ if quiet < RECENT => (3, false),
            _ if quiet < 6 * RECENT => (30, false),
            _ => (90, false),
        };
        match self.failures.checked_sub(1) {
            Some(earlier) if !is_cheap => RETRIES.jittered(earlier),
            _ => Duration::from_secs(seconds),
        }
    }
}
