//! Undoing what may not be: the commit with which local answers violations.
//!
//! Lives elsewhere: what is left without them is found in `replay`; that the answer is pushed, and
//! built anew if the tip moved, is the module above.
//! Invariants: the tree of the answer is what was verified before and what honest commits made of
//! it since, nothing else; it is judged once more before it is pushed; who did what is told.

use platinum_core::{Role, Timestamp, VaultPath, layout};
use platinum_protocol::conflict_name;
use platinum_repo::{Edit, Oid};

use super::{
    passing::STRETCH,
    verify::{Judge, Judged, View, by},
};
use crate::sync::{
    SyncError,
    error::{Remedy, Violation},
    side::Side,
};

/// The trailer that names a commit which is undone.
pub(super) const TRAILER_REVERTS: &str = "Platinum-Reverts";
/// Of a commit's message only the end is read: so many ids are well within it.
const MAX_NAMED: usize = 200;
/// How long a sentence on the dashboard may be.
const MAX_TOLD: usize = 280;

/// A commit that undoes what may not be.
pub(in crate::sync) struct Answer {
    /// It, on the remote's tip.
    pub(in crate::sync) commit: Oid,
    /// What the owner is told.
    pub(in crate::sync) told: Vec<String>,
    /// And of secrets that came with it.
    pub(in crate::sync) received: Vec<String>,
}

impl Side {
    /// Makes the commit on `tip` that leaves nothing of what was found.
    pub(super) fn answer(&self, tip: Oid, judged: Judged) -> Result<Answer, SyncError> {
        let (verified, mut commit) = (judged.base, tip);
        if !judged.unanswered.is_empty() {
            commit = self.undo_all(verified, tip, &judged)?;
            self.is_clean(verified, commit, &judged.unanswered)?;
        }
        let (commit, asked_again) = self.ask_again(commit, &judged.unproven)?;
        let mut all = judged.answered;
        all.extend(judged.unanswered);
        Ok(Answer {
            commit,
            told: told(&all, asked_again),
            received: self.received(verified, tip),
        })
    }

    fn undo_all(&self, verified: Option<Oid>, tip: Oid, judged: &Judged) -> Result<Oid, SyncError> {
        let (mut at, mut base, mut edits) = (tip, verified, judged.clean.as_slice());
        for named in judged.unanswered.chunks(MAX_NAMED) {
            let trailers = named
                .iter()
                .map(|v| (TRAILER_REVERTS.to_owned(), v.commit.clone()))
                .collect();
            let message = match named {
                [one] => format!("Undo {}", one.short()),
                several => format!("Undo {} commits", several.len()),
            };
            let meta = self.meta(message, trailers);
            at = self.repo.commit_over(Some(at), base, edits, &meta)?;
            (base, edits) = (Some(at), &[]);
        }
        Ok(at)
    }

    /// What is left must be what a vault holds; if not, a person has to look.
    fn is_clean(
        &self,
        verified: Option<Oid>,
        commit: Oid,
        undone: &[Violation],
    ) -> Result<(), SyncError> {
        let mut compared = self.repo.compare(verified, commit, usize::MAX)?;
        compared.odd_modes.clear();
        let judge = Judge {
            repo: &self.repo,
            view: View::Local,
            signers: &Default::default(),
            own: None,
            stretch: STRETCH,
        };
        let left = judge.structure(&compared)?;
        match (left.is_empty(), undone.first()) {
            (false, Some(first)) => {
                let mut violation = first.clone();
                violation.remedy = Remedy::Owner;
                violation.reasons.extend(left);
                violation.reasons.push(
                    "it cannot be undone by itself, because later commits built on it: take it \
                     out of the remote with a commit of your own"
                        .to_owned(),
                );
                Err(SyncError::Violation(violation))
            }
            _ => Ok(()),
        }
    }

    /// What somebody else approved waits for the owner again; answers how many files.
    fn ask_again(&self, on: Oid, unproven: &[VaultPath]) -> Result<(Oid, usize), SyncError> {
        let mut edits = Vec::new();
        let mut count = 0;
        for path in unproven {
            let Some(blob) = self.repo.blob_at(on, path)? else {
                continue;
            };
            count += 1;
            edits.push((path.clone(), Edit::Delete));
            let name = path.as_str().strip_prefix(layout::APPROVED);
            let waiting = format!("{}{}", layout::PENDING_APPROVAL, name.unwrap_or_default());
            let waiting =
                VaultPath::new(waiting).map_err(|error| SyncError::Vault(error.into()))?;
            match self.repo.blob_at(on, &waiting)? {
                Some(there) if there == blob => {}
                Some(_) => {
                    let at = Timestamp::now().as_millisecond();
                    let copy = conflict_name(&waiting, &self.agent, at, &blob.to_string());
                    edits.push((copy, Edit::PutBlob(blob)));
                }
                None => edits.push((waiting, Edit::PutBlob(blob))),
            }
        }
        if edits.is_empty() {
            return Ok((on, 0));
        }
        debug_assert_eq!(self.role, Role::Local);
        let message = "Ask again for what this machine did not approve".to_owned();
        let commit = self
            .repo
            .commit(Some(on), &edits, &self.meta(message, Vec::new()))?;
        Ok((commit, count))
    }
}

/// What the owner is told: a sentence for what was undone, one for what waits again.
pub(super) fn told(undone: &[Violation], asked_again: usize) -> Vec<String> {
    let mut told = Vec::new();
    if let Some(first) = undone.first() {
        let who = by(first.agent.as_ref());
        let reasons = first.reasons.join("; ");
        let what = match undone.len() {
            1 => format!("Undone: commit {}{who}: {reasons}", first.short()),
            several => format!(
                "Undone: {several} commits; the first, {}{who}: {reasons}",
                first.short()
            ),
        };
        told.push(what.chars().take(MAX_TOLD).collect());
    }
    if asked_again > 0 {
        told.push(format!(
            "{asked_again} approvals in the remote were not made on this machine with its present \
             key: they wait in {} again",
            layout::PENDING_APPROVAL
        ));
    }
    told
}
