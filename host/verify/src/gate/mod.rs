//! [`Gate`]: what holds a secret does not leave this machine, and does not come in on a server.
//!
//! Lives here: the check of one file as it is read ([`Gate::check_file`]), and of everything that a
//! commit would publish before it is pushed ([`Gate::check_push`]). `findings` inspects commits, for
//! the hook of a server too; `published` is what the remote has already, which is no secret any more
//! that could be kept, and `index` caches it.
//! Lives elsewhere: what a secret is, is `secrets`'; who may write where is the verifier's.
//! Invariants: the bytes that are checked are the bytes that are hashed, and are read once: a push
//! looks into what did not come through [`Gate::check_file`]; a withheld file holds no other one back;
//! a notice never repeats the secret, and is given once.

mod findings;
mod index;
mod places;
mod published;

use std::{
    collections::{BTreeSet, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use platinum_core::VaultPath;
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_secrets::{Finding, Kind, Scanner};

use crate::VerifyError;
pub use findings::{BlockedItem, ItemKind};
pub(crate) use findings::{
    MAX_FOUND, find_in_commit, inspect_range, inspect_sent, is_published, scan_file,
};
use index::PublishedIndexCache;
use places::PlacesFile;
pub use places::{allow_place, allowed_places, load_places};
pub use published::Published;

/// Fewer files are looked through by one thread.
const FEW: usize = 8;
/// More contents are not remembered as clean.
const MAX_CLEAN: usize = 1 << 18;

/// The gate of one host.
pub struct Gate {
    scanner: Arc<Scanner>,
    cache: PublishedIndexCache,
    notices: Mutex<Notices>,
    places: PlacesFile,
    /// Contents in which nothing is found at any place, by the rules of a generation.
    clean: Mutex<(u64, HashSet<Oid>)>,
}

/// What is withheld, and of which files the owner is not notified yet.
#[derive(Default)]
struct Notices {
    withheld: BTreeSet<(VaultPath, Kind)>,
    pending: Vec<(VaultPath, Finding)>,
}

impl Gate {
    /// A gate with a scanner.
    pub fn new(scanner: Arc<Scanner>) -> Self {
        Self {
            scanner,
            cache: PublishedIndexCache::default(),
            notices: Mutex::default(),
            places: PlacesFile::default(),
            clean: Mutex::default(),
        }
    }

    /// Takes up what the owner allowed since, beside a repository.
    pub fn refresh_places(&self, repo: &Repo) {
        self.places.refresh(repo.git_dir(), &self.scanner);
    }

    /// What the remote has by its verified tip and these other commits.
    pub fn published<'a>(
        &'a self,
        repo: &'a Repo,
        verified: Option<Oid>,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Published<'a> {
        Published::of_commits(repo, &self.scanner, commits).with_verified(&self.cache, verified)
    }

    /// Checks the bytes of a file that is about to enter the repository: what is found in them, if
    /// the remote does not have it already. The owner is notified once, by [`Gate::take_notices`].
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn check_file(
        &self,
        path: &VaultPath,
        (blob, bytes): (Oid, &[u8]),
        published: &Published<'_>,
    ) -> Result<Option<Finding>, RepoError> {
        let name = self.scanner.name(path.as_str());
        let Some(finding) = name.or_else(|| {
            self.content(blob, bytes)?;
            self.scanner.content_at(path.as_str(), bytes)
        }) else {
            self.clear_file(path);
            return Ok(None);
        };
        let is_published = match name {
            // What is new in such a file may be what its name says.
            Some(_) => published.has_blob(blob)? && published.has_name(path.as_str())?,
            None => published.has_content(path.as_str(), blob, bytes)?,
        };
        if is_published {
            self.clear_file(path);
            return Ok(None);
        }
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        if notices.withheld.insert((path.clone(), finding.kind)) {
            notices.pending.push((path.clone(), finding));
        }
        Ok(Some(finding))
    }

    /// Looks through many files at once, on all processors.
    pub fn look_through(&self, files: &[(Oid, &[u8])]) {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        if threads == 1 || files.len() < FEW {
            return;
        }
        let next = AtomicUsize::new(0);
        let work = || {
            while let Some((blob, bytes)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
                self.content(*blob, bytes);
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

    /// What is found in a content, whatever its path. Where that is nothing, it is not read again.
    fn content(&self, blob: Oid, bytes: &[u8]) -> Option<Finding> {
        if self.is_clean(blob) {
            return None;
        }
        let generation = self.scanner.generation();
        let found = self.scanner.content(bytes);
        if found.is_none() {
            let mut clean = self.clean.lock().unwrap_or_else(PoisonError::into_inner);
            if clean.0 != generation || clean.1.len() >= MAX_CLEAN {
                *clean = (generation, HashSet::new());
            }
            clean.1.insert(blob);
        }
        found
    }

    fn is_clean(&self, blob: Oid) -> bool {
        let clean = self.clean.lock().unwrap_or_else(PoisonError::into_inner);
        clean.0 == self.scanner.generation() && clean.1.contains(&blob)
    }

    /// Notes that a file is not withheld, or no more: if it is again, the owner is notified again.
    pub fn clear_file(&self, path: &VaultPath) {
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        notices.withheld.retain(|(held, _)| held != path);
    }

    /// Checks everything that a push would give the remote.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn check_push(
        &self,
        repo: &Repo,
        tip: Option<Oid>,
        commit: Oid,
    ) -> Result<Vec<BlockedItem>, RepoError> {
        let mut verified = repo.tip(RefName::Verified)?;
        if let Some(before) = verified
            && !tip.map_or(Ok(false), |tip| repo.is_ancestor(before, tip))?
        {
            verified = None;
        }
        let mut published = self.published(repo, verified, tip).for_push(tip, commit);
        if let Some(tip) = tip {
            // A revert restores what was there before a violation, or came with it.
            published = published.with_range(verified, tip);
        }
        let is_clean = &|blob| self.is_clean(blob);
        inspect_range(repo, &self.scanner, (tip, commit), &published, is_clean)
    }

    /// The scanner.
    pub(crate) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// Refuses to publish a commit in which [`Gate::check_push`] finds anything.
    ///
    /// # Errors
    /// [`VerifyError::Refused`] with the reasons, or if the repository cannot be read.
    pub fn ensure_publishable(
        &self,
        repo: &Repo,
        tip: Option<Oid>,
        commit: Oid,
    ) -> Result<(), VerifyError> {
        let blocked = self.check_push(repo, tip, commit)?;
        if blocked.is_empty() {
            return Ok(());
        }
        let reasons: Vec<_> = blocked.iter().take(5).map(ToString::to_string).collect();
        Err(VerifyError::Refused(format!(
            "not pushed: {}",
            reasons.join("; ")
        )))
    }

    /// The files that are newly withheld, each as it may be shown, and what was found in it. Once
    /// each.
    pub fn take_notices(&self) -> Vec<(String, Finding)> {
        let pending = {
            let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut notices.pending)
        };
        let notice = |(path, finding)| (self.display_path(&path, finding), finding);
        pending.into_iter().map(notice).collect()
    }

    /// The path as it may be shown: a secret in a name is not repeated.
    fn display_path(&self, path: &VaultPath, finding: Finding) -> String {
        match (finding.kind, self.scanner.name(path.as_str())) {
            (Kind::Name(_), _) | (_, None) => path.to_string(),
            (_, Some(_)) => path
                .parent()
                .filter(|parent| self.scanner.name(parent.as_str()).is_none())
                .map_or_else(
                    || "a file".to_owned(),
                    |parent| format!("a file in {parent}"),
                ),
        }
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::{Role, Timestamp};
    use platinum_repo::{CommitMeta, Edit};
    use platinum_secrets::{Allowances, KnownSecrets};

    use super::*;

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
        assert!(gate.is_clean(blob));
        assert_eq!(gate.check_push(&repo, None, commit).unwrap(), []);
        let mut known = KnownSecrets::new([7; 32]);
        assert!(known.add(b"correct horse battery staple"));
        scanner.know(known);
        assert!(!gate.is_clean(blob));
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
        assert!(!gate.is_clean(blob));
    }
}
