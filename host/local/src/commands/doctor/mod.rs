//! `platinum doctor`: tries everything the daemon will need, and says what to do about what fails.
//!
//! Lives elsewhere: vault, state folder and remote are checked in `places.rs`, the zones by themselves, what both
//! halves have in `platinum_daemon::doctor`; what a check is, in `platinum_api`.

mod cloud_files;
mod names;
mod places;

use std::path::PathBuf;

use platinum_api::{Check, JournalState};
use platinum_capabilities::zones::CheckLevel;
use platinum_core::Role;
use platinum_daemon::{Config, doctor, skills::RowState, zone_server};
use platinum_vault::Vault;

use super::{
    CommandError, Context, Kind, skill,
    terminal::{Level, Table, count, plain},
};

/// Try everything the daemon needs: vault, remote, mail server, model, skills, journal.
#[derive(Debug, clap::Args)]
pub(crate) struct DoctorArgs {
    /// A copy of the cloud's own mail file: its credential is tried at your submission server,
    /// and nothing is sent. Without it, the one with which this machine reads is tried.
    #[arg(long, value_name = "FILE")]
    cloud_mail: Option<PathBuf>,
    /// A copy of the cloud's own file of social networks: each network is asked whether what is in
    /// it can act, and nothing is published.
    #[arg(long, value_name = "FILE")]
    cloud_social: Option<PathBuf>,
    /// Mend this, and check nothing: `names` renames what has its letters and accents written apart, as macOS
    /// writes them, so that it is synced.
    #[arg(long, value_name = "WHAT")]
    fix: Option<names::Fix>,
}

pub(crate) async fn run(args: &DoctorArgs, ctx: &Context) -> Result<(), CommandError> {
    let config = ctx.load()?;
    if let Some(names::Fix::Names) = args.fix {
        return names::fix(&config, ctx);
    }
    let mut checks = vec![Check::ok("config", ctx.config_path().display().to_string())];
    checks.push(places::vault(&config));
    let state = places::state(&config.vault.state);
    let is_private = state.level != Level::Error;
    checks.push(state);
    if is_private {
        checks.extend(places::remote(&config).await);
    } else {
        checks.push(Check::warn(
            "remote",
            "not asked: it needs the state folder",
        ));
    }
    checks.extend(doctor::keys(&config, Role::Local).map(row));
    checks.extend(doctor::disks(&config).into_iter().map(row));
    checks.extend(places::conflicts(&config));
    checks.extend(places::unreadable(&config));
    checks.extend(names::check(&config));
    for (id, zone) in config.zones.configured() {
        let checked = zone
            .check(Role::Local, zone_server(&**zone, Role::Local))
            .await;
        let level = level_of(checked.level);
        let opens = level != Level::Error;
        checks.push(Check::new(id, level, plain(&checked.text, 500)));
        let cloud_file = args.cloud_file(id);
        if opens || cloud_file.is_some() {
            let server = zone_server(&**zone, Role::Local);
            let tried = zone.check_cloud(server, cloud_file).await;
            checks.extend(
                tried.map(|tried| {
                    Check::new("cloud", level_of(tried.level), plain(&tried.text, 500))
                }),
            );
        }
    }
    checks.extend(args.untried(&config, ctx.config_path()));
    checks.push(model(&config));
    match skill::Checker::new() {
        Ok(checker) => checks
            .extend([Role::Local, Role::Cloud].map(|role| skills(&checker, ctx, &config, role))),
        Err(error) => checks.push(Check::error("skills", error.message)),
    }
    if let Ok(agent) = config.agent(Role::Local) {
        let vault = Vault::open(&config.vault.path).ok();
        checks.push(JournalState::read(&config.vault.state, vault.as_ref(), &agent).check());
    }

    let mut table = Table::default();
    for check in &checks {
        let word = match check.level {
            Level::Ok | Level::Dim => "ok",
            Level::Warn => "warn",
            Level::Error => "wrong",
        };
        table.coloured(
            0,
            check.level,
            [word, check.name.as_str(), &check.sentence()],
        );
    }
    ctx.print(&table.render(ctx.paint))?;
    match checks
        .iter()
        .filter(|check| check.level == Level::Error)
        .count()
    {
        0 => Ok(()),
        wrong => Err(CommandError::new(
            Kind::Failed,
            format!(
                "{} wrong; see the lines above",
                count(wrong, "thing is", "things are")
            ),
        )),
    }
}

/// A row that both halves have.
fn row(row: doctor::Row) -> Check {
    Check::new(
        row.name,
        level_of(row.check.level),
        plain(&row.check.text, 500),
    )
}

fn level_of(level: CheckLevel) -> Level {
    match level {
        CheckLevel::Ok => Level::Ok,
        CheckLevel::Warning => Level::Warn,
        CheckLevel::Error => Level::Error,
    }
}

fn model(config: &Config) -> Check {
    match config.model.check() {
        Ok(name) if name == "builtin" => Check::ok(
            "model",
            "builtin: no key needed; its drafts have gaps for you to fill in",
        ),
        Ok(name) => Check::ok(
            "model",
            format!(
                "{}, {} tokens a day",
                plain(&name, 100),
                config.model.daily_tokens
            ),
        ),
        Err(error) => Check::error("model", error.to_string()),
    }
}

/// What becomes of the installed skills in a role. Of the cloud's, as far as this machine can know:
/// with the folder and the configuration that are here.
fn skills(checker: &skill::Checker, ctx: &Context, config: &Config, role: Role) -> Check {
    let name = format!("skills ({role})");
    let check = || -> Result<Check, CommandError> {
        let folder = ctx.skills_folder()?;
        let rows = skill::skill_rows(checker, &folder, Some(config), role)?;
        let mut running = std::collections::BTreeSet::new();
        let mut refused = Vec::new();
        for row in &rows {
            match &row.state {
                RowState::Runs => {
                    running.insert(row.skill.as_str());
                }
                RowState::BeyondRole | RowState::ZoneNotSetUp => {}
                RowState::Refused(reason) => {
                    refused.push(plain(&format!("{}: {reason}", row.skill), 300));
                }
            }
        }
        let number = count(running.len(), "skill", "skills");
        let folder = folder.display();
        Ok(match (refused.as_slice(), role) {
            ([], _) if running.is_empty() => Check::error(&name, format!("none found in {folder}")),
            ([], Role::Local) => Check::ok(&name, format!("{number} in {folder}")),
            ([], Role::Cloud) => Check::ok(
                &name,
                format!("{number} would run on a cloud host with this folder"),
            ),
            (refused, _) => Check::warn(&name, refused.join("; ")),
        })
    };
    check().unwrap_or_else(|error| Check::error(&name, error.message))
}
