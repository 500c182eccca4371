//! [`Gate`]: what holds a secret does not leave this machine, and does not come in on a server.
//!
//! Lives here: the check of one file as it is read ([`Gate::check_file`]), and of everything that a
//! commit would publish ([`Gate::check_push`]). `findings` inspects commits, for the hook of a server
//! too; `published` is what the remote has already, which is no secret any more that could be kept,
//! `index` caches it; `clean` is what needs no second reading.
//! Lives elsewhere: what a secret is, is `secrets`'; who may write where is the verifier's.
//! Invariants: the bytes that are checked are the bytes that are hashed, and are read once; a withheld
//! file holds no other one back; a notice never repeats the secret, and is given once.

mod clean;
mod findings;
mod index;
mod places;
mod published;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::VaultPath;
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_secrets::{Finding, Kind, Scanner};

use crate::VerifyError;
use clean::CleanContents;
pub use findings::{BlockedItem, ItemKind};
pub(crate) use findings::{
    MAX_FOUND, find_in_commit, inspect_range, inspect_sent, is_published, scan_file,
};
use index::PublishedIndexCache;
use places::PlacesFile;
pub use places::{allow_place, allowed_places, load_places};
pub use published::Published;

/// The gate of one host.
pub struct Gate {
    scanner: Arc<Scanner>,
    cache: PublishedIndexCache,
    notices: Mutex<Notices>,
    places: PlacesFile,
    clean: CleanContents,
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
            clean: CleanContents::default(),
        }
    }

    /// Takes up what the owner allowed since.
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
            self.clean.find(&self.scanner, blob, bytes)?;
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

    /// Looks through many files at once, before [`Gate::check_file`] checks each.
    pub fn look_through(&self, files: &[(Oid, &[u8])]) {
        self.clean.look_through(&self.scanner, files);
    }

    /// Notes that a file is not withheld: if it is again, the owner is notified again.
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
        let is_clean = &|blob| self.clean.has(&self.scanner, blob);
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
        let mut notices = self.notices.lock().unwrap_or_else(PoisonError::into_inner);
        let pending = std::mem::take(&mut notices.pending);
        drop(notices);
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
