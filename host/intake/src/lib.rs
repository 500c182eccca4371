//! The outside turned into tasks, one process per source.
//!
//! # Layout
//! - [`source`]: the trait of a source, and the one loop over it;
//! - [`mail`]: new mails of one account become notes in `Needs_Action/email/`;
//! - [`folder`]: a file that a person drops into the vault becomes a task;
//! - [`accounting`]: bills and requests for invoices, from mails, files and Odoo;
//! - [`social`]: posts that mention the owner;
//! - [`whatsapp`]: what people write on WhatsApp, a task a burst, and the webhook that brings it;
//! - [`text`]: outside text made harmless: bounded, visible, fenced;
//! - [`ledger`]: what was seen already, durable, so that each thing becomes one task however often the
//!   process dies;
//! - `notes`: what the sources share of the vault; `zone_tasks`: what those of one zone share;
//! - [`stop`]: when to end: SIGTERM, SIGINT, or the parent's end of the pipe closes.
//!
//! Lives elsewhere: reading mailboxes and MIME is `platinum-mailbox`'s; writing notes is `vault`'s;
//! deciding what to do about a task is a skill's.
//!
//! # Invariants
//! - Nothing from outside becomes a path, a frontmatter key, or Markdown outside a fence.
//! - A task's id is chosen and stored before its note is written; a note is created, never replaced.
//! - The mailbox is only read.

pub mod accounting;
pub mod folder;
pub mod ledger;
pub mod mail;
mod notes;
pub mod social;
pub mod source;
pub mod stop;
pub mod text;
pub mod whatsapp;
mod zone_tasks;
