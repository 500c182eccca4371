//! The commands of the owner and of skill authors, one file each.
//!
//! Lives here: what they share: where the configuration is, what they print and how they fail.
//! Lives elsewhere: `run` and the loop that acts are beside this folder; what a command does to the
//! vault goes through `platinum_vault`.
//! Invariants: a command that only shows changes nothing; text from outside is printed as one
//! bounded line without control characters, so that no mail can write to the owner's terminal.

mod accept_deletions;
mod allow;
mod approvals;
mod approve;
mod conflicts;
mod devices;
mod doctor;
mod error;
mod hook;
mod init;
mod keys;
mod log;
mod mail;
mod pause;
mod pending;
mod recover;
mod reject;
mod remote;
mod resolve;
mod skill;
mod status;
mod sync;
mod terminal;
#[cfg(test)]
mod tests;
mod trial;
mod undo;

use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use platinum_core::Role;
use platinum_daemon::{Config, skills_folder};
use platinum_vault::Vault;

pub(crate) use error::{CommandError, Kind};
use terminal::Paint;

/// Every command but `run`.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Command {
    Init(init::InitArgs),
    Status(status::StatusArgs),
    #[command(subcommand)]
    Sync(sync::SyncCommand),
    Approvals(approvals::ApprovalsArgs),
    Approve(approve::ApproveArgs),
    Reject(reject::RejectArgs),
    Resolve(resolve::ResolveArgs),
    Recover(recover::RecoverArgs),
    #[command(subcommand)]
    Remote(remote::RemoteCommand),
    Undo(undo::UndoArgs),
    Pause(pause::PauseArgs),
    Resume(pause::ResumeArgs),
    AcceptDeletions(accept_deletions::AcceptDeletionsArgs),
    Allow(allow::AllowArgs),
    Conflicts(conflicts::ConflictsArgs),
    Log(log::LogArgs),
    Doctor(doctor::DoctorArgs),
    #[command(subcommand)]
    Mail(mail::MailCommand),
    Try(trial::TryArgs),
    Skill(skill::SkillArgs),
    Key(keys::KeyArgs),
    Trust(keys::TrustArgs),
    #[command(subcommand)]
    Device(devices::DeviceCommand),
    Held(devices::held::HeldArgs),
    Hook(hook::HookArgs),
}

impl Command {
    /// Runs it.
    pub(crate) async fn run(self, ctx: &Context) -> Result<(), CommandError> {
        match self {
            Command::Init(args) => init::run(args, ctx).await,
            Command::Status(args) => status::run(&args, ctx),
            Command::Sync(command) => sync::run(&command, ctx),
            Command::Approvals(args) => approvals::run(&args, ctx),
            Command::Approve(args) => approve::run(&args, ctx),
            Command::Reject(args) => reject::run(&args, ctx),
            Command::Resolve(args) => resolve::run(&args, ctx),
            Command::Remote(command) => remote::run(&command, ctx).await,
            Command::Recover(args) => recover::run(&args, ctx),
            Command::Undo(args) => undo::run(&args, ctx),
            Command::Pause(args) => pause::pause(&args, ctx),
            Command::Resume(args) => pause::resume(&args, ctx),
            Command::AcceptDeletions(args) => accept_deletions::run(&args, ctx),
            Command::Allow(args) => allow::run(&args, ctx),
            Command::Conflicts(args) => conflicts::run(&args, ctx),
            Command::Log(args) => log::run(&args, ctx),
            Command::Doctor(args) => doctor::run(&args, ctx).await,
            Command::Mail(command) => mail::run(command, ctx),
            Command::Try(args) => trial::run(&args, ctx).await,
            Command::Skill(args) => skill::run(args, ctx),
            Command::Key(args) => keys::key(&args, ctx),
            Command::Trust(args) => keys::trust(&args, ctx).await,
            Command::Device(command) => devices::run(command, ctx).await,
            Command::Held(args) => devices::held::run(args, ctx),
            Command::Hook(args) => hook::run(&args, ctx).await,
        }
    }
}

/// What every command works with.
pub(crate) struct Context {
    config: PathBuf,
    paint: Paint,
    out: Mutex<Box<dyn Write + Send>>,
}

impl Context {
    /// With this configuration file, or the one in its usual place; prints to stdout.
    pub(crate) fn new(config: Option<PathBuf>) -> Self {
        Self {
            config: config.unwrap_or_else(default_config),
            paint: Paint::for_stdout(),
            out: Mutex::new(Box::new(std::io::stdout())),
        }
    }

    /// Prints. A reader that went away (`| head`) is not an error.
    fn print(&self, text: &str) -> Result<(), CommandError> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
            Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// Where the configuration is, or would be.
    pub(crate) fn config_path(&self) -> &Path {
        &self.config
    }

    /// The error where there is no configuration.
    pub(crate) fn no_configuration(&self) -> CommandError {
        CommandError::new(
            Kind::Config,
            format!("no configuration at {}", self.config.display()),
        )
        .hint("`platinum init <vault>` makes a vault and its configuration")
        .hint("`--config FILE` names another one")
    }

    /// The configuration of this host.
    fn load(&self) -> Result<Config, CommandError> {
        if !self.config.exists() {
            return Err(self.no_configuration());
        }
        Ok(Config::load(&self.config, Role::Local)?)
    }

    /// The folder of installed skills. Without a configuration, the one beside the program.
    fn skills_folder(&self) -> Result<PathBuf, CommandError> {
        let configured = match self.config.exists() {
            true => self.load()?.work.skills,
            false => PathBuf::new(),
        };
        Ok(skills_folder(&configured))
    }
}

/// The vault of a configuration.
fn open_vault(config: &Config) -> Result<Vault, CommandError> {
    Ok(Vault::open(&config.vault.path)?)
}

/// Where the configuration is unless one is named: `$XDG_CONFIG_HOME/platinum/local.toml`.
pub(crate) fn default_config() -> PathBuf {
    in_home("XDG_CONFIG_HOME", ".config")
        .join("platinum")
        .join("local.toml")
}

/// The folder that a variable names, or else `below` in the home folder.
fn in_home(variable: &str, below: &str) -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .filter(|p| p.is_absolute())
    };
    set(variable)
        .or_else(|| set("HOME").map(|home| home.join(below)))
        .unwrap_or_else(|| PathBuf::from(below))
}
