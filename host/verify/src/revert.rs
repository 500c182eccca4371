//! Reverting violations: the commit by which local takes them out of the remote.
//!
//! Lives elsewhere: what is left without them is found in `reapply`; pushing the revert, and building
//! it anew if the tip moved, is `sync`'s.
//! Invariants: the tree of the revert is what was verified before and what honest commits made of it
//! since, nothing else; it is checked once more before it is pushed; the owner is notified of who did
//! what.

use platinum_core::{AgentName, PathError, Timestamp, VaultPath, layout};
use platinum_protocol::conflict_name;
use platinum_repo::{CommitMeta, Edit, Oid, Repo, RepoError};

use crate::{
    HeldChange, VerifyError,
    held::held_changes,
    verifier::{Perspective, Report, Verifier, by},
    violation::{Recovery, Violation},
    walk::BATCH,
};

/// The trailer that names a commit which is reverted.
pub const TRAILER_REVERTS: &str = "Platinum-Reverts";
/// Of a commit's message only the end is read: so many ids are well within it.
const MAX_NAMED: usize = 200;
/// How long a sentence on the dashboard may be.
const MAX_MESSAGE: usize = 280;

/// A commit that reverts violations.
pub struct Revert {
    /// It, on the remote's tip.
    pub commit: Oid,
    /// What it takes out, or was taken out before.
    pub violations: Vec<Violation>,
    /// How many files wait for the owner again.
    pub asked_again: usize,
    /// What devices brought and it takes out, kept for the owner.
    pub held: Vec<HeldChange>,
}

/// Makes the commits that revert violations.
pub struct Reverter<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// This host.
    pub agent: &'a AgentName,
    /// What a commit made here says of itself, by its message and trailers.
    pub meta: &'a dyn Fn(String, Vec<(String, String)>) -> CommitMeta,
}

impl Reverter<'_> {
    /// Makes the commit on `tip` that leaves nothing of what a report has open.
    ///
    /// # Errors
    /// [`VerifyError::Violation`] if it cannot be reverted, or if the repository cannot be used.
    pub fn revert(&self, tip: Oid, report: Report) -> Result<Revert, VerifyError> {
        let (verified, mut commit) = (report.base, tip);
        if !report.open.is_empty() {
            commit = self.revert_all(verified, tip, &report)?;
            self.ensure_clean(verified, commit, &report.open)?;
        }
        let held = held_changes(self.repo, (commit, tip), &report.open)?;
        let (commit, asked_again) = self.ask_again(commit, &report.unproven)?;
        let mut violations = report.reverted;
        violations.extend(report.open);
        Ok(Revert {
            commit,
            violations,
            asked_again,
            held,
        })
    }

    fn revert_all(
        &self,
        verified: Option<Oid>,
        tip: Oid,
        report: &Report,
    ) -> Result<Oid, RepoError> {
        let (mut at, mut base, mut edits) = (tip, verified, report.clean.as_slice());
        for named in report.open.chunks(MAX_NAMED) {
            let trailers = named
                .iter()
                .map(|v| (TRAILER_REVERTS.to_owned(), v.commit.clone()))
                .collect();
            let message = match named {
                [one] => format!("Revert {}", one.short()),
                several => format!("Revert {} commits", several.len()),
            };
            let meta = (self.meta)(message, trailers);
            at = self.repo.commit_over(Some(at), base, edits, &meta)?;
            (base, edits) = (Some(at), &[]);
        }
        Ok(at)
    }

    /// What is left must be what a vault holds; if not, a person has to look.
    fn ensure_clean(
        &self,
        verified: Option<Oid>,
        commit: Oid,
        reverted: &[Violation],
    ) -> Result<(), VerifyError> {
        let mut compared = self.repo.compare(verified, commit, usize::MAX)?;
        compared.odd_modes.clear();
        let verify = Verifier {
            repo: self.repo,
            perspective: Perspective::Local,
            signers: &Default::default(),
            own: None,
            batch: BATCH,
        };
        let left = verify.structure(&compared)?;
        match (left.is_empty(), reverted.first()) {
            (false, Some(first)) => {
                let mut violation = first.clone();
                violation.recovery = Recovery::Owner;
                violation.reasons.extend(left);
                violation.reasons.push(
                    "it cannot be reverted automatically, because later commits built on it: take it \
                     out of the remote with a commit of your own"
                        .to_owned(),
                );
                Err(VerifyError::Violation(violation))
            }
            _ => Ok(()),
        }
    }

    /// What was not approved on this machine waits for the owner again; returns how many files.
    fn ask_again(&self, on: Oid, unproven: &[VaultPath]) -> Result<(Oid, usize), VerifyError> {
        let mut edits = Vec::new();
        let mut count = 0;
        for path in unproven {
            let Some(blob) = self.repo.blob_at(on, path)? else {
                continue;
            };
            let at = Timestamp::now().as_millisecond();
            for place in waiting_places(path, self.agent, at, blob)? {
                let there = self.repo.blob_at(on, &place)?;
                if there.is_some_and(|there| there != blob) || is_in_the_way(self.repo, on, &place)?
                {
                    continue;
                }
                count += 1;
                edits.push((path.clone(), Edit::Delete));
                if there.is_none() {
                    edits.push((place, Edit::PutBlob(blob)));
                }
                break;
            }
        }
        if edits.is_empty() {
            return Ok((on, 0));
        }
        let message = "Ask again for what this machine did not approve".to_owned();
        let commit = self
            .repo
            .commit(Some(on), &edits, &(self.meta)(message, Vec::new()))?;
        Ok((commit, count))
    }
}

