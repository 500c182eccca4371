//! [`IncomingSecrets`]: secrets among what the remote brings, reported to the owner once each.
//!
//! They are applied like everything else. A host that refused what the remote holds already would
//! keep no secret, and lose the work it is in; what helps is that the owner changes it.
//! Lives elsewhere: keeping secrets from getting there is the gate's, on the host that writes them
//! and on a server with the hook.
//! Invariants: what this host pushed itself has passed its own gate, and text that a commit only
//! moves was reported when it came; at a first contact only what the tip holds is inspected; no
//! message repeats a secret; what cannot be inspected stops no sync.

use std::collections::BTreeSet;

use platinum_core::Role;
use platinum_policy::MAX_FILE_BYTES;
use platinum_repo::{CommitInfo, Oid, Repo, RepoError, Signature, Signers};

use crate::{
    Identity,
    gate::{self, BlockedItem, Gate, ItemKind},
    verifier::MAX_CLOUD_CHANGES,
    walk::BATCH,
};

/// More files than these at once are reported in one sentence.
const MAX_SENTENCES: usize = 5;
/// So many findings are inspected whose very bytes are not there: it takes a comparison with other
/// versions of the note for each of them.
const MAX_INSPECTED: usize = 100;

/// Secrets that came, each with the agent that pushed it.
#[derive(Default)]
struct FoundSecrets {
    items: Vec<(BlockedItem, String)>,
    /// Whether there may be more.
    has_more: bool,
}

/// Reports secrets among what the remote brings.
pub struct IncomingSecrets<'a> {
    /// The repository.
    pub repo: &'a Repo,
    /// The role of this host: the cloud reports nothing.
    pub role: Role,
    /// What knows a secret, and what was published before.
    pub gate: &'a Gate,
    /// Whose key is this host's own.
    pub identity: &'a Identity,
}

impl IncomingSecrets<'_> {
    /// What the owner is notified of: secrets that `tip` has and `verified` has not.
    pub fn messages(&self, verified: Option<Oid>, tip: Oid) -> Vec<String> {
        if self.role == Role::Cloud {
            return Vec::new();
        }
        let found = match verified {
            Some(verified) => self.brought(verified, tip),
            None => self.found_at(tip),
        };
        match found {
            Ok(found) => {
                for (item, agent) in &found.items {
                    tracing::warn!("{}.", sentence(item, agent));
                }
                messages(&found)
            }
            Err(error) => {
                tracing::warn!("Cannot check whether the remote brings secrets: {error}.");
                Vec::new()
            }
        }
    }

    fn brought(&self, verified: Oid, tip: Oid) -> Result<FoundSecrets, RepoError> {
        let repo = self.repo;
        let signers = self.identity.signers().unwrap_or_default();
        let (mut reported, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut found_secrets = FoundSecrets::default();
        let mut inspected = 0;
        let commits = repo.commits_between(Some(verified), tip, usize::MAX)?;
        for (at, commit) in commits.into_iter().enumerate() {
            if at % BATCH == BATCH - 1 {
                repo.drop_caches()?;
            }
            let info = repo.commit_info(commit)?;
            let signature = repo.signature(commit)?;
            if matches!(&signature, Signature::By(key) if *key == self.identity.own().key) {
                continue;
            }
            let Some(found) = self.found_in(&info, &mut seen)? else {
                continue;
            };
            let published = self
                .gate
                .published(repo, Some(verified), info.parents.iter().copied());
            for item in found {
                let key = (item.raw.clone(), what(&item).to_owned());
                if reported.contains(&key)
                    || (item.kind == ItemKind::Content && published.has_blob(item.oid)?)
                {
                    continue;
                }
                if inspected == MAX_INSPECTED {
                    found_secrets.has_more = true;
                    return Ok(found_secrets);
                }
                inspected += 1;
                if !gate::is_published(repo, &item, &published)? {
                    reported.insert(key);
                    found_secrets
                        .items
                        .push((item, signer(&signature, &signers)));
                }
            }
        }
        Ok(found_secrets)
    }

    /// What is found in a commit; none if it has so much, or such things, that it is reverted unread.
    fn found_in(
        &self,
        info: &CommitInfo,
        seen: &mut BTreeSet<Oid>,
    ) -> Result<Option<Vec<BlockedItem>>, RepoError> {
        let parent = info.parents.first().copied();
        let blocked = self
            .repo
            .compare(parent, info.oid, MAX_CLOUD_CHANGES)
            .and_then(|_| gate::find_in_commit(self.repo, self.gate.scanner(), info.oid, seen));
        match blocked {
            Err(RepoError::TooMany(_) | RepoError::Foreign { .. }) => Ok(None),
            blocked => {
                let mut found = blocked?;
                found.retain(|item| item.kind != ItemKind::Foreign);
                Ok(Some(found))
            }
        }
    }

    /// What a tip holds, whichever agent put it there.
    fn found_at(&self, tip: Oid) -> Result<FoundSecrets, RepoError> {
        let mut found_secrets = FoundSecrets::default();
        for changed in self.repo.compare(None, tip, usize::MAX)?.changed {
            let Some(blob) = changed.blob else {
                continue;
            };
            if found_secrets.items.len() >= MAX_INSPECTED {
                found_secrets.has_more = true;
                break;
            }
            let there = (&changed.path, blob);
            match self.repo.read_blob(blob, MAX_FILE_BYTES) {
                Ok(bytes) => {
                    let found = gate::scan_file(self.gate.scanner(), tip, there, &bytes);
                    let by = |item| (item, "an agent before this machine".to_owned());
                    found_secrets.items.extend(found.into_iter().map(by));
                }
                Err(RepoError::TooLarge { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found_secrets)
    }
}

/// Whose commit it is, as far as it is proven.
fn signer(signature: &Signature, signers: &Signers) -> String {
    match signature {
        Signature::By(key) => signers.of(key).map(|signer| signer.agent.to_string()),
        _ => None,
    }
    .unwrap_or_else(|| "an unknown agent".to_owned())
}

/// What was found and in which line, without the advice for a file that does not go out.
fn what(item: &BlockedItem) -> &str {
    item.reason.split(';').next().unwrap_or(&item.reason)
}

fn messages(found_secrets: &FoundSecrets) -> Vec<String> {
    match found_secrets.items.as_slice() {
        [(first, _), ..] if found_secrets.has_more || found_secrets.items.len() > MAX_SENTENCES => {
            let (number, which) = match found_secrets.has_more {
                true => ("at least ", "these"),
                false => ("", "all"),
            };
            vec![format!(
                "The remote has what look like {number}{} secrets, and keeps them in its history: \
                 {}, in {}, and more. Change those that give access to anything; the log names \
                 {which}",
                found_secrets.items.len(),
                what(first),
                shown(first)
            )]
        }
        few => few
            .iter()
            .map(|(item, agent)| sentence(item, agent))
            .collect(),
    }
}

fn sentence(item: &BlockedItem, agent: &str) -> String {
    format!(
        "The remote has what looks like a secret, and keeps it in its history: {}, in {} by {}. If \
         it gives access to anything, change it",
        what(item),
        shown(item),
        agent.chars().take(64).collect::<String>()
    )
}

fn shown(item: &BlockedItem) -> String {
    match item.path.is_empty() {
        true => "a commit".to_owned(),
        false => item.path.chars().take(120).collect(),
    }
}
