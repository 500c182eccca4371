//! [`Side`]: everything on this machine that a sync reads and writes, without the remote.
//!
//! Invariant: every call blocks; the driver runs them on threads for it, one at a time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use platinum_core::{AgentName, Role, TaskId, Timestamp, VaultPath};
use platinum_policy::{Change, check};
use platinum_protocol::merge;
use platinum_repo::{CommitMeta, Edit, Oid, RefName, Repo, RepoError};
use platinum_secrets::Scanner;
use platinum_vault::{Vault, VaultError};

use crate::identity::Identity;

use super::{
    HeldBack, SyncError,
    apply::Arrival,
    gate::Gate,
    incoming::claims,
    owning::{Decided, HELD},
    stamps::{Clock, TRAILER_CLOCK},
    worktree::WorkTree,
};

/// This machine's half of a sync.
pub(super) struct Side {
    pub(super) vault: Vault,
    pub(super) repo: Repo,
    pub(super) agent: AgentName,
    pub(super) role: Role,
    pub(super) identity: Identity,
    pub(super) gate: Gate,
    pub(super) clock: Clock,
    pub(super) decided: Decided,
    pub(super) tree: Mutex<WorkTree>,
    /// Held while files of the work tree are moved, or looked at to decide what becomes of them:
    /// also by what needs no remote, and so does not wait for the turn.
    hands: Mutex<()>,
    memory: Mutex<Memory>,
}

/// What saves work; rebuilt from the disk when it is lost.
#[derive(Default)]
struct Memory {
    /// Whether locks left behind were looked for.
    tidy: bool,
    /// What the log was told of files that are held back, and is still so.
    held: BTreeSet<String>,
    /// What the owner was told since all was well.
    told_owner: BTreeSet<String>,
    /// Commits of which the remote said nothing but that it did not take them.
    refused: BTreeSet<Oid>,
    /// Commits of which it is not known what became of some push.
    doubted: BTreeSet<Oid>,
}

/// A git that works in the repository.
#[must_use]
pub(super) struct GitRuns {
    was_tidy: bool,
}

/// What a round is about to do.
#[derive(Default)]
pub(super) struct Prepared {
    /// Our edits as a commit on the tip, if there are any.
    pub(super) commit: Option<Oid>,
    /// How many files it changes.
    pub(super) edits: u32,
    /// Where the work tree changes.
    pub(super) arrivals: Vec<Arrival>,
    /// Our versions that go beside theirs: the copy's path and blob.
    pub(super) copies: Vec<(VaultPath, Oid)>,
    /// What stays here.
    pub(super) held_back: Vec<HeldBack>,
    /// Tasks whose files were moved into this agent's folder by hand: each asks for a claim.
    pub(super) asked: Vec<TaskId>,
}

impl Side {
    pub(super) fn new(
        vault: Vault,
        repo: Repo,
        agent: AgentName,
        role: Role,
        identity: Identity,
        scanner: Arc<Scanner>,
    ) -> Result<Self, SyncError> {
        let decided = Decided::open(repo.git_dir())?;
        let tree = WorkTree::new(repo.git_dir());
        Ok(Self {
            vault,
            repo,
            agent,
            role,
            identity,
            gate: Gate::new(scanner),
            clock: Clock::default(),
            decided,
            tree: Mutex::new(tree),
            hands: Mutex::default(),
            memory: Mutex::default(),
        })
    }

    /// Keeps everybody else's hands off the work tree. Never held over a call to the remote.
    pub(super) fn hands(&self) -> MutexGuard<'_, ()> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a commit made here is the remote's tip.
    pub(super) fn landed(&self, commit: Oid) -> Result<(), SyncError> {
        self.repo.set_ref(RefName::Verified, commit)?;
        fail::fail_point!("sync-landed-verified");
        self.settle_outbox(Some(commit))?;
        fail::fail_point!("sync-landed-settled");
        Ok(())
    }

    /// Forgets the commits made here that are no question any more, now that the remote's tip is
    /// known: one that is built on another tip landed already or never will; one that the remote
    /// refused, and that is not there now, is not on its way.
    pub(super) fn settle_outbox(&self, tip: Option<Oid>) -> Result<(), SyncError> {
        for commit in self.repo.outgoing()? {
            let parents = self.repo.commit_info(commit)?.parents;
            let fits = match tip {
                Some(tip) => parents.contains(&tip),
                None => parents.is_empty(),
            };
            if fits && !self.memory().refused.contains(&commit) {
                continue;
            }
            match tip {
                Some(tip) if self.repo.is_ancestor(commit, tip)? => {
                    self.repo.record_landed(commit)?;
                }
                _ => self.repo.remove_outgoing(commit)?,
            }
            let mut memory = self.memory();
            memory.refused.remove(&commit);
            memory.doubted.remove(&commit);
        }
        Ok(())
    }

