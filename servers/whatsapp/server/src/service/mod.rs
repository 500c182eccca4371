//! [`WhatsappService`]: the store and the channel behind the tools.
//!
//! Lives here: what is read and checked, in `reading`; the one way to send, in `sending`.

mod reading;
mod sending;

pub use reading::{ServiceError, WhatsappService};
