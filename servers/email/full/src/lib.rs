//! MCP server for mail that can also send.
//!
//! # Layout
//! - [`smtp`]: one attempt to send, and what became of it;
//! - [`send`]: the tool: sending, the outbox of a Maildir, the copy in Sent;
//! - [`server`]: the MCP server: the draft-only tools and `send_email`.
//!
//! Searching and drafting are the crate `platinum-email-draft`; mailboxes and the bytes of a mail `platinum-mailbox`.
//!
//! # Invariant
//! One call is at most one attempt. Whoever calls decides about another one, by the outcome:
//! `not_sent` is certain, `unknown` is said as soon as the message may have been taken.

pub mod send;
pub mod server;
pub mod smtp;

pub use send::{Outcome, SendAnswer, Sender};
pub use server::MailServer;
