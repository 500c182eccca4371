//! [`Outbox`]: what became of the commits that were made here and pushed.
//!
//! Lives elsewhere: the list itself is in the repository.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_verify::revert::TRAILER_REVERTS;

/// The commits that were made here and whose end is not known yet.
pub(crate) struct Outbox {
    repo: Repo,
    pushes: Mutex<Pushes>,
}

/// How pushes of this process ended. Lost with it, which costs a question to the remote.
#[derive(Default)]
struct Pushes {
    /// Commits of which the remote said nothing but that it did not take them.
    rejected: BTreeSet<Oid>,
    /// Commits of which it is not known what became of some push.
    indeterminate: BTreeSet<Oid>,
}

impl Outbox {
    pub(crate) fn new(repo: Repo) -> Self {
        Self {
            repo,
            pushes: Mutex::default(),
        }
    }

    fn pushes(&self) -> MutexGuard<'_, Pushes> {
        self.pushes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a commit made here is the remote's tip.
    pub(crate) fn note_landed(&self, commit: Oid) -> Result<(), RepoError> {
        self.repo.set_ref(RefName::Verified, commit)?;
        fail::fail_point!("sync-landed-verified");
        self.reconcile(Some(commit))?;
        fail::fail_point!("sync-landed-settled");
        Ok(())
    }

    /// Forgets the commits made here whose end is certain, now that the remote's tip is known: one
    /// that is built on another tip landed already or never will; one that the remote rejected, and
    /// that is not there now, is not under way.
    pub(crate) fn reconcile(&self, tip: Option<Oid>) -> Result<(), RepoError> {
        for commit in self.repo.outgoing()? {
            let info = self.repo.commit_info(commit)?;
            // It was never in the work tree, which is what those that landed are kept for.
            let is_revert = info.trailers.iter().any(|(key, _)| key == TRAILER_REVERTS);
            let parents = info.parents;
            let fits = match tip {
                Some(tip) => parents.contains(&tip),
                None => parents.is_empty(),
            };
            if fits && !self.pushes().rejected.contains(&commit) {
                continue;
            }
            match tip {
                Some(tip) if !is_revert && self.repo.is_ancestor(commit, tip)? => {
                    self.repo.record_landed(commit)?;
                }
                _ => self.repo.remove_outgoing(commit)?,
            }
            let mut pushes = self.pushes();
            pushes.rejected.remove(&commit);
            pushes.indeterminate.remove(&commit);
        }
        Ok(())
    }

    /// Notes that a push of a commit was rejected. That is certain only after the next fetch: git's
    /// client may have been rejected for what it sent itself a moment before.
    pub(crate) fn note_rejected(&self, commit: Oid) {
        let mut pushes = self.pushes();
        if !pushes.indeterminate.contains(&commit) {
            pushes.rejected.insert(commit);
        }
    }

    /// Notes that the end of a push of a commit is not known. It may land as long as the tip is the
    /// one that it was built on, however later pushes end.
    pub(crate) fn note_indeterminate(&self, commit: Oid) {
        let mut pushes = self.pushes();
        pushes.rejected.remove(&commit);
        pushes.indeterminate.insert(commit);
    }

    /// Notes that the work tree now holds a commit, apart from its own edits.
    pub(crate) fn note_applied(&self, tip: Oid) -> Result<(), RepoError> {
        self.repo.set_ref(RefName::Applied, tip)?;
        // What landed is in the base now: all of it, if that is the tip.
        let is_all = self.repo.tip(RefName::Verified)? == Some(tip);
        for commit in self.repo.unacknowledged()? {
            if is_all || self.repo.is_ancestor(commit, tip)? {
                self.repo.forget_unacknowledged(commit)?;
            }
        }
        Ok(())
    }
}
