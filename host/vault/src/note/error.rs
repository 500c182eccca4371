//! [`NoteError`]: what is wrong with a note, and in which line.

use platinum_core::text::BOUNDARY;

use super::{LEAVES, MAX_FRONT_BYTES};

/// Why a text is not the note it should be. Lines count from 1 at the top of the file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// The file does not begin with frontmatter.
    #[error("line 1: the note has no frontmatter; its first line has to be `---`")]
    NoFront,
    /// The frontmatter does not end.
    #[error("line 1: the frontmatter that begins here is not closed by a line `---`")]
    Unclosed,
    /// The frontmatter is too long.
    #[error("the frontmatter is {0} bytes long; {MAX_FRONT_BYTES} is the most")]
    TooLong(usize),
    /// The frontmatter is not YAML that a note may have.
    #[error("line {line}: the frontmatter cannot be read: {reason}")]
    Yaml {
        /// Where.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// The frontmatter is YAML, but no `key: value` lines.
    #[error("line 2: the frontmatter has to be `key: value` lines")]
    NotKeys,
    /// A key is missing.
    #[error("the note has no key `{0}`")]
    Missing(&'static str),
    /// A key's value cannot be read.
    #[error("line {line}: the key `{key}` cannot be read: {reason}")]
    Invalid {
        /// Which key.
        key: String,
        /// The line it begins in; 1 if that is not known.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// It is not certain where in a draft the text that leaves begins.
    #[error("line {line}: {reason}")]
    Boundary {
        /// The line that is wrong.
        line: usize,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The line of a draft that the text which leaves is below is not there.
    #[error(
        "the line `{BOUNDARY}` is missing; put it back above your text, or, if all that the note says is to leave, remove the property `{key}`",
        key = LEAVES.0
    )]
    NoBoundary,
    /// A note of another kind.
    #[error("the note is of kind `{found}`, not `{expected}`")]
    Kind {
        /// The kind asked for.
        expected: &'static str,
        /// The kind it says it is.
        found: String,
    },
    /// The frontmatter is laid out so that the key cannot be changed without touching the rest.
    #[error(
        "the key `{0}` cannot be changed by itself in this frontmatter; write one key per line, as Obsidian does"
    )]
    Layout(String),
    /// A value that a note cannot hold.
    #[error("the value for `{key}` cannot be written: {reason}")]
    Unwritable {
        /// For which key.
        key: String,
        /// Why not.
        reason: &'static str,
    },
}
