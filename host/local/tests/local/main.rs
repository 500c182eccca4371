//! The owner's commands as processes: devices and what is held of them, the hook of a server, limits, trial runs, and trust.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod devices;
mod hook;
mod init;
mod limits;
mod remote;
mod trial;
mod trust;
