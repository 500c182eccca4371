//! Judging one commit that the remote brings.
//!
//! Who made a commit is what its signature says; author fields and trailers prove nothing, and
//! must agree with it. Before the first verified tip (a vault that is older than the house, a
//! machine set up anew) commits of strangers are the past: only what the tip holds is judged of
//! them, and nothing of theirs counts as approved.
//! Invariants: every commit is judged against each of its parents, never the sum of several: a
//! file that came and went is seen. After a violation, every commit is judged again as if it had
//! never come (`replay`). A violation counts as answered only by a commit of the local
//! half, later in the history, that names it.

use std::collections::BTreeSet;

use platinum_core::{AgentName, Role, VaultPath, layout};
use platinum_policy::{Change, check, is_synced};
use platinum_repo::{
    Changed, CommitInfo, Comparison, Edit, Oid, PublicKey, Repo, RepoError, Signature, Signer,
    Signers, TRAILER_AGENT, TRAILER_ROLE,
};

use super::{
    claims,
    doubles::{self, Doubled},
    history::{Author, Looked, values},
    keys::{self, Keys, Whose},
};
use crate::sync::{
    MAX_FILE, SyncError,
    error::{Remedy, Violation},
};

/// More files than this in one commit are not read.
pub(super) const MAX_CHANGES: usize = 1_000_000;
/// More files than this in one commit are no work of an agent that drafts.
pub(super) const MAX_CLOUD_CHANGES: usize = 100_000;
/// More lines than this are merged by nobody.
const MAX_PARENTS: usize = 64;
/// More reasons than this are counted, and not kept.
const MAX_REASONS: usize = 100;

/// Whose rules hold, and whom the advice is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The owner's machine.
    Local,
    /// A cloud host.
    Cloud,
    /// A server with the hook: nothing is taken on trust, not even the first commit.
    Server,
}

/// Who judges.
pub(super) struct Judge<'a> {
    pub(super) repo: &'a Repo,
    pub(super) view: View,
    pub(super) signers: &'a Signers,
    pub(super) own: Option<&'a PublicKey>,
    /// So many commits that are right are judged before they are handed on.
    pub(super) stretch: usize,
}

/// What was found between two tips.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// Up to where all is right, and was handed on.
    pub(super) base: Option<Oid>,
    /// What may not be applied, oldest first.
    pub(super) unanswered: Vec<Violation>,
    /// What may not be, but was undone by the local half since.
    pub(super) answered: Vec<Violation>,
    /// Files below `Approved/` that this host did not put there, at a first contact.
    pub(super) unproven: Vec<VaultPath>,
    /// What the files of the base become without what may not be.
    pub(super) clean: Vec<(VaultPath, Edit)>,
}

/// What below `Approved/` was put there last by this host itself, before the first contact.
#[derive(Debug, Default)]
pub(super) struct Approved(BTreeSet<VaultPath>);

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
    pub(super) fn is_own(&self, path: &VaultPath) -> bool {
        self.0.contains(path)
    }
}

