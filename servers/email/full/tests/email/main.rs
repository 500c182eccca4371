//! The sending mail server: over stdio on a Maildir (`stdio`), and on real and scripted servers (`real`).

#![allow(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod real;
mod scripted;
mod stdio;
