//! [`check`]: who may change which path, judged over a whole commit or one write.
//!
//! The table, for the cloud (local may change everything):
//!
//! | path | cloud may |
//! |---|---|
//! | `Needs_Action/<zone>/` | create; delete a task by a claim, in shared zones |
//! | `In_Progress/<self>/` | everything but to change or remove conflict copies; a task arrives by a claim and leaves to be finished or released |
//! | `Plans/`, `Pending_Approval/`, `Updates/<self>/` | create |
//! | `Done/<year>/<month>/` | create a task, with the delete of the same in `In_Progress/<self>/`; no month before it was made |
//! | everything else | nothing |
//!
//! What a device may is in `devices.rs`.
//!
//! A task is a file `task_<ulid>.md` in exactly these folders: other files that wait beside tasks
//! are the owner's, and stay.
//!
//! Lives elsewhere: whether a path is synced at all is in `synced.rs`; who won a claim is for
//! `protocol`; whether a note's text is right is for `vault`.
//! Invariants: pure; names no agent but the one that acts; every violation is reported, not only
//! the first.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use platinum_core::{AgentName, Member, Role, TaskId, VaultPath, ZoneId, layout};

use crate::{devices, is_synced};

/// What happens to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Change {
    /// It was not there.
    Create,
    /// It was there, and its content or mode differs.
    Modify,
    /// It is gone.
    Delete,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Change::Create => "create",
            Change::Modify => "modify",
            Change::Delete => "delete",
        })
    }
}

/// Which rule a change breaks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// The path is the owner's.
    NotYours,
    /// It is on no list of what is synced.
    NotSynced,
    /// Only new files are allowed there.
    CreateOnly,
    /// It is not `Needs_Action/<zone>/<file>`.
    NotInZone,
    /// Only the owner's machine may claim in this zone.
    LocalZone(ZoneId),
    /// A task left `Needs_Action` without arriving in the agent's own folder: the path missing.
    NotAClaim(String),
    /// A task arrived in the agent's own folder without leaving `Needs_Action`.
    NotClaimed,
    /// A task left the agent's own folder without arriving anywhere.
    Dropped,
    /// A task would be in two places.
    Doubled,
    /// It is not a task, and only tasks are claimed and finished.
    NoTask,
    /// A task below the agent's own folder, where none is looked for.
    TooDeep,
    /// A conflict copy is changed or removed.
    Copy,
    /// The folder of another agent.
    OtherAgent(String),
    /// It is not `Done/<year>/<month>/<file>`.
    NotInMonth,
    /// Filed in a month in which it is not looked for.
    BeforeItsTime,
    /// Finished without having been owned: the path that should have gone.
    NotOwned(String),
    /// A draft is made, approved, rejected or removed on a device.
    Decision,
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Rule::NotYours => f.write_str("only the owner's machine changes it"),
            Rule::NotSynced => {
                f.write_str("it is not a note or attachment in a folder that is synced")
            }
            Rule::CreateOnly => f.write_str("only new files are allowed there"),
            Rule::NotInZone => f.write_str("a task is at Needs_Action/<zone>/<file>"),
            Rule::LocalZone(zone) => {
                write!(f, "tasks of zone {zone} belong to the owner's machine")
            }
            Rule::NotAClaim(expected) => {
                write!(
                    f,
                    "a task leaves Needs_Action by a claim, which creates {expected} with it"
                )
            }
            Rule::NotClaimed => f.write_str(
                "a task arrives there by a claim, which deletes it in a shared zone of \
                 Needs_Action with it",
            ),
            Rule::Dropped => f.write_str(
                "a task leaves there when it is finished or released, which creates it in Done \
                 or Needs_Action with it",
            ),
            Rule::Doubled => f.write_str("the same task is created in another place with it"),
            Rule::NoTask => f.write_str(
                "only a task is claimed or finished, and the file of a task is task_<id>.md",
            ),
            Rule::TooDeep => f.write_str("a task is at In_Progress/<agent>/<file>"),
            Rule::Copy => f.write_str("a conflict copy is the owner's to look through"),
            Rule::OtherAgent(agent) => write!(f, "the folder belongs to agent {agent}"),
            Rule::Decision => f.write_str(
                "a draft is only edited on a device; what becomes of it is decided on the owner's machine",
            ),
            Rule::NotInMonth => f.write_str("a finished task is at Done/<year>/<month>/<file>"),
            Rule::BeforeItsTime => f.write_str("it is filed in a month before it was made"),
            Rule::NotOwned(expected) => {
                write!(
                    f,
                    "a task is finished by its owner, which deletes {expected} with it"
                )
            }
        }
    }
}

