//! The servers for social networks against scripted ones: what they ask, and what becomes of answers that are wrong,
//! late, huge or lost.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a panic here is a failed test with a line number"
)]

mod bluesky;
mod drafting;
mod fake;
mod fixture;
mod hostile;
mod mastodon;
mod pictures;
mod proof;
mod reading;
mod real;
mod scripted;
mod stdio;
