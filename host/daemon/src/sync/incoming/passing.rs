//! Going through a history: every commit in turn, and then, if something among them may not be,
//! once more without it.
//!
//! Lives elsewhere: a commit is judged in `verify`; what is kept of those that were, and what is left
//! without those that may not be, is in `history`.
//! Invariants: no history is too long; where all is right so far and nothing stands aside, what
//! was judged is handed on and forgotten, so that neither memory nor a restart costs more than a
//! stretch; a first contact has no such stretches, as a stranger's commit is the past till its end
//! and an attack from then on.

use std::collections::BTreeMap;

use platinum_core::{Role, VaultPath, layout};
use platinum_policy::check;
use platinum_repo::{CommitInfo, Edit, Oid, RepoError};

use super::{
    history::{Author, Blobs, Link, Replay, Trail},
    keys::Keys,
    verify::{Approved, Judge, Judged, MAX_CHANGES, View, parents_of, too_many, violation},
};
use crate::sync::{
    SyncError,
    error::{Remedy, Violation},
};

/// So many commits that are right are judged before they are handed on.
pub(super) const STRETCH: usize = 4096;
/// After so many it is said how far the judge is.
const SAY_EVERY: usize = 20_000;

/// What may not be, by its place on the trail.
type Found = BTreeMap<usize, Violation>;

impl<'a> Judge<'a> {
    /// Judges everything that `tip` has and `verified` has not.
    pub(super) fn judge(&self, verified: Option<Oid>, tip: Oid) -> Result<Judged, SyncError> {
        self.judge_on(verified, tip, &mut |_| Ok(()))
    }

