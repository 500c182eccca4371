//! The host side of `whatsapp/read` and `whatsapp/propose`.
//!
//! Invariants: the chat is that of the run's task; the draft binds the contact as the chat has it at that moment, and,
//! but for a template, counts no longer than WhatsApp lets it be answered; the text of a template is the server's, with a
//! skill's words in its gaps alone.

use jiff::{SignedDuration, Timestamp};
use platinum_core::{TaskId, VaultPath, WhatsappSend, format_minute, text::one_line};
use platinum_policy::MAX_ATTACHMENT_BYTES;
use platinum_vault::{Vault, note::TaskNote};
use serde_json::{Value, json};

use super::{
    WhatsappCtx, WhatsappProposeCtx,
    server::{ChatState, KnownMessage, check_message, get_chat, get_messages, list_templates},
};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        whatsapp::{
            propose, read,
            types::{Chat, Contact, Error, FilledTemplate, Message, Outgoing, Template},
        },
    },
    blocking::in_background,
    files::{FileError, read_leaving},
    tasks::TaskError,
    text::{block, checked_line, cut},
};

/// Most messages of an answer.
const MAX_MESSAGES: u32 = 100;
/// Longest text of a message that is read, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// Longest text that WhatsApp takes, in characters.
const MAX_OUTGOING: usize = 4096;
/// Longest id, in characters.
const MAX_ID: usize = 512;
/// Longest name, in characters.
const MAX_NAME: usize = 200;
/// Most doubts of a note, and the longest, in characters.
const MAX_DOUBTS: usize = 10;
const MAX_DOUBT: usize = 300;
/// Most templates of an answer, and the most values of one.
const MAX_TEMPLATES: usize = 250;
const MAX_VALUES: usize = 50;
/// Longest value of a gap, in characters.
const MAX_VALUE: usize = 1024;
/// Longest reason why nothing may be sent, in characters.
const MAX_REFUSAL: usize = 600;
/// A window that closes within this is said to.
const SOON: SignedDuration = SignedDuration::from_hours(3);

impl From<Error> for ProposeError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::Invalid("WhatsApp's server has no such chat".to_owned()),
            Error::Invalid(what) => Self::Invalid(what),
            Error::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl From<FileError> for ProposeError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Invalid(what) => Self::Invalid(what),
            FileError::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

/// The chat that a task is of.
pub(super) fn chat_of(task: &TaskNote) -> Option<&str> {
    task.fact(WhatsappSend::CHAT_FACT)
        .first()
        .map(String::as_str)
}

impl WhatsappCtx {
    /// Checks that a chat is the one that the run's task is of.
    async fn check_chat(&self, chat: &str) -> Result<(), Error> {
        let task: TaskId = self.task.ok_or(Error::NotFound)?;
        let note = self.store.get(task).await.map_err(|error| match error {
            TaskError::NotFound => Error::NotFound,
            other => Error::Unavailable(other.to_string()),
        })?;
        match chat_of(&note) == Some(chat) {
            true => Ok(()),
            false => Err(Error::NotFound),
        }
    }
}

impl read::Host for WhatsappCtx {
    async fn get_chat(&mut self, chat: String) -> wasmtime::Result<Result<Chat, Error>> {
        let read = async {
            self.check_chat(&chat).await?;
            let state = get_chat(&*self.server, &chat).await?;
            Ok(chat_record(state))
        };
        Ok(read.await)
    }

