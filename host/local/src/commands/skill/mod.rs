//! `platinum skill`: what components ask for, what the roles say to it, and which of them the owner
//! added. Nothing here runs one.

pub(super) mod add;
mod check;
mod inspect;
mod installed;
mod list;

use std::path::{Path, PathBuf};

use installed::read_catalog;
pub(super) use installed::skill_rows;
use platinum_core::{AgentName, Role};
use platinum_daemon::skills::{INSTALLED_WASM, MAX_COMPONENT_BYTES};
use platinum_engine::{Engine, EngineOptions, ImportsReport, LoadError, SkillHost};
use tempfile::TempDir;

use super::{CommandError, Context, Kind};

/// Look at skills: which are there, what they ask for, which role lets them in.
#[derive(Debug, clap::Args)]
pub(crate) struct SkillArgs {
    #[command(subcommand)]
    command: SkillCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SkillCommand {
    Add(add::AddArgs),
    List(list::ListArgs),
    Inspect(inspect::InspectArgs),
    Check(check::CheckArgs),
}

pub(crate) fn run(args: SkillArgs, ctx: &Context) -> Result<(), CommandError> {
    match args.command {
        SkillCommand::Add(args) => add::run(&args, ctx),
        SkillCommand::List(args) => list::run(&args, ctx),
        SkillCommand::Inspect(args) => inspect::run(&args, ctx),
        SkillCommand::Check(args) => check::run(&args, ctx),
    }
}

/// A component and the name it goes by.
struct Component {
    name: String,
    bytes: Vec<u8>,
}

/// The components in these files, or without any, the installed ones.
fn components(files: &[PathBuf], ctx: &Context) -> Result<Vec<Component>, CommandError> {
    if !files.is_empty() {
        return files.iter().map(|file| read(file)).collect();
    }
    let catalog = read_catalog(&ctx.skills_folder()?)?;
    // A folder that is no skill is a line of `skill list`, and stops nothing here.
    let components = catalog.skills().filter_map(|skill| {
        Some(Component {
            name: skill.manifest.name.to_string(),
            bytes: skill.read_component().ok()?,
        })
    });
    Ok(components.collect())
}

/// Reads a component: a file, or the folder of an installed skill.
fn read(path: &Path) -> Result<Component, CommandError> {
    let file = if path.is_dir() {
        path.join(INSTALLED_WASM)
    } else {
        path.to_owned()
    };
    let failed = |why: String| {
        CommandError::new(
            Kind::NotFound,
            format!("{} cannot be read: {why}", file.display()),
        )
    };
    let size = std::fs::metadata(&file)
        .map_err(|error| failed(error.to_string()))?
        .len();
    if size > MAX_COMPONENT_BYTES {
        return Err(failed(format!(
            "it has {size} bytes; {MAX_COMPONENT_BYTES} is the most"
        )));
    }
    let bytes = std::fs::read(&file).map_err(|error| failed(error.to_string()))?;
    // An installed skill is `<name>/skill.wasm`.
    let named = match file.file_name() {
        Some(name) if name == INSTALLED_WASM => file.parent().and_then(Path::file_name),
        _ => file.file_stem(),
    };
    let name = named.map_or_else(
        || "skill".to_owned(),
        |name| name.to_string_lossy().into_owned(),
    );
    Ok(Component { name, bytes })
}

/// Says what a role would do with a component, by its imports and exports.
pub(super) struct Checker {
    cloud: SkillHost,
    local: SkillHost,
    /// What was compiled for one role is not compiled again for the other.
    _compiled: Option<TempDir>,
}

impl Checker {
    pub(super) fn new() -> Result<Self, CommandError> {
        let failed = |why: String| CommandError::new(Kind::Failed, why);
        let compiled = tempfile::tempdir().ok();
        let options = EngineOptions {
            cache_dir: compiled
                .as_ref()
                .map(|folder| folder.path().join("compiled")),
            concurrent_calls: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options).map_err(|error| failed(error.to_string()))?;
        // Every interface there is, without a session behind it: none of them is called.
        let host = |role: Role| {
            let agent: AgentName = role
                .as_str()
                .parse()
                .map_err(|error| failed(format!("{error}")))?;
            let mut interfaces = platinum_capabilities::link_only();
            interfaces.extend(platinum_effects::link_only());
            SkillHost::new(engine.clone(), role, agent, interfaces, None)
                .map_err(|error| failed(error.to_string()))
        };
        Ok(Self {
            cloud: host(Role::Cloud)?,
            local: host(Role::Local)?,
            _compiled: compiled,
        })
    }

    /// Every import with what becomes of it, and whether a host of the role admits the component.
    fn report(&self, name: &str, component: &[u8], role: Role) -> Result<ImportsReport, LoadError> {
        let host = match role {
            Role::Cloud => &self.cloud,
            Role::Local => &self.local,
        };
        host.explain(name, component)
    }

    /// Whether a host of the role admits the component.
    ///
    /// The error is the sentence that host would say.
    pub(super) fn check(&self, name: &str, component: &[u8], role: Role) -> Result<(), LoadError> {
        match self.report(name, component, role)?.refusal {
            Some(refusal) => Err(refusal),
            None => Ok(()),
        }
    }
}
