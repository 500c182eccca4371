//! What can go wrong with a mailbox, in words for a person.

use std::path::PathBuf;
use std::time::Duration;

/// A failure of a mailbox. [`MailboxError::is_passing`] answers whether trying again later can help.
#[derive(Debug, thiserror::Error)]
pub enum MailboxError {
    /// The server cannot be reached, or the connection was lost.
    #[error("no connection to {server}: {reason}")]
    Unavailable {
        /// Host and port.
        server: String,
        /// The error of the system.
        reason: String,
    },
    /// A command was not answered in time.
    #[error("{server} did not answer {command} within {} s", .after.as_secs())]
    TimedOut {
        /// Host and port.
        server: String,
        /// What was asked.
        command: &'static str,
        /// How long we waited.
        after: Duration,
    },
    /// The server does not accept user and password.
    #[error(
        "{server} refused the login of {user}: {reason}. The server is not asked again for {} min, or until the \
         password is another", .pause.as_secs() / 60
    )]
    Login {
        /// Host and port.
        server: String,
        /// Who wanted in.
        user: String,
        /// The answer of the server, and what to check.
        reason: String,
        /// How long it is not asked again with this password.
        pause: Duration,
    },
    /// The server refused a command.
    #[error("{server} refused {command}: {reason}")]
    Refused {
        /// Host and port.
        server: String,
        /// What was asked.
        command: &'static str,
        /// The answer of the server.
        reason: String,
    },
    /// A file of the mailbox cannot be read or written.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// The folder is not a Maildir.
    #[error("{path} is not a Maildir: {reason}", path = .path.display())]
    NotMaildir {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// There is no such folder.
    #[error("there is no folder {0:?} in this mailbox")]
    NoFolder(String),
    /// The search cannot be asked like this.
    #[error("cannot search: {0}")]
    Query(String),
    /// The password or the token cannot be had.
    #[error(transparent)]
    Credential(#[from] platinum_connect::CredentialError),
    /// The account is set up in a way that cannot work.
    #[error("{0}")]
    Setup(String),
    /// This kind of mailbox has no such thing.
    #[error("{0}")]
    Unsupported(&'static str),
}

impl MailboxError {
    /// Whether the same call may succeed later with nothing changed on our side.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::TimedOut { .. } => true,
            Self::Credential(error) => error.is_passing(),
            _ => false,
        }
    }

    /// Whether a person has to see to the login: the server refused it, or the provider ended it. The server is not
    /// asked again until then.
    #[must_use]
    pub fn is_refused_login(&self) -> bool {
        match self {
            Self::Login { .. } => true,
            Self::Credential(error @ platinum_connect::CredentialError::OAuth(_)) => {
                !error.is_passing()
            }
            _ => false,
        }
    }

    /// A failure on a file.
    pub(crate) fn file(
        action: &'static str,
        path: impl Into<PathBuf>,
        source: std::io::Error,
    ) -> Self {
        Self::File {
            action,
            path: path.into(),
            source,
        }
    }
}
