//! [`Published`]: content the remote already has. Publishing it once more reveals nothing.
//!
//! A draft that is dragged to `Approved/`, a task that is claimed or filed, what local restores after
//! a violation: their text is on the remote, whatever it holds. Withholding it would keep no secret,
//! but stop the work on it, or the sync itself.
//!
//! Lives elsewhere: what is a secret is `secrets`' question, and was answered with yes before this one
//! is asked.
//! Invariants: only commits that the remote has count. A file counts if the same bytes are there under
//! any name, or if it is a note of the same name, or a conflict copy of one, with the same body, and
//! nothing is found in those entries of its frontmatter that are new. Anything else is checked as if
//! nothing was there: a secret that was pasted into a file as it was moved is withheld. So is
//! whatever is new in a file with a secret's name.

use std::{
    cell::{OnceCell, RefCell},
    collections::BTreeSet,
    sync::Arc,
};

use platinum_core::VaultPath;
use platinum_repo::{NewObject, Oid, Repo, RepoError};
use platinum_secrets::Scanner;
use platinum_tasks::MAX_NOTE;
use platinum_vault::note::Note;

use super::index::{PublishedIndex, PublishedIndexCache};

/// So many versions of one note are compared with: of those that are near, and of the others.
const MAX_VERSIONS: usize = 64;

/// What the remote has. It is looked up when it is first asked for, and never where nothing is
/// found.
pub struct Published<'a> {
    repo: &'a Repo,
    scanner: &'a Scanner,
    /// The verified tip, all of which counts, and what is cached of it.
    verified: Option<(&'a PublishedIndexCache, Oid)>,
    /// Other commits whose files all count.
    commits: BTreeSet<Oid>,
    /// What came and went between these two counts too.
    between: Option<(Option<Oid>, Oid)>,
    /// The tip and the commit that is to be pushed on it.
    pushed: Option<(Oid, Oid)>,
    /// Of a server: the objects with something in them that were not there before this push.
    sent: Option<BTreeSet<Oid>>,
    found: OnceCell<PublishedContent>,
    /// The blobs that were asked for and are published.
    excused: RefCell<BTreeSet<Oid>>,
}

/// What was looked up.
#[derive(Default)]
struct PublishedContent {
    /// What the verified tip has, and what earlier ones had.
    verified: Arc<PublishedIndex>,
    /// What the other commits have.
    others: PublishedIndex,
    /// Versions that a push takes away or puts others in the place of: a note that is moved is
    /// most likely one of them, however many others have its name.
    replaced: PublishedIndex,
}

impl PublishedContent {
    fn has_blob(&self, blob: Oid) -> bool {
        self.verified.has_blob(blob) || self.others.has_blob(blob)
    }

    fn has_part(&self, part: &str) -> bool {
        self.verified.has_part(part) || self.others.has_part(part)
    }
}

impl<'a> Published<'a> {
    /// What these commits hold.
    pub(crate) fn of_commits(
        repo: &'a Repo,
        scanner: &'a Scanner,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Self {
        Self {
            repo,
            scanner,
            verified: None,
            commits: commits.into_iter().collect(),
            between: None,
            pushed: None,
            sent: None,
            found: OnceCell::new(),
            excused: RefCell::default(),
        }
    }

    /// And what a verified tip of the remote holds.
    #[must_use]
    pub(crate) fn with_verified(
        mut self,
        cache: &'a PublishedIndexCache,
        tip: Option<Oid>,
    ) -> Self {
        self.verified = tip.map(|tip| (cache, tip));
        self
    }

    /// And what the commits that `to` has and `from` has not brought.
    #[must_use]
    pub(crate) fn with_range(self, from: Option<Oid>, to: Oid) -> Self {
        Self {
            between: Some((from, to)),
            ..self
        }
    }

    /// For a commit that is to be pushed on a tip.
    #[must_use]
    pub(crate) fn for_push(self, tip: Option<Oid>, commit: Oid) -> Self {
        Self {
            pushed: tip.map(|tip| (tip, commit)),
            ..self
        }
    }

    /// On a server that was sent these objects just now, and had all others before.
    #[must_use]
    pub(crate) fn except_pushed(self, sent: Option<BTreeSet<Oid>>) -> Self {
        Self { sent, ..self }
    }

    /// Whether this blob was asked for, and is published.
    pub(crate) fn was_excused(&self, blob: Oid) -> bool {
        self.excused.borrow().contains(&blob)
    }

