//! [`WorkTree`]: what is known of the work tree, and where the next look goes.
//!
//! Lives elsewhere: reading is `look`'s; how long a half-made state is waited out, `settle`'s.
//! Invariant: what is known saves work and decides nothing: lost, it is read anew.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Bound,
    path::Path,
    time::{Duration, Instant, SystemTime},
};

use platinum_core::VaultPath;
use platinum_repo::{Oid, RefName, Repo};
use platinum_vault::{Leftover, PathEntry, Vault};
use platinum_watch::{Changes, DirtyPaths};

use super::{
    super::{SyncError, gate::Gate},
    guard::Guard,
    look::{Edits, Found, Look, Missing},
    seen::Seen,
    settle::{SECOND_LOOK, Settling},
};

/// The file with what was seen, beside the objects.
const SEEN: &str = "platinum-seen";
/// More paths than this are looked at folder by folder.
const MOST_PATHS: usize = 4096;
/// So much of the vault is looked at for no reason, and how often.
const TRICKLE: (usize, Duration) = (100, Duration::from_secs(60));
/// The wall clock went so much further than the other one: the machine slept.
const ASLEEP: Duration = Duration::from_secs(60);

/// What is known of the work tree. Lost, it is read anew.
#[derive(Debug)]
pub(in crate::sync) struct WorkTree {
    seen: Seen,
    settling: Settling,
    guard: Guard,
    /// Who says which paths changed.
    dirty: Option<DirtyPaths>,
    /// Paths that differed from the base at the last look, or were not settled.
    pending: BTreeSet<VaultPath>,
    /// The base of the last look.
    base: Option<Oid>,
    /// The next look goes everywhere.
    lost: bool,
    /// The folders there are, as far as is known.
    folders: BTreeSet<String>,
    /// Where the look for no reason has come to, and when it went on last.
    trickle: (String, Instant),
    /// Both clocks at the last look.
    clocks: (SystemTime, Instant),
}

/// What a look reads from, and what stands between.
type Sources<'a> = (&'a Vault, &'a Repo, &'a Gate);

/// Where to look.
enum Scope {
    Everywhere,
    /// Paths, and whether all below them is meant.
    At(BTreeMap<String, bool>),
}

impl WorkTree {
    /// Nothing is known but what an earlier daemon noted down.
    pub(in crate::sync) fn new(git_dir: &Path) -> Self {
        Self {
            seen: Seen::of(&git_dir.join(SEEN)),
            settling: Settling::default(),
            guard: Guard::of(git_dir),
            dirty: None,
            pending: BTreeSet::new(),
            base: None,
            lost: true,
            folders: BTreeSet::new(),
            trickle: (String::new(), Instant::now()),
            clocks: (SystemTime::now(), Instant::now()),
        }
    }

    /// From now on this says which paths changed.
    pub(in crate::sync) fn watched_by(&mut self, dirty: DirtyPaths) {
        self.dirty = Some(dirty);
        self.lost = true;
    }

    /// A sync begins: without a watcher, the next look goes everywhere.
    pub(in crate::sync) fn begin(&mut self) {
        self.lost |= self.dirty.is_none();
    }

