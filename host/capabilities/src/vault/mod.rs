//! `vault/context`: reads what the grant names, and nothing else.

mod host;

use std::sync::Arc;

use platinum_core::{Capability, VaultPath};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::vault::context,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What `vault/context` reads.
pub(crate) struct NotesCtx {
    pub(crate) vault: Vault,
    pub(crate) granted: Arc<[VaultPath]>,
}

pub(crate) const CONTEXT: Offer<NotesCtx> = Offer::new(Capability::VaultContext, |linker| {
    context::add_to_linker::<_, HasCtx<NotesCtx>>(linker, context_of)
});

/// `vault/context` over the granted files and folders of a vault.
pub fn interface(vault: &Vault, granted: Vec<VaultPath>) -> Box<dyn Interface> {
    let vault = vault.clone();
    let granted: Arc<[VaultPath]> = granted.into();
    CONTEXT.with(move |_| NotesCtx {
        vault: vault.clone(),
        granted: Arc::clone(&granted),
    })
}
