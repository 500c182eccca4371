//! The gate: what holds a secret does not leave this machine, and does not come in on a server.
//!
//! Lives here: the look at one file as it is read for a snapshot ([`Gate::file`]), and the look at
//! everything a commit would give the remote before it is pushed ([`Gate::push`]). `found` looks
//! through commits, for the hook of a server too; `given` knows what the remote has already, which
//! is no secret any more that could be kept, and `had` remembers it.
//! Lives elsewhere: what a secret is, is `secrets`'; who may write where is `verify`'s.
//! Invariants: the bytes that are judged are the bytes that are hashed; a file that is held back
//! keeps no other away; what is told of it never repeats the secret, and is told once.

mod found;
mod given;
mod had;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::{Role, VaultPath};
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_secrets::{Finding, Kind, Scanner};

use super::{SyncError, side::Side};
pub(super) use found::{Held, MAX_FOUND, Thing, find_in, inspect, inspect_sent, is_given, look};
pub(super) use given::Given;
use had::Remembered;

/// Of more files than this at once, one note tells.
const MAX_NOTES: usize = 5;

/// The gate of one host.
pub(super) struct Gate {
    scanner: Arc<Scanner>,
    remembered: Remembered,
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
            remembered: Remembered::default(),
            told: Mutex::default(),
        }
    }

    /// What the remote has by its verified tip and these other commits.
    pub(super) fn given<'a>(
        &'a self,
        repo: &'a Repo,
        verified: Option<Oid>,
        commits: impl IntoIterator<Item = Oid>,
    ) -> Given<'a> {
        Given::by(repo, &self.scanner, commits).and_verified(&self.remembered, verified)
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
        let is_given = match name {
            // What is new in such a file may be what its name says.
            Some(_) => given.has_blob(blob)? && given.has_name(path.as_str())?,
            None => given.has_content(path.as_str(), blob, bytes)?,
        };
        if is_given {
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
        let mut verified = repo.tip(RefName::Verified)?;
        if let Some(before) = verified
            && !tip.map_or(Ok(false), |tip| repo.is_ancestor(before, tip))?
        {
            verified = None;
        }
        let mut given = self.given(repo, verified, tip).for_push(tip, commit);
        if let Some(tip) = tip {
            // An answer brings back what was there before a violation, or came with it.
            given = given.and_between(verified, tip);
        }
        inspect(repo, &self.scanner, (tip, commit), &given)
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
