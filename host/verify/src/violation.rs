//! [`Violation`]: a commit that breaks a rule, and what can be done about it.

use std::fmt;

use platinum_core::AgentName;

/// A commit of the remote that is not applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The commit, in hex.
    pub commit: String,
    /// Who signed it, if that is known.
    pub agent: Option<AgentName>,
    /// What is wrong, one sentence each.
    pub reasons: Vec<String>,
    /// How many more reasons there are than are listed.
    pub unlisted: usize,
    /// What can be done about it.
    pub recovery: Recovery,
    /// It is of a device of the owner's or of nobody that is known: what it brought is held for the
    /// owner.
    pub is_held: bool,
}

/// What can be done about a violation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recovery {
    /// Local reverts it on the remote.
    Revert,
    /// No other host is known here: the keys may not have been exchanged yet.
    Trust,
    /// A person has to act; the reasons say how.
    Owner,
}

impl Violation {
    /// The commit as a person reads it.
    pub fn short(&self) -> &str {
        self.commit.get(..12).unwrap_or(&self.commit)
    }

    /// As a server answers the client that pushed.
    pub fn refusal(&self) -> String {
        self.sentence("is refused")
    }

    fn sentence(&self, what: &str) -> String {
        const SHOWN: usize = 5;
        let mut text = format!("commit {} {what}: ", self.short());
        let shown: Vec<&str> = self
            .reasons
            .iter()
            .take(SHOWN)
            .map(String::as_str)
            .collect();
        text.push_str(&shown.join("; "));
        let more = self.reasons.len().saturating_sub(SHOWN);
        if let more @ 1.. = more.saturating_add(self.unlisted) {
            text.push_str(&format!("; and {more} more"));
        }
        text
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence("is not applied"))
    }
}
