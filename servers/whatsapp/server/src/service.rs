//! [`WhatsappService`]: the store and the channel behind the tools; and the one way to send.
//!
//! Invariants: one message at a time; nothing reaches the network before its attempt is in the store, and nothing that
//! must not; an outcome that was lost is looked for in the store, where WhatsApp's own report of it comes in, and never
//! tried again here.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use platinum_text::one_line;
use platinum_whatsapp_store::store::{
    Attempt, AttemptState, Begun, Chat, NewAttempt, Store, StoreError,
};
use platinum_whatsapp_store::{ContactPair, WhatsappConfig};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::channel::{Channel, ChannelMessage, Sent};
use crate::shapes::{
    AccountAnswer, ChatAnswer, ChatArguments, FindAnswer, FindArguments, MessagesAnswer,
    MessagesArguments, SendAnswer, SendArguments,
};

/// The most messages of one answer.
const MAX_MESSAGES: u32 = 100;
/// Messages of an answer if nothing is said.
const MESSAGES: u32 = 20;
/// The longest id of a chat or a message.
const MAX_ID: usize = 512;
/// How often the store is looked into for a report.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long something at the webhook's address may take to answer.
const PROBE_TIME: Duration = Duration::from_secs(3);

/// Why a tool has no answer. Nothing was sent.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// An argument cannot be used.
    #[error("`{0}` {1}")]
    Argument(&'static str, String),
    /// There is no such chat.
    #[error("there is no chat `{0}`")]
    NoChat(String),
    /// The channel does not work.
    #[error("{0}")]
    Channel(String),
    /// The store does not work.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// WhatsApp, as the tools see it.
pub struct WhatsappService {
    store: Store,
    channel: Arc<dyn Channel>,
    config: WhatsappConfig,
    /// How long WhatsApp's report of a message is waited for whose answer was lost.
    report_time: Duration,
    /// Held over looking and sending.
    turn: Mutex<()>,
}

impl std::fmt::Debug for WhatsappService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let number = &self.config.phone_number_id;
        f.debug_tuple("WhatsappService").field(number).finish()
    }
}

impl WhatsappService {
    /// Over a store and a channel. After a lost answer its report is waited for so long.
    #[must_use]
    pub fn new(
        store: Store,
        channel: Arc<dyn Channel>,
        config: WhatsappConfig,
        report_time: Duration,
    ) -> Self {
        Self {
            store,
            channel,
            config,
            report_time,
            turn: Mutex::default(),
        }
    }

    async fn chat(&self, id: &str) -> Result<Chat, ServiceError> {
        let id = checked_id("chat", id)?;
        let asked = id.clone();
        let chat = self.store.run(move |store| store.chat(&asked)).await?;
        chat.ok_or_else(|| ServiceError::NoChat(one_line(&id, 80)))
    }

    /// A chat, and whether something may be sent to it.
    ///
    /// # Errors
    /// If there is none, or the store does not work.
    pub async fn get_chat(&self, arguments: &ChatArguments) -> Result<ChatAnswer, ServiceError> {
        let chat = self.chat(&arguments.chat).await?;
        let refusal = self.channel.refusal(&chat, Timestamp::now());
        Ok(ChatAnswer::new(chat, refusal))
    }

    /// The last messages of a chat. Nothing is marked as read.
    ///
    /// # Errors
    /// If there is no such chat, or the store does not work.
    pub async fn get_messages(
        &self,
        arguments: &MessagesArguments,
    ) -> Result<MessagesAnswer, ServiceError> {
        let limit = arguments.limit.unwrap_or(MESSAGES);
        if !(1..=MAX_MESSAGES).contains(&limit) {
            let problem = format!("must be from 1 to {MAX_MESSAGES}");
            return Err(ServiceError::Argument("limit", problem));
        }
        let chat = self.chat(&arguments.chat).await?;
        let messages = self
            .store
            .run(move |store| store.messages(&chat.id, limit))
            .await?;
        Ok(MessagesAnswer {
            messages: messages.into_iter().map(Into::into).collect(),
        })
    }

