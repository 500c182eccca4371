//! WhatsApp without a way to send: the configuration, the webhook of the Cloud API, and the store of what it brought.
//!
//! # Layout
//! - [`config`]: the file `whatsapp.toml`;
//! - [`contact`]: who a chat is with, as a pair of number and id, and until when they may be answered;
//! - [`event`]: what happens in chats, whatever brought it; [`payload`]: the same out of a webhook's JSON;
//! - [`signature`]: whether a webhook is Meta's; [`receiver`]: the listener on loopback;
//! - [`mod@store`]: messages, chats, deliveries and attempts to send, in SQLite.
//!
//! Lives elsewhere: sending, and the tools, are the crate `platinum-whatsapp`; what becomes a task is
//! `host/intake`'s. Another way into WhatsApp, such as a linked device, brings [`event::ChatEvent`]s too, and implements
//! the trait `Channel` of that crate.
//!
//! # Invariants
//! - Nothing is believed of a webhook before its signature was checked over its bytes as they came.
//! - A message counts once, by its id, however often and however many at a time it is brought.
//! - No file of a message is fetched; nothing is marked as read; nothing is sent from here.

pub mod config;
pub mod contact;
pub mod event;
pub mod payload;
pub mod receiver;
pub mod signature;
pub mod store;

pub use config::WhatsappConfig;
pub use contact::ContactPair;
pub use store::{Store, StoreError};
