//! The one way to send.
//!
//! Invariants: one message at a time; nothing that a contact could see reaches the network before its attempt is in the
//! store, and nothing that must not; a template is read anew, and is the very text that was approved; an outcome that
//! was lost is looked for in the store, where WhatsApp's own report of it comes in, and never tried again here.

use std::time::Duration;

use jiff::Timestamp;
use platinum_text::one_line;
use platinum_whatsapp_store::ContactPair;
use platinum_whatsapp_store::store::{
    Attempt, AttemptState, Begun, Chat, NewAttempt, Store, StoreError,
};
use tokio::time::Instant;

use super::reading::{ServiceError, WhatsappService, checked_id, checked_reference};
use crate::channel::{ChannelMessage, Content, Sent};
use crate::file::OutgoingFile;
use crate::shapes::{SendAnswer, SendArguments};

/// How often the store is looked into for a report.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What is sent, as far as it can be said without asking anybody.
struct Asked {
    reference: String,
    contact: ContactPair,
    text: String,
    file: Option<OutgoingFile>,
    quoted: Option<String>,
}

impl WhatsappService {
    /// Sends a message: at most one, however often it is asked for.
    ///
    /// # Errors
    /// If an argument cannot be used, or the store does not work: nothing was tried.
    pub async fn send_message(
        &self,
        arguments: &SendArguments,
    ) -> Result<SendAnswer, ServiceError> {
        let asked = self.asked(arguments)?;
        let _turn = self.turn.lock().await;
        // What left is told before anything that is otherwise now.
        let reference = asked.reference.clone();
        let before = self
            .store
            .run(move |store| store.attempt_before(&reference));
        if let Some(before) = before.await? {
            return Ok(before_in_words(before));
        }
        let chat = match self.chat(&arguments.chat).await {
            Ok(chat) => chat,
            Err(error @ ServiceError::NoChat(_)) => {
                return Ok(SendAnswer::not_done(false, error.to_string()));
            }
            Err(error) => return Err(error),
        };
        let now = Timestamp::now();
        if let Some(words) = asked.contact.change_to(&chat.contact) {
            return Ok(refused(&asked, SendAnswer::differs(words)));
        }
        let may_leave = arguments.template.is_some() && self.takes_templates(&chat, now);
        if !may_leave && let Some(words) = self.refusal(&chat, now).await {
            return Ok(refused(&asked, SendAnswer::not_done(false, words)));
        }
        let content = match self.content(arguments, &asked).await? {
            Ok(content) => content,
            Err(answer) => return Ok(refused(&asked, answer)),
        };
        let attempt = NewAttempt {
            reference: asked.reference.clone(),
            chat: chat.id.clone(),
            text: match &asked.file {
                Some(file) => file.in_words(&asked.text),
                None => asked.text.clone(),
            },
            quoted: asked.quoted.clone(),
        };
        let begun = self
            .store
            .run(move |store| store.begin_attempt(&attempt, now));
        if let Begun::Before(before) = begun.await? {
            return Ok(before_in_words(before));
        }
        let message = ChannelMessage {
            reference: asked.reference,
            // By the contact as the chat has it: the part that was not known when it was approved, too.
            contact: chat.contact.clone(),
            content,
            quoted: asked.quoted,
        };
        let sent = self.channel.send(&message).await;
        Ok(self.ended(&message.reference, &chat, sent).await)
    }

    /// What is asked for, if it can be.
    fn asked(&self, arguments: &SendArguments) -> Result<Asked, ServiceError> {
        let wrong = |name, problem: &str| ServiceError::Argument(name, problem.to_owned());
        let reference = checked_reference(&arguments.reference)?;
        let contact = ContactPair::from(&arguments.contact);
        if contact.is_empty() {
            return Err(wrong("contact", "names nobody"));
        }
        let file = arguments.file.as_ref().map(OutgoingFile::new);
        let file = file.transpose().map_err(|problem| wrong("file", problem))?;
        if file.is_some() && arguments.template.is_some() {
            return Err(wrong("file", "is none of a template's"));
        }
        let text = arguments.text.replace("\r\n", "\n");
        let text = text.trim();
        if let Some(fault) = self.text_fault(text, file.is_some()) {
            return Err(ServiceError::Argument("text", fault));
        }
        let quoted = arguments.quoted.as_deref();
        Ok(Asked {
            reference,
            contact,
            text: text.to_owned(),
            file,
            quoted: quoted.map(|id| checked_id("quoted", id)).transpose()?,
        })
    }

