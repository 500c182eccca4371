//! `updates/publish` and `updates/collect`: status notes from agents, and their way out.

mod host;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

use platinum_core::{Capability, Timestamp, VaultPath};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::updates::{collect, publish},
    blocking::Author,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What the update interfaces work on.
pub(crate) struct UpdatesCtx {
    pub(crate) vault: Vault,
    pub(crate) author: Author,
    pub(crate) now: Timestamp,
    /// Files in `Updates/` that are none, as far as the log has them.
    pub(crate) logged: Arc<Mutex<BTreeSet<VaultPath>>>,
}

pub(crate) const PUBLISH: Offer<UpdatesCtx> = Offer::new(Capability::UpdatesPublish, |linker| {
    publish::add_to_linker::<_, HasCtx<UpdatesCtx>>(
        linker,
        context_of::<_, { Capability::UpdatesPublish as usize }>,
    )
});
pub(crate) const COLLECT: Offer<UpdatesCtx> = Offer::new(Capability::UpdatesCollect, |linker| {
    collect::add_to_linker::<_, HasCtx<UpdatesCtx>>(
        linker,
        context_of::<_, { Capability::UpdatesCollect as usize }>,
    )
});

/// `updates/publish` into `Updates/<this agent>/`.
pub fn publish(vault: &Vault) -> Box<dyn Interface> {
    let vault = vault.clone();
    PUBLISH.with(move |call| UpdatesCtx {
        vault: vault.clone(),
        author: Author::of(call),
        now: call.now,
        logged: Arc::default(),
    })
}

/// `updates/collect` from all agents' folders.
pub fn collect(vault: &Vault) -> Box<dyn Interface> {
    let (vault, logged) = (vault.clone(), Arc::default());
    COLLECT.with(move |call| UpdatesCtx {
        vault: vault.clone(),
        author: Author::of(call),
        now: call.now,
        logged: Arc::clone(&logged),
    })
}
