//! [`Leases`]: which owners show no sign of life any more, so that their tasks may be taken over.
//!
//! A sign of life is a commit of the agent in the remote's order. How long there was none is
//! measured by this observer alone, on its own monotonic clock: clocks of other machines, times in
//! commits and times of files decide nothing.
//!
//! Lives elsewhere: taking over is [`crate::ClaimMachine::take_over`], which is a compare-and-swap
//! like every claim: a wrong suspicion costs the owner its task, never a second owner.
//! Invariants: a lease expires only after this observer itself has polled the remote, without a gap,
//! for a whole lease, and saw nothing new in all of it. Time in which the remote could not be
//! polled does not count: the owner may not have reached it either. After a restart everything is
//! measured anew.

use std::collections::BTreeMap;

use platinum_core::AgentName;

/// Signs of life as one observer has seen them.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Leases {
    lease_ms: u64,
    last_seen_ms: Option<u64>,
    signs: BTreeMap<AgentName, Sign>,
}

/// The newest commit of an agent, and since when it has been that one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Sign {
    commit: Option<String>,
    since_ms: u64,
}

impl Leases {
    /// No observation yet. `lease_ms` is how long an owner may be silent.
    pub fn new(lease_ms: u64) -> Self {
        Self {
            lease_ms,
            last_seen_ms: None,
            signs: BTreeMap::new(),
        }
    }

    /// An observation of the remote: each owner of tasks with its newest commit in the tip's history, in
    /// hex (`None`: it has none there), and what this observer's monotonic clock says. An owner that is
    /// not named is forgotten.
    ///
    /// Call it only with a tip that the remote has just given; and at least every third of a
    /// lease, as a longer gap starts all measuring anew.
    pub fn observe<'a>(
        &mut self,
        owners: impl IntoIterator<Item = (&'a AgentName, Option<&'a str>)>,
        now_ms: u64,
    ) {
        let gap = self
            .last_seen_ms
            .is_none_or(|last| now_ms.saturating_sub(last) > self.longest_gap_ms());
        self.last_seen_ms = Some(now_ms);
        let mut before = std::mem::take(&mut self.signs);
        for (agent, commit) in owners {
            let sign = match before.remove(agent) {
                Some(sign) if !gap && sign.commit.as_deref() == commit => sign,
                _ => Sign {
                    commit: commit.map(str::to_owned),
                    since_ms: now_ms,
                },
            };
            self.signs.insert(agent.clone(), sign);
        }
    }

    /// The longest time between two observations that still counts as observing all the time.
    pub fn longest_gap_ms(&self) -> u64 {
        self.lease_ms.div_ceil(3)
    }

    /// Whether this owner was silent for a lease, as of the last observation.
    pub fn has_expired(&self, agent: &AgentName) -> bool {
        self.last_seen_ms
            .zip(self.signs.get(agent))
            .is_some_and(|(now, sign)| now.saturating_sub(sign.since_ms) >= self.lease_ms)
    }

    /// Every owner whose lease has expired, in the order of their names.
    pub fn expired(&self) -> impl Iterator<Item = &AgentName> {
        self.signs.keys().filter(|agent| self.has_expired(agent))
    }

    /// Whether an owner that is alive but has had nothing to push since `pushed_ms` should push a
    /// heartbeat: a third of the lease leaves room for two that fail.
    pub fn is_heartbeat_due(lease_ms: u64, pushed_ms: u64, now_ms: u64) -> bool {
        now_ms.saturating_sub(pushed_ms) >= lease_ms.div_ceil(3)
    }
}
