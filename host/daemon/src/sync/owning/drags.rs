//! Files of tasks that people move by hand: a drag into this agent's folder asks for a claim, and
//! no move ever puts a task into two places.
//!
//! Lives elsewhere: the claim itself goes the way of every claim, in [`super::claiming`].
//! Invariants: a task's file is given to the remote only if the tip has the task nowhere else, or
//! the same commit takes it away from there; the content of a file that was dragged in vain is at
//! the owner's, in history, or set aside, and the owner of the vault reads of it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, Role, TaskId, VaultPath, layout};
use platinum_policy::Change;
use platinum_protocol::{ClaimRecord, Claimed, TaskPlace, reconcile::Intent};
use platinum_repo::{Edit, Oid, RefName};

use super::{
    super::{
        HeldBack, SyncError, SyncReport, Synchronizer,
        side::{Prepared, Side},
    },
    places::{self, task_at},
};

/// What a drag into this agent's folder comes to.
enum Drag {
    /// The task can be claimed.
    Claim,
    /// A person took the file out of this owner's folder.
    TakeOver(ClaimRecord),
    /// It is another's, or finished.
    Lost(Option<AgentName>),
}

/// One edit that a sync would commit.
type Planned = (VaultPath, Edit, Change);

impl Side {
    /// Takes out of the edits what would put a task into a second place; what asks for a claim is
    /// noted in `prepared.asked`.
    pub(in crate::sync) fn one_place_each(
        &self,
        tip: Option<Oid>,
        edits: &mut Vec<Planned>,
        prepared: &mut Prepared,
    ) -> Result<(), SyncError> {
        let Some(tip) = tip else {
            return Ok(());
        };
        let created: BTreeMap<VaultPath, TaskId> = edits
            .iter()
            .filter(|(_, edit, _)| !matches!(edit, Edit::Delete))
            .filter_map(|(path, ..)| Some((path.clone(), task_at(path)?)))
            .collect();
        if created.is_empty() {
            return Ok(());
        }
        let deleted: BTreeSet<VaultPath> = edits
            .iter()
            .filter(|(_, edit, _)| matches!(edit, Edit::Delete))
            .map(|(path, ..)| path.clone())
            .collect();
        let folders = self.task_folders(tip)?;
        let mut refused: BTreeMap<VaultPath, String> = BTreeMap::new();
        let mut first: BTreeMap<TaskId, &VaultPath> = BTreeMap::new();
        for (path, task) in &created {
            let places: Vec<VaultPath> = folders
                .iter()
                .filter_map(|folder| VaultPath::new(format!("{folder}/{task}.md")).ok())
                .collect();
            let there = self.repo.blobs_at(tip, &places)?;
            let elsewhere = there
                .keys()
                .find(|at| *at != path && !deleted.contains(*at));
            let own = layout::in_progress(&self.agent, *task);
            if let Some(at) = elsewhere {
                refused.insert(path.clone(), format!("the task is in {at}"));
                // One that was claimed here, and stopped halfway, asks for nothing.
                if *path == own && self.asks_for_a_claim(*task) {
                    prepared.asked.push(*task);
                }
            } else if let Some(other) = first.get(task) {
                refused.insert(path.clone(), format!("the task is in {other}"));
            } else if *path == own
                && self.asks_for_a_claim(*task)
                && let Some(from) = there
                    .keys()
                    .find(|at| at.top() != layout::DONE && *at != path)
            {
                // A claim in all but its record, or a take-over.
                refused.insert(path.clone(), String::new());
                refused.insert(from.clone(), String::new());
                prepared.asked.push(*task);
            }
            first.entry(*task).or_insert(path);
        }
        edits.retain(|(path, ..)| !refused.contains_key(path));
        let held = refused.into_iter().filter(|(_, why)| !why.is_empty());
        prepared
            .held_back
            .extend(held.map(|(path, reason)| HeldBack { path, reason }));
        Ok(())
    }

    /// Whether a file that was moved into the own folder needs a claim: not if it came there by
    /// one that was decided without the remote. A tentative one moves no file.
    fn asks_for_a_claim(&self, task: TaskId) -> bool {
        match self.decided.get(task) {
            None | Some(Intent::Claim { .. }) => true,
            Some(Intent::Own { .. } | Intent::Finish { .. }) => false,
        }
    }

