//! [`ToolServer`]: the MCP server of a zone, as the interfaces of the zone ask it.
//!
//! Invariant: what a server answers otherwise than agreed is an error, never a guess.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::text::one_line;
use platinum_mcp::{CallError, Session};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Longest text of an error, in characters.
const MAX_TEXT: usize = 600;

/// A server with tools.
#[async_trait]
pub trait ToolServer: Send + Sync {
    /// Calls a tool once.
    ///
    /// # Errors
    /// As [`Session::call`].
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError>;
}

#[async_trait]
impl ToolServer for Session {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        Session::call(self, tool, arguments).await
    }
}

/// A server that is only read: for a trial.
pub struct ReadOnly {
    /// The server.
    pub server: Arc<dyn ToolServer>,
    /// The tools that are called.
    pub reading: &'static [&'static str],
    /// Why no other one is.
    pub refusal: &'static str,
}

#[async_trait]
impl ToolServer for ReadOnly {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        match self.reading.contains(&tool) {
            true => self.server.call(tool, arguments).await,
            false => Err(CallError::Tool(self.refusal.to_owned())),
        }
    }
}

/// Why a server was asked in vain, on one line.
pub(crate) enum AskError {
    /// What the tool reports.
    Tool(String),
    /// The server is away, or does not answer as agreed.
    Unavailable(String),
}

impl AskError {
    /// For whoever reads it.
    pub(crate) fn into_words(self) -> String {
        match self {
            Self::Tool(words) | Self::Unavailable(words) => words,
        }
    }
}

/// Calls a tool, and reads what it answers.
pub(crate) async fn ask<T: DeserializeOwned>(
    server: &dyn ToolServer,
    tool: &'static str,
    arguments: Value,
) -> Result<T, AskError> {
    let answer = server.call(tool, arguments).await;
    let answer = answer.map_err(|error| match error {
        CallError::Tool(words) => AskError::Tool(one_line(&words, MAX_TEXT)),
        other => AskError::Unavailable(one_line(&other.to_string(), MAX_TEXT)),
    })?;
    read_answer(tool, answer).map_err(AskError::Unavailable)
}

/// An answer of a tool, or a part of it, read strictly.
///
/// # Errors
/// That it is not of the agreed form, in words.
pub(crate) fn read_answer<T: DeserializeOwned>(tool: &str, answer: Value) -> Result<T, String> {
    serde_json::from_value(answer).map_err(|error| {
        let what = format!("its answer to `{tool}` is not of the agreed form: {error}");
        one_line(&what, MAX_TEXT)
    })
}
