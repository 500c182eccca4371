//! [`DraftHistory`]: which drafts were ever made, as the history has them, also if their files are
//! gone.
//!
//! A claim has one draft. Whoever looks only at the files that are there would take a draft that its
//! owner deleted for one that was never made.
//! Lives elsewhere: what a deletion means is the daemons' to say.
//! Invariants: each commit is read once; only the newest [`MAX_COMMITS`] of a history that is new to
//! this process are. A draft that was never committed is not known here.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet, VecDeque, btree_map::Entry},
    sync::{Mutex, PoisonError},
};

use platinum_core::{DraftId, TaskId, layout, sha256_hex};
use platinum_repo::{Oid, RefName, Repo, RepoError};
use platinum_vault::note::DraftNote;

/// How much history is read at first: some months of a busy vault.
const MAX_COMMITS: usize = 20_000;
/// Largest draft that is read, in bytes.
const MAX_DRAFT_BYTES: usize = 1 << 20;

/// A draft that was made under a claim, wherever its file is now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastDraft {
    /// Which.
    pub id: DraftId,
    /// The task it was for.
    pub task: TaskId,
    /// The epoch of the claim under which it was made.
    pub epoch: u64,
    /// What it would have done, in its own words.
    pub summary: String,
    /// SHA-256, in hex, of its file as it was made; none if the history has other versions of it, too.
    pub as_made: Option<String>,
    /// Whether the verified tip has no text of it under its name any more: its file was deleted,
    /// emptied or moved, and the sync took that over.
    pub is_gone: bool,
}

#[derive(Debug, Default)]
pub(crate) struct DraftHistory(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    commits: HashSet<Oid>,
    /// Folders and files that were read.
    read: HashSet<Oid>,
    drafts: BTreeMap<(TaskId, u64), Made>,
}

#[derive(Debug)]
struct Made {
    id: DraftId,
    summary: String,
    /// The version that was read first.
    blob: Oid,
    has_versions: bool,
}

impl DraftHistory {
    /// The drafts that were made for these tasks, under whatever claim, but for some. Blocks on the
    /// disk.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub(crate) fn of_tasks(
        &self,
        repo: &Repo,
        tasks: &[TaskId],
        except: &BTreeSet<DraftId>,
    ) -> Result<Vec<PastDraft>, RepoError> {
        let Some(tip) = repo.tip(RefName::Verified)? else {
            return Ok(Vec::new());
        };
        // What was read stays true, also after a panic in the middle.
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.read_on(repo, tip)?;
        let mut found = Vec::new();
        for task in tasks {
            let of_task = known.drafts.range((*task, 0)..=(*task, u64::MAX));
            for ((task, epoch), made) in of_task.filter(|(_, made)| !except.contains(&made.id)) {
                let as_made = match made.has_versions {
                    true => None,
                    false => Some(sha256_hex(repo.read_blob(made.blob, MAX_DRAFT_BYTES)?)),
                };
                found.push(PastDraft {
                    id: made.id,
                    task: *task,
                    epoch: *epoch,
                    summary: made.summary.clone(),
                    as_made,
                    is_gone: match repo.blob_at(tip, &layout::pending(made.id))? {
                        Some(blob) => is_blank(repo, blob)?,
                        None => true,
                    },
                });
            }
        }
        Ok(found)
    }
}

impl Known {
    /// Reads the commits that are new, the newest first.
    fn read_on(&mut self, repo: &Repo, tip: Oid) -> Result<(), RepoError> {
        let mut next = VecDeque::from([tip]);
        let mut left = MAX_COMMITS;
        while let Some(commit) = next.pop_front() {
            if self.commits.contains(&commit) || left == 0 {
                continue;
            }
            left -= 1;
            if let Some(folder) = repo.folder_at(commit, layout::PENDING_APPROVAL)?
                && !self.read.contains(&folder)
            {
                for (name, blob) in repo.folder(folder)?.files {
                    self.read_draft(repo, &name, blob)?;
                }
                self.read.insert(folder);
            }
            next.extend(repo.commit_info(commit)?.parents);
            self.commits.insert(commit);
        }
        Ok(())
    }

    fn read_draft(&mut self, repo: &Repo, name: &str, blob: Oid) -> Result<(), RepoError> {
        let id = name.strip_suffix(".md").and_then(|stem| stem.parse().ok());
        let Some(id) = id.filter(|_| !self.read.contains(&blob)) else {
            return Ok(());
        };
        if repo.blob_len(blob)? <= MAX_DRAFT_BYTES {
            let bytes = repo.read_blob(blob, MAX_DRAFT_BYTES)?;
            let draft = DraftNote::parse(&String::from_utf8_lossy(&bytes)).ok();
            if let Some(draft) = draft.filter(|draft| draft.id == id)
                && let Some(epoch) = draft.epoch.filter(|epoch| *epoch > 0)
            {
                match self.drafts.entry((draft.task, epoch)) {
                    Entry::Occupied(mut known) => known.get_mut().has_versions = true,
                    Entry::Vacant(new) => drop(new.insert(Made {
                        id,
                        summary: draft.summary,
                        blob,
                        has_versions: false,
                    })),
                }
            }
        }
        self.read.insert(blob);
        Ok(())
    }
}

fn is_blank(repo: &Repo, blob: Oid) -> Result<bool, RepoError> {
    if repo.blob_len(blob)? > MAX_DRAFT_BYTES {
        return Ok(false);
    }
    let bytes = repo.read_blob(blob, MAX_DRAFT_BYTES)?;
    Ok(bytes.trim_ascii().is_empty())
}
