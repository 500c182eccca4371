//! [`Editor`]: a person's editor at one vault, which remembers what must never be lost; and the
//! [`proof`](Editor::missing) that it was not.
//!
//! A version *settled* if the person left it alone for the settle time. What the person overwrote
//! or deleted sooner than that, no one promised to keep. What Platinum replaced counts however
//! soon: it may not overwrite an edit that it has not seen.
//! Invariant: a version that settled is somewhere afterwards: in the history of one of the
//! repositories (any ref), in a `.conflict` file, or where it was written.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use platinum_repo::Repo;
use platinum_testkit::git::git_in;

/// A person at one vault.
#[derive(Debug)]
pub struct Editor {
    root: PathBuf,
    settle: Duration,
    seen: Mutex<Observations>,
}

#[derive(Debug, Default)]
struct Observations {
    /// What this person wrote last, by path.
    current: BTreeMap<String, Version>,
    /// Blob id and where it settled.
    settled: BTreeMap<String, String>,
    saves: usize,
}

#[derive(Debug)]
struct Version {
    blob: String,
    since: Instant,
}

impl Editor {
    /// A person who works in the vault at `root`; what is left alone for `settle` must be kept.
    #[must_use]
    pub fn new(root: &Path, settle: Duration) -> Self {
        Self {
            root: root.to_owned(),
            settle,
            seen: Mutex::default(),
        }
    }

    /// The vault.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Saves as most editors do: a new file beside the old one, moved into its place.
    pub fn save(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let target = self.at(path);
        let beside = self.beside(&target);
        fs::write(&beside, bytes).unwrap();
        let before = self.leave(path);
        fs::rename(&beside, &target).unwrap();
        self.wrote(path, bytes, before);
    }

    /// Saves as simple programs do: the file is cut to nothing and filled again.
    ///
    /// Who writes that way while someone else replaces the file writes into a file that has no
    /// name any more, which no one can prevent; so what cannot be read back right after counts as
    /// not written.
    pub fn overwrite(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        let target = self.at(path);
        let before = self.leave(path);
        fs::write(&target, bytes).unwrap();
        if fs::read(&target).is_ok_and(|found| found == bytes) {
            self.wrote(path, bytes, before);
        }
    }

    /// Someone else wrote these bytes there for the person; they must be kept.
    pub fn must_keep(&self, path: &str, bytes: impl AsRef<[u8]>) {
        let blob = blob_id(bytes.as_ref());
        self.seen().settled.insert(blob, path.to_owned());
    }

    /// Deletes a file, if it is there; whether it was.
    pub fn delete(&self, path: &str) -> bool {
        self.leave(path);
        fs::remove_file(self.root.join(path)).is_ok()
    }

    /// Renames a file; whether it was there.
    pub fn rename(&self, from: &str, to: &str) -> bool {
        let target = self.at(to);
        if target.exists() {
            return false;
        }
        let version = self.leave(from);
        self.leave(to);
        let moved = fs::rename(self.root.join(from), &target).is_ok();
        if let (true, Some(version)) = (moved, version) {
            let mut seen = self.seen();
            // The same bytes at another place: as if written there now.
            let since = Instant::now();
            seen.current
                .insert(to.to_owned(), Version { since, ..version });
        }
        moved
    }

    /// The text of a file, if it is there.
    #[must_use]
    pub fn read(&self, path: &str) -> Option<String> {
        fs::read_to_string(self.root.join(path)).ok()
    }

    /// How often this person saved something.
    #[must_use]
    pub fn saves(&self) -> usize {
        self.seen().saves
    }

    /// Every version that settled by now: blob id, and where it was.
    #[must_use]
    pub fn stable_versions(&self) -> BTreeMap<String, String> {
        let seen = self.seen();
        let mut settled = seen.settled.clone();
        for (path, version) in &seen.current {
            if version.since.elapsed() >= self.settle {
                settled.insert(version.blob.clone(), path.clone());
            }
        }
        settled
    }

    /// The settled versions that are nowhere: not in the history of a repository, not in a
    /// `.conflict` file of a vault, and not where they were written.
    #[must_use]
    pub fn missing(&self, repositories: &[&Path], vaults: &[&Path]) -> BTreeMap<String, String> {
        let mut missing = self.stable_versions();
        for repository in repositories {
            let history = blobs_in_history(repository);
            missing.retain(|blob, _| !history.contains(blob));
        }
        if missing.is_empty() {
            return missing;
        }
        for vault in vaults {
            let copies = blobs_of_copies(vault);
            missing.retain(|blob, _| !copies.contains(blob));
        }
        missing.retain(|blob, path| {
            let there = fs::read(self.root.join(path.as_str()));
            there.map_or(true, |bytes| blob_id(&bytes) != *blob)
        });
        missing
    }

