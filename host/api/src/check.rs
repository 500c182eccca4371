//! [`Check`]: one statement about one thing, how serious it is, and what to do about it.

use serde::Serialize;

/// How serious a statement is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Of no weight: nothing is there, or nothing is expected.
    Dim,
    /// As it should be.
    Ok,
    /// Incomplete, unknown or waiting for the owner.
    Warn,
    /// It does not work.
    Error,
}

/// One line of `status` or `doctor`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What it is about, in a word or two.
    pub name: String,
    /// How serious it is.
    pub level: Level,
    /// What was found.
    pub text: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

impl Check {
    /// A statement of this level.
    pub fn new(name: impl Into<String>, level: Level, text: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            level,
            text: text.into(),
            remedy: None,
        }
    }

    /// It is as it should be.
    pub fn ok(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Level::Ok, text)
    }

    /// It is incomplete or unknown.
    pub fn warn(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Level::Warn, text)
    }

    /// It does not work.
    pub fn error(name: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(name, Level::Error, text)
    }

    /// The same, with what to do about it.
    #[must_use]
    pub fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// The text, and what to do.
    pub fn sentence(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.text),
            None => self.text.clone(),
        }
    }
}
