//! [`SyncChoice`]: which files of this machine's vault the owner lets leave, of those that may be synced at all.
//!
//! Lives elsewhere: what may be synced at all, on every host and at the server, is `synced`'s; a choice is asked by the
//! scan of a work tree. Invariants: a choice only narrows; what the work itself needs, the folders of tasks and drafts and
//! the two pages at the top, is in every choice; what the remote has already goes on being synced.

use std::collections::BTreeSet;

use platinum_core::{VaultPath, layout};

use crate::{ATTACHMENT_TYPES, is_synced};

/// The synced folders that hold what the owner writes: each of them, or folders in them, can be left out.
pub const CHOOSABLE_FOLDERS: [&str; 4] =
    [layout::INBOX, layout::PLANS, layout::DONE, layout::UPDATES];

/// What of the owner's is synced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyncChoice {
    folders: Vec<VaultPath>,
    types: BTreeSet<String>,
}

/// Why there is no such choice. Displays as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChoiceError {
    /// A folder that is not one of the owner's synced ones.
    #[error(
        "`{0}` is no folder that can be chosen: those are {list}, and the folders in them; \
         the folders of tasks and drafts are always synced, and all others never are",
        list = CHOOSABLE_FOLDERS.join(", ")
    )]
    Folder(String),
    /// A type that is not synced.
    #[error(
        "`{0}` is no type that can be chosen: those are {list}; notes (md) are always synced, and all other types never are",
        list = ATTACHMENT_TYPES.join(", ")
    )]
    Type(String),
}

impl Default for SyncChoice {
    /// Everything that may be synced.
    fn default() -> Self {
        Self {
            folders: CHOOSABLE_FOLDERS
                .iter()
                .filter_map(|folder| VaultPath::new(*folder).ok())
                .collect(),
            types: ATTACHMENT_TYPES.map(str::to_owned).into(),
        }
    }
}

impl SyncChoice {
    /// Of these folders and these types of attachments.
    ///
    /// # Errors
    /// If one of them is none that may be synced.
    pub fn new<T: AsRef<str>>(folders: &[T], types: &[T]) -> Result<Self, ChoiceError> {
        let folder = |text: &T| {
            let text = text.as_ref().trim_end_matches('/');
            VaultPath::new(text)
                .ok()
                .filter(|path| CHOOSABLE_FOLDERS.contains(&path.top()))
                .ok_or_else(|| ChoiceError::Folder(text.to_owned()))
        };
        let kind = |text: &T| {
            let text = text.as_ref().trim_start_matches('.').to_ascii_lowercase();
            match ATTACHMENT_TYPES.contains(&text.as_str()) {
                true => Ok(text),
                false => Err(ChoiceError::Type(text)),
            }
        };
        Ok(Self {
            folders: folders.iter().map(folder).collect::<Result<_, _>>()?,
            types: types.iter().map(kind).collect::<Result<_, _>>()?,
        })
    }

    /// Whether a file that is new here is given to the remote.
    pub fn includes(&self, path: &VaultPath) -> bool {
        is_synced(path) && self.includes_folder(path) && self.includes_type(path)
    }

    fn includes_folder(&self, path: &VaultPath) -> bool {
        !CHOOSABLE_FOLDERS.contains(&path.top())
            || self
                .folders
                .iter()
                .any(|folder| path.is_within(folder.as_str()))
    }

    fn includes_type(&self, path: &VaultPath) -> bool {
        path.extension().is_some_and(|extension| {
            let extension = extension.to_ascii_lowercase();
            extension == "md" || self.types.contains(&extension)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(text: &str) -> VaultPath {
        VaultPath::new(text).unwrap()
    }

    #[test]
    fn choice_default_is_all_that_may_be_synced() {
        let choice = SyncChoice::default();
        for file in [
            "Inbox/a.md",
            "Plans/x/b.pdf",
            "Done/2026/11/c.eml",
            "Dashboard.md",
        ] {
            assert!(choice.includes(&path(file)), "{file}");
        }
        assert!(!choice.includes(&path("Journal/a.md")));
    }

    #[test]
    fn choice_leaves_out_folders_and_types_alone() {
        let choice = SyncChoice::new(&["Inbox", "Plans/Shared/"], &[".PDF", "png"]).unwrap();
        for (file, expected) in [
            ("Inbox/a.md", true),
            ("Inbox/scan/a.PDF", true),
            ("Inbox/a.csv", false),
            ("Plans/a.md", false),
            ("Plans/Shared/a.md", true),
            ("Plans/Shared2/a.md", false),
            ("Done/2026/11/a.md", false),
            ("Updates/local/a.md", false),
            ("Needs_Action/email/a.md", true),
            ("Approved/a.md", true),
            ("Approved/a.csv", false),
            ("Company_Handbook.md", true),
            ("Journal/a.md", false),
        ] {
            assert_eq!(choice.includes(&path(file)), expected, "{file}");
        }
    }

    #[test]
    fn choice_of_what_is_never_synced_is_refused() {
        let none: [&str; 0] = [];
        for folder in ["Journal", "Approved", "", "../Inbox", "inbox"] {
            let refused = SyncChoice::new(&[folder], &none).unwrap_err();
            assert_eq!(refused, ChoiceError::Folder(folder.to_owned()));
        }
        let refused = SyncChoice::new(&none, &["canvas"]).unwrap_err();
        assert_eq!(refused, ChoiceError::Type("canvas".to_owned()));
    }
}
