//! The repository and its remotes, with git's own programs as the judge.
//!
//! A file an area: `every_remote` has what holds for each kind of remote.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod bombs;
mod every_remote;
mod hostile;
mod maintenance;
mod news;
mod remote;
mod signing;
mod trees;
