//! [`TestWhatsapp`]: the chats of a [`TestHost`], in memory.

use std::cell::RefCell;

use super::{TestApproval, TestHost};
use crate::actions::types::{EffectError, Proposal, ProposeError, Receipt};
use crate::host::{ProposeWhatsapp, ReadWhatsapp, SendWhatsapp};
use crate::whatsapp::types::{Chat, Error, Message, Outgoing, Template};

/// Chats in memory.
#[derive(Debug, Default)]
pub struct TestWhatsapp {
    /// The chats.
    pub chats: Vec<Chat>,
    /// The messages of every chat, the newest first.
    pub messages: Vec<Message>,
    /// The templates.
    pub templates: Vec<Template>,
    /// What every call answers that reads, if not success.
    pub read_error: Option<Error>,
    /// Proposed messages.
    pub proposed: RefCell<Vec<(Proposal, Outgoing)>>,
    /// What proposing answers, if not success.
    pub propose_error: Option<ProposeError>,
    /// What was handed to `send`.
    pub sent: RefCell<Vec<TestApproval>>,
}

impl ReadWhatsapp for TestHost {
    fn get_chat(&self, chat: &str) -> Result<Chat, Error> {
        if let Some(error) = &self.whatsapp.read_error {
            return Err(error.clone());
        }
        let found = self.whatsapp.chats.iter().find(|it| it.id == chat);
        found.cloned().ok_or(Error::NotFound)
    }

    fn messages(&self, chat: &str, limit: u32) -> Result<Vec<Message>, Error> {
        self.get_chat(chat)?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        Ok(self.whatsapp.messages.iter().take(limit).cloned().collect())
    }

    fn templates(&self) -> Result<Vec<Template>, Error> {
        match &self.whatsapp.read_error {
            Some(error) => Err(error.clone()),
            None => Ok(self.whatsapp.templates.clone()),
        }
    }
}

impl ProposeWhatsapp for TestHost {
    fn propose_message(
        &self,
        proposal: &Proposal,
        outgoing: &Outgoing,
    ) -> Result<String, ProposeError> {
        if let Some(error) = &self.whatsapp.propose_error {
            return Err(error.clone());
        }
        let mut proposed = self.whatsapp.proposed.borrow_mut();
        proposed.push((proposal.clone(), outgoing.clone()));
        Ok(format!("draft_{:026}", proposed.len()))
    }
}

impl SendWhatsapp for TestHost {
    fn send_message(&self, approved: TestApproval) -> Result<Receipt, EffectError> {
        let reference = format!("wamid.{}", approved.draft);
        self.whatsapp.sent.borrow_mut().push(approved);
        self.answers.borrow_mut().pop_front().unwrap_or_else(|| {
            Ok(Receipt {
                at: self.now.clone(),
                reference,
                answer: "sent".into(),
            })
        })
    }
}
