//! [`SendMail`]: the effect that sends a mail.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{ActionKind, EmailSend, TaskId, Timestamp};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::{
    message::{MailAccounts, first_reference},
    sender::{CloseRequest, MailFile, MailSender, SendRequest, SentMatch},
};
use crate::{Attempt, Effect, NotDone};

/// Sends mails this way.
pub struct SendMail {
    sender: Arc<dyn MailSender>,
    accounts: MailAccounts,
}

impl SendMail {
    /// The effect over a way to send, for these accounts.
    pub fn new(sender: Arc<dyn MailSender>, accounts: MailAccounts) -> Self {
        Self { sender, accounts }
    }
}

#[async_trait]
impl Effect for SendMail {
    fn kind(&self) -> ActionKind {
        ActionKind::EMAIL_SEND
    }

    /// The Message-ID.
    fn reference(&self, draft: &DraftNote) -> String {
        first_reference(draft, &self.accounts)
    }

    /// Connection, login, sender and recipients.
    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        self.sender.prepare(&request(attempt.clone())?).await
    }

    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone> {
        self.sender.send(request(attempt)?).await
    }

    /// Its own account alone: another that is away does not hold it.
    async fn reconcile(
        &self,
        reference: &str,
        draft: Option<&DraftNote>,
    ) -> Result<Option<String>, String> {
        let mail = draft.and_then(|draft| draft.action.read::<EmailSend>().ok());
        let account = mail.as_ref().map(|mail| &*mail.from_account);
        Ok(match self.sender.was_sent(reference, account).await? {
            Some(SentMatch::ByMessageId(folder)) => {
                Some(format!("found in {folder} by its Message-ID"))
            }
            Some(SentMatch::ByDraft(folder)) => {
                Some(format!("found in {folder} by its draft's id"))
            }
            None => None,
        })
    }

    /// Whether they answered the mail that this one answers.
    async fn done_by_owner(
        &self,
        draft: &DraftNote,
        finished: Option<Timestamp>,
    ) -> Result<Option<String>, String> {
        let Ok(mail) = draft.action.read::<EmailSend>() else {
            return Ok(None);
        };
        let Some(answered) = &mail.in_reply_to else {
            return Ok(None);
        };
        let found = self
            .sender
            .own_answer(&mail.from_account, answered, &mail.to)
            .await?;
        Ok(found.words_after(finished))
    }

    /// The copy in Drafts is removed, and the mail that was answered marked as that.
    async fn close(&self, task: TaskId, sent: Option<&DraftNote>) -> Result<(), String> {
        let mail = sent.and_then(|draft| draft.action.read::<EmailSend>().ok());
        let request = CloseRequest {
            account: mail.as_ref().map(|mail| mail.from_account.clone()),
            drafted_as: task.to_string().to_lowercase(),
            answered: mail.and_then(|mail| mail.in_reply_to),
        };
        self.sender.close(&request).await
    }

    fn advice(&self) -> &'static str {
        "It is not in Sent: ask the recipient."
    }
}

fn request(attempt: Attempt) -> Result<SendRequest, NotDone> {
    let Attempt {
        outgoing,
        reference,
        message,
        ..
    } = attempt;
    let mail: EmailSend = outgoing.note.action.read()?;
    let Some(approved) = message else {
        let reason = "its approval does not say which message leaves";
        return Err(NotDone::new(reason, true));
    };
    Ok(SendRequest {
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
        message_id: reference,
        approved,
    })
}
