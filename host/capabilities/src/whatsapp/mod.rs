//! `whatsapp/read`, the chat of a task without a way to send; and `whatsapp/propose`.
//!
//! - [`server`]: the MCP server, and what it answers;
//! - `host`: the host side of the two interfaces;
//! - [`zone`]: the section `[zones.whatsapp]`, and its row of `doctor`.
//!
//! Lives elsewhere: chats, and what may be sent to them, are the server's (`servers/whatsapp`).
//! Invariants: a skill reads the chat of its run's task and no other; to whom a message goes is bound here, by what the
//! server has of the chat, never by a word of the skill's.

mod host;
mod server;
pub mod zone;

use std::sync::Arc;

use platinum_core::{Capability, TaskId};
use platinum_engine::{Call, Interface};
use platinum_vault::Vault;

pub use server::{
    ChatMessages, ChatState, CheckedMessage, KnownMessage, KnownTemplate, KnownTemplates,
};

use crate::{
    bindings::platinum::whatsapp::{propose as propose_interface, read as read_interface},
    context::{HasCtx, context_of},
    proposals::{self, ProposeCtx},
    registry::Offer,
    server::ToolServer,
    tasks::TaskStore,
};

/// What reading works on.
pub(crate) struct WhatsappCtx {
    pub(crate) server: Arc<dyn ToolServer>,
    pub(crate) store: Arc<dyn TaskStore>,
    /// The task that the skill is run for.
    pub(crate) task: Option<TaskId>,
}

/// What proposing works on.
pub(crate) struct WhatsappProposeCtx {
    pub(crate) server: Arc<dyn ToolServer>,
    pub(crate) proposals: ProposeCtx,
}

pub(crate) const READ: Offer<WhatsappCtx> = Offer::new(Capability::WhatsappRead, |linker| {
    read_interface::add_to_linker::<_, HasCtx<WhatsappCtx>>(
        linker,
        context_of::<_, { Capability::WhatsappRead as usize }>,
    )
});
pub(crate) const PROPOSE: Offer<WhatsappProposeCtx> =
    Offer::new(Capability::WhatsappPropose, |linker| {
        propose_interface::add_to_linker::<_, HasCtx<WhatsappProposeCtx>>(
            linker,
            context_of::<_, { Capability::WhatsappPropose as usize }>,
        )
    });

/// Both interfaces over a server. What is proposed becomes a note of `vault`, for a task that `store` knows.
pub fn interfaces(
    server: &Arc<dyn ToolServer>,
    vault: &Vault,
    store: &Arc<dyn TaskStore>,
) -> Vec<Box<dyn Interface>> {
    let proposals = proposals::context(vault, store);
    let (reading, proposing) = (Arc::clone(server), Arc::clone(server));
    let store = Arc::clone(store);
    vec![
        READ.with(move |call: &Call| WhatsappCtx {
            server: Arc::clone(&reading),
            store: Arc::clone(&store),
            task: call.task,
        }),
        PROPOSE.with(move |call: &Call| WhatsappProposeCtx {
            server: Arc::clone(&proposing),
            proposals: proposals(call),
        }),
    ]
}