    /// Every folder of a tree that can hold a task's file.
    fn task_folders(&self, tip: Oid) -> Result<Vec<String>, SyncError> {
        let below = |folder: &str| -> Result<Vec<String>, SyncError> {
            let items = self.repo.items(tip, folder)?.into_iter();
            let names = items.filter(|item| item.folder).map(|item| item.name);
            Ok(names.map(|name| format!("{folder}/{name}")).collect())
        };
        let mut folders = below(layout::NEEDS_ACTION)?;
        folders.extend(below(layout::IN_PROGRESS)?);
        for year in below(layout::DONE)? {
            folders.extend(below(&year)?);
        }
        Ok(folders)
    }

    /// What a file that was dragged here comes to, as the tip has its task.
    fn drag(&self, task: TaskId) -> Result<Drag, SyncError> {
        let tip = self.repo.tip(RefName::Verified)?;
        let Some(found) = tip
            .map(|tip| places::find(&self.repo, tip, task))
            .transpose()?
        else {
            return Ok(Drag::Claim);
        };
        Ok(match found.place {
            TaskPlace::Owned(record) if record.agent != self.agent => {
                // The sync has just brought the owner's file: it was not taken from there.
                let theirs = layout::in_progress(&record.agent, task);
                if self.role == Role::Local && !self.vault.exists(&theirs)? {
                    Drag::TakeOver(record)
                } else {
                    Drag::Lost(Some(record.agent))
                }
            }
            TaskPlace::Finished => Drag::Lost(None),
            // Where nobody but the owner's machine may work.
            _ if self.role == Role::Cloud
                && found.zone.is_some_and(platinum_policy::is_local_only) =>
            {
                Drag::Lost(None)
            }
            _ => Drag::Claim,
        })
    }

    /// The file of a drag in vain goes: aside if it has anything that the remote has not.
    fn drag_back(&self, task: TaskId, owner: Option<&AgentName>) -> Result<(), SyncError> {
        let _hands = self.hands();
        let path = layout::in_progress(&self.agent, task);
        let who = match owner {
            Some(owner) => format!("{owner} has the task {task} already"),
            None => format!("the task {task} is finished, or not for this host"),
        };
        if let Some(kept) = self.set_by(task, &path)? {
            fail::fail_point!("drag-set-by");
            self.tell(
                Some(task),
                &format!("{path} could not stay there: {who}. What was in it is kept as {kept}"),
            );
        }
        Ok(())
    }
}

impl Synchronizer {
    /// Claims what was dragged into this agent's folder; sets aside what is somebody else's.
    pub(in crate::sync) async fn answer_drags(
        &self,
        tasks: Vec<TaskId>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        for task in tasks {
            let owner = match self.answer_drag(task).await {
                Ok(Claimed::Won { .. }) => {
                    report.pushed = report.pushed.saturating_add(1);
                    continue;
                }
                // It stays where it is, and asks again with the next sync.
                Ok(Claimed::Tentative | Claimed::GaveUp) => continue,
                Ok(Claimed::Lost { owner }) => owner,
                Err(SyncError::ZoneDenied(_)) => None,
                // Nothing else has to wait for it.
                Err(error) if error.is_about_one_task() => {
                    report.held_back.push(HeldBack {
                        path: layout::in_progress(&self.side.agent, task),
                        reason: format!("the task cannot be claimed: {error}"),
                    });
                    continue;
                }
                Err(error) => return Err(error),
            };
            report.conflicts = report.conflicts.saturating_add(1);
            self.blocking(move |side| side.drag_back(task, owner.as_ref()))
                .await?;
        }
        Ok(())
    }

    async fn answer_drag(&self, task: TaskId) -> Result<Claimed, SyncError> {
        match self.blocking(move |side| side.drag(task)).await? {
            Drag::Lost(owner) => Ok(Claimed::Lost { owner }),
            Drag::Claim => self.claim_in_hand(task, None).await,
            Drag::TakeOver(record) => self.claim_in_hand(task, Some(record)).await,
        }
    }
}
