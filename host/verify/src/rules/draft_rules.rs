//! Whether a draft of a cloud agent is in its own file, and of a task and a claim that the agent had.
//!
//! The fence before the effect compares the epoch of a draft with the claim that holds then. So one that
//! says an epoch of somebody else's, or of a claim that is yet to come, would count for what its maker
//! never had; and one of no task at all only fills the owner's folder.
//! Lives elsewhere: the epochs in tasks are `claim_rules`'; what else a draft may hold is `note_rules`'.
//! Invariants: what an honest agent does late is right: its draft may come after its claim was lost,
//! given back or finished. A task is looked up once for all drafts of a commit.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, DraftId, SocialPublish, TaskId, VaultPath, layout};
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::{epoch_in, note_of};
use platinum_vault::note::{DraftNote, Note};

use super::{
    duplicates,
    note_rules::{Basis, CONFLICT},
};

/// Of what there is one draft: of a claim; of posts, of an account under a claim.
pub(crate) type DraftSubject = (TaskId, u64, Option<String>);

/// What a draft says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadeDraft {
    pub(crate) id: DraftId,
    task: TaskId,
    epoch: Option<u64>,
    /// Of a post on a social network, by which account it is.
    account: Option<String>,
}

impl MadeDraft {
    /// The draft in a blob, if it is one.
    pub(crate) fn read(repo: &Repo, blob: Oid) -> Result<Option<Self>, RepoError> {
        let draft = note_of(repo, blob)?.and_then(|note| DraftNote::from_note(&note).ok());
        Ok(draft.map(|draft| Self {
            id: draft.id,
            task: draft.task,
            epoch: draft.epoch,
            account: draft
                .action
                .read::<SocialPublish>()
                .ok()
                .map(|post| post.account),
        }))
    }

    /// What it is the one draft of.
    pub(crate) fn subject(&self) -> Option<DraftSubject> {
        let (task, epoch) = self.claim()?;
        Some((task, epoch, self.account.clone()))
    }

    /// The claim that it says it was made under.
    pub(crate) fn claim(&self) -> Option<(TaskId, u64)> {
        let epoch = self.epoch.filter(|epoch| *epoch > 0)?;
        Some((self.task, epoch))
    }
}

/// What is wrong with the path of a draft: it is that of its id, or of a version of it that was set aside.
pub(crate) fn place_fault(path: &VaultPath, id: DraftId) -> Option<String> {
    let own = format!("{}/{id}", layout::PENDING_APPROVAL);
    let rest = path.as_str().strip_prefix(&own);
    let is_own = rest
        .is_some_and(|rest| rest == ".md" || (rest.starts_with(CONFLICT) && !rest.contains('/')));
    (!is_own).then(|| format!("a draft is in the file of its id, {own}.md"))
}

/// Where a task is, to the agent that drafted for it, and its claims as far as that says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TaskState {
    /// It is the agent's own, under this claim.
    Own(u64),
    /// Another agent has it, or had it to the end, under this claim.
    Others(AgentName, u64),
    /// Nobody is known to have it; its claims came to this epoch, 0 if there was none.
    Free(u64),
    /// It is nowhere.
    Absent,
    /// It may be in so many folders, more than are searched.
    Unsearched(usize),
}

impl TaskState {
    /// What a note in a folder of tasks says. `folder` is the agent whose folder it is, if it is one's.
    fn of(note: Option<&Note>, agent: &AgentName, folder: Option<&AgentName>) -> Self {
        let epoch = note.map_or(0, epoch_in);
        match note.and_then(Note::claim) {
            Some(own) if own.agent == *agent => match folder == Some(agent) {
                true => Self::Own(own.epoch),
                // It was moved on, by its end or by hand, with the claim in it.
                false => Self::Free(own.epoch.max(epoch)),
            },
            Some(other) => Self::Others(other.agent, other.epoch),
            None => Self::Free(epoch),
        }
    }

