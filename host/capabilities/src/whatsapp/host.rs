//! The host side of `whatsapp/read` and `whatsapp/propose`.
//!
//! Invariants: the chat is that of the run's task; the draft binds the contact as the chat has it at that moment, and
//! counts no longer than WhatsApp lets it be answered.

use jiff::{SignedDuration, Timestamp};
use platinum_core::{TaskId, WhatsappSend, text::one_line};
use platinum_vault::note::TaskNote;

use super::{
    WhatsappCtx, WhatsappProposeCtx,
    server::{ChatState, KnownMessage, get_chat, get_messages},
};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        whatsapp::{
            propose, read,
            types::{Chat, Contact, Error, Message, Outgoing},
        },
    },
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
        refusal: state.refusal.map(|words| one_line(&words, 400)),
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
    fn bound(
        outgoing: &Outgoing,
        state: ChatState,
        now: Timestamp,
    ) -> Result<(WhatsappSend, Timestamp, Vec<String>), ProposeError> {
        let invalid = ProposeError::Invalid;
        if let Some(words) = state.refusal {
            return Err(invalid(one_line(&words, 400)));
        }
        let until = state.open_until.as_deref().and_then(|at| at.parse().ok());
        let until: Timestamp = until.ok_or_else(|| {
            ProposeError::Unavailable(
                "WhatsApp's server does not say until when the chat may be answered".to_owned(),
            )
        })?;
        if until <= now {
            return Err(invalid(format!(
                "the window for an answer closed at {until:.0}; WhatsApp takes only templates now, until they write again"
            )));
        }
        let text = block("text", &outgoing.text, MAX_OUTGOING * 4).map_err(invalid)?;
        let length = text.trim().chars().count();
        if length == 0 {
            return Err(invalid("`text` is empty".to_owned()));
        }
        if length > MAX_OUTGOING {
            let what = format!("`text` has {length} characters; {MAX_OUTGOING} is the most");
            return Err(invalid(what));
        }
        let quoted = outgoing.quoted_message.as_deref();
        let quoted = quoted.map(|id| checked_line("quoted-message", id, MAX_ID));
        if outgoing.doubts.len() > MAX_DOUBTS {
            return Err(invalid(format!("`doubts` has more than {MAX_DOUBTS}")));
        }
        let doubts = outgoing.doubts.iter();
        let doubts = doubts.map(|doubt| checked_line("doubts", doubt, MAX_DOUBT));
        let mut doubts: Vec<String> = doubts.collect::<Result<_, _>>().map_err(invalid)?;
        if until <= now + SOON {
            doubts.push(format!(
                "WhatsApp takes an answer only until {until:.0}: approve it before."
            ));
        }
        let action = WhatsappSend {
            chat: state.chat,
            contact_number: state.contact.number,
            contact_id: state.contact.id,
            quoted_message: quoted.transpose().map_err(invalid)?,
            text,
        };
        Ok((action, until, doubts))
    }
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
            let (action, until, doubts) = Self::bound(&outgoing, state, self.proposals.now)?;
            let asked = proposal.expires.as_deref().and_then(|at| at.parse().ok());
            let expires = asked.map_or(until, |asked: Timestamp| asked.min(until));
            let proposal = Proposal {
                expires: Some(format!("{expires:.0}")),
                ..proposal
            };
            self.proposals
                .propose_action(proposal, Ok(action), doubts)
                .await
        };
        Ok(proposed.await)
    }
}
