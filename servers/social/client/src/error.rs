//! [`SocialError`]: what went wrong with a server, in one line for a person, and whether anything may have been done.

use platinum_kit::SecretError;

/// Why a call has no result.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SocialError {
    /// The server was not reached: nothing was asked.
    #[error("cannot reach {host}: {reason}")]
    Unreachable {
        /// Its host name.
        host: String,
        /// What failed.
        reason: String,
    },
    /// The question was sent and the answer did not come, or cannot be read: it may have been done.
    #[error("the answer of {host} was lost: {reason}")]
    Lost {
        /// Its host name.
        host: String,
        /// What failed.
        reason: String,
    },
    /// The server says no. Nothing was done.
    #[error("{host} says no: {message} (HTTP {status})")]
    Refused {
        /// Its host name.
        host: String,
        /// The status of its answer, 400 to 499.
        status: u16,
        /// The name that the network gives the error, such as `InvalidSwap`; may be empty.
        code: String,
        /// In its words.
        message: String,
    },
    /// Too much was asked of the server. Nothing was done.
    #[error("{host} takes no more requests now; {}", wait_words(.wait))]
    Busy {
        /// Its host name.
        host: String,
        /// For how many seconds, if it says so.
        wait: Option<u64>,
    },
    /// Something inside the server, or in front of it, failed: it may have been done.
    #[error("{host} failed inside: {message} (HTTP {status})")]
    Failed {
        /// Its host name.
        host: String,
        /// The status of its answer, from 500 on.
        status: u16,
        /// In its words.
        message: String,
    },
    /// The settings cannot work, or a thing that was named is not what it has to be.
    #[error("{0}")]
    Setup(String),
}

impl SocialError {
    /// Whether the call certainly changed nothing.
    #[must_use]
    pub fn is_certain(&self) -> bool {
        !matches!(self, Self::Lost { .. } | Self::Failed { .. })
    }

    /// Whether the server has answered: what it was at, it is not at any more. One in front of it (502, 504) does not
    /// know that.
    #[must_use]
    pub fn is_over(&self) -> bool {
        match self {
            Self::Lost { .. } => false,
            Self::Failed { status, .. } => matches!(status, 500 | 503),
            _ => true,
        }
    }

    /// Whether the same call may succeed later with nothing changed on our side.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        !matches!(self, Self::Refused { .. } | Self::Setup(_))
    }

    /// The status of an answer that is a no.
    #[must_use]
    pub fn refusal_status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }

    /// Whether this is the error that the network gives this name.
    #[must_use]
    pub fn has_code(&self, name: &str) -> bool {
        matches!(self, Self::Refused { code, .. } if code == name)
    }
}

impl From<SecretError> for SocialError {
    fn from(error: SecretError) -> Self {
        Self::Setup(error.to_string())
    }
}

fn wait_words(wait: &Option<u64>) -> String {
    match wait {
        Some(seconds) => format!("ask again in {seconds} s"),
        None => "ask again later".to_owned(),
    }
}
