//! [`CleanContents`]: contents in which nothing is found at any path, so that their bytes are read once.
//!
//! Invariants: a content counts as clean only as long as the scanner knows what it knew then; what
//! the place of a file alone lets pass is not clean.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use platinum_repo::Oid;
use platinum_secrets::{Finding, Scanner};

/// Fewer files are looked through by one thread.
const FEW: usize = 8;
/// More contents are not remembered.
const MAX_CLEAN: usize = 1 << 18;

/// Contents without findings, by the generation of the scanner that looked at them.
#[derive(Default)]
pub(super) struct CleanContents(Mutex<(u64, HashSet<Oid>)>);

impl CleanContents {
    /// What is found in a content, whatever its path; a clean one is not read.
    pub(super) fn find(&self, scanner: &Scanner, blob: Oid, bytes: &[u8]) -> Option<Finding> {
        if self.has(scanner, blob) {
            return None;
        }
        let generation = scanner.generation();
        let found = scanner.content(bytes);
        if found.is_none() {
            let mut clean = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if clean.0 != generation || clean.1.len() >= MAX_CLEAN {
                *clean = (generation, HashSet::new());
            }
            clean.1.insert(blob);
        }
        found
    }

    /// Whether a content was looked at, and is clean.
    pub(super) fn has(&self, scanner: &Scanner, blob: Oid) -> bool {
        let clean = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        clean.0 == scanner.generation() && clean.1.contains(&blob)
    }

    /// Looks through many contents at once, on all processors.
    pub(super) fn look_through(&self, scanner: &Scanner, files: &[(Oid, &[u8])]) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        if threads == 1 || files.len() < FEW {
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((blob, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.find(scanner, *blob, bytes);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                // Where the system gives no more threads, this one does it.
                drop(std::thread::Builder::new().spawn_scoped(scope, work));
            }
            work();
        });
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platinum_core::{Role, Timestamp, VaultPath};
    use platinum_repo::{CommitMeta, Edit, Repo};
    use platinum_secrets::{Allowances, KnownSecrets};

    use super::*;
    use crate::Gate;

    /// What was clean when it was read is read again at a push, once more is known.
    #[test]
    fn check_push_rereads_clean_files_once_more_is_known() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(folder.path()).unwrap();
        let scanner = Arc::new(Scanner::new(KnownSecrets::default(), Allowances::default()));
        let gate = Gate::new(Arc::clone(&scanner));
        let path = VaultPath::new("Inbox/a.md").unwrap();
        let text = b"The words are correct horse battery staple.\n";
        let blob = repo.write_blob(text).unwrap();
        let published = gate.published(&repo, None, None);
        let checked = gate.check_file(&path, (blob, text), &published);
        assert_eq!(checked.unwrap(), None);
        let meta = CommitMeta {
            agent: "local".parse().unwrap(),
            role: Role::Local,
            message: "Sync".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::UNIX_EPOCH,
        };
        let edits = [(path, Edit::PutBlob(blob))];
        let commit = repo.commit(None, &edits, &meta).unwrap();
        assert!(gate.clean.has(&scanner, blob));
        assert_eq!(gate.check_push(&repo, None, commit).unwrap(), []);
        let mut known = KnownSecrets::new([7; 32]);
        assert!(known.add(b"correct horse battery staple"));
        scanner.know(known);
        assert!(!gate.clean.has(&scanner, blob));
        let blocked = gate.check_push(&repo, None, commit).unwrap();
        assert_eq!(blocked.len(), 1, "{blocked:?}");
    }

    /// What only its place lets pass is held at any other.
    #[test]
    fn check_file_remembers_no_allowed_place_as_clean() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(folder.path()).unwrap();
        let scanner = Arc::new(Scanner::default());
        let gate = Gate::new(Arc::clone(&scanner));
        let path = VaultPath::new("Inbox/a.md").unwrap();
        let text = b"Password: kV9#mQ2xLw81z\n";
        let found = scanner.findings(path.as_str(), text);
        let places = found.into_iter().filter_map(|(_, place)| place).collect();
        scanner.allow_places(&places);
        let blob = repo.write_blob(text).unwrap();
        let published = gate.published(&repo, None, None);
        let checked = gate.check_file(&path, (blob, text), &published);
        assert_eq!(checked.unwrap(), None);
        assert!(!gate.clean.has(&scanner, blob));
    }
}
