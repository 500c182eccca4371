//! Who saw the log: the commits of this machine carry its end, and those of the cloud the newest end
//! that the cloud saw.
//!
//! Invariant: a commit counts by its own signature, whoever keeps the repository.

use std::{
    collections::{BTreeMap, HashSet, VecDeque},
    path::Path,
};

use platinum_core::{AgentName, Role};
use platinum_journal::Witness;
use platinum_repo::{
    CommitInfo, RefName, Repo, RepoError, Signature, Signers, TRAILER_AGENT, TRAILER_ROLE,
};
use platinum_sync::{JournalHead, TRAILER_JOURNAL, TRAILER_WITNESS};
use platinum_verify::Identity;

use super::state::WitnessRow;
use crate::sync::short_oid;

/// What commits say that they saw of this machine's log, among the newest so many. Each end once.
pub(super) fn read(
    state: &Path,
    identity: &Identity,
    most: usize,
) -> Result<Vec<Witness>, RepoError> {
    let git_dir = state.join(super::REPOSITORY);
    if !git_dir.join("HEAD").exists() {
        return Ok(Vec::new());
    }
    let repo = Repo::open_or_init(&git_dir)?;
    let signers = identity.signers().unwrap_or_default();
    let mut open: VecDeque<_> = repo.tip(RefName::Verified)?.into_iter().collect();
    open.extend(repo.outgoing()?);
    let (mut walked, mut known) = (HashSet::new(), HashSet::new());
    let mut witnesses = Vec::new();
    while let Some(oid) = open.pop_front() {
        if walked.len() >= most || !walked.insert(oid) {
            continue;
        }
        let info = repo.commit_info(oid)?;
        if let Some((agent, role, head)) = statement(&info, identity)
            && known.insert((agent.clone(), head.clone()))
            && is_signed_by(&repo, &signers, &info, &agent, role)
        {
            witnesses.push(Witness {
                entries: head.entries,
                head: head.hash,
                by: format!("commit {} by {agent}", short_oid(&oid.to_string())),
            });
        }
        open.extend(info.parents);
    }
    Ok(witnesses)
}

/// What a commit says, and who says so, if it is about this machine's log.
fn statement(info: &CommitInfo, identity: &Identity) -> Option<(AgentName, Role, JournalHead)> {
    let own = identity.own();
    let agent: AgentName = info.trailer(TRAILER_AGENT)?.parse().ok()?;
    let role: Role = info.trailer(TRAILER_ROLE)?.parse().ok()?;
    let head = match role {
        Role::Local if agent == own.agent => info.trailer(TRAILER_JOURNAL)?,
        Role::Local => return None,
        Role::Cloud => {
            let (about, head) = info.trailer(TRAILER_WITNESS)?.split_once(' ')?;
            (about == own.agent.as_str()).then_some(head)?
        }
    };
    Some((agent, role, head.parse().ok()?))
}

fn is_signed_by(
    repo: &Repo,
    signers: &Signers,
    info: &CommitInfo,
    agent: &AgentName,
    role: Role,
) -> bool {
    let Ok(Signature::By(key)) = repo.signature(info.oid) else {
        return false;
    };
    let retired = signers.retired(&key).map(|retired| &retired.signer);
    let signer = signers.of(&key).or(retired);
    signer.is_some_and(|signer| signer.agent == *agent && signer.role == role)
}

/// The furthest that each agent saw, by its words.
pub(super) fn newest_of_each(witnesses: &[Witness]) -> Vec<WitnessRow> {
    let mut newest: BTreeMap<&str, &Witness> = BTreeMap::new();
    for witness in witnesses {
        let agent = witness.by.rsplit(' ').next().unwrap_or_default();
        let seen = newest.entry(agent).or_insert(witness);
        if seen.entries < witness.entries {
            *seen = witness;
        }
    }
    let rows = newest.into_values().map(|witness| WitnessRow {
        by: witness.by.clone(),
        entries: witness.entries,
    });
    rows.collect()
}
