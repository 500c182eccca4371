//! Walking a range of commits: every commit in turn, and then, if there are violations, once more
//! without them.
//!
//! Lives elsewhere: verifying a commit is `verifier`'s; what is kept of a range is in `history`.
//! Invariants: no range is too long; after each batch with no open violation and no unmerged branch,
//! what was verified is handed on and forgotten, so that neither memory nor a restart costs more than
//! a batch; a first contact is one batch, as an unknown signer's commit is history up to its end and
//! an attack from then on.

use std::collections::BTreeMap;

use platinum_core::{Role, VaultPath, layout};
use platinum_policy::check;
use platinum_repo::{CommitInfo, Edit, Oid, RepoError, Signer};

use crate::{
    VerifyError, device_rules, duplicates,
    history::{Author, Blobs, Entry, History, Reapply},
    key_status::Keys,
    note_rules::Basis,
    verifier::{
        Approved, MAX_CHANGES, Perspective, Report, Verifier, WalkState, parents_of, too_many,
        violation,
    },
    violation::{Recovery, Violation},
};

/// So many commits that are right are verified before they are handed on.
pub const BATCH: usize = 4096;
/// After so many the progress is logged.
const LOG_EVERY: usize = 20_000;

/// Violations by their place in the history.
type Violations = BTreeMap<usize, Violation>;

/// Adds to what is known of a commit's faults.
fn add_reasons(found: &mut Violations, at: usize, violation: Violation) {
    match found.get_mut(&at) {
        Some(known) => {
            let new = violation.reasons.into_iter();
            let new: Vec<_> = new
                .filter(|reason| !known.reasons.contains(reason))
                .collect();
            known.reasons.extend(new);
        }
        None => drop(found.insert(at, violation)),
    }
}

/// Hands on where a batch of the history that is right ends, and what the own key signed in it.
pub type Advance<'a> = dyn FnMut(Oid, &[Oid]) -> Result<(), RepoError> + 'a;

impl<'a> Verifier<'a> {
    /// Verifies everything that `tip` has and `verified` has not.
    pub(crate) fn verify(&self, verified: Option<Oid>, tip: Oid) -> Result<Report, VerifyError> {
        self.verify_range(verified, tip, &mut |_, _| Ok(()))
    }

    /// Verifies everything that `tip` has and `verified` has not; calls `advance` where each batch of
    /// the history that is right ends, with what the own key signed in it.
    ///
    /// # Errors
    /// [`VerifyError::Violation`] if the history was rewritten, or if the repository cannot be read.
    pub fn verify_range(
        &self,
        verified: Option<Oid>,
        tip: Oid,
        advance: &mut Advance<'_>,
    ) -> Result<Report, VerifyError> {
        self.walk(verified, tip, advance, false)
    }

    /// As [`Verifier::verify_range`], for when what is left without the violations is nothing that a
    /// vault can hold: every commit since `verified` that is not local's is one.
    ///
    /// # Errors
    /// As [`Verifier::verify_range`].
    pub fn verify_for_local_alone(&self, verified: Oid, tip: Oid) -> Result<Report, VerifyError> {
        self.walk(Some(verified), tip, &mut |_, _| Ok(()), true)
    }

    fn walk(
        &self,
        verified: Option<Oid>,
        tip: Oid,
        advance: &mut Advance<'_>,
        is_local_alone: bool,
    ) -> Result<Report, VerifyError> {
        let mut history = History::from(verified);
        if verified == Some(tip) {
            return Ok(self.nothing_found(&history));
        }
        if let Some(verified) = verified
            && !self.repo.is_ancestor(verified, tip)?
        {
            return Err(VerifyError::Violation(self.rewritten(verified, tip)));
        }
        let keys = Keys::after(verified, self.repo, self.signers);
        let mut found = Violations::new();
        let mut seen = WalkState::default();
        let mut own = Vec::new();
        let mut has_device = false;
        let commits = self.repo.commits_between(verified, tip, usize::MAX)?;
        let count = commits.len();
        for (at, commit) in commits.into_iter().enumerate() {
            if at % BATCH == BATCH - 1 {
                self.repo.drop_caches()?;
            }
            let info = self.repo.commit_info(commit)?;
            let instead = history.instead_of_parents(&info);
            seen.is_after_violation = !found.is_empty();
            let (assessment, violation) = self.commit(&info, &keys, instead, &mut seen)?;
            found.extend(violation.map(|violation| (history.len(), violation)));
            has_device |= assessment.author.device().is_some();
            let signer = assessment.author.signer();
            if self.own.is_some() && signer.map(|signer| &signer.key) == self.own {
                own.push(commit);
            }
            history.push(&info, assessment);
            let is_batch = history.len() >= self.batch && history.ends_clean();
            if verified.is_some() && is_batch && !is_local_alone && !has_device {
                advance(commit, &std::mem::take(&mut own))?;
                history = History::from(Some(commit));
            }
            if at % LOG_EVERY == LOG_EVERY - 1 {
                tracing::info!("{} of {count} commits are verified.", at + 1);
            }
        }
        let mut report = self.nothing_found(&history);
        report.own = own;
        if is_local_alone {
            for (at, entry) in history.entries().iter().enumerate() {
                if !entry.author.is_local() {
                    let reason =
                        "what is left of the commits beside it is nothing that a vault can hold";
                    let also = || violation(entry.oid, entry.author, vec![reason.to_owned()]);
                    found.entry(at).or_insert_with(also);
                }
            }
        }
        if !found.is_empty() || has_device {
            report.clean = self.reapply(&history, &mut found, is_local_alone)?;
            let reverted = history.reverted(&found);
            for (at, violation) in found {
                match reverted.contains(&at) {
                    true => report.reverted.push(violation),
                    false => report.open.push(violation),
                }
            }
            self.drop_trust_hints(&mut report);
        }
        if verified.is_none() && self.perspective != Perspective::Server {
            self.first_contact(tip, &seen.approved, &mut report)?;
        }
        Ok(report)
    }

