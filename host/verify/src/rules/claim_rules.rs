//! Claims and their epochs in what a cloud agent commits.
//!
//! The path table sees that a task came by a claim and goes by its end; whose claim its note records
//! then, and in which epoch, only the notes show. The fence before an effect compares epochs: an
//! agent that could write any could revive an old draft, or keep every later one from counting.
//! Lives elsewhere: reading claims in notes is `tasks`'s, as for the fence.
//! Invariants: an epoch is one above the one before it, a claim stays as it was made, a release keeps
//! the epoch; a draft records under which claim it was made.

use std::{cell::RefCell, collections::BTreeMap};

use platinum_core::{AgentName, ClaimId, VaultPath, layout};
use platinum_policy::Change;
use platinum_repo::{Changed, Oid, Repo, RepoError};
use platinum_tasks::{claim_in, epoch_in, note_of, task_at};
use platinum_vault::note::{DraftNote, Note};

/// The claims in a note.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct ClaimState {
    /// The claim by this agent.
    claim: Option<(ClaimId, u64)>,
    /// The highest epoch.
    epoch: u64,
}

/// Where something was before.
pub type Before<'a> = &'a dyn Fn(&VaultPath) -> Result<Option<Oid>, RepoError>;

/// The faults of a cloud agent's changes to claims: each path, and a sentence. `before` has what was
/// at a path.
///
/// # Errors
/// If the repository cannot be read.
pub fn faults(
    repo: &Repo,
    agent: &AgentName,
    changed: &[Changed],
    before: Before<'_>,
) -> Result<Vec<(VaultPath, String)>, RepoError> {
    let is_gone = |one: &&Changed| one.change == Change::Delete && task_at(&one.path).is_some();
    let claims = Claims {
        repo,
        agent,
        removed: changed
            .iter()
            .filter(is_gone)
            .rev()
            .map(|one| ((one.path.top(), one.path.file_name()), &one.path))
            .collect(),
        before,
        states: RefCell::default(),
        drafts: RefCell::default(),
    };
    let mut faults = Vec::new();
    for one in changed {
        if let Some(blob) = one.blob
            && let Some(what) = claims.fault(one, blob)?
        {
            let Changed { path, change, .. } = one;
            let sentence = format!("cloud agent {agent} may not {change} {path}: {what}");
            faults.push((path.clone(), sentence));
        }
    }
    Ok(faults)
}

struct Claims<'a> {
    repo: &'a Repo,
    agent: &'a AgentName,
    /// The tasks that go, by the folder at the top and their names: the first of each.
    removed: BTreeMap<(&'a str, &'a str), &'a VaultPath>,
    before: Before<'a>,
    /// What is known of a blob: one may be at very many places.
    states: RefCell<BTreeMap<Oid, ClaimState>>,
    drafts: RefCell<BTreeMap<Oid, bool>>,
}

impl<'a> Claims<'a> {
    fn fault(&self, one: &Changed, blob: Oid) -> Result<Option<String>, RepoError> {
        let path = &one.path;
        match (path.top(), one.change) {
            (layout::IN_PROGRESS, Change::Create) if task_at(path).is_some() => {
                self.claimed(path, blob)
            }
            (layout::IN_PROGRESS, Change::Modify) if task_at(path).is_some() => {
                let same =
                    self.claim_state(Some(blob))? == self.claim_state((self.before)(path)?)?;
                Ok((!same).then(|| "a claim stays as it was made".to_owned()))
            }
            (layout::NEEDS_ACTION, Change::Create) if task_at(path).is_some() => {
                self.given_back(path, blob)
            }
            (layout::PENDING_APPROVAL, Change::Create) => self.drafted(blob),
            _ => Ok(None),
        }
    }

    fn claimed(&self, path: &VaultPath, blob: Oid) -> Result<Option<String>, RepoError> {
        // Without one it is no claim at all, and the path table refuses it.
        let Some(from) = self.removed(path, layout::NEEDS_ACTION) else {
            return Ok(None);
        };
        let last = self.claim_state((self.before)(from)?)?.epoch;
        let Some(next) = last.checked_add(1) else {
            return Ok(Some("the epochs of its claims are used up".to_owned()));
        };
        let claim = self.claim_state(Some(blob))?.claim;
        let is_next = claim.is_some_and(|(_, epoch)| epoch == next);
        Ok((!is_next).then(|| {
            format!(
                "its note has to have a claim by {}, of epoch {next}",
                self.agent
            )
        }))
    }

    fn given_back(&self, path: &VaultPath, blob: Oid) -> Result<Option<String>, RepoError> {
        let last = match self.removed(path, layout::IN_PROGRESS) {
            Some(from) => self.claim_state((self.before)(from)?)?.epoch,
            None => 0,
        };
        let epoch = self.claim_state(Some(blob))?.epoch;
        Ok((epoch != last).then(|| match last {
            0 => "a task that is not claimed yet has no epoch".to_owned(),
            last => format!("a task that is given back keeps the epoch of its claim, {last}"),
        }))
    }

    fn drafted(&self, blob: Oid) -> Result<Option<String>, RepoError> {
        let known = self.drafts.borrow().get(&blob).copied();
        let lacks_epoch = match known {
            Some(known) => known,
            None => {
                let note = note_of(self.repo, blob)?;
                let draft = note.filter(|note| note.get_text("kind") == Some(DraftNote::KIND));
                let epoch = |draft: &Note| draft.get("epoch").and_then(|epoch| epoch.as_u64());
                let lacks = draft.is_some_and(|draft| epoch(&draft).unwrap_or(0) == 0);
                self.drafts.borrow_mut().insert(blob, lacks);
                lacks
            }
        };
        Ok(lacks_epoch
            .then(|| "a draft says under which claim of its task it was made (`epoch`)".to_owned()))
    }

    /// The file of the same name that goes from below this folder.
    fn removed(&self, path: &VaultPath, top: &str) -> Option<&'a VaultPath> {
        self.removed.get(&(top, path.file_name())).copied()
    }

    fn claim_state(&self, blob: Option<Oid>) -> Result<ClaimState, RepoError> {
        let Some(blob) = blob else {
            return Ok(ClaimState::default());
        };
        let known = self.states.borrow().get(&blob).copied();
        if let Some(known) = known {
            return Ok(known);
        }
        let note = note_of(self.repo, blob)?;
        let state = ClaimState {
            claim: claim_in(note.as_ref(), self.agent).map(|claim| (claim.id, claim.epoch)),
            epoch: note.as_ref().map_or(0, epoch_in),
        };
        self.states.borrow_mut().insert(blob, state);
        Ok(state)
    }
}
