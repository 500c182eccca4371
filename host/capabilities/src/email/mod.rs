//! `email/search` and `email/draft`: the mailbox, without a way to send.
//!
//! Lives elsewhere: the mailbox itself is an MCP server's, reached through [`Mail`].

mod accounts;
mod host;
mod mail;
pub mod zone;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::Interface;

pub use mail::{Found, Mail, MailError, McpMail, Query};

use crate::{
    bindings::platinum::email::{draft, search},
    offered::offer,
    view::{Of, view},
};

/// What the mail interfaces work on.
pub(crate) struct EmailCtx {
    mail: Arc<dyn Mail>,
}

/// `email/search` and `email/draft` over a mailbox.
pub fn interfaces(mail: &Arc<dyn Mail>) -> Vec<Box<dyn Interface>> {
    let context = || {
        let mail = Arc::clone(mail);
        move |_: &platinum_engine::Call| EmailCtx {
            mail: Arc::clone(&mail),
        }
    };
    vec![
        offer(
            Capability::EmailSearch,
            |linker| search::add_to_linker::<_, Of<EmailCtx>>(linker, view::<EmailCtx>),
            context(),
        ),
        offer(
            Capability::EmailDraft,
            |linker| draft::add_to_linker::<_, Of<EmailCtx>>(linker, view::<EmailCtx>),
            context(),
        ),
    ]
}
