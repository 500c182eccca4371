//! What other devices pushed that is not in the vault, in words.
//!
//! Lives elsewhere: the list is `platinum_sync::held`'s.

use std::path::Path;

use platinum_sync::held::{HeldFile, HeldFiles};
use serde::Serialize;

use crate::{
    Check,
    text::{count, first_names, plain},
};

/// At most so many are named.
const NAMED: usize = 3;

/// What other devices pushed that is not in the vault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct HeldList {
    /// The files, by path.
    #[serde(rename = "held")]
    pub files: Vec<HeldFile>,
    /// Why the list cannot be read, if it cannot.
    #[serde(rename = "held_error", skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

impl HeldList {
    /// Reads the list in the state folder.
    pub fn read(state: &Path) -> Self {
        match HeldFiles::in_repository(&state.join("vault.git")).list() {
            Ok(files) => Self { files, error: None },
            Err(error) => Self {
                files: Vec::new(),
                error: Some(error.to_string()),
            },
        }
    }

    /// In words; nothing, where nothing is held.
    pub fn check(&self) -> Option<Check> {
        if let Some(error) = &self.error {
            let error = plain(error, 300);
            let text = format!("what other devices pushed cannot be listed: {error}");
            return Some(Check::error("held", text));
        }
        if self.files.is_empty() {
            return None;
        }
        let paths = self.files.iter().map(|file| file.path.as_str());
        let named = first_names(paths, NAMED, 120);
        let what = count(
            self.files.len(),
            "file from another device is",
            "files from other devices are",
        );
        let text = format!("{what} not in your vault: {named}");
        Some(Check::warn("held", text).remedy("`platinum held` shows and takes them"))
    }
}
