//! `tasks/*`: reading, owning and finishing tasks.
//!
//! Lives elsewhere: the tasks themselves, behind [`TaskStore`], which the daemon implements.
//! Invariant: a skill sees and claims tasks of its granted zones alone, and the cloud never one
//! of a zone that belongs to the owner's machine.

mod host;
mod store;

use std::sync::Arc;

use platinum_core::{Capability, Role, ZoneId};
use platinum_engine::{Call, Interface};
pub use store::{Owner, TaskError, TaskStore};

use crate::{
    bindings::platinum::tasks::{claim, finish, ownership, read},
    context::{HasCtx, context_of},
    registry::Offer,
};

/// What the task interfaces work on.
pub(crate) struct TasksCtx {
    pub(crate) store: Arc<dyn TaskStore>,
    pub(crate) zones: Vec<ZoneId>,
    pub(crate) role: Role,
    pub(crate) receipts: Arc<dyn Receipts>,
}

/// Where the receipts of a task's effects come from when it is filed: the journal on the owner's
/// machine, nothing on a server.
pub trait Receipts: Send + Sync {
    /// The receipts of a task's effects, oldest first.
    ///
    /// # Errors
    /// One line, if they cannot be read.
    fn of_task(
        &self,
        task: platinum_core::TaskId,
    ) -> Result<Vec<platinum_vault::note::ReceiptRecord>, String>;
}

/// A role that makes no effects has no receipts.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoReceipts;

impl Receipts for NoReceipts {
    fn of_task(
        &self,
        _: platinum_core::TaskId,
    ) -> Result<Vec<platinum_vault::note::ReceiptRecord>, String> {
        Ok(Vec::new())
    }
}

pub(crate) const READ: Offer<TasksCtx> = Offer::new(Capability::TasksRead, |linker| {
    read::add_to_linker::<_, HasCtx<TasksCtx>>(
        linker,
        context_of::<_, { Capability::TasksRead as usize }>,
    )
});
pub(crate) const OWNERSHIP: Offer<TasksCtx> = Offer::new(Capability::TasksOwnership, |linker| {
    ownership::add_to_linker::<_, HasCtx<TasksCtx>>(
        linker,
        context_of::<_, { Capability::TasksOwnership as usize }>,
    )
});
pub(crate) const CLAIM: Offer<TasksCtx> = Offer::new(Capability::TasksClaim, |linker| {
    claim::add_to_linker::<_, HasCtx<TasksCtx>>(
        linker,
        context_of::<_, { Capability::TasksClaim as usize }>,
    )
});
pub(crate) const FINISH: Offer<TasksCtx> = Offer::new(Capability::TasksFinish, |linker| {
    finish::add_to_linker::<_, HasCtx<TasksCtx>>(
        linker,
        context_of::<_, { Capability::TasksFinish as usize }>,
    )
});

/// The four task interfaces over one store.
pub fn interfaces(
    store: &Arc<dyn TaskStore>,
    receipts: &Arc<dyn Receipts>,
) -> Vec<Box<dyn Interface>> {
    let context = || {
        let (store, receipts) = (Arc::clone(store), Arc::clone(receipts));
        move |call: &Call| TasksCtx {
            store: Arc::clone(&store),
            zones: call.zones.clone(),
            role: call.role,
            receipts: Arc::clone(&receipts),
        }
    };
    vec![
        READ.with(context()),
        OWNERSHIP.with(context()),
        CLAIM.with(context()),
        FINISH.with(context()),
    ]
}
