//! [`plan`]: what becomes of each path that two sides changed, decided on blob ids and stamps.
//!
//! Lives elsewhere: finding the changed paths and who changed them is `repo`'s, doing the plan the
//! synchronizer's; how a copy is called is in [`crate::conflict_name`].
//! Invariants: nothing is lost: a version that either side made is at its path or in a conflict
//! copy (or the other side knew it and changed it further); an edit beats a delete; of two edits
//! the later one keeps the path, and both sides agree on which that is; of a file and a folder of
//! one name the folder keeps it; names of copies follow from what is in them, so that doing it
//! twice, or on both sides, gives the same files.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, VaultPath};

use crate::{conflict_name, hlc::Stamp};

/// Blob ids in hex by path. It may be restricted to the paths that changed on either side since
/// the base.
pub type Tree = BTreeMap<VaultPath, String>;

/// Who made a version of a file, and when.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version {
    /// When, by its maker's clock.
    pub stamp: Stamp,
    /// The host that made it, or found the owner's edit.
    pub agent: AgentName,
    /// Whether the stamp says anything about order: not if it is from too far ahead, or if the
    /// commit carried none and this is just its time.
    pub trusted: bool,
}

/// What a merge starts from. `theirs` is what the remote has.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// What both sides last had in common.
    pub base: &'a Tree,
    /// What this machine has.
    pub ours: &'a Tree,
    /// What the remote has.
    pub theirs: &'a Tree,
    /// Of a path in conflict: who made our version.
    pub our_version: &'a dyn Fn(&VaultPath) -> Version,
    /// Of a path in conflict: who made theirs.
    pub their_version: &'a dyn Fn(&VaultPath) -> Version,
    /// Whether we may put our version over theirs, or take theirs away from the path. Where we may
    /// not, theirs keeps it.
    pub may_overwrite: &'a dyn Fn(&VaultPath) -> bool,
    /// The blob at a path that is in none of the trees as neither side changed it: no copy takes
    /// its place.
    pub unchanged: &'a dyn Fn(&VaultPath) -> Option<String>,
}

/// Whose version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Keeper {
    /// This machine's.
    Ours,
    /// The remote's.
    Theirs,
}

/// Two versions of one file, neither made from the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where both were; the keeper's version stays there.
    pub path: VaultPath,
    /// Whose version stays at the path.
    pub keeper: Keeper,
    /// Where the other one goes.
    pub copy: VaultPath,
    /// Our blob.
    pub ours: String,
    /// Their blob.
    pub theirs: String,
}

impl Conflict {
    /// The blob that the path has afterwards.
    pub fn kept(&self) -> &str {
        match self.keeper {
            Keeper::Ours => &self.ours,
            Keeper::Theirs => &self.theirs,
        }
    }

    /// The blob that the copy has.
    pub fn set_aside(&self) -> &str {
        match self.keeper {
            Keeper::Ours => &self.theirs,
            Keeper::Theirs => &self.ours,
        }
    }
}

/// A file of one side whose path is a folder of the other's. The folder stays: a file can be set
/// aside under another name, all that a folder holds cannot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Displaced {
    /// Where the file was.
    pub path: VaultPath,
    /// Whose file it is.
    pub owner: Keeper,
    /// Where it goes.
    pub copy: VaultPath,
    /// Its blob.
    pub blob: String,
}

/// What to do so that the result has the changes of both sides.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// Paths at which their version is right: this blob, or none for a delete.
    pub take_theirs: BTreeMap<VaultPath, Option<String>>,
    /// Paths at which our version is right: this blob, or none for a delete.
    pub keep_ours: BTreeMap<VaultPath, Option<String>>,
    /// Paths at which both are.
    pub conflicts: Vec<Conflict>,
    /// Files that make way for a folder.
    pub displaced: Vec<Displaced>,
}

impl Plan {
    /// Whether neither side changed anything the other does not have.
    pub fn is_empty(&self) -> bool {
        self.take_theirs.is_empty()
            && self.keep_ours.is_empty()
            && self.conflicts.is_empty()
            && self.displaced.is_empty()
    }

