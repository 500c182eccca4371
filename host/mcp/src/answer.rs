//! What a tool answered, made of the protocol's result.
//!
//! Lives elsewhere: sending and waiting is in `session`; how long a line may be is in `child`.
//! Invariant: pure; a text of the server that goes into an error is one bounded line.

use platinum_core::text::one_line;
use rmcp::{
    RoleClient,
    model::{CallToolResult, JsonRpcMessage, ServerResult},
    service::RxJsonRpcMessage,
};
use serde_json::Value;

use crate::CallError;

/// Longest text of a tool's own error, in characters.
const MAX_ERROR_CHARS: usize = 1000;

/// The structured content of a result, or else its text, read as JSON if it is JSON.
pub(crate) fn read_result(result: CallToolResult) -> Result<Value, CallError> {
    let text = || {
        let texts = result.content.iter().filter_map(|block| block.as_text());
        texts
            .map(|block| block.text.as_str())
            .collect::<Vec<_>>()
            .join("\n")
    };
    if result.is_error == Some(true) {
        return Err(CallError::Tool(one_line(&text(), MAX_ERROR_CHARS)));
    }
    match result.structured_content {
        Some(value) => Ok(value),
        None => {
            let text = text();
            Ok(serde_json::from_str(&text).unwrap_or(Value::String(text)))
        }
    }
}

/// Takes any line the way a server's answer to a call takes; none if it is no answer. Tests and the
/// fuzz target call it.
///
/// # Errors
/// As a call: what the tool reports.
pub fn read_line(line: &[u8]) -> Option<Result<Value, CallError>> {
    let message: RxJsonRpcMessage<RoleClient> = serde_json::from_slice(line).ok()?;
    match message {
        JsonRpcMessage::Response(response) => match response.result {
            ServerResult::CallToolResult(result) => Some(read_result(result)),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(result: &Value) -> Option<Result<Value, CallError>> {
        let line = json!({ "jsonrpc": "2.0", "id": 1, "result": result });
        read_line(line.to_string().as_bytes())
    }

    #[test]
    fn answer_is_its_structured_content_or_its_text() {
        let text = |text: &str| json!({ "type": "text", "text": text });
        assert_eq!(
            read(&json!({ "content": [text("x")], "structuredContent": { "a": 1 } })),
            Some(Ok(json!({ "a": 1 })))
        );
        assert_eq!(
            read(&json!({ "content": [text("[1,"), text("2]")] })),
            Some(Ok(json!([1, 2])))
        );
        assert_eq!(
            read(&json!({ "content": [text("[1")] })),
            Some(Ok(json!("[1")))
        );
    }

    #[test]
    fn answer_of_a_failed_tool_is_one_bounded_line() {
        let long = format!("no\n\u{1b}[2J{}", "x".repeat(5000));
        let content = json!([{ "type": "text", "text": long }]);
        let answer = read(&json!({ "isError": true, "content": content }));
        let Some(Err(CallError::Tool(why))) = answer else {
            panic!("{answer:?}")
        };
        assert!(
            why.starts_with("no [2J") || why.starts_with("no  [2J"),
            "{why}"
        );
        assert!(why.chars().count() <= MAX_ERROR_CHARS && !why.contains(char::is_control));
    }

    #[test]
    fn line_that_is_no_answer_gives_nothing() {
        for line in [
            "",
            "nonsense",
            "{}",
            "[]",
            r#"{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}"#,
            r#"{"jsonrpc":"2.0","id":1,"error":{"code":-1,"message":"no"}}"#,
        ] {
            assert_eq!(read_line(line.as_bytes()), None, "{line}");
        }
    }
}
