//! What a sync costs in a large vault: it looks at what changed, and at nothing else.
//!
//! `calls` counts file system calls, in every run. `cost` measures a vault of a thousand, ten
//! thousand and a hundred thousand notes; it takes minutes and is run by name:
//! `cargo test -p platinum-host-tests --test scale --release -- --ignored --nocapture`.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a panic here is a failed test with a line number"
)]

mod calls;
mod cost;
mod stage;
