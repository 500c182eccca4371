//! [`Verifier`]: verifies one commit that the remote brings.
//!
//! Its signature shows who made a commit; author fields and trailers prove nothing, and must agree
//! with it. Before the first verified tip (a vault that is older than Platinum, a machine set up
//! anew) commits of unknown signers are history: only what the tip holds is checked of them, and
//! nothing of theirs counts as approved.
//! Invariants: every commit is checked against each of its parents, never the sum of several: a file
//! that came and went is seen. After a violation, every commit is evaluated again as if the violation
//! had never come (`reapply`). A violation counts as reverted only by a commit of the local host,
//! later in the history, that names it.

use std::collections::BTreeSet;

use platinum_core::{AgentName, Member, Role, VaultPath, layout};
use platinum_policy::{Change, MAX_FILE_BYTES, check, is_synced};
use platinum_repo::{
    Changed, CommitInfo, Comparison, Edit, Oid, PublicKey, Repo, RepoError, Signature, Signer,
    Signers, TRAILER_AGENT, TRAILER_ROLE,
};

use crate::{
    budget::Budget,
    claim_rules, device_rules,
    duplicates::{self, DuplicateTask},
    history::{Assessment, Author, values},
    key_status::{self, KeyStatus, Keys},
    note_rules::{self, Basis},
    violation::{Recovery, Violation},
};

/// More files than this in one commit are not read.
pub(crate) const MAX_CHANGES: usize = 1_000_000;
/// More files than this in one commit are no work of an agent that drafts.
pub(crate) const MAX_CLOUD_CHANGES: usize = 100_000;
/// No honest merge has more parents than this.
const MAX_PARENTS: usize = 64;
/// More reasons than this are counted, and not kept.
const MAX_REASONS: usize = 100;

/// Whose rules hold, and whom the advice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Perspective {
    /// The owner's machine.
    Local,
    /// A cloud host.
    Cloud,
    /// A server with the hook: nothing is taken on trust, not even the first commit.
    Server,
}

/// Verifies commits by the keys and rules of one host.
pub struct Verifier<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// Whose rules hold.
    pub perspective: Perspective,
    /// Whose signatures count.
    pub signers: &'a Signers,
    /// The key of this host.
    pub own: Option<&'a PublicKey>,
    /// So many commits that are right are verified before they are handed on.
    pub batch: usize,
}

/// What was found between two tips.
#[derive(Debug, Default)]
pub struct Report {
    /// Up to where all is right, and was handed on.
    pub base: Option<Oid>,
    /// What may not be applied, oldest first.
    pub open: Vec<Violation>,
    /// Violations that local has reverted since.
    pub reverted: Vec<Violation>,
    /// What the own key signed after the last batch that was handed on, oldest first.
    pub own: Vec<Oid>,
    /// Files below `Approved/` that this host did not put there, at a first contact.
    pub unproven: Vec<VaultPath>,
    /// What the files of the base become without the violations.
    pub clean: Vec<(VaultPath, Edit)>,
}

/// What below `Approved/` was put there last by this host itself, before the first contact.
#[derive(Debug, Default)]
pub(crate) struct Approved(BTreeSet<VaultPath>);

impl Approved {
    fn note(&mut self, is_own: bool, changed: &[Changed]) {
        for Changed { path, .. } in changed {
            if !path.is_within(layout::APPROVED) {
                continue;
            }
            match is_own {
                true => self.0.insert(path.clone()),
                false => self.0.remove(path),
            };
        }
    }

    /// Whether it is this host's own.
    pub(crate) fn is_own(&self, path: &VaultPath) -> bool {
        self.0.contains(path)
    }
}

/// What is known of the commits before the one that is verified.
#[derive(Debug, Default)]
pub(crate) struct WalkState {
    pub(crate) approved: Approved,
    /// Whether one of them is a violation.
    pub(crate) is_after_violation: bool,
    budget: Budget,
}

