//! `approvals/queue`: what the owner approved, handed out one at a time.
//!
//! Lives here: [`Approvals`], which reads `Approved/` and mints [`Approved`]; [`inspect`], the same
//! view for people; [`act`], the owner's yes and its undoing; [`findings`](findings()), what has to
//! be confirmed; the host side of the interface.
//! Lives elsewhere: carrying an action out is for the effect's own folder; the records are
//! `journal`'s.
//! Invariants: an approval is a record of an act, never a file that is there; an [`Approved`] comes
//! only from a record that is current and due, and from the file in `Approved/` that it is for: one
//! that parses, is named after its id, has not expired, is not in `Rejected/` too, and was neither
//! done, refused nor tried with an unknown outcome; its fingerprint covers every byte that will
//! leave; what was changed since goes back to the owner.

pub mod act;
mod admission;
mod findings;
mod fingerprint;
mod host;
mod inspect;
mod message;
mod policy;
mod queue;
mod synchronizers;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use platinum_core::Capability;
use platinum_engine::{Call, Interface, Linker, SkillState};
use platinum_journal::approvals::Approval;
use platinum_vault::note::DraftNote;
use wasmtime::component::{HasData, ResourceTable};

pub use admission::{Admitted, IN_DOUBT, RETURNED, Returned};
pub use findings::{CheckContext, Finding, findings};
pub use fingerprint::{Attachment, GAPS, Outgoing, SEND_AT, Unreadable};
pub use inspect::{EntryState, QueueEntry, inspect};
pub use message::MessageError;
pub use policy::ApprovalPolicy;
pub use queue::Approvals;

use crate::bindings::platinum::approvals::queue as bindings;

/// One approved action. Only [`Approvals`] makes one, and an effect uses it up.
#[derive(Debug)]
pub struct Approved {
    note: DraftNote,
    fingerprint: String,
    approval: Approval,
}

impl Approved {
    /// The draft as the owner approved it.
    pub fn draft(&self) -> &DraftNote {
        &self.note
    }

    /// SHA-256, in hex, of what will leave.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }
}

/// `approvals/queue` for the engine.
pub struct ApprovalsQueue(Option<Arc<Approvals>>);

impl ApprovalsQueue {
    /// The interface over these approvals.
    pub fn new(approvals: Arc<Approvals>) -> Self {
        Self(Some(approvals))
    }

    /// The interface for components that are checked and never run.
    pub(crate) const fn link_only() -> Self {
        Self(None)
    }
}

struct QueueCtx(Arc<Approvals>);

pub(crate) struct QueueView<'a> {
    pub(crate) approvals: &'a Arc<Approvals>,
    pub(crate) table: &'a mut ResourceTable,
}

struct Queue;

impl HasData for Queue {
    type Data<'a> = QueueView<'a>;
}

impl Interface for ApprovalsQueue {
    fn capability(&self) -> Capability {
        Capability::ApprovalsQueue
    }

    fn link(&self, linker: &mut Linker<SkillState>) -> wasmtime::Result<()> {
        bindings::add_to_linker::<_, Queue>(linker, |state| {
            state.mark_used(Capability::ApprovalsQueue);
            let (QueueCtx(approvals), table) = state.view::<QueueCtx>();
            QueueView { approvals, table }
        })
    }

    fn prepare(&self, state: &mut SkillState, _: &Call) {
        if let Some(approvals) = &self.0 {
            state.put(QueueCtx(Arc::clone(approvals)));
        }
    }
}
