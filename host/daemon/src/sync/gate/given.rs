//! [`Given`]: what the remote has already. To give it once more gives nothing away.
//!
//! A draft that is dragged to `Approved/`, a task that is claimed or filed, what local puts back
//! after a violation: their text is on the remote, whatever it holds. To hold it back there would
//! keep no secret, but stop the work on it, or the sync itself.
//!
//! Lives elsewhere: what is a secret is `secrets`' question, and it was answered with yes before
//! this one is asked.
//! Invariants: only commits that the remote has count. A file counts if the same bytes are there
//! under any name, or if it is a note of the same name, or a conflict copy of one, with the same
//! body, and nothing is found in those entries of its frontmatter that are new. Anything else is
//! judged as if nothing was there: a secret that was pasted into a file as it was moved is held.

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, BTreeSet},
};

use platinum_repo::{Oid, Repo, RepoError};
use platinum_secrets::Scanner;
use platinum_vault::note::Note;

use crate::sync::owning::places::MAX_NOTE;

/// So many versions of one note are compared with.
const MAX_VERSIONS: usize = 64;

/// What the remote has. It is looked up when it is first asked for, and never where nothing is
/// found.
pub(in crate::sync) struct Given<'a> {
    repo: &'a Repo,
    scanner: &'a Scanner,
    /// Commits whose files all count.
    commits: Vec<Oid>,
    /// What came and went between these two counts too.
    between: Option<(Option<Oid>, Oid)>,
    /// Of a server: the objects with something in them that were not there before this push.
    sent: Option<BTreeSet<Oid>>,
    had: OnceCell<Had>,
    /// The blobs that were asked for and are given.
    excused: RefCell<BTreeSet<Oid>>,
}

#[derive(Default)]
struct Had {
    blobs: BTreeSet<Oid>,
    /// The versions of a note, by its name.
    versions: BTreeMap<String, BTreeSet<Oid>>,
    /// Names of files and folders.
    parts: BTreeSet<String>,
}

impl<'a> Given<'a> {
    /// What these commits hold.
    pub(in crate::sync) fn by(
        repo: &'a Repo,
        scanner: &'a Scanner,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Self {
        Self {
            repo,
            scanner,
            commits: commits.into_iter().collect(),
            between: None,
            sent: None,
            had: OnceCell::new(),
            excused: RefCell::default(),
        }
    }

    /// And what the commits that `to` has and `from` has not brought.
    #[must_use]
    pub(in crate::sync) fn and_between(self, from: Option<Oid>, to: Oid) -> Self {
        Self {
            between: Some((from, to)),
            ..self
        }
    }

    /// On a server that was sent these objects just now, and had all others before.
    #[must_use]
    pub(in crate::sync) fn but_for(self, sent: Option<BTreeSet<Oid>>) -> Self {
        Self { sent, ..self }
    }

    /// Whether it was asked for this blob, and the answer was yes.
    pub(in crate::sync) fn was_asked_for(&self, blob: Oid) -> bool {
        self.excused.borrow().contains(&blob)
    }

    /// Whether these bytes at this path give nothing that is not there.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(in crate::sync) fn has_content(
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
    pub(in crate::sync) fn was_there(&self, blob: Oid) -> bool {
        self.sent.as_ref().is_some_and(|sent| !sent.contains(&blob))
    }

