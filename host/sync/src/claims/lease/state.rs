//! [`LeaseMonitor`]: what is remembered of other owners between two observations.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use platinum_core::AgentName;
use platinum_protocol::Leases;
use platinum_repo::Oid;

/// How long an owner may be silent, if nothing else is configured.
const LEASE: Duration = Duration::from_secs(30 * 60);

/// What this host has seen of other owners, and when it pushed itself.
pub(crate) struct LeaseState {
    pub(crate) began: Instant,
    pub(crate) lease: Duration,
    pub(crate) leases: Leases,
    pub(crate) observed_at: Option<Instant>,
    /// Up to which tip `last_commits` are known.
    pub(crate) observed_tip: Option<Oid>,
    /// The newest commit of each agent.
    pub(crate) last_commits: BTreeMap<AgentName, String>,
    /// When a commit of this host last landed.
    pub(crate) pushed: Instant,
    pub(crate) pruned: Instant,
}

/// The shared [`LeaseState`].
pub(crate) struct LeaseMonitor(Mutex<LeaseState>);

impl Default for LeaseMonitor {
    fn default() -> Self {
        Self(Mutex::new(LeaseState::new(LEASE)))
    }
}

impl LeaseMonitor {
    pub(crate) fn state(&self) -> MutexGuard<'_, LeaseState> {
        // Times and ids: whole after any panic.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins anew, with another time that an owner may be silent.
    pub(crate) fn set_lease(&self, lease: Duration) {
        *self.state() = LeaseState::new(lease);
    }

    /// Notes that a commit of this host landed: a heartbeat of its own.
    pub(crate) fn note_pushed(&self) {
        self.state().pushed = Instant::now();
    }
}

impl LeaseState {
    fn new(lease: Duration) -> Self {
        let now = Instant::now();
        Self {
            began: now,
            lease,
            leases: Leases::new(ms(lease)),
            observed_at: None,
            observed_tip: None,
            last_commits: BTreeMap::new(),
            pushed: now,
            pruned: now,
        }
    }
}

pub(crate) fn ms(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
