//! Commits that the own key signed and that were not made here: the machine was copied, a backup was
//! restored, or the key is in other hands.
//!
//! What was made here is in the outbox before it is pushed, so it is known when it comes back.
//! Whatever else the own key signed was made elsewhere, whatever it says of itself.
//!
//! Lives elsewhere: what follows from it (effects stop) is decided by `local`.
//! Invariants: what was found is on the disk before the tip that has it counts as verified; nothing
//! here is forgotten before the owner has said so.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use platinum_repo::{CommitInfo, Oid, RefName, Repo, RepoError, Signature, replace_file};
use serde::{Deserialize, Serialize};

use crate::replica::{Replica, witness::TRAILER_JOURNAL};

/// The trailer that names the machine that made a commit.
pub const TRAILER_MACHINE: &str = "Platinum-Machine";
/// The trailer that names the draft that the maker is about to carry out.
pub const TRAILER_INTENT: &str = "Platinum-Intent";

/// Commits that are named one by one; of more, only the newest is.
const MAX_NAMED: usize = 1000;

/// What the own key signed elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnElsewhere {
    /// The commits.
    pub commits: BTreeSet<String>,
    /// The newest of those that are not among them, if there are too many.
    pub newest: Option<String>,
    /// The machines that they name.
    pub machines: BTreeSet<String>,
    /// The longest journal that they name: how many entries, and the hash of the last.
    pub journal: Option<(u64, String)>,
    /// The drafts that were about to be carried out there, and on which machine.
    pub intents: BTreeMap<String, String>,
}

/// The record of them, in a file beside the repository.
pub(crate) struct ElsewhereLog {
    path: PathBuf,
    found: Mutex<OwnElsewhere>,
}

impl ElsewhereLog {
    /// Reads what was found before.
    pub(crate) fn open(repo: &Repo) -> io::Result<Self> {
        let path = repo.git_dir().join("own-elsewhere.json");
        let found = match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => OwnElsewhere::default(),
            Err(error) => return Err(error),
        };
        Ok(Self {
            path,
            found: Mutex::new(found),
        })
    }

    fn found(&self) -> MutexGuard<'_, OwnElsewhere> {
        // Replaced as a whole: it is whole after any panic.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was found so far.
    pub(crate) fn get(&self) -> OwnElsewhere {
        self.found().clone()
    }

    /// Notes those of these commits of the own key that were not made here.
    pub(crate) fn note(&self, repo: &Repo, own: &[Oid]) -> Result<(), RepoError> {
        if own.is_empty() {
            return Ok(());
        }
        let mut made_here = repo.outgoing()?;
        made_here.extend(repo.unacknowledged()?);
        let mut found = self.get();
        let before = found.clone();
        for commit in own.iter().filter(|commit| !made_here.contains(commit)) {
            found.add(&repo.commit_info(*commit)?);
        }
        if found == before {
            return Ok(());
        }
        let save = || replace_file(&self.path, &serde_json::to_vec(&found)?);
        save().map_err(|error| RepoError::Git {
            doing: "noting commits that were made elsewhere",
            reason: error.to_string(),
        })?;
        *self.found() = found;
        Ok(())
    }
}

impl OwnElsewhere {
    fn add(&mut self, info: &CommitInfo) {
        let commit = info.oid.to_string();
        if self.commits.len() < MAX_NAMED {
            self.commits.insert(commit);
        } else if !self.commits.contains(&commit) {
            self.newest = Some(commit);
        }
        let machine = info.trailer(TRAILER_MACHINE).unwrap_or("unknown");
        self.machines.insert(machine.to_owned());
        if let Some(head) = journal_of(info)
            && self.journal.as_ref().is_none_or(|known| *known < head)
        {
            self.journal = Some(head);
        }
        if let Some(draft) = info.trailer(TRAILER_INTENT) {
            self.intents.insert(draft.to_owned(), machine.to_owned());
        }
    }
}

/// The head of the maker's journal when it made a commit.
pub(crate) fn journal_of(info: &CommitInfo) -> Option<(u64, String)> {
    let (entries, head) = info.trailer(TRAILER_JOURNAL)?.split_once(' ')?;
    Some((entries.parse().ok()?, head.to_owned()))
}

/// The mark of the newest own commit that was found to name a journal.
const JOURNAL_MARK: &str = "own-journal";

/// The head of the own journal that the newest verified commit of the own key names; in a history with
/// the merges of a device, the furthest that one of its lines names. What comes before the one that
/// was found last is not searched again, however much comes after it.
pub(crate) fn last_journal_head(replica: &Replica) -> Result<Option<(u64, String)>, RepoError> {
    let repo = &replica.repo;
    let known = repo.mark(JOURNAL_MARK)?;
    let mut open: Vec<Oid> = repo.tip(RefName::Verified)?.into_iter().collect();
    let mut seen = BTreeSet::new();
    let mut last: Option<((u64, String), Oid)> = None;
    while let Some(commit) = open.pop() {
        if !seen.insert(commit) {
            continue;
        }
        let info = repo.commit_info(commit)?;
        match journal_of(&info) {
            Some(head) if known == Some(commit) || is_own(replica, commit)? => {
                if last.as_ref().is_none_or(|(furthest, _)| *furthest < head) {
                    last = Some((head, commit));
                }
            }
            _ => open.extend(info.parents),
        }
    }
    let Some((head, commit)) = last else {
        return Ok(None);
    };
    repo.set_mark(JOURNAL_MARK, Some(commit))?;
    Ok(Some(head))
}

fn is_own(replica: &Replica, commit: Oid) -> Result<bool, RepoError> {
    let own = &replica.identity.own().key;
    let signature = replica.repo.signature(commit)?;
    Ok(matches!(signature, Signature::By(key) if key == *own))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A new one is news, however many there were.
    #[test]
    fn commit_beyond_the_named_ones_is_news_once() {
        let info = |n: usize| CommitInfo {
            oid: Repo::oid(&format!("{n:040x}")).unwrap(),
            parents: Vec::new(),
            trailers: Vec::new(),
            seconds: 0,
        };
        let mut found = OwnElsewhere::default();
        (0..=MAX_NAMED).for_each(|n| found.add(&info(n)));
        assert_eq!(found.commits.len(), MAX_NAMED);
        let newest = |n: usize| Some(info(n).oid.to_string());
        assert_eq!(found.newest, newest(MAX_NAMED));
        let before = found.clone();
        (0..=MAX_NAMED).for_each(|n| found.add(&info(n)));
        assert_eq!(found, before);
        found.add(&info(MAX_NAMED + 1));
        assert_eq!(found.newest, newest(MAX_NAMED + 1));
    }
}
