//! [`ScanState`]: what is known of the work tree, and which paths the next scan reads.
//!
//! Lives elsewhere: reading is `scanner`'s; how long an unsettled state is waited out, `debounce`'s.
//! Invariant: what is known saves work and decides nothing: lost, it is read anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use platinum_core::VaultPath;
use platinum_policy::SyncChoice;
use platinum_repo::{Oid, Repo};
use platinum_vault::{Leftover, PathEntry, Vault};
use platinum_watch::{Changes, DirtyPaths};

use super::{
    debounce::{Debounce, SECOND_READ},
    guard::DeletionGuard,
    moves::find_moves,
    scanner::{Edits, Missing, Scan, ScanResult},
    stat_cache::StatCache,
};
use crate::{FileFilter, WorktreeError};

/// The file of the stat cache, beside the objects.
const STAT_CACHE: &str = "platinum-seen";
/// More paths than this are scanned folder by folder.
const MOST_PATHS: usize = 4096;
/// Background rescan: 1/100 of the folders every minute, to catch lost events.
const BACKGROUND_RESCAN: (usize, Duration) = (100, Duration::from_secs(60));
/// The wall clock went so much further than the other one: the machine slept.
const ASLEEP: Duration = Duration::from_secs(60);

/// What is known of the work tree. Lost, it is read anew.
#[derive(Debug)]
pub(crate) struct ScanState {
    stat_cache: StatCache,
    debounce: Debounce,
    guard: DeletionGuard,
    /// Which new files are given to the remote.
    choice: SyncChoice,
    /// Who says which paths changed.
    dirty: Option<DirtyPaths>,
    /// Paths that differed from the base at the last scan, or were not settled.
    pending: BTreeSet<VaultPath>,
    /// The base of the last scan.
    base: Option<Oid>,
    /// The next scan reads everything.
    scan_all: bool,
    /// The folders there are, as far as is known.
    folders: BTreeSet<String>,
    /// Where the background rescan has come to, and when it went on last.
    background: (String, Instant),
    /// Both clocks at the last scan.
    clocks: (SystemTime, Instant),
}

/// What a scan reads from, and what filters it.
type Sources<'a> = (&'a Vault, &'a Repo, &'a dyn FileFilter);

/// What to scan.
enum Scope {
    Everywhere,
    /// Paths, and whether all below them is meant.
    At(BTreeMap<String, bool>),
}

impl ScanState {
    /// Nothing is known but what an earlier daemon noted down.
    pub(crate) fn new(git_dir: &Path) -> Self {
        Self {
            stat_cache: StatCache::open(&git_dir.join(STAT_CACHE)),
            debounce: Debounce::default(),
            guard: DeletionGuard::load(git_dir),
            choice: SyncChoice::default(),
            dirty: None,
            pending: BTreeSet::new(),
            base: None,
            scan_all: true,
            folders: BTreeSet::new(),
            background: (String::new(), Instant::now()),
            clocks: (SystemTime::now(), Instant::now()),
        }
    }

    /// From now on this says which paths changed.
    pub(crate) fn watched_by(&mut self, dirty: DirtyPaths) {
        self.dirty = Some(dirty);
        self.scan_all = true;
    }

    /// From now on only what is chosen is new to the remote.
    pub(crate) fn choose(&mut self, choice: SyncChoice) {
        self.choice = choice;
        self.scan_all = true;
    }

    /// A sync begins: without a watcher, the next scan reads everything.
    pub(crate) fn begin(&mut self) {
        self.scan_all |= self.dirty.is_none();
    }

