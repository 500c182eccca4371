//! [`VaultPath`]: a path that cannot leave the vault, whatever system reads it.
//!
//! Invariants of a value: relative, `/` between components, no empty, `.` or `..` component, no
//! control or invisible character (but the joiners that emoji and some scripts are written with,
//! after a character that is not ASCII), no character or name that Windows or Android refuses, in NFC,
//! at most [`MAX_PATH_BYTES`] long and [`MAX_DEPTH`] deep. Links are not its business: `vault` refuses them on opening.

use std::{fmt, str::FromStr};

use platinum_text::{is_hidden, is_joined};
use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Longest path, in bytes: below every system's limit with room for the vault's own folder.
pub const MAX_PATH_BYTES: usize = 512;
/// Longest component, in bytes: ext4, APFS and NTFS take 255; room is left for a temporary suffix.
pub const MAX_COMPONENT_BYTES: usize = 200;

/// Most components of a path. The one bound for whatever reads, walks or judges a vault: what one
/// of them lets in, the others can bear.
pub const MAX_DEPTH: usize = 32;

/// Why a text is not a path of the vault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Nothing at all.
    #[error("a vault path may not be empty")]
    Empty,
    /// Longer than any system takes.
    #[error(
        "the path is {0} bytes long; {MAX_PATH_BYTES} is the most, {MAX_COMPONENT_BYTES} for one component"
    )]
    TooLong(usize),
    /// In more folders than are walked.
    #[error("the path has {0} parts; {MAX_DEPTH} is the most. Move it into fewer folders")]
    TooDeep(usize),
    /// Starts at a root.
    #[error("`{0}` is absolute; a vault path is relative to the vault")]
    Absolute(String),
    /// `.`, `..` or nothing between two slashes.
    #[error("`{0}` has the component `{1}`, which could leave the vault")]
    Component(String, String),
    /// A character some system refuses or hides.
    #[error("`{0}` has the character {1:?}, which some systems refuse or hide")]
    Character(String, char),
    /// Ends in a dot or a space, or is a device of Windows.
    #[error("`{0}` has the name `{1}`, which Windows and Android refuse or change")]
    Name(String, String),
    /// The same text can be written two ways, and this is not the composed one.
    #[error("`{0}` is not in Unicode's composed form (NFC); systems disagree on the other")]
    NotNfc(String),
    /// No text at all.
    #[error("the name `{0}` is not UTF-8, the one way in which all systems write names")]
    NotUtf8(String),
}

/// A relative path inside the vault. See the module for what holds of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct VaultPath(String);

