//! The line of a draft's note below which the text that leaves begins. Above it is what is answered,
//! for the owner to read.
//!
//! Lives elsewhere: what stands above it is written by the host; which notes have to have the line is
//! decided where drafts are read.
//! Invariants: pure; whatever stands above the line is no part of what [`split_at_boundary`] gives as
//! the text; a text never has a second line that looks like it; a line in a quotation is none.

use core::fmt;

use alloc::string::String;

/// The line. A heading, so that an editor shows it in every view and in its outline.
pub const BOUNDARY: &str = "## ⬇ You approve only what is below this line";

/// The line in notes of earlier versions.
const EARLIER_BOUNDARY: &str = "## ⬇ Only what is below this line is sent";

/// What lines that look like them say, with their letters alone.
const WORDS: [&str; 2] = [
    "youapproveonlywhatisbelowthisline",
    "onlywhatisbelowthislineissent",
];

/// Why it is not certain where the text begins. Lines count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BoundaryFault {
    /// A line looks like the boundary and is not.
    Changed {
        /// Which.
        line: usize,
    },
    /// A second line looks like the boundary.
    Twice {
        /// Which.
        line: usize,
    },
}

impl BoundaryFault {
    /// The line that it is about.
    #[must_use]
    pub fn line(self) -> usize {
        match self {
            Self::Changed { line } | Self::Twice { line } => line,
        }
    }
}

impl fmt::Display for BoundaryFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { .. } => write!(
                f,
                "this line says where your text begins and was changed; write it as `{BOUNDARY}`"
            ),
            Self::Twice { .. } => write!(
                f,
                "this line says a second time where your text begins; keep the one above your text"
            ),
        }
    }
}

/// Whether a line looks like the boundary, to a person who reads it.
#[must_use]
pub fn resembles_boundary(line: &str) -> bool {
    if line.trim_start().starts_with('>') {
        return false;
    }
    let letters = line.chars().filter(|c| c.is_alphanumeric());
    let letters: String = letters.flat_map(char::to_lowercase).collect();
    WORDS.iter().any(|words| letters.contains(words))
}

/// What stands above the boundary and the text below it; none if there is none. The blank line that
/// follows the boundary belongs to it.
///
/// # Errors
/// If the line was changed, or looks as if it stood there twice.
pub fn split_at_boundary(body: &str) -> Result<Option<(&str, &str)>, BoundaryFault> {
    let mut found = None;
    let mut resembling = None;
    let mut at = 0;
    for (number, line) in (1..).zip(body.split_inclusive('\n')) {
        let end = at + line.len();
        if resembles_boundary(line) {
            match found {
                Some(_) => return Err(BoundaryFault::Twice { line: number }),
                None if [BOUNDARY, EARLIER_BOUNDARY].contains(&line.trim_end()) => {
                    found = Some((at, end));
                }
                None => resembling = resembling.or(Some(number)),
            }
        }
        at = end;
    }
    let Some((start, end)) = found else {
        return match resembling {
            Some(line) => Err(BoundaryFault::Changed { line }),
            None => Ok(None),
        };
    };
    let below = &body[end..];
    let text = below.strip_prefix("\r\n").or(below.strip_prefix('\n'));
    Ok(Some((&body[..start], text.unwrap_or(below))))
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn split_at_boundary_gives_what_is_below() {
        for (body, expected) in [
            (
                format!("> a\n\n{BOUNDARY}\n\nHello\n"),
                ("> a\n\n", "Hello\n"),
            ),
            (format!("{BOUNDARY}\nHello"), ("", "Hello")),
            (
                format!("a\r\n{BOUNDARY}  \r\n\r\n\r\nb"),
                ("a\r\n", "\r\nb"),
            ),
            (
                format!("> {BOUNDARY}\n{BOUNDARY}"),
                ("> ## ⬇ You approve only what is below this line\n", ""),
            ),
            (
                format!("{BOUNDARY}\n\n> {BOUNDARY}\n"),
                ("", "> ## ⬇ You approve only what is below this line\n"),
            ),
        ] {
            assert_eq!(split_at_boundary(&body), Ok(Some(expected)), "{body:?}");
        }
        let earlier = format!("a\n{EARLIER_BOUNDARY}\n\nb");
        assert_eq!(split_at_boundary(&earlier), Ok(Some(("a\n", "b"))));
        assert_eq!(split_at_boundary("Hello\n\nAda"), Ok(None));
    }

    #[test]
    fn split_at_boundary_damaged_line_is_refused() {
        for (body, fault) in [
            (
                "a\n# You approve only what is below this line\nb".into(),
                BoundaryFault::Changed { line: 2 },
            ),
            (
                "Only what is below this line is s\u{200B}ent!".into(),
                BoundaryFault::Changed { line: 1 },
            ),
            (format!(" {BOUNDARY}"), BoundaryFault::Changed { line: 1 }),
            (
                format!("{BOUNDARY}\na\n{BOUNDARY}\nb"),
                BoundaryFault::Twice { line: 3 },
            ),
            (
                format!("{BOUNDARY}\nYOU approve only what is *below* this line"),
                BoundaryFault::Twice { line: 2 },
            ),
        ] {
            assert_eq!(split_at_boundary(&body), Err(fault), "{body:?}");
        }
    }

    proptest! {
        /// A text comes back to the letter, whatever is quoted above it, and above it only what is.
        #[test]
        fn split_at_boundary_any_text_comes_back(
            quoted in r"(a|## ⬇ You approve only what is below this line|\r|> |```| ){0,6}",
            text in r"(a|Only|## ⬇|\r|\n|> |```| ){0,12}",
        ) {
            let above = format!("> {quoted}\n\n");
            let body = format!("{above}{BOUNDARY}\n\n{text}");
            prop_assert_eq!(split_at_boundary(&body), Ok(Some((&*above, &*text))));
        }
    }
}
