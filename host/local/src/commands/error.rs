//! [`CommandError`]: what went wrong with a command, and what the person can do about it.

use std::fmt;

/// The kind of failure; the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The command line asks for something that cannot be.
    Usage,
    /// The configuration is missing or wrong.
    Config,
    /// What was named is not there.
    NotFound,
    /// It exists already, or was changed in the meantime.
    Conflict,
    /// A rule refuses it.
    Refused,
    /// The system or a program failed.
    Failed,
}

/// Why a command did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandError {
    /// The kind of failure.
    pub(crate) kind: Kind,
    /// What was wrong, where.
    pub(crate) message: String,
    /// What to do, a sentence each.
    pub(crate) hints: Vec<String>,
}

impl CommandError {
    pub(crate) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            hints: Vec::new(),
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// 2 for a wrong command line or configuration, 1 for everything else.
    pub(crate) fn exit_code(&self) -> u8 {
        match self.kind {
            Kind::Usage | Kind::Config => 2,
            Kind::NotFound | Kind::Conflict | Kind::Refused | Kind::Failed => 1,
        }
    }
}

impl std::error::Error for CommandError {}

impl fmt::Display for CommandError {
    /// The message, and a line for each hint.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.hints
            .iter()
            .try_for_each(|hint| write!(f, "\n  {hint}"))
    }
}

impl From<platinum_daemon::ConfigError> for CommandError {
    fn from(error: platinum_daemon::ConfigError) -> Self {
        Self::new(Kind::Config, error.to_string())
    }
}

impl From<platinum_api::ReadError> for CommandError {
    fn from(error: platinum_api::ReadError) -> Self {
        match error {
            platinum_api::ReadError::Vault(error) => error.into(),
            other => Self::new(Kind::Failed, other.to_string()),
        }
    }
}

impl From<platinum_vault::VaultError> for CommandError {
    fn from(error: platinum_vault::VaultError) -> Self {
        use platinum_vault::VaultError;
        let kind = match &error {
            VaultError::NotFound(_) => Kind::NotFound,
            VaultError::Exists(_) | VaultError::Changed(_) => Kind::Conflict,
            VaultError::Open { .. } => Kind::Config,
            _ => Kind::Failed,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<std::io::Error> for CommandError {
    fn from(error: std::io::Error) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}
