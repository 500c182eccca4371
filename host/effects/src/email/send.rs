//! [`SendMail`]: the effect that sends a mail.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{ActionKind, EmailSend};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::sender::{MailFile, MailSender, SendRequest, SentMatch};
use crate::{Effect, NotDone, approvals::Outgoing};

/// The part after the `@` if the account's address is not known. RFC 2606: no one's.
const NO_DOMAIN: &str = "platinum.invalid";

/// Sends mails this way.
pub struct SendMail(Arc<dyn MailSender>);

impl SendMail {
    /// The effect over a way to send.
    pub fn new(sender: Arc<dyn MailSender>) -> Self {
        Self(sender)
    }
}

#[async_trait]
impl Effect for SendMail {
    fn kind(&self) -> ActionKind {
        ActionKind::EMAIL_SEND
    }

    /// The Message-ID.
    fn reference(&self, draft: &DraftNote) -> String {
        let mail = draft.action.read::<EmailSend>().ok();
        let domain = mail
            .and_then(|mail| self.0.domain(&mail.from_account))
            .filter(|domain| is_domain(domain));
        format!(
            "{}@{}",
            draft.id.to_string().to_lowercase(),
            domain.as_deref().unwrap_or(NO_DOMAIN)
        )
    }

    /// Connection, login, sender and recipients.
    async fn prepare(&self, outgoing: &Outgoing, reference: &str) -> Result<(), NotDone> {
        match request(outgoing.clone(), reference.to_owned()) {
            Some(request) => self.0.prepare(&request).await,
            None => Ok(()),
        }
    }

    async fn perform(&self, outgoing: Outgoing, reference: &str) -> Outcome {
        match request(outgoing, reference.to_owned()) {
            Some(request) => self.0.send(request).await,
            None => Outcome::NotSent {
                reason: "it is not a mail".to_owned(),
                retry: false,
            },
        }
    }

    async fn reconcile(&self, reference: &str) -> Result<Option<String>, String> {
        Ok(match self.0.was_sent(reference).await? {
            Some(SentMatch::ByMessageId(folder)) => {
                Some(format!("found in {folder} by its Message-ID"))
            }
            Some(SentMatch::ByDraft(folder)) => {
                Some(format!("found in {folder} by its draft's id"))
            }
            None => None,
        })
    }

    fn advice(&self) -> &'static str {
        "It is not in Sent: ask the recipient."
    }
}

fn is_domain(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'))
}

fn request(outgoing: Outgoing, message_id: String) -> Option<SendRequest> {
    let mail: EmailSend = outgoing.note.action.read().ok()?;
    Some(SendRequest {
        draft: outgoing.note.id.to_string().to_lowercase(),
        from_account: mail.from_account,
        to: mail.to,
        cc: mail.cc,
        bcc: mail.bcc,
        subject: mail.subject,
        body: mail.body,
        in_reply_to: mail.in_reply_to,
        references: mail.references,
        attachments: outgoing
            .attachments
            .into_iter()
            .map(MailFile::from)
            .collect(),
        message_id,
    })
}
