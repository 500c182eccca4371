//! [`find_moves`]: which files that are gone stand elsewhere now, perhaps edited on the way.
//!
//! Lives elsewhere: what is gone and what is new is `scanner`'s; `state` lets both halves of a move
//! go together, and `guard` counts as a loss only what was not moved.
//!
//! Invariants: each new file accounts for one that is gone at most; a binary or tiny file is found
//! by its bytes or its name alone; the cost is bounded whatever the files hold, and what would cost
//! more counts as not moved.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use platinum_core::VaultPath;
use platinum_repo::{Oid, Repo};

use super::scanner::ScanResult;

/// Larger files are not compared.
const LARGEST: usize = 256 * 1024;
/// So many bytes are compared, of all files together.
const TOTAL: usize = 96 * 1024 * 1024;
/// So many lines are, of all files together.
const TOTAL_LINES: usize = 2_000_000;
/// A line that more new files have is from a template, and makes no two files alike.
const COMMON: usize = 8;
/// With less text than this, files are alike by accident.
const TINY: usize = 16;
/// So many lines stand for a file that is gone.
const SAMPLE: usize = 256;
/// So many of its lines are looked up, the rarest ones, and so many files compared that have one.
const RAREST: usize = 8;
const CANDIDATES: usize = 4;

/// Where the files that are gone stand now, as far as they stand anywhere.
pub(super) fn find_moves(repo: &Repo, found: &ScanResult) -> BTreeMap<VaultPath, VaultPath> {
    if found.missing.is_empty() {
        return BTreeMap::new();
    }
    let added = found.added.iter().map(|path| (path, None));
    let mut new: BTreeMap<&VaultPath, Option<Oid>> = added.collect();
    let edits = found.edits.files.iter();
    new.extend(
        edits
            .filter(|(_, blob)| blob.is_some())
            .map(|(path, blob)| (path, *blob)),
    );
    let mut pairing = Pairing {
        gone: found
            .missing
            .iter()
            .map(|(path, missing)| (path, missing.blob))
            .collect(),
        new: new.into_iter().collect(),
        moves: BTreeMap::new(),
    };
    // The last ones are taken first: what is new, before what has only changed.
    pairing
        .new
        .sort_by_key(|(path, _)| found.added.contains(path));
    pairing.pair_equal(|_, blob| blob);
    pairing.pair_equal(|path, _| Some(path.file_name().to_owned()));
    pairing.pair_similar(repo);
    pairing.moves
}

/// What has a counterpart, and what has none yet.
struct Pairing<'a> {
    gone: Vec<(&'a VaultPath, Oid)>,
    new: Vec<(&'a VaultPath, Option<Oid>)>,
    moves: BTreeMap<VaultPath, VaultPath>,
}

impl<'a> Pairing<'a> {
    /// Pairs files that are equal in something.
    fn pair_equal<K: Ord>(&mut self, key: impl Fn(&VaultPath, Option<Oid>) -> Option<K>) {
        let mut by_key: BTreeMap<K, Vec<&'a VaultPath>> = BTreeMap::new();
        for (path, blob) in &self.new {
            if let Some(key) = key(path, *blob) {
                by_key.entry(key).or_default().push(path);
            }
        }
        self.pair(|path, blob| by_key.get_mut(&key(path, Some(blob))?)?.pop());
    }

    /// Pairs texts where at least half of the one that is gone stands in the new one, without what many have.
    fn pair_similar(&mut self, repo: &Repo) {
        if self.gone.is_empty() || self.new.is_empty() {
            return;
        }
        let (mut left, mut left_lines) = (TOTAL, TOTAL_LINES);
        let mut lines_of = |blob: Oid| match repo.read_blob(blob, LARGEST.min(left)) {
            Ok(bytes) if left_lines > 0 => {
                left -= bytes.len();
                let lines = lines(&bytes);
                left_lines = left_lines.saturating_sub(lines.len());
                lines
            }
            // Too large to compare, or unreadable: it counts as like nothing.
            _ => BTreeMap::new(),
        };
        let mut new = Vec::with_capacity(self.new.len());
        let mut holders: HashMap<u64, Vec<usize>> = HashMap::new();
        for (path, blob) in &self.new {
            let lines = blob.map(&mut lines_of).unwrap_or_default();
            for line in lines.keys() {
                holders.entry(*line).or_default().push(new.len());
            }
            new.push((*path, lines));
        }
        let mut is_taken = vec![false; new.len()];
        let common = holders.iter().filter(|(_, files)| files.len() > COMMON);
        let common: HashSet<u64> = common.map(|(line, _)| *line).collect();
        self.pair(|_, blob| {
            let mut lines = lines_of(blob);
            lines.retain(|line, _| !common.contains(line));
            if lines.values().sum::<usize>() < TINY {
                return None;
            }
            // The smallest digests are as good a sample as any, and the same for every file.
            let sample: Vec<(u64, usize)> = lines.into_iter().take(SAMPLE).collect();
            let total: usize = sample.iter().map(|(_, len)| len).sum();
            let mut known: Vec<u64> = sample.iter().map(|(line, _)| *line).collect();
            known.retain(|line| holders.contains_key(line));
            known.sort_by_key(|line| holders[line].len());
            let mut tried = BTreeSet::new();
            for line in known.into_iter().take(RAREST) {
                let holders = holders.get_mut(&line)?;
                while holders.pop_if(|at| is_taken[*at]).is_some() {}
                for at in holders.iter().rev().take(CANDIDATES).copied() {
                    if is_taken[at] || !tried.insert(at) {
                        continue;
                    }
                    let (path, lines) = &new[at];
                    let shared = sample.iter().filter(|(line, _)| lines.contains_key(line));
                    if 2 * shared.map(|(_, len)| len).sum::<usize>() >= total {
                        is_taken[at] = true;
                        return Some(*path);
                    }
                }
            }
            None
        });
    }

    /// Pairs what is gone with what is found for it.
    fn pair(&mut self, mut find: impl FnMut(&VaultPath, Oid) -> Option<&'a VaultPath>) {
        let mut taken = BTreeSet::new();
        self.gone.retain(|(path, blob)| match find(path, *blob) {
            Some(to) => {
                taken.insert(to);
                self.moves.insert((*path).clone(), to.clone());
                false
            }
            None => true,
        });
        self.new.retain(|(path, _)| !taken.contains(path));
    }
}

/// The lines of a text, and its sentences where a line has more than one, by their digests, with
/// their lengths. What is no text has none.
fn lines(bytes: &[u8]) -> BTreeMap<u64, usize> {
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let lines = text.split(['\n', '.']).map(str::trim);
    lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let mut hasher = DefaultHasher::new();
            line.hash(&mut hasher);
            (hasher.finish(), line.len())
        })
        .collect()
}
