//! `platinum skill list`: what becomes of every installed skill, by event and zone, and which grants
//! were never used.

use std::{collections::BTreeMap, path::Path};

use platinum_core::Role;
use platinum_daemon::{
    Config,
    skills::{GrantUsage, RowState, SkillRow},
};

use super::{
    super::terminal::{Level, Table, plain},
    Checker, CommandError, Context,
    installed::{read_catalog, read_lock},
    skill_rows,
};

/// List the installed skills: what they run on, in which zone and role, and why not.
#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {}

/// One line of the list: a skill for an event, with what becomes of it in each role.
#[derive(Debug, Default)]
struct Line {
    states: [Option<RowState>; 2],
}

pub(super) fn run(_: &ListArgs, ctx: &Context) -> Result<(), CommandError> {
    let folder = ctx.skills_folder()?;
    let config = match ctx.config_path().exists() {
        true => Some(ctx.load()?),
        false => None,
    };
    let checker = Checker::new()?;
    let mut order = Vec::new();
    let mut lines: BTreeMap<(String, String, String), Line> = BTreeMap::new();
    // The local role first: on a machine of the owner's its rows are what runs here.
    for (at, role) in [(1, Role::Local), (0, Role::Cloud)] {
        for row in skill_rows(&checker, &folder, config.as_ref(), role)? {
            let key = key(&row);
            if !lines.contains_key(&key) {
                order.push(key.clone());
            }
            let state = &mut lines.entry(key).or_default().states[at];
            // A skill may have more than one folder that is not granted.
            *state = Some(match (state.take(), row.state) {
                (Some(RowState::Refused(first)), RowState::Refused(second)) => {
                    RowState::Refused(format!("{first}; {second}"))
                }
                (_, state) => state,
            });
        }
    }
    if order.is_empty() {
        return ctx.print(&format!("There is no skill in {}.\n", folder.display()));
    }
    let mut table = Table::default();
    table.row(["EVENT", "ZONE", "SKILL", "CLOUD", "LOCAL", "WHY NOT"]);
    for key in &order {
        let Some(line) = lines.get(key) else { continue };
        let (event, zone, skill) = key;
        let [cloud, local] = line.states.each_ref().map(word);
        let mut reasons: Vec<&str> = line.states.iter().flatten().filter_map(reason).collect();
        reasons.dedup();
        let level = match reasons.is_empty() {
            true => Level::Ok,
            false => Level::Error,
        };
        let reasons = plain(&reasons.join("; "), 2000);
        table.coloured(
            2,
            level,
            [event.as_str(), zone, skill, cloud, local, &reasons],
        );
    }
    let mut text = table.render(ctx.paint);
    if let Some(config) = &config {
        text.push_str(&never_used(&folder, config)?);
    }
    ctx.print(&text)
}

/// The grants of skills that were run on this machine and have never called them.
fn never_used(folder: &Path, config: &Config) -> Result<String, CommandError> {
    let usage = GrantUsage::read(&config.vault.state);
    // Without a lock no skill runs, which the table says already.
    let Ok(lock) = read_lock(folder, config)? else {
        return Ok(String::new());
    };
    let mut text = String::new();
    for skill in read_catalog(folder)?.skills() {
        let name = &skill.manifest.name;
        let (Some(used), Some(locked)) = (usage.of(name.as_str()), lock.get(name)) else {
            continue;
        };
        let granted = locked.grants.get(Role::Local.as_str());
        let unused = granted
            .into_iter()
            .flatten()
            .filter(|one| !used.contains(*one));
        let unused: Vec<&str> = unused.map(String::as_str).collect();
        if !unused.is_empty() {
            text.push_str(&format!(
                "\n{name} was run here and never used {}",
                unused.join(", ")
            ));
        }
    }
    match text.is_empty() {
        true => Ok(text),
        false => Ok(text + "\n"),
    }
}

fn key(row: &SkillRow) -> (String, String, String) {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    (
        or_dash(row.event.as_ref().map(ToString::to_string)),
        or_dash(row.zone.map(|zone| zone.to_string())),
        plain(&row.skill, 64),
    )
}

fn word(state: &Option<RowState>) -> &'static str {
    match state {
        Some(RowState::Runs) => "runs",
        Some(RowState::BeyondRole | RowState::ZoneNotSetUp) | None => "-",
        Some(RowState::Refused(_)) => "no",
    }
}

fn reason(state: &RowState) -> Option<&str> {
    match state {
        RowState::Refused(reason) => Some(reason),
        RowState::Runs | RowState::BeyondRole | RowState::ZoneNotSetUp => None,
    }
}
