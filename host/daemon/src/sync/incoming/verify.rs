//! Judging what the remote brings, commit by commit.
//!
//! Who made a commit is what its signature says; author fields and trailers prove nothing, and
//! must agree with it. Before the first verified tip (a vault that is older than the house, a
//! machine set up anew) commits of strangers are the past: only what the tip holds is judged of
//! them, and nothing of theirs counts as approved.
//! Invariants: every commit is judged against each of its parents, never the sum of several: a
//! file that came and went is seen. After a violation, every commit is judged again as if it had
//! never come (`replay`). A violation counts as answered only by a commit of the local
//! half, later in the history, that names it.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::{AgentName, Role, VaultPath, layout};
use platinum_policy::{Change, check, is_synced};
use platinum_repo::{
    Changed, CommitInfo, Comparison, Edit, Oid, PublicKey, Repo, RepoError, Signature, Signer,
    Signers, TRAILER_AGENT, TRAILER_ROLE,
};

use super::{claims, doubles, replay::Replay, undoing::TRAILER_REVERTS};
use crate::sync::{
    MAX_FILE, SyncError,
    error::{Remedy, Violation},
};

/// More commits than this at once are not read.
const MAX_COMMITS: usize = 100_000;
/// More files than this in one commit are not read.
const MAX_CHANGES: usize = 1_000_000;
/// More files than this in one commit are no work of an agent that drafts.
const MAX_CLOUD_CHANGES: usize = 100_000;

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
}

/// What was found between two tips.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// What may not be applied, oldest first.
    pub(super) unanswered: Vec<Violation>,
    /// What may not be, but was undone by the local half since.
    pub(super) answered: Vec<Violation>,
    /// Files below `Approved/` that this host did not put there, at a first contact.
    pub(super) unproven: Vec<VaultPath>,
    /// What the files of the last verified tip become without what may not be.
    pub(super) clean: Vec<(VaultPath, Edit)>,
}

/// As whom a commit is judged.
enum Author {
    /// Whose key signed it.
    Signer(Signer),
    /// A stranger, before the first contact.
    Past,
    /// Nobody that is known.
    Stranger,
}

