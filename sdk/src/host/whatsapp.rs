//! The traits of the interfaces of WhatsApp that do not act.
//!
//! Lives elsewhere: sending is in `acting.rs`; the macro is the folder's.

use super::Host;
use crate::actions::types::{Proposal, ProposeError};
use crate::whatsapp;

interface! {
    /// `platinum:whatsapp/read`: the chat of the run's task.
    ReadWhatsapp = whatsapp::read {
        /// Who the chat is with, and until when it may be answered.
        fn get_chat(chat: &str) -> Result<whatsapp::types::Chat, whatsapp::types::Error>;
        /// The last messages of the chat, newest first.
        fn messages(chat: &str, limit: u32) -> Result<Vec<whatsapp::types::Message>, whatsapp::types::Error>;
        /// The templates that may be sent.
        fn templates() -> Result<Vec<whatsapp::types::Template>, whatsapp::types::Error>;
    }
}

/// `platinum:whatsapp/propose`: proposes a chat message.
pub trait ProposeWhatsapp {
    /// Proposes the message; answers the draft's id.
    fn propose_message(
        &self,
        proposal: &Proposal,
        outgoing: &whatsapp::types::Outgoing,
    ) -> Result<String, ProposeError>;
}

impl ProposeWhatsapp for Host {
    fn propose_message(
        &self,
        proposal: &Proposal,
        outgoing: &whatsapp::types::Outgoing,
    ) -> Result<String, ProposeError> {
        whatsapp::propose::propose(proposal, outgoing)
    }
}