    /// Files that would be where another path has a folder: each with its owner and its blob.
    fn files_in_the_way(&self) -> Vec<(VaultPath, Keeper, String)> {
        let kept = |of: &BTreeMap<VaultPath, Option<String>>, owner: Keeper| {
            of.iter()
                .filter_map(|(path, blob)| Some((path.clone(), (owner, blob.clone()?))))
                .collect::<Vec<_>>()
        };
        let mut files: BTreeMap<VaultPath, (Keeper, String)> = BTreeMap::new();
        files.extend(kept(&self.take_theirs, Keeper::Theirs));
        files.extend(kept(&self.keep_ours, Keeper::Ours));
        let places = files.keys();
        let in_conflict = self.conflicts.iter().map(|conflict| &conflict.path);
        let folders: BTreeSet<VaultPath> = places
            .chain(in_conflict)
            .flat_map(|path| std::iter::successors(path.parent(), VaultPath::parent))
            .collect();
        files.retain(|path, _| folders.contains(path));
        let files = files.into_iter();
        files
            .map(|(path, (owner, blob))| (path, owner, blob))
            .collect()
    }
}

/// Merges three ways, path by path.
pub fn plan(sides: &Sides<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut taken: BTreeSet<VaultPath> = BTreeSet::new();
    let paths: BTreeSet<&VaultPath> = [sides.base, sides.ours, sides.theirs]
        .into_iter()
        .flat_map(BTreeMap::keys)
        .collect();
    for path in paths {
        let base = sides.base.get(path);
        let (our, their) = (sides.ours.get(path), sides.theirs.get(path));
        if our == their {
            continue;
        }
        match (our, their) {
            // One side changed.
            _ if our == base => {
                plan.take_theirs.insert(path.clone(), their.cloned());
            }
            _ if their == base => {
                plan.keep_ours.insert(path.clone(), our.cloned());
            }
            // Both did: an edit beats a delete.
            (Some(our), None) => {
                plan.keep_ours.insert(path.clone(), Some(our.clone()));
            }
            (None, their) => {
                plan.take_theirs.insert(path.clone(), their.cloned());
            }
            (Some(our), Some(their)) => {
                let conflict = sides.conflict(path, our, their, &taken);
                taken.insert(conflict.copy.clone());
                plan.conflicts.push(conflict);
            }
        }
    }
    for (path, owner, blob) in plan.files_in_the_way() {
        let version = match owner {
            Keeper::Ours => (sides.our_version)(&path),
            // It stays as it is: what we have in the folder is withheld instead.
            Keeper::Theirs if !(sides.may_overwrite)(&path) => continue,
            Keeper::Theirs => (sides.their_version)(&path),
        };
        let copy = sides.free_name(&path, &version, &blob, &taken);
        taken.insert(copy.clone());
        plan.take_theirs.remove(&path);
        plan.keep_ours.remove(&path);
        plan.displaced.push(Displaced {
            path,
            owner,
            copy,
            blob,
        });
    }
    plan
}

impl Sides<'_> {
    fn conflict(
        &self,
        path: &VaultPath,
        our: &str,
        their: &str,
        taken: &BTreeSet<VaultPath>,
    ) -> Conflict {
        let (ours, theirs) = ((self.our_version)(path), (self.their_version)(path));
        let order = (ours.stamp, &ours.agent, our).cmp(&(theirs.stamp, &theirs.agent, their));
        // Without two stamps to go by, the remote's order counts: theirs was there first.
        let ours_keeps =
            ours.trusted && theirs.trusted && order.is_gt() && (self.may_overwrite)(path);
        let (keeper, loser, blob) = match ours_keeps {
            true => (Keeper::Ours, theirs, their),
            false => (Keeper::Theirs, ours, our),
        };
        Conflict {
            path: path.clone(),
            keeper,
            copy: self.free_name(path, &loser, blob, taken),
            ours: our.to_owned(),
            theirs: their.to_owned(),
        }
    }

    /// The conflict name, with a later time if another file has it.
    fn free_name(
        &self,
        path: &VaultPath,
        loser: &Version,
        blob: &str,
        taken: &BTreeSet<VaultPath>,
    ) -> VaultPath {
        let mut at = loser.stamp.wall_ms;
        loop {
            let name = conflict_name(path, &loser.agent, at, blob);
            if !taken.contains(&name) && self.is_free(&name, blob) {
                return name;
            }
            at = at.wrapping_add(1);
        }
    }

    /// Whether this blob can be at this path whatever else the plan does: nothing else is there,
    /// and it is still there.
    fn is_free(&self, copy: &VaultPath, blob: &str) -> bool {
        let trees = [self.base, self.ours, self.theirs];
        let [base, ours, theirs] = trees.map(|tree| tree.get(copy));
        if base.is_none() && ours.is_none() && theirs.is_none() {
            return (self.unchanged)(copy).is_none_or(|there| there == blob);
        }
        let fits = |there: Option<&String>| there.is_none_or(|there| there == blob);
        let was_deleted = base.is_some() && (ours.is_none() || theirs.is_none());
        fits(ours) && fits(theirs) && !was_deleted
    }
}
