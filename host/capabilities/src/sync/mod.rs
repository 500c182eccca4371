//! `sync/run`: pull and push.
//!
//! Lives elsewhere: the sync itself, behind [`Syncer`], which the daemon implements.

mod host;
mod runner;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::Interface;
pub use runner::{SyncReport, SyncRunError, Syncer};

use crate::{
    bindings::platinum::sync::run,
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What `sync/run` works on.
pub(crate) struct SyncCtx {
    syncer: Arc<dyn Syncer>,
}

pub(crate) const RUN: Offer<SyncCtx> = Offer::new(Capability::SyncRun, |linker| {
    run::add_to_linker::<_, HasCtx<SyncCtx>>(
        linker,
        context_of::<_, { Capability::SyncRun as usize }>,
    )
});

/// `sync/run` over a sync driver.
pub fn interface(syncer: &Arc<dyn Syncer>) -> Box<dyn Interface> {
    let syncer = Arc::clone(syncer);
    RUN.with(move |_| SyncCtx {
        syncer: Arc::clone(&syncer),
    })
}
