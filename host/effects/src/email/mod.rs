//! `email/send`: sends a mail that the owner approved, at most once.
//!
//! Lives here: [`SendMail`], the effect; the message that its owner approves (`message`);
//! [`MailSender`], how a mail leaves and how to ask after one, and [`McpMailSender`] over the full
//! mail server.
//! Beside it, for its owner alone: [`MailFiles`], the files of a mail that came.
//! Lives elsewhere: SMTP and the Sent folder are the mail server's.

mod host;
pub(crate) mod message;
mod received;
mod send;
mod sender;

use platinum_core::Capability;

pub use message::MailAccounts;
pub use received::{MailFiles, McpMailFiles, ReceivedFile, ReceivedFiles};
pub use send::SendMail;
pub use sender::{CloseRequest, MailFile, MailSender, McpMailSender, SendRequest, SentMatch};

use crate::{
    bindings::platinum::email::send as send_bindings,
    interface::{EffectOffer, HasEffects, view_of},
};

/// `email/send`.
pub(crate) const SEND: EffectOffer = EffectOffer::new(Capability::EmailSend, |linker| {
    send_bindings::add_to_linker::<_, HasEffects>(
        linker,
        view_of::<{ Capability::EmailSend as usize }>,
    )
});
