//! The remote: commits, a compare-and-swap of the tip, and pushes that land late.

use std::rc::Rc;

use platinum_protocol::hlc::Stamp;

use super::content::Files;

/// Names a commit.
pub(super) type Id = usize;

/// A tree, and where it comes from.
#[derive(Debug, Clone)]
pub(super) struct Commit {
    pub(super) parent: Option<Id>,
    pub(super) files: Rc<Files>,
    pub(super) host: usize,
    pub(super) stamp: Stamp,
    /// Whether it is in the remote's history.
    pub(super) landed: bool,
    /// Whether it says what a disk had: not so the move of a task, which the disk follows.
    pub(super) is_of_disk: bool,
}

/// All commits that were ever made, and the remote's branch.
#[derive(Debug, Default)]
pub(super) struct Remote {
    pub(super) commits: Vec<Commit>,
    pub(super) tip: Option<Id>,
    /// Pushes whose sender does not wait any more.
    pub(super) late: Vec<Id>,
}

impl Remote {
    pub(super) fn add(&mut self, commit: Commit) -> Id {
        self.commits.push(commit);
        self.commits.len() - 1
    }

    /// The files at a tip.
    pub(super) fn files(&self, at: Option<Id>) -> Rc<Files> {
        at.map_or_else(Rc::default, |id| Rc::clone(&self.commits[id].files))
    }

    /// What receive-pack does.
    pub(super) fn swap(&mut self, commit: Id) -> Swap {
        if self.tip == Some(commit) {
            return Swap::Already;
        }
        if self.tip != self.commits[commit].parent {
            return Swap::Refused;
        }
        self.tip = Some(commit);
        self.commits[commit].landed = true;
        Swap::Moved
    }

    /// The commits of `tip`'s history that `before`'s has not, newest first.
    pub(super) fn between(&self, before: Option<Id>, tip: Option<Id>) -> Vec<Id> {
        let mut at = tip;
        let mut found = Vec::new();
        while let Some(id) = at {
            if Some(id) == before {
                break;
            }
            found.push(id);
            at = self.commits[id].parent;
        }
        found
    }
}

/// What came of a push at the remote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Swap {
    Moved,
    Already,
    Refused,
}

pub(super) fn hex(id: Id) -> String {
    format!("{id:x}")
}

pub(super) fn unhex(hex: &str) -> Id {
    Id::from_str_radix(hex, 16).unwrap_or(Id::MAX)
}
