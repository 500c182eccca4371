//! The model of claims and the simulator of hosts, searched; and each known mistake, found by the same search.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod claims;
mod simulator;
