//! [`House`]: everything a host has before it runs skills, opened in one place.
//!
//! Invariant: a cloud host that would stand beside a mail server which can send does not open.

use std::{collections::BTreeMap, fs::File, path::PathBuf, sync::Arc, time::Duration};

use platinum_capabilities::{
    self as capabilities,
    email::{Mail, McpMail},
    sync::Syncer,
    tasks::{Receipts, TaskStore},
};
use platinum_core::{AgentName, Role};
use platinum_engine::{Engine, EngineOptions, Interface, SkillHost};
use platinum_llm::Model;
use platinum_mcp::{ServerSpec, Session, refuse_acting};
use platinum_repo::{GitRemote, Remote, Signers};
use platinum_vault::Vault;

use platinum_sync::{RecordingRemote, SyncConfig, Synchronizer};
use platinum_verify::{Identity, IdentityError};

use crate::{
    Config, Shutdown, SkillSet, Tasks, beside,
    secrets::Secrets,
    skills_folder,
    supervisor::{self, Child},
};

/// How long one call of the mail server may take: longer than the server's own patience with SMTP
/// (3 min), or a slow answer would count as an unknown outcome.
const MAIL_CALL: Duration = Duration::from_secs(240);

/// A host, opened.
pub struct House {
    /// Its configuration.
    pub config: Config,
    /// Its half of the house.
    pub role: Role,
    /// Its name.
    pub agent: AgentName,
    /// The vault.
    pub vault: Vault,
    /// Its key, and whom it trusts.
    pub identity: Identity,
    /// The vault's way to its remote.
    pub sync: Synchronizer,
    /// Who writes drafts.
    pub model: Arc<dyn Model>,
    /// The mail server, if there is one.
    pub mail: Option<Session>,
    engine: Engine,
    // Held: what it knows is read again as long as it is.
    _secrets: Arc<Secrets>,
    // Held as long as the house stands: two daemons must not share a state folder.
    _lock: File,
}

