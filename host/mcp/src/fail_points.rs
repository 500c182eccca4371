//! Where a test ends this process around a call of one tool: `FAILPOINTS="mcp-call-begun=return(<tool>)"`.
//! Nothing at all in a program that is built to be used.

/// Before the request is written.
pub(crate) fn begun(tool: &str) {
    fail::fail_point!("mcp-call-begun", |only: Option<String>| {
        if only.is_none_or(|only| only == tool) {
            std::process::abort();
        }
    });
    let _ = tool;
}

/// Once the last byte of the request is in the server's input.
pub(crate) fn written(tool: &str) {
    fail::fail_point!("mcp-call-written", |only: Option<String>| {
        if only.is_none_or(|only| only == tool) {
            std::process::abort();
        }
    });
    let _ = tool;
}

/// Once the answer is here, before anybody has it.
pub(crate) fn answered(tool: &str) {
    fail::fail_point!("mcp-call-answered", |only: Option<String>| {
        if only.is_none_or(|only| only == tool) {
            std::process::abort();
        }
    });
    let _ = tool;
}
