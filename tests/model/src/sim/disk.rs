//! A file system: times of one second, names that may not differ in case, files that are seen
//! half-written, and whose bytes follow a file that is renamed under its writer.

use std::collections::BTreeMap;

use platinum_core::VaultPath;

use super::content::{Blob, Files};

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    /// As it is spelled.
    pub(super) path: VaultPath,
    pub(super) blob: Blob,
    /// When it was written, in whole seconds of this machine's clock.
    pub(super) modified: i64,
    pub(super) inode: u32,
}

/// The file system of one host.
#[derive(Debug, Clone, Default)]
pub(super) struct Disk {
    files: BTreeMap<String, File>,
    ignores_case: bool,
    inodes: u32,
}

impl Disk {
    pub(super) fn new(ignores_case: bool) -> Self {
        Self {
            ignores_case,
            ..Self::default()
        }
    }

    fn key(&self, path: &VaultPath) -> String {
        match self.ignores_case {
            true => path.as_str().to_ascii_lowercase(),
            false => path.as_str().to_owned(),
        }
    }

    pub(super) fn get(&self, path: &VaultPath) -> Option<&File> {
        self.files.get(&self.key(path))
    }

    pub(super) fn blob(&self, path: &VaultPath) -> Option<Blob> {
        self.get(path).map(|file| file.blob)
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &File> {
        self.files.values()
    }

    /// Every file as it is.
    pub(super) fn tree(&self) -> Files {
        self.files()
            .map(|file| (file.path.clone(), file.blob))
            .collect()
    }

    /// Puts a new file there, whatever was there before; as a rename over it does.
    pub(super) fn put(&mut self, path: &VaultPath, blob: Blob, wall_ms: i64) {
        self.inodes += 1;
        let key = self.key(path);
        // A file that is there keeps its spelling, as systems that ignore case do.
        let path = match self.files.get(&key) {
            Some(file) => file.path.clone(),
            None => path.clone(),
        };
        let file = File {
            path,
            blob,
            modified: wall_ms.div_euclid(1000),
            inode: self.inodes,
        };
        self.files.insert(key, file);
    }

    /// Writes into the file that is there, or makes one; answers which it is.
    pub(super) fn write(&mut self, path: &VaultPath, blob: Blob, wall_ms: i64) -> u32 {
        let key = self.key(path);
        if !self.files.contains_key(&key) {
            self.put(path, blob, wall_ms);
        }
        match self.files.get_mut(&key) {
            Some(file) => {
                file.blob = blob;
                file.modified = wall_ms.div_euclid(1000);
                file.inode
            }
            None => 0,
        }
    }

    /// Writes into an open file, wherever it is by now. False if it is gone.
    pub(super) fn write_open(&mut self, inode: u32, blob: Blob, wall_ms: i64) -> bool {
        let Some(file) = self.files.values_mut().find(|file| file.inode == inode) else {
            return false;
        };
        file.blob = blob;
        file.modified = wall_ms.div_euclid(1000);
        true
    }

    pub(super) fn open(&self, inode: u32) -> Option<&File> {
        self.files.values().find(|file| file.inode == inode)
    }

    pub(super) fn remove(&mut self, path: &VaultPath) -> Option<File> {
        self.files.remove(&self.key(path))
    }

    /// Renames; the name must be free, but for the spelling of the same file.
    pub(super) fn rename(&mut self, from: &VaultPath, to: &VaultPath) -> bool {
        let (old, new) = (self.key(from), self.key(to));
        if old != new && self.files.contains_key(&new) {
            return false;
        }
        let Some(mut file) = self.files.remove(&old) else {
            return false;
        };
        file.path = to.clone();
        self.files.insert(new, file);
        true
    }
}
