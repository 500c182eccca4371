//! [`Networks`]: the owner's accounts behind an MCP server, without a way to publish.
//!
//! Invariant: what the server answers otherwise than agreed is an error, never a guess.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::text::one_line;
use platinum_mcp::{CallError, Session};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::bindings::platinum::social::types::Error;

/// Longest text of a refusal, in characters.
const MAX_TEXT: usize = 600;
/// What the errors hold after which the same call may succeed later, with nothing changed in what is asked for: those
/// of the server's `SocialError` that pass.
const PASSING: [&str; 4] = [
    "cannot reach ",
    "the answer of ",
    " takes no more requests now; ",
    " failed inside: ",
];

/// A server for social networks.
#[async_trait]
pub trait SocialServer: Send + Sync {
    /// Calls a tool once.
    ///
    /// # Errors
    /// As [`Session::call`].
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError>;
}

#[async_trait]
impl SocialServer for Session {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        Session::call(self, tool, arguments).await
    }
}

/// A server that is only read: for a trial.
pub struct ReadOnlySocial<S>(pub S);

#[async_trait]
impl<S: SocialServer> SocialServer for ReadOnlySocial<S> {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        match tool {
            "list_accounts" | "check_post" | "search_posts" | "get_post" => {
                self.0.call(tool, arguments).await
            }
            _ => {
                let what = "this is a trial, and a trial saves no draft of a post";
                Err(CallError::Tool(what.to_owned()))
            }
        }
    }
}

/// The accounts behind a server. Clones share it.
#[derive(Clone)]
pub struct Networks(Arc<dyn SocialServer>);

impl Networks {
    /// The accounts behind this server.
    pub fn new(server: Arc<dyn SocialServer>) -> Self {
        Self(server)
    }

    /// Calls a tool.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<T, Error> {
        let answer = self.0.call(tool, arguments).await;
        let answer = answer.map_err(|error| match error {
            CallError::Tool(text) => refusal(&text),
            other => Error::Unavailable(one_line(&other.to_string(), MAX_TEXT)),
        })?;
        serde_json::from_value(answer).map_err(|error| {
            let what = format!("its answer to `{tool}` is not of the agreed form: {error}");
            Error::Unavailable(one_line(&what, MAX_TEXT))
        })
    }
}

/// What a tool reports, as an error of the contract.
fn refusal(text: &str) -> Error {
    let line = one_line(text, MAX_TEXT);
    match PASSING.iter().any(|words| line.contains(words)) {
        true => Error::Unavailable(line),
        false => Error::Refused(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_that_may_pass_is_unavailable() {
        for (text, passes) in [
            ("cannot reach bsky.test: connection refused", true),
            ("the answer of bsky.test was lost: timed out", true),
            (
                "bsky.test takes no more requests now; ask again in 60 s",
                true,
            ),
            (
                "bsky.test failed inside: InternalServerError (HTTP 500)",
                true,
            ),
            ("bsky.test says no: InvalidRequest (HTTP 400)", false),
            ("there is no account `x`; accounts: me", false),
        ] {
            let is_unavailable = matches!(refusal(text), Error::Unavailable(_));
            assert_eq!(is_unavailable, passes, "{text}");
        }
    }
}
