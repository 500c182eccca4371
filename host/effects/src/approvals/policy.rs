//! [`ApprovalPolicy`]: what the owner configured about approvals.

use std::time::Duration;

use platinum_core::Timestamp;
use platinum_journal::approvals::Approval;

use crate::{email::MailAccounts, social::SocialAccounts};

/// What the owner configured about approvals, and who asks.
#[derive(Debug, Clone)]
pub struct ApprovalPolicy {
    /// How long an approval is held before its effect: the time to take it back.
    pub hold: Duration,
    /// How long to wait after the first attempt that certainly did nothing; twice as long after each further one.
    pub retry: Duration,
    /// Whether a move by another device or program counts as the owner's.
    pub accepts_other_devices: bool,
    /// The name of this machine, as it stands in the records.
    pub machine: String,
    /// SHA-256, in hex, of the skills that may carry approvals out, and of their grants; none if
    /// that is not known.
    pub skills: Option<String>,
    /// The accounts from which mails leave.
    pub accounts: MailAccounts,
    /// The accounts by which posts are published.
    pub social: SocialAccounts,
    /// Whether an Odoo is set up here.
    pub has_odoo: bool,
}

impl ApprovalPolicy {
    /// Not before this may an approval be carried out.
    pub(super) fn due(&self, approval: &Approval) -> Timestamp {
        self.leaves_at(approval.at, approval.binds.send_at)
    }

    /// When something leaves that is approved at this moment.
    pub(super) fn leaves_at(&self, approved: Timestamp, send_at: Option<Timestamp>) -> Timestamp {
        let held = approved.checked_add(self.hold).unwrap_or(approved);
        send_at.map_or(held, |at| at.max(held))
    }
}