impl<'a> Verifier<'a> {
    pub(crate) fn rewritten(&self, verified: Oid, tip: Oid) -> Violation {
        let what_to_do = match self.perspective {
            Perspective::Server => String::new(),
            Perspective::Local | Perspective::Cloud => {
                let folder = self.repo.git_dir().display();
                format!(
                    "; put it back with `git --git-dir {folder} push --force <remote> \
                     {verified}:refs/heads/main`, or, if the new history is right, move that \
                     folder away and start again"
                )
            }
        };
        Violation {
            commit: tip.to_string(),
            agent: None,
            reasons: vec![format!(
                "the remote's history was rewritten: it no longer has commit {verified}{what_to_do}"
            )],
            unlisted: 0,
            recovery: Recovery::Owner,
            is_held: false,
        }
    }

    /// Verifies one commit; takes up in `seen` what it adds. `instead` is what to compare
    /// it with if it stands on a violation that is too much to be compared with.
    pub(crate) fn commit(
        &self,
        info: &CommitInfo,
        keys: &Keys<'a>,
        instead: Option<Option<Oid>>,
        seen: &mut WalkState,
    ) -> Result<(Assessment<'a>, Option<Violation>), RepoError> {
        let mut reasons = Vec::new();
        let mut recovery = Recovery::Revert;
        let author = self.author(info, keys, &mut reasons, &mut recovery)?;
        let is_cloud = matches!(author, Author::Signer(signer) if signer.role == Role::Cloud);
        let is_device = author.device().is_some();
        if is_cloud && info.parents.len() > 1 {
            reasons.push("it is a merge, and a cloud agent only adds to the tip".to_owned());
        }
        let is_before_first_contact = matches!(author, Author::BeforeFirstContact);
        let is_own = author.signer().map(|signer| &signer.key) == self.own && self.own.is_some();
        let most = match is_cloud || is_device {
            true => MAX_CLOUD_CHANGES,
            false => MAX_CHANGES,
        };
        let mut is_whole = false;
        // Faults of the commit itself; those of its files are found one by one.
        let mut keeps_rest = is_device && reasons.is_empty();
        let mut parents = parents_of(info);
        if parents.len() > MAX_PARENTS {
            parents.truncate(MAX_PARENTS);
            match is_before_first_contact {
                true => seen.approved = Approved::default(),
                false => reasons.push(format!("it merges more than {MAX_PARENTS} lines at once")),
            }
            keeps_rest = false;
        }
        for parent in parents {
            let compared = match (self.repo.compare(parent, info.oid, most), instead) {
                // Only what the tip holds is checked of it, and what it approved is not known.
                (Err(RepoError::TooMany(_)), _) if is_before_first_contact => {
                    is_whole = true;
                    seen.approved = Approved::default();
                    continue;
                }
                // What takes a violation out has all of it to change, and is no violation for it.
                (Err(RepoError::TooMany(_)), Some(_)) if author.is_local() && is_whole => continue,
                (Err(RepoError::TooMany(_)), Some(clean)) if author.is_local() => {
                    is_whole = true;
                    self.repo.compare(clean, info.oid, most)
                }
                (compared, _) => compared,
            };
            let compared = match compared {
                Err(RepoError::TooMany(most)) => {
                    reasons.push(too_many(most));
                    keeps_rest = false;
                    continue;
                }
                compared => compared?,
            };
            seen.approved.note(is_own, &compared.changed);
            if is_before_first_contact {
                continue;
            }
            reasons.extend(self.structure(&compared)?);
            if let Author::Signer(signer) = &author
                && !is_device
            {
                let before = |path: &VaultPath| -> Result<Option<Oid>, RepoError> {
                    let at = parent.map(|parent| self.repo.blob_at(parent, path));
                    Ok(at.transpose()?.flatten())
                };
                reasons.extend(self.claims(signer, &compared.changed, &before)?);
                let basis = Basis {
                    before: &before,
                    open: &|| note_rules::open_files(self.repo, parent),
                    folders: &|| duplicates::folders(self.repo, parent),
                    is_after_violation: seen.is_after_violation,
                };
                reasons.extend(self.notes(signer, &compared.changed, &basis)?);
                if is_cloud {
                    let (agent, range) = (&signer.agent, (parent, info.oid));
                    let budget = &mut seen.budget;
                    let faults = budget.faults(self.repo, agent, &compared.changed, range)?;
                    reasons.extend(faults.into_iter().next().map(|(_, sentence)| sentence));
                }
                let pairs: Vec<_> = compared
                    .changed
                    .into_iter()
                    .map(|c| (c.path, c.change))
                    .collect();
                if let Err(violations) = check(signer.role, &signer.agent, &pairs) {
                    reasons.extend(violations.iter().map(ToString::to_string));
                }
                reasons.extend(self.duplicate_tasks(signer, info.oid, &pairs)?);
            }
        }
        // One fault may have been found by two rules, or against two parents.
        let mut listed = BTreeSet::new();
        reasons.retain(|reason| listed.insert(reason.clone()));
        let assessment = Assessment {
            author,
            is_bad: !reasons.is_empty(),
            is_whole,
            keeps_rest,
        };
        if reasons.is_empty() {
            return Ok((assessment, None));
        }
        let mut violation = violation(info.oid, author, reasons);
        violation.recovery = recovery;
        Ok((assessment, Some(violation)))
    }

