//! [`SyncPreview`]: what of the vault would leave this machine, folder by folder, and what would not.
//!
//! Lives elsewhere: the rules are `policy`'s and the owner's `[sync]`; what is a secret is the caller's to say, who holds
//! the scanner; sync itself decides by the same rules, file by file, when it reads them.
//! Invariants: nothing is written; no file is passed over because it cannot be read: it is named with the reason.

use std::collections::BTreeMap;

use platinum_core::{VaultPath, layout};
use platinum_daemon::Config;
use platinum_policy::MAX_FILE_BYTES;
use platinum_vault::{UnsyncedFiles, Vault, VaultError};

use super::by_choice;

/// A file of a folder is an example while there are fewer.
const EXAMPLES: usize = 3;

/// What would be synced, folder by folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SyncPreview {
    /// The pages at the top, by the name `""`, and the synced folders, in the order of the vault.
    pub folders: Vec<FolderPreview>,
    /// What stays on this machine because of where it is or what type it is.
    pub unsynced: UnsyncedFiles,
}

/// What of one synced folder would leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FolderPreview {
    /// Its name; the vault's own is `""`.
    pub name: String,
    /// How many files would leave.
    pub files: u64,
    /// Their size together.
    pub bytes: u64,
    /// The first of them, from the folder.
    pub examples: Vec<String>,
    /// What is held back, by path, with the reason: what looks like a secret, links, names that no other system has, what
    /// cannot be read.
    pub held: Vec<(String, String)>,
    /// How many stay by the owner's choice.
    pub left_out: u64,
    /// How many stay for their type, by extension.
    pub types: BTreeMap<String, u64>,
}

impl SyncPreview {
    /// Reads every file that would leave; `secret` says what of a path and its bytes is held back.
    pub fn read(
        vault: &Vault,
        config: &Config,
        secret: &dyn Fn(&VaultPath, &[u8]) -> Option<String>,
    ) -> Self {
        let stays = by_choice(config);
        let mut files = UnsyncedFiles::read(vault, &*stays);
        let mut folders = Vec::new();
        for name in [""].into_iter().chain(layout::FOLDERS) {
            let mut folder = FolderPreview {
                name: name.to_owned(),
                left_out: files.left_out.get(name).copied().unwrap_or_default(),
                types: files.in_folders.remove(name).unwrap_or_default(),
                ..FolderPreview::default()
            };
            folder.add(vault, name, &(&*stays, secret));
            folders.push(folder);
        }
        Self {
            folders,
            unsynced: files,
        }
    }

    /// How many files would leave.
    pub fn files(&self) -> u64 {
        self.folders.iter().map(|folder| folder.files).sum()
    }

    /// Whether there is nothing in the synced folders that could leave, also if it is held back now.
    pub fn is_empty(&self) -> bool {
        let is_empty = |folder: &FolderPreview| folder.files == 0 && folder.held.is_empty();
        self.folders.iter().skip(1).all(is_empty)
    }
}

/// Whether a file stays by choice, and why it is held back.
type Rules<'a> = (
    &'a dyn Fn(&VaultPath) -> bool,
    &'a dyn Fn(&VaultPath, &[u8]) -> Option<String>,
);

impl FolderPreview {
    fn add(&mut self, vault: &Vault, folder: &str, rules: &Rules<'_>) {
        let listing = match vault.list_folder(folder) {
            Ok(listing) => listing.unwrap_or_default(),
            Err(error) => return self.held.push((folder.to_owned(), error.to_string())),
        };
        let links = listing.links.into_iter().map(|path| {
            let reason = "it is a link: what it leads to is not followed";
            (path.to_string(), reason.to_owned())
        });
        self.held.extend(links);
        let misnamed = listing.refused.into_iter();
        self.held
            .extend(misnamed.map(|one| (one.instead.to_string(), one.why.to_string())));
        for (path, _) in listing.files {
            self.add_file(vault, &path, rules);
        }
        // Of the vault's own folder, the pages alone.
        if !folder.is_empty() {
            for below in listing.folders {
                self.add(vault, below.as_str(), rules);
            }
        }
    }

    fn add_file(&mut self, vault: &Vault, path: &VaultPath, (stays, secret): &Rules<'_>) {
        if stays(path) {
            return;
        }
        let bytes = match vault.read(path, MAX_FILE_BYTES as u64) {
            Ok(bytes) => bytes,
            // It went away in the meantime.
            Err(VaultError::NotFound(_)) => return,
            Err(error) => return self.held.push((path.to_string(), error.to_string())),
        };
        if let Some(reason) = secret(path, &bytes) {
            return self.held.push((path.to_string(), reason));
        }
        self.files += 1;
        self.bytes += bytes.len() as u64;
        if self.examples.len() < EXAMPLES {
            let below = path.as_str().strip_prefix(&self.name);
            let below = below.and_then(|rest| rest.strip_prefix('/'));
            self.examples
                .push(below.unwrap_or(path.as_str()).to_owned());
        }
    }
}
