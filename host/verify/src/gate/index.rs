//! [`PublishedIndex`]: which contents and names some commits hold; [`PublishedIndexCache`]: what is
//! kept of it from one question to the next.
//!
//! Lives elsewhere: which commits count is the caller's; what follows from it is `published`'s.
//! Invariants: what is cached was in a tip of the remote that was verified, and the remote's history
//! is never rewritten, so it is there still; the index grows by what changed, and reads everything
//! once.

use std::{
    collections::{BTreeSet, HashSet, hash_map::RandomState},
    hash::BuildHasher as _,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_repo::{Oid, Repo, RepoError};

/// Contents and names. File names are stored as keyed hashes (a random SipHash key) to bound memory:
/// a vault of 100,000 notes takes some ten megabytes.
#[derive(Debug, Clone, Default)]
pub(crate) struct PublishedIndex {
    hasher: RandomState,
    blobs: HashSet<Oid>,
    /// The versions of a note, by its name.
    versions: BTreeSet<(u64, Oid)>,
    /// Names of files and folders.
    parts: HashSet<u64>,
}

impl PublishedIndex {
    /// What `commit` holds and `from` does not.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn add(
        &mut self,
        repo: &Repo,
        from: Option<Oid>,
        commit: Oid,
    ) -> Result<(), RepoError> {
        let compared = match repo.compare(from, commit, usize::MAX) {
            // Too much to compare: it counts as not published.
            Err(RepoError::TooMany(_)) => return Ok(()),
            compared => compared?,
        };
        for changed in compared.changed {
            let Some(blob) = changed.blob else { continue };
            self.blobs.insert(blob);
            for part in changed.path.components() {
                for name in [part, origin(part)] {
                    self.parts.insert(self.hash(name));
                }
            }
            self.add_version(changed.path.file_name(), blob);
        }
        Ok(())
    }

    /// A version of a note, with the name of its file.
    pub(crate) fn add_version(&mut self, file_name: &str, blob: Oid) {
        let hash = self.hash(origin(file_name));
        self.versions.insert((hash, blob));
    }

    pub(crate) fn has_blob(&self, blob: Oid) -> bool {
        self.blobs.contains(&blob)
    }

    /// Whether a file or a folder has this name, or is a conflict copy of one that has.
    pub(crate) fn has_part(&self, part: &str) -> bool {
        [part, origin(part)]
            .iter()
            .any(|name| self.parts.contains(&self.hash(name)))
    }

    /// The versions of the note that a file of this name is one of; by their ids.
    pub(crate) fn versions(&self, file_name: &str) -> impl Iterator<Item = Oid> + use<'_> {
        let hash = self.hash(origin(file_name));
        self.versions
            .range((hash, Oid::ZERO_SHA1)..)
            .take_while(move |(of, _)| *of == hash)
            .map(|(_, blob)| *blob)
    }

    fn hash(&self, name: &str) -> u64 {
        self.hasher.hash_one(name)
    }
}

/// The index of what the remote had at the last verified tip that was asked for.
#[derive(Debug, Default)]
pub(crate) struct PublishedIndexCache(Mutex<Option<(Oid, Arc<PublishedIndex>)>>);

impl PublishedIndexCache {
    /// What the remote had at this verified tip.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn at(&self, repo: &Repo, verified: Oid) -> Result<Arc<PublishedIndex>, RepoError> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, index)) = &*kept
            && *at == verified
        {
            return Ok(Arc::clone(index));
        }
        // While it is being built, nothing unfinished is kept.
        let (mut index, mut from) = (Arc::<PublishedIndex>::default(), None);
        if let Some((at, earlier)) = kept.take()
            && repo.is_ancestor(at, verified)?
        {
            (index, from) = (earlier, Some(at));
        }
        Arc::make_mut(&mut index).add(repo, from, verified)?;
        *kept = Some((verified, Arc::clone(&index)));
        Ok(index)
    }
}

/// The name of the note that a conflict copy is of; of others their own, without its ending.
pub(crate) fn origin(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.find(".conflict-").map_or(stem, |at| &stem[..at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_of_a_conflict_copy_is_its_note() {
        for (name, of) in [
            ("task_1.md", "task_1"),
            (
                "task_1.conflict-local-20261120T184303123Z-0123abcd.md",
                "task_1",
            ),
            ("x.y.md", "x.y"),
            ("Approved", "Approved"),
            ("none", "none"),
        ] {
            assert_eq!(origin(name), of);
        }
    }

    #[test]
    fn versions_are_those_of_one_name() {
        let mut index = PublishedIndex::default();
        let blob = |n: u8| Oid::from_bytes(&[n; 20]).unwrap();
        for (name, n) in [("a.md", 0), ("a.conflict-x.md", 255), ("b.md", 1)] {
            index.add_version(name, blob(n));
        }
        let of_a: Vec<_> = index.versions("a.md").collect();
        assert_eq!(of_a, [blob(0), blob(255)]);
        assert_eq!(index.versions("c.md").count(), 0);
    }
}
