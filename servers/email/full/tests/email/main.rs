//! The sending mail server: over stdio on a Maildir (`stdio`), and on real and scripted servers: `real`, mailboxes
//! as they are laid out (`folders`), what an owner gets wrong (`mistakes`), logins with OAuth 2 (`oauth`).

#![allow(
    clippy::expect_used,
    clippy::needless_pass_by_value,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod folders;
mod mistakes;
mod oauth;
mod real;
mod scripted;
mod stdio;
