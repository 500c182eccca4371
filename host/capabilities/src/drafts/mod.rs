//! `drafts/submit`: typed proposals into `Pending_Approval/`, plans into `Plans/`.

mod host;

use std::sync::Arc;

use jiff::SignedDuration;
use platinum_core::{Capability, Timestamp};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::drafts::submit,
    offered::offer,
    tasks::TaskStore,
    view::{Of, view},
    writing::Author,
};

/// How long an approval counts if the skill does not say.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);
/// How long it may count at most.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// What `drafts/submit` works on.
pub(crate) struct DraftsCtx {
    pub(crate) vault: Vault,
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) author: Author,
    pub(crate) now: Timestamp,
}

/// `drafts/submit` over a vault and its tasks.
pub fn interface(vault: &Vault, store: &Arc<dyn TaskStore>) -> Box<dyn Interface> {
    let (vault, store) = (vault.clone(), Arc::clone(store));
    offer(
        Capability::DraftsSubmit,
        |linker| submit::add_to_linker::<_, Of<DraftsCtx>>(linker, view::<DraftsCtx>),
        move |call| DraftsCtx {
            vault: vault.clone(),
            store: Arc::clone(&store),
            author: Author::of(call),
            now: call.now,
        },
    )
}
