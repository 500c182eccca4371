//! Several agents on one remote, each with its own vault, repository and synchronizer; the remote
//! is a bare repository behind git's own daemon on loopback.
//!
//! `claims` is about who owns a task, `content` about files both sides change, `intruders` about
//! commits that may not be applied.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic here is a failed test with a line number"
)]

mod claims;
mod content;
mod intruders;
mod side;
