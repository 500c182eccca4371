//! What changed between two commits, and what of it the vault never holds.
//!
//! Lives elsewhere: who may make a change is `policy`'s question.
//! Invariants: only subtrees whose ids differ are opened, so a comparison costs O(changed); what
//! the vault never holds (a symbolic link, a submodule, a name that is no vault path, two names
//! that some system takes for one) is named; that such a thing is gone is no change at all. A few
//! objects can name each other's folders so often that no machine comes to the end of them: every
//! entry that is read counts, on both sides and whatever it is, and there is an end to it.

use std::collections::BTreeMap;

use caseless::Caseless as _;
use git2::{Oid, Repository};
use platinum_core::{MAX_DEPTH, VaultPath, text::is_joiner};
use platinum_policy::Change;
use unicode_normalization::UnicodeNormalization as _;

use crate::{
    Repo, RepoError,
    tree::{Entries, Entry, Kind, entries_of, printable, some_entries_of, tree_of},
};

/// More entries than this, of both sides together, are not read for one comparison: two vaults of
/// a million files each that have nothing in common have about half as many.
pub(crate) const MAX_ENTRIES_READ: usize = 1 << 22;
/// After so many it is counted how many there will be, before the others are read.
const COUNT_AFTER: usize = 1 << 14;
/// More faults than this are not listed.
const MAX_FAULTS: usize = 100;
/// The mode of an ordinary file.
const ORDINARY: i32 = 0o100_644;

/// One path that differs between two commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where.
    pub path: VaultPath,
    /// How.
    pub change: Change,
    /// The blob that is there now; `None` after a deletion.
    pub blob: Option<Oid>,
}

/// Something the vault never holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Where, made printable.
    pub path: String,
    /// What is wrong with it.
    pub what: String,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "`{}` {}", self.path, self.what)
    }
}

/// What two commits differ in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Comparison {
    /// Files, in order.
    pub changed: Vec<Changed>,
    /// What the newer one holds although no vault does; at most a hundred.
    pub faults: Vec<Fault>,
    /// New or changed files with another mode than an ordinary file's.
    pub odd_modes: Vec<(VaultPath, i32)>,
}

impl Repo {
    /// Every path that differs, in order. `from: None` compares with nothing at all.
    ///
    /// # Errors
    /// If an object is missing, or the newer side holds what the vault never holds.
    pub fn changes(&self, from: Option<Oid>, to: Oid) -> Result<Vec<Changed>, RepoError> {
        let compared = self.compare(from, to, usize::MAX)?;
        match compared.faults.into_iter().next() {
            Some(Fault { path, what }) => Err(RepoError::Foreign { path, what }),
            None => Ok(compared.changed),
        }
    }

    /// As [`Repo::changes`], but faults are listed beside what is right.
    ///
    /// # Errors
    /// If an object is missing, or more than `most` files differ, or so many folders that they are
    /// not read ([`RepoError::TooMany`]).
    pub fn compare(
        &self,
        from: Option<Oid>,
        to: Oid,
        most: usize,
    ) -> Result<Comparison, RepoError> {
        let git = self.lock()?;
        let old = from.map(|commit| tree_of(&git, commit)).transpose()?;
        let new = tree_of(&git, to)?;
        let mut walk = Walk {
            git: &git,
            most,
            roots: Some((old, Some(new))),
            read: 0,
            found: Comparison::default(),
        };
        walk.folder("", old, Some(new), 0)?;
        let mut found = walk.found;
        found.changed.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(found)
    }
}

struct Walk<'a> {
    git: &'a Repository,
    most: usize,
    /// What is compared, until it was counted.
    roots: Option<Pair>,
    /// How many entries were read.
    read: usize,
    found: Comparison,
}

