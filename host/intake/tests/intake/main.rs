//! From a mail, or a dropped file, to a task: exactly once, and for every input of the fuzz corpus; and on to what
//! the drafter makes of it.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod accounting;
mod corpus;
mod drafting;
mod folder;
mod odoo;
mod recipients;
mod social;
mod taking_in;
mod whatsapp;
