//! [`ZoneCapabilities`]: what a zone brings to a host without acting: its configuration, its MCP
//! server, its interfaces, the places of its secrets, and a check for `doctor`.
//!
//! To add a zone: a folder beside this file that implements the trait, and one line in [`ZONES`].
//! Lives elsewhere: a zone's sources are in `intake`, its effects in `effects`; starting a server
//! and refusing one that can act is `daemon`'s.
//! Invariant: a zone reads its own section and the files that it names; no other code does.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use platinum_core::{AgentName, Role, ZoneId};
use platinum_engine::Interface;
use platinum_mcp::{McpError, ServerSpec, Session};
use platinum_vault::{Vault, note::TaskNote};

use crate::{email, odoo, social, tasks::TaskStore, whatsapp};

/// Makes a zone from its section of the configuration.
pub type Configure = fn(toml::Table, &PathBase) -> Result<Box<dyn ZoneCapabilities>, String>;

/// The zones that this crate knows, by id.
pub const ZONES: [(&str, Configure); 4] = [
    ("email", email::zone::configure),
    ("social", social::zone::configure),
    ("accounting", odoo::zone::configure),
    ("whatsapp", whatsapp::zone::configure),
];

/// A configured zone.
#[async_trait]
pub trait ZoneCapabilities: fmt::Debug + Send + Sync {
    /// The zone's MCP server for a role; none if the zone is not set up. A command that is a bare
    /// name is looked for beside the program.
    fn server(&self, role: Role) -> Option<ServerSpec>;

    /// Whether this role may have what this zone is configured with.
    ///
    /// # Errors
    /// What it may not have, where it is, and what to do.
    fn check_role(&self, role: Role) -> Result<(), String> {
        let _ = role;
        Ok(())
    }

    /// Whether the credentials of a server that runs are such as this role may have, as far as the
    /// other side says it now. Asked once, when the host starts.
    ///
    /// # Errors
    /// What it may not have, and what to do.
    async fn check_credentials(&self, role: Role, session: &Session) -> Result<(), String> {
        let _ = (role, session);
        Ok(())
    }

    /// The interfaces over a session with that server; what they read for a task is bound to it
    /// by what `store` knows of the task. What they propose becomes a note of `vault`.
    fn interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>>;

    /// The same, changing nothing on the other side: for a trial, which only shows what would be
    /// drafted.
    fn trial_interfaces(
        &self,
        session: &Session,
        vault: &Vault,
        store: &Arc<dyn TaskStore>,
    ) -> Vec<Box<dyn Interface>>;

    /// Where this zone's secrets are, so that none of them is synced.
    fn secrets(&self) -> Vec<SecretSource>;

    /// The arguments and the environment of the zone's source, if this host runs it.
    fn source(&self) -> Option<SourceCommand>;

    /// What the source is told of its host besides: who that is, and which zones it works in.
    fn host_args(&self, agent: &AgentName, zones: &[ZoneId]) -> Vec<String> {
        let _ = (agent, zones);
        Vec::new()
    }

    /// The arguments and the environment of a source that makes tasks of the last `count` things that
    /// came, once, and ends; none if the zone is not set up, or has nothing that came.
    fn past(&self, count: usize) -> Option<SourceCommand> {
        let _ = count;
        None
    }

    /// Facts that every task of this zone has, wherever it came from.
    fn task_facts(&self) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// The address of each account that what is approved leaves from, as it is configured at this
    /// moment; none if the zone is not set up.
    ///
    /// # Errors
    /// If that cannot be read: then nothing of this zone can be approved.
    fn addresses(&self) -> Result<Option<BTreeMap<String, String>>, String> {
        Ok(None)
    }

    /// Whether the owner has done themself what a task asks for: how, in words for them. Nothing is
    /// drafted then.
    ///
    /// # Errors
    /// If that cannot be asked now.
    async fn done_by_owner(
        &self,
        session: &Session,
        task: &TaskNote,
    ) -> Result<Option<String>, String> {
        let _ = (session, task);
        Ok(None)
    }

    /// Whether the zone works here, in a role, with [`Self::server`], whose program was found. Writes
    /// nothing and sends nothing.
    ///
    /// # Errors
    /// What does not work, and what to do.
    async fn try_out(&self, role: Role, server: ServerSpec) -> Result<Check, String>;

    /// The result of [`Self::try_out`]; of a zone that is not set up, how it is.
    async fn check(&self, role: Role, server: Option<ServerSpec>) -> Check {
        let Some(server) = server else {
            let text = format!("none: {}", self.setting_up());
            return Check::new(CheckLevel::Warning, text);
        };
        let tried = self.try_out(role, server).await;
        tried.unwrap_or_else(|why| Check::new(CheckLevel::Error, why))
    }

    /// What sets the zone up: `these keys name its server`.
    fn setting_up(&self) -> &'static str;

