//! The remote as the claims see it: a compare-and-swap register with a few files per task.
//!
//! Invariants: a commit lands only if the tip is the one it was built on, or is this very commit
//! already; a tip that went never comes back. Ids of commits are reused as soon as nothing in the
//! whole state names them any more: no comparison of ids can tell, and the state space is
//! finite.

use platinum_core::{AgentName, ClaimId, Timestamp};
use platinum_protocol::{ClaimRecord, TaskPlace};

/// Names a commit. Two commits of equal content have one id, as in Git.
pub(super) type CommitId = u8;
/// Names a claim: what is random in the real thing.
pub(super) type Claim = u8;

/// One claim in a task's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Record {
    /// Whose folder it is in: the number of an agent's name.
    pub(super) folder: u8,
    pub(super) claim: Claim,
    pub(super) epoch: u8,
}

/// A file of a task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum File {
    /// In `Needs_Action/`, with the highest epoch that was given back.
    Waiting(u8),
    /// In `In_Progress/<agent>/`.
    Owned(Record),
    /// In `Done/`.
    Done,
}

/// A path that may have the task's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Slot {
    Waiting,
    Owned(u8),
    Done,
}

impl File {
    pub(super) fn slot(self) -> Slot {
        match self {
            File::Waiting(_) => Slot::Waiting,
            File::Owned(record) => Slot::Owned(record.folder),
            File::Done => Slot::Done,
        }
    }
}

/// A commit: one file of one task changes its path and its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Commit {
    pub(super) id: CommitId,
    /// The tip it was built on.
    pub(super) base: CommitId,
    pub(super) task: u8,
    /// The name it is signed with.
    pub(super) author: u8,
    pub(super) from: Slot,
    pub(super) to: File,
}

/// The files of one task at the tip, and what an observer who saw everything knows of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Task {
    /// Exactly one, if all is well.
    pub(super) files: Vec<File>,
    /// The highest epoch of any claim that ever landed.
    pub(super) highest: u8,
    /// Who learned that a claim of the highest epoch is theirs.
    pub(super) winner: Option<u8>,
    /// How often its action was carried out.
    pub(super) effects: u8,
}

impl Task {
    pub(super) fn new() -> Self {
        Self {
            files: vec![File::Waiting(0)],
            highest: 0,
            winner: None,
            effects: 0,
        }
    }

    /// The file that counts, as the driver looks it up: finished before owned before waiting.
    pub(super) fn file(&self) -> Option<File> {
        let of = |wanted: fn(&File) -> bool| self.files.iter().copied().find(wanted);
        of(|file| matches!(file, File::Done))
            .or_else(|| of(|file| matches!(file, File::Owned(_))))
            .or_else(|| self.files.first().copied())
    }

    /// Moves the file, as a tree edit does: what was not there is not missed.
    pub(super) fn edit(&mut self, from: Slot, to: File) {
        self.files
            .retain(|file| file.slot() != from && file.slot() != to.slot());
        self.files.push(to);
        self.files.sort_unstable();
    }

    /// The claim by which it is owned.
    pub(super) fn record(&self) -> Option<Record> {
        match self.file()? {
            File::Owned(record) => Some(record),
            File::Waiting(_) | File::Done => None,
        }
    }

    pub(super) fn place(&self, names: &[AgentName; 2]) -> TaskPlace {
        match self.file() {
            None => TaskPlace::Absent,
            Some(File::Waiting(_)) => TaskPlace::Waiting,
            Some(File::Done) => TaskPlace::Finished,
            Some(File::Owned(record)) => TaskPlace::Owned(record.to_claim_record(names)),
        }
    }

    /// The highest epoch that its note speaks of.
    pub(super) fn epoch(&self) -> u8 {
        match self.file() {
            Some(File::Waiting(epoch)) => epoch,
            Some(File::Owned(record)) => record.epoch,
            Some(File::Done) | None => 0,
        }
    }
}

impl Record {
    pub(super) fn to_claim_record(self, names: &[AgentName; 2]) -> ClaimRecord {
        ClaimRecord {
            id: claim_id(self.claim),
            agent: names[usize::from(self.folder)].clone(),
            epoch: u64::from(self.epoch),
            at: Timestamp::UNIX_EPOCH,
            base: String::new(),
            heartbeats: 0,
        }
    }
}

pub(super) fn claim_id(claim: Claim) -> ClaimId {
    ClaimId::from_parts(0, u128::from(claim))
}

/// A commit id as the machine gets it.
pub(super) fn hex(id: CommitId) -> String {
    format!("{id:x}")
}
