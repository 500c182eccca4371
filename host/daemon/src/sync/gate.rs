//! The gate: what holds a secret does not leave this machine, and does not come in on a server.
//!
//! Lives here: the look at one file as it is read for a snapshot ([`Gate::file`]), the look at
//! everything a commit would give the remote before it is pushed ([`Gate::push`]), and the same for
//! the hook of a server ([`inspect`], [`inspect_sent`]).
//! Lives elsewhere: what a secret is, is `secrets`'; who may write where is `verify`'s.
//! What the remote has already is no secret any more that could be kept: [`Given`] knows it.
//! Invariants: the bytes that are judged are the bytes that are hashed; a file that is held back
//! keeps no other away; what is told of it never repeats the secret, and is told once.

use std::{
    collections::BTreeSet,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::{Role, VaultPath};
use platinum_repo::{New, Oid, RefName, Repo, RepoError};
use platinum_secrets::{Finding, Kind, Scanner};

use super::{MAX_FILE, SyncError, given::Given, side::Side};

/// More findings than this in one push are not listed.
const MAX_HELD: usize = 50;
/// Of more than these it is not asked whether they are given already.
pub(super) const MAX_FOUND: usize = 10_000;

/// Of more files than this at once, one note tells.
const MAX_NOTES: usize = 5;

const FILE: i32 = 0o100_644;
const LINK: i32 = 0o120_000;
const REPOSITORY: i32 = 0o160_000;

/// One thing that may not pass.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The commit it is in, or the object itself if no commit leads to it.
    pub within: Oid,
    /// The path, printable; empty if it is a message or has no path.
    pub path: String,
    /// Why, in a sentence without a full stop.
    pub reason: String,
    /// The path as the tree has it; never shown.
    pub(super) raw: String,
    pub(super) thing: Thing,
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
pub(super) enum Thing {
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
pub(super) fn inspect(
    repo: &Repo,
    scanner: &Scanner,
    (from, to): (Option<Oid>, Oid),
    given: &Given<'_>,
) -> Result<Vec<Held>, RepoError> {
    let (found, more) = find(repo, scanner, from, to)?;
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

/// Everything between two commits that would have to be given already. Of so many things that they
/// are not looked through, the first that was left out is told apart.
pub(super) fn find(
    repo: &Repo,
    scanner: &Scanner,
    from: Option<Oid>,
    to: Oid,
) -> Result<(Vec<Held>, Option<Held>), RepoError> {
    let (mut found, mut more) = (Vec::new(), None);
    repo.each_new(
        from,
        to,
        MAX_FILE,
        &mut |new| match found.len() < MAX_FOUND {
            true => found.extend(judge(scanner, &new)),
            false if more.is_none() => more = judge(scanner, &new),
            false => {}
        },
    )?;
    Ok((found, more))
}

/// Whether the remote has it already.
pub(super) fn is_given(repo: &Repo, held: &Held, given: &Given<'_>) -> Result<bool, RepoError> {
    if matches!(held.thing, Thing::Text | Thing::Foreign) {
        return Ok(false);
    }
    let Ok(path) = VaultPath::new(held.raw.as_str()) else {
        return Ok(false);
    };
    let content = match repo.blob_at(held.within, &path)? {
        // Only of what is found in contents it is known.
        Some(blob) if held.thing == Thing::Content && given.was_there(blob) => true,
        Some(blob) if repo.blob_len(blob)? <= MAX_FILE => {
            let bytes = repo.read_blob(blob, MAX_FILE)?;
            given.has_content(&held.raw, blob, &bytes)?
        }
        Some(_) => false,
        // A folder is no more than its name.
        None => held.thing == Thing::Name,
    };
    Ok(content && (held.thing == Thing::Content || given.has_name(&held.raw)?))
}

/// Everything that a client sent to a server and that may not pass, whether or not a commit leads
/// to it: `sent` is the folder of what came, `before` that of what was there.
///
/// # Errors
/// If an object cannot be read.
pub(super) fn inspect_sent(
    repo: &Repo,
    scanner: &Scanner,
    sent: &Path,
    before: &Path,
) -> Result<Vec<Held>, RepoError> {
    let mut held = Vec::new();
    repo.each_sent(sent, before, MAX_FILE, &mut |new| {
        // One more than is looked through, so that it is seen that there are more.
        if held.len() <= MAX_FOUND {
            held.extend(judge(scanner, &new));
        }
    })?;
    Ok(held)
}

fn judge(scanner: &Scanner, new: &New<'_>) -> Option<Held> {
    let (thing, within, path, reason) = match new {
        New::Text { oid, text } => (Thing::Text, *oid, "", scanner.message(text)?.to_string()),
        New::Name { within, path, mode } => {
            let foreign = |what: &str| (Thing::Foreign, what.to_owned());
            let (thing, reason) = match mode & 0o170_000 {
                LINK => foreign("it is a link, and links are never synced"),
                REPOSITORY => foreign("it is a repository of its own"),
                _ => (Thing::Name, scanner.name(path)?.to_string()),
            };
            (thing, *within, *path, reason)
        }
        New::Blob {
            within,
            path,
            bytes,
        } => {
            let (thing, reason) = match bytes {
                Some(bytes) => (Thing::Content, scanner.content(bytes)?.to_string()),
                None => (Thing::Foreign, format!("it has more than {MAX_FILE} bytes")),
            };
            (thing, *within, *path, reason)
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
        thing,
    })
}

/// The gate of one host.
pub(super) struct Gate {
    scanner: Arc<Scanner>,
    told: Mutex<Told>,
}

/// What is held back, and what the owner has not heard of yet.
#[derive(Default)]
struct Told {
    held: BTreeSet<(VaultPath, Kind)>,
    news: Vec<(VaultPath, Finding)>,
}

impl Gate {
    pub(super) fn new(scanner: Arc<Scanner>) -> Self {
        Self {
            scanner,
            told: Mutex::default(),
        }
    }

    /// What the remote has by these commits of its own.
    pub(super) fn given<'a>(
        &'a self,
        repo: &'a Repo,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Given<'a> {
        Given::by(repo, &self.scanner, commits)
    }

    /// Looks at the bytes of a file that are about to be taken.
    ///
    /// # Errors
    /// [`SyncError::Secret`] if they must not be.
    pub(super) fn file(
        &self,
        path: &VaultPath,
        (blob, bytes): (Oid, &[u8]),
        given: &Given<'_>,
    ) -> Result<(), SyncError> {
        let name = self.scanner.name(path.as_str());
        let Some(finding) = name.or_else(|| self.scanner.content(bytes)) else {
            self.passed(path);
            return Ok(());
        };
        if given.has_content(path.as_str(), blob, bytes)?
            && (name.is_none() || given.has_name(path.as_str())?)
        {
            self.passed(path);
            return Ok(());
        }
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.held.insert((path.clone(), finding.kind)) {
            told.news.push((path.clone(), finding));
        }
        Err(SyncError::Secret {
            path: path.clone(),
            finding,
        })
    }

    /// A file is not held back, or no more: if it is again, that is news.
    pub(super) fn passed(&self, path: &VaultPath) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.held.retain(|(held, _)| held != path);
    }

    /// Looks at everything that a push would give.
    pub(super) fn push(
        &self,
        repo: &Repo,
        tip: Option<Oid>,
        commit: Oid,
    ) -> Result<Vec<Held>, RepoError> {
        let mut given = self.given(repo, tip);
        if let Some(tip) = tip {
            // An answer brings back what was there before a violation, or came with it.
            let mut verified = repo.tip(RefName::Verified)?;
            if let Some(before) = verified
                && !repo.is_ancestor(before, tip)?
            {
                verified = None;
            }
            given = self.given(repo, verified.into_iter().chain([tip]));
            given = given.and_between(verified, tip);
        }
        inspect(repo, &self.scanner, (tip, commit), &given)
    }

    /// Looks at a file that a commit holds.
    pub(super) fn look(&self, within: Oid, path: &VaultPath, bytes: &[u8]) -> Vec<Held> {
        let path = path.as_str();
        let name = New::Name {
            within,
            path,
            mode: FILE,
        };
        let content = New::Blob {
            within,
            path,
            bytes: Some(bytes),
        };
        let both = [name, content].into_iter();
        both.filter_map(|new| judge(&self.scanner, &new)).collect()
    }

    /// The scanner.
    pub(super) fn scanner(&self) -> &Scanner {
        &self.scanner
    }

    /// What the owner has not heard of.
    fn news(&self) -> Vec<(VaultPath, Finding)> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut told.news)
    }

    /// The path as it may be told: a secret in a name is not repeated.
    fn shown(&self, path: &VaultPath, finding: Finding) -> String {
        match (finding.kind, self.scanner.name(path.as_str())) {
            (Kind::Name(_), _) | (_, None) => path.to_string(),
            (_, Some(_)) => path
                .parent()
                .filter(|parent| self.scanner.name(parent.as_str()).is_none())
                .map_or_else(
                    || "a file".to_owned(),
                    |parent| format!("a file in {parent}"),
                ),
        }
    }
}