    /// The faults of a cloud agent's changes to claims.
    pub(crate) fn claims(
        &self,
        signer: &Signer,
        changed: &[Changed],
        before: claim_rules::Before<'_>,
    ) -> Result<Vec<String>, RepoError> {
        if signer.role != Role::Cloud {
            return Ok(Vec::new());
        }
        let faults = claim_rules::faults(self.repo, &signer.agent, changed, before)?;
        Ok(faults.into_iter().map(|(_, sentence)| sentence).collect())
    }

    /// The faults of what a cloud agent puts before the owner.
    pub(crate) fn notes(
        &self,
        signer: &Signer,
        changed: &[Changed],
        basis: &Basis<'_>,
    ) -> Result<Vec<String>, RepoError> {
        if signer.role != Role::Cloud {
            return Ok(Vec::new());
        }
        let faults = note_rules::faults_on(self.repo, &signer.agent, changed, basis)?;
        Ok(faults.into_iter().map(|(_, sentence)| sentence).collect())
    }

    /// Tasks that a cloud agent makes or moves although they are somewhere else too.
    fn duplicate_tasks(
        &self,
        signer: &Signer,
        commit: Oid,
        changes: &[(VaultPath, Change)],
    ) -> Result<Vec<String>, RepoError> {
        let made = duplicates::made(changes);
        if signer.role != Role::Cloud || made.is_empty() {
            return Ok(Vec::new());
        }
        let folders = duplicates::folders(self.repo, Some(commit))?;
        if let Some(fault) = DuplicateTask::too_many(&made, &folders) {
            return Ok(vec![fault.sentence(signer)]);
        }
        let mut reasons = Vec::new();
        for path in made {
            let others = duplicates::other_places(path, &folders);
            let there = self.repo.blobs_at(commit, &others)?;
            let first = there.into_keys().next();
            let fault = first.map(|at| DuplicateTask::At(path.clone(), at));
            reasons.extend(fault.map(|fault| fault.sentence(signer)));
        }
        Ok(reasons)
    }

