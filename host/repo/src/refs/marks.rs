//! What this machine remembers of single commits, under names of its own.

use git2::{ErrorCode, Oid};

use super::Lasting;
use crate::{Repo, RepoError};

impl Repo {
    /// Remembers a commit under a name of this machine's own, or forgets it.
    ///
    /// # Errors
    /// If the name is not of letters, digits, `_`, `-` and `/`, or the ref cannot be written.
    pub fn set_mark(&self, name: &str, commit: Option<Oid>) -> Result<(), RepoError> {
        let full = mark(name)?;
        let git = self.lock()?;
        let (lasting, doing) = match commit {
            Some(_) => (Lasting::Now, "setting a mark"),
            None => (Lasting::Soon, "removing a mark"),
        };
        self.move_ref(&git, &full, commit, lasting, doing)
    }

    /// The names under which something is remembered that begin with this folder.
    ///
    /// # Errors
    /// If the name is none, or the refs cannot be read.
    pub fn marks(&self, folder: &str) -> Result<Vec<String>, RepoError> {
        let full = mark(folder)?;
        let doing = "listing marks";
        let git = self.lock()?;
        let mut names = Vec::new();
        for reference in git
            .references_glob(&format!("{full}/*"))
            .map_err(RepoError::git(doing))?
        {
            let reference = reference.map_err(RepoError::git(doing))?;
            let below = reference
                .name()
                .ok()
                .and_then(|name| name.strip_prefix(&full));
            names.extend(below.map(|rest| format!("{folder}{rest}")));
        }
        Ok(names)
    }

    /// The commit remembered under a name.
    ///
    /// # Errors
    /// As [`Repo::set_mark`].
    pub fn mark(&self, name: &str) -> Result<Option<Oid>, RepoError> {
        let full = mark(name)?;
        match self.lock()?.refname_to_id(&full) {
            Ok(oid) => Ok(Some(oid)),
            Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
            Err(error) => Err(RepoError::git("reading a mark")(error)),
        }
    }
}

fn mark(name: &str) -> Result<String, RepoError> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '/');
    if name.chars().all(fits) {
        Ok(format!("refs/vault/marks/{name}"))
    } else {
        Err(RepoError::Git {
            doing: "naming a mark",
            reason: format!("`{}`", name.escape_debug()),
        })
    }
}