impl VaultPath {
    /// Checks and takes the text.
    ///
    /// # Errors
    /// Says which rule the text breaks.
    pub fn new(text: impl Into<String>) -> Result<Self, PathError> {
        let text = text.into();
        let shown = || -> String { text.escape_debug().take(200).collect() };
        if text.is_empty() {
            return Err(PathError::Empty);
        }
        if text.len() > MAX_PATH_BYTES {
            return Err(PathError::TooLong(text.len()));
        }
        if text.starts_with('/') || text.starts_with('\\') {
            return Err(PathError::Absolute(shown()));
        }
        let mut before = '/';
        for c in text.chars() {
            if is_refused(c) && !is_joined(before, c) {
                return Err(PathError::Character(shown(), c));
            }
            before = c;
        }
        for component in text.split('/') {
            if matches!(component, "" | "." | "..") {
                return Err(PathError::Component(shown(), component.to_owned()));
            }
            if component.len() > MAX_COMPONENT_BYTES {
                return Err(PathError::TooLong(component.len()));
            }
            if component.ends_with(['.', ' ']) || component.starts_with(' ') || is_device(component)
            {
                return Err(PathError::Name(shown(), component.to_owned()));
            }
        }
        let depth = text.split('/').count();
        if depth > MAX_DEPTH {
            return Err(PathError::TooDeep(depth));
        }
        if !text.nfc().eq(text.chars()) {
            return Err(PathError::NotNfc(with_marks_escaped(&text)));
        }
        Ok(Self(text))
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The components, outermost first; there is always one.
    pub fn components(&self) -> impl DoubleEndedIterator<Item = &str> {
        self.0.split('/')
    }

    /// The outermost folder, or the file itself at the top of the vault.
    pub fn top(&self) -> &str {
        self.0.split('/').next().unwrap_or(&self.0)
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// The last component without its extension.
    pub fn stem(&self) -> &str {
        let name = self.file_name();
        match name.rfind('.') {
            Some(dot) if dot > 0 => &name[..dot],
            _ => name,
        }
    }

    /// The extension without its dot, if there is one.
    pub fn extension(&self) -> Option<&str> {
        let name = self.file_name();
        match name.rfind('.') {
            Some(dot) if dot > 0 => Some(&name[dot + 1..]),
            _ => None,
        }
    }

    /// The folder it is in; `None` at the top.
    pub fn parent(&self) -> Option<VaultPath> {
        self.0
            .rfind('/')
            .map(|slash| Self(self.0[..slash].to_owned()))
    }

    /// The path of `name` inside this folder.
    ///
    /// # Errors
    /// If the result breaks a rule of [`VaultPath::new`].
    pub fn join(&self, name: &str) -> Result<Self, PathError> {
        Self::new(format!("{}/{name}", self.0))
    }

    /// Whether this is `folder` itself or inside it.
    pub fn is_within(&self, folder: &str) -> bool {
        self.0
            .strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// A text in which the marks that join the letter before them can be told from that letter.
fn with_marks_escaped(text: &str) -> String {
    let mut shown = String::new();
    for c in text.chars().take(200) {
        match is_combining_mark(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

/// Characters that a system refuses, that end a name early, or that cannot be seen.
pub(super) fn is_refused(c: char) -> bool {
    c.is_control()
        || is_hidden(c)
        || matches!(c, '\\' | ':' | '*' | '?' | '"' | '<' | '>' | '|')
        || matches!(c, '\u{2028}' | '\u{2029}' | '\u{FFFC}' | '\u{FFFD}')
}

/// Device names of Windows, which are devices with any extension too.
pub(crate) fn is_device(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or(component);
    let stem = stem.trim_end().to_ascii_uppercase();
    matches!(stem.as_str(), "CON" | "PRN" | "AUX" | "NUL")
        || stem
            .strip_prefix("COM")
            .or_else(|| stem.strip_prefix("LPT"))
            .is_some_and(|n| matches!(n, "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9"))
}

impl fmt::Display for VaultPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for VaultPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::new(text)
    }
}

impl TryFrom<String> for VaultPath {
    type Error = PathError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::new(text)
    }
}

impl From<VaultPath> for String {
    fn from(path: VaultPath) -> Self {
        path.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn vault_path_ordinary_names_are_accepted() {
        for good in [
            "Dashboard.md",
            "Needs_Action/email/Rückfrage zu Angebot.md",
            "Done/2026/11/task_01.md",
            ".gitignore",
            "日本/メモ.md",
            "Inbox/✈\u{FE0F} Trip.md",
            "Inbox/🗂\u{FE0F} Projects/1\u{FE0F}\u{20E3}.md",
            "Inbox/👩\u{200D}💻.md",
            "Inbox/می\u{200C}خواهم.md",
        ] {
            assert_eq!(VaultPath::new(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn vault_path_escaping_or_hidden_text_is_refused() {
        let long = "a/".repeat(300) + "b";
        let deep = "a/".repeat(MAX_DEPTH) + "b";
        for bad in [
            "",
            "/etc/passwd",
            "../x",
            "a/../b",
            "a//b",
            "a/",
            "./a",
            "a\\b",
            "\\\\host\\x",
            "C:x",
            "a\0b",
            "a\nb",
            "x.md.",
            "x ",
            "con",
            "Aux.md",
            "com1.txt",
            "zero\u{200B}width",
            "pass\u{200D}word.md",
            "\u{FE0F}x.md",
            "a\u{200C}.md",
            "rtl\u{202E}",
            "e\u{301}.md",
            "a/ b.md",
            long.as_str(),
            deep.as_str(),
        ] {
            assert!(VaultPath::new(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn vault_path_deepest_is_accepted_and_one_more_refused() {
        let deepest = "a/".repeat(MAX_DEPTH - 1) + "b";
        let path = VaultPath::new(deepest.clone()).unwrap();
        assert_eq!(path.components().count(), MAX_DEPTH);
        assert_eq!(path.join("c"), Err(PathError::TooDeep(MAX_DEPTH + 1)));
        assert_eq!(
            VaultPath::new(format!("a/{deepest}"))
                .unwrap_err()
                .to_string(),
            "the path has 33 parts; 32 is the most. Move it into fewer folders"
        );
    }

    #[test]
    fn vault_path_error_shows_a_decomposed_letter() {
        assert_eq!(
            VaultPath::new("Inbox/Cafe\u{301}.md")
                .unwrap_err()
                .to_string(),
            "`Inbox/Cafe\\u{301}.md` is not in Unicode's composed form (NFC); systems disagree on the other"
        );
    }

    #[test]
    fn vault_path_parts_split_at_slashes_and_dots() {
        let path = VaultPath::new("Done/2026/11/x.y.md").unwrap();
        assert_eq!(path.top(), "Done");
        assert_eq!(path.file_name(), "x.y.md");
        assert_eq!(path.stem(), "x.y");
        assert_eq!(path.extension(), Some("md"));
        assert_eq!(path.parent().unwrap().as_str(), "Done/2026/11");
        assert!(path.is_within("Done") && path.is_within("Done/2026") && !path.is_within("Do"));
    }

    proptest! {
        #[test]
        fn vault_path_any_accepted_text_stays_inside(text in any::<String>()) {
            if let Ok(path) = VaultPath::new(text.clone()) {
                prop_assert_eq!(path.as_str(), text);
                prop_assert!(path.components().all(|c| !c.is_empty() && c != "." && c != ".."));
                prop_assert!(!path.as_str().contains(['\\', '\0', ':']));
            }
        }

        #[test]
        fn vault_path_slashes_and_dots_never_escape(parts in prop::collection::vec("[./a ]{0,4}", 1..6)) {
            if let Ok(path) = VaultPath::new(parts.join("/")) {
                let joined = std::path::Path::new("/vault").join(path.as_str());
                let clean = joined.components().all(|c| !matches!(c, std::path::Component::ParentDir));
                prop_assert!(clean && joined.starts_with("/vault"));
            }
        }
    }
}