    /// Notes that a push of a commit was refused. It stays a question till the next fetch: git's
    /// client may have been refused for what it sent itself a moment before.
    pub(super) fn refused(&self, commit: Oid) {
        let mut memory = self.memory();
        if !memory.doubted.contains(&commit) {
            memory.refused.insert(commit);
        }
    }

    /// Notes that nobody knows what became of a push of a commit. It may land as long as the tip
    /// is the one that it was built on, whatever is said of later pushes.
    pub(super) fn doubted(&self, commit: Oid) {
        let mut memory = self.memory();
        memory.refused.remove(&commit);
        memory.doubted.insert(commit);
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn meta(&self, message: String, trailers: Vec<(String, String)>) -> CommitMeta {
        CommitMeta {
            agent: self.agent.clone(),
            role: self.role,
            message,
            trailers: trailers
                .into_iter()
                .chain([(TRAILER_CLOCK.to_owned(), self.clock.tick().to_string())])
                .collect(),
            at: Timestamp::now(),
        }
    }

    /// Merges the work tree with `tip` and makes a commit of what only we have.
    pub(super) fn prepare(&self, tip: Option<Oid>) -> Result<Prepared, SyncError> {
        let _hands = self.hands();
        self.catch_up()?;
        let applied = self.repo.tip(RefName::Applied)?;
        let theirs: BTreeMap<VaultPath, Option<Oid>> = match tip {
            Some(tip) => self
                .repo
                .changes(applied, tip)?
                .into_iter()
                .map(|c| (c.path, c.blob))
                .collect(),
            None => BTreeMap::new(),
        };
        let ours = self.edits(applied, &mut theirs.keys())?;
        let paths: BTreeSet<&VaultPath> = theirs.keys().chain(ours.files.keys()).collect();
        let base = match applied {
            Some(applied) => self.repo.blobs_at(applied, paths.iter().copied())?,
            None => BTreeMap::new(),
        };
        let our = |path: &VaultPath| {
            ours.files
                .get(path)
                .copied()
                .unwrap_or_else(|| base.get(path).copied())
        };
        let their = |path: &VaultPath| {
            theirs
                .get(path)
                .copied()
                .unwrap_or_else(|| base.get(path).copied())
        };
        let tree = |side: &dyn Fn(&VaultPath) -> Option<Oid>| -> merge::Tree {
            paths
                .iter()
                .filter_map(|path| Some(((*path).clone(), side(path)?.to_string())))
                .collect()
        };
        let unheard = self.pushed_unheard((applied, tip), &ours.files, &theirs, &base)?;
        let made_from = |path: &VaultPath| {
            let pushed = unheard.get(path).copied();
            pushed.unwrap_or_else(|| base.get(path).copied())
        };
        let plan = merge::plan(&merge::Sides {
            base: &tree(&made_from),
            ours: &tree(&our),
            theirs: &tree(&their),
            our_version: &|path| self.our_version(path),
            their_version: &|path| self.their_version(applied, tip, path),
            may_overwrite: &|path| {
                let change = [(path.clone(), Change::Modify)];
                check(self.role, &self.agent, &change).is_ok()
            },
            unchanged: &|path| {
                let there = self.repo.blob_at(applied?, path).ok()?;
                there.map(|blob| blob.to_string())
            },
        });

        let mut prepared = Prepared {
            held_back: ours.unread,
            ..Prepared::default()
        };
        let mut edits = Vec::new();
        for (path, blob) in &plan.keep_ours {
            let (edit, change) = match (blob, their(path)) {
                (Some(blob), before) => {
                    if self.is_unconfirmed(path, Repo::oid(blob)?) {
                        // What comes of it is found by the next look.
                        if let Err(error) = self.settle_draft(path) {
                            tracing::warn!("A draft cannot be settled: {error}.");
                        }
                        prepared.held_back.push(HeldBack {
                            path: path.clone(),
                            reason: HELD.to_owned(),
                        });
                        continue;
                    }
                    let change = if before.is_some() {
                        Change::Modify
                    } else {
                        Change::Create
                    };
                    (Edit::PutBlob(Repo::oid(blob)?), change)
                }
                (None, _) => (Edit::Delete, Change::Delete),
            };
            edits.push((path.clone(), edit, change));
        }
        for conflict in &plan.conflicts {
            let aside = Repo::oid(conflict.set_aside())?;
            if their(&conflict.copy) != Some(aside) {
                edits.push((conflict.copy.clone(), Edit::PutBlob(aside), Change::Create));
            }
            prepared.copies.push((conflict.copy.clone(), aside));
            let ours = Repo::oid(&conflict.ours)?;
            match conflict.keeper {
                merge::Keeper::Ours => {
                    edits.push((conflict.path.clone(), Edit::PutBlob(ours), Change::Modify));
                }
                merge::Keeper::Theirs => prepared.arrivals.push(Arrival {
                    path: conflict.path.clone(),
                    expected: Some(ours),
                    new: Some(Repo::oid(&conflict.theirs)?),
                }),
            }
        }
        for (path, blob) in &plan.take_theirs {
            prepared.arrivals.push(Arrival {
                path: path.clone(),
                expected: our(path),
                new: blob.as_deref().map(Repo::oid).transpose()?,
            });
        }
        self.one_place_each(tip, &mut edits, &mut prepared)?;
        self.commit_edits(tip, edits, &mut prepared)?;
        Ok(prepared)
    }

    /// Commits the edits that this agent may make; the others are held back.
    fn commit_edits(
        &self,
        tip: Option<Oid>,
        mut edits: Vec<(VaultPath, Edit, Change)>,
        prepared: &mut Prepared,
    ) -> Result<(), SyncError> {
        loop {
            // Holding one back can make another one wrong: a claim is two edits.
            let changes: Vec<_> = edits.iter().map(|(p, _, c)| (p.clone(), *c)).collect();
            if let Err(violations) = check(self.role, &self.agent, &changes) {
                for violation in violations {
                    let reason = violation.to_string();
                    edits.retain(|(path, ..)| *path != violation.path);
                    prepared.held_back.push(HeldBack {
                        path: violation.path,
                        reason,
                    });
                }
                continue;
            }
            if edits.is_empty() {
                return Ok(());
            }
            let count = u32::try_from(edits.len()).unwrap_or(u32::MAX);
            let message = match edits.as_slice() {
                [(path, ..)] => format!("Sync {path}"),
                several => format!("Sync {} files", several.len()),
            };
            let list: Vec<_> = edits
                .iter()
                .map(|(p, e, _)| (p.clone(), e.clone()))
                .collect();
            let commit = self
                .repo
                .commit(tip, &list, &self.meta(message, Vec::new()))?;
            if self.hold_secrets(tip, commit, &mut edits, prepared)? {
                continue;
            }
            if self.hold_claims(tip, commit, &mut edits, prepared)? {
                continue;
            }
            // What the other side would refuse is not sent: names that differ only in case, say.
            match self.repo.changes(tip, commit) {
                Ok(_) => {
                    fail::fail_point!("sync-committed");
                    self.repo.record_outgoing(commit)?;
                    fail::fail_point!("sync-outgoing-noted");
                    prepared.commit = Some(commit);
                    prepared.edits = count;
                    return Ok(());
                }
                Err(RepoError::Foreign { path: at, what }) => {
                    let before = edits.len();
                    edits.retain(|(path, ..)| {
                        let keep = !is_at(path, &at);
                        if !keep {
                            let reason = format!("`{at}` {what}");
                            prepared.held_back.push(HeldBack {
                                path: path.clone(),
                                reason,
                            });
                        }
                        keep
                    });
                    if edits.len() == before {
                        return Err(RepoError::Foreign { path: at, what }.into());
                    }
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Takes out the edits of claims that only local may make; whether there were some.
    fn hold_claims(
        &self,
        tip: Option<Oid>,
        commit: Oid,
        edits: &mut Vec<(VaultPath, Edit, Change)>,
        prepared: &mut Prepared,
    ) -> Result<bool, SyncError> {
        if self.role == Role::Local {
            return Ok(false);
        }
        let changed = self.repo.compare(tip, commit, usize::MAX)?.changed;
        let faults = claims::faults(&self.repo, &self.agent, &changed, &|path| {
            let at = tip.map(|tip| self.repo.blob_at(tip, path));
            Ok(at.transpose()?.flatten())
        })?;
        let before = edits.len();
        for (path, reason) in faults {
            edits.retain(|(edit, ..)| *edit != path);
            prepared.held_back.push(HeldBack { path, reason });
        }
        Ok(edits.len() < before)
    }

    /// Takes out the edits that would give away a secret; whether there were some.
    fn hold_secrets(
        &self,
        tip: Option<Oid>,
        commit: Oid,
        edits: &mut Vec<(VaultPath, Edit, Change)>,
        prepared: &mut Prepared,
    ) -> Result<bool, SyncError> {
        let held = self.gate.push(&self.repo, tip, commit)?;
        let before = edits.len();
        for held in &held {
            edits.retain(|(path, ..)| {
                let keep = path.as_str() != held.raw;
                if !keep {
                    prepared.held_back.push(HeldBack {
                        path: path.clone(),
                        reason: held.reason.clone(),
                    });
                }
                keep
            });
        }
        if !held.is_empty() && edits.len() == before {
            self.passes(tip, commit)?;
        }
        Ok(edits.len() < before)
    }

    /// Notes that the work tree now holds a commit, apart from its own edits.
    pub(super) fn applied(&self, tip: Oid) -> Result<(), SyncError> {
        self.repo.set_ref(RefName::Applied, tip)?;
        // What landed is in the base now: all of it, if that is the tip.
        let is_all = self.repo.tip(RefName::Verified)? == Some(tip);
        for commit in self.repo.unacknowledged()? {
            if is_all || self.repo.is_ancestor(commit, tip)? {
                self.repo.forget_unacknowledged(commit)?;
            }
        }
        Ok(())
    }

    /// As [`Side::applied`], but these paths stay as they were before: the work tree could not
    /// take the tip's version, which is no edit of the owner's, and is tried again next time.
    pub(super) fn applied_except(
        &self,
        tip: Oid,
        failed: &[(VaultPath, VaultError)],
    ) -> Result<(), SyncError> {
        if failed.is_empty() {
            return self.applied(tip);
        }
        let before = self.repo.tip(RefName::Applied)?;
        let mut edits = Vec::new();
        for (path, _) in failed {
            let old = match before {
                Some(before) => self.repo.blob_at(before, path)?,
                None => None,
            };
            match old {
                Some(blob) => edits.push((path.clone(), Edit::PutBlob(blob))),
                None if self.repo.blob_at(tip, path)?.is_some() => {
                    edits.push((path.clone(), Edit::Delete));
                }
                None => {}
            }
        }
        let meta = self.meta("Applied in part".to_owned(), Vec::new());
        self.applied(self.repo.commit(Some(tip), &edits, &meta)?)
    }

    /// Takes away the locks that killed programs left in the repository: those of an earlier daemon,
    /// and those of a git of ours that was ended. In our turn alone: no git of ours runs then.
    pub(super) fn tidy(&self) -> Result<(), SyncError> {
        let mut memory = self.memory();
        if memory.tidy {
            return Ok(());
        }
        match self.repo.remove_stale_locks()? {
            Some(taken) => {
                memory.tidy = true;
                for lock in taken {
                    tracing::warn!(
                        "A program that was killed left {}; it is taken away.",
                        lock.display()
                    );
                }
            }
            None => tracing::info!("A git of an earlier daemon still runs; it is let finish."),
        }
        Ok(())
    }

    /// Notes that a git is about to work in the repository. Unless [`Side::git_ended`] is told that
    /// it came to its end, it may have been killed and have left locks.
    pub(super) fn git_begins(&self) -> GitRuns {
        GitRuns {
            was_tidy: std::mem::take(&mut self.memory().tidy),
        }
    }

    /// That git came to its end by itself.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a git ends once: what says that it runs goes with it"
    )]
    pub(super) fn git_ended(&self, ran: GitRuns) {
        self.memory().tidy |= ran.was_tidy;
    }

    /// What of this is news in this life of the daemon, of what is held back at a sync; what is no
    /// more is forgotten.
    pub(super) fn news_of_held(&self, held: BTreeSet<String>) -> BTreeSet<String> {
        let mut memory = self.memory();
        let news = held.difference(&memory.held).cloned().collect();
        memory.held = held;
        news
    }

    /// Whether the owner was not told this since all was well last.
    pub(super) fn is_news_to_owner(&self, trouble: &str) -> bool {
        self.memory().told_owner.insert(trouble.to_owned())
    }

    /// A sync went through: trouble that comes after it is new.
    pub(super) fn all_is_well(&self) {
        self.memory().told_owner.clear();
    }
}

/// Whether a path is the one that a fault names, or below it. A long one is not named to its end.
fn is_at(path: &VaultPath, at: &str) -> bool {
    const NAMED: usize = 300;
    let path = path.as_str().escape_debug().to_string();
    let is_folder = at.ends_with('/') || at.chars().count() >= NAMED;
    path.strip_prefix(at)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || is_folder)
}
