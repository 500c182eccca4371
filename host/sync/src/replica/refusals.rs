//! [`Refusals`]: which versions of files the remote's server does not take, and in which words.
//!
//! Lives elsewhere: reading what a server says is `repo`'s; a file is withheld in `content::merge`.
//! Invariants: only what the server itself names, by its whole path or the blob's whole id, counts; it
//! is offered again after an hour, and at once in another version: limits change.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use platinum_core::VaultPath;
use platinum_repo::{Oid, Repo, RepoError, SERVER_SAYS};

/// So long a version that was refused is not offered again.
const REFUSED_FOR: Duration = Duration::from_secs(3600);

/// What the remote's server refused in this process.
#[derive(Default)]
pub(crate) struct Refusals(Mutex<HashMap<(VaultPath, Oid), (Instant, String)>>);

impl Refusals {
    /// Notes which files of a commit the server names in its refusal; answers those.
    pub(crate) fn note(
        &self,
        repo: &Repo,
        (tip, commit): (Option<Oid>, Oid),
        reason: &str,
    ) -> Result<Vec<VaultPath>, RepoError> {
        let Some((_, words)) = reason.split_once(SERVER_SAYS) else {
            return Ok(Vec::new());
        };
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.retain(|_, (since, _)| since.elapsed() < REFUSED_FOR);
        let mut named = Vec::new();
        for changed in repo.compare(tip, commit, usize::MAX)?.changed {
            let Some(blob) = changed.blob else { continue };
            if is_named(words, changed.path.as_str()) || is_named(words, &blob.to_string()) {
                let entry = (Instant::now(), words.to_owned());
                refused.insert((changed.path.clone(), blob), entry);
                named.push(changed.path);
            }
        }
        Ok(named)
    }

    /// Why this version of a file is not offered, if it is refused.
    pub(crate) fn reason(&self, path: &VaultPath, blob: Oid) -> Option<String> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (since, words) = refused.get(&(path.clone(), blob))?;
        let is_new = since.elapsed() < REFUSED_FOR;
        is_new.then(|| format!("the remote's server refuses it: {words}"))
    }
}

/// Whether a text has a name, and not only as a part of a longer one.
fn is_named(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '/' | '-' | '_');
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + name.len()..].chars();
        let (next, second) = (after.next(), after.next());
        let goes_on =
            next.is_some_and(is_part) || (next == Some('.') && second.is_some_and(is_part));
        !before.is_some_and(is_part) && !goes_on
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_named_takes_whole_names_alone() {
        for (text, expected) in [
            ("error: File Inbox/a.md is 123.00 MB", true),
            ("too large: 'Inbox/a.md'.", true),
            ("Inbox/a.md", true),
            ("see Inbox/a.md.", true),
            ("Old/Inbox/a.md is too large", false),
            ("Inbox/a.md.bak is too large", false),
            ("Inbox/a.mdx", false),
            ("no", false),
        ] {
            assert_eq!(is_named(text, "Inbox/a.md"), expected, "{text}");
        }
    }
}
