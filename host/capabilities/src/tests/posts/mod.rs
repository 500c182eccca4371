//! `social/draft` and `social/propose`, over a server that answers as it is told and keeps what it was asked.

mod drafting;
mod proposing;

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use platinum_mcp::CallError;
use serde_json::{Value, json};

use super::{Tasks, author, now, task, vault};
use crate::{
    bindings::platinum::social::types::Post,
    social::{Networks, SocialCtx, SocialServer},
};

/// Answers one call after the other, whatever is asked.
#[derive(Default)]
pub(super) struct Scripted {
    answers: Mutex<VecDeque<Result<Value, CallError>>>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl SocialServer for Scripted {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        self.asked.lock().unwrap().push((tool, arguments));
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Err(CallError::Tool("there is no further answer".to_owned())))
    }
}

impl Scripted {
    fn with(answers: impl IntoIterator<Item = Value>) -> Arc<Self> {
        let answers = answers.into_iter().map(Ok).collect();
        Arc::new(Self {
            answers: Mutex::new(answers),
            asked: Mutex::default(),
        })
    }

    fn failing(text: &str) -> Arc<Self> {
        let server = Self::default();
        let error = CallError::Tool(text.to_owned());
        server.answers.lock().unwrap().push_back(Err(error));
        Arc::new(server)
    }

    fn asked(&self) -> Vec<(&'static str, Value)> {
        self.asked.lock().unwrap().clone()
    }

    /// The context of a run for task 1.
    fn context(self: &Arc<Self>, vault: &platinum_vault::Vault) -> SocialCtx {
        SocialCtx {
            networks: Networks::new(self.clone()),
            vault: vault.clone(),
            task: Some(task(1)),
        }
    }
}

fn post(text: &str) -> Post {
    Post {
        account: "me".into(),
        text: text.into(),
        language: None,
        reply_to: None,
        content_warning: None,
        link: None,
        media: vec![],
        thread: vec![],
    }
}

fn checked(faults: &[&str]) -> Value {
    json!({ "parts": [{ "text": "Hello", "count": 5, "max": 300, "bytes": 5 }], "faults": faults,
        "shown": "**me** on Bluesky\n\n> Hello\n\n5 of 300 characters\n",
        "answers": { "author": "Ann\n\u{202e}", "text": "Tea?\n", "address": "https://bsky.test/1" } })
}
