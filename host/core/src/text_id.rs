//! Short text ids: a word in kebab case that names a zone or a kind of action.
//!
//! Lives here: the form of such an id, the same for all of them.
//! Lives elsewhere: which ids are built in, and what follows from one, is a table in `policy`.
//! Invariants: an id that exists is 1 to 32 bytes of `a-z`, `0-9` and single `-`, begins with a
//! letter and is not a device name, so that it is a safe folder name on every system.

/// Longest text id, in bytes.
pub const MAX_TEXT_ID_BYTES: usize = 32;

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {what} `{text}`: {reason}")]
pub struct TextIdError {
    what: &'static str,
    text: String,
    reason: &'static str,
}

impl TextIdError {
    pub(crate) fn new(what: &'static str, text: &str, reason: &'static str) -> Self {
        let text = text.chars().take(64).collect();
        Self { what, text, reason }
    }
}

/// Why the text is not an id; none if it is one.
pub(crate) const fn objection(text: &str) -> Option<&'static str> {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > MAX_TEXT_ID_BYTES {
        return Some("an id has 1 to 32 characters");
    }
    if !bytes[0].is_ascii_lowercase() {
        return Some("an id begins with a letter from a to z");
    }
    let mut at = 0;
    while at < bytes.len() {
        let byte = bytes[at];
        let is_hyphen = byte == b'-';
        if !is_hyphen && !byte.is_ascii_lowercase() && !byte.is_ascii_digit() {
            return Some("use a-z, 0-9 and `-` only, for example `email`");
        }
        if is_hyphen && (at + 1 == bytes.len() || bytes[at + 1] == b'-') {
            return Some("a `-` stands between two words");
        }
        at += 1;
    }
    None
}

/// Defines one kind of text id.
macro_rules! text_id {
    (
        $(#[$doc:meta])* $name:ident, $what:literal;
        $($(#[$constant_doc:meta])* $constant:ident = $text:literal,)*
    ) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        #[serde(try_from = "String", into = "String")]
        pub struct $name {
            // The order of the fields makes the order of ids that of their texts.
            bytes: [u8; $crate::text_id::MAX_TEXT_ID_BYTES],
            length: u8,
        }

        impl $name {
            $($(#[$constant_doc])* pub const $constant: Self = Self::from_static($text);)*

            /// The id of a constant text.
            ///
            /// # Panics
            /// If the text is not an id; in a constant, that is an error of compilation.
            pub const fn from_static(text: &'static str) -> Self {
                assert!($crate::text_id::objection(text).is_none(), "invalid text id");
                Self::copy(text)
            }

            /// Copies a text that was checked.
            const fn copy(text: &str) -> Self {
                let from = text.as_bytes();
                let mut bytes = [0; $crate::text_id::MAX_TEXT_ID_BYTES];
                let mut length = 0_u8;
                while (length as usize) < from.len() {
                    bytes[length as usize] = from[length as usize];
                    length += 1;
                }
                Self { bytes, length }
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                let text = &self.bytes[..usize::from(self.length)];
                // An id is ASCII.
                std::str::from_utf8(text).unwrap_or_default()
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }

        impl std::str::FromStr for $name {
            type Err = $crate::text_id::TextIdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                let refused = |reason| Err($crate::text_id::TextIdError::new($what, text, reason));
                match $crate::text_id::objection(text) {
                    Some(reason) => refused(reason),
                    None if $crate::path::is_device(text) => refused("Windows has a device of that name"),
                    None => Ok(Self::copy(text)),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = $crate::text_id::TextIdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.as_str().to_owned()
            }
        }
    };
}

pub(crate) use text_id;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::{VaultPath, ZoneId};

    #[test]
    fn text_id_malformed_is_refused_with_the_reason() {
        let long = "a".repeat(33);
        for (text, reason) in [
            ("", "an id has 1 to 32 characters"),
            (long.as_str(), "an id has 1 to 32 characters"),
            ("1st", "an id begins with a letter from a to z"),
            ("-a", "an id begins with a letter from a to z"),
            ("Email", "an id begins with a letter from a to z"),
            ("eMail", "use a-z, 0-9 and `-` only, for example `email`"),
            ("a/b", "use a-z, 0-9 and `-` only, for example `email`"),
            ("a..b", "use a-z, 0-9 and `-` only, for example `email`"),
            ("aé", "use a-z, 0-9 and `-` only, for example `email`"),
            ("a\n", "use a-z, 0-9 and `-` only, for example `email`"),
            ("a-", "a `-` stands between two words"),
            ("a--b", "a `-` stands between two words"),
            ("con", "Windows has a device of that name"),
            ("lpt1", "Windows has a device of that name"),
        ] {
            let error = text.parse::<ZoneId>().unwrap_err().to_string();
            assert_eq!(error, format!("invalid zone id `{text}`: {reason}"));
        }
    }

    #[test]
    fn text_id_order_and_debug_are_those_of_its_text() {
        let mut ids: Vec<ZoneId> = ["b", "a-b", "ab", "a"]
            .map(|text| text.parse().unwrap())
            .to_vec();
        ids.sort_unstable();
        assert_eq!(
            format!("{ids:?}"),
            "[ZoneId(a), ZoneId(a-b), ZoneId(ab), ZoneId(b)]"
        );
    }

    proptest! {
        /// Whatever parses reads back, and makes a folder of the vault.
        #[test]
        fn text_id_that_parses_is_a_folder_name(text in "[a-z0-9-]{0,34}") {
            if let Ok(id) = text.parse::<ZoneId>() {
                prop_assert_eq!(id.as_str(), text.as_str());
                prop_assert_eq!(String::from(id), text.clone());
                let path = format!("Needs_Action/{text}/x.md");
                prop_assert!(VaultPath::new(path).is_ok());
            }
        }
    }
}