    /// What the credential of a cloud could do beyond reading and drafting, as far as that can be
    /// tried from here. `cloud_file` is a cloud's own file of this zone; without it, the credential
    /// with which this host reads is tried. None if there is nothing to try.
    async fn check_cloud(
        &self,
        server: Option<ServerSpec>,
        cloud_file: Option<&Path>,
    ) -> Option<Check> {
        let _ = (server, cloud_file);
        None
    }

    /// What is set up, in a few words; none if nothing is.
    fn summary(&self) -> Option<String>;
}

/// Where a secret of a zone is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// In an environment variable.
    Variable(String),
    /// In a TOML file: values whose key is named like a secret, or what `{ file = … }` and
    /// `{ env = … }` under such a key lead to.
    Settings(PathBuf),
}

/// How the source of a zone is started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceCommand {
    /// Its name in the log.
    pub name: String,
    /// The arguments of the intake program, without the vault and the state folder.
    pub args: Vec<String>,
    /// The environment variables that it sees.
    pub env: BTreeMap<String, String>,
}

/// How well a check went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckLevel {
    /// It works.
    Ok,
    /// It works in part, or is not set up.
    Warning,
    /// It does not work.
    Error,
}

/// The result of a check, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// How well it went.
    pub level: CheckLevel,
    /// What was found, and what to do. May contain untrusted text.
    pub text: String,
}

impl Check {
    /// A check with this result.
    pub fn new(level: CheckLevel, text: impl Into<String>) -> Self {
        Self {
            level,
            text: text.into(),
        }
    }
}

/// Where the paths of a configuration start: `~/` is the home folder, and what is relative starts
/// in the folder of the configuration file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathBase {
    /// The folder of the configuration file.
    pub folder: PathBuf,
    /// The home folder.
    pub home: Option<PathBuf>,
}

impl PathBase {
    /// The absolute path of one that a configuration gives for `key`.
    ///
    /// # Errors
    /// If it starts with `~/` and no home folder is known.
    pub fn resolve(&self, key: &str, path: &Path) -> Result<PathBuf, String> {
        let Ok(below) = path.strip_prefix("~") else {
            return Ok(self.folder.join(path));
        };
        let home = self.home.as_ref().filter(|home| home.is_absolute());
        let home = home.ok_or_else(|| {
            format!("`{key}` starts with `~/`, and HOME names no folder; write the whole path")
        })?;
        Ok(home.join(below))
    }

    /// The program that a configuration gives for `key`: a bare name is looked up beside our own program, not beside
    /// the file.
    ///
    /// # Errors
    /// As [`Self::resolve`].
    pub(crate) fn resolve_program(&self, key: &str, program: PathBuf) -> Result<PathBuf, String> {
        match program.components().count() {
            0 | 1 => Ok(program),
            _ => self.resolve(key, &program),
        }
    }
}

/// The program of a zone's server: the configured one, else that of the role.
pub(crate) fn server_program(configured: &Path, role: Role, draft: &str, full: &str) -> PathBuf {
    match (configured.as_os_str().is_empty(), role) {
        (true, Role::Cloud) => PathBuf::from(draft),
        (true, Role::Local) => PathBuf::from(full),
        (false, _) => configured.to_owned(),
    }
}

/// Where the secrets of a zone are that has this `env` and the file `config`, if it is set up: a server's file names
/// the files of its secrets, which are read as well.
pub(crate) fn secrets_of(env: &[String], config: &Path) -> Vec<SecretSource> {
    let variables = env.iter().cloned().map(SecretSource::Variable);
    let file = Some(config).filter(|config| !config.as_os_str().is_empty());
    let file = file.map(|config| SecretSource::Settings(config.to_owned()));
    variables.chain(file).collect()
}

/// Why a server does not come up, for the owner: what it says of its configuration is all there is to know.
pub(crate) fn why_no_session(error: &McpError) -> String {
    const ENDED: &str = "its last words: Error: ";
    let error = error.to_string();
    match error.split_once(ENDED) {
        Some((_, words)) => words.to_owned(),
        None => error,
    }
}

/// Whether all the environment variables that `key` names are set.
///
/// # Errors
/// Which one is not.
pub(crate) fn check_environment(key: &str, names: &[String]) -> Result<(), String> {
    let mut names = names.iter();
    match names.find(|name| std::env::var_os(name).is_none()) {
        Some(name) => Err(format!(
            "the environment variable {name}, which `{key}` names, is not set here"
        )),
        None => Ok(()),
    }
}

/// The environment variables of these names that are set, with their values.
pub fn environment(names: &[String]) -> BTreeMap<String, String> {
    let set = |name: &String| std::env::var(name).ok().map(|value| (name.clone(), value));
    names.iter().filter_map(set).collect()
}
