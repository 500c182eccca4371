//! [`UnsyncedFiles`]: what is in the vault and takes no part in sync, counted by the reason.
//!
//! Lives elsewhere: which files take part is `policy`'s; what would take part and is withheld for its
//! name, its content or a link is the scan's, which names each.
//! Invariants: no file is opened and no link followed; names that begin with a dot are left out, as
//! Obsidian does; what cannot be looked at is named, not passed over.

use std::{collections::BTreeMap, ffi::OsStr};

use cap_std::fs::Dir;
use platinum_core::{VaultPath, layout};
use platinum_policy::{ATTACHMENT_TYPES, is_synced};
use rustix::fs::{AtFlags, FileType};
use serde::Serialize;

use crate::{
    Unreadable, Vault,
    folder::{io_error, open_folder},
};

/// More files are not counted.
const MAX_FILES: u64 = 1_000_000;
/// Deeper folders are not opened: each is a file handle.
const MAX_OPEN: usize = 128;

/// Whether a file that could be synced is not, as the owner chose.
type Stays<'a> = dyn Fn(&VaultPath) -> bool + 'a;

/// Files that stay on this machine because of where they are or what type they are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct UnsyncedFiles {
    /// Those outside of the synced folders, by their outermost folder; the vault's own is `""`.
    pub elsewhere: BTreeMap<String, u64>,
    /// Those in synced folders that are of another type, by extension; `""` is none.
    pub types: BTreeMap<String, u64>,
    /// Those that could be synced and are not, as the owner chose, by their outermost folder.
    pub left_out: BTreeMap<String, u64>,
    /// `types`, by outermost folder.
    #[serde(skip)]
    pub in_folders: BTreeMap<String, BTreeMap<String, u64>>,
    /// Folders that could not be read, wherever they are.
    pub unreadable: Vec<Unreadable>,
    #[serde(skip)]
    counted: u64,
}

impl UnsyncedFiles {
    /// Counts them, and names what cannot be read of the vault; `stays` says of a file that could be synced whether the
    /// owner chose that it is not.
    pub fn read(vault: &Vault, stays: &Stays<'_>) -> Self {
        let mut found = Self::default();
        match open_folder(vault.dir(), ".") {
            Ok(dir) => found.folder(&dir, "", 0, stays),
            Err(error) => found.fail("", "open", error.into()),
        }
        found.unreadable.sort();
        found
    }

    /// How many there are.
    pub fn total(&self) -> u64 {
        [&self.elsewhere, &self.types, &self.left_out]
            .into_iter()
            .flat_map(BTreeMap::values)
            .sum()
    }

    fn fail(&mut self, folder: &str, doing: &'static str, error: std::io::Error) {
        let path = if folder.is_empty() {
            "the vault"
        } else {
            folder
        };
        self.unreadable.push(Unreadable {
            path: path.to_owned(),
            reason: io_error(doing, path, error).to_string(),
        });
    }

    fn folder(&mut self, dir: &Dir, folder: &str, depth: usize, stays: &Stays<'_>) {
        let entries = match dir.entries() {
            Ok(entries) => entries,
            Err(error) => return self.fail(folder, "list", error),
        };
        for entry in entries {
            if self.counted >= MAX_FILES {
                return;
            }
            self.counted += 1;
            let name = match entry {
                Ok(entry) => entry.file_name(),
                Err(error) => return self.fail(folder, "list", error),
            };
            let shown = name.to_string_lossy();
            if shown.starts_with('.') {
                continue;
            }
            let path = match folder {
                "" => shown.to_string(),
                folder => format!("{folder}/{shown}"),
            };
            match rustix::fs::statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(about) => {
                    let kind = FileType::from_raw_mode(about.st_mode);
                    self.entry(dir, (&name, path, kind), depth, stays);
                }
                Err(rustix::io::Errno::NOENT) => {}
                Err(error) => return self.fail(folder, "list", error.into()),
            }
        }
    }

    fn entry(
        &mut self,
        dir: &Dir,
        (name, path, kind): (&OsStr, String, FileType),
        depth: usize,
        stays: &Stays<'_>,
    ) {
        let top = path.split('/').next().unwrap_or_default();
        let is_elsewhere = !layout::FOLDERS.contains(&top);
        // In a synced folder the scan names what has such a name.
        let synced = VaultPath::new(path.as_str());
        if !is_elsewhere && synced.is_err() {
            return;
        }
        match kind {
            FileType::Directory if depth >= MAX_OPEN => {
                self.fail(&path, "open", rustix::io::Errno::NAMETOOLONG.into());
            }
            FileType::Directory => match open_folder(dir, name) {
                Ok(below) => self.folder(&below, &path, depth + 1, stays),
                Err(rustix::io::Errno::NOENT) => {}
                Err(error) => self.fail(&path, "open", error.into()),
            },
            FileType::RegularFile | FileType::Symlink
                if is_elsewhere && !synced.as_ref().is_ok_and(is_synced) =>
            {
                let folder = if path.contains('/') { top } else { "" };
                *self.elsewhere.entry(folder.to_owned()).or_default() += 1;
            }
            FileType::RegularFile => {
                let Ok(path) = synced else { return };
                if is_synced(&path) {
                    if stays(&path) {
                        *self.left_out.entry(top.to_owned()).or_default() += 1;
                    }
                    return;
                }
                let extension = path.extension().unwrap_or_default().to_ascii_lowercase();
                // An editor's own: it is not finished.
                if extension != "md" && !ATTACHMENT_TYPES.contains(&extension.as_str()) {
                    let folder = self.in_folders.entry(top.to_owned()).or_default();
                    *folder.entry(extension.clone()).or_default() += 1;
                    *self.types.entry(extension).or_default() += 1;
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::ffi::OsStrExt as _};

    use super::*;

    #[test]
    fn unsynced_files_are_counted_by_folder_and_type() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        };
        for path in [
            "Dashboard.md",
            "README.md",
            "Inbox/note.md",
            "Inbox/left.md",
            "Inbox/board.canvas",
            "Inbox/voice/a.M4A",
            "Inbox/voice/b.m4a",
            "Inbox/Makefile",
            "Inbox/~$note.md",
            "Inbox/What?.md",
            "Journal/2026/a.md",
            "Journal/Why?/b.md",
            "Journal/.trash/c.md",
            ".obsidian/app.json",
        ] {
            write(path);
        }
        fs::write(
            root.path()
                .join("Journal")
                .join(OsStr::from_bytes(b"caf\xe9.md")),
            "x",
        )
        .unwrap();
        std::os::unix::fs::symlink("Inbox", root.path().join("link")).unwrap();
        let found = UnsyncedFiles::read(&Vault::open(root.path()).unwrap(), &|path| {
            path.as_str() == "Inbox/left.md"
        });
        let count = |all: &BTreeMap<String, u64>| -> Vec<(String, u64)> {
            all.iter().map(|(name, n)| (name.clone(), *n)).collect()
        };
        assert_eq!(
            count(&found.elsewhere),
            [(String::new(), 2), ("Journal".to_owned(), 3)]
        );
        assert_eq!(
            count(&found.types),
            [
                (String::new(), 1),
                ("canvas".to_owned(), 1),
                ("m4a".to_owned(), 2)
            ]
        );
        assert_eq!(count(&found.left_out), [("Inbox".to_owned(), 1)]);
        assert_eq!((found.total(), found.unreadable), (10, vec![]));
    }
}
