//! `odoo/read` and `odoo/draft`, the books without a way to post; and `odoo/propose`.
//!
//! - [`server`]: the MCP server, and what is known of a call that failed; `answers`: what it answers;
//! - `read`, `draft`, `propose`: the host side of the three interfaces;
//! - [`zone`]: the section `[zones.accounting]`; `check`: its row of `doctor`.
//!
//! Lives elsewhere: what Odoo is asked, and what may be asked of it, is the server's (`servers/odoo`).
//! Invariants: where a company is configured, nothing of another one is read or drafted; a skill chooses neither
//! the name of a draft in Odoo nor a word of what the owner is shown of a document.

mod answers;
mod check;
mod draft;
mod propose;
mod read;
mod server;
pub mod zone;

use std::sync::Arc;

use platinum_core::{Capability, TaskId};
use platinum_engine::{Call, Interface};
use platinum_vault::Vault;

pub use server::{Books, CompanyKey, read_only};

use crate::{
    bindings::platinum::odoo::{
        draft as draft_interface, propose as propose_interface, read as read_interface,
    },
    context::{HasCtx, context_of},
    proposals::{self, ProposeCtx},
    registry::Offer,
    tasks::TaskStore,
};

/// What reading and drafting work on.
pub(crate) struct OdooCtx {
    pub(crate) books: Books,
    /// The task that the skill is run for.
    pub(crate) task: Option<TaskId>,
}

/// What proposing works on.
pub(crate) struct OdooProposeCtx {
    pub(crate) books: Books,
    pub(crate) proposals: ProposeCtx,
}

pub(crate) const READ: Offer<OdooCtx> = Offer::new(Capability::OdooRead, |linker| {
    read_interface::add_to_linker::<_, HasCtx<OdooCtx>>(
        linker,
        context_of::<_, { Capability::OdooRead as usize }>,
    )
});
pub(crate) const DRAFT: Offer<OdooCtx> = Offer::new(Capability::OdooDraft, |linker| {
    draft_interface::add_to_linker::<_, HasCtx<OdooCtx>>(
        linker,
        context_of::<_, { Capability::OdooDraft as usize }>,
    )
});
pub(crate) const PROPOSE: Offer<OdooProposeCtx> = Offer::new(Capability::OdooPropose, |linker| {
    propose_interface::add_to_linker::<_, HasCtx<OdooProposeCtx>>(
        linker,
        context_of::<_, { Capability::OdooPropose as usize }>,
    )
});

/// The three interfaces over the books. What is proposed becomes a note of `vault`, for a task that `store` knows.
pub fn interfaces(
    books: &Books,
    vault: &Vault,
    store: &Arc<dyn TaskStore>,
) -> Vec<Box<dyn Interface>> {
    let context = || {
        let books = books.clone();
        move |call: &Call| OdooCtx {
            books: books.clone(),
            task: call.task,
        }
    };
    let proposals = proposals::context(vault, store);
    let books = books.clone();
    vec![
        READ.with(context()),
        DRAFT.with(context()),
        PROPOSE.with(move |call: &Call| OdooProposeCtx {
            books: books.clone(),
            proposals: proposals(call),
        }),
    ]
}
