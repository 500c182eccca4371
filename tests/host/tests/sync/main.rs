//! Several hosts on one remote, without the daemons' other parts: races, what may not leave, and what it costs.
//!
//! `devices` is about phones that push with plain git, `races` about claims and files that change at the same time, `dropped` about files that a
//! person drops, `leaks` about secrets that try to leave, `scale` about large vaults, `freshness`
//! about how soon a change is on the other side, `locked` about skills that the owner did not add.
//! Lives elsewhere: kills and cut lines are in `faults`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod devices;
mod dropped;
mod freshness;
mod leaks;
mod locked;
mod races;
mod scale;
