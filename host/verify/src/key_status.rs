//! Whose key a commit is signed with, at its place in the history.
//!
//! A host that was set up anew has a new key, and what the old one signed before that may not have
//! been fetched yet: it is honest work. So a key that is replaced or revoked counts up to a commit,
//! the tip that the remote had then, and for nothing after it.
//! Lives elsewhere: the list is `repo`'s; how a key is retired is `identity`'s.
//! Invariant: before and after is the history's, never a clock's: a signer writes any time it likes.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use platinum_repo::{Oid, PublicKey, Repo, Retired, Signer, Signers};

use crate::sync::SyncError;

/// Whose a key is.
pub(super) enum Whose<'a> {
    /// This signer's.
    Signer(&'a Signer),
    /// Nobody's any more, for this commit.
    Retired(&'a Retired),
    /// Nobody's that is known.
    Nobody,
}

/// The keys that count for the commits after a verified one.
pub(super) struct Keys<'a> {
    repo: &'a Repo,
    signers: &'a Signers,
    verified: Option<Oid>,
    /// The commits up to each at which a key was retired.
    counted: RefCell<BTreeMap<Oid, BTreeSet<Oid>>>,
}

impl<'a> Keys<'a> {
    pub(super) fn after(verified: Option<Oid>, repo: &'a Repo, signers: &'a Signers) -> Self {
        Self {
            repo,
            signers,
            verified,
            counted: RefCell::default(),
        }
    }

    /// Whether there is no verified commit yet.
    pub(super) fn is_first_contact(&self) -> bool {
        self.verified.is_none()
    }

    /// Whose key signed a commit.
    pub(super) fn whose(&self, key: &PublicKey, commit: Oid) -> Result<Whose<'a>, SyncError> {
        if let Some(signer) = self.signers.of(key) {
            return Ok(Whose::Signer(signer));
        }
        let Some(retired) = self.signers.retired(key) else {
            return Ok(Whose::Nobody);
        };
        Ok(match self.counts(retired.at, commit)? {
            true => Whose::Signer(&retired.signer),
            false => Whose::Retired(retired),
        })
    }

    fn counts(&self, at: Oid, commit: Oid) -> Result<bool, SyncError> {
        if let Some(counted) = self.counted.borrow().get(&at) {
            return Ok(counted.contains(&commit));
        }
        // What the remote had then and has no more covers nothing.
        let before = match self.repo.is_stored(at)? {
            true => self.repo.commits_between(self.verified, at, usize::MAX)?,
            false => Vec::new(),
        };
        let before: BTreeSet<Oid> = before.into_iter().collect();
        let counts = before.contains(&commit);
        self.counted.borrow_mut().insert(at, before);
        Ok(counts)
    }
}

/// Why a commit by a retired key does not count.
pub(super) fn refusal(retired: &Retired) -> String {
    format!(
        "it is signed by a key of {} that is trusted no more ({})",
        retired.signer.agent,
        retired.signer.key.fingerprint()
    )
}