/// Why a host cannot open.
#[derive(Debug, thiserror::Error)]
pub enum HouseError {
    /// A value of the configuration.
    #[error("{0}")]
    Config(String),
    /// The state folder.
    #[error("the state folder {path} cannot be used: {what}")]
    State {
        /// Which folder.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// The vault.
    #[error(transparent)]
    Vault(#[from] platinum_vault::VaultError),
    /// The key of this host, or the list of those it trusts.
    #[error(transparent)]
    Identity(#[from] IdentityError),
    /// The repository or the remote's address.
    #[error("{0}")]
    Sync(String),
    /// The mail server.
    #[error(transparent)]
    Mail(#[from] platinum_mcp::McpError),
    /// A server that this role may not stand beside.
    #[error(transparent)]
    Gate(#[from] platinum_mcp::GateRefusal),
    /// The model's configuration.
    #[error("{0}")]
    Model(String),
    /// WebAssembly.
    #[error("{0}")]
    Engine(String),
    /// The installed skills.
    #[error(transparent)]
    Skills(#[from] crate::SkillsError),
}

impl House {
    /// Opens the vault, the repository, the model, the mail server and the engine.
    ///
    /// # Errors
    /// With what is wrong, where, and what to do.
    pub async fn open(config: Config, role: Role) -> Result<Self, HouseError> {
        let agent = config.agent(role).map_err(HouseError::Config)?;
        let lock = take_state_folder(&config.vault.state)?;
        let vault = Vault::open(&config.vault.path)?;
        let remote = open_remote(&config)?;
        let identity = Identity::open(&config.vault.state, &agent, role)?;
        let secrets = Secrets::gather(&config)
            .map_err(|error| HouseError::Config(format!("`secrets.allow`: {error}")))?;
        let sync = Synchronizer::new(SyncConfig {
            vault: vault.clone(),
            git_dir: config.vault.state.join("vault.git"),
            remote,
            agent: agent.clone(),
            role,
            identity: identity.clone(),
            scanner: secrets.scanner(),
        })
        .map_err(|error| HouseError::Sync(error.to_string()))?
        .with_lease(Duration::from_secs(config.sync.lease_minutes * 60));
        let model = platinum_llm::build(&config.model, &config.vault.state)
            .map_err(|error| HouseError::Model(error.to_string()))?;
        let mail = match mail_server(&config, role) {
            Some(spec) => Some(open_mail(spec, role).await?),
            None => None,
        };
        let engine = Engine::new(EngineOptions {
            cache_dir: Some(config.vault.state.join("compiled")),
            ..EngineOptions::default()
        })
        .map_err(|error| HouseError::Engine(error.to_string()))?;
        Ok(Self {
            config,
            role,
            agent,
            vault,
            identity,
            _secrets: secrets.keep_fresh(),
            sync,
            model,
            mail,
            engine,
            _lock: lock,
        })
    }

    /// Logs where this host stands, for the person who just started it.
    pub fn introduce(&self) {
        let or_none = |text: &str| match text {
            "" => "none".to_owned(),
            text => text.to_owned(),
        };
        tracing::info!(
            vault = %self.config.vault.path.display(),
            remote = %or_none(&self.config.sync.remote),
            mail = %or_none(&self.config.mail.account),
            model = %self.model.name(),
            "It works on this vault till Ctrl-C."
        );
        self.warn_of_strangers();
    }

    /// Without the other half's key, all that it sends is refused: better said at the start.
    fn warn_of_strangers(&self) {
        let (other, command) = match self.role {
            Role::Local => (Role::Cloud, "platinum trust"),
            Role::Cloud => (Role::Local, "platinum-cloud trust"),
        };
        let knows = |signers: Signers| signers.iter().any(|signer| signer.role == other);
        if !self.config.sync.remote.is_empty() && !self.identity.signers().is_ok_and(knows) {
            tracing::warn!(
                "No key of a {other} half is trusted here yet, so nothing of its is taken over: \
                 exchange keys with `{command}`."
            );
        }
    }

    /// The interfaces that cannot act, over this house. Which of them a role is granted is not
    /// decided here.
    pub fn interfaces(&self, receipts: &Arc<dyn Receipts>) -> Vec<Box<dyn Interface>> {
        let store: Arc<dyn TaskStore> = Arc::new(Tasks(self.sync.clone()));
        let syncer: Arc<dyn Syncer> = Arc::new(Tasks(self.sync.clone()));
        let mut list = capabilities::skill::interfaces();
        list.extend(capabilities::tasks::interfaces(&store, receipts));
        list.push(capabilities::plans::interface(&self.vault, &store));
        list.push(capabilities::email::propose_interface(&self.vault, &store));
        list.push(capabilities::updates::publish(&self.vault));
        list.push(capabilities::model::interface(&self.model));
        list.push(capabilities::vault::interface(
            &self.vault,
            self.config.vault.read.clone(),
        ));
        list.push(capabilities::sync::interface(&syncer));
        if let Some(session) = &self.mail {
            let mail: Arc<dyn Mail> = Arc::new(McpMail::new(session.clone()));
            list.extend(capabilities::email::interfaces(&mail));
        }
        list
    }

    /// Loads the installed skills through this role's linker.
    ///
    /// # Errors
    /// If the skills' folder cannot be read or an interface cannot be linked.
    pub fn load_skills(&self, interfaces: Vec<Box<dyn Interface>>) -> Result<SkillSet, HouseError> {
        let narrowed = self.config.narrowed().map_err(HouseError::Config)?;
        let host = SkillHost::new(
            self.engine.clone(),
            self.role,
            self.agent.clone(),
            interfaces,
            narrowed,
        )
        .map_err(|error| HouseError::Engine(error.to_string()))?;
        let folder = skills_folder(&self.config.work.skills);
        Ok(SkillSet::load(host, &folder, self.config.limits())?)
    }

    /// Starts the mail watcher, if this host has one, and keeps it running.
    pub fn watch_mail(&self, shutdown: &Shutdown) -> Option<tokio::task::JoinHandle<()>> {
        let mail = &self.config.mail;
        if !mail.watch || mail.account.is_empty() {
            return None;
        }
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let child = Child {
            name: "the mail watcher".to_owned(),
            program: beside("platinum-intake"),
            args: vec![
                "mail".to_owned(),
                "--config".to_owned(),
                text(&mail.config),
                "--account".to_owned(),
                mail.account.clone(),
                "--vault".to_owned(),
                text(&self.config.vault.path),
                "--state".to_owned(),
                text(&self.config.vault.state.join("intake")),
            ],
            env: visible(&mail.env),
        };
        Some(tokio::spawn(supervisor::keep_running(
            child,
            shutdown.clone(),
        )))
    }
}

/// The mail server of a configuration, if it has one. Without a program named, the cloud gets the
/// draft-only build and local the full one.
pub fn mail_server(config: &Config, role: Role) -> Option<ServerSpec> {
    let mail = &config.mail;
    if mail.account.is_empty() {
        return None;
    }
    let command = match (mail.server.as_os_str().is_empty(), role) {
        (true, Role::Cloud) => beside("platinum-email-draft"),
        (true, Role::Local) => beside("platinum-email"),
        (false, _) if mail.server.components().count() == 1 => {
            beside(&mail.server.to_string_lossy())
        }
        (false, _) => mail.server.clone(),
    };
    Some(ServerSpec {
        name: "email".to_owned(),
        command,
        args: vec![
            "--config".to_owned(),
            mail.config.to_string_lossy().into_owned(),
        ],
        env: visible(&mail.env),
        call_timeout: MAIL_CALL,
    })
}

/// The environment variables that were named, with their values.
fn visible(names: &[String]) -> BTreeMap<String, String> {
    names
        .iter()
        .filter_map(|name| std::env::var(name).ok().map(|value| (name.clone(), value)))
        .collect()
}

async fn open_mail(spec: ServerSpec, role: Role) -> Result<Session, HouseError> {
    let session = Session::spawn(spec).await?;
    let tools = session.tools().await?;
    refuse_acting(role, session.name(), &tools)?;
    Ok(session)
}

fn open_remote(config: &Config) -> Result<Option<Box<dyn Remote>>, HouseError> {
    if config.sync.remote.is_empty() {
        return Ok(None);
    }
    let git_dir = config.vault.state.join("vault.git");
    let timeout = Duration::from_secs(config.sync.timeout_seconds);
    GitRemote::open(&git_dir, &config.sync.remote, timeout)
        .map(|remote| {
            let remote = remote.with_env(&config.sync.env);
            let recording = RecordingRemote::new(remote, &config.vault.state);
            Some(Box::new(recording) as Box<dyn Remote>)
        })
        .map_err(|error| HouseError::Sync(error.to_string()))
}

/// Makes the state folder, private to this user.
///
/// # Errors
/// What the system says.
pub fn make_state_folder(path: &std::path::Path) -> std::io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))
}

/// Makes the state folder and takes its lock.
fn take_state_folder(path: &std::path::Path) -> Result<File, HouseError> {
    let failed = |what: String| HouseError::State {
        path: path.to_owned(),
        what,
    };
    make_state_folder(path).map_err(|error| failed(error.to_string()))?;
    let lock = File::create(path.join("lock")).map_err(|error| failed(error.to_string()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err(failed(
            "another daemon is using it; stop that one first".to_owned(),
        )),
        Err(std::fs::TryLockError::Error(error)) => Err(failed(error.to_string())),
    }
}
