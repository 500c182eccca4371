//! What is found in commits: names, links, messages and contents, and which of it may not pass.
//!
//! Lives elsewhere: what the remote has already is [`Published`]'s question.
//! Invariant: the description of a finding never repeats the secret.

use std::{collections::BTreeSet, fmt, path::Path};

use platinum_core::VaultPath;
use platinum_policy::MAX_FILE_BYTES;
use platinum_repo::{NewObject, Oid, Repo, RepoError};
use platinum_secrets::{Kind, Scanner};

use super::Published;

/// More findings than this in one push are not listed.
const MAX_LISTED: usize = 50;
/// Of more than these it is not checked whether they are published already. Tests need not write as many.
pub(crate) const MAX_FOUND: usize = if cfg!(test) { 100 } else { 10_000 };

const FILE: i32 = 0o100_644;
const LINK: i32 = 0o120_000;
const REPOSITORY: i32 = 0o160_000;

/// One thing that may not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockedItem {
    /// The commit it is in, or the object itself if no commit leads to it.
    pub within: Oid,
    /// The path, printable; empty if it is a message or has no path.
    pub path: String,
    /// Why, in a sentence without a full stop.
    pub reason: String,
    /// The path as the tree has it; never shown.
    pub raw: String,
    /// The object: of a name, what it is the name of.
    pub oid: Oid,
    /// What it is.
    pub kind: ItemKind,
}

