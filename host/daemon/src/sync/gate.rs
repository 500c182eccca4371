//! The gate: what holds a secret does not leave this machine, and does not come in on a server.
//!
//! Lives here: the look at one file as it is read for a snapshot ([`Gate::file`]), the look at
//! everything a commit would give the remote before it is pushed ([`Gate::push`]), and the same for
//! the hook of a server ([`inspect`], [`inspect_sent`]).
//! Lives elsewhere: what a secret is, is `secrets`'; who may write where is `verify`'s.
//! Invariants: the bytes that are judged are the bytes that are hashed; a file that is held back
//! keeps no other away; what is told of it never repeats the secret, and is told once.

use std::{
    collections::BTreeSet,
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::{Role, VaultPath};
use platinum_repo::{New, Oid, Repo, RepoError};
use platinum_secrets::{Finding, Kind, Scanner};

use super::{MAX_FILE, SyncError, side::Side};

/// More findings than this in one push are not listed.
const MAX_HELD: usize = 50;

/// Of more files than this at once, one note tells.
const MAX_NOTES: usize = 5;

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

/// Everything between two commits that may not pass: names, links, messages and contents.
///
/// # Errors
/// If an object cannot be read.
pub fn inspect(
    repo: &Repo,
    scanner: &Scanner,
    from: Option<Oid>,
    to: Oid,
) -> Result<Vec<Held>, RepoError> {
    let mut held = Vec::new();
    repo.each_new(from, to, MAX_FILE, &mut |new| {
        held.extend(judge(scanner, &new));
        held.truncate(MAX_HELD);
    })?;
    Ok(held)
}

/// Everything that a client sent to a server and that may not pass, whether or not a commit leads
/// to it: `sent` is the folder of what came, `before` that of what was there.
///
/// # Errors
/// If an object cannot be read.
pub fn inspect_sent(
    repo: &Repo,
    scanner: &Scanner,
    sent: &Path,
    before: &Path,
) -> Result<Vec<Held>, RepoError> {
    let mut held = Vec::new();
    repo.each_sent(sent, before, MAX_FILE, &mut |new| {
        held.extend(judge(scanner, &new));
        held.truncate(MAX_HELD);
    })?;
    Ok(held)
}

fn judge(scanner: &Scanner, new: &New<'_>) -> Option<Held> {
    let (within, path, reason) = match new {
        New::Text { oid, text } => (*oid, "", scanner.message(text)?.to_string()),
        New::Name { within, path, mode } => {
            let reason = match mode & 0o170_000 {
                LINK => "it is a link, and links are never synced".to_owned(),
                REPOSITORY => "it is a repository of its own".to_owned(),
                _ => scanner.name(path)?.to_string(),
            };
            (*within, *path, reason)
        }
        New::Blob {
            within,
            path,
            bytes,
        } => {
            let reason = match bytes {
                Some(bytes) => scanner.content(bytes)?.to_string(),
                None => format!("it has more than {MAX_FILE} bytes"),
            };
            (*within, *path, reason)
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

    /// Looks at the bytes of a file that are about to be taken.
    ///
    /// # Errors
    /// [`SyncError::Secret`] if they must not be.
    pub(super) fn file(&self, path: &VaultPath, bytes: &[u8]) -> Result<(), SyncError> {
        let finding = self
            .scanner
            .name(path.as_str())
            .or_else(|| self.scanner.content(bytes));
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(finding) = finding else {
            told.held.retain(|(held, _)| held != path);
            return Ok(());
        };
        if told.held.insert((path.clone(), finding.kind)) {
            told.news.push((path.clone(), finding));
        }
        Err(SyncError::Secret {
            path: path.clone(),
            finding,
        })
    }

    /// Looks at everything that a push would give.
    pub(super) fn push(
        &self,
        repo: &Repo,
        tip: Option<Oid>,
        commit: Oid,
    ) -> Result<Vec<Held>, RepoError> {
        inspect(repo, &self.scanner, tip, commit)
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
