//! Platinum tested from outside, on real servers; and what several of these tests share.
//!
//! Lives here: [`hosts`], the built daemons of one or both halves; [`worker`], a host in a process of its own that
//! does what a test tells it and dies where the test wants it to; [`oracle`], a person's editor that knows which bytes
//! may not be lost.
//! Lives elsewhere: the tests are in `tests/`, a folder a suite.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "all of this crate is tests: a panic is a failed test with a line number"
)]

pub mod hosts;
pub mod oracle;
pub mod worker;