/// Where a file of `Approved/` may wait again, best place first: where it waited before, beside
/// what is there, or beside what is in the way of its folders.
///
/// # Errors
/// If it has no place at all.
pub fn waiting_places(
    path: &VaultPath,
    agent: &AgentName,
    at_unix_ms: i64,
    blob: Oid,
) -> Result<Vec<VaultPath>, PathError> {
    let folder = layout::PENDING_APPROVAL;
    let below = path.as_str().strip_prefix(layout::APPROVED);
    let top = VaultPath::new(format!("{folder}/{}", path.file_name()))?;
    let hex = blob.to_string();
    let mut places = Vec::new();
    // The other folder's name is longer, and there is an end to how long a path may be.
    if let Ok(same) = VaultPath::new(format!("{folder}{}", below.unwrap_or_default())) {
        let beside = conflict_name(&same, agent, at_unix_ms, &hex);
        places.extend([same, beside]);
    }
    places.push(conflict_name(&top, agent, at_unix_ms, &hex));
    Ok(places)
}

/// Whether there is a folder in a commit where this file would be, or a file where one of its
/// folders would.
///
/// # Errors
/// If the repository cannot be read.
pub fn is_in_the_way(repo: &Repo, commit: Oid, path: &VaultPath) -> Result<bool, RepoError> {
    let mut folder = path.parent();
    while let Some(above) = folder {
        if repo.blob_at(commit, &above)?.is_some() {
            return Ok(true);
        }
        folder = above.parent();
    }
    Ok(repo.folder_at(commit, path.as_str())?.is_some())
}

/// What the owner is notified of: a sentence for what was reverted, one for what waits again.
pub fn messages(reverted: &[&Violation], asked_again: usize) -> Vec<String> {
    let mut messages = Vec::new();
    if let Some(first) = reverted.first() {
        let who = by(first.agent.as_ref());
        let reasons = first.reasons.join("; ");
        let what = match reverted.len() {
            1 => format!("Reverted: commit {}{who}: {reasons}", first.short()),
            several => format!(
                "Reverted: {several} commits; the first, {}{who}: {reasons}",
                first.short()
            ),
        };
        messages.push(what.chars().take(MAX_MESSAGE).collect());
    }
    if asked_again > 0 {
        messages.push(format!(
            "{asked_again} approvals in the remote were not made on this machine with its present \
             key: they wait in {} again",
            layout::PENDING_APPROVAL
        ));
    }
    messages
}