    /// What leaves; or why it does not.
    async fn content(
        &self,
        arguments: &SendArguments,
        asked: &Asked,
    ) -> Result<Result<Content, SendAnswer>, ServiceError> {
        if let Some(file) = &asked.file {
            let fault = self
                .channel
                .file_fault(&file.media_type, file.bytes.len() as u64);
            return Ok(match fault {
                Some(fault) => {
                    let words = format!("`{}`: {fault}", file.name);
                    Err(SendAnswer::not_done(false, words))
                }
                None => Ok(Content::File(file.clone(), asked.text.clone())),
            });
        }
        let Some(of) = &arguments.template else {
            return Ok(Ok(Content::Text(asked.text.clone())));
        };
        let template = match self.template(of).await {
            Ok(template) => template,
            Err(ServiceError::Channel(words)) => {
                let words = format!("the templates cannot be listed: {words}");
                return Ok(Err(SendAnswer::not_done(true, words)));
            }
            Err(error) => return Err(error),
        };
        Ok(match template.map(|template| template.read(&asked.text)) {
            Ok(Ok(message)) => Ok(Content::Template(message)),
            Ok(Err(words)) => Err(SendAnswer::differs(words)),
            Err(words) => Err(SendAnswer::not_done(false, words)),
        })
    }

    /// Writes down what became of an attempt, and says it.
    async fn ended(&self, reference: &str, chat: &Chat, sent: Sent) -> SendAnswer {
        let to = chat.title();
        match sent {
            Sent::Done(id) => {
                tracing::info!(reference, message = id, "sent");
                let written = self
                    .end(reference, AttemptState::Done, Some(id.clone()), "")
                    .await;
                if let Err(error) = written {
                    tracing::error!(reference, "sent, and that cannot be written down: {error}");
                }
                SendAnswer::done(format!("sent to {to}"), Some(id))
            }
            Sent::NotDone { retry, words } => {
                tracing::warn!(reference, "not sent: {words}");
                let written = self
                    .end(reference, AttemptState::NotDone, None, &words)
                    .await;
                match written {
                    Ok(()) => SendAnswer::not_done(retry, words),
                    // The next attempt would find one that may have left.
                    Err(error) => SendAnswer::unknown(format!(
                        "{words}; that cannot be written down: {error}"
                    )),
                }
            }
            Sent::Unknown(words) => {
                tracing::warn!(reference, "it may have left: {words}");
                if let Err(error) = self
                    .end(reference, AttemptState::Unknown, None, &words)
                    .await
                {
                    tracing::error!(reference, "that cannot be written down: {error}");
                }
                self.wait_for_report(reference, words).await
            }
        }
    }

    async fn end(
        &self,
        reference: &str,
        state: AttemptState,
        message: Option<String>,
        words: &str,
    ) -> Result<(), StoreError> {
        let (reference, words) = (reference.to_owned(), one_line(words, 500));
        let now = Timestamp::now();
        let write = move |store: &Store| {
            store.end_attempt(&reference, state, message.as_deref(), &words, now)
        };
        self.store.run(write).await
    }

    /// WhatsApp reports what it has a moment later, by the webhook.
    async fn wait_for_report(&self, reference: &str, words: String) -> SendAnswer {
        let until = Instant::now() + self.report_time;
        loop {
            match self.find(reference).await {
                Ok(Some(found)) if found.state == AttemptState::Done => {
                    return before_in_words(found);
                }
                Ok(Some(found)) if found.state == AttemptState::NotDone => {
                    return SendAnswer::not_done(false, found.words.unwrap_or(words));
                }
                _ => {}
            }
            if Instant::now() >= until {
                return SendAnswer::unknown(words);
            }
            tokio::time::sleep(LOOK_EVERY.min(self.report_time)).await;
        }
    }

    pub(super) async fn find(&self, reference: &str) -> Result<Option<Attempt>, StoreError> {
        let reference = reference.to_owned();
        self.store
            .run(move |store| store.find_attempt(&reference))
            .await
    }
}

/// Says in the log that something was not sent.
fn refused(asked: &Asked, answer: SendAnswer) -> SendAnswer {
    tracing::warn!(reference = asked.reference, "not sent: {}", answer.answer);
    answer
}

/// An attempt that was made before, in words.
pub(super) fn before_in_words(before: Attempt) -> SendAnswer {
    let Attempt {
        state,
        at,
        message,
        words,
    } = before;
    let words = words.filter(|words| !words.is_empty());
    match state {
        AttemptState::Done => SendAnswer::done(format!("WhatsApp has it since {at:.0}"), message),
        AttemptState::NotDone => SendAnswer::not_done(
            false,
            words.unwrap_or_else(|| "it did not leave".to_owned()),
        ),
        AttemptState::Unknown => SendAnswer::unknown(match words {
            Some(words) => format!("an attempt at {at:.0} may have left: {words}"),
            None => {
                format!("an attempt at {at:.0} may have left, and WhatsApp has not reported it")
            }
        }),
    }
}
