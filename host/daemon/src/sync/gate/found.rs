//! What is found in commits: names, links, messages and contents, and which of it may not pass.
//!
//! Lives elsewhere: what the remote has already is [`Given`]'s question.
//! Invariant: what is told of a finding never repeats the secret.

use std::{collections::BTreeSet, fmt, path::Path};

use platinum_core::VaultPath;
use platinum_repo::{NewObject, Oid, Repo, RepoError};
use platinum_secrets::{Kind, Scanner};

use super::{super::MAX_FILE, Given};

/// More findings than this in one push are not listed.
const MAX_HELD: usize = 50;
/// Of more than these it is not asked whether they are given already. Tests need not write as many.
pub(in crate::sync) const MAX_FOUND: usize = if cfg!(test) { 100 } else { 10_000 };

const FILE: i32 = 0o100_644;
const LINK: i32 = 0o120_000;
const REPOSITORY: i32 = 0o160_000;

/// One thing that may not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sync) struct Held {
    /// The commit it is in, or the object itself if no commit leads to it.
    pub(in crate::sync) within: Oid,
    /// The path, printable; empty if it is a message or has no path.
    pub(in crate::sync) path: String,
    /// Why, in a sentence without a full stop.
    pub(in crate::sync) reason: String,
    /// The path as the tree has it; never shown.
    pub(in crate::sync) raw: String,
    /// The object: of a name, what it is the name of.
    pub(in crate::sync) oid: Oid,
    pub(in crate::sync) thing: Thing,
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within.to_string();
        let within = within.get(..12).unwrap_or(&within);
        if self.path.is_empty() {
            write!(f, "{within}: {}", self.reason)
        } else {
            write!(f, "`{}` in {within}: {}", self.path, self.reason)
        }
    }
}

/// What a [`Held`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sync) enum Thing {
    /// A commit's message.
    Text,
    /// A name.
    Name,
    /// What is in a file.
    Content,
    /// No secret: nothing that is synced at all.
    Foreign,
}

/// Everything between two commits that may not pass: names, links, messages and contents. What is
/// given already may.
///
/// # Errors
/// If an object cannot be read.
pub(in crate::sync) fn inspect(
    repo: &Repo,
    scanner: &Scanner,
    (from, to): (Option<Oid>, Oid),
    given: &Given<'_>,
) -> Result<Vec<Held>, RepoError> {
    let (mut found, mut more) = find(repo, scanner, (from, to), &|_| false)?;
    if more.is_some() {
        // So many: what is there word for word does not count. It is put back, maybe.
        (found, more) = find(repo, scanner, (from, to), &given.known()?)?;
    }
    let mut held = Vec::new();
    for one in found {
        if held.len() < MAX_HELD && !is_given(repo, &one, given)? {
            held.push(one);
        }
    }
    // What nobody looked at is not given.
    if held.is_empty() {
        held.extend(more);
    }
    Ok(held)
}