    /// Notes that these paths are about to be changed: the next scan reads them, whatever happens.
    pub(crate) fn touch<'a>(&mut self, paths: impl Iterator<Item = &'a VaultPath>) {
        self.pending.extend(paths.cloned());
    }

    /// What differs from the base, reading also these paths.
    pub(crate) fn scan(
        &mut self,
        (vault, repo, filter): Sources<'_>,
        base: Option<Oid>,
        more: &mut dyn Iterator<Item = &VaultPath>,
    ) -> Result<(Edits, Vec<Leftover>), WorktreeError> {
        let scope = self.scope(repo, base, more);
        // Until it has come to its end: the watcher names its paths once, and they are taken.
        self.scan_all = true;
        let mut scope = scope?;
        let mut refusal = None;
        let mut found = self.run((vault, repo, filter), base, &scope)?;
        if self.dirty.is_none() && self.debounce.is_short() {
            wait_for_writers();
            found = self.run((vault, repo, filter), base, &scope)?;
        }
        if let Scope::At(_) = scope
            && self.guard.is_suspicious((vault, repo), base, &found)?
        {
            scope = Scope::Everywhere;
            found = self.run((vault, repo, filter), base, &scope)?;
        }
        let moves = find_moves(repo, &found);
        if let Scope::Everywhere = scope {
            match self.guard.check((vault, repo), base, &found, &moves)? {
                None => self.guard.record_accepted(vault, &found)?,
                Some(deleted) if !found.any_file => return Err(deleted.into()),
                Some(other) => refusal = Some(other),
            }
        }
        let pending = self.split_missing(vault, &mut found, &moves);
        // A step of a save is no loss: only what would be published counts.
        if let Some(refusal) = refusal
            && found.edits.files.values().any(Option::is_none)
        {
            return Err(refusal.into());
        }
        // A file can have been met twice: in the list of its folder, and by its name.
        found
            .edits
            .withheld
            .sort_by(|a, b| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)));
        found
            .edits
            .withheld
            .dedup_by(|a, b| (&a.path, &a.reason) == (&b.path, &b.reason));
        self.pending = found.again;
        self.pending.extend(pending);
        self.pending.extend(found.edits.files.keys().cloned());
        if let Scope::Everywhere = scope {
            self.folders = found.folders.into_iter().collect();
            self.background = (String::new(), Instant::now());
        } else {
            self.folders.extend(found.folders);
        }
        self.base = base;
        self.scan_all = false;
        self.stat_cache.save();
        if let Some(dirty) = &self.dirty {
            for (path, wait) in self.debounce.take_rescans() {
                dirty.mark_after(path.as_str(), wait);
            }
        }
        Ok((found.edits, found.leftovers))
    }

    fn scope(
        &mut self,
        repo: &Repo,
        base: Option<Oid>,
        more: &mut dyn Iterator<Item = &VaultPath>,
    ) -> Result<Scope, WorktreeError> {
        let changes = self.dirty.as_ref().map(DirtyPaths::take);
        self.debounce.note_moved_in(match &changes {
            Some(Changes::Paths(touched)) => touched
                .iter()
                .filter(|touched| touched.arrived)
                .map(|touched| touched.path.clone())
                .collect(),
            _ => BTreeSet::new(),
        });
        if self.has_slept() || self.scan_all || matches!(changes, Some(Changes::Everything)) {
            return Ok(Scope::Everywhere);
        }
        let mut paths: BTreeMap<String, bool> = BTreeMap::new();
        if let Some(Changes::Paths(touched)) = changes {
            paths.extend(touched.into_iter().map(|t| (t.path, t.below)));
        }
        let mut add = |path: &VaultPath| {
            paths.entry(path.as_str().to_owned()).or_default();
        };
        self.pending.iter().for_each(&mut add);
        more.for_each(&mut add);
        match (self.base, base) {
            (before, Some(base)) if before != Some(base) => {
                let changed = repo.changes(before, base)?;
                changed.iter().for_each(|changed| add(&changed.path));
            }
            (Some(_), None) => return Ok(Scope::Everywhere),
            _ => {}
        }
        for folder in self.background_rescan() {
            paths.entry(folder).or_default();
        }
        match paths.len() > MOST_PATHS {
            true => Ok(Scope::Everywhere),
            false => Ok(Scope::At(paths)),
        }
    }

    fn run(
        &mut self,
        (vault, repo, filter): Sources<'_>,
        base: Option<Oid>,
        scope: &Scope,
    ) -> Result<ScanResult, WorktreeError> {
        self.debounce.begin_scan(self.dirty.is_some());
        self.stat_cache.load_once();
        let mut scan = Scan {
            vault,
            repo,
            filter: filter.begin_scan(repo, base)?,
            base,
            choice: &self.choice,
            stat_cache: &mut self.stat_cache,
            debounce: &mut self.debounce,
            known: &self.folders,
            found: ScanResult::default(),
            unchecked: Vec::new(),
            unchecked_bytes: 0,
            stored: 0,
            batch: repo.batch(),
        };
        match scope {
            Scope::Everywhere => {
                scan.stat_cache.begin_full_scan();
                scan.scan_all()?;
                scan.stat_cache.end_full_scan();
            }
            Scope::At(paths) => scan.scan_paths(paths)?,
        }
        scan.finish()
    }

    /// Makes deletions of the files that are gone for good; answers the others.
    fn split_missing(
        &mut self,
        vault: &Vault,
        found: &mut ScanResult,
        moves: &BTreeMap<VaultPath, VaultPath>,
    ) -> Vec<VaultPath> {
        let files = &mut found.edits.files;
        // The two halves of a move go together.
        let is_moved = |path: &VaultPath, missing: &Missing| {
            let to = moves.get(path).and_then(|to| files.get(to));
            missing.replaced || to.is_some_and(Option::is_some)
        };
        let (moved, waiting): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut found.missing)
            .into_iter()
            .partition(|(path, missing)| is_moved(path, missing));
        files.extend(moved.into_keys().map(|path| (path, None)));
        let deleted: BTreeSet<VaultPath> = match self.dirty {
            Some(_) => {
                let deleted = self.debounce.confirm_gone(waiting.keys());
                deleted.into_iter().cloned().collect()
            }
            None => still_gone(vault, waiting.keys()),
        };
        let (deleted, pending): (Vec<_>, Vec<_>) =
            waiting.into_keys().partition(|path| deleted.contains(path));
        files.extend(deleted.into_iter().map(|path| (path, None)));
        pending
    }

    /// Some folders, in turn, once a while.
    fn background_rescan(&mut self) -> Vec<String> {
        let (part, every) = BACKGROUND_RESCAN;
        let (after, at) = &mut self.background;
        if at.elapsed() < every {
            return Vec::new();
        }
        *at = Instant::now();
        let count = self.folders.len().div_ceil(part);
        let behind = (Bound::Excluded(after.as_str()), Bound::Unbounded);
        let next: Vec<String> = self
            .folders
            .range::<str, _>(behind)
            .chain(&self.folders)
            .take(count)
            .cloned()
            .collect();
        if let Some(last) = next.last() {
            last.clone_into(after);
        }
        next
    }

    /// Whether the machine slept, or its clock was set: then events may have been missed.
    fn has_slept(&mut self) -> bool {
        let now = (SystemTime::now(), Instant::now());
        let (wall, steady) = std::mem::replace(&mut self.clocks, now);
        let steady = now.1.duration_since(steady);
        now.0
            .duration_since(wall)
            .is_ok_and(|wall| wall.saturating_sub(steady) > ASLEEP)
    }
}

/// Those that are not there at the second read either.
fn still_gone<'a>(
    vault: &Vault,
    paths: impl Iterator<Item = &'a VaultPath>,
) -> BTreeSet<VaultPath> {
    let paths: Vec<_> = paths.collect();
    if !paths.is_empty() {
        wait_for_writers();
    }
    paths
        .into_iter()
        .filter(|path| matches!(vault.stat(path), Ok(PathEntry::Absent)))
        .cloned()
        .collect()
}

#[expect(
    clippy::disallowed_methods,
    reason = "a save of two steps is waited out; without a watcher nothing reports its end"
)]
fn wait_for_writers() {
    std::thread::sleep(SECOND_READ);
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
