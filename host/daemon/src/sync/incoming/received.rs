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
use platinum_repo::{CommitInfo, Oid, RepoError, Signature, Signers};

use super::{passing::STRETCH, verify::MAX_CLOUD_CHANGES};
use crate::sync::{
    MAX_FILE, SyncError,
    gate::{self, Held, Thing},
    side::Side,
};

/// Of more files than these at once, one sentence tells.
const MAX_SENTENCES: usize = 5;
/// So many findings are looked into whose very bytes are not there: it takes a look at other
/// versions of the note for each of them.
const MAX_LOOKED_INTO: usize = 100;

/// Secrets that came, each with the agent that brought it.
#[derive(Default)]
struct News {
    found: Vec<(Held, String)>,
    /// Whether there may be more.
    more: bool,
}

impl Side {
    /// What the owner is told of secrets that `tip` has and `verified` has not.
    pub(super) fn received(&self, verified: Option<Oid>, tip: Oid) -> Vec<String> {
        if self.role == Role::Cloud {
            return Vec::new();
        }
        let news = match verified {
            Some(verified) => self.brought(verified, tip),
            None => self.held_by(tip),
        };
        match news {
            Ok(news) => {
                for (held, agent) in &news.found {
                    tracing::warn!("{}", sentence(held, agent));
                }
                told(&news)
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

    fn brought(&self, verified: Oid, tip: Oid) -> Result<News, SyncError> {
        let repo = &self.repo;
        let signers = self.identity.signers().unwrap_or_default();
        let (mut told, mut seen) = (BTreeSet::new(), BTreeSet::new());
        let mut news = News::default();
        let mut looked_into = 0;
        let commits = repo.commits_between(Some(verified), tip, usize::MAX)?;
        for (at, commit) in commits.into_iter().enumerate() {
            if at % STRETCH == STRETCH - 1 {
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
            let given = self
                .gate
                .given(repo, Some(verified), info.parents.iter().copied());
            for held in found {
                let key = (held.raw.clone(), what(&held).to_owned());
                if told.contains(&key)
                    || (held.thing == Thing::Content && given.has_blob(held.oid)?)
                {
                    continue;
                }
                if looked_into == MAX_LOOKED_INTO {
                    news.more = true;
                    return Ok(news);
                }
                looked_into += 1;
                if !gate::is_given(repo, &held, &given)? {
                    told.insert(key);
                    news.found.push((held, signer(&signature, &signers)));
                }
            }
        }
        Ok(news)
    }

    /// What is found in a commit; none if it has so much, or such things, that it is undone unread.
    fn found_in(
        &self,
        info: &CommitInfo,
        seen: &mut BTreeSet<Oid>,
    ) -> Result<Option<Vec<Held>>, SyncError> {
        let parent = info.parents.first().copied();
        let looked = self
            .repo
            .compare(parent, info.oid, MAX_CLOUD_CHANGES)
            .and_then(|_| gate::find_in(&self.repo, self.gate.scanner(), info.oid, seen));
        match looked {
            Err(RepoError::TooMany(_) | RepoError::Foreign { .. }) => Ok(None),
            looked => {
                let mut found = looked?;
                found.retain(|held| held.thing != Thing::Foreign);
                Ok(Some(found))
            }
        }
    }

    /// What a tip holds, whoever put it there.
    fn held_by(&self, tip: Oid) -> Result<News, SyncError> {
        let mut news = News::default();
        for changed in self.repo.compare(None, tip, usize::MAX)?.changed {
            let Some(blob) = changed.blob else {
                continue;
            };
            if news.found.len() >= MAX_LOOKED_INTO {
                news.more = true;
                break;
            }
            let there = (&changed.path, blob);
            match self.repo.read_blob(blob, MAX_FILE) {
                Ok(bytes) => {
                    let found = gate::look(self.gate.scanner(), tip, there, &bytes);
                    let by = |held| (held, "somebody before this machine".to_owned());
                    news.found.extend(found.into_iter().map(by));
                }
                Err(RepoError::TooLarge { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(news)
    }
}

/// Whose commit it is, as far as it is proven.
fn signer(signature: &Signature, signers: &Signers) -> String {
    match signature {
        Signature::By(key) => signers.of(key).map(|signer| signer.agent.to_string()),
        _ => None,
    }
    .unwrap_or_else(|| "somebody".to_owned())
}

/// What was found and in which line, without the advice for a file that does not go out.
fn what(held: &Held) -> &str {
    held.reason.split(';').next().unwrap_or(&held.reason)
}

fn told(news: &News) -> Vec<String> {
    match news.found.as_slice() {
        [(first, _), ..] if news.more || news.found.len() > MAX_SENTENCES => {
            let (number, which) = match news.more {
                true => ("at least ", "these"),
                false => ("", "all"),
            };
            vec![format!(
                "The remote has what look like {number}{} secrets, and keeps them in its history: \
                 {}, in {}, and more. Change those that give access to anything; the log names \
                 {which}",
                news.found.len(),
                what(first),
                shown(first)
            )]
        }
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
