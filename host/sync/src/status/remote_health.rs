//! [`RemoteHealth`]: when the remote last answered, kept in the state folder so that a command can show
//! it without asking the remote.
//!
//! It is for the reader alone: nothing is decided by it, and a failure to write it is no
//! failure of the call.

use std::{
    io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use platinum_core::Timestamp;
use platinum_protocol::PushOutcome;
use platinum_repo::{Oid, Remote, RemoteError, RemoteEvent};
use serde::{Deserialize, Serialize};

/// Its file in the state folder.
const FILE: &str = "remote.json";

/// How often a remote that does not change is recorded as answering.
const RECORD_EVERY: Duration = Duration::from_secs(30);

/// How the remote answered last.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemoteHealth {
    /// When it last answered.
    pub answered: Option<Timestamp>,
    /// Why the latest call brought no answer; `None` if it did.
    pub trouble: Option<String>,
    /// Which remote that was.
    #[serde(default)]
    pub remote: Option<String>,
}

impl RemoteHealth {
    /// Reads it from the state folder; empty, if no daemon has asked yet.
    pub fn read(state: &Path) -> Self {
        std::fs::read(state.join(FILE))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    fn write(&self, state: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let new = state.join("remote.json.new");
        std::fs::write(&new, bytes)?;
        std::fs::rename(new, state.join(FILE))
    }
}

/// A remote whose answers are recorded.
pub struct RecordingRemote<R> {
    remote: R,
    state: PathBuf,
}

impl<R: Remote> RecordingRemote<R> {
    /// Records the remote's answers in this state folder.
    pub fn new(remote: R, state: &Path) -> Self {
        Self {
            remote,
            state: state.to_owned(),
        }
    }

    async fn record(&self, trouble: Option<String>) {
        self.record_as(trouble.is_none(), trouble).await;
    }

    async fn record_as(&self, answered: bool, trouble: Option<String>) {
        let (state, remote) = (self.state.clone(), self.remote.describe());
        let recorded = tokio::task::spawn_blocking(move || {
            let before = RemoteHealth::read(&state);
            let is_same = before
                .remote
                .as_ref()
                .is_none_or(|before| *before == remote);
            let answered = match answered {
                true => Some(Timestamp::now()),
                false => before.answered.filter(|_| is_same),
            };
            let health = RemoteHealth {
                answered,
                trouble,
                remote: Some(remote),
            };
            health.write(&state)
        })
        .await
        .unwrap_or_else(|error| Err(io::Error::other(error)));
        if let Err(error) = recorded {
            tracing::debug!("Cannot write the remote's health: {error}.");
        }
    }
}

#[async_trait]
impl<R: Remote> Remote for RecordingRemote<R> {
    async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
        let fetched = self.remote.fetch().await;
        let answered = matches!(&fetched, Ok(_) | Err(RemoteError::Faulty { .. }));
        self.record_as(answered, fetched.as_ref().err().map(ToString::to_string))
            .await;
        fetched
    }

    async fn push(&self, commit: Oid, expected: Option<Oid>) -> PushOutcome {
        let pushed = self.remote.push(commit, expected).await;
        let trouble = match &pushed {
            PushOutcome::Landed | PushOutcome::Rejected(_) => None,
            PushOutcome::Indeterminate(why) => Some(why.clone()),
        };
        self.record(trouble).await;
        pushed
    }

    async fn next_event(&self, known: Option<Oid>, at_most: Duration) -> RemoteEvent {
        let began = Instant::now();
        loop {
            let left = at_most.saturating_sub(began.elapsed());
            let event = self.remote.next_event(known, left.min(RECORD_EVERY)).await;
            match event {
                RemoteEvent::Unchanged => self.record(None).await,
                RemoteEvent::Unknown => {}
                // Followed by a fetch, which is recorded.
                RemoteEvent::Moved(_) | RemoteEvent::Reachable | RemoteEvent::Unreachable => {
                    return event;
                }
            }
            if began.elapsed() >= at_most {
                return event;
            }
        }
    }

    fn describe(&self) -> String {
        self.remote.describe()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Answers one fetch after the other.
    struct Scripted(Mutex<Vec<Result<Option<Oid>, RemoteError>>>);

    #[async_trait]
    impl Remote for Scripted {
        async fn fetch(&self) -> Result<Option<Oid>, RemoteError> {
            self.0.lock().unwrap().remove(0)
        }
        async fn push(&self, _: Oid, _: Option<Oid>) -> PushOutcome {
            PushOutcome::Indeterminate("the line broke".to_owned())
        }
        fn describe(&self) -> String {
            "scripted".to_owned()
        }
    }

    #[tokio::test]
    async fn trouble_keeps_the_time_of_the_last_answer() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(RemoteHealth::read(state.path()), RemoteHealth::default());
        let away = RemoteError::Repository("away".to_owned());
        let script = Mutex::new(vec![Ok(None), Err(away), Ok(None)]);
        let remote = RecordingRemote::new(Scripted(script), state.path());

        remote.fetch().await.unwrap();
        let first = RemoteHealth::read(state.path());
        assert!(first.answered.is_some() && first.trouble.is_none());

        remote.fetch().await.unwrap_err();
        let second = RemoteHealth::read(state.path());
        assert_eq!(second.answered, first.answered);
        assert_eq!(second.trouble.as_deref(), Some("away"));

        remote.fetch().await.unwrap();
        assert_eq!(RemoteHealth::read(state.path()).trouble, None);
        let faulty = RemoteError::Faulty {
            remote: "scripted".to_owned(),
            object: "1".repeat(40),
            what: "missingEmail".to_owned(),
        };
        *remote.remote.0.lock().unwrap() = vec![Err(faulty)];
        remote.fetch().await.unwrap_err();
        let faulty = RemoteHealth::read(state.path());
        assert!(faulty.answered > second.answered, "it answered");
        assert!(faulty.trouble.unwrap().contains("missingEmail"));
        let commit = Oid::from_bytes(&[1; 20]).unwrap();
        remote.push(commit, None).await;
        let last = RemoteHealth::read(state.path());
        assert_eq!(last.trouble.as_deref(), Some("the line broke"));
    }
}