    async fn messages(
        &mut self,
        chat: String,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<Message>, Error>> {
        let read = async {
            if !(1..=MAX_MESSAGES).contains(&limit) {
                let what = format!("`limit` is {limit}; 1 to {MAX_MESSAGES}");
                return Err(Error::Invalid(what));
            }
            self.check_chat(&chat).await?;
            let messages = get_messages(&*self.server, &chat, limit).await?;
            Ok(messages
                .into_iter()
                .take(limit as usize)
                .map(message_record)
                .collect())
        };
        Ok(read.await)
    }

    async fn templates(&mut self) -> wasmtime::Result<Result<Vec<Template>, Error>> {
        let read = async {
            let task = self.task.ok_or(Error::NotFound)?;
            let note = self.store.get(task).await;
            let note = note.map_err(|error| Error::Unavailable(error.to_string()))?;
            let chat = chat_of(&note).ok_or(Error::NotFound)?;
            if !get_chat(&*self.server, chat).await?.takes_templates {
                return Ok(Vec::new());
            }
            let templates = list_templates(&*self.server).await?.into_iter();
            let record = |template: super::KnownTemplate| Template {
                name: one_line(&template.name, MAX_ID),
                language: one_line(&template.language, 20),
                text: cut(&template.text, MAX_TEXT_BYTES),
                gaps: template.gaps,
            };
            Ok(templates.take(MAX_TEMPLATES).map(record).collect())
        };
        Ok(read.await)
    }
}

fn chat_record(state: ChatState) -> Chat {
    let line = |text: String| one_line(&text, MAX_NAME);
    Chat {
        id: state.chat,
        contact: Contact {
            number: state.contact.number.map(line),
            id: state.contact.id.map(line),
        },
        name: state.name.map(line),
        is_group: state.is_group,
        last_inbound: state.last_inbound,
        open_until: state.open_until,
        refusal: state.refusal.map(|words| one_line(&words, MAX_REFUSAL)),
        takes_templates: state.takes_templates,
    }
}

fn message_record(message: KnownMessage) -> Message {
    Message {
        id: message.id,
        sender: one_line(&message.sender, MAX_NAME),
        is_own: message.is_own,
        at: message.at,
        text: cut(&message.text, MAX_TEXT_BYTES),
    }
}

impl WhatsappProposeCtx {
    /// The action that an outgoing message becomes, until when it may leave, and what is to be looked at first.
    async fn bound(
        &self,
        outgoing: &Outgoing,
        state: ChatState,
    ) -> Result<(WhatsappSend, Option<Timestamp>, Vec<String>), ProposeError> {
        let invalid = ProposeError::Invalid;
        let until = match &outgoing.template {
            Some(_) => {
                check_takes_templates(&state)?;
                None
            }
            None => Some(open_until(&state, self.proposals.now)?),
        };
        let quoted = outgoing.quoted_message.as_deref();
        let quoted = quoted.map(|id| checked_line("quoted-message", id, MAX_ID));
        if outgoing.doubts.len() > MAX_DOUBTS {
            return Err(invalid(format!("`doubts` has more than {MAX_DOUBTS}")));
        }
        let doubts = outgoing.doubts.iter();
        let doubts = doubts.map(|doubt| checked_line("doubts", doubt, MAX_DOUBT));
        let mut doubts: Vec<String> = doubts.collect::<Result<_, _>>().map_err(invalid)?;
        if let Some(until) = until.filter(|until| *until <= self.proposals.now + SOON) {
            doubts.push(format!(
                "WhatsApp takes an answer only until {}: approve it before.",
                format_minute(until)
            ));
        }
        let mut action = WhatsappSend {
            chat: state.chat,
            contact_number: state.contact.number,
            contact_id: state.contact.id,
            quoted_message: quoted.transpose().map_err(invalid)?,
            ..WhatsappSend::default()
        };
        let text = block("text", &outgoing.text, MAX_OUTGOING * 4).map_err(invalid)?;
        match (&outgoing.template, &outgoing.file) {
            (Some(_), Some(_)) => {
                let what = "`file` is given with a template, which has none";
                return Err(invalid(what.to_owned()));
            }
            (Some(_), None) if !text.trim().is_empty() => {
                let what = "`text` is given with a template, which has its own";
                return Err(invalid(what.to_owned()));
            }
            (Some(template), None) => {
                let filled = check_message(&*self.server, fill_question(template)?).await?;
                action.text = format!("{}\n", filled.trim());
                action.template = Some(template.name.clone());
                action.template_language = Some(template.language.clone());
                // It answers nothing: it begins the conversation again.
                action.quoted_message = None;
            }
            (None, Some(path)) => {
                let path = VaultPath::new(path.as_str());
                let path = path.map_err(|error| invalid(format!("`file`: {error}")))?;
                let (vault, file) = (self.proposals.vault.clone(), path.clone());
                let question = in_background(move || file_question(&vault, &file)).await?;
                check_message(&*self.server, json!({ "text": text, "file": question })).await?;
                (action.text, action.file) = (text, Some(path));
            }
            (None, None) => {
                let length = text.trim().chars().count();
                if length == 0 {
                    return Err(invalid("`text` is empty".to_owned()));
                }
                if length > MAX_OUTGOING {
                    let what =
                        format!("`text` has {length} characters; {MAX_OUTGOING} is the most");
                    return Err(invalid(what));
                }
                action.text = text;
            }
        }
        Ok((action, until, doubts))
    }
}

/// Until when a chat may be answered.
fn open_until(state: &ChatState, now: Timestamp) -> Result<Timestamp, ProposeError> {
    if let Some(words) = &state.refusal {
        return Err(ProposeError::Invalid(one_line(words, MAX_REFUSAL)));
    }
    let until = state.open_until.as_deref().and_then(|at| at.parse().ok());
    let until: Timestamp = until.ok_or_else(|| {
        ProposeError::Unavailable(
            "WhatsApp's server does not say until when the chat may be answered".to_owned(),
        )
    })?;
    match until <= now {
        true => Err(ProposeError::Invalid(format!(
            "the window for an answer closed at {until:.0}; WhatsApp takes only templates now, until they write again"
        ))),
        false => Ok(until),
    }
}

fn check_takes_templates(state: &ChatState) -> Result<(), ProposeError> {
    if state.takes_templates {
        return Ok(());
    }
    let words = state.refusal.as_deref();
    let words = words.unwrap_or(
        "templates are not set up: `business_account_id` names the account that has them",
    );
    Err(ProposeError::Invalid(one_line(words, MAX_REFUSAL)))
}

/// The template as the server fills it.
fn fill_question(template: &FilledTemplate) -> Result<Value, ProposeError> {
    let invalid = ProposeError::Invalid;
    if template.values.len() > MAX_VALUES {
        return Err(invalid(format!("`values` has more than {MAX_VALUES}")));
    }
    let values = template.values.iter();
    let values = values.map(|value| checked_line("values", value, MAX_VALUE));
    let values: Vec<String> = values.collect::<Result<_, _>>().map_err(invalid)?;
    let name = checked_line("template name", &template.name, MAX_ID).map_err(invalid)?;
    let language = checked_line("template language", &template.language, 20).map_err(invalid)?;
    Ok(json!({ "template": { "name": name, "language": language }, "values": values }))
}

/// A file as the server is asked about it, without its content. Blocks on the disk.
fn file_question(vault: &Vault, path: &VaultPath) -> Result<Value, FileError> {
    let bytes = read_leaving(vault, "file", path, MAX_ATTACHMENT_BYTES)?;
    Ok(json!({ "name": path.file_name(), "type": path.media_type(), "size": bytes.len() }))
}

impl propose::Host for WhatsappProposeCtx {
    async fn propose(
        &mut self,
        proposal: Proposal,
        outgoing: Outgoing,
    ) -> wasmtime::Result<Result<String, ProposeError>> {
        let proposed = async {
            let (task, _) = self.proposals.owned_task(&proposal.task).await?;
            let note = self.proposals.store.get(task).await;
            let note = note.map_err(|error| ProposeError::Unavailable(error.to_string()))?;
            if chat_of(&note) != Some(outgoing.chat.as_str()) {
                let what = "`chat` is not the chat that the task is of".to_owned();
                return Err(ProposeError::Invalid(what));
            }
            self.proposals.check_ready(&proposal.task, None).await?;
            let state = get_chat(&*self.server, &outgoing.chat).await?;
            let (action, until, doubts) = self.bound(&outgoing, state).await?;
            let asked = proposal.expires.as_deref().and_then(|at| at.parse().ok());
            let until = until.map(|until| asked.map_or(until, |asked: Timestamp| asked.min(until)));
            let proposal = Proposal {
                expires: until
                    .map(|until| format!("{until:.0}"))
                    .or(proposal.expires),
                ..proposal
            };
            self.proposals
                .propose_action(proposal, Ok(action), doubts)
                .await
        };
        Ok(proposed.await)
    }
}