    /// What is wrong with a draft by an agent that says this epoch.
    fn fault(&self, agent: &AgentName, task: TaskId, epoch: u64) -> Option<String> {
        let made = format!("it says that it was made under claim {epoch} of its task");
        match self {
            Self::Own(claim) if epoch != *claim => {
                Some(format!("{made}, and {agent} has it under claim {claim}"))
            }
            // The claims before were perhaps its own, and its drafts come late.
            Self::Others(other, claim) if epoch >= *claim => {
                Some(format!("{made}, and {other} has claim {claim}"))
            }
            Self::Free(0) => Some(format!("{made}, which nobody has claimed")),
            Self::Free(last) if epoch > *last => Some(format!("{made}, whose last one is {last}")),
            Self::Absent => Some(format!("its task {task} is nowhere")),
            Self::Unsearched(folders) => Some(format!(
                "whether its task {task} is in one of {folders} folders is not looked up"
            )),
            Self::Own(_) | Self::Others(..) | Self::Free(_) => None,
        }
    }
}

/// The rules for the drafts of one commit.
pub(crate) struct DraftRules<'a> {
    repo: &'a Repo,
    agent: &'a AgentName,
    basis: &'a Basis<'a>,
    /// The tasks in progress that the same commit leaves behind.
    made: BTreeMap<&'a VaultPath, Oid>,
    folders: Option<BTreeSet<String>>,
    lookups: usize,
    known: BTreeMap<TaskId, TaskState>,
}

impl<'a> DraftRules<'a> {
    /// Those for what an agent changed.
    pub(crate) fn new(
        repo: &'a Repo,
        agent: &'a AgentName,
        changed: &'a [Changed],
        basis: &'a Basis<'a>,
    ) -> Self {
        let made = changed
            .iter()
            .filter(|one| one.path.top() == layout::IN_PROGRESS)
            .filter_map(|one| Some((&one.path, one.blob?)))
            .collect();
        Self {
            repo,
            agent,
            basis,
            made,
            folders: None,
            lookups: 0,
            known: BTreeMap::new(),
        }
    }

    /// What is wrong with the task and the claim of a draft. One that names no claim is refused by
    /// `claim_rules`.
    pub(crate) fn fault(&mut self, draft: &MadeDraft) -> Result<Option<String>, RepoError> {
        let Some((task, epoch)) = draft.claim() else {
            return Ok(None);
        };
        if !self.known.contains_key(&task) {
            let state = self.state(task)?;
            self.known.insert(task, state);
        }
        let state = self.known.get(&task);
        Ok(state.and_then(|state| state.fault(self.agent, task, epoch)))
    }

