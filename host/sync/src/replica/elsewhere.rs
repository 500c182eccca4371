//! Commits that the own key signed and that were not made here: the machine was copied, a backup was
//! restored, or the key is in other hands.
//!
//! What was made here is in the outbox before it is pushed, so it is known when it comes back; a
//! revert is known by this machine's trailer. Whatever else the own key signed was made elsewhere.
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

use platinum_repo::{CommitInfo, Oid, RefName, Repo, RepoError, Signature};
use platinum_verify::revert::TRAILER_REVERTS;
use serde::{Deserialize, Serialize};

use crate::replica::{Replica, witness::TRAILER_JOURNAL};

/// The trailer that names the machine that made a commit.
pub const TRAILER_MACHINE: &str = "Platinum-Machine";
/// The trailer that names the draft that the maker is about to carry out.
pub const TRAILER_INTENT: &str = "Platinum-Intent";

/// Commits that are named one by one; of more, only their number is kept.
const MAX_NAMED: usize = 1000;

/// What the own key signed elsewhere.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct OwnElsewhere {
    /// The commits.
    pub commits: BTreeSet<String>,
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
    pub(crate) fn note(
        &self,
        repo: &Repo,
        own: &[Oid],
        machine: Option<&str>,
    ) -> Result<(), RepoError> {
        if own.is_empty() {
            return Ok(());
        }
        let mut made_here = repo.outgoing()?;
        made_here.extend(repo.unacknowledged()?);
        let mut found = self.get();
        let before = found.clone();
        for commit in own.iter().filter(|commit| !made_here.contains(commit)) {
            let info = repo.commit_info(*commit)?;
            let made_by = info.trailer(TRAILER_MACHINE);
            if info.trailer(TRAILER_REVERTS).is_some() && machine.is_some() && made_by == machine {
                continue;
            }
            found.add(&info);
        }
        if found == before {
            return Ok(());
        }
        let save = || -> io::Result<()> {
            let beside = self.path.with_extension("new");
            fs::write(&beside, serde_json::to_vec(&found)?)?;
            fs::File::open(&beside)?.sync_all()?;
            fs::rename(&beside, &self.path)?;
            match self.path.parent() {
                Some(folder) => fs::File::open(folder)?.sync_all(),
                None => Ok(()),
            }
        };
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
        if self.commits.len() < MAX_NAMED {
            self.commits.insert(info.oid.to_string());
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

/// How far back the own newest commit is searched.
const MAX_BACK: usize = 10_000;

/// The head of the own journal that the newest verified commit of the own key names.
pub(crate) fn last_journal_head(replica: &Replica) -> Result<Option<(u64, String)>, RepoError> {
    let mut at = replica.repo.tip(RefName::Verified)?;
    for _ in 0..MAX_BACK {
        let Some(commit) = at else { break };
        let info = replica.repo.commit_info(commit)?;
        let is_own = || -> Result<bool, RepoError> {
            let own = &replica.identity.own().key;
            let signature = replica.repo.signature(commit)?;
            Ok(matches!(signature, Signature::By(key) if key == *own))
        };
        if let Some(head) = journal_of(&info)
            && is_own()?
        {
            return Ok(Some(head));
        }
        at = info.parents.first().copied();
    }
    Ok(None)
}
