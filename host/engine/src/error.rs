//! What can go wrong, one narrow error per moment: making a host, loading a skill, running it.
//!
//! Invariants: each text is one sentence that names the skill; what comes from a component or its
//! author is cut to [`MAX_FOREIGN_BYTES`] and holds no control characters.

use std::time::Duration;

use platinum_core::{Capability, Role, text};
use platinum_policy::Refusal;

/// The most bytes of foreign text in one of our sentences.
pub(crate) const MAX_FOREIGN_BYTES: usize = 1024;

/// A host cannot be made of these interfaces.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// The same capability is in the list twice.
    #[error("{0} is offered twice by this host; a composition root names each interface once")]
    OfferedTwice(Capability),
    /// The linker did not take an interface.
    #[error("{capability} cannot be linked: {reason}")]
    Link {
        /// Which one.
        capability: Capability,
        /// The linker's error.
        reason: String,
    },
    /// The linker did not take WASI.
    #[error("the empty WASI cannot be linked: {0}")]
    Wasi(String),
}

/// A skill was not admitted. None of its functions was called.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The bytes are something else.
    #[error("skill {skill} is not a WebAssembly component: {reason}")]
    NotAComponent {
        /// Its name.
        skill: String,
        /// What it is instead.
        reason: String,
    },
    /// The role does not grant what it imports.
    #[error("skill {skill} is refused: {refusal}")]
    Refused {
        /// Its name.
        skill: String,
        /// The role and what it does not grant.
        refusal: Refusal,
    },
    /// The role grants it, but this program has no such interface.
    #[error(
        "skill {skill} cannot run here: role {role} grants {}, but this host does not offer it",
        .missing.join(", ")
    )]
    NotOffered {
        /// Its name.
        skill: String,
        /// The host's role.
        role: Role,
        /// The interfaces, with their versions.
        missing: Vec<String>,
    },
    /// It exports no handler of the contract.
    #[error("skill {skill} does not export {handler}: include platinum:skill/base in its world")]
    NoHandler {
        /// Its name.
        skill: String,
        /// What it should export.
        handler: &'static str,
    },
    /// It was built against another contract.
    #[error("skill {skill} does not fit this host's contract, rebuild it against wit/: {reason}")]
    Mismatch {
        /// Its name.
        skill: String,
        /// What does not fit.
        reason: String,
    },
    /// No instance of it starts.
    #[error("skill {skill} does not start: {reason}")]
    Start {
        /// Its name.
        skill: String,
        /// What stopped it.
        reason: String,
    },
    /// It is bigger than the engine takes.
    #[error("skill {skill} is too large: {bytes} bytes, and {limit} are allowed")]
    TooLarge {
        /// Its name.
        skill: String,
        /// Its size.
        bytes: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Compiling it costs too much.
    #[error("skill {skill} is refused: compiling it takes more than {limit}")]
    CompileLimit {
        /// Its name.
        skill: String,
        /// What is allowed: a time or an amount of memory.
        limit: String,
    },
    /// It cannot be compiled.
    #[error("skill {skill} cannot be compiled: {reason}")]
    Compile {
        /// Its name.
        skill: String,
        /// The compiler's error.
        reason: String,
    },
}

/// A run did not end in an outcome.
#[derive(Debug, thiserror::Error)]
pub enum InvokeError {
    /// It asked for more memory, or table elements, than its limit.
    #[error("skill {skill} ran out of memory: {limit} {what} are allowed")]
    OutOfMemory {
        /// Its name.
        skill: String,
        /// What it ran out of.
        what: &'static str,
        /// How many there were.
        limit: usize,
    },
    /// Its own code ran for too long.
    #[error("skill {skill} ran out of time: {limit:?} of its own computing are allowed")]
    OutOfTime {
        /// Its name.
        skill: String,
        /// How long it could compute.
        limit: Duration,
    },
    /// The whole run took too long, waiting included.
    #[error("skill {skill} was stopped: it took longer than {limit:?}, waiting included")]
    TimedOut {
        /// Its name.
        skill: String,
        /// How long it could take.
        limit: Duration,
    },
    /// It called the host too often.
    #[error("skill {skill} was stopped: it called the host more than {limit} times")]
    TooManyHostCalls {
        /// Its name.
        skill: String,
        /// How often it could.
        limit: u64,
    },
    /// Too many skills run at this moment.
    #[error("skill {skill} did not start: too many skills run at this moment; try again")]
    Busy {
        /// Its name.
        skill: String,
    },
    /// It broke, or the host broke off a call of it.
    #[error("skill {skill} trapped: {reason}")]
    Trapped {
        /// Its name.
        skill: String,
        /// Why, one line.
        reason: String,
    },
    /// It ended with an error of its own.
    #[error("skill {skill} failed: {error}")]
    Skill {
        /// Its name.
        skill: String,
        /// Its error.
        error: SkillError,
    },
    /// The skill was loaded by another host.
    #[error("skill {skill} was loaded by another host, for role {role}; load it here first")]
    OtherHost {
        /// Its name.
        skill: String,
        /// The role it was admitted for.
        role: Role,
    },
}

/// The error a skill ended with; each text is the skill's own, cut and on one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SkillError {
    /// The invocation lacks what the skill needs.
    #[error("invalid invocation: {0}")]
    Invalid(String),
    /// The host refused; trying again will not help.
    #[error("denied: {0}")]
    Denied(String),
    /// Something it needs is away; try again later.
    #[error("unavailable: {0}")]
    Unavailable(String),
    /// It cannot be done.
    #[error("{0}")]
    Failed(String),
}

/// Foreign text as one line of at most `max_bytes`, and `…` if it was cut.
pub(crate) fn one_line(text: &str, max_bytes: usize) -> String {
    let line = text::one_line(text, max_bytes);
    match line.len() > max_bytes {
        true => format!("{}…", text::bounded(&line, max_bytes)),
        false => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Foreign text is one bounded line.
    #[test]
    fn one_line_foreign_text_is_bounded() {
        assert_eq!(one_line("a\nb\u{1b}[0m", 64), "a b [0m");
        assert_eq!(one_line("éé", 3), "é…");
        assert_eq!(one_line("", 3), "");
    }

    /// A host without the interface is another sentence than a refusal.
    #[test]
    fn not_offered_is_not_worded_as_a_refusal() {
        let error = LoadError::NotOffered {
            skill: "pay".into(),
            role: Role::Local,
            missing: vec!["platinum:payments/pay@0.1.0".into()],
        };
        assert_eq!(
            error.to_string(),
            "skill pay cannot run here: role local grants platinum:payments/pay@0.1.0, but this \
             host does not offer it"
        );
    }
}
