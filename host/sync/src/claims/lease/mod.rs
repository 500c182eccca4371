//! Leases: `expired` takes over the tasks of silent owners and gives this host's own heartbeat; `state`
//! is what is remembered of other owners between two observations.
//!
//! Lives elsewhere: whose lease has expired is decided by `protocol::Leases`.

mod expired;
pub(crate) mod state;

pub(crate) use expired::{heartbeat, prune_marks_now_and_then, take_over_expired};
