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

use platinum_repo::{Oid, PublicKey, Repo, RepoError, Retired, Signer, Signers};

use crate::identity::NOTHING;

/// What a key is worth for one commit.
pub(crate) enum KeyStatus<'a> {
    /// Trusted: this signer's.
    Trusted(&'a Signer),
    /// Retired, for this commit.
    Retired(&'a Retired),
    /// Not known.
    Unknown,
}

/// The keys that count for the commits after a verified one.
pub(crate) struct Keys<'a> {
    repo: &'a Repo,
    signers: &'a Signers,
    verified: Option<Oid>,
    /// The commits up to each at which a key was retired.
    counted: RefCell<BTreeMap<Oid, BTreeSet<Oid>>>,
}

impl<'a> Keys<'a> {
    pub(crate) fn after(verified: Option<Oid>, repo: &'a Repo, signers: &'a Signers) -> Self {
        Self {
            repo,
            signers,
            verified,
            counted: RefCell::default(),
        }
    }

    /// Whether there is no verified commit yet.
    pub(crate) fn is_first_contact(&self) -> bool {
        self.verified.is_none()
    }

    /// Whose key signed a commit, if anybody's who is trusted.
    pub(crate) fn status_of(
        &self,
        key: &PublicKey,
        commit: Oid,
    ) -> Result<KeyStatus<'a>, RepoError> {
        if let Some(signer) = self.signers.of(key) {
            return Ok(KeyStatus::Trusted(signer));
        }
        let Some(retired) = self.signers.retired(key) else {
            return Ok(KeyStatus::Unknown);
        };
        if retired.at == NOTHING && self.is_first_contact() {
            // It was lost before anything was verified here: history, like an unknown signer's.
            return Ok(KeyStatus::Unknown);
        }
        Ok(match self.counts(retired.at, commit)? {
            true => KeyStatus::Trusted(&retired.signer),
            false => KeyStatus::Retired(retired),
        })
    }

    fn counts(&self, at: Oid, commit: Oid) -> Result<bool, RepoError> {
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
pub(crate) fn refusal(retired: &Retired) -> String {
    format!(
        "it is signed by a key of {} that is no longer trusted ({})",
        retired.signer.agent,
        retired.signer.key.fingerprint()
    )
}