impl<'a> Judge<'a> {
    pub(super) fn rewritten(&self, verified: Oid, tip: Oid) -> Violation {
        let what_to_do = match self.view {
            View::Server => String::new(),
            View::Local | View::Cloud => {
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
            remedy: Remedy::Owner,
        }
    }

    /// Judges one commit; notes who last put what below `Approved/`. `instead` is what to compare
    /// it with if what it stands on may not be, and is too much to be compared with.
    pub(super) fn commit(
        &self,
        info: &CommitInfo,
        keys: &Keys<'a>,
        instead: Option<Option<Oid>>,
        approved: &mut Approved,
    ) -> Result<(Looked<'a>, Option<Violation>), SyncError> {
        let mut reasons = Vec::new();
        let mut remedy = Remedy::Undo;
        let author = self.author(info, keys, &mut reasons, &mut remedy)?;
        let is_cloud = matches!(author, Author::Signer(signer) if signer.role == Role::Cloud);
        if is_cloud && info.parents.len() > 1 {
            reasons.push("it is a merge, and a cloud agent only adds to the tip".to_owned());
        }
        let is_past = matches!(author, Author::Past);
        let is_own = author.signer().map(|signer| &signer.key) == self.own && self.own.is_some();
        let most = match is_cloud {
            true => MAX_CLOUD_CHANGES,
            false => MAX_CHANGES,
        };
        let mut is_whole = false;
        let mut parents = parents_of(info);
        if parents.len() > MAX_PARENTS {
            parents.truncate(MAX_PARENTS);
            match is_past {
                true => *approved = Approved::default(),
                false => reasons.push(format!("it merges more than {MAX_PARENTS} lines at once")),
            }
        }
        for parent in parents {
            let compared = match (self.repo.compare(parent, info.oid, most), instead) {
                // Only what the tip holds is judged of the past, and what it approved is not known.
                (Err(RepoError::TooMany(_)), _) if is_past => {
                    is_whole = true;
                    *approved = Approved::default();
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
                    continue;
                }
                compared => compared?,
            };
            approved.note(is_own, &compared.changed);
            if is_past {
                continue;
            }
            reasons.extend(self.structure(&compared)?);
            if let Author::Signer(signer) = &author {
                reasons.extend(self.claims(signer, &compared.changed, &|path| {
                    let at = parent.map(|parent| self.repo.blob_at(parent, path));
                    Ok(at.transpose()?.flatten())
                })?);
                let pairs: Vec<_> = compared
                    .changed
                    .into_iter()
                    .map(|c| (c.path, c.change))
                    .collect();
                if let Err(violations) = check(signer.role, &signer.agent, &pairs) {
                    reasons.extend(violations.iter().map(ToString::to_string));
                }
                reasons.extend(self.doubled(signer, info.oid, &pairs)?);
            }
        }
        // One fault may have been found by two rules, or against two parents.
        let mut seen = BTreeSet::new();
        reasons.retain(|reason| seen.insert(reason.clone()));
        let looked = Looked {
            author,
            is_bad: !reasons.is_empty(),
            is_whole,
        };
        if reasons.is_empty() {
            return Ok((looked, None));
        }
        let mut violation = violation(info.oid, author, reasons);
        violation.remedy = remedy;
        Ok((looked, Some(violation)))
    }

    /// What a cloud agent does to claims that may not be.
    pub(super) fn claims(
        &self,
        signer: &Signer,
        changed: &[Changed],
        before: claims::Before<'_>,
    ) -> Result<Vec<String>, SyncError> {
        if signer.role == Role::Local {
            return Ok(Vec::new());
        }
        let faults = claims::faults(self.repo, &signer.agent, changed, before)?;
        Ok(faults.into_iter().map(|(_, sentence)| sentence).collect())
    }

    /// Tasks that a cloud agent makes or moves although they are somewhere else too.
    fn doubled(
        &self,
        signer: &Signer,
        commit: Oid,
        changes: &[(VaultPath, Change)],
    ) -> Result<Vec<String>, SyncError> {
        let made = doubles::made(changes);
        if signer.role == Role::Local || made.is_empty() {
            return Ok(Vec::new());
        }
        let folders = doubles::folders(self.repo, commit)?;
        if let Some(fault) = Doubled::too_many(&made, &folders) {
            return Ok(vec![fault.sentence(&signer.agent)]);
        }
        let mut reasons = Vec::new();
        for path in made {
            let others = doubles::other_places(path, &folders);
            let there = self.repo.blobs_at(commit, &others)?;
            let first = there.into_keys().next();
            let fault = first.map(|at| Doubled::At(path.clone(), at));
            reasons.extend(fault.map(|fault| fault.sentence(&signer.agent)));
        }
        Ok(reasons)
    }

    fn author(
        &self,
        info: &CommitInfo,
        keys: &Keys<'a>,
        reasons: &mut Vec<String>,
        remedy: &mut Remedy,
    ) -> Result<Author<'a>, SyncError> {
        let why = match self.repo.signature(info.oid)? {
            Signature::By(key) => match keys.whose(&key, info.oid)? {
                Whose::Signer(signer) => {
                    reasons.extend(disagreement(info, signer));
                    return Ok(Author::Signer(signer));
                }
                Whose::Retired(retired) => {
                    reasons.push(keys::refusal(retired));
                    return Ok(Author::Stranger);
                }
                Whose::Nobody => {
                    *remedy = Remedy::Trust;
                    self.unknown(&key)
                }
            },
            Signature::Unsigned => "it is not signed".to_owned(),
            Signature::Broken(why) => why,
        };
        if keys.is_first_contact() && self.view != View::Server {
            *remedy = Remedy::Undo;
            return Ok(Author::Past);
        }
        reasons.push(why);
        Ok(Author::Stranger)
    }

    fn unknown(&self, key: &PublicKey) -> String {
        let what = format!(
            "it is signed by a key that is not trusted here ({})",
            key.fingerprint()
        );
        match self.view {
            View::Local => format!(
                "{what}; if it is your cloud host, run `platinum trust` with the line that \
                 `platinum-cloud key` shows there"
            ),
            View::Cloud => format!(
                "{what}; if it is your own machine, run `platinum-cloud trust` with the line that \
                 `platinum key` shows there"
            ),
            View::Server => format!("{what}; the hook trusts the keys in platinum/allowed_signers"),
        }
    }

    /// What no author may do.
    pub(super) fn structure(&self, compared: &Comparison) -> Result<Vec<String>, SyncError> {
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
            let len = changed.blob.map(|blob| self.repo.blob_len(blob));
            let len = len.transpose()?.unwrap_or(0);
            if len > MAX_FILE {
                reasons.push(format!("{path} has {len} bytes; {MAX_FILE} is the most"));
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
            [] if signer.role == Role::Local => None,
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

/// That a commit changes more than is looked through.
pub(super) fn too_many(most: usize) -> String {
    format!("it changes more than {most} files or folders at once")
}

pub(super) fn violation(commit: Oid, author: Author<'_>, mut reasons: Vec<String>) -> Violation {
    let unlisted = reasons.len().saturating_sub(MAX_REASONS);
    reasons.truncate(MAX_REASONS);
    Violation {
        commit: commit.to_string(),
        agent: author.signer().map(|signer| signer.agent.clone()),
        reasons,
        unlisted,
        remedy: Remedy::Undo,
    }
}

/// What a commit is judged against; a first one against nothing.
pub(super) fn parents_of(info: &CommitInfo) -> Vec<Option<Oid>> {
    match info.parents.as_slice() {
        [] => vec![None],
        parents => parents.iter().copied().map(Some).collect(),
    }
}

/// Whose a violation is, for a person.
pub(super) fn by(agent: Option<&AgentName>) -> String {
    agent.map_or_else(String::new, |agent| format!(" by {agent}"))
}
