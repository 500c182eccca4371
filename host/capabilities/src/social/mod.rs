//! `social/draft`, the accounts on social networks without a way to publish; and `social/propose`.
//!
//! - [`server`]: the MCP server, and what is known of a call that failed; `answers`: what it answers;
//! - `record`: a post of a skill's, checked; `host`, `propose`: the host side of the two interfaces;
//! - [`zone`]: the section `[zones.social]`; `accounts`: what the host reads of the servers' file; `check`: its rows of
//!   `doctor`.
//!
//! Lives elsewhere: what a network takes, how a post counts and how it will look is the server's (`servers/social`).
//! Invariants: a skill names accounts and files, and holds no key of the one and no byte of the other; how a post will
//! look is the server's word.

mod accounts;
mod answers;
mod check;
mod host;
mod propose;
mod record;
mod server;
pub mod zone;

use std::sync::Arc;

use platinum_core::{Capability, TaskId};
use platinum_engine::{Call, Interface};
use platinum_vault::Vault;

pub use server::{Networks, read_only};

use crate::{
    bindings::platinum::social::{draft as draft_interface, propose as propose_interface},
    context::{HasCtx, context_of},
    proposals::{self, ProposeCtx},
    registry::Offer,
    tasks::TaskStore,
};

/// What reading, checking and drafting work on.
pub(crate) struct SocialCtx {
    pub(crate) networks: Networks,
    /// Where the pictures are.
    pub(crate) vault: Vault,
    /// The task that the skill is run for.
    pub(crate) task: Option<TaskId>,
}

/// What proposing works on.
pub(crate) struct SocialProposeCtx {
    pub(crate) networks: Networks,
    pub(crate) proposals: ProposeCtx,
}

pub(crate) const DRAFT: Offer<SocialCtx> = Offer::new(Capability::SocialDraft, |linker| {
    draft_interface::add_to_linker::<_, HasCtx<SocialCtx>>(
        linker,
        context_of::<_, { Capability::SocialDraft as usize }>,
    )
});
pub(crate) const PROPOSE: Offer<SocialProposeCtx> =
    Offer::new(Capability::SocialPropose, |linker| {
        propose_interface::add_to_linker::<_, HasCtx<SocialProposeCtx>>(
            linker,
            context_of::<_, { Capability::SocialPropose as usize }>,
        )
    });

/// The two interfaces over the accounts. What is proposed becomes a note of `vault`, for a task that `store` knows.
pub fn interfaces(
    networks: &Networks,
    vault: &Vault,
    store: &Arc<dyn TaskStore>,
) -> Vec<Box<dyn Interface>> {
    let (own, files) = (networks.clone(), vault.clone());
    let draft = move |call: &Call| SocialCtx {
        networks: own.clone(),
        vault: files.clone(),
        task: call.task,
    };
    let (own, proposals) = (networks.clone(), proposals::context(vault, store));
    let propose = move |call: &Call| SocialProposeCtx {
        networks: own.clone(),
        proposals: proposals(call),
    };
    vec![DRAFT.with(draft), PROPOSE.with(propose)]
}
