//! [`VaultCounts`]: how many tasks and drafts the vault holds, and where.
//!
//! Lives here: the one place that counts. The dashboard and the read model of the owner's commands
//! take their numbers from it, so that they cannot disagree.
//! Invariants: a file is counted by its path alone and is not opened, but for a draft that was renamed,
//! which is one all the same; what else stands where tasks or drafts belong without being named as one
//! is listed, never counted as one.

use std::collections::BTreeMap;

use platinum_core::{DraftId, TaskId, Timestamp, VaultPath, layout};

use crate::{Vault, VaultError, Walk};

/// How many tasks and drafts are where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VaultCounts {
    /// Tasks that no agent owns, by the folder of their zone.
    pub waiting: BTreeMap<String, u64>,
    /// Files in `Needs_Action/` that are not tasks: not taken up yet, or not usable as one.
    pub not_tasks: Vec<VaultPath>,
    /// Tasks that an agent owns, by the agent.
    pub in_progress: BTreeMap<String, u64>,
    /// Drafts that wait for the owner.
    pub pending: u64,
    /// Files in `Pending_Approval/` that are not drafts.
    pub not_drafts: Vec<VaultPath>,
    /// Notes in `Approved/`: they stay there until they are carried out.
    pub approved: u64,
    /// Tasks that were finished in this month.
    pub done_this_month: u64,
}

impl VaultCounts {
    /// Counts. Only the folders that are counted are read: what was finished in earlier months
    /// grows for ever.
    ///
    /// What cannot be read is not counted; who shows the counts names it beside them.
    ///
    /// # Errors
    /// If the month is no path of a vault.
    pub fn read(vault: &Vault, now: Timestamp) -> Result<Self, VaultError> {
        let month = layout::done_month(now);
        let mut counts = Self::default();
        let folders = [
            layout::NEEDS_ACTION,
            layout::IN_PROGRESS,
            layout::PENDING_APPROVAL,
            layout::APPROVED,
            &month,
        ];
        for entry in Walk::read(vault, &folders)?.files {
            counts.add(entry.path);
        }
        let (renamed, others) = counts
            .not_drafts
            .into_iter()
            .partition(|path| vault.renamed_draft(path).is_some());
        counts.pending += Vec::len(&renamed) as u64;
        counts.not_drafts = others;
        Ok(counts)
    }

    /// Tasks that no agent owns, of all zones.
    pub fn waiting_total(&self) -> u64 {
        self.waiting.values().sum()
    }

    /// Tasks that an agent owns, of all agents.
    pub fn in_progress_total(&self) -> u64 {
        self.in_progress.values().sum()
    }

    fn add(&mut self, path: VaultPath) {
        let parts: Vec<&str> = path.components().collect();
        match parts.as_slice() {
            [layout::NEEDS_ACTION, zone, _] if is_task(&path) => {
                *self.waiting.entry((*zone).to_owned()).or_default() += 1;
            }
            [layout::NEEDS_ACTION, ..] => self.not_tasks.push(path),
            [layout::IN_PROGRESS, agent, _] if is_task(&path) => {
                *self.in_progress.entry((*agent).to_owned()).or_default() += 1;
            }
            [layout::PENDING_APPROVAL, _] if is_draft(&path) => self.pending += 1,
            [layout::PENDING_APPROVAL, ..] => self.not_drafts.push(path),
            [layout::APPROVED, _] if is_note(&path) => self.approved += 1,
            // The month's folder also keeps the drafts that were carried out.
            [layout::DONE, _, _, _] if is_task(&path) => self.done_this_month += 1,
            _ => {}
        }
    }
}

/// Whether a path is named as a task's note is.
fn is_task(path: &VaultPath) -> bool {
    is_note(path) && path.stem().parse::<TaskId>().is_ok()
}

/// Whether a path is named as a draft is.
fn is_draft(path: &VaultPath) -> bool {
    is_note(path) && path.stem().parse::<DraftId>().is_ok()
}

fn is_note(path: &VaultPath) -> bool {
    path.extension() == Some("md")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(paths: &[&str]) -> VaultCounts {
        let mut counts = VaultCounts::default();
        for path in paths {
            counts.add(VaultPath::new(*path).unwrap());
        }
        counts
    }

    #[test]
    fn counts_tasks_by_zone_and_agent() {
        let task = TaskId::from_parts(1, 1);
        let counts = counted(&[
            &format!("Needs_Action/email/{task}.md"),
            &format!("Needs_Action/social/{task}.md"),
            &format!("In_Progress/cloud/{task}.md"),
            &format!("Done/2026/11/{task}.md"),
            &format!("Done/2026/11/{}.md", DraftId::from_parts(1, 1)),
        ]);
        assert_eq!((counts.waiting["email"], counts.waiting_total()), (1, 2));
        assert_eq!(counts.in_progress["cloud"], 1);
        assert_eq!((counts.in_progress_total(), counts.done_this_month), (1, 1));
        assert!(counts.not_tasks.is_empty());
    }

    /// A conflict copy, a dropped file and a task outside of a zone's folder are no tasks.
    #[test]
    fn files_without_an_id_are_listed_not_counted() {
        let task = TaskId::from_parts(1, 1);
        let draft = DraftId::from_parts(1, 1);
        let counts = counted(&[
            "Needs_Action/plain.md",
            &format!("Needs_Action/{task}.md"),
            &format!("Needs_Action/email/{task}.conflict-cloud-1.md"),
            &format!("Needs_Action/email/{task}.pdf"),
            &format!("Pending_Approval/{draft}.md"),
            "Pending_Approval/note to self.md",
            &format!("Approved/{draft}.md"),
            "Approved/by hand.md",
        ]);
        assert_eq!((counts.waiting_total(), counts.not_tasks.len()), (0, 4));
        assert_eq!((counts.pending, counts.not_drafts.len()), (1, 1));
        assert_eq!(counts.approved, 2);
    }
}
