//! The servers of the test kit, used as an ordinary client would.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod git_servers;
mod mail_servers;
mod social_servers;
