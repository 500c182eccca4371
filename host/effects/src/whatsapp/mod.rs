//! `whatsapp/send`: sends a chat message that the owner approved, at most once.
//!
//! Lives here: [`SendMessage`], the effect; [`WhatsappServer`], how WhatsApp is asked, and [`McpWhatsappServer`] over the
//! server for it.
//! Lives elsewhere: chats, the window in which they may be answered, and what became of a message are that server's.
//! Invariants: a message goes to the contact that was approved, as a pair of number and id, or back to its owner; one
//! whose window closed goes nowhere; a template is the text that was approved, a file the bytes that were.

mod host;
mod send;
mod server;

use platinum_core::Capability;

pub use send::SendMessage;
pub use server::{
    KnownChat, KnownContact, McpWhatsappServer, MessageRequest, OwnMessage, SentMessage,
    WhatsappServer,
};

use crate::{
    bindings::platinum::whatsapp::send as send_bindings,
    interface::{EffectOffer, HasEffects, view_of},
};

/// `whatsapp/send`.
pub(crate) const SEND: EffectOffer = EffectOffer::new(Capability::WhatsappSend, |linker| {
    send_bindings::add_to_linker::<_, HasEffects>(
        linker,
        view_of::<{ Capability::WhatsappSend as usize }>,
    )
});
