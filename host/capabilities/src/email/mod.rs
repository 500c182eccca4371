//! `email/search` and `email/draft`, the mailbox without a way to send; and `email/propose`.
//!
//! Lives elsewhere: the mailbox itself is an MCP server's, reached through [`Mail`].

mod accounts;
mod host;
mod mail;
mod record;
pub mod zone;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::Interface;

pub use mail::{Mail, MailError, McpMail, Query, SearchHit};

use crate::{
    bindings::platinum::email::{draft, propose, search},
    context::{HasCtx, context_of},
    proposals::ProposeCtx,
    registry::Offer,
};

/// What the mail interfaces work on.
pub(crate) struct EmailCtx {
    mail: Arc<dyn Mail>,
}

pub(crate) const SEARCH: Offer<EmailCtx> = Offer::new(Capability::EmailSearch, |linker| {
    search::add_to_linker::<_, HasCtx<EmailCtx>>(linker, context_of)
});
pub(crate) const DRAFT: Offer<EmailCtx> = Offer::new(Capability::EmailDraft, |linker| {
    draft::add_to_linker::<_, HasCtx<EmailCtx>>(linker, context_of)
});
pub(crate) const PROPOSE: Offer<ProposeCtx> = Offer::new(Capability::EmailPropose, |linker| {
    propose::add_to_linker::<_, HasCtx<ProposeCtx>>(linker, context_of)
});

/// `email/search` and `email/draft` over a mailbox.
pub fn interfaces(mail: &Arc<dyn Mail>) -> Vec<Box<dyn Interface>> {
    let context = || {
        let mail = Arc::clone(mail);
        move |_: &platinum_engine::Call| EmailCtx {
            mail: Arc::clone(&mail),
        }
    };
    vec![SEARCH.with(context()), DRAFT.with(context())]
}