impl Side {
    /// The last look before a commit leaves.
    ///
    /// # Errors
    /// [`SyncError::Refused`] with every reason, or if the repository cannot be read.
    pub(super) fn passes(&self, tip: Option<Oid>, commit: Oid) -> Result<(), SyncError> {
        let held = self.gate.push(&self.repo, tip, commit)?;
        if held.is_empty() {
            return Ok(());
        }
        let reasons: Vec<_> = held.iter().take(5).map(ToString::to_string).collect();
        Err(SyncError::Refused(format!(
            "it is not given to the remote: {}",
            reasons.join("; ")
        )))
    }

    /// Tells the owner once of each file that is held back: in a note that the dashboard shows.
    /// The cloud's goes to the owner by the next sync. Of many at once one note tells.
    pub(super) fn tell_of_secrets(&self) {
        let news = self.gate.news();
        let mut shown = Vec::new();
        for (path, finding) in &news {
            let path = self.gate.shown(path, *finding);
            tracing::warn!("{path} is not synced: {finding}");
            shown.push((path, finding));
        }
        let here = match self.role {
            Role::Local => "this machine",
            Role::Cloud => "the cloud's machine",
        };
        if shown.len() <= MAX_NOTES {
            for (path, finding) in shown {
                self.tell(None, &format!("{path} stays on {here} alone: {finding}."));
            }
            return;
        }
        let count = shown.len();
        let some: Vec<_> = shown.into_iter().take(3).map(|(path, _)| path).collect();
        self.tell(None, &format!(
            "{count} files stay on {here} alone, because each of them may hold a secret: {}, and more; `status` there names all.",
            some.join(", ")
        ));
    }
}