    fn state(&mut self, task: TaskId) -> Result<TaskState, RepoError> {
        let own = layout::in_progress(self.agent, task);
        let blob = match self.made.get(&own) {
            Some(blob) => Some(*blob),
            None => (self.basis.before)(&own)?,
        };
        if let Some(blob) = blob {
            let note = note_of(self.repo, blob)?;
            return Ok(TaskState::of(note.as_ref(), self.agent, Some(self.agent)));
        }
        let folders = match self.folders.take() {
            Some(folders) => folders,
            None => (self.basis.folders)()?,
        };
        let folders = self.folders.insert(folders);
        self.lookups = self.lookups.saturating_add(folders.len());
        if self.lookups > duplicates::MAX_LOOKUPS {
            return Ok(TaskState::Unsearched(folders.len()));
        }
        for path in duplicates::other_places(&own, folders) {
            if let Some(blob) = (self.basis.before)(&path)? {
                let note = note_of(self.repo, blob)?;
                let folder = path
                    .as_str()
                    .strip_prefix(layout::IN_PROGRESS)
                    .and_then(|rest| rest.split('/').nth(1)?.parse().ok());
                return Ok(TaskState::of(note.as_ref(), self.agent, folder.as_ref()));
            }
        }
        Ok(match self.basis.is_after_violation {
            true => TaskState::Free(u64::MAX),
            false => TaskState::Absent,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn agent(name: &str) -> AgentName {
        name.parse().unwrap()
    }

    /// Every state against every epoch up to 5: which are refused, and the words of one.
    #[test]
    fn fault_of_every_state_of_a_task() {
        let task = TaskId::from_parts(1, 1);
        let cloud = agent("cloud");
        let refused = |state: &TaskState| -> Vec<u64> {
            let faults = (1..=5).filter(|epoch| state.fault(&cloud, task, *epoch).is_some());
            faults.collect()
        };
        let other = |epoch| TaskState::Others(agent("local"), epoch);
        for (state, expected, words) in [
            (
                TaskState::Own(3),
                vec![1, 2, 4, 5],
                "it says that it was made under claim 5 of its task, and cloud has it under claim 3",
            ),
            (
                other(3),
                vec![3, 4, 5],
                "it says that it was made under claim 5 of its task, and local has claim 3",
            ),
            (
                other(0),
                vec![1, 2, 3, 4, 5],
                "it says that it was made under claim 5 of its task, and local has claim 0",
            ),
            (
                TaskState::Free(3),
                vec![4, 5],
                "it says that it was made under claim 5 of its task, whose last one is 3",
            ),
            (
                TaskState::Free(0),
                vec![1, 2, 3, 4, 5],
                "it says that it was made under claim 5 of its task, which nobody has claimed",
            ),
            (
                TaskState::Absent,
                vec![1, 2, 3, 4, 5],
                "its task task_00000000010000000000000001 is nowhere",
            ),
            (
                TaskState::Unsearched(7),
                vec![1, 2, 3, 4, 5],
                "whether its task task_00000000010000000000000001 is in one of 7 folders is not looked up",
            ),
        ] {
            assert_eq!(refused(&state), expected, "{state:?}");
            assert_eq!(state.fault(&cloud, task, 5).unwrap(), words);
        }
    }

    /// What a note says, in the agent's own folder, in another's, and elsewhere.
    #[test]
    fn task_state_of_every_note() {
        let (cloud, local) = (agent("cloud"), agent("local"));
        let note = |front: &str| Note::parse(&format!("---\nid: x\n{front}---\n")).unwrap();
        let claim = |agent: &str, epoch: u64| {
            let at = "2026-11-20T18:43:03Z";
            let id = "claim_00000000010000000000000001";
            format!(
                "claim:\n  id: {id}\n  agent: {agent}\n  epoch: {epoch}\n  at: {at}\n  base: \"\"\n  beat: 0\n"
            )
        };
        let others = |name: &str, epoch| TaskState::Others(agent(name), epoch);
        let of = |front: &str| {
            let note = note(front);
            let folders = [Some(&cloud), Some(&local), None];
            folders.map(|folder| TaskState::of(Some(&note), &cloud, folder))
        };
        let free = TaskState::Free;
        assert_eq!(
            of(&claim("cloud", 3)),
            [TaskState::Own(3), free(3), free(3)]
        );
        for (front, state) in [
            (claim("local", 3), others("local", 3)),
            (claim("cloud-2", 1), others("cloud-2", 1)),
            ("last-epoch: 4\n".to_owned(), free(4)),
            (String::new(), free(0)),
            ("claim: yes\n".to_owned(), free(0)),
            // Its claim cannot be read, its epoch can.
            ("claim:\n  agent: local\n  epoch: 2\n".to_owned(), free(2)),
        ] {
            let expected = [state.clone(), state.clone(), state];
            assert_eq!(of(&front), expected, "{front}");
        }
        assert_eq!(TaskState::of(None, &cloud, Some(&cloud)), free(0));
    }

    #[test]
    fn place_fault_takes_the_file_of_the_id_alone() {
        let id = DraftId::from_parts(1, 1);
        let other = DraftId::from_parts(1, 2);
        let fault = |path: String| place_fault(&VaultPath::new(path).unwrap(), id);
        assert_eq!(fault(format!("Pending_Approval/{id}.md")), None);
        let copy = "conflict-cloud-20261120T184303123Z-0123abcd.md";
        assert_eq!(fault(format!("Pending_Approval/{id}.{copy}")), None);
        for path in [
            format!("Pending_Approval/{other}.md"),
            format!("Pending_Approval/{other}.{copy}"),
            format!("Pending_Approval/{id}"),
            format!("Pending_Approval/{id}.x.md"),
            format!("Pending_Approval/{id}{id}.md"),
            format!("Pending_Approval/new/{id}.md"),
            format!("Pending_Approval/{id}.conflict-x/{id}.md"),
            "Pending_Approval/answer.md".to_owned(),
        ] {
            let expected = format!("a draft is in the file of its id, Pending_Approval/{id}.md");
            assert_eq!(fault(path.clone()), Some(expected), "{path}");
        }
    }
}