    fn has_bytes(&self, path: &str, blob: Oid, bytes: &[u8]) -> Result<bool, RepoError> {
        let had = self.had()?;
        if had.blobs.contains(&blob) {
            return Ok(true);
        }
        let Some(new) = Text::of(bytes) else {
            return Ok(false);
        };
        let versions = had.versions.get(origin(file_name(path)));
        for version in versions.into_iter().flatten().rev().take(MAX_VERSIONS) {
            if self.repo.blob_len(*version)? > MAX_NOTE {
                continue;
            }
            let bytes = self.repo.read_blob(*version, MAX_NOTE)?;
            if let Some(old) = Text::of(&bytes)
                && new.body == old.body
                && self.scanner.content(&new.front_without(&old)).is_none()
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether every part of a path in which something is found is the name of something there.
    ///
    /// # Errors
    /// If an object cannot be read.
    pub(in crate::sync) fn has_name(&self, path: &str) -> Result<bool, RepoError> {
        let had = self.had()?;
        let has = |part: &str| had.parts.contains(part) || had.parts.contains(origin(part));
        let is_harmless = |part: &str| self.scanner.name(part).is_none();
        Ok(path.split('/').all(|part| has(part) || is_harmless(part)))
    }

    fn had(&self) -> Result<&Had, RepoError> {
        if let Some(had) = self.had.get() {
            return Ok(had);
        }
        let had = self.look()?;
        Ok(self.had.get_or_init(|| had))
    }

    fn look(&self) -> Result<Had, RepoError> {
        let mut had = Had::default();
        for commit in &self.commits {
            self.add(&mut had, None, *commit)?;
        }
        let Some((from, to)) = self.between.filter(|(from, to)| *from != Some(*to)) else {
            return Ok(had);
        };
        for commit in self.repo.commits_between(from, to, usize::MAX)? {
            let parents = self.repo.commit_info(commit)?.parents;
            match parents.is_empty() {
                true => self.add(&mut had, None, commit)?,
                false => {
                    for parent in parents {
                        self.add(&mut had, Some(parent), commit)?;
                    }
                }
            }
        }
        Ok(had)
    }

    fn add(&self, had: &mut Had, from: Option<Oid>, commit: Oid) -> Result<(), RepoError> {
        let compared = match self.repo.compare(from, commit, usize::MAX) {
            // What nobody can look through excuses nothing.
            Err(RepoError::TooMany(_)) => return Ok(()),
            compared => compared?,
        };
        for changed in compared.changed {
            let Some(blob) = changed.blob else { continue };
            had.blobs.insert(blob);
            for part in changed.path.components() {
                had.parts.extend([part.to_owned(), origin(part).to_owned()]);
            }
            let name = origin(changed.path.file_name()).to_owned();
            had.versions.entry(name).or_default().insert(blob);
        }
        Ok(())
    }
}

fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The name of the note that a conflict copy is of; of others their own, without its ending.
fn origin(name: &str) -> &str {
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    stem.find(".conflict-").map_or(stem, |at| &stem[..at])
}

/// A note as far as two versions of it are compared.
struct Text<'a> {
    body: &'a str,
    /// Each entry of the frontmatter, with all lines that belong to it.
    entries: Vec<&'a str>,
}

impl<'a> Text<'a> {
    /// Nothing if it is no note that can be read: then all of it is judged.
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

/// Whether a line begins an entry (the last fence is one by itself): it has a key that is not indented. What cannot be told belongs
/// to the entry before, which is then judged as a whole.
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

    /// What is judged of a note that was another before; nothing if all of it is.
    fn judged(old: &str, new: &str) -> Option<String> {
        let (old, new) = (Text::of(old.as_bytes())?, Text::of(new.as_bytes())?);
        let front = (old.body == new.body).then(|| new.front_without(&old))?;
        Some(String::from_utf8(front).unwrap())
    }

    #[test]
    fn of_a_note_with_the_same_body_only_new_entries_are_judged_each_as_a_whole() {
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
            assert_eq!(judged(old, &new).as_deref(), Some(left), "{new}");
        }
    }

    #[test]
    fn a_note_with_another_body_or_that_cannot_be_read_is_judged_as_a_whole() {
        let old = "---\nid: x\n---\nBody\n";
        for new in [
            "---\nid: x\n---\nBody\nmore\n",
            "---\nid: x\n---\n\nBody\n",
            "id: x\nBody\n",
            "---\nid: x\n",
            "---\nid: [\n---\nBody\n",
            "---\nid: x\nid: y\n---\nBody\n",
        ] {
            assert_eq!(judged(old, new), None, "{new}");
        }
        assert!(Text::of(b"---\nid: x\n---\nBody \xff\n").is_none());
    }

    #[test]
    fn a_conflict_copy_has_the_name_of_its_note() {
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
}
