//! Posting and payments from the owner's approval to a real Odoo 19, over the program that acts and both protocols.
//!
//! Lives here: the whole way, and what happens on it. To read: `host` is a machine with its vault and journal. Lives
//! elsewhere: what loses requests and answers is the test kit's `HttpProxy`; the effects against an Odoo of the
//! test's own are unit tests.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "all of this binary is tests: a panic is a failed test with a line number"
)]

mod faults;
mod host;
mod story;