impl Walk<'_> {
    fn too_many(&self) -> RepoError {
        RepoError::TooMany(self.most.min(MAX_ENTRIES_READ))
    }

    /// Takes note of entries that were read.
    fn count(&mut self, entries: usize) -> Result<(), RepoError> {
        self.read = self.read.saturating_add(entries);
        if self.read > COUNT_AFTER
            && let Some(roots) = self.roots.take()
        {
            let mut counting = Counting {
                git: self.git,
                read: 0,
                known: BTreeMap::new(),
            };
            if counting.entries_below(roots, 0)? > MAX_ENTRIES_READ {
                return Err(self.too_many());
            }
        }
        match self.read > MAX_ENTRIES_READ {
            true => Err(self.too_many()),
            false => Ok(()),
        }
    }

    fn fault(&mut self, path: &[u8], what: impl Into<String>) {
        if self.found.faults.len() < MAX_FAULTS {
            let path = printable(path);
            let what = what.into();
            self.found.faults.push(Fault { path, what });
        }
    }

    fn folder(
        &mut self,
        prefix: &str,
        old: Option<Oid>,
        new: Option<Oid>,
        depth: usize,
    ) -> Result<(), RepoError> {
        if old == new {
            return Ok(());
        }
        // A file in it has one part more. What goes away was never applied from there.
        if depth >= MAX_DEPTH {
            if new.is_some() {
                self.fault(prefix.as_bytes(), "is deeper than any folder of a vault");
            }
            return Ok(());
        }
        let old = some_entries_of(self.git, old)?;
        self.count(old.len())?;
        let new = match entries_of(self.git, new) {
            Err(RepoError::Foreign { path, what }) => {
                self.fault(format!("{prefix}{path}").as_bytes(), what);
                return self.count(1);
            }
            read => read?,
        };
        self.count(new.len())?;
        self.collisions(prefix, &old, &new);
        let mut names: Vec<&Vec<u8>> = old.keys().chain(new.keys()).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let (before, after) = (old.get(name).copied(), new.get(name).copied());
            if before != after {
                self.compare_entry(prefix, name, before, after, depth)?;
            }
        }
        Ok(())
    }

    fn compare_entry(
        &mut self,
        prefix: &str,
        name: &[u8],
        before: Option<Entry>,
        after: Option<Entry>,
        depth: usize,
    ) -> Result<(), RepoError> {
        let mut full = prefix.as_bytes().to_vec();
        full.extend_from_slice(name);
        let wrong = match after.map(Entry::kind) {
            None | Some(Kind::File | Kind::Folder) => None,
            Some(Kind::Symlink) => Some("is a symbolic link"),
            Some(Kind::Submodule) => Some("is a submodule"),
            Some(Kind::Other) => Some("is neither a file nor a folder"),
        };
        if let Some(wrong) = wrong {
            self.fault(&full, wrong);
        }
        let Ok(text) = String::from_utf8(full.clone()) else {
            if after.is_some() {
                self.fault(&full, "has a name that is not UTF-8");
            }
            return Ok(());
        };
        let folder =
            |entry: Option<Entry>| entry.filter(|e| e.kind() == Kind::Folder).map(|e| e.oid);
        let file = |entry: Option<Entry>| entry.filter(|e| e.kind() == Kind::File);
        if folder(before).is_some() || folder(after).is_some() {
            let below = format!("{text}/");
            self.folder(&below, folder(before), folder(after), depth + 1)?;
        }
        let change = match (file(before), file(after)) {
            (None, Some(_)) => Change::Create,
            (Some(_), Some(_)) => Change::Modify,
            (Some(_), None) => Change::Delete,
            (None, None) => return Ok(()),
        };
        let path = match VaultPath::new(text) {
            Ok(path) => path,
            Err(error) => {
                if after.is_some() {
                    self.fault(&full, format!("is no path of a vault: {error}"));
                }
                return Ok(());
            }
        };
        if self.found.changed.len() == self.most {
            return Err(self.too_many());
        }
        if let Some(mode) = file(after).map(|e| e.mode).filter(|mode| *mode != ORDINARY) {
            self.found.odd_modes.push((path.clone(), mode));
        }
        self.found.changed.push(Changed {
            path,
            change,
            blob: file(after).map(|e| e.oid),
        });
        Ok(())
    }

    /// Two names that are one on some system would overwrite each other there. Files and folders
    /// are both names, so whole paths that are one somewhere are found in the folder where they
    /// part. Only a name that is new here is judged: a folder that already has such a pair stays
    /// readable.
    fn collisions(&mut self, prefix: &str, old: &Entries, new: &Entries) {
        if new.keys().all(|name| old.contains_key(name)) {
            return;
        }
        let mut seen: BTreeMap<String, &Vec<u8>> = BTreeMap::new();
        for name in new.keys() {
            let Some(other) = seen.insert(collision_key(name), name) else {
                continue;
            };
            if old.contains_key(name) && old.contains_key(other) {
                continue;
            }
            let (added, there) = match old.contains_key(name) {
                true => (other, name),
                false => (name, other),
            };
            let mut full = prefix.as_bytes().to_vec();
            full.extend_from_slice(added);
            let there = String::from_utf8_lossy(there).escape_debug().to_string();
            self.fault(
                &full,
                format!("differs only in case from `{there}`, and many systems cannot hold both"),
            );
        }
    }
}

