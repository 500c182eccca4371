//! The message that an approval binds: what is composed when it is given, and compared before it is
//! carried out.
//!
//! What Odoo is asked to do has no message: the text that its owner approved is rendered anew from what Odoo has, and
//! compared, before each attempt; such a thing is not approved where no Odoo is set up. Of a post the message is what
//! its network's server is given.
//! Invariants: an approval counts for one message alone, under one reference; one that binds none, as
//! earlier versions wrote them, counts for no message; what cannot be composed is not approved, and waits.

use platinum_core::{ActionKind, DraftId};
use platinum_journal::{
    JournalError,
    approvals::{Approval, MessageDigest},
};

use super::{ApprovalPolicy, Outgoing};
use crate::{email, social};

/// Why the message of a draft is not known.
#[derive(Debug, thiserror::Error)]
pub enum MessageError {
    /// The draft or the account does not let it be composed.
    #[error("the message cannot be composed: {0}")]
    Uncomposable(String),
    /// Nothing on this machine could carry it out, or say what it would do.
    #[error(
        "Odoo is not set up on this machine: it needs `[zones.accounting]` in the configuration"
    )]
    NoOdoo,
    /// The draft or the account does not let it be published.
    #[error("the post cannot be published: {0}")]
    Unpublishable(String),
    /// As [`MessageError::NoOdoo`], of a post.
    #[error(
        "no social network is set up on this machine: it needs `[zones.social]` in the configuration"
    )]
    NoSocialNetwork,
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(#[from] JournalError),
}

impl ApprovalPolicy {
    /// The message that a draft leaves as in its next attempt; none for what is no message, or if
    /// nothing here sends one. `reference_for` is the journal's, or that of a decision. Blocks on the
    /// disk.
    pub(super) fn message_of(
        &self,
        outgoing: &Outgoing,
        fingerprint: &str,
        reference_for: impl FnOnce(DraftId, &str, &str) -> Result<String, JournalError>,
    ) -> Result<Option<MessageDigest>, MessageError> {
        if outgoing.note.action.kind() != ActionKind::EMAIL_SEND {
            return self.compose(outgoing, "");
        }
        let first = email::message::first_reference(&outgoing.note, &self.accounts);
        let reference = reference_for(outgoing.note.id, fingerprint, &first)?;
        self.compose(outgoing, &reference)
    }

    /// The message that a draft leaves as under this reference; none for what is no message.
    pub(super) fn compose(
        &self,
        outgoing: &Outgoing,
        reference: &str,
    ) -> Result<Option<MessageDigest>, MessageError> {
        match outgoing.note.action.kind() {
            ActionKind::EMAIL_SEND => {}
            ActionKind::ODOO_POST | ActionKind::ODOO_PAYMENT if !self.has_odoo => {
                return Err(MessageError::NoOdoo);
            }
            ActionKind::SOCIAL_PUBLISH => {
                let composed = social::compose(outgoing, &self.social);
                let composed = composed.map_err(MessageError::Unpublishable)?;
                return composed.map(Some).ok_or(MessageError::NoSocialNetwork);
            }
            _ => return Ok(None),
        }
        email::message::compose(outgoing, reference, &self.accounts)
            .map_err(MessageError::Uncomposable)
    }
}

/// Why an approval is not one for the message that would leave now, if so.
pub(super) fn message_drift(approval: &Approval, now: Option<&MessageDigest>) -> Option<String> {
    let bound = approval.binds.message.as_ref();
    if bound == now {
        return None;
    }
    let at = approval.at;
    let what = match (bound, now) {
        (None, _) => format!(
            "it was approved at {at:.0} without the message that it leaves as, by an earlier version \
             of Platinum or before mail was set up"
        ),
        (Some(_), None) => format!(
            "it was approved at {at:.0} as a mail, and no mail is set up on this machine any more"
        ),
        (Some(bound), Some(now)) if bound.from != now.from => format!(
            "it was approved at {at:.0} to leave from {}, and would leave from {} now",
            bound.from, now.from
        ),
        (Some(_), Some(_)) => format!(
            "the message that it leaves as is not the one that was approved at {at:.0}: the name of \
             its account, or the program that composes it, was changed"
        ),
    };
    Some(format!("{what}; read it, then approve it again"))
}
