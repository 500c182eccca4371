//! [`RemoteState`]: what is known of the remote, in memory.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use platinum_core::Timestamp;
use platinum_repo::{Oid, RemoteError};

use crate::SyncError;

/// How long no claim asks a remote that let a fetch time out. The sync waits at most so long before
/// it asks again.
const SILENT: Duration = Duration::from_secs(60);

/// What is known of the remote since its last answer.
#[derive(Default)]
pub(crate) struct RemoteState {
    /// When the remote was last asked, of what was answered and verified. Never ahead of the
    /// verified tip: an effect that finds this fresh relies on that tip without the sync lock.
    pub(crate) at: Option<Timestamp>,
    /// Whether the remote's tip is known (it may be empty).
    pub(crate) is_tip_known: bool,
    /// That tip, verified or not.
    pub(crate) tip: Option<Oid>,
    /// Whether the last successful operation was our own claim push.
    pub(crate) has_won_last: bool,
    /// Why the last operation failed, if it did.
    pub(crate) error: Option<String>,
    /// Since when, and why, the remote is silent: the last fetch took all the time it was given.
    pub(crate) silent: Option<(Instant, RemoteError)>,
}

impl RemoteState {
    /// Why a claim does not ask the remote: it let a fetch time out a moment ago. One claim after
    /// the other would wait as long, and be as tentative in the end. The sync asks again by itself,
    /// and makes all of them for real when it is answered.
    pub(crate) fn silence(&self) -> Option<SyncError> {
        let silent = self.silent.clone();
        silent
            .filter(|(at, _)| at.elapsed() < SILENT)
            .map(|(_, error)| error.into())
    }
}

/// The shared [`RemoteState`].
#[derive(Default)]
pub(crate) struct RemoteMonitor(Mutex<RemoteState>);

impl RemoteMonitor {
    pub(crate) fn state(&self) -> MutexGuard<'_, RemoteState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
