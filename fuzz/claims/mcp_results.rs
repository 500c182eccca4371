//! Any line taken as a server's answer to a call: nothing panics, and what a tool reports is one
//! bounded line without control characters.

use platinum_mcp::{CallError, MAX_ANSWER_BYTES, answer::read_line};

/// The claim, of these bytes.
pub(super) fn check(line: &[u8]) {
    if line.len() > MAX_ANSWER_BYTES {
        return;
    }
    match read_line(line) {
        None | Some(Ok(_)) => {}
        Some(Err(CallError::Tool(why))) => {
            assert!(why.chars().count() <= 1000, "a long text: {why}");
            assert!(
                !why.contains(char::is_control),
                "a control character: {why:?}"
            );
        }
        Some(Err(other)) => panic!("a result is another error: {other:?}"),
    }
}