    fn seen(&self) -> std::sync::MutexGuard<'_, Observations> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at(&self, path: &str) -> PathBuf {
        let target = self.root.join(path);
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        target
    }

    fn beside(&self, target: &Path) -> PathBuf {
        let name = target.file_name().unwrap().to_string_lossy();
        target.with_file_name(format!(".{name}.{}.swp", self.saves()))
    }

    /// The person is about to take away what is at a path: it counts if it was there long enough.
    fn leave(&self, path: &str) -> Option<Version> {
        let mut seen = self.seen();
        let version = seen.current.remove(path)?;
        if version.since.elapsed() >= self.settle {
            seen.settled.insert(version.blob.clone(), path.to_owned());
        }
        Some(version)
    }

    fn wrote(&self, path: &str, bytes: &[u8], before: Option<Version>) {
        let blob = blob_id(bytes);
        // Saving the same text again does not make it younger.
        let since = match before {
            Some(before) if before.blob == blob => before.since,
            _ => Instant::now(),
        };
        let mut seen = self.seen();
        seen.saves += 1;
        seen.current
            .insert(path.to_owned(), Version { blob, since });
    }
}

/// The id that git gives these bytes.
#[must_use]
pub fn blob_id(bytes: &[u8]) -> String {
    Repo::blob_oid_of(bytes).unwrap().to_string()
}

/// Every object that a ref of the repository leads to.
#[must_use]
pub fn blobs_in_history(repository: &Path) -> BTreeSet<String> {
    let listed = git_in(
        repository,
        &["rev-list", "--objects", "--no-object-names", "--all"],
    );
    listed.unwrap().lines().map(str::to_owned).collect()
}

/// The conflict copies in a vault.
#[must_use]
pub fn copies(vault: &Path) -> Vec<PathBuf> {
    let mut found = files(vault);
    found.retain(|path| path.to_string_lossy().contains(".conflict-"));
    found
}

fn blobs_of_copies(vault: &Path) -> BTreeSet<String> {
    copies(vault)
        .into_iter()
        .filter_map(|path| fs::read(path).ok())
        .map(|bytes| blob_id(&bytes))
        .collect()
}

/// Every file of a vault that a person would see: nothing hidden.
#[must_use]
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !is_hidden => folders.push(entry.path()),
                Ok(kind) if kind.is_file() && !is_hidden => found.push(entry.path()),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

/// Path and blob of every file of a vault.
#[must_use]
pub fn tree(vault: &Path) -> BTreeMap<String, String> {
    let relative = |path: &Path| path.strip_prefix(vault).unwrap().display().to_string();
    files(vault)
        .into_iter()
        .filter_map(|path| Some((relative(&path), blob_id(&fs::read(&path).ok()?))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_names_only_settled_versions() {
        let folder = tempfile::tempdir().unwrap();
        let editor = Editor::new(folder.path(), Duration::ZERO);
        editor.save("Inbox/a.md", "one");
        editor.save("Inbox/a.md", "two");
        assert!(editor.rename("Inbox/a.md", "Inbox/b.md"));
        let lost = editor.missing(&[], &[folder.path()]);
        assert_eq!(
            lost,
            BTreeMap::from([(blob_id(b"one"), "Inbox/a.md".to_owned())])
        );
        // A conflict copy holds it.
        fs::write(folder.path().join("Inbox/a.conflict-x.md"), "one").unwrap();
        assert!(editor.missing(&[], &[folder.path()]).is_empty());
        // Deleted by the person after it settled: it has to be in history.
        assert!(editor.delete("Inbox/b.md"));
        let lost = editor.missing(&[], &[folder.path()]);
        assert_eq!(lost.into_keys().collect::<Vec<_>>(), [blob_id(b"two")]);

        let hasty = Editor::new(folder.path(), Duration::from_secs(3600));
        hasty.overwrite("Inbox/c.md", "one");
        hasty.overwrite("Inbox/c.md", "two");
        assert!(hasty.missing(&[], &[]).is_empty());
        assert_eq!(hasty.saves(), 2);
    }
}