/// Two folders that stand for each other, or one that nothing stands against.
type Pair = (Option<Oid>, Option<Oid>);

/// Counts what a comparison would read, each pair of folders once, however often it is met.
struct Counting<'a> {
    git: &'a Repository,
    read: usize,
    known: BTreeMap<Pair, usize>,
}

impl Counting<'_> {
    /// How many entries; of more than are read anyway, some number that is larger.
    fn entries_below(&mut self, pair: Pair, depth: usize) -> Result<usize, RepoError> {
        if pair.0 == pair.1 || depth >= MAX_DEPTH {
            return Ok(0);
        }
        if let Some(known) = self.known.get(&pair) {
            return Ok(*known);
        }
        let old = some_entries_of(self.git, pair.0)?;
        let new = some_entries_of(self.git, pair.1)?;
        let mut count = old.len().saturating_add(new.len());
        self.read = self.read.saturating_add(count);
        let folder = |entry: Option<&Entry>| {
            let entry = entry.filter(|entry| entry.kind() == Kind::Folder);
            entry.map(|entry| entry.oid)
        };
        let only_old = old.keys().filter(|name| !new.contains_key(*name));
        for name in only_old.chain(new.keys()) {
            if self.read.max(count) > MAX_ENTRIES_READ {
                return Ok(usize::MAX);
            }
            let below = (folder(old.get(name)), folder(new.get(name)));
            let below = self.entries_below(below, depth + 1)?;
            count = count.saturating_add(below);
        }
        self.known.insert(pair, count);
        Ok(count)
    }
}

/// What a name is to a system that ignores case and does not tell apart how a letter is composed,
/// and to an eye that does not see how an emoji is joined.
pub fn collision_key(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    if name.is_ascii() {
        return name.to_ascii_lowercase();
    }
    let visible = name.chars().filter(|c| !is_joiner(*c));
    visible.nfd().default_case_fold().nfc().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collision_key_equivalent_names_is_equal() {
        for (a, b) in [
            ("A.md", "a.md"),
            ("STRASSE.md", "straße.md"),
            ("Ä.md", "a\u{308}.md"),
            ("ΣΊΣΥΦΟΣ", "σίσυφος"),
            ("\u{212A}.md", "k.md"),
            ("ﬃ", "FFI"),
            ("\u{1E9E}", "ss"),
            ("✈\u{FE0F}.md", "✈.md"),
            ("می\u{200C}خواهم", "میخواهم"),
        ] {
            assert_eq!(
                collision_key(a.as_bytes()),
                collision_key(b.as_bytes()),
                "{a} {b}"
            );
        }
        for (a, b) in [("a.md", "b.md"), ("ä.md", "a.md"), ("o.md", "ø.md")] {
            assert_ne!(
                collision_key(a.as_bytes()),
                collision_key(b.as_bytes()),
                "{a} {b}"
            );
        }
    }
}
