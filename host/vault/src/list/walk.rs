//! Lists of files: what is in one folder, and what is in it and below; strict, or going on past
//! what cannot be read ([`Walk`]).
//!
//! Lives elsewhere: what a scan needs to know of each file is `scan`'s.
//! Invariants: no link is followed; nothing is passed over because it could not be looked at: it is
//! an error, or it is named.

use cap_std::fs::Dir;
use platinum_core::{Timestamp, VaultPath};
use platinum_policy::is_synced;
use serde::Serialize;

use crate::{
    Vault, VaultError,
    folder::{descend, io_error},
};

/// How many files are listed at once.
const MAX_ENTRIES: usize = 1_000_000;

/// A file as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub path: VaultPath,
    /// Its length in bytes.
    pub len: u64,
    /// When it was last written, as the file system says.
    pub modified: Timestamp,
}

/// A folder that could not be read, with all that is in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Unreadable {
    /// Which.
    pub path: String,
    /// Why, in a sentence that names it.
    pub reason: String,
}

/// The files of some folders, as far as they can be read: for who only shows them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Walk {
    /// Those that take part in sync, by path.
    pub files: Vec<Entry>,
    /// What is left out because it could not be read.
    pub unreadable: Vec<Unreadable>,
}

impl Walk {
    /// Reads these folders and those below them.
    ///
    /// # Errors
    /// If one of `folders` is no path of a vault.
    pub fn read(vault: &Vault, folders: &[&str]) -> Result<Self, VaultError> {
        let mut walk = Self::default();
        let unreadable = &mut walk.unreadable;
        for folder in folders {
            walk.files
                .append(&mut files_in(vault.dir(), folder, &mut |folder, error| {
                    unreadable.push(Unreadable {
                        path: folder.to_owned(),
                        reason: error.to_string(),
                    });
                    Ok(())
                })?);
        }
        walk.files.sort_unstable_by(|a, b| a.path.cmp(&b.path));
        Ok(walk)
    }
}

/// Every file in a folder and below it that takes part in sync, by path. What cannot be read goes to
/// `failed`, which ends the walk or has it go on.
pub(crate) fn files_in(
    root: &Dir,
    folder: &str,
    failed: &mut dyn FnMut(&str, VaultError) -> Result<(), VaultError>,
) -> Result<Vec<Entry>, VaultError> {
    let mut found = Vec::new();
    let mut waiting: Vec<String> = vec![VaultPath::new(folder)?.into()];
    while let Some(folder) = waiting.pop() {
        let dir = match descend(root, &folder, &folder, false) {
            Ok(Some(dir)) => dir,
            Ok(None) => continue,
            Err(error @ (VaultError::Symlink { .. } | VaultError::NotAFolder { .. })) => {
                tracing::warn!(%error, "left out");
                continue;
            }
            Err(error) => {
                failed(&folder, error)?;
                continue;
            }
        };
        // No deeper than a path can be: a folder below is one.
        let visited = visit_folder(&dir, &folder, &mut |thing| match thing {
            Thing::File(entry) if is_synced(&entry.path) => found.push(entry),
            Thing::Folder(below) => waiting.push(below.into()),
            Thing::File(_) | Thing::Link(_) => {}
        });
        if let Err(error) = visited {
            failed(&folder, error)?;
        }
        if waiting.len() > MAX_ENTRIES {
            return Err(VaultError::TooMany {
                at: folder,
                what: "too many folders",
            });
        }
    }
    found.sort_unstable_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

/// Something in a folder.
pub(crate) enum Thing {
    /// A regular file.
    File(Entry),
    Folder(VaultPath),
    /// A symbolic link, whatever it leads to.
    Link(VaultPath),
}

/// Hands out what is in a folder.
pub(crate) fn visit_folder(
    dir: &Dir,
    folder: &str,
    visit: &mut dyn FnMut(Thing),
) -> Result<(), VaultError> {
    let shown = if folder.is_empty() {
        "the vault"
    } else {
        folder
    };
    let failed = |error| io_error("list", shown, error);
    for (count, entry) in dir.entries().map_err(failed)?.enumerate() {
        if count >= MAX_ENTRIES {
            return Err(VaultError::TooMany {
                at: shown.to_owned(),
                what: "too many files",
            });
        }
        let name = entry.map_err(failed)?.file_name();
        let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) else {
            continue;
        };
        let whole = if folder.is_empty() {
            name.to_owned()
        } else {
            format!("{folder}/{name}")
        };
        let Ok(path) = VaultPath::new(whole) else {
            tracing::debug!(
                folder = shown,
                name,
                "left out: not a name every system can have"
            );
            continue;
        };
        let about = match dir.symlink_metadata(name) {
            Ok(about) => about,
            // Gone again in the meantime: not there.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(failed(error)),
        };
        if about.is_dir() {
            visit(Thing::Folder(path));
        } else if about.is_symlink() {
            visit(Thing::Link(path));
        } else if about.is_file() {
            let modified = about
                .modified()
                .ok()
                .map(cap_std::time::SystemTime::into_std);
            let modified = modified.and_then(|at| Timestamp::try_from(at).ok());
            let modified = modified.unwrap_or(Timestamp::UNIX_EPOCH);
            visit(Thing::File(Entry {
                path,
                len: about.len(),
                modified,
            }));
        }
    }
    Ok(())
}
