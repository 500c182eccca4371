//! [`Scripted`]: a zone's server that answers as it is told and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use platinum_mcp::CallError;
use serde_json::Value;

use crate::server::ToolServer;

/// Answers one call after the other, whatever is asked.
#[derive(Default)]
pub(super) struct Scripted {
    answers: Mutex<VecDeque<Result<Value, CallError>>>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl ToolServer for Scripted {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        self.asked.lock().unwrap().push((tool, arguments));
        let answer = self.answers.lock().unwrap().pop_front();
        answer.unwrap_or_else(|| Err(CallError::Tool("there is no further answer".to_owned())))
    }
}

impl Scripted {
    pub(super) fn with(answers: impl IntoIterator<Item = Value>) -> Arc<Self> {
        Self::answering(answers.into_iter().map(Ok))
    }

    pub(super) fn failing(error: CallError) -> Arc<Self> {
        Self::answering([Err(error)])
    }

    fn answering(answers: impl IntoIterator<Item = Result<Value, CallError>>) -> Arc<Self> {
        Arc::new(Self {
            answers: Mutex::new(answers.into_iter().collect()),
            asked: Mutex::default(),
        })
    }

    pub(super) fn asked(&self) -> Vec<(&'static str, Value)> {
        self.asked.lock().unwrap().clone()
    }
}
