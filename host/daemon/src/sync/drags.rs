//! Files of tasks that people move by hand: a drag into this agent's folder asks for a claim, and
//! no move ever puts a task into two places.
//!
//! Lives elsewhere: the claim itself goes the way of every claim, in [`super::claiming`].
//! Invariants: a task's file is given to the remote only if the tip has the task nowhere else, or
//! the same commit takes it away from there; the content of a file that was dragged in vain is at
//! the owner's, in history, or set aside, and the owner of the vault reads of it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, Role, TaskId, VaultPath, Zone, layout};
use platinum_policy::Change;
use platinum_protocol::{Claimed, TaskPlace};
use platinum_repo::{Edit, Oid, RefName};

use super::{
    HeldBack, SyncError, SyncReport, Synchronizer, places,
    side::{Prepared, Side},
};

/// One edit that a sync would commit.
type Planned = (VaultPath, Edit, Change);

/// The task whose own file is at a path.
fn task_at(path: &VaultPath) -> Option<TaskId> {
    let depth = path.components().count();
    let is_place = match path.top() {
        layout::NEEDS_ACTION | layout::IN_PROGRESS => depth == 3,
        layout::DONE => depth == 4,
        _ => false,
    };
    (is_place && path.extension() == Some("md"))
        .then(|| path.stem().parse().ok())
        .flatten()
}

impl Side {
    /// Takes out of the edits what would put a task into a second place; what asks for a claim is
    /// noted in `prepared.asked`.
    pub(super) fn one_place_each(
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
                if *path == own {
                    prepared.asked.push(*task);
                }
            } else if let Some(other) = first.get(task) {
                refused.insert(path.clone(), format!("the task is in {other}"));
            } else if *path == own
                && self.decided.get(*task).is_none()
                && let Some(from) = there.keys().find(|at| at.top() == layout::NEEDS_ACTION)
            {
                // A claim in all but its record.
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

    /// Every folder of a tree that can hold a task's file.
    fn task_folders(&self, tip: Oid) -> Result<Vec<String>, SyncError> {
        let mut folders: Vec<String> = Zone::ALL
            .map(|zone| format!("{}/{zone}", layout::NEEDS_ACTION))
            .to_vec();
        let below = |folder: &str| -> Result<Vec<String>, SyncError> {
            let items = self.repo.items(tip, folder)?.into_iter();
            let names = items.filter(|item| item.folder).map(|item| item.name);
            Ok(names.map(|name| format!("{folder}/{name}")).collect())
        };
        folders.extend(below(layout::IN_PROGRESS)?);
        for year in below(layout::DONE)? {
            folders.extend(below(&year)?);
        }
        Ok(folders)
    }

    /// What became of a task whose file was dragged here: whose it is, if it cannot be claimed.
    fn drag_is_lost(&self, task: TaskId) -> Result<Option<Option<AgentName>>, SyncError> {
        let tip = self.repo.tip(RefName::Verified)?;
        Ok(match self.place_at(tip, task)? {
            TaskPlace::Owned(record) if record.agent != self.agent => Some(Some(record.agent)),
            TaskPlace::Finished => Some(None),
            _ => None,
        })
    }

    /// The file of a drag in vain goes: aside if it has anything that the remote has not.
    fn drag_back(&self, task: TaskId, owner: Option<&AgentName>) -> Result<(), SyncError> {
        let path = layout::in_progress(&self.agent, task);
        let who = match owner {
            Some(owner) => format!("{owner} has the task {task} already"),
            None => format!("the task {task} is finished"),
        };
        if let Some(kept) = self.set_by(task, &path)? {
            fail::fail_point!("drag-set-by");
            self.tell(
                Some(task),
                format!("{path} could not stay there: {who}. What was in it is kept as {kept}"),
            );
        }
        Ok(())
    }
}

impl Synchronizer {
    /// Claims what was dragged into this agent's folder; sets aside what is somebody else's.
    pub(super) async fn answer_drags(
        &self,
        tasks: Vec<TaskId>,
        report: &mut SyncReport,
    ) -> Result<(), SyncError> {
        for task in tasks {
            let lost = self.blocking(move |side| side.drag_is_lost(task)).await?;
            let owner = match lost {
                Some(owner) => owner,
                None => match self.claim_dragged(task).await? {
                    Claimed::Won { .. } => {
                        report.pushed = report.pushed.saturating_add(1);
                        continue;
                    }
                    Claimed::Lost { owner } => owner,
                    // It stays where it is, and asks again with the next sync.
                    Claimed::Tentative | Claimed::GaveUp => continue,
                },
            };
            report.conflicts = report.conflicts.saturating_add(1);
            self.blocking(move |side| side.drag_back(task, owner.as_ref()))
                .await?;
        }
        Ok(())
    }

    /// As [`Synchronizer::claim`], of a task whose file is in this agent's folder already.
    async fn claim_dragged(&self, task: TaskId) -> Result<Claimed, SyncError> {
        let denied = self
            .blocking(move |side| {
                let Some(tip) = side.repo.tip(RefName::Verified)? else {
                    return Ok(false);
                };
                let zone = places::find(&side.repo, tip, task)?.zone;
                Ok(side.role == Role::Cloud && zone.is_some_and(Zone::is_local_only))
            })
            .await?;
        if denied {
            return Ok(Claimed::Lost { owner: None });
        }
        self.claim_in_hand(task).await
    }
}
