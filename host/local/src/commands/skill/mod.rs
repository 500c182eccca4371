//! `platinum skill`: what components ask for, and what the roles say to it. Nothing here runs one.

mod check;
mod inspect;
mod list;

use std::path::{Path, PathBuf};

use platinum_core::{AgentName, Role};
use platinum_daemon::{INSTALLED_WASM, installed};
use platinum_engine::{Engine, EngineOptions, ImportsReport, SkillHost};

use super::{CommandError, Context, Kind};

/// Look at skills: which are there, what they ask for, which role lets them in.
#[derive(Debug, clap::Args)]
pub(crate) struct SkillArgs {
    #[command(subcommand)]
    command: SkillCommand,
}

#[derive(Debug, clap::Subcommand)]
enum SkillCommand {
    List(list::ListArgs),
    Inspect(inspect::InspectArgs),
    Check(check::CheckArgs),
}

pub(crate) fn run(args: SkillArgs, ctx: &Context) -> Result<(), CommandError> {
    match args.command {
        SkillCommand::List(args) => list::run(&args, ctx),
        SkillCommand::Inspect(args) => inspect::run(&args, ctx),
        SkillCommand::Check(args) => check::run(&args, ctx),
    }
}

/// Largest component that is read.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

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
    let folder = ctx.skills_folder()?;
    let read = installed(&folder)?.into_iter().map(|skill| {
        Ok(Component {
            bytes: skill.read_component()?,
            name: skill.name,
        })
    });
    read.collect()
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
pub(super) struct Checker(Engine);

impl Checker {
    pub(super) fn new() -> Result<Self, CommandError> {
        let options = EngineOptions {
            concurrent_calls: 1,
            ..EngineOptions::default()
        };
        let engine = Engine::new(options)
            .map_err(|error| CommandError::new(Kind::Failed, error.to_string()))?;
        Ok(Self(engine))
    }

    /// Every import with what becomes of it, and whether a host of the role admits the component.
    fn report(&self, name: &str, component: &[u8], role: Role) -> Result<ImportsReport, String> {
        let agent: AgentName = role.as_str().parse().map_err(|error| format!("{error}"))?;
        let mut interfaces = platinum_capabilities::link_only();
        interfaces.extend(platinum_effects::link_only());
        let host = SkillHost::new(self.0.clone(), role, agent, interfaces, None)
            .map_err(|error| error.to_string())?;
        host.explain(name, component)
            .map_err(|error| error.to_string())
    }

    /// Whether a host of the role admits the component.
    ///
    /// The error is the sentence that host would say.
    pub(super) fn check(&self, name: &str, component: &[u8], role: Role) -> Result<(), String> {
        match self.report(name, component, role)?.refusal {
            Some(refusal) => Err(refusal.to_string()),
            None => Ok(()),
        }
    }
}