    /// As [`Judge::judge`]; tells of each stretch of the history that is right where it ends.
    pub(super) fn judge_on(
        &self,
        verified: Option<Oid>,
        tip: Oid,
        passed: &mut dyn FnMut(Oid) -> Result<(), SyncError>,
    ) -> Result<Judged, SyncError> {
        let mut trail = Trail::from(verified);
        if verified == Some(tip) {
            return Ok(self.nothing_found(&trail));
        }
        if let Some(verified) = verified
            && !self.repo.is_ancestor(verified, tip)?
        {
            return Err(SyncError::Violation(self.rewritten(verified, tip)));
        }
        let keys = Keys::after(verified, self.repo, self.signers);
        let mut found = Found::new();
        let mut approved = Approved::default();
        let commits = self.repo.commits_between(verified, tip, usize::MAX)?;
        let count = commits.len();
        for (at, commit) in commits.into_iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
                self.repo.drop_caches()?;
            }
            let info = self.repo.commit_info(commit)?;
            let instead = trail.instead_of_parents(&info);
            let (looked, violation) = self.commit(&info, &keys, instead, &mut approved)?;
            found.extend(violation.map(|violation| (trail.len(), violation)));
            trail.push(&info, looked);
            if verified.is_some() && trail.len() >= self.stretch && trail.ends_clean() {
                passed(commit)?;
                trail = Trail::from(Some(commit));
            }
            if at % SAY_EVERY == SAY_EVERY - 1 {
                tracing::info!("{} of {count} commits are judged.", at + 1);
            }
        }
        let mut judged = self.nothing_found(&trail);
        if !found.is_empty() {
            judged.clean = self.replay(&trail, &mut found)?;
            let answered = trail.answered(&found);
            for (at, violation) in found {
                match answered.contains(&at) {
                    true => judged.answered.push(violation),
                    false => judged.unanswered.push(violation),
                }
            }
            self.knows_nobody(&mut judged);
        }
        if verified.is_none() && self.view != View::Server {
            self.first_contact(tip, &approved, &mut judged)?;
        }
        Ok(judged)
    }

    fn nothing_found(&self, trail: &Trail<'_>) -> Judged {
        Judged {
            base: trail.base(),
            ..Judged::default()
        }
    }

    /// Goes from the base to the tip without the violations: finds those that are right only
    /// because of others, and what is left in the end.
    fn replay(
        &self,
        trail: &Trail<'a>,
        found: &mut Found,
    ) -> Result<Vec<(VaultPath, Edit)>, SyncError> {
        let mut replay = Replay::on(self.repo, trail.base());
        // Of each commit the last violation that it stands on or is: two with the same one stand
        // on all the same.
        let mut last: Vec<Option<usize>> = Vec::with_capacity(trail.len());
        for (at, link) in trail.links().iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
                self.repo.drop_caches()?;
            }
            let of_parents = || {
                let parents = trail.parents(at).iter();
                parents.map(|parent| parent.and_then(|parent| last.get(parent).copied().flatten()))
            };
            let first = of_parents().next().flatten();
            let brings = of_parents().any(|other| other != first);
            if !found.contains_key(&at)
                && let Some(violation) = self.again(link, brings, &mut replay)?
            {
                found.insert(at, violation);
            }
            last.push(match found.contains_key(&at) {
                true => Some(at),
                false => first,
            });
        }
        replay.into_edits()
    }

    /// Judges a commit once more, by what it changes where the violations are not.
    fn again(
        &self,
        link: &Link<'_>,
        brings: bool,
        replay: &mut Replay<'_>,
    ) -> Result<Option<Violation>, SyncError> {
        let mut reasons = Vec::new();
        let mut remedy = Remedy::Undo;
        if brings {
            reasons.push("it merges a commit that may not be".to_owned());
        }
        let info = self.repo.commit_info(link.oid)?;
        let changed = match self.changed(&info, link, replay) {
            Err(SyncError::Repo(RepoError::TooMany(most))) => {
                reasons.push(too_many(most));
                if matches!(link.author, Author::Past) {
                    remedy = Remedy::Owner;
                }
                Blobs::new()
            }
            changed => changed?,
        };
        let retold = replay.retell(changed)?;
        let without = |reason: &str| format!("without what is undone before it, {reason}");
        for path in &retold.in_the_way {
            reasons.push(without(&format!("{path} would be where something else is")));
        }
        if let Some(signer) = link.author.signer() {
            if let Err(violations) = check(signer.role, &signer.agent, &retold.changes) {
                reasons.extend(violations.iter().map(|v| without(&v.to_string())));
            }
            if signer.role == Role::Cloud
                && let Some(fault) = replay.doubled(link.oid, &retold)?
            {
                reasons.push(without(&fault.sentence(&signer.agent)));
            }
            let faults = self.claims(signer, &retold.compared(), &|path| replay.now(path))?;
            reasons.extend(faults.iter().map(|fault| without(fault)));
        }
        if reasons.is_empty() {
            replay.apply(retold);
            return Ok(None);
        }
        let mut violation = violation(link.oid, link.author, reasons);
        violation.remedy = remedy;
        Ok(Some(violation))
    }

    /// What a commit left where.
    fn changed(
        &self,
        info: &CommitInfo,
        link: &Link<'_>,
        replay: &Replay<'_>,
    ) -> Result<Blobs, SyncError> {
        if link.is_whole {
            return replay.all_of(link.oid, MAX_CHANGES);
        }
        let mut changed = Blobs::new();
        for parent in parents_of(info) {
            let compared = self.repo.compare(parent, info.oid, usize::MAX)?;
            changed.extend(compared.changed.into_iter().map(|c| (c.path, c.blob)));
        }
        Ok(changed)
    }

    /// Keys may not have been exchanged yet: then a stranger's commits are no attack, and undoing
    /// them would only be a loss.
    fn knows_nobody(&self, judged: &mut Judged) {
        if self.signers.iter().any(|signer| signer.role == Role::Cloud) {
            for violation in &mut judged.unanswered {
                if violation.remedy == Remedy::Trust {
                    violation.remedy = Remedy::Undo;
                }
            }
        }
    }

    /// What is taken over from a past that nobody here judged.
    fn first_contact(
        &self,
        tip: Oid,
        approved: &Approved,
        judged: &mut Judged,
    ) -> Result<(), SyncError> {
        let paths: Vec<VaultPath> = match judged.unanswered.is_empty() {
            true => {
                let (whole, mut reasons) = match self.repo.compare(None, tip, MAX_CHANGES) {
                    Err(RepoError::TooMany(most)) => {
                        let what = format!("it holds more than {most} files or folders");
                        (Vec::new(), vec![what])
                    }
                    whole => {
                        let mut whole = whole?;
                        // A vault may have been on systems that mark every file as a program.
                        whole.odd_modes.clear();
                        let reasons = self.structure(&whole)?;
                        (whole.changed, reasons)
                    }
                };
                if !reasons.is_empty() {
                    reasons.push(
                        "it comes from before this host knew the remote, and is not undone by \
                         itself: take it out of the remote with a commit, or choose another remote"
                            .to_owned(),
                    );
                    let mut violation = violation(tip, Author::Past, reasons);
                    violation.remedy = Remedy::Owner;
                    judged.unanswered.push(violation);
                }
                whole.into_iter().map(|changed| changed.path).collect()
            }
            // Nothing was there before: these are all files that are left.
            false => judged.clean.iter().map(|(path, _)| path.clone()).collect(),
        };
        if self.view == View::Local {
            let unproven = paths
                .into_iter()
                .filter(|path| path.is_within(layout::APPROVED) && !approved.is_own(path));
            judged.unproven.extend(unproven);
        }
        Ok(())
    }
}
