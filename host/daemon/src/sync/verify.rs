//! Judging what the remote brings before anything of it is applied.
//!
//! Invariants: every commit is judged against each of its parents, never the sum of several: a
//! file that came and went is seen. What was made here is known by its id alone; author fields
//! and trailers prove nothing, so a commit that merely says so is a violation.

use platinum_core::{AgentName, Role};
use platinum_policy::{Change, check, is_synced};
use platinum_repo::{Changed, CommitInfo, Oid, Repo, RepoError, TRAILER_AGENT, TRAILER_ROLE};

use super::{MAX_FILE, SyncError, Violation};

/// More commits than this at once are not read.
const MAX_COMMITS: usize = 100_000;

/// Who judges.
pub(super) struct Judge<'a> {
    pub(super) repo: &'a Repo,
    pub(super) agent: &'a AgentName,
    pub(super) role: Role,
}

impl Judge<'_> {
    /// Judges everything that `tip` has and `verified` has not.
    pub(super) fn judge(&self, verified: Option<Oid>, tip: Oid) -> Result<(), SyncError> {
        if verified == Some(tip) {
            return Ok(());
        }
        if let Some(verified) = verified
            && !self.repo.is_ancestor(verified, tip)?
        {
            return Err(SyncError::Violation(Violation {
                commit: tip.to_string(),
                agent: None,
                reasons: vec![format!(
                    "the remote's history was rewritten: it no longer has commit {verified}"
                )],
            }));
        }
        let made_here = self.repo.outgoing()?;
        for commit in self.repo.commits_between(verified, tip, MAX_COMMITS)? {
            if made_here.contains(&commit) {
                continue;
            }
            let info = self.repo.commit_info(commit)?;
            let reasons = self.faults(&info, verified.is_none())?;
            if !reasons.is_empty() {
                let agent = info
                    .trailer(TRAILER_AGENT)
                    .and_then(|name| name.parse().ok());
                let commit = commit.to_string();
                return Err(SyncError::Violation(Violation {
                    commit,
                    agent,
                    reasons,
                }));
            }
        }
        Ok(())
    }

    fn faults(&self, info: &CommitInfo, first_contact: bool) -> Result<Vec<String>, SyncError> {
        let (author, mut reasons) = self.author(info, first_contact);
        let parents: Vec<Option<Oid>> = match info.parents.as_slice() {
            [] => vec![None],
            parents => parents.iter().copied().map(Some).collect(),
        };
        for parent in parents {
            let changes = match self.repo.changes(parent, info.oid) {
                Ok(changes) => changes,
                Err(error @ RepoError::Foreign { .. }) => {
                    reasons.push(error.to_string());
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            for changed in &changes {
                reasons.extend(self.structure(changed)?);
            }
            if let Author::Cloud(agent) = &author {
                let pairs: Vec<_> = changes.into_iter().map(|c| (c.path, c.change)).collect();
                if let Err(violations) = check(Role::Cloud, agent, &pairs) {
                    reasons.extend(violations.iter().map(ToString::to_string));
                }
            }
        }
        // One fault may have been found by two rules.
        reasons.dedup();
        Ok(reasons)
    }

    /// As whom the commit is judged.
    fn author(&self, info: &CommitInfo, first_contact: bool) -> (Author, Vec<String>) {
        let named = info
            .trailer(TRAILER_AGENT)
            .and_then(|name| name.parse::<AgentName>().ok());
        let says_cloud = info.trailer(TRAILER_ROLE) == Some(Role::Cloud.as_str());
        let Some(agent) = named else {
            // A person's commit from before the house, or by hand. Local trusts nothing unnamed.
            let trusted = first_contact || self.role == Role::Cloud;
            let reasons = if trusted {
                Vec::new()
            } else {
                vec![format!(
                    "it does not say once which agent made it ({TRAILER_AGENT})"
                )]
            };
            return (Author::Owner, reasons);
        };
        if agent == *self.agent && !first_contact {
            let reason = format!("it says that agent {agent} made it, but it was not made here");
            return (Author::Owner, vec![reason]);
        }
        // Local is the only local: whoever else writes is judged as cloud, whatever it says. The
        // first contact of a machine set up anew finds its own earlier commits.
        let own_past = first_contact && agent == *self.agent;
        let cloud = match self.role {
            Role::Local => !own_past,
            Role::Cloud => says_cloud,
        };
        (
            if cloud {
                Author::Cloud(agent)
            } else {
                Author::Owner
            },
            Vec::new(),
        )
    }

    /// What no author may do.
    fn structure(&self, changed: &Changed) -> Result<Option<String>, SyncError> {
        if changed.change == Change::Delete {
            return Ok(None);
        }
        if !is_synced(&changed.path) {
            return Ok(Some(format!(
                "{} is no note or attachment in a folder that is synced",
                changed.path
            )));
        }
        let len = changed
            .blob
            .map(|blob| self.repo.blob_len(blob))
            .transpose()?
            .unwrap_or(0);
        Ok((len > MAX_FILE)
            .then(|| format!("{} has {len} bytes; {MAX_FILE} is the most", changed.path)))
    }
}

enum Author {
    /// Judged by the path table.
    Cloud(AgentName),
    /// May change everything that is synced.
    Owner,
}