    /// Whether these bytes at this path give nothing that is not there.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn has_content(
        &self,
        path: &str,
        blob: Oid,
        bytes: &[u8],
    ) -> Result<bool, RepoError> {
        let has = self.has_bytes(path, blob, bytes)?;
        if has {
            self.excused.borrow_mut().insert(blob);
        }
        Ok(has)
    }

    /// Whether a blob in which something was found did not come with this push.
    pub(crate) fn predates_push(&self, blob: Oid) -> bool {
        self.sent.as_ref().is_some_and(|sent| !sent.contains(&blob))
    }

    /// Whether these very bytes are there.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn has_blob(&self, blob: Oid) -> Result<bool, RepoError> {
        Ok(self.found()?.has_blob(blob))
    }

    /// What needs no further check, for it is there as it is. The closure reads nothing: it may be
    /// asked for while the repository is being read.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn known_items(
        &self,
    ) -> Result<impl Fn(&NewObject<'_>) -> bool + use<'_, 'a>, RepoError> {
        let found = self.found()?;
        Ok(move |new: &NewObject<'_>| match new {
            NewObject::Text { .. } => false,
            NewObject::Name {
                path, oid, mode, ..
            } => {
                let is_folder = mode & 0o170_000 == 0o040_000;
                (is_folder || found.has_blob(*oid)) && self.has_name_in(found, path)
            }
            NewObject::Blob { oid, .. } => {
                let has = found.has_blob(*oid);
                if has {
                    self.excused.borrow_mut().insert(*oid);
                }
                has || self.predates_push(*oid)
            }
        })
    }

    fn has_bytes(&self, path: &str, blob: Oid, bytes: &[u8]) -> Result<bool, RepoError> {
        let found = self.found()?;
        if found.has_blob(blob) {
            return Ok(true);
        }
        let Some(new) = Text::of(bytes) else {
            return Ok(false);
        };
        let name = file_name(path);
        let others = found
            .others
            .versions(name)
            .chain(found.verified.versions(name));
        let versions = self
            .here(path)?
            .into_iter()
            .chain(found.replaced.versions(name).take(MAX_VERSIONS))
            .chain(others.take(MAX_VERSIONS));
        for version in versions {
            if self.repo.blob_len(version)? > MAX_NOTE {
                continue;
            }
            let bytes = self.repo.read_blob(version, MAX_NOTE)?;
            if let Some(old) = Text::of(&bytes)
                && new.body == old.body
                && self.scanner.content(&new.front_without(&old)).is_none()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is at this very path.
    fn here(&self, path: &str) -> Result<Vec<Oid>, RepoError> {
        let Ok(path) = VaultPath::new(path) else {
            return Ok(Vec::new());
        };
        let verified = self.verified.iter().map(|(_, commit)| commit);
        let mut here = Vec::new();
        for commit in verified.chain(&self.commits) {
            here.extend(self.repo.blob_at(*commit, &path)?);
        }
        Ok(here)
    }

    /// Whether every part of a path in which something is found is the name of something there. A
    /// finding in no single part is not.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(crate) fn has_name(&self, path: &str) -> Result<bool, RepoError> {
        Ok(self.has_name_in(self.found()?, path))
    }

    fn has_name_in(&self, found: &PublishedContent, path: &str) -> bool {
        let mut odd = path
            .split('/')
            .filter(|part| self.scanner.name(part).is_some())
            .peekable();
        odd.peek().is_some() && odd.all(|part| found.has_part(part))
    }

    fn found(&self) -> Result<&PublishedContent, RepoError> {
        if let Some(found) = self.found.get() {
            return Ok(found);
        }
        let found = self.load()?;
        Ok(self.found.get_or_init(|| found))
    }

    fn load(&self) -> Result<PublishedContent, RepoError> {
        let (repo, mut found) = (self.repo, PublishedContent::default());
        let verified = self.verified.map(|(_, tip)| tip);
        if let Some((cache, tip)) = self.verified {
            found.verified = cache.at(repo, tip)?;
        }
        for commit in self.commits.iter().filter(|one| Some(**one) != verified) {
            found.others.add(repo, verified, *commit)?;
        }
        if let Some((tip, commit)) = self.pushed {
            self.load_replaced(&mut found.replaced, tip, commit)?;
        }
        let Some((from, to)) = self.between.filter(|(from, to)| *from != Some(*to)) else {
            return Ok(found);
        };
        for commit in repo.commits_between(from, to, usize::MAX)? {
            let parents = repo.commit_info(commit)?.parents;
            match parents.is_empty() {
                true => found.others.add(repo, None, commit)?,
                false => {
                    for parent in parents {
                        found.others.add(repo, Some(parent), commit)?;
                    }
                }
            }
        }
        Ok(found)
    }

    fn load_replaced(
        &self,
        replaced: &mut PublishedIndex,
        tip: Oid,
        commit: Oid,
    ) -> Result<(), RepoError> {
        let compared = match self.repo.compare(Some(tip), commit, usize::MAX) {
            Err(RepoError::TooMany(_)) => return Ok(()),
            compared => compared?,
        };
        let paths = compared.changed.iter().map(|changed| &changed.path);
        for (path, blob) in self.repo.blobs_at(tip, paths)? {
            replaced.add_version(path.file_name(), blob);
        }
        Ok(())
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A note as far as two versions of it are compared.
struct Text<'a> {
    body: &'a str,
    /// Each entry of the frontmatter, with all lines that belong to it.
    entries: Vec<&'a str>,
}

impl<'a> Text<'a> {
    /// `None` if it is no note that can be read: then all of it is checked.
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let note = Note::parse(text).ok()?;
        let body = text.get(text.len().checked_sub(note.body().len())?..)?;
        let front = text.get(..text.len() - body.len())?;
        let mut starts = vec![0];
        let mut at = 0;
        for line in front.split_inclusive('\n') {
            if begins_entry(line) || at + line.len() == front.len() {
                starts.push(at);
            }
            at += line.len();
        }
        starts.push(front.len());
        let entries = starts
            .windows(2)
            .filter_map(|pair| front.get(pair[0]..pair[1]));
        Some(Self {
            body,
            entries: entries.collect(),
        })
    }

    /// The entries that another version has not, word for word.
    fn front_without(&self, old: &Text<'_>) -> Vec<u8> {
        let is_new = |entry: &&&str| !old.entries.contains(entry);
        self.entries
            .iter()
            .filter(is_new)
            .copied()
            .collect::<String>()
            .into_bytes()
    }
}