impl Judge<'_> {
    /// Judges everything that `tip` has and `verified` has not.
    pub(super) fn judge(&self, verified: Option<Oid>, tip: Oid) -> Result<Judged, SyncError> {
        if verified == Some(tip) {
            return Ok(Judged::default());
        }
        if let Some(verified) = verified
            && !self.repo.is_ancestor(verified, tip)?
        {
            return Err(SyncError::Violation(self.rewritten(verified, tip)));
        }
        let mut all = Vec::new();
        let mut found = BTreeMap::new();
        let mut approved = BTreeMap::new();
        for commit in self.repo.commits_between(verified, tip, MAX_COMMITS)? {
            let info = self.repo.commit_info(commit)?;
            let (author, violation) = self.commit(&info, verified.is_none(), &mut approved)?;
            found.extend(violation.map(|violation| (commit, violation)));
            all.push((info, author));
        }
        let clean = match found.is_empty() {
            true => Vec::new(),
            false => self.replay(verified, &all, &mut found)?,
        };
        let mut judged = Judged {
            clean,
            ..Judged::default()
        };
        for (info, _) in &all {
            let Some(violation) = found.remove(&info.oid) else {
                continue;
            };
            match self.is_answered(&violation, info.oid, &all, &found)? {
                true => judged.answered.push(violation),
                false => judged.unanswered.push(violation),
            }
        }
        self.knows_nobody(&mut judged);
        if verified.is_none() && self.view != View::Server {
            self.first_contact(tip, &approved, &mut judged)?;
        }
        Ok(judged)
    }

    /// Whether the local half made a commit later on that names it.
    fn is_answered(
        &self,
        violation: &Violation,
        commit: Oid,
        all: &[(CommitInfo, Author)],
        found: &BTreeMap<Oid, Violation>,
    ) -> Result<bool, SyncError> {
        for (info, author) in all {
            let is_local = matches!(author, Author::Signer(signer) if signer.role == Role::Local);
            if is_local
                && !found.contains_key(&info.oid)
                && values(info, TRAILER_REVERTS).any(|named| named == violation.commit)
                && self.repo.is_ancestor(commit, info.oid)?
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Goes from the verified tip to this one without the violations: finds those that are right
    /// only because of others, and what is left in the end.
    fn replay(
        &self,
        verified: Option<Oid>,
        all: &[(CommitInfo, Author)],
        found: &mut BTreeMap<Oid, Violation>,
    ) -> Result<Vec<(VaultPath, Edit)>, SyncError> {
        let mut replay = Replay::on(self.repo, verified);
        for (info, author) in all {
            if found.contains_key(&info.oid) {
                continue;
            }
            let mut reasons = Vec::new();
            if self.brings(info, found)? {
                reasons.push("it merges a commit that may not be".to_owned());
            }
            let mut changed = BTreeMap::new();
            for parent in parents_of(info) {
                let compared = self.repo.compare(parent, info.oid, usize::MAX)?;
                changed.extend(compared.changed.into_iter().map(|c| (c.path, c.blob)));
            }
            let retold = replay.retell(changed)?;
            let without = |reason: &str| format!("without what is undone before it, {reason}");
            for path in &retold.in_the_way {
                reasons.push(without(&format!("{path} would be where something else is")));
            }
            if let Author::Signer(signer) = author
                && let Err(violations) = check(signer.role, &signer.agent, &retold.changes)
            {
                reasons.extend(violations.iter().map(|v| without(&v.to_string())));
            }
            if let Author::Signer(signer) = author
                && signer.role == Role::Cloud
                && let Some((path, at)) = replay.doubled(info.oid, &retold)?
            {
                reasons.push(without(&doubles::sentence(&signer.agent, &path, &at)));
            }
            if let Author::Signer(signer) = author {
                let faults = self.claims(signer, &retold.compared(), &|path| replay.now(path))?;
                reasons.extend(faults.iter().map(|fault| without(fault)));
            }
            match reasons.is_empty() {
                true => replay.apply(retold),
                false => drop(found.insert(info.oid, violation(info.oid, author, reasons))),
            }
        }
        replay.into_edits()
    }

    /// Whether a commit merges a violation into a line that did not have it.
    fn brings(
        &self,
        info: &CommitInfo,
        found: &BTreeMap<Oid, Violation>,
    ) -> Result<bool, SyncError> {
        if info.parents.len() < 2 {
            return Ok(false);
        }
        for bad in found.keys() {
            let mut have = 0;
            for parent in &info.parents {
                have += usize::from(self.repo.is_ancestor(*bad, *parent)?);
            }
            if have > 0 && have < info.parents.len() {
                return Ok(true);
            }
        }
        Ok(false)
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
        approved: &BTreeMap<VaultPath, bool>,
        judged: &mut Judged,
    ) -> Result<(), SyncError> {
        if judged.unanswered.is_empty() {
            let mut whole = self.repo.compare(None, tip, MAX_CHANGES)?;
            // A vault may have been on systems that mark every file as a program.
            whole.odd_modes.clear();
            let mut reasons = self.structure(&whole)?;
            if !reasons.is_empty() {
                reasons.push(
                    "it comes from before this host knew the remote, and is not undone by itself: \
                     take it out of the remote with a commit, or choose another remote"
                        .to_owned(),
                );
                judged.unanswered.push(Violation {
                    commit: tip.to_string(),
                    agent: None,
                    reasons,
                    remedy: Remedy::Owner,
                });
            }
        }
        if self.view == View::Local {
            for path in self.below_approved(tip)? {
                if approved.get(&path) != Some(&true) {
                    judged.unproven.push(path);
                }
            }
        }
        Ok(())
    }

    fn below_approved(&self, tip: Oid) -> Result<Vec<VaultPath>, SyncError> {
        Ok(self
            .repo
            .compare(None, tip, MAX_CHANGES)?
            .changed
            .into_iter()
            .map(|changed| changed.path)
            .filter(|path| path.is_within(layout::APPROVED))
            .collect())
    }

    fn rewritten(&self, verified: Oid, tip: Oid) -> Violation {
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
            remedy: Remedy::Owner,
        }
    }

    /// Judges one commit; notes who last put what below `Approved/`.
    fn commit(
        &self,
        info: &CommitInfo,
        is_first: bool,
        approved: &mut BTreeMap<VaultPath, bool>,
    ) -> Result<(Author, Option<Violation>), SyncError> {
        let mut reasons = Vec::new();
        let mut remedy = Remedy::Undo;
        let author = self.author(info, is_first, &mut reasons, &mut remedy)?;
        if let Author::Signer(signer) = &author
            && signer.role == Role::Cloud
            && info.parents.len() > 1
        {
            reasons.push("it is a merge, and a cloud agent only adds to the tip".to_owned());
        }
        let is_cloud = matches!(&author, Author::Signer(signer) if signer.role == Role::Cloud);
        let most = match is_cloud {
            true => MAX_CLOUD_CHANGES,
            false => MAX_CHANGES,
        };
        for parent in parents_of(info) {
            let compared = match self.repo.compare(parent, info.oid, most) {
                Err(RepoError::TooMany(most)) => {
                    reasons.push(format!("it changes more than {most} files at once"));
                    continue;
                }
                compared => compared?,
            };
            self.note_approved(&author, &compared.changed, approved);
            if matches!(author, Author::Past) {
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
        if reasons.is_empty() {
            return Ok((author, None));
        }
        let mut violation = violation(info.oid, &author, reasons);
        violation.remedy = remedy;
        Ok((author, Some(violation)))
    }

    /// What a cloud agent does to claims that may not be.
    fn claims(
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
        let mut reasons = Vec::new();
        for path in made {
            let others = doubles::other_places(path, &folders);
            let there = self.repo.blobs_at(commit, &others)?;
            let first = there.keys().next();
            reasons.extend(first.map(|at| doubles::sentence(&signer.agent, path, at)));
        }
        Ok(reasons)
    }

    fn author(
        &self,
        info: &CommitInfo,
        is_first: bool,
        reasons: &mut Vec<String>,
        remedy: &mut Remedy,
    ) -> Result<Author, SyncError> {
        let why = match self.repo.signature(info.oid)? {
            Signature::By(key) => match self.signers.of(&key) {
                Some(signer) => {
                    reasons.extend(disagreement(info, signer));
                    return Ok(Author::Signer(signer.clone()));
                }
                None => {
                    *remedy = Remedy::Trust;
                    self.unknown(&key)
                }
            },
            Signature::Unsigned => "it is not signed".to_owned(),
            Signature::Broken(why) => why,
        };
        if is_first && self.view != View::Server {
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

    fn note_approved(
        &self,
        author: &Author,
        changed: &[Changed],
        approved: &mut BTreeMap<VaultPath, bool>,
    ) {
        let is_own = matches!(author, Author::Signer(signer) if Some(&signer.key) == self.own);
        for change in changed {
            if change.path.is_within(layout::APPROVED) {
                approved.insert(change.path.clone(), is_own);
            }
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

fn values<'a>(info: &'a CommitInfo, key: &'a str) -> impl Iterator<Item = &'a str> {
    info.trailers
        .iter()
        .filter(move |(k, _)| k == key)
        .map(|(_, value)| value.as_str())
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

fn violation(commit: Oid, author: &Author, reasons: Vec<String>) -> Violation {
    let agent = match author {
        Author::Signer(signer) => Some(signer.agent.clone()),
        Author::Past | Author::Stranger => None,
    };
    Violation {
        commit: commit.to_string(),
        agent,
        reasons,
        remedy: Remedy::Undo,
    }
}

/// What a commit is judged against; a first one against nothing.
fn parents_of(info: &CommitInfo) -> Vec<Option<Oid>> {
    match info.parents.as_slice() {
        [] => vec![None],
        parents => parents.iter().copied().map(Some).collect(),
    }
}

/// Whose a violation is, for a person.
pub(super) fn by(agent: Option<&AgentName>) -> String {
    agent.map_or_else(String::new, |agent| format!(" by {agent}"))
}
