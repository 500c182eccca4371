//! The refs of [`Repo`]: how far this machine is, and what it made that may not have landed.
//!
//! Lives elsewhere: the chain of kept edits is in `snapshots`; what the remote's ref is, git's own client
//! notes.
//! Invariants: a ref is durable before anybody is asked about what it names, and names what is
//! durable. Some may be older after a power failure, which costs work and nothing else: what was
//! verified is judged again, what was applied is an older base, and what was removed from the outbox is
//! removed again.

mod marks;
mod snapshots;

use std::collections::BTreeSet;

use git2::{ErrorCode, Oid, Repository};

use crate::{Repo, RepoError};

/// Where the commits made here are kept until it is known whether they landed.
const OUTBOX: &str = "refs/vault/outbox/";
/// Where those that landed are kept until the work tree's base has them.
const UNACKNOWLEDGED: &str = "refs/vault/unheard/";

/// The refs that say how far this machine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefName {
    /// What was fetched last, not yet judged.
    Remote,
    /// The last tip that every rule was checked on.
    Verified,
    /// What the work tree was last made equal to: the base of the next merge. It may be a commit
    /// of this machine alone, when single files were applied ahead of the others.
    Applied,
}

impl RefName {
    /// The full name of the ref.
    pub const fn as_str(self) -> &'static str {
        match self {
            RefName::Remote => "refs/vault/remote",
            RefName::Verified => "refs/vault/verified",
            RefName::Applied => "refs/vault/applied",
        }
    }
}

/// Whether a ref may have an earlier value after a power failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// It may not.
    Now,
    /// It may.
    Soon,
}

impl Repo {
    /// What a ref points at.
    ///
    /// # Errors
    /// If the ref cannot be read.
    pub fn tip(&self, name: RefName) -> Result<Option<Oid>, RepoError> {
        let git = self.lock()?;
        match git.refname_to_id(name.as_str()) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git("reading a ref")(error)),
        }
    }

    /// Points a ref at a commit.
    ///
    /// # Errors
    /// If the ref cannot be written.
    pub fn set_ref(&self, name: RefName, to: Oid) -> Result<(), RepoError> {
        let git = self.lock()?;
        self.move_ref(&git, name.as_str(), Some(to), Lasting::Soon, "moving a ref")
    }

    /// Moves a ref, or takes it away. In the write-ahead log first: what it names must be as lasting.
    pub(crate) fn move_ref(
        &self,
        git: &Repository,
        name: &str,
        to: Option<Oid>,
        lasting: Lasting,
        doing: &'static str,
    ) -> Result<(), RepoError> {
        let now = match git.refname_to_id(name) {
            Ok(now) => Some(now),
            Err(error) if error.code() == ErrorCode::NotFound => None,
            Err(error) => return Err(RepoError::git(doing)(error)),
        };
        if now == to {
            return Ok(());
        }
        if let Some(mut wal) = self.wal()? {
            wal.append(git, &[(name, to)], lasting == Lasting::Now)?;
        }
        match to {
            Some(to) => git.reference(name, to, true, "").map(drop),
            None => git.find_reference(name).and_then(|mut it| it.delete()),
        }
        .map_err(RepoError::git(doing))
    }

    /// Notes a commit as made here, before it is pushed: after a crash or a lost answer it is
    /// recognised when it comes back, and no other commit is.
    ///
    /// # Errors
    /// If the ref cannot be written.
    pub fn record_outgoing(&self, commit: Oid) -> Result<(), RepoError> {
        let git = self.lock()?;
        let name = format!("{OUTBOX}{commit}");
        let doing = "noting a commit as outgoing";
        self.move_ref(&git, &name, Some(commit), Lasting::Now, doing)
    }

    /// The commits made here of which it is not known whether they landed.
    ///
    /// # Errors
    /// If the refs cannot be read.
    pub fn outgoing(&self) -> Result<BTreeSet<Oid>, RepoError> {
        self.commits_in(OUTBOX, "listing outgoing commits")
    }

    /// The commits made here that landed, and that the base of the next merge may not have yet.
    ///
    /// # Errors
    /// If the refs cannot be read.
    pub fn unacknowledged(&self) -> Result<BTreeSet<Oid>, RepoError> {
        self.commits_in(UNACKNOWLEDGED, "listing commits that landed")
    }

    fn commits_in(&self, folder: &str, doing: &'static str) -> Result<BTreeSet<Oid>, RepoError> {
        let git = self.lock()?;
        let refs = git
            .references_glob(&format!("{folder}*"))
            .map_err(RepoError::git(doing))?;
        let mut found = BTreeSet::new();
        for reference in refs {
            found.extend(reference.map_err(RepoError::git(doing))?.target());
        }
        Ok(found)
    }

    /// Notes that a commit made here landed: until [`Repo::forget_unacknowledged`] it is one of
    /// [`Repo::unacknowledged`].
    ///
    /// # Errors
    /// If a ref cannot be written or removed.
    pub fn record_landed(&self, commit: Oid) -> Result<(), RepoError> {
        let doing = "noting a commit as landed";
        // In this order: whatever is lost on the way, one of the two is there.
        let name = format!("{UNACKNOWLEDGED}{commit}");
        self.move_ref(&*self.lock()?, &name, Some(commit), Lasting::Soon, doing)?;
        self.remove_outgoing(commit)
    }

    /// Forgets a commit that landed: the base of the next merge has it.
    ///
    /// # Errors
    /// If the ref cannot be removed.
    pub fn forget_unacknowledged(&self, commit: Oid) -> Result<(), RepoError> {
        let doing = "forgetting a commit that landed";
        let name = format!("{UNACKNOWLEDGED}{commit}");
        self.move_ref(&*self.lock()?, &name, None, Lasting::Soon, doing)
    }

    /// Forgets a commit made here: it can no longer land, or is known otherwise.
    ///
    /// # Errors
    /// If the ref cannot be removed.
    pub fn remove_outgoing(&self, commit: Oid) -> Result<(), RepoError> {
        let git = self.lock()?;
        let name = format!("{OUTBOX}{commit}");
        let doing = "removing an outgoing commit";
        self.move_ref(&git, &name, None, Lasting::Soon, doing)
    }
}
