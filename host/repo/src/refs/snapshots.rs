//! The chain of kept edits: every version that this machine's work tree was found in, whether or
//! not it ever got to the remote.
//!
//! Invariants: it only grows, and is never pushed; a version that is in it already is not kept
//! twice in a row. Its commits are for finding bytes again, not for blame: they are not signed.
//! Since when a version is here, and whether one was ever here, is decided by it; that bytes are
//! not in it decides nothing that could lose them.

use git2::{Oid, Signature, Time};
use platinum_core::VaultPath;

use crate::{CommitMeta, Edit, Repo, RepoError, commit::edited_tree, refs::Lasting, tree::tree_of};

/// Where the chain ends.
const KEPT: &str = "refs/vault/kept";

impl Repo {
    /// The last link of the chain.
    ///
    /// # Errors
    /// If the ref cannot be read.
    pub fn last_snapshot(&self) -> Result<Option<Oid>, RepoError> {
        match self.lock()?.refname_to_id(KEPT) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == git2::ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git("reading the kept edits")(error)),
        }
    }

    /// Keeps the files of `base` with these edits as the next link; answers it, or nothing if the
    /// last link has every one of these versions.
    ///
    /// # Errors
    /// If an edit does not fit the tree, or an object or the ref cannot be written.
    pub fn save_snapshot(
        &self,
        base: Option<Oid>,
        edits: &[(VaultPath, Edit)],
        meta: &CommitMeta,
    ) -> Result<Option<Oid>, RepoError> {
        let last = self.last_snapshot()?;
        if let Some(last) = last
            && self.has_all(last, edits)?
        {
            return Ok(None);
        }
        let doing = "keeping edits";
        let git = self.lock()?;
        let base = base.map(|commit| tree_of(&git, commit)).transpose()?;
        let mut made = Vec::new();
        let tree = edited_tree(&git, base, edits, &mut made)?;
        let tree = git.find_tree(tree).map_err(RepoError::git(doing))?;
        let parents: Vec<_> = last
            .map(|last| git.find_commit(last).map_err(RepoError::git(doing)))
            .transpose()?
            .into_iter()
            .collect();
        let parents: Vec<_> = parents.iter().collect();
        let when = Time::new(meta.at.as_second(), 0);
        let mail = format!("{}@platinum.invalid", meta.agent);
        let who =
            Signature::new(meta.agent.as_str(), &mail, &when).map_err(RepoError::git(doing))?;
        let link = git
            .commit(None, &who, &who, &meta.message, &tree, &parents)
            .map_err(RepoError::git(doing))?;
        made.push(link);
        self.record_written(&made)?;
        self.move_ref(&git, KEPT, Some(link), Lasting::Now, doing)?;
        Ok(Some(link))
    }

    fn has_all(&self, last: Oid, edits: &[(VaultPath, Edit)]) -> Result<bool, RepoError> {
        let there = self.blobs_at(last, edits.iter().map(|(path, _)| path))?;
        Ok(edits.iter().all(|(path, edit)| match edit {
            Edit::PutBlob(blob) => there.get(path) == Some(blob),
            Edit::Put(_) => false,
            // What is gone needs no keeping: it was kept when it was there.
            Edit::Delete => true,
        }))
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::{Role, Timestamp};

    use super::*;

    fn meta() -> CommitMeta {
        CommitMeta {
            agent: "local".parse().unwrap(),
            role: Role::Local,
            message: "Kept".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::from_second(1_795_000_000).unwrap(),
        }
    }

    #[test]
    fn save_snapshot_keeps_each_version_once() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git")).unwrap();
        let path = VaultPath::new("Inbox/a.md").unwrap();
        let put = |text: &str| {
            let blob = repo.write_blob(text.as_bytes()).unwrap();
            vec![(path.clone(), Edit::PutBlob(blob))]
        };
        let base = repo.commit(None, &put("base"), &meta()).unwrap();
        let first = repo
            .save_snapshot(Some(base), &put("one"), &meta())
            .unwrap();
        assert!(first.is_some());
        assert_eq!(
            repo.save_snapshot(Some(base), &put("one"), &meta())
                .unwrap(),
            None
        );
        let second = repo
            .save_snapshot(Some(base), &put("two"), &meta())
            .unwrap();
        assert_eq!(repo.last_snapshot().unwrap(), second);
        // A deletion alone has no bytes to keep.
        let gone = [(path.clone(), Edit::Delete)];
        assert_eq!(
            repo.save_snapshot(Some(base), &gone, &meta()).unwrap(),
            None
        );
        let again = repo
            .save_snapshot(Some(base), &put("one"), &meta())
            .unwrap()
            .unwrap();
        let chain = repo.commits_between(None, again, 10).unwrap();
        assert_eq!(chain.len(), 3);
        let texts: Vec<_> = chain
            .iter()
            .map(|link| repo.file_at(*link, &path, 10).unwrap().unwrap())
            .collect();
        assert_eq!(texts, [b"one".to_vec(), b"two".to_vec(), b"one".to_vec()]);
    }
}