    /// Sends a message: at most one, however often it is asked for.
    ///
    /// # Errors
    /// If an argument cannot be used, or the store does not work: nothing was tried.
    pub async fn send_message(
        &self,
        arguments: &SendArguments,
    ) -> Result<SendAnswer, ServiceError> {
        let message = self.message(arguments)?;
        let _turn = self.turn.lock().await;
        // What left is told before anything that is otherwise now.
        let reference = message.reference.clone();
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
        if let Some(words) = message.contact.change_to(&chat.contact) {
            tracing::warn!(reference = message.reference, "not sent: {words}");
            return Ok(SendAnswer {
                differs: true,
                ..SendAnswer::not_done(false, words)
            });
        }
        if let Some(words) = self.channel.refusal(&chat, now) {
            tracing::warn!(reference = message.reference, "not sent: {words}");
            return Ok(SendAnswer::not_done(false, words));
        }
        let attempt = NewAttempt {
            reference: message.reference.clone(),
            chat: chat.id.clone(),
            text: message.text.clone(),
            quoted: message.quoted.clone(),
        };
        let begun = self
            .store
            .run(move |store| store.begin_attempt(&attempt, now));
        if let Begun::Before(before) = begun.await? {
            return Ok(before_in_words(before));
        }
        // By the contact as the chat has it: the part that was not known when it was approved, too.
        let message = ChannelMessage {
            contact: chat.contact.clone(),
            ..message
        };
        let sent = self.channel.send(&message).await;
        Ok(self.ended(&message.reference, &chat, sent).await)
    }

    /// What is sent, if it can be.
    fn message(&self, arguments: &SendArguments) -> Result<ChannelMessage, ServiceError> {
        let wrong = |name, problem: &str| ServiceError::Argument(name, problem.to_owned());
        let reference = checked_reference(&arguments.reference)?;
        let contact = ContactPair::from(&arguments.contact);
        if contact.is_empty() {
            return Err(wrong("contact", "names nobody"));
        }
        let text = arguments.text.replace("\r\n", "\n");
        let text = text.trim();
        let length = text.chars().count();
        let max = self.channel.max_text();
        if text.is_empty() {
            return Err(wrong("text", "is empty"));
        }
        if length > max {
            let problem = format!("has {length} characters; {max} is the most");
            return Err(ServiceError::Argument("text", problem));
        }
        let quoted = arguments.quoted.as_deref();
        Ok(ChannelMessage {
            reference,
            contact,
            text: text.to_owned(),
            quoted: quoted.map(|id| checked_id("quoted", id)).transpose()?,
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

    async fn find(&self, reference: &str) -> Result<Option<Attempt>, StoreError> {
        let reference = reference.to_owned();
        self.store
            .run(move |store| store.find_attempt(&reference))
            .await
    }

    /// What became of a message, as far as WhatsApp has reported it.
    ///
    /// # Errors
    /// If the reference cannot be one, or the store does not work.
    pub async fn find_message(
        &self,
        arguments: &FindArguments,
    ) -> Result<FindAnswer, ServiceError> {
        let reference = checked_reference(&arguments.reference)?;
        let Some(found) = self.find(&reference).await? else {
            return Ok(FindAnswer {
                outcome: None,
                answer: "there was no attempt at it".to_owned(),
                message: None,
            });
        };
        let SendAnswer {
            outcome,
            answer,
            message,
            ..
        } = before_in_words(found);
        Ok(FindAnswer {
            outcome: Some(outcome),
            answer,
            message,
        })
    }

    /// The owner's number, and how it is with the webhook. Sends nothing.
    ///
    /// # Errors
    /// If WhatsApp does not take the token, or cannot be reached.
    pub async fn get_account(&self) -> Result<AccountAnswer, ServiceError> {
        let account = self.channel.account().await;
        let account = account.map_err(ServiceError::Channel)?;
        let last = self.store.run(Store::last_arrival).await?;
        let connect = tokio::net::TcpStream::connect(self.config.listen);
        let connected = tokio::time::timeout(PROBE_TIME, connect).await;
        Ok(AccountAnswer {
            number: account.number,
            name: account.name,
            webhook: format!(
                "http://{}{}",
                self.config.listen,
                platinum_whatsapp_store::receiver::PATH
            ),
            is_receiving: matches!(connected, Ok(Ok(_))),
            last_message: last.map(|at| format!("{at:.0}")),
            problems: account.problems,
        })
    }
}

/// An attempt that was made before, in words.
fn before_in_words(before: Attempt) -> SendAnswer {
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

/// An id as it was answered.
fn checked_id(name: &'static str, text: &str) -> Result<String, ServiceError> {
    let is_plain = |c: char| !c.is_control() && !c.is_whitespace();
    match !text.is_empty() && text.len() <= MAX_ID && text.chars().all(is_plain) {
        true => Ok(text.to_owned()),
        false => Err(ServiceError::Argument(
            name,
            "is no id as it was answered".to_owned(),
        )),
    }
}

/// The name of a message.
fn checked_reference(text: &str) -> Result<String, ServiceError> {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.');
    let base = text.split('.').next().unwrap_or_default();
    match base.len() >= 8 && text.len() <= 100 && text.bytes().all(is_part) {
        true => Ok(text.to_owned()),
        false => Err(ServiceError::Argument(
            "reference",
            "must have 8 to 100 letters, digits and `_`, `-` or `.`".to_owned(),
        )),
    }
}