    fn nothing_found(&self, history: &History<'_>) -> Report {
        Report {
            base: history.base(),
            ..Report::default()
        }
    }

    /// Goes from the base to the tip without the violations: finds those that are right only
    /// because of others, what of a device's commits may not be, and what is left in the end.
    fn reapply(
        &self,
        history: &History<'a>,
        found: &mut Violations,
        is_local_alone: bool,
    ) -> Result<Vec<(VaultPath, Edit)>, RepoError> {
        let is_all_right = found.is_empty();
        let mut reapply = Reapply::on(self.repo, history.base());
        // Of each commit the last violation that it stands on or is: two with the same one stand
        // on all the same.
        let mut last: Vec<Option<usize>> = Vec::with_capacity(history.len());
        for (at, entry) in history.entries().iter().enumerate() {
            if at % BATCH == BATCH - 1 {
                self.repo.drop_caches()?;
            }
            let of_parents = || {
                let parents = history.parents(at).iter();
                parents.map(|parent| parent.and_then(|parent| last.get(parent).copied().flatten()))
            };
            let first = of_parents().next().flatten();
            let brings = of_parents().any(|other| other != first);
            if let Some(device) = entry.author.device().filter(|_| entry.keeps_rest)
                && !is_local_alone
            {
                if let Some(violation) = self.reevaluate_device(entry, device, &mut reapply)? {
                    add_reasons(found, at, violation);
                }
            } else {
                // Judged before, against what it stands on.
                let is_right = is_all_right && first.is_none() && !brings;
                let violation = match found.get(&at) {
                    Some(_) => None,
                    None => self.reevaluate(entry, (brings, is_right), &mut reapply)?,
                };
                found.extend(violation.map(|violation| (at, violation)));
            }
            last.push(match found.contains_key(&at) {
                true => Some(at),
                false => first,
            });
        }
        reapply.into_edits()
    }

    /// Verifies a commit once more, by what it changes where the violations are not.
    fn reevaluate(
        &self,
        entry: &Entry<'_>,
        (brings, is_right): (bool, bool),
        reapply: &mut Reapply<'_>,
    ) -> Result<Option<Violation>, RepoError> {
        let mut reasons = Vec::new();
        let mut recovery = Recovery::Revert;
        if brings {
            reasons.push("it merges a commit that may not be".to_owned());
        }
        let info = self.repo.commit_info(entry.oid)?;
        let changed = match self.changed(&info, entry, reapply) {
            Err(RepoError::TooMany(most)) => {
                reasons.push(too_many(most));
                if matches!(entry.author, Author::BeforeFirstContact) {
                    recovery = Recovery::Owner;
                }
                Blobs::new()
            }
            changed => changed?,
        };
        // History from before the first contact may have names that only some systems tell apart.
        let is_history = matches!(entry.author, Author::BeforeFirstContact);
        let rebased = reapply.rebase_changes(changed, !is_history)?;
        if is_right {
            reapply.apply(rebased);
            return Ok(None);
        }
        let without = |reason: &str| format!("without what is reverted before it, {reason}");
        for path in &rebased.blocked {
            reasons.push(without(&format!("{path} would be where something else is")));
        }
        if let Some(signer) = entry.author.signer() {
            if let Err(violations) = check(signer.role, &signer.agent, &rebased.changes) {
                reasons.extend(violations.iter().map(|v| without(&v.to_string())));
            }
            if signer.role == Role::Cloud
                && let Some(fault) = reapply.find_duplicate(entry.oid, &rebased)?
            {
                reasons.push(without(&fault.sentence(signer)));
            }
            if signer.role == Role::Cloud
                && let Some(what) = reapply.excess(&rebased)?
            {
                reasons.push(without(&what));
            }
            let compared = rebased.compared();
            let before = |path: &VaultPath| reapply.now(path);
            let mut faults = self.claims(signer, &compared, &before)?;
            let basis = Basis {
                before: &before,
                open: &|| reapply.open_drafts(),
                folders: &|| reapply.task_folders(),
                is_after_violation: false,
            };
            faults.extend(self.notes(signer, &compared, &basis)?);
            reasons.extend(faults.iter().map(|fault| without(fault)));
        }
        if reasons.is_empty() {
            reapply.apply(rebased);
            return Ok(None);
        }
        let mut violation = violation(entry.oid, entry.author, reasons);
        violation.recovery = recovery;
        Ok(Some(violation))
    }

