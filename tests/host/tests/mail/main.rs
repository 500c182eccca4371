//! Mail from the server to the answer: the main job, servers with faults, and mail that means harm.
//!
//! `approvals` is what counts as the owner's yes, `everyday` files and further addresses, `gate` the main job on real servers, `fuzz_claims` what
//! is claimed of any bytes, `faulty_imap` IMAP servers that stall and lie, `hostile_mail` mails that try to
//! become more than text, `message` that what leaves is what was approved, `obedient` a model that does what
//! mails order, `quality` how right the answers are, `taken_over` a model or a cloud host that means harm,
//! `threads` what the owner does with mail and drafts elsewhere.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a panic here is a failed test with a line number"
)]

mod approvals;
mod everyday;
#[allow(clippy::disallowed_methods, reason = "it measures waits")]
mod faulty_imap;
mod fuzz_claims;
mod gate;
mod hostile_mail;
mod message;
mod obedient;
mod quality;
mod taken_over;
mod threads;
