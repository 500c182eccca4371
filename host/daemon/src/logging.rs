//! Where log lines go: standard error, one sentence a line, filtered by `PLATINUM_LOG`.

use std::io::IsTerminal;

use tracing_subscriber::{EnvFilter, fmt};

/// Starts logging for a program. Calling it twice changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_env("PLATINUM_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,cranelift=warn,wasmtime=warn,rmcp=warn"));
    let subscriber = fmt()
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start (tests in one process) keeps the first.
    subscriber.try_init().ok();
}
