//! The servers for Odoo: their protocol against a scripted Odoo, what they do against one with faults.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::needless_pass_by_value,
    reason = "a panic here is a failed test with a line number"
)]

mod acting;
mod drafting;
mod fake;
mod proof;
mod protocol;
mod real;
mod scripted;
mod stdio;
