//! Hosts that contend, are killed, run out of disk and are cut off: nothing is lost, nothing has two owners.
//!
//! `contest` is four processes that claim the same tasks, `crashes` kills of the whole programs at random
//! moments, `failpoints` kills at every fail point and full disks, `partition` lines that are
//! cut, `sending` kills while a mail leaves, `dropped` files that a person drops while both daemons
//! run, `outside` a skill that is no part of the repository.
//! Lives elsewhere: what several hosts do to each other without faults is in `sync`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod contest;
mod crashes;
mod dropped;
mod failpoints;
mod outside;
mod partition;
mod sending;
