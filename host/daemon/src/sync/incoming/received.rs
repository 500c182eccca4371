//! Secrets among what the remote brings: the owner hears of each of them once.
//!
//! They are applied like everything else. A host that refused what the remote holds already would
//! keep no secret, and lose the work it is in; what helps is that the owner changes it.
//! Lives elsewhere: keeping secrets from getting there is the gate's, on the host that writes them
//! and on a server with the hook.
//! Invariants: what this host gave itself has passed its own gate, and text that a commit only
//! moves was told of when it came; at a first contact only what the tip holds is looked through; no
//! sentence repeats a secret; what cannot be looked through stops no sync.

use std::collections::BTreeSet;

use platinum_core::Role;
use platinum_repo::{CommitInfo, Oid, RepoError, Signature, TRAILER_AGENT};

use super::{passing::STRETCH, verify::MAX_CLOUD_CHANGES};
use crate::sync::{
    MAX_FILE, SyncError,
    gate::{self, Held, Thing},
    side::Side,
};

/// Of more files than these at once, one sentence tells.
const MAX_SENTENCES: usize = 5;
/// So many findings are looked into; it takes a look into the whole vault for each of them.
const MAX_LOOKED_INTO: usize = 100;

impl Side {
    /// What the owner is told of secrets that `tip` has and `verified` has not.
    pub(super) fn received(&self, verified: Option<Oid>, tip: Oid) -> Vec<String> {
        if self.role == Role::Cloud {
            return Vec::new();
        }
        let found = match verified {
            Some(verified) => self.brought(verified, tip),
            None => self.held_by(tip),
        };
        match found {
            Ok(found) => {
                for (held, agent) in &found {
                    tracing::warn!("{}", sentence(held, agent));
                }
                told(&found)
            }
            Err(error) => {
                tracing::warn!("Whether the remote brings secrets is not known: {error}");
                Vec::new()
            }
        }
    }

    /// Tells it.
    pub(super) fn tell_received(&self, sentences: &[String]) {
        for sentence in sentences {
            self.tell(None, sentence);
        }
    }

    fn brought(&self, verified: Oid, tip: Oid) -> Result<Vec<(Held, String)>, SyncError> {
        let (repo, scanner) = (&self.repo, self.gate.scanner());
        let mut told = BTreeSet::new();
        let mut news = Vec::new();
        let mut looked_into = 0;
        let commits = repo.commits_between(Some(verified), tip, usize::MAX)?;
        for (at, commit) in commits.into_iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
                repo.forget()?;
            }
            let info = repo.commit_info(commit)?;
            if self.is_own(&info)? {
                continue;
            }
            let parent = info.parents.first().copied();
            match repo.compare(parent, commit, MAX_CLOUD_CHANGES) {
                // It is undone, unread.
                Err(RepoError::TooMany(_)) => continue,
                compared => compared.map(drop)?,
            }
            let (found, _) = gate::find(repo, scanner, parent, commit)?;
            let given = self.gate.given(repo, info.parents.iter().copied());
            for held in found {
                if held.thing == Thing::Foreign || held.within != commit {
                    continue;
                }
                looked_into += 1;
                if looked_into > MAX_LOOKED_INTO {
                    return Ok(news);
                }
                if !gate::is_given(repo, &held, &given)?
                    && told.insert((held.raw.clone(), what(&held).to_owned()))
                {
                    let agent = info.trailer(TRAILER_AGENT).unwrap_or("somebody");
                    news.push((held, agent.to_owned()));
                }
            }
        }
        Ok(news)
    }

    /// Whether this host made a commit: its own gate has looked at that.
    fn is_own(&self, info: &CommitInfo) -> Result<bool, SyncError> {
        let own = &self.identity.own().key;
        Ok(matches!(self.repo.signature(info.oid)?, Signature::By(key) if key == *own))
    }

    /// What a tip holds, whoever put it there.
    fn held_by(&self, tip: Oid) -> Result<Vec<(Held, String)>, SyncError> {
        let mut found = Vec::new();
        for changed in self.repo.compare(None, tip, usize::MAX)?.changed {
            let Some(blob) = changed.blob.filter(|_| found.len() < MAX_LOOKED_INTO) else {
                continue;
            };
            match self.repo.read_blob(blob, MAX_FILE) {
                Ok(bytes) => {
                    found.extend(gate::look(self.gate.scanner(), tip, &changed.path, &bytes));
                }
                Err(RepoError::TooLarge { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        let by = |held| (held, "somebody before this machine".to_owned());
        Ok(found.into_iter().map(by).collect())
    }
}

/// What was found and in which line, without the advice for a file that does not go out.
fn what(held: &Held) -> &str {
    held.reason.split(';').next().unwrap_or(&held.reason)
}

fn told(found: &[(Held, String)]) -> Vec<String> {
    match found {
        [(first, _), ..] if found.len() > MAX_SENTENCES => vec![format!(
            "The remote has what look like {} secrets, and keeps them in its history: {}, in {}, \
             and more. Change those that give access to anything; the log names all",
            found.len(),
            what(first),
            shown(first)
        )],
        few => few
            .iter()
            .map(|(held, agent)| sentence(held, agent))
            .collect(),
    }
}

fn sentence(held: &Held, agent: &str) -> String {
    format!(
        "The remote has what looks like a secret, and keeps it in its history: {}, in {} by {}. If \
         it gives access to anything, change it",
        what(held),
        shown(held),
        agent.chars().take(64).collect::<String>()
    )
}

fn shown(held: &Held) -> String {
    match held.path.is_empty() {
        true => "a commit".to_owned(),
        false => held.path.chars().take(120).collect(),
    }
}
