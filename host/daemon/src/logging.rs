//! Where log lines go: standard error, one sentence a line, filtered by `PLATINUM_LOG`.

use std::{error::Error, io::IsTerminal};

use platinum_core::Timestamp;
use tracing_subscriber::{
    EnvFilter,
    fmt::{self, format::Writer, time::FormatTime},
};

/// The time of a line, to the second.
struct Clock;

impl FormatTime for Clock {
    fn format_time(&self, out: &mut Writer<'_>) -> std::fmt::Result {
        write!(out, "{}", Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

/// An error with its causes on one line; a cause that the line has already is left out.
pub fn whole(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let named = cause.to_string();
        if !text.contains(&named) {
            text.push_str(": ");
            text.push_str(&named);
        }
        next = cause.source();
    }
    text
}

/// Starts logging for a program. Calling it twice changes nothing.
pub fn start() {
    let filter = EnvFilter::try_from_env("PLATINUM_LOG")
        .unwrap_or_else(|_| EnvFilter::new("info,cranelift=warn,wasmtime=warn,rmcp=warn"));
    let subscriber = fmt::fmt()
        .with_timer(Clock)
        .with_env_filter(filter)
        .with_target(false)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    // A second start (tests in one process) keeps the first.
    subscriber.try_init().ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Sample {
        #[error("cannot open the vault: {0}; is it a folder?")]
        Twice(#[source] std::io::Error),
        #[error("cannot open the vault")]
        Once(#[source] std::io::Error),
    }

    #[test]
    fn whole_names_each_cause_once() {
        let cause = || std::io::Error::other("it is gone");
        assert_eq!(
            whole(&Sample::Twice(cause())),
            "cannot open the vault: it is gone; is it a folder?"
        );
        assert_eq!(
            whole(&Sample::Once(cause())),
            "cannot open the vault: it is gone"
        );
    }
}