/// One change that is not allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{} may not {change} {path}: {rule}", .role.describe(.agent))]
pub struct Violation {
    /// As what it was judged.
    pub role: Member,
    /// The agent that was judged.
    pub agent: AgentName,
    /// Where.
    pub path: VaultPath,
    /// What.
    pub change: Change,
    /// Why not.
    pub rule: Rule,
}

/// Judges the changes of one commit, or of one write, together: a claim is the delete in
/// `Needs_Action` and the create of the same file name in `In_Progress/<agent>`.
///
/// # Errors
/// Every change that is not allowed.
pub fn check(
    role: impl Into<Member>,
    agent: &AgentName,
    changes: &[(VaultPath, Change)],
) -> Result<(), Vec<Violation>> {
    let role = role.into();
    let mut own = match role {
        Member::Host(Role::Local) => return Ok(()),
        Member::Host(Role::Cloud) => Some(Own::of(agent, changes)),
        Member::Device => None,
    };
    let violations: Vec<_> = changes
        .iter()
        .filter_map(|(path, change)| {
            let rule = match &mut own {
                Some(own) => broken(agent, path, *change, own),
                None => devices::broken(path, *change),
            }?;
            Some(Violation {
                role,
                agent: agent.clone(),
                path: path.clone(),
                change: *change,
                rule,
            })
        })
        .collect();
    if violations.is_empty() {
        Ok(())
    } else {
        Err(violations)
    }
}

/// File names that arrive in and leave the agent's own folder. Each can stand for one claim or
/// one finished task, and is used up by it.
struct Own {
    arriving: BTreeSet<String>,
    leaving: BTreeSet<String>,
    /// File names that leave a shared zone of `Needs_Action`.
    claimed: BTreeSet<String>,
    /// File names that arrive in `Done` or `Needs_Action`.
    settled: BTreeMap<String, u32>,
}

impl Own {
    fn of(agent: &AgentName, changes: &[(VaultPath, Change)]) -> Self {
        let own = format!("{}/{agent}/", layout::IN_PROGRESS);
        let names = |wanted: Change| {
            changes
                .iter()
                .filter(|(_, change)| *change == wanted)
                .filter_map(|(path, _)| path.as_str().strip_prefix(&own))
                .filter(|name| !name.contains('/'))
                .map(str::to_owned)
                .collect()
        };
        let elsewhere = |wanted: Change, is_one: &dyn Fn(&[&str]) -> bool| -> Vec<String> {
            changes
                .iter()
                .filter(|(_, change)| *change == wanted)
                .filter(|(path, _)| is_one(&path.components().collect::<Vec<_>>()))
                .map(|(path, _)| path.file_name().to_owned())
                .collect()
        };
        let mut settled = BTreeMap::new();
        for name in elsewhere(Change::Create, &|parts| {
            matches!(
                parts,
                [layout::NEEDS_ACTION, _, _] | [layout::DONE, _, _, _]
            )
        }) {
            *settled.entry(name).or_default() += 1;
        }
        Own {
            arriving: names(Change::Create),
            leaving: names(Change::Delete),
            claimed: elsewhere(Change::Delete, &|parts| {
                matches!(parts, [layout::NEEDS_ACTION, zone, _]
                    if zone.parse::<ZoneId>().is_ok_and(|zone| !crate::is_local_only(zone)))
            })
            .into_iter()
            .collect(),
            settled,
        }
    }
}

