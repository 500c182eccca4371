//! [`SendMessage`]: the effect that sends a chat message.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{Action, ActionKind, Timestamp, WhatsappSend, text::one_line};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::server::{KnownChat, MessageRequest, WhatsappServer};
use crate::{Attempt, Effect, NotDone, Recovery, acting::if_there};

/// Messages that are looked through for an answer of the owner's own.
const LOOKED_THROUGH: u32 = 50;

/// Sends messages this way.
pub struct SendMessage {
    server: Arc<dyn WhatsappServer>,
}

impl SendMessage {
    /// The effect over a way to ask WhatsApp.
    pub fn new(server: Arc<dyn WhatsappServer>) -> Self {
        Self { server }
    }

    /// The message, if its chat is still with whom it was approved for, and may be answered, and if it is one that
    /// WhatsApp takes.
    async fn read(&self, attempt: &Attempt) -> Result<MessageRequest, NotDone> {
        let approved: WhatsappSend = attempt.outgoing.note.action.read()?;
        let chat = self.server.chat(&approved.chat).await?;
        judge(&approved, &chat)?;
        let request = MessageRequest {
            reference: attempt.reference.clone(),
            message: approved,
            file: attempt.outgoing.attachments.first().cloned(),
        };
        let is_text = request.message.template.is_none() && request.file.is_none();
        if is_text {
            return Ok(request);
        }
        match self.server.fault(&request).await? {
            None => Ok(request),
            Some(fault) => {
                let reason = format!("{fault}; change it, then approve it again");
                Err(NotDone::differs(one_line(&reason, 600), None))
            }
        }
    }
}

/// Whether a message may go to a chat as it is now.
fn judge(approved: &WhatsappSend, chat: &KnownChat) -> Result<(), NotDone> {
    let is_other = |then: &Option<String>, now: &Option<String>| then.is_some() && then != now;
    let has_changed = is_other(&approved.contact_number, &chat.contact.number)
        || is_other(&approved.contact_id, &chat.contact.id);
    let names_nobody = approved.contact_number.is_none() && approved.contact_id.is_none();
    if has_changed || names_nobody {
        let renewed = WhatsappSend {
            contact_number: chat.contact.number.clone(),
            contact_id: chat.contact.id.clone(),
            ..approved.clone()
        };
        let reason = format!(
            "the contact of this chat is not the one you approved: it was {} and is {} now; look who it is, then approve \
             it again",
            pair(&approved.contact_number, &approved.contact_id),
            pair(&renewed.contact_number, &renewed.contact_id),
        );
        return Err(NotDone::differs(reason, Some(Action::new(&renewed))));
    }
    let takes_it = approved.template.is_some() && chat.takes_templates;
    match &chat.refusal {
        _ if takes_it => Ok(()),
        None => Ok(()),
        Some(words) => Err(NotDone::new(one_line(words, 400), false)),
    }
}

fn pair(number: &Option<String>, id: &Option<String>) -> String {
    match (number, id) {
        (Some(number), Some(id)) => format!("+{number} ({id})"),
        (Some(number), None) => format!("+{number}"),
        (None, Some(id)) => id.clone(),
        (None, None) => "nobody".to_owned(),
    }
}

#[async_trait]
impl Effect for SendMessage {
    fn kind(&self) -> ActionKind {
        ActionKind::WHATSAPP_SEND
    }

    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        self.read(attempt).await.map(drop)
    }

    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone> {
        let request = self.read(&attempt).await?;
        fail::fail_point!("whatsapp-chat-read");
        let outcome = self.server.send(&request).await;
        fail::fail_point!("whatsapp-answered");
        match outcome {
            // Between the two readings: who it is now is read, for its owner.
            Err(why) if why.recovery == Recovery::Approval => {
                Err(self.read(&attempt).await.err().unwrap_or(why))
            }
            outcome => outcome,
        }
    }

    async fn reconcile(
        &self,
        reference: &str,
        _: Option<&DraftNote>,
    ) -> Result<Option<String>, String> {
        let found = self.server.find(reference).await;
        let found = found.map_err(|error| error.reason)?;
        Ok(found.is_done.then_some(found.answer))
    }

    /// Whether they answered with the app since the draft was made.
    async fn done_by_owner(
        &self,
        draft: &DraftNote,
        finished: Option<Timestamp>,
    ) -> Result<Option<String>, String> {
        let Ok(message) = draft.action.read::<WhatsappSend>() else {
            return Ok(None);
        };
        let messages = self
            .server
            .own_messages(&message.chat, LOOKED_THROUGH)
            .await;
        // What becomes of it without its chat is said when it is prepared.
        let Some(messages) = if_there(messages)? else {
            return Ok(None);
        };
        let after = finished.map_or(draft.created, |finished| finished.max(draft.created));
        let answer = messages
            .iter()
            .find(|own| own.is_from_app && own.kind != "reaction" && own.at > after);
        Ok(answer.map(|own| format!("you answered at {:.0} (WhatsApp)", own.at)))
    }

    fn advice(&self) -> &'static str {
        "WhatsApp has not reported the message: look into the chat on your phone."
    }
}