/// Whether a line begins an entry (the last fence is one by itself): it has a key that is not
/// indented. Any other line belongs to the entry before, which is then checked as a whole.
fn begins_entry(line: &str) -> bool {
    let Some((key, rest)) = line.split_once(':') else {
        return false;
    };
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
    !key.is_empty() && key.chars().all(is_word) && rest.starts_with([' ', '\n', '\r'])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is checked of a note that was another before; `None` if all of it is.
    fn checked(old: &str, new: &str) -> Option<String> {
        let (old, new) = (Text::of(old.as_bytes())?, Text::of(new.as_bytes())?);
        let front = (old.body == new.body).then(|| new.front_without(&old))?;
        Some(String::from_utf8(front).unwrap())
    }

    /// Of a note with the same body only new entries are checked, each as a whole.
    #[test]
    fn same_body_checks_only_new_entries() {
        let old = "---\nid: x\nto:\n- a\n- b\ntext: |\n  one\n  two: 2\nlast: z\n---\nBody: 1\n";
        let with = |from: &str, to: &str| old.replacen(from, to, 1);
        for (new, left) in [
            (old.to_owned(), ""),
            (
                with("last: z\n", "last: z\nclaim:\n  id: 1\n"),
                "claim:\n  id: 1\n",
            ),
            (with("last: z\n", ""), ""),
            (with("id: x\n", "id: y\n"), "id: y\n"),
            (with("- b\n", "- b\n- c\n"), "to:\n- a\n- b\n- c\n"),
            (
                with("  two: 2\n", "  two: 3\n"),
                "text: |\n  one\n  two: 3\n",
            ),
            // What is no key belongs to the entry before.
            (with("id: x\n", "id: x\n# pasted\n"), "id: x\n# pasted\n"),
            (
                with("id: x\n", "id: x\n\"a b\": c\n"),
                "id: x\n\"a b\": c\n",
            ),
            (with("---\nid", "---\n# pasted\nid"), "---\n# pasted\n"),
            (with("\n---\nBody", "\n--- \nBody"), "--- \n"),
        ] {
            assert_eq!(checked(old, &new).as_deref(), Some(left), "{new}");
        }
    }

    /// So is a note that cannot be read.
    #[test]
    fn other_body_is_checked_as_a_whole() {
        let old = "---\nid: x\n---\nBody\n";
        for new in [
            "---\nid: x\n---\nBody\nmore\n",
            "---\nid: x\n---\n\nBody\n",
            "id: x\nBody\n",
            "---\nid: x\n",
            "---\nid: [\n---\nBody\n",
            "---\nid: x\nid: y\n---\nBody\n",
        ] {
            assert_eq!(checked(old, new), None, "{new}");
        }
        assert!(Text::of(b"---\nid: x\n---\nBody \xff\n").is_none());
    }
}
