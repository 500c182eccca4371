//! [`McpError`] and [`CallError`]: what went wrong, and whether the other side may have acted.

use crate::GateRefusal;

/// A server cannot be started or does not speak the protocol.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum McpError {
    /// The process cannot be started.
    #[error("the MCP server `{server}` cannot be started ({command}): {reason}")]
    Start {
        /// The server's name.
        server: String,
        /// The program.
        command: String,
        /// The error of the system.
        reason: String,
    },
    /// The process started but no session came of it.
    #[error("the MCP server `{server}` does not answer as one: {reason}")]
    Handshake {
        /// The server's name.
        server: String,
        /// What happened, with the last line the server wrote to stderr.
        reason: String,
    },
    /// The tool list cannot be read.
    #[error("the MCP server `{server}` does not list its tools: {reason}")]
    Tools {
        /// The server's name.
        server: String,
        /// What happened.
        reason: String,
    },
    /// Its tools are not those that the role's list has.
    #[error(transparent)]
    Gate(#[from] GateRefusal),
    /// The session has ended and starts no server again.
    #[error(
        "the session with the MCP server `{server}` has ended: {reason}; restart Platinum if that is as it should be"
    )]
    Ended {
        /// The server's name.
        server: String,
        /// Why.
        reason: String,
    },
}

impl McpError {
    /// Whether the server is not one to work with, instead of one that does not run now.
    pub fn is_final(&self) -> bool {
        match self {
            McpError::Gate(_) | McpError::Ended { .. } => true,
            McpError::Start { .. } | McpError::Handshake { .. } | McpError::Tools { .. } => false,
        }
    }
}

/// A call brought no result. The variants differ in what is known of the other side.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The request was definitely not delivered.
    #[error("the call was not made: {0}")]
    NotStarted(String),
    /// The request was written and the answer is lost or late: what happened is unknown.
    #[error("the call was made and its answer is lost: {0}")]
    Lost(String),
    /// The tool ran and reports an error.
    #[error("the tool reports: {0}")]
    Tool(String),
    /// The server answered with a protocol error, or with something that is no tool result.
    #[error("the server's answer is no result: {text}{}", code.map(|code| format!(" (code {code})")).unwrap_or_default())]
    Protocol {
        /// Its text.
        text: String,
        /// The JSON-RPC error code, if it sent one.
        code: Option<i32>,
    },
}

impl CallError {
    /// Whether the tool certainly did not run: the request was not delivered, or the server
    /// refused it before running anything (parse error, invalid request, no such method, invalid
    /// parameters).
    pub fn certainly_not_run(&self) -> bool {
        match self {
            CallError::NotStarted(_) => true,
            CallError::Protocol {
                code: Some(code), ..
            } => {
                matches!(code, -32700 | -32600 | -32601 | -32602)
            }
            CallError::Lost(_) | CallError::Tool(_) | CallError::Protocol { .. } => false,
        }
    }

    /// For whoever reads it: what the tool says as it stands, else why nothing is known from it.
    pub fn into_words(self) -> String {
        match self {
            CallError::Tool(text) => text,
            other => other.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn call_error_certainly_not_run_only_if_undelivered() {
        let protocol = |code| CallError::Protocol {
            text: "x".to_owned(),
            code,
        };
        assert!(CallError::NotStarted(String::new()).certainly_not_run());
        assert!(protocol(Some(-32602)).certainly_not_run());
        assert!(!protocol(Some(-32603)).certainly_not_run());
        assert!(!protocol(None).certainly_not_run());
        assert!(!CallError::Lost(String::new()).certainly_not_run());
        assert!(!CallError::Tool(String::new()).certainly_not_run());
    }
}
