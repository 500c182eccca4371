//! [`ReadFiles`]: what was made of the files of some folders; one that is as it was is not read again.
//!
//! Lives elsewhere: what is made of a file is the caller's.

use std::collections::BTreeMap;

use platinum_core::{Timestamp, VaultPath};

use crate::{Vault, VaultError};

/// Files that were read, each with its length, when it was written, and what was made of it.
#[derive(Debug)]
pub struct ReadFiles<T>(BTreeMap<VaultPath, (u64, Timestamp, T)>);

impl<T> Default for ReadFiles<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> ReadFiles<T> {
    /// Calls `read` for each file directly in these folders that is new or another one by now, and forgets
    /// those that are gone. Blocks on the disk.
    ///
    /// # Errors
    /// If a folder cannot be listed: then all stays known that was.
    pub fn read_on(
        &mut self,
        vault: &Vault,
        folders: &[&str],
        read: impl Fn(&VaultPath) -> T,
    ) -> Result<(), VaultError> {
        let mut entries = Vec::new();
        for folder in folders {
            entries.extend(vault.list(folder)?);
        }
        let mut known = std::mem::take(&mut self.0);
        for entry in entries {
            let state = (entry.len, entry.modified);
            let before = known.remove(&entry.path);
            let value = match before.filter(|(len, at, _)| (*len, *at) == state) {
                Some((.., value)) => value,
                None => read(&entry.path),
            };
            self.0
                .insert(entry.path, (entry.len, entry.modified, value));
        }
        Ok(())
    }

    /// What was made of each.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.values().map(|(.., value)| value)
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, fs};

    use super::*;

    #[test]
    fn read_files_follow_what_is_there() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["One", "Two"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let vault = Vault::open(folder.path()).unwrap();
        let file = |path: &str| folder.path().join(path);
        let mut files = ReadFiles::default();
        // What was read, and what is known afterwards.
        let mut look = || {
            let read = RefCell::new(Vec::new());
            let text = |path: &VaultPath| {
                read.borrow_mut().push(path.to_string());
                vault.read_text(path, 100).unwrap()
            };
            files.read_on(&vault, &["One", "Two"], text).unwrap();
            let known: Vec<String> = files.values().cloned().collect();
            (read.into_inner(), known)
        };
        fs::write(file("One/a.md"), "a").unwrap();
        fs::write(file("Two/b.md"), "b").unwrap();
        let (read, known) = look();
        assert_eq!(
            (read, known),
            (
                vec!["One/a.md".into(), "Two/b.md".into()],
                vec!["a".into(), "b".into()]
            )
        );
        assert_eq!(look(), (vec![], vec!["a".to_owned(), "b".to_owned()]));
        fs::write(file("One/a.md"), "longer").unwrap();
        fs::rename(file("Two/b.md"), file("One/b.md")).unwrap();
        let (read, known) = look();
        assert_eq!(
            (read, known),
            (
                vec!["One/a.md".into(), "One/b.md".into()],
                vec!["longer".into(), "b".into()]
            )
        );
    }
}