/// Everything between two commits that would have to be given already and is not `known` to be. Of
/// so many things that they are not looked through, the first that was left out is told apart.
fn find(
    repo: &Repo,
    scanner: &Scanner,
    (from, to): (Option<Oid>, Oid),
    known: &dyn Fn(&NewObject<'_>) -> bool,
) -> Result<(Vec<Held>, Option<Held>), RepoError> {
    let (mut found, mut more) = (Vec::new(), None);
    repo.visit_new(from, to, MAX_FILE, &mut |new| {
        if more.is_some() || known(&new) {
            return;
        }
        match found.len() < MAX_FOUND {
            true => found.extend(judge(scanner, &new)),
            false => more = judge(scanner, &new),
        }
    })?;
    Ok((found, more))
}

/// What is found in that of a commit which none of its parents has, and in no blob of `seen`. Of
/// too much the rest is left out.
///
/// # Errors
/// If an object cannot be read, or there is so much that it is not looked through.
pub(in crate::sync) fn find_in(
    repo: &Repo,
    scanner: &Scanner,
    commit: Oid,
    seen: &mut BTreeSet<Oid>,
) -> Result<Vec<Held>, RepoError> {
    let mut found = Vec::new();
    repo.visit_new_in_commit(commit, MAX_FILE, seen, &mut |new| {
        if found.len() < MAX_FOUND {
            found.extend(judge(scanner, &new));
        }
    })?;
    Ok(found)
}

/// Whether the remote has it already.
pub(in crate::sync) fn is_given(
    repo: &Repo,
    held: &Held,
    given: &Given<'_>,
) -> Result<bool, RepoError> {
    if matches!(held.thing, Thing::Text | Thing::Foreign) {
        return Ok(false);
    }
    let Ok(path) = VaultPath::new(held.raw.as_str()) else {
        return Ok(false);
    };
    let blob = repo.blob_at(held.within, &path)?;
    if held.thing == Thing::Name {
        // What is new in such a file may be what its name says. A folder is no more than its name.
        let content = blob.map_or(Ok(true), |blob| given.has_blob(blob))?;
        return Ok(content && given.has_name(&held.raw)?);
    }
    match blob {
        // Only of what is found in contents it is known.
        Some(blob) if given.was_there(blob) => Ok(true),
        Some(blob) if repo.blob_len(blob)? <= MAX_FILE => {
            let bytes = repo.read_blob(blob, MAX_FILE)?;
            given.has_content(&held.raw, blob, &bytes)
        }
        _ => Ok(false),
    }
}

/// Everything that a client sent to a server and that may not pass, whether or not a commit leads
/// to it: `sent` is the folder of what came, `before` that of what was there.
///
/// # Errors
/// If an object cannot be read.
pub(in crate::sync) fn inspect_sent(
    repo: &Repo,
    scanner: &Scanner,
    sent: &Path,
    before: &Path,
) -> Result<Vec<Held>, RepoError> {
    let mut held = Vec::new();
    repo.visit_sent(sent, before, MAX_FILE, &mut |new| {
        // One more than is looked through, so that it is seen that there are more.
        if held.len() <= MAX_FOUND {
            held.extend(judge(scanner, &new));
        }
    })?;
    Ok(held)
}

fn judge(scanner: &Scanner, new: &NewObject<'_>) -> Option<Held> {
    let (thing, within, oid, path, reason) = match new {
        NewObject::Text { oid, text } => {
            let reason = scanner.message(text)?.to_string();
            (Thing::Text, *oid, *oid, "", reason)
        }
        NewObject::Name {
            within,
            path,
            oid,
            mode,
        } => {
            let foreign = |what: &str| (Thing::Foreign, what.to_owned());
            let (thing, reason) = match mode & 0o170_000 {
                LINK => foreign("it is a link, and links are never synced"),
                REPOSITORY => foreign("it is a repository of its own"),
                _ => (Thing::Name, scanner.name(path)?.to_string()),
            };
            (thing, *within, *oid, *path, reason)
        }
        NewObject::Blob {
            within,
            path,
            oid,
            bytes,
        } => {
            let (thing, reason) = match bytes {
                Some(bytes) => (Thing::Content, scanner.content(bytes)?.to_string()),
                None => (Thing::Foreign, format!("it has more than {MAX_FILE} bytes")),
            };
            (thing, *within, *oid, *path, reason)
        }
    };
    let raw = path.to_owned();
    let path = match scanner.name(path) {
        // The name itself may be what must not be repeated.
        Some(finding) if !matches!(finding.kind, Kind::Name(_)) => "…".to_owned(),
        _ => path.escape_debug().take(300).collect(),
    };
    Some(Held {
        within,
        path,
        reason,
        raw,
        oid,
        thing,
    })
}

/// What is found in a file that a commit holds.
pub(in crate::sync) fn look(
    scanner: &Scanner,
    within: Oid,
    (path, oid): (&VaultPath, Oid),
    bytes: &[u8],
) -> Vec<Held> {
    let path = path.as_str();
    let name = NewObject::Name {
        within,
        path,
        oid,
        mode: FILE,
    };
    let content = NewObject::Blob {
        within,
        path,
        oid,
        bytes: Some(bytes),
    };
    let both = [name, content].into_iter();
    both.filter_map(|new| judge(scanner, &new)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platinum_core::{Role, Timestamp};
    use platinum_repo::{CommitMeta, Edit};
    use platinum_secrets::{Allowances, KnownSecrets};

    use super::super::Gate;
    use super::*;

    #[test]
    fn of_more_findings_than_are_listed_those_that_are_there_already_do_not_count() {
        let folder = tempfile::tempdir().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("git")).unwrap();
        let known = KnownSecrets::new([7; 32]);
        let gate = Gate::new(Arc::new(Scanner::new(known, Allowances::default())));
        let meta = CommitMeta {
            agent: "local".parse().unwrap(),
            role: Role::Local,
            message: "x".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        let commit =
            |on: Option<Oid>, edits: &[(VaultPath, Edit)]| repo.commit(on, edits, &meta).unwrap();
        let note = |n: usize, text: String| {
            let path = VaultPath::new(format!("Plans/{}/{n}.md", n / 100)).unwrap();
            (path, Edit::Put(text.into()))
        };
        let account = |n: usize| format!("{n}: pay to DE89 3704 0044 0532 0130 00\n");
        let notes: Vec<_> = (0..=MAX_FOUND).map(|n| note(n, account(n))).collect();
        let full = commit(None, &notes);
        let gone: Vec<_> = notes
            .iter()
            .map(|(path, _)| (path.clone(), Edit::Delete))
            .collect();
        let empty = commit(Some(full), &gone);
        repo.set_ref(platinum_repo::RefName::Verified, full)
            .unwrap();
        let restored = commit(Some(empty), &notes);
        assert_eq!(gate.push(&repo, Some(empty), restored).unwrap(), []);
        let mut more = notes;
        more.push(note(usize::MAX, account(usize::MAX)));
        let more = commit(Some(empty), &more);
        let held = gate.push(&repo, Some(empty), more).unwrap();
        assert_eq!(held.len(), 1, "{held:?}");
        assert!(held[0].raw.ends_with(&format!("/{}.md", usize::MAX)));
        // Where nothing is there, the first of all are listed.
        let held = gate.push(&repo, None, full).unwrap();
        assert_eq!(held.len(), MAX_HELD);
    }
}