/// Which rule the cloud breaks by this change, if it breaks one.
fn broken(agent: &AgentName, path: &VaultPath, change: Change, own: &mut Own) -> Option<Rule> {
    let parts: Vec<&str> = path.components().collect();
    let rule = match (parts.as_slice(), change) {
        ([layout::NEEDS_ACTION, zone, name], _) => match zone.parse::<ZoneId>() {
            Err(_) => Some(Rule::NotInZone),
            Ok(zone) => waiting(agent, zone, name, change, own),
        },
        ([layout::NEEDS_ACTION, _, ..], _) => Some(Rule::NotInZone),
        ([layout::IN_PROGRESS, owner, name], _) if *owner == agent.as_str() && is_task(name) => {
            match change {
                Change::Modify => None,
                Change::Create => (!own.claimed.contains(*name)).then_some(Rule::NotClaimed),
                Change::Delete => (!own.settled.contains_key(*name)).then_some(Rule::Dropped),
            }
        }
        ([layout::IN_PROGRESS, owner, below @ .., name], _) if *owner == agent.as_str() => {
            let is_in_the_way = is_task(name) || below.iter().any(|folder| is_task(folder));
            match change {
                // It would be in the way of the task, which may not even exist yet: as a file
                // elsewhere, or as a folder in its place.
                Change::Create | Change::Modify if is_in_the_way => Some(Rule::TooDeep),
                Change::Modify | Change::Delete if is_conflict_copy(name) => Some(Rule::Copy),
                _ => None,
            }
        }
        ([layout::IN_PROGRESS, owner, _, ..], _) => Some(Rule::OtherAgent((*owner).to_owned())),
        ([layout::UPDATES, owner, _, ..], _) if *owner != agent.as_str() => {
            Some(Rule::OtherAgent((*owner).to_owned()))
        }
        (
            [layout::PLANS | layout::PENDING_APPROVAL, _, ..] | [layout::UPDATES, _, _, ..],
            Change::Create,
        ) => None,
        ([layout::PLANS | layout::PENDING_APPROVAL, _, ..] | [layout::UPDATES, _, _, ..], _) => {
            Some(Rule::CreateOnly)
        }
        ([layout::DONE, year, month, name], Change::Create) if is_month(year, month) => {
            let Some(task) = task_of(name) else {
                return Some(Rule::NoTask);
            };
            let filed = (year.parse().unwrap_or(0), month.parse().unwrap_or(0));
            if filed < layout::earliest_done(task) {
                return Some(Rule::BeforeItsTime);
            }
            (!own.leaving.remove(*name))
                .then(|| Rule::NotOwned(format!("{}/{agent}/{name}", layout::IN_PROGRESS)))
        }
        ([layout::DONE, ..], Change::Create) => Some(Rule::NotInMonth),
        ([layout::DONE, _, ..], _) => Some(Rule::CreateOnly),
        _ => Some(Rule::NotYours),
    };
    let is_doubled = || {
        let places = own.settled.get(path.file_name()).copied().unwrap_or(0);
        let counts = matches!(path.top(), layout::NEEDS_ACTION | layout::DONE);
        (change == Change::Create && counts && places > 1 && is_task(path.file_name()))
            .then_some(Rule::Doubled)
    };
    let rule = rule.or_else(is_doubled);
    rule.or_else(|| (!is_synced(path)).then_some(Rule::NotSynced))
}

fn waiting(
    agent: &AgentName,
    zone: ZoneId,
    name: &str,
    change: Change,
    own: &mut Own,
) -> Option<Rule> {
    match change {
        Change::Create => None,
        Change::Modify => Some(Rule::CreateOnly),
        Change::Delete if crate::is_local_only(zone) => Some(Rule::LocalZone(zone)),
        Change::Delete if !is_task(name) => Some(Rule::NoTask),
        Change::Delete => (!own.arriving.remove(name))
            .then(|| Rule::NotAClaim(format!("{}/{agent}/{name}", layout::IN_PROGRESS))),
    }
}

/// Whether a file name is a task's: a conflict copy of one is not.
fn is_task(name: &str) -> bool {
    task_of(name).is_some()
}

fn task_of(name: &str) -> Option<TaskId> {
    name.strip_suffix(".md")?.parse().ok()
}

/// Whether a file name is that of a version which was set aside.
fn is_conflict_copy(name: &str) -> bool {
    name.contains(".conflict-")
}

fn is_month(year: &str, month: &str) -> bool {
    let digits = |text: &str, length: usize| {
        text.len() == length && text.bytes().all(|b| b.is_ascii_digit())
    };
    digits(year, 4) && digits(month, 2) && ("01"..="12").contains(&month)
}