    fn author(
        &self,
        info: &CommitInfo,
        keys: &Keys<'a>,
        reasons: &mut Vec<String>,
        recovery: &mut Recovery,
    ) -> Result<Author<'a>, RepoError> {
        let why = match self.repo.signature(info.oid)? {
            Signature::By(key) => match keys.status_of(&key, info.oid)? {
                // What it may is asked of what the vault was then, which is not known any more.
                KeyStatus::Trusted(signer)
                    if signer.role == Member::Device
                        && keys.is_first_contact()
                        && self.perspective != Perspective::Server =>
                {
                    return Ok(Author::BeforeFirstContact);
                }
                KeyStatus::Trusted(signer) => {
                    reasons.extend(disagreement(info, signer));
                    return Ok(Author::Signer(signer));
                }
                KeyStatus::Retired(retired) => {
                    reasons.push(key_status::refusal(retired));
                    return Ok(Author::Unknown);
                }
                KeyStatus::Unknown => {
                    *recovery = Recovery::Trust;
                    self.unknown(&key)
                }
            },
            Signature::Unsigned => "it is not signed".to_owned(),
            Signature::Broken(why) => why,
        };
        if keys.is_first_contact() && self.perspective != Perspective::Server {
            *recovery = Recovery::Revert;
            return Ok(Author::BeforeFirstContact);
        }
        reasons.push(why);
        Ok(Author::Unknown)
    }

    fn unknown(&self, key: &PublicKey) -> String {
        let what = format!(
            "it is signed by a key that is not trusted here ({})",
            key.fingerprint()
        );
        match self.perspective {
            Perspective::Local => format!(
                "{what}; if it is your cloud host, run `platinum trust` with the line that \
                 `platinum-cloud key` shows there, if it is your phone, `platinum device add`"
            ),
            Perspective::Cloud => format!(
                "{what}; if it is your own machine, run `platinum-cloud trust` with the line that \
                 `platinum key` shows there"
            ),
            Perspective::Server => {
                format!("{what}; the hook trusts the keys in platinum/allowed_signers")
            }
        }
    }

    /// What no author may do.
    pub(crate) fn structure(&self, compared: &Comparison) -> Result<Vec<String>, RepoError> {
        let mut reasons: Vec<_> = compared.faults.iter().map(ToString::to_string).collect();
        for (path, mode) in &compared.odd_modes {
            reasons.push(format!(
                "{path} has mode {mode:o}, and a note is no program"
            ));
        }
        for changed in &compared.changed {
            if changed.change == Change::Delete {
                continue;
            }
            let path = &changed.path;
            if !is_synced(path) {
                reasons.push(format!(
                    "{path} is no note or attachment in a folder that is synced"
                ));
                continue;
            }
            let Some(blob) = changed.blob else { continue };
            let len = self.repo.blob_len(blob)?;
            if device_rules::is_lfs_blob(self.repo, path, (blob, len))? {
                let what = device_rules::LFS_POINTER;
                reasons.push(format!("{path} may not be: {what}"));
            }
            if len > MAX_FILE_BYTES {
                reasons.push(format!(
                    "{path} has {len} bytes; {MAX_FILE_BYTES} is the most"
                ));
            }
        }
        Ok(reasons)
    }
}

/// What a commit says of its maker against what its signature says. A commit that the owner made
/// by hand need not say anything.
fn disagreement(info: &CommitInfo, signer: &Signer) -> Vec<String> {
    let says = |key: &str, is: &str| -> Option<String> {
        let all: Vec<&str> = values(info, key).collect();
        match all.as_slice() {
            [one] if *one == is => None,
            [] if signer.role != Role::Cloud => None,
            [] => Some(format!("it does not say who made it ({key})")),
            [one] => Some(format!(
                "it says `{key}: {}`, but it is signed by {} ({})",
                one.escape_debug().take(64).collect::<String>(),
                signer.agent,
                signer.role
            )),
            _ => Some(format!("it says `{key}` more than once")),
        }
    };
    [
        says(TRAILER_AGENT, signer.agent.as_str()),
        says(TRAILER_ROLE, signer.role.as_str()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// That a commit changes more than is searched through.
pub(crate) fn too_many(most: usize) -> String {
    format!("it changes more than {most} files or folders at once")
}

pub(crate) fn violation(commit: Oid, author: Author<'_>, mut reasons: Vec<String>) -> Violation {
    let unlisted = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    Violation {
        commit: commit.to_string(),
        agent: author.signer().map(|signer| signer.agent.clone()),
        reasons,
        unlisted,
        recovery: Recovery::Revert,
        is_held: matches!(author, Author::Unknown) || author.device().is_some(),
    }
}

/// What a commit is verified against; a first one against nothing.
pub(crate) fn parents_of(info: &CommitInfo) -> Vec<Option<Oid>> {
    match info.parents.as_slice() {
        [] => vec![None],
        parents => parents.iter().copied().map(Some).collect(),
    }
}

/// Whose violation it is, for a person.
pub(crate) fn by(agent: Option<&AgentName>) -> String {
    agent.map_or_else(String::new, |agent| format!(" by {agent}"))
}
