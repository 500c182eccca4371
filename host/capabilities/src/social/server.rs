//! [`Networks`]: the owner's accounts behind an MCP server, without a way to publish.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    bindings::platinum::social::types::Error,
    server::{AskError, ReadOnly, ToolServer, ask},
};

/// What the errors hold after which the same call may succeed later, with nothing changed in what is asked for: those
/// of the server's `SocialError` that pass.
const PASSING: [&str; 4] = [
    "cannot reach ",
    "the answer of ",
    " takes no more requests now; ",
    " failed inside: ",
];

/// The server for a trial, which saves no drafts.
pub fn read_only(server: Arc<dyn ToolServer>) -> ReadOnly {
    ReadOnly {
        server,
        reading: &["list_accounts", "check_post", "search_posts", "get_post"],
        refusal: "this is a trial, and a trial saves no draft of a post",
    }
}

/// The accounts behind a server. Clones share it.
#[derive(Clone)]
pub struct Networks(Arc<dyn ToolServer>);

impl Networks {
    /// The accounts behind this server.
    pub fn new(server: Arc<dyn ToolServer>) -> Self {
        Self(server)
    }

    /// Calls a tool.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        tool: &'static str,
        arguments: Value,
    ) -> Result<T, Error> {
        let answer = ask(&*self.0, tool, arguments).await;
        answer.map_err(|error| match error {
            AskError::Tool(words) => refusal(words),
            AskError::Unavailable(words) => Error::Unavailable(words),
        })
    }
}

/// What a tool reports, as an error of the contract.
fn refusal(words: String) -> Error {
    match PASSING.iter().any(|part| words.contains(part)) {
        true => Error::Unavailable(words),
        false => Error::Refused(words),
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
            let is_unavailable = matches!(refusal(text.to_owned()), Error::Unavailable(_));
            assert_eq!(is_unavailable, passes, "{text}");
        }
    }
}