    /// Takes up what a device may change, file by file, where the vault is by then: of a merge that is
    /// what differs from all that it merges. A violation names the rest.
    fn reevaluate_device(
        &self,
        entry: &Entry<'_>,
        device: &Signer,
        reapply: &mut Reapply<'_>,
    ) -> Result<Option<Violation>, RepoError> {
        let info = self.repo.commit_info(entry.oid)?;
        let mut changed = self.changed(&info, entry, reapply)?;
        let mut reasons = Vec::new();
        loop {
            let rebased = reapply.rebase_changes(changed.clone(), true)?;
            let before = |path: &VaultPath| reapply.now(path);
            let compared = rebased.compared();
            let mut faults = device_rules::faults(self.repo, &device.agent, &compared, &before)?;
            for path in &rebased.blocked {
                let reason = || format!("{path} would be where something else is");
                faults.entry(path.clone()).or_insert_with(reason);
            }
            if let Some(fault) = reapply.find_duplicate(entry.oid, &rebased)? {
                let made = duplicates::made(&rebased.changes);
                let paths = fault.path().map_or(made, |path| vec![path]);
                for path in paths {
                    let reason = || fault.sentence(device);
                    faults.entry(path.clone()).or_insert_with(reason);
                }
            }
            if faults.is_empty() {
                reapply.apply(rebased);
                break;
            }
            for (path, reason) in faults {
                changed.remove(&path);
                reasons.push(reason);
            }
        }
        Ok((!reasons.is_empty()).then(|| violation(entry.oid, entry.author, reasons)))
    }

    /// What a commit left where.
    fn changed(
        &self,
        info: &CommitInfo,
        entry: &Entry<'_>,
        reapply: &Reapply<'_>,
    ) -> Result<Blobs, RepoError> {
        if entry.is_whole {
            return reapply.all_of(entry.oid, MAX_CHANGES);
        }
        let mut changed = Blobs::new();
        for parent in parents_of(info) {
            let compared = self.repo.compare(parent, info.oid, usize::MAX)?;
            changed.extend(compared.changed.into_iter().map(|c| (c.path, c.blob)));
        }
        Ok(changed)
    }

    /// Keys may not have been exchanged yet: then commits of an unknown signer are no attack, and reverting
    /// them would only be a loss.
    fn drop_trust_hints(&self, report: &mut Report) {
        if self.signers.iter().any(|signer| signer.role == Role::Cloud) {
            for violation in &mut report.open {
                if violation.recovery == Recovery::Trust {
                    violation.recovery = Recovery::Revert;
                }
            }
        }
    }

    /// What is taken over from a history that was not verified here.
    fn first_contact(
        &self,
        tip: Oid,
        approved: &Approved,
        report: &mut Report,
    ) -> Result<(), RepoError> {
        let paths: Vec<VaultPath> = match report.open.is_empty() {
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
                        "it comes from before this host knew the remote, and is not reverted \
                         automatically: take it out of the remote with a commit, or choose another remote"
                            .to_owned(),
                    );
                    let mut violation = violation(tip, Author::BeforeFirstContact, reasons);
                    violation.recovery = Recovery::Owner;
                    report.open.push(violation);
                }
                whole.into_iter().map(|changed| changed.path).collect()
            }
            // Nothing was there before: these are all files that are left.
            false => report.clean.iter().map(|(path, _)| path.clone()).collect(),
        };
        if self.perspective == Perspective::Local {
            let unproven = paths
                .into_iter()
                .filter(|path| path.is_within(layout::APPROVED) && !approved.is_own(path));
            report.unproven.extend(unproven);
        }
        Ok(())
    }
}
