//! Why there is no connection to a mail server, in words for a person.

use std::time::Duration;

/// A connection that did not come about.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The server cannot be reached, is not what was expected, or is not trusted.
    #[error("{0}")]
    Unavailable(String),
    /// The server did not answer in time.
    #[error("did not answer {step} within {} s", .after.as_secs())]
    TimedOut {
        /// What was waited for.
        step: &'static str,
        /// How long.
        after: Duration,
    },
    /// The settings cannot work.
    #[error("{0}")]
    Setup(String),
}
