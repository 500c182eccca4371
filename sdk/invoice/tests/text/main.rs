//! The invoice text, from the outside: what people write, what programs render, and hostile input.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod people;
mod properties;
