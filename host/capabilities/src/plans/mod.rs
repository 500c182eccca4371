//! `plans/write`: plans into `Plans/`.

mod host;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::plans::write,
    context::{HasCtx, context_of},
    proposals::{self, ProposeCtx},
    registry::Offer,
    tasks::TaskStore,
};

pub(crate) const WRITE: Offer<ProposeCtx> = Offer::new(Capability::PlansWrite, |linker| {
    write::add_to_linker::<_, HasCtx<ProposeCtx>>(
        linker,
        context_of::<_, { Capability::PlansWrite as usize }>,
    )
});

/// `plans/write` over a vault and its tasks.
pub fn interface(vault: &Vault, store: &Arc<dyn TaskStore>) -> Box<dyn Interface> {
    WRITE.with(proposals::context(vault, store))
}
