//! MCP server for WhatsApp: reads the chats that the webhook brought, and sends a message that was approved.
//!
//! # Layout
//! - [`channel`]: the way into WhatsApp, a trait; [`cloud_api`]: the official Cloud API as one;
//! - [`template`]: the texts with gaps that WhatsApp has approved; [`file`]: a file to send;
//! - [`error_codes`]: what each error of the Cloud API means for a message, and its words for a person;
//! - [`service`]: the store and the channel behind the tools, and the one way to send;
//! - [`shapes`]: what the tools take and answer; [`mod@tools`]: the tools.
//!
//! Lives elsewhere: the webhook and the store are `platinum-whatsapp-store`, which cannot send; what all servers share
//! is `platinum-kit`; that a message was approved is the host's to see to.
//!
//! # Invariants
//! - One call of `send_message` is at most one message, and the same reference is one message for ever: what was begun
//!   is in the store before the network is used.
//! - What must not be sent does not reach the network: a text outside of the window, to a group, to a contact that is
//!   another one now. A template is the text that was approved.
//! - Nothing else leaves: no read receipt, no presence, no error, no queue.

pub mod channel;
pub mod cloud_api;
pub mod error_codes;
pub mod file;
pub mod service;
pub mod shapes;
pub mod template;
pub mod tools;

pub use service::WhatsappService;
pub use tools::tools;
