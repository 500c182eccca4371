//! [`plan`]: what becomes of each path that two sides changed, decided on blob ids alone.
//!
//! Lives elsewhere: finding the changed paths is `repo`'s, doing the plan the synchronizer's.
//! Invariants: nothing is lost: a version that either side made is at its path or in a conflict
//! copy (or the other side knew it and changed it further); an edit beats a delete; names of
//! copies follow from their content, so that doing it twice gives the same files.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{
    AgentName, MAX_COMPONENT_BYTES, MAX_PATH_BYTES, PathError, Timestamp, VaultPath,
};

/// Blob ids in hex by path. It may be restricted to the paths that changed on either side since
/// the base; a path that is not in it does not exist.
pub type Tree = BTreeMap<VaultPath, String>;

/// Two versions of one file, neither made from the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// Where both were; theirs stays there.
    pub path: VaultPath,
    /// Where ours goes.
    pub copy: VaultPath,
    /// Our blob.
    pub ours: String,
    /// Their blob.
    pub theirs: String,
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
}

impl Plan {
    /// Whether neither side changed anything the other does not have.
    pub fn is_empty(&self) -> bool {
        self.take_theirs.is_empty() && self.keep_ours.is_empty() && self.conflicts.is_empty()
    }
}

/// Merges three ways, path by path. `agent` is ours, `at_unix_ms` the time of our version: both go
/// into the names of conflict copies.
pub fn plan(base: &Tree, ours: &Tree, theirs: &Tree, agent: &AgentName, at_unix_ms: i64) -> Plan {
    let mut plan = Plan::default();
    let mut taken: BTreeSet<VaultPath> = BTreeSet::new();
    let paths: BTreeSet<&VaultPath> = base
        .keys()
        .chain(ours.keys())
        .chain(theirs.keys())
        .collect();
    for path in paths {
        let (base, our, their) = (base.get(path), ours.get(path), theirs.get(path));
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
                let is_free = |copy: &VaultPath| {
                    !taken.contains(copy)
                        && [ours, theirs]
                            .iter()
                            .all(|tree| tree.get(copy).is_none_or(|b| b == our))
                };
                let copy = free_name(path, agent, at_unix_ms, our, is_free);
                taken.insert(copy.clone());
                plan.conflicts.push(Conflict {
                    path: path.clone(),
                    copy,
                    ours: our.clone(),
                    theirs: their.clone(),
                });
            }
        }
    }
    plan
}

/// The conflict name, with a later time if another file has it.
fn free_name(
    path: &VaultPath,
    agent: &AgentName,
    at_unix_ms: i64,
    blob: &str,
    is_free: impl Fn(&VaultPath) -> bool,
) -> VaultPath {
    let mut at = at_unix_ms;
    loop {
        let name = conflict_name(path, agent, at, blob);
        if is_free(&name) {
            return name;
        }
        at = at.wrapping_add(1);
    }
}

/// `<stem>.conflict-<agent>-<UTC to the millisecond>-<first 8 of the blob>.<extension>`, beside
/// the file. The same arguments give the same name. A stem that is too long is cut, and a folder
/// that leaves no room for the name is replaced by the one above it.
pub fn conflict_name(
    path: &VaultPath,
    agent: &AgentName,
    at_unix_ms: i64,
    blob_hex: &str,
) -> VaultPath {
    let oid: String = blob_hex
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(8)
        .collect();
    let mut ending = format!(".conflict-{agent}-{}-{oid}", compact_utc(at_unix_ms));
    // An extension that is itself as long as a name is no extension anybody knows.
    if let Some(extension) = path.extension().filter(|extension| extension.len() <= 16) {
        ending.push('.');
        ending.push_str(extension);
    }
    let mut folders: Vec<&str> = path.components().rev().skip(1).collect();
    folders.reverse();
    loop {
        let folder_bytes: usize = folders.iter().map(|folder| folder.len() + 1).sum();
        let room = MAX_COMPONENT_BYTES
            .min(MAX_PATH_BYTES.saturating_sub(folder_bytes))
            .saturating_sub(ending.len());
        // Short stems fit as they are; long ones keep at least enough to be recognized.
        if room >= path.stem().len().min(16) || folders.len() <= 1 {
            // A stem that was cut can have become the name of a device; `note` never is one.
            return beside(&folders, cut(path.stem(), room), &ending)
                .unwrap_or_else(|_| certain(&folders, &ending));
        }
        folders.pop();
    }
}

fn beside(folders: &[&str], stem: &str, ending: &str) -> Result<VaultPath, PathError> {
    let mut text: String = folders.iter().flat_map(|folder| [*folder, "/"]).collect();
    text.push_str(stem);
    text.push_str(ending);
    VaultPath::new(text)
}

#[expect(
    clippy::expect_used,
    reason = "folders of a valid path and a short, plain name"
)]
fn certain(folders: &[&str], ending: &str) -> VaultPath {
    beside(folders, "note", ending).expect("a conflict name is a vault path")
}

/// At most `room` bytes of `stem`, at a character boundary.
fn cut(stem: &str, room: usize) -> &str {
    let mut end = stem.len().min(room);
    while !stem.is_char_boundary(end) {
        end -= 1;
    }
    &stem[..end]
}

/// `20261120T184303123Z`: sorts by time and is allowed in file names everywhere.
fn compact_utc(unix_ms: i64) -> String {
    Timestamp::from_millisecond(unix_ms).map_or_else(
        |_| unix_ms.unsigned_abs().to_string(),
        |at| {
            format!("{at:.3}")
                .chars()
                .filter(char::is_ascii_alphanumeric)
                .collect()
        },
    )
}
