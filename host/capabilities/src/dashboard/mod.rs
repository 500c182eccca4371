//! `dashboard/board`: the owner's one page, replaced with compare-and-swap. Local alone.

mod host;

pub use host::count;
use platinum_core::{Capability, Timestamp};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::dashboard::board,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What `dashboard/board` works on.
pub(crate) struct BoardCtx {
    pub(crate) vault: Vault,
    pub(crate) now: Timestamp,
}

pub(crate) const BOARD: Offer<BoardCtx> = Offer::new(Capability::DashboardBoard, |linker| {
    board::add_to_linker::<_, HasCtx<BoardCtx>>(
        linker,
        context_of::<_, { Capability::DashboardBoard as usize }>,
    )
});

/// `dashboard/board` over a vault.
pub fn interface(vault: &Vault) -> Box<dyn Interface> {
    let vault = vault.clone();
    BOARD.with(move |call| BoardCtx {
        vault: vault.clone(),
        now: call.now,
    })
}
