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
    offered::offer,
    view::{Of, view},
};

/// What `sync/run` works on.
pub(crate) struct SyncCtx {
    syncer: Arc<dyn Syncer>,
}

/// `sync/run` over a sync driver.
pub fn interface(syncer: &Arc<dyn Syncer>) -> Box<dyn Interface> {
    let syncer = Arc::clone(syncer);
    offer(
        Capability::SyncRun,
        |linker| run::add_to_linker::<_, Of<SyncCtx>>(linker, view::<SyncCtx>),
        move |_| SyncCtx {
            syncer: Arc::clone(&syncer),
        },
    )
}
