//! `email/search`, `email/people` and `email/draft`, the mailbox without a way to send; and
//! `email/propose`.
//!
//! Lives elsewhere: the mailbox itself is an MCP server's, reached through [`Mail`].
//! Invariant: a search finds only mails that the correspondent of the run's task took part in; a
//! run without a task finds none. Of people outside of the task a skill learns names and addresses
//! alone, and that only for the owner's own note.

mod accounts;
mod address_book;
mod correspondent;
mod host;
mod mail;
mod record;
pub mod zone;

use std::sync::Arc;

use platinum_core::{Capability, TaskId, ZoneId};
use platinum_engine::{Call, Interface};

pub use mail::{Mail, MailError, Matches, McpMail, Person, Query, SearchHit, Style};

use crate::{
    bindings::platinum::email::{draft, people, propose, search},
    context::{HasCtx, context_of},
    proposals::ProposeCtx,
    registry::Offer,
    tasks::TaskStore,
};

/// What the mail interfaces work on.
pub(crate) struct EmailCtx {
    pub(crate) mail: Arc<dyn Mail>,
    pub(crate) store: Arc<dyn TaskStore>,
    /// The task that the skill is run for.
    pub(crate) task: Option<TaskId>,
    pub(crate) zones: Vec<ZoneId>,
}

pub(crate) const SEARCH: Offer<EmailCtx> = Offer::new(Capability::EmailSearch, |linker| {
    search::add_to_linker::<_, HasCtx<EmailCtx>>(
        linker,
        context_of::<_, { Capability::EmailSearch as usize }>,
    )
});
pub(crate) const PEOPLE: Offer<EmailCtx> = Offer::new(Capability::EmailPeople, |linker| {
    people::add_to_linker::<_, HasCtx<EmailCtx>>(
        linker,
        context_of::<_, { Capability::EmailPeople as usize }>,
    )
});
pub(crate) const DRAFT: Offer<EmailCtx> = Offer::new(Capability::EmailDraft, |linker| {
    draft::add_to_linker::<_, HasCtx<EmailCtx>>(
        linker,
        context_of::<_, { Capability::EmailDraft as usize }>,
    )
});
pub(crate) const PROPOSE: Offer<ProposeCtx> = Offer::new(Capability::EmailPropose, |linker| {
    propose::add_to_linker::<_, HasCtx<ProposeCtx>>(
        linker,
        context_of::<_, { Capability::EmailPropose as usize }>,
    )
});

/// `email/search`, `email/people` and `email/draft` over a mailbox. What they find depends on the
/// run's task, which is looked up in `store`.
pub fn interfaces(mail: &Arc<dyn Mail>, store: &Arc<dyn TaskStore>) -> Vec<Box<dyn Interface>> {
    let context = || {
        let (mail, store) = (Arc::clone(mail), Arc::clone(store));
        move |call: &Call| EmailCtx {
            mail: Arc::clone(&mail),
            store: Arc::clone(&store),
            task: call.task,
            zones: call.zones.clone(),
        }
    };
    vec![
        SEARCH.with(context()),
        PEOPLE.with(context()),
        DRAFT.with(context()),
    ]
}
