//! [`WhatsappService`]: what it is made of, and what it reads and checks.
//!
//! Invariants: nothing in here sends; why something cannot be sent is said with the templates that may be.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use platinum_text::one_line;
use platinum_whatsapp_store::store::{Chat, Store, StoreError};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::sending::before_in_words;
use crate::channel::Channel;
use crate::file::checked_name;
use crate::shapes::{
    AccountAnswer, ChatAnswer, ChatArguments, CheckAnswer, CheckArguments, FindAnswer,
    FindArguments, MessagesAnswer, MessagesArguments, SendAnswer, TemplateName, TemplatesAnswer,
};
use crate::template::Template;

/// The most messages of one answer.
const MAX_MESSAGES: u32 = 100;
/// Messages of an answer if nothing is said.
const MESSAGES: u32 = 20;
/// The longest id of a chat or a message.
const MAX_ID: usize = 512;
/// The longest text under a file, in characters.
const MAX_CAPTION: usize = 1024;
/// So long the names of templates are not asked for again.
const NAMES_KEPT: Duration = Duration::from_secs(600);

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
    pub(super) store: Store,
    pub(super) channel: Arc<dyn Channel>,
    /// How long WhatsApp's report of a message is waited for whose answer was lost.
    pub(super) report_time: Duration,
    /// Held over looking and sending.
    pub(super) turn: Mutex<()>,
    /// The names of the templates, and when they were asked for.
    names: Mutex<Option<(Instant, String)>>,
}

impl std::fmt::Debug for WhatsappService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WhatsappService").finish_non_exhaustive()
    }
}

impl WhatsappService {
    /// Over a store and a channel. After a lost answer its report is waited for so long.
    #[must_use]
    pub fn new(store: Store, channel: Arc<dyn Channel>, report_time: Duration) -> Self {
        Self {
            store,
            channel,
            report_time,
            turn: Mutex::default(),
            names: Mutex::default(),
        }
    }

    pub(super) async fn chat(&self, id: &str) -> Result<Chat, ServiceError> {
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
        let now = Timestamp::now();
        if self.takes_templates(&chat, now) && self.channel.refusal(&chat, now).is_some() {
            self.ask_for_names().await;
        }
        let refusal = self.refusal(&chat, now).await;
        let takes_templates = self.takes_templates(&chat, now);
        Ok(ChatAnswer::new(chat, refusal, takes_templates))
    }

    /// Whether a template may be sent to a chat.
    pub(super) fn takes_templates(&self, chat: &Chat, now: Timestamp) -> bool {
        let refusal = self.channel.refusal(chat, now);
        self.channel.has_templates() && refusal.is_none_or(|refusal| refusal.lets_templates)
    }

    /// Why no text may be sent to a chat, with the templates that may be, as far as they are known: nothing is asked.
    pub(super) async fn refusal(&self, chat: &Chat, now: Timestamp) -> Option<String> {
        let refusal = self.channel.refusal(chat, now)?;
        let names = self.names.lock().await;
        Some(match names.as_ref() {
            Some((_, names)) if refusal.lets_templates && names.is_empty() => {
                format!("{}; none is approved", refusal.words)
            }
            Some((_, names)) if refusal.lets_templates => {
                format!("{}; approved are: {names}", refusal.words)
            }
            _ => refusal.words,
        })
    }

    /// Asks which templates there are, unless that was asked a short time ago. That it fails stops nothing.
    async fn ask_for_names(&self) {
        let is_fresh = |at: &Instant| at.elapsed() < NAMES_KEPT;
        if (self.names.lock().await.as_ref()).is_some_and(|(at, _)| is_fresh(at)) {
            return;
        }
        match self.channel.templates(None).await {
            Ok(templates) => {
                *self.names.lock().await = Some((Instant::now(), templates.names()));
            }
            Err(error) => tracing::warn!("the templates cannot be listed: {error}"),
        }
    }

    /// The templates that may be sent.
    ///
    /// # Errors
    /// If they cannot be listed.
    pub async fn list_templates(&self) -> Result<TemplatesAnswer, ServiceError> {
        let templates = self.channel.templates(None).await;
        let templates = templates.map_err(ServiceError::Channel)?;
        *self.names.lock().await = Some((Instant::now(), templates.names()));
        Ok(templates.into())
    }

    /// The template of this name, as it is now; or that there is none, in words.
    pub(super) async fn template(
        &self,
        of: &TemplateName,
    ) -> Result<Result<Template, String>, ServiceError> {
        let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        for (name, text) in [("template name", &of.name), ("language", &of.language)] {
            if text.is_empty() || text.len() > MAX_ID || !text.bytes().all(is_sign) {
                let problem = "is not as list_templates answers it".to_owned();
                return Err(ServiceError::Argument(name, problem));
            }
        }
        let templates = self.channel.templates(Some(&of.name)).await;
        let templates = templates.map_err(ServiceError::Channel)?;
        Ok(templates.find(&of.name, &of.language).cloned())
    }

    /// What a message would say, and why it cannot be sent as it is. Sends nothing.
    ///
    /// # Errors
    /// If an argument cannot be used, or the templates cannot be listed.
    pub async fn check_message(
        &self,
        arguments: &CheckArguments,
    ) -> Result<CheckAnswer, ServiceError> {
        let text = arguments.text.clone().unwrap_or_default();
        if let Some(of) = &arguments.template {
            let filled = self.template(of).await?.and_then(|template| {
                match (&arguments.values, &arguments.file) {
                    (_, Some(_)) => Err("a template has no file".to_owned()),
                    (Some(values), None) => template.fill(values),
                    (None, None) => template.read(&text).map(|_| text.clone()),
                }
            });
            let (text, fault) = match filled {
                Ok(filled) => (filled, None),
                Err(fault) => (text, Some(fault)),
            };
            let fault = fault.or_else(|| self.text_fault(&text, false));
            return Ok(CheckAnswer { text, fault });
        }
        let mut fault = self.text_fault(&text, arguments.file.is_some());
        if let Some(file) = &arguments.file {
            let (name, media_type) = checked_name(file)
                .map_err(|problem| ServiceError::Argument("file", problem.to_owned()))?;
            let of_file = self.channel.file_fault(&media_type, file.size);
            fault = of_file.map(|fault| format!("`{name}`: {fault}")).or(fault);
        }
        Ok(CheckAnswer { text, fault })
    }

    /// Why a text cannot be sent as it is; one under a file, if it has one.
    pub(super) fn text_fault(&self, text: &str, has_file: bool) -> Option<String> {
        let length = text.trim().chars().count();
        let max = match has_file {
            true => MAX_CAPTION,
            false => self.channel.max_text(),
        };
        match length {
            0 if !has_file => Some("is empty".to_owned()),
            length if length > max => Some(match has_file {
                true => format!("has {length} characters; {max} is the most under a file"),
                false => format!("has {length} characters; {max} is the most"),
            }),
            _ => None,
        }
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
        Ok(AccountAnswer {
            number: account.number,
            name: account.name,
            webhook: account.webhook,
            is_receiving: account.is_receiving,
            last_message: last.map(|at| format!("{at:.0}")),
            problems: account.problems,
        })
    }
}

/// An id as it was answered.
pub(super) fn checked_id(name: &'static str, text: &str) -> Result<String, ServiceError> {
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
pub(super) fn checked_reference(text: &str) -> Result<String, ServiceError> {
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
