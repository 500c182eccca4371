//! [`Trial`]: what a cloud host would make of the mails that are there already, in a vault of its own.
//!
//! A new owner sees what they would get before anything runs. The skill, the linker and the mail
//! server are those of a cloud host, which can only draft.
//!
//! Lives here: the trial (`runner`), its own tasks (`tasks`), the model's tokens counted (`tokens`). Lives
//! elsewhere: what is printed is `local`'s.
//! Invariants: nothing is sent, published or synced: there is no remote, no effect and no key of its own; the
//! mailbox is read and not changed, its Drafts neither; the owner's vault is read for the granted notes
//! alone; the scratch vault is whole whenever the process ends.

mod runner;
mod tasks;
mod tokens;

use std::time::Duration;

pub use runner::Trial;
pub use tokens::Tokens;

/// What became of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrialRow {
    /// Who wrote it. Untrusted text.
    pub from: String,
    /// What it is about. Untrusted text.
    pub subject: String,
    /// What was decided.
    pub decision: Decision,
    /// How long that took.
    pub took: Duration,
}

/// What was decided for a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// An answer was drafted.
    Drafted {
        /// Whom it goes to.
        recipients: Vec<String>,
        /// Places left for the owner.
        gaps: usize,
    },
    /// No answer is needed: why.
    Filed(String),
    /// It could not be done: why.
    Failed(String),
}
