//! The traits of the interfaces that act: an approval is a value that an effect uses up.
//!
//! Lives elsewhere: everything that does not act is in the folder's `mod.rs`.
//! Invariants: an [`Approval`] can be made by a host alone, and is passed by value.

use super::Host;
use crate::actions::types::{EffectError, Receipt};
use crate::approvals::queue::{self, ApprovedAction};

/// One approved action, of the real host or of a test's.
pub trait Approval {
    /// Which effect takes it.
    fn kind(&self) -> String;
    /// The draft it was.
    fn draft(&self) -> String;
    /// The task it answers.
    fn task(&self) -> String;
    /// One line: what will happen.
    fn summary(&self) -> String;
}

impl Approval for ApprovedAction {
    fn kind(&self) -> String {
        Self::kind(self)
    }

    fn draft(&self) -> String {
        Self::draft(self)
    }

    fn task(&self) -> String {
        Self::task(self)
    }

    fn summary(&self) -> String {
        Self::summary(self)
    }
}

/// `platinum:approvals/queue`: what the owner approved.
pub trait Approvals {
    /// An approved action.
    type Approved: Approval;

    /// The oldest approved action of these kinds.
    fn next(&self, kinds: &[String]) -> Result<Option<Self::Approved>, queue::Error>;
    /// Gives an action back undone.
    fn refuse(&self, approved: Self::Approved, reason: &str) -> Result<(), queue::Error>;
}

impl Approvals for Host {
    type Approved = ApprovedAction;

    fn next(&self, kinds: &[String]) -> Result<Option<ApprovedAction>, queue::Error> {
        queue::next(kinds)
    }

    fn refuse(&self, approved: ApprovedAction, reason: &str) -> Result<(), queue::Error> {
        queue::refuse(approved, reason)
    }
}

/// `platinum:email/send`: sends what was approved.
pub trait SendEmail: Approvals {
    /// Sends, at most once. The approval is used up.
    fn send(&self, approved: Self::Approved) -> Result<Receipt, EffectError>;
}

impl SendEmail for Host {
    fn send(&self, approved: ApprovedAction) -> Result<Receipt, EffectError> {
        crate::email::send::send(approved)
    }
}

/// `platinum:odoo/post`: posts, or records a payment, as it was approved.
pub trait PostOdoo: Approvals {
    /// Posts or records, at most once. The approval is used up.
    fn post(&self, approved: Self::Approved) -> Result<Receipt, EffectError>;
}

impl PostOdoo for Host {
    fn post(&self, approved: ApprovedAction) -> Result<Receipt, EffectError> {
        crate::odoo::post::post(approved)
    }
}

/// `platinum:social/publish`: publishes what was approved.
pub trait PublishSocial: Approvals {
    /// Publishes, at most once. The approval is used up.
    fn publish(&self, approved: Self::Approved) -> Result<Receipt, EffectError>;
}

impl PublishSocial for Host {
    fn publish(&self, approved: ApprovedAction) -> Result<Receipt, EffectError> {
        crate::social::publish::publish(approved)
    }
}

/// `platinum:whatsapp/send`: sends a chat message that was approved.
pub trait SendWhatsapp: Approvals {
    /// Sends, at most once. The approval is used up.
    fn send_message(&self, approved: Self::Approved) -> Result<Receipt, EffectError>;
}

impl SendWhatsapp for Host {
    fn send_message(&self, approved: ApprovedAction) -> Result<Receipt, EffectError> {
        crate::whatsapp::send::send(approved)
    }
}