impl fmt::Display for BlockedItem {
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

/// What a [`BlockedItem`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ItemKind {
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
/// published already may; contents that are known to be clean are not read again.
///
/// # Errors
/// If an object cannot be read.
pub(crate) fn inspect_range(
    repo: &Repo,
    scanner: &Scanner,
    (from, to): (Option<Oid>, Oid),
    published: &Published<'_>,
    is_clean: &dyn Fn(Oid) -> bool,
) -> Result<Vec<BlockedItem>, RepoError> {
    let (mut found, mut more) = find(repo, scanner, (from, to), &|_| false, is_clean)?;
    if more.is_some() {
        // So many: what is there word for word does not count. It is put back, maybe.
        (found, more) = find(
            repo,
            scanner,
            (from, to),
            &published.known_items()?,
            is_clean,
        )?;
    }
    let mut blocked = Vec::new();
    for one in found {
        if blocked.len() < MAX_LISTED && !is_published(repo, &one, published)? {
            blocked.push(one);
        }
    }
    // What was not inspected does not count as published.
    if blocked.is_empty() {
        blocked.extend(more);
    }
    Ok(blocked)
}

/// Everything between two commits that would have to be published already and is not `known` to be. Of
/// more things than are inspected, the first that was left out is returned apart.
fn find(
    repo: &Repo,
    scanner: &Scanner,
    (from, to): (Option<Oid>, Oid),
    known: &dyn Fn(&NewObject<'_>) -> bool,
    is_clean: &dyn Fn(Oid) -> bool,
) -> Result<(Vec<BlockedItem>, Option<BlockedItem>), RepoError> {
    let (mut found, mut more) = (Vec::new(), None);
    let is_wanted = &|blob| !is_clean(blob);
    repo.visit_new(from, to, MAX_FILE_BYTES, is_wanted, &mut |new| {
        if more.is_some() || known(&new) {
            return;
        }
        match found.len() < MAX_FOUND {
            true => found.extend(check_item(scanner, &new)),
            false => more = check_item(scanner, &new),
        }
    })?;
    Ok((found, more))
}

/// What is found in that of a commit which none of its parents has, and in no blob of `seen`. Of
/// too much the rest is left out.
///
/// # Errors
/// If an object cannot be read, or there is too much to inspect.
pub(crate) fn find_in_commit(
    repo: &Repo,
    scanner: &Scanner,
    commit: Oid,
    seen: &mut BTreeSet<Oid>,
) -> Result<Vec<BlockedItem>, RepoError> {
    let mut found = Vec::new();
    let is_new = &mut |blob| seen.insert(blob);
    repo.visit_new_in_commit(commit, MAX_FILE_BYTES, is_new, &mut |new| {
        if found.len() < MAX_FOUND {
            found.extend(check_item(scanner, &new));
        }
    })?;
    Ok(found)
}

/// Whether the remote has it already.
pub(crate) fn is_published(
    repo: &Repo,
    blocked: &BlockedItem,
    published: &Published<'_>,
) -> Result<bool, RepoError> {
    if matches!(blocked.kind, ItemKind::Text | ItemKind::Foreign) {
        return Ok(false);
    }
    let Ok(path) = VaultPath::new(blocked.raw.as_str()) else {
        return Ok(false);
    };
    let blob = repo.blob_at(blocked.within, &path)?;
    if blocked.kind == ItemKind::Name {
        // What is new in such a file may be what its name says. A folder is no more than its name.
        let content = blob.map_or(Ok(true), |blob| published.has_blob(blob))?;
        return Ok(content && published.has_name(&blocked.raw)?);
    }
    match blob {
        // Only of what is found in contents it is known.
        Some(blob) if published.predates_push(blob) => Ok(true),
        Some(blob) if repo.blob_len(blob)? <= MAX_FILE_BYTES => {
            let bytes = repo.read_blob(blob, MAX_FILE_BYTES)?;
            published.has_content(&blocked.raw, blob, &bytes)
        }
        _ => Ok(false),
    }
}

/// Everything that a client sent to a server and that may not pass, whether or not a commit leads
/// to it: `sent` is the folder of what came, `before` that of what was there.
///
/// # Errors
/// If an object cannot be read.
pub(crate) fn inspect_sent(
    repo: &Repo,
    scanner: &Scanner,
    sent: &Path,
    before: &Path,
) -> Result<Vec<BlockedItem>, RepoError> {
    let mut blocked = Vec::new();
    repo.visit_sent(sent, before, MAX_FILE_BYTES, &mut |new| {
        // One more than is inspected, so that it shows that there are more.
        if blocked.len() <= MAX_FOUND {
            blocked.extend(check_item(scanner, &new));
        }
    })?;
    Ok(blocked)
}

fn check_item(scanner: &Scanner, new: &NewObject<'_>) -> Option<BlockedItem> {
    let (kind, within, oid, path, reason) = match new {
        NewObject::Text { oid, text } => {
            let reason = scanner.message(text)?.to_string();
            (ItemKind::Text, *oid, *oid, "", reason)
        }
        NewObject::Name {
            within,
            path,
            oid,
            mode,
        } => {
            let foreign = |what: &str| (ItemKind::Foreign, what.to_owned());
            let (kind, reason) = match mode & 0o170_000 {
                LINK => foreign("it is a link, and links are never synced"),
                REPOSITORY => foreign("it is a repository of its own"),
                _ => (ItemKind::Name, scanner.name(path)?.to_string()),
            };
            (kind, *within, *oid, *path, reason)
        }
        NewObject::Blob {
            within,
            path,
            oid,
            bytes,
        } => {
            let (kind, reason) = match bytes {
                Some(bytes) => (
                    ItemKind::Content,
                    scanner.content_at(path, bytes)?.to_string(),
                ),
                None => (
                    ItemKind::Foreign,
                    format!("it has more than {MAX_FILE_BYTES} bytes"),
                ),
            };
            (kind, *within, *oid, *path, reason)
        }
    };
    let raw = path.to_owned();
    let path = match scanner.name(path) {
        // The name itself may be what must not be repeated.
        Some(finding) if !matches!(finding.kind, Kind::Name(_)) => "…".to_owned(),
        _ => path.escape_debug().take(300).collect(),
    };
    Some(BlockedItem {
        within,
        path,
        reason,
        raw,
        oid,
        kind,
    })
}

/// What is found in a file that a commit holds.
pub(crate) fn scan_file(
    scanner: &Scanner,
    within: Oid,
    (path, oid): (&VaultPath, Oid),
    bytes: &[u8],
) -> Vec<BlockedItem> {
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
    both.filter_map(|new| check_item(scanner, &new)).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use platinum_core::{Role, Timestamp};
    use platinum_repo::{CommitMeta, Edit};
    use platinum_secrets::{Allowances, KnownSecrets};

    use super::super::Gate;
    use super::*;

    /// Of more findings than are listed, those that are published already do not count.
    #[test]
    fn published_findings_do_not_count_to_the_limit() {
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
        assert_eq!(gate.check_push(&repo, Some(empty), restored).unwrap(), []);
        let mut more = notes;
        more.push(note(usize::MAX, account(usize::MAX)));
        let more = commit(Some(empty), &more);
        let held = gate.check_push(&repo, Some(empty), more).unwrap();
        assert_eq!(held.len(), 1, "{held:?}");
        assert!(held[0].raw.ends_with(&format!("/{}.md", usize::MAX)));
        // Where nothing is there, the first of all are listed.
        let held = gate.check_push(&repo, None, full).unwrap();
        assert_eq!(held.len(), MAX_LISTED);
    }
}
