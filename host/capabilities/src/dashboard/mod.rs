//! `dashboard/board`: the owner's one page, replaced with compare-and-swap. Local alone.

mod host;

pub use host::count;
use platinum_core::{Capability, Timestamp};
use platinum_engine::Interface;
use platinum_vault::Vault;

use crate::{
    bindings::platinum::dashboard::board,
    offered::offer,
    view::{Of, view},
};

/// What `dashboard/board` works on.
pub(crate) struct BoardCtx {
    pub(crate) vault: Vault,
    pub(crate) now: Timestamp,
}

/// `dashboard/board` over a vault.
pub fn interface(vault: &Vault) -> Box<dyn Interface> {
    let vault = vault.clone();
    offer(
        Capability::DashboardBoard,
        |linker| board::add_to_linker::<_, Of<BoardCtx>>(linker, view::<BoardCtx>),
        move |call| BoardCtx {
            vault: vault.clone(),
            now: call.now,
        },
    )
}
