//! `platinum skill`: what components ask for, what the roles say to it, and which of them the owner
//! added. Nothing here runs one.

pub(super) mod add;
mod check;
mod inspect;
mod list;
mod words;

use std::path::{Path, PathBuf};

use platinum_core::{AgentName, Role};
use platinum_daemon::{
    Config,
    skills::{
        Catalog, FolderGrants, INSTALLED_WASM, KnownZones, MAX_COMPONENT_BYTES, SkillLock,
        SkillRow, Survey,
    },
};
use platinum_engine::{Engine, EngineOptions, ImportsReport, LoadError, SkillHost};
use tempfile::TempDir;

use platinum_repo::Signers;
use platinum_verify::identity::KEY_FILE;

use super::{CommandError, Context, Kind, keys::identity};

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

/// The folders of installed skills.
fn read_catalog(folder: &Path) -> Result<Catalog, CommandError> {
    Catalog::read(folder).map_err(|error| CommandError::new(Kind::NotFound, error.to_string()))
}

/// What becomes of every installed skill on a host of a role, with this configuration.
pub(super) fn skill_rows(
    checker: &Checker,
    folder: &Path,
    config: Option<&Config>,
    role: Role,
) -> Result<Vec<SkillRow>, CommandError> {
    let mut catalog = read_catalog(folder)?;
    // Without a configuration there is no owner who could have added one.
    if let Some(config) = config {
        catalog.pin(role, &SkillLock::read(folder, &signers(config)?));
    }
    let mut zones = match config {
        Some(config) => KnownZones::of(role, config),
        None => KnownZones::built_in(role),
    };
    if role == Role::Cloud {
        // Which sources run there is in the configuration there.
        zones.sources = None;
    }
    let survey = Survey::of(&catalog, &zones, |skill, component| {
        checker.check(skill.manifest.name.as_str(), component, role)
    });
    let mut rows = survey.rows();
    let configured = config.map(|config| (config, config.folders()));
    if let Some((config, Ok(folders))) = configured {
        let agent = config
            .agent(role)
            .map_err(|what| CommandError::new(Kind::Config, what))?;
        let grants = FolderGrants::decide(role, &agent, folders);
        rows.extend(survey.folder_rows(&grants));
    }
    Ok(rows)
}

/// Whose lock counts; nobody's as long as this machine has no key: showing makes none.
fn signers(config: &Config) -> Result<Signers, CommandError> {
    match config.vault.state.join(KEY_FILE).exists() {
        true => Ok(identity(config)?.signers()?),
        false => Ok(Signers::default()),
    }
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
