//! [`SendMail`]: from an approval to a receipt.
//!
//! The order is the whole point: everything is checked again, the intent is written, the mail
//! server is asked once, the outcome is written. A crash anywhere leaves an intent in doubt, which
//! is asked after and never sent again on a guess.

use std::sync::Arc;

use platinum_core::{Action, ActionKind, DraftId, EmailSend, text::one_line};
use platinum_journal::{Outcome, Receipt};

use super::sender::{MailFile, MailSender, SendOutcome, SendRequest};
use crate::approvals::{Admission, Approvals, Approved, Leaving, Stop};

/// The part after the `@` if the account's address is not known. RFC 2606: nobody's.
const NO_DOMAIN: &str = "platinum.invalid";

/// Why a mail was not sent, or is not known to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// Certainly nothing happened, and trying later may work.
    #[error("not sent yet: {0}")]
    Postponed(String),
    /// Certainly nothing happened, and trying again will not help.
    #[error("not sent: {0}")]
    Refused(String),
    /// It may have happened.
    #[error("it is not known whether it was sent: {0}")]
    OutcomeUnknown(String),
    /// It had happened before.
    #[error("it was sent before, at {:.0}", .0.at)]
    AlreadyDone(Receipt),
}

impl From<Stop> for SendError {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Postponed(reason) => Self::Postponed(reason),
            Stop::Refused(reason) => Self::Refused(reason),
            Stop::InDoubt(reason) => Self::OutcomeUnknown(reason),
            Stop::Done(receipt) => Self::AlreadyDone(receipt),
        }
    }
}

/// Sends approved mails.
pub struct SendMail {
    approvals: Arc<Approvals>,
    sender: Arc<dyn MailSender>,
}

impl SendMail {
    /// Sends what these approvals hand out, this way.
    pub fn new(approvals: Arc<Approvals>, sender: Arc<dyn MailSender>) -> Self {
        Self { approvals, sender }
    }

    /// Sends the mail and writes down what came of it. Uses the approval up.
    ///
    /// # Errors
    /// Says whether it may have been sent.
    pub async fn send(&self, approved: Approved) -> Result<Receipt, SendError> {
        let draft = approved.draft().id;
        let reference = self.message_id(draft, &approved.draft().action);
        let (leaving, reference) = match self
            .approvals
            .admit(&approved, ActionKind::EMAIL_SEND, reference)
            .await
        {
            Admission::Go { leaving, reference } => (leaving, reference),
            Admission::Stop(stop) => return Err(stop.into()),
        };
        let outcome = match request(*leaving, reference.clone()) {
            Some(request) => self.sender.send(request).await,
            None => SendOutcome::NotSent {
                reason: "it is no mail".to_owned(),
                retry: false,
            },
        };
        let (recorded, answer) = match outcome {
            SendOutcome::Sent { answer, sent_copy } => {
                let answer = one_line(&format!("{answer}; copy in Sent: {sent_copy}"), 500);
                let at = self.approvals.clock().now();
                let receipt = Receipt {
                    at,
                    reference,
                    answer,
                };
                (Outcome::Receipt(receipt.clone()), Ok(receipt))
            }
            SendOutcome::NotSent { reason, retry } => {
                let reason = one_line(&reason, 500);
                let error = if retry {
                    SendError::Postponed
                } else {
                    SendError::Refused
                };
                (
                    Outcome::NotSent {
                        reason: reason.clone(),
                        retry,
                    },
                    Err(error(reason)),
                )
            }
            SendOutcome::Unknown(reason) => {
                let reason = one_line(&reason, 500);
                let error = SendError::OutcomeUnknown(reason.clone());
                (Outcome::Unknown { reason }, Err(error))
            }
        };
        self.approvals.settle(draft, recorded).await;
        answer
    }

    /// Chosen before the first attempt, the same in every further one.
    fn message_id(&self, draft: DraftId, action: &Action) -> String {
        let mail = action.read::<EmailSend>().ok();
        let domain = mail.and_then(|mail| self.sender.domain(&mail.from_account));
        let domain = domain.filter(|domain| is_domain(domain));
        format!(
            "{}@{}",
            draft.to_string().to_lowercase(),
            domain.as_deref().unwrap_or(NO_DOMAIN)
        )
    }
}

fn is_domain(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn request(leaving: Leaving, message_id: String) -> Option<SendRequest> {
    let mail: EmailSend = leaving.note.action.read().ok()?;
    Some(SendRequest {
        from_account: mail.from_account,
        to: mail.to,
        cc: mail.cc,
        bcc: mail.bcc,
        subject: mail.subject,
        body: mail.body,
        in_reply_to: mail.in_reply_to,
        references: mail.references,
        attachments: leaving
            .attachments
            .into_iter()
            .map(MailFile::from)
            .collect(),
        message_id,
    })
}