    /// These paths are about to be changed: the next look goes there, whatever happens.
    pub(in crate::sync) fn touch<'a>(&mut self, paths: impl Iterator<Item = &'a VaultPath>) {
        self.pending.extend(paths.cloned());
    }

    /// What differs from the base, looking also at these paths.
    pub(in crate::sync) fn edits(
        &mut self,
        (vault, repo, gate): Sources<'_>,
        base: Option<Oid>,
        more: &mut dyn Iterator<Item = &VaultPath>,
    ) -> Result<(Edits, Vec<Leftover>), SyncError> {
        let scope = self.scope(repo, base, more);
        // Till it has come to its end: the paths that the watcher named are taken, and named once.
        self.lost = true;
        let mut scope = scope?;
        let mut refusal = None;
        let mut found = self.look((vault, repo, gate), base, &scope)?;
        if self.dirty.is_none() && self.settling.is_short() {
            wait_for_writers();
            found = self.look((vault, repo, gate), base, &scope)?;
        }
        if let Scope::At(_) = scope
            && self.guard.suspects((vault, repo), base, &found)?
        {
            scope = Scope::Everywhere;
            found = self.look((vault, repo, gate), base, &scope)?;
        }
        if let Scope::Everywhere = scope {
            match self.guard.verdict((vault, repo), base, &found)? {
                None => self.guard.believed(vault, &found)?,
                Some(gone) if !found.any_file => return Err(gone.into()),
                Some(other) => refusal = Some(other),
            }
        }
        let held = self.decide_missing(vault, &mut found);
        // A step of a save is no loss: only what would be told counts.
        if let Some(refusal) = refusal
            && found.edits.files.values().any(Option::is_none)
        {
            return Err(refusal.into());
        }
        // A file can have been met twice: in the list of its folder, and by its name.
        found
            .edits
            .unread
            .sort_by(|a, b| (&a.path, &a.reason).cmp(&(&b.path, &b.reason)));
        found
            .edits
            .unread
            .dedup_by(|a, b| (&a.path, &a.reason) == (&b.path, &b.reason));
        self.pending = found.again;
        self.pending.extend(held);
        self.pending.extend(found.edits.files.keys().cloned());
        if let Scope::Everywhere = scope {
            self.folders = found.folders.into_iter().collect();
            self.trickle = (String::new(), Instant::now());
        } else {
            self.folders.extend(found.folders);
        }
        self.base = base;
        self.lost = false;
        self.seen.save();
        if let Some(dirty) = &self.dirty {
            for (path, wait) in self.settling.take_later() {
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
    ) -> Result<Scope, SyncError> {
        let changes = self.dirty.as_ref().map(DirtyPaths::take);
        self.settling.arrived(match &changes {
            Some(Changes::Paths(touched)) => touched
                .iter()
                .filter(|touched| touched.arrived)
                .map(|touched| touched.path.clone())
                .collect(),
            _ => BTreeSet::new(),
        });
        if self.slept() || self.lost || matches!(changes, Some(Changes::Everything)) {
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
        for folder in self.trickled() {
            paths.entry(folder).or_default();
        }
        match paths.len() > MOST_PATHS {
            true => Ok(Scope::Everywhere),
            false => Ok(Scope::At(paths)),
        }
    }

    fn look(
        &mut self,
        (vault, repo, gate): Sources<'_>,
        base: Option<Oid>,
        scope: &Scope,
    ) -> Result<Found, SyncError> {
        self.settling.begin(self.dirty.is_some());
        self.seen.load_once();
        let verified = repo.tip(RefName::Verified)?;
        let mut look = Look {
            vault,
            repo,
            gate,
            given: gate.given(repo, verified, base),
            base,
            seen: &mut self.seen,
            settling: &mut self.settling,
            known: &self.folders,
            found: Found::default(),
            stored: 0,
            batch: repo.batch(),
        };
        match scope {
            Scope::Everywhere => {
                look.seen.begin_full_look();
                look.everywhere()?;
                look.seen.end_full_look();
            }
            Scope::At(paths) => look.at(paths)?,
        }
        look.finish()
    }

    /// Makes deletions of the files that are gone for good; answers the others.
    fn decide_missing(&mut self, vault: &Vault, found: &mut Found) -> Vec<VaultPath> {
        let files = &mut found.edits.files;
        let blobs: BTreeSet<Oid> = files.values().flatten().copied().collect();
        let names: BTreeSet<String> = files
            .iter()
            .filter(|(_, blob)| blob.is_some())
            .map(|(path, _)| path.file_name().to_owned())
            .collect();
        // A file that is elsewhere now was moved: the two halves go together.
        let is_moved = |path: &VaultPath, missing: &Missing| {
            missing.replaced || blobs.contains(&missing.blob) || names.contains(path.file_name())
        };
        let (moved, waiting): (BTreeMap<_, _>, BTreeMap<_, _>) = std::mem::take(&mut found.missing)
            .into_iter()
            .partition(|(path, missing)| is_moved(path, missing));
        files.extend(moved.into_keys().map(|path| (path, None)));
        let gone: BTreeSet<VaultPath> = match self.dirty {
            Some(_) => {
                let gone = self.settling.are_gone(waiting.keys());
                gone.into_iter().cloned().collect()
            }
            None => still_gone(vault, waiting.keys()),
        };
        let (gone, held): (Vec<_>, Vec<_>) =
            waiting.into_keys().partition(|path| gone.contains(path));
        files.extend(gone.into_iter().map(|path| (path, None)));
        held
    }

    /// Some folders, in turn, once a while.
    fn trickled(&mut self) -> Vec<String> {
        let (part, every) = TRICKLE;
        let (after, at) = &mut self.trickle;
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

    /// Whether the machine slept, or its clock was set: then nobody knows what was missed.
    fn slept(&mut self) -> bool {
        let now = (SystemTime::now(), Instant::now());
        let (wall, steady) = std::mem::replace(&mut self.clocks, now);
        let steady = now.1.duration_since(steady);
        now.0
            .duration_since(wall)
            .is_ok_and(|wall| wall.saturating_sub(steady) > ASLEEP)
    }
}

/// Those that are not there at the second look either.
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
    reason = "a save of two steps is waited out; nothing tells its end where nobody watches"
)]
fn wait_for_writers() {
    std::thread::sleep(SECOND_LOOK);
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
