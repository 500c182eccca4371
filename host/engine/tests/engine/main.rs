//! The engine against components that were built for it, most of them hostile: `tests/guests`.
//!
//! Each guest stands in the table of [`linking`], which fails when one is forgotten.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a panic in a test is a failed test with a line number"
)]

mod cache;
mod calls;
mod contract;
mod crafted;
mod folders;
mod hostile;
mod limits;
mod linking;
mod support;
