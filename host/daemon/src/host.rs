//! [`Host`]: everything a host has before it runs skills, opened in one place.
//!
//! Invariant: a cloud host that would stand beside a mail server which can send does not open.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use platinum_capabilities::{
    self as capabilities,
    sync::Syncer,
    tasks::{Receipts, TaskStore},
    zones::{SourceCommand, ZoneCapabilities},
};
use platinum_core::{AgentName, Role, ZoneId};
use platinum_engine::{Engine, EngineOptions, Interface, SkillHost};
use platinum_llm::Model;
use platinum_mcp::{ServerSpec, Session};
use platinum_repo::{GitRemote, Remote, RemoteError, Signers};
use platinum_vault::{Vault, VaultLock};

use platinum_sync::{RecordingRemote, SyncConfig, Synchronizer};
use platinum_verify::{Identity, IdentityError};
use tokio::sync::Notify;

use crate::{
    Config, OwnerUpdates, Shutdown, Tasks, beside,
    loops::run_source,
    reports::ZoneServers,
    secrets::Secrets,
    skills::{
        Catalog, CatalogError, FolderGrants, GrantUsage, KnownZones, LockMemory, SkillLock,
        SkillSet, SourceName,
    },
    skills_folder,
    supervisor::{self, Child},
};

/// A host, opened.
pub struct Host {
    /// Its configuration.
    pub config: Config,
    /// Its role.
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
    sessions: BTreeMap<String, Session>,
    engine: Engine,
    folders: FolderGrants,
    // Held: what it knows is read again as long as it is.
    _secrets: Arc<Secrets>,
    // Held as long as the host is open: two daemons must not share a state folder.
    _lock: File,
    // Nor a vault: with a state folder of its own, a second one would carry out every approval again.
    _vault_lock: VaultLock,
}

/// Why a host cannot open.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
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
    /// The vault has a daemon already.
    #[error(
        "the vault {path} cannot be used: another daemon is using it, with another state folder; stop that one first"
    )]
    VaultInUse {
        /// Which folder.
        path: PathBuf,
    },
    /// A zone has what this role may not have.
    #[error("role {role} refuses the zone `{zone}`: {what}")]
    RoleDenied {
        /// The role.
        role: Role,
        /// The zone.
        zone: String,
        /// What it may not have.
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
    /// The server of a zone, also one that this role may not stand beside.
    #[error(transparent)]
    Server(#[from] platinum_mcp::McpError),
    /// The model's configuration.
    #[error("{0}")]
    Model(String),
    /// WebAssembly.
    #[error("{0}")]
    Engine(String),
    /// The installed skills.
    #[error(transparent)]
    Skills(#[from] CatalogError),
}

impl Host {
    /// Opens the vault, the repository, the model, the mail server and the engine.
    ///
    /// # Errors
    /// With what is wrong, where, and what to do.
    pub async fn open(config: Config, role: Role) -> Result<Self, HostError> {
        let agent = config.agent(role).map_err(HostError::Config)?;
        for (id, zone) in config.zones.configured() {
            zone.check_role(role)
                .map_err(|what| denied(role, id, what))?;
        }
        let lock = take_state_folder(&config.vault.state)?;
        let vault = Vault::open(&config.vault.path)?;
        let vault_lock = take_vault(&vault)?;
        let remote = open_remote(&config)?;
        let identity = Identity::open(&config.vault.state, &agent, role)?;
        let secrets = Secrets::gather(&config)
            .map_err(|error| HostError::Config(format!("`secrets.allow`: {error}")))?;
        let sync = Synchronizer::new(SyncConfig {
            vault: vault.clone(),
            git_dir: config.vault.state.join("vault.git"),
            remote,
            agent: agent.clone(),
            role,
            identity: identity.clone(),
            scanner: secrets.scanner(),
        })
        .map_err(|error| HostError::Sync(error.to_string()))?
        .with_lease(Duration::from_secs(config.sync.lease_seconds))
        .with_choice(config.sync.choice().map_err(HostError::Config)?);
        let model = platinum_llm::build(&config.model, &config.vault.state)
            .map_err(|error| HostError::Model(error.to_string()))?;
        let mut sessions = BTreeMap::new();
        let servers = ZoneServers::begin(&config.vault.state);
        for (id, zone) in config.zones.configured() {
            if let Some(server) = zone_server(&**zone, role) {
                let session = Session::lazy(server);
                let (servers, name) = (servers.clone(), id.to_owned());
                session.on_change(move |reason| servers.set(&name, reason));
                match session.start().await {
                    Ok(()) => zone
                        .check_credentials(role, &session)
                        .await
                        .map_err(|what| denied(role, id, what))?,
                    Err(error) if error.is_final() => return Err(error.into()),
                    // The other zones go on; `doctor` tries it anew, too.
                    Err(error) => {
                        let text = format!(
                            "The zone {id} waits for its server, which is started again when it is \
                             needed: {error}"
                        );
                        tracing::warn!("{text}.");
                        let updates = OwnerUpdates::new(vault.clone(), agent.clone());
                        updates.publish(None, &text).await;
                    }
                }
                sessions.insert(id.to_owned(), session);
            }
        }
        let engine = Engine::new(EngineOptions {
            cache_dir: Some(config.compiled_skills()),
            ..EngineOptions::default()
        })
        .map_err(|error| HostError::Engine(error.to_string()))?;
        let configured = config.folders().map_err(HostError::Config)?;
        let folders = FolderGrants::decide(role, &agent, configured);
        for (skill, refusal) in folders.refused() {
            tracing::warn!(%skill, "A folder is not granted: {refusal}.");
        }
        Ok(Self {
            config,
            folders,
            role,
            agent,
            vault,
            identity,
            _secrets: secrets.keep_fresh(),
            sync,
            model,
            sessions,
            engine,
            _lock: lock,
            _vault_lock: vault_lock,
        })
    }

    /// Logs where this host stands, for the person who just started it.
    pub fn introduce(&self) {
        let or_none = |text: &str| match text {
            "" => "none".to_owned(),
            text => text.to_owned(),
        };
        let zones: Vec<&str> = self.sessions.keys().map(String::as_str).collect();
        tracing::info!(
            vault = %self.config.vault.path.display(),
            remote = %or_none(&self.config.sync.remote),
            zones = %or_none(&zones.join(", ")),
            model = %self.model.name(),
            "Watching the vault; press Ctrl-C to stop."
        );
        self.warn_of_strangers();
    }

    /// Without the other half's key, all that it sends is refused: better reported at the start.
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

    /// The interfaces that cannot act, over this host. Which of them a role is granted is not
    /// decided here.
    pub fn interfaces(&self, receipts: &Arc<dyn Receipts>) -> Vec<Box<dyn Interface>> {
        let store: Arc<dyn TaskStore> = Arc::new(Tasks(self.sync.clone()));
        let syncer: Arc<dyn Syncer> = Arc::new(Tasks(self.sync.clone()));
        let mut list = capabilities::skill::interfaces();
        list.extend(capabilities::tasks::interfaces(&store, receipts));
        list.extend(capabilities::proposals::interfaces(&self.vault, &store));
        list.push(capabilities::updates::publish(&self.vault));
        list.push(capabilities::model::interface(&self.model));
        list.push(capabilities::vault::interface(
            &self.vault,
            self.folders.reads(self.config.vault.read.clone()),
        ));
        list.push(capabilities::sync::interface(&syncer));
        for (id, zone) in self.config.zones.configured() {
            if let Some(session) = self.sessions.get(id) {
                list.extend(zone.interfaces(session, &self.vault, &store));
            }
        }
        list
    }

    /// The session with the server of a zone, if it has one here.
    pub fn session(&self, zone: &str) -> Option<&Session> {
        self.sessions.get(zone)
    }

    /// Calls `on_end` with the zone and the reason when the session with the server of a zone ends for good.
    pub fn on_session_end(&self, on_end: impl Fn(&str, &str) + Clone + Send + Sync + 'static) {
        for (zone, session) in &self.sessions {
            let (zone, on_end) = (zone.clone(), on_end.clone());
            session.on_end(move |reason| on_end(&zone, reason));
        }
    }

    /// Loads the installed skills through this role's linker.
    ///
    /// # Errors
    /// If the skills' folder cannot be listed or an interface cannot be linked. A bad skill is no
    /// error.
    pub fn load_skills(&self, interfaces: Vec<Box<dyn Interface>>) -> Result<SkillSet, HostError> {
        let narrowed = self.config.narrowed().map_err(HostError::Config)?;
        let host = SkillHost::new(
            self.engine.clone(),
            self.role,
            self.agent.clone(),
            interfaces,
            narrowed,
        )
        .map_err(|error| HostError::Engine(error.to_string()))?;
        let folder = skills_folder(&self.config.work.skills);
        let mut catalog = Catalog::read(&folder)?;
        catalog.pin(
            self.role,
            &SkillLock::take_up(
                &folder,
                &self.identity.signers()?,
                &LockMemory::of(&self.config.vault.state),
            ),
        );
        Ok(SkillSet::load(
            host,
            &catalog,
            &self.config.limits(),
            KnownZones::of(self.role, &self.config),
            self.owner_updates(),
            |skill| self.folders.folders(skill, &self.vault),
        )
        .with_usage(GrantUsage::read(&self.config.vault.state)))
    }

    /// What the host itself has to let the owner know.
    pub fn owner_updates(&self) -> OwnerUpdates {
        OwnerUpdates::new(self.vault.clone(), self.agent.clone())
    }

    /// The source of files that are dropped into the vault.
    fn folder_source(&self) -> SourceCommand {
        let built_in = platinum_policy::BUILT_IN_ZONES.iter().map(|zone| zone.id);
        let named = [self.config.zones.ids(), &self.config.work.zones].concat();
        let zones: BTreeSet<_> = built_in.chain(named).collect();
        let zones: Vec<_> = zones.iter().map(ZoneId::to_string).collect();
        let facts = self.config.zones.configured().flat_map(|(id, zone)| {
            let facts = zone.task_facts().into_iter();
            facts.map(move |(name, value)| format!("--fact={id}:{name}={value}"))
        });
        let mut command = SourceCommand {
            name: "the folder watcher".to_owned(),
            args: vec![
                "folder".to_owned(),
                "--zones".to_owned(),
                zones.join(","),
                "--role".to_owned(),
                self.role.to_string(),
                "--agent".to_owned(),
                self.agent.to_string(),
                "--default-zone".to_owned(),
                self.config.intake.default_zone.to_string(),
            ],
            env: BTreeMap::new(),
        };
        command.args.extend(facts);
        command
    }

    /// Starts the sources of the vault and of the zones that this host watches, and keeps them
    /// running; what they take in is an event for the skills.
    pub fn run_sources(
        &self,
        skills: &Arc<SkillSet>,
        shutdown: &Shutdown,
    ) -> Vec<tokio::task::JoinHandle<()>> {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let zones = self.config.zones.ids().iter().filter_map(|id| {
            let zone = self.config.zones.get(id.as_str())?;
            let mut source = zone.source()?;
            let host = zone.host_args(&self.agent, self.config.zones.ids());
            source.args.extend(host);
            Some((SourceName::of_zone(*id), source))
        });
        let sources = zones.chain([(SourceName::folder(), self.folder_source())]);
        let mut tasks = Vec::new();
        for (name, source) in sources {
            let written = Arc::new(Notify::new());
            let child = Child {
                name: source.name,
                program: beside("platinum-intake"),
                args: [
                    source.args,
                    vec![
                        "--vault".to_owned(),
                        text(&self.config.vault.path),
                        "--state".to_owned(),
                        text(&self.config.vault.state.join("intake")),
                    ],
                ]
                .concat(),
                env: source.env,
                written: Arc::clone(&written),
            };
            let (skills, stop) = (Arc::clone(skills), shutdown.clone());
            tasks.push(tokio::spawn(supervisor::keep_running(child, stop.clone())));
            tasks.push(tokio::spawn(run_source(skills, name, written, stop)));
        }
        tasks
    }
}

/// The server of a zone for a role, with its program found.
pub fn zone_server(zone: &dyn ZoneCapabilities, role: Role) -> Option<ServerSpec> {
    let mut server = zone.server(role)?;
    if server.command.components().count() == 1 {
        server.command = beside(&server.command.to_string_lossy());
    }
    Some(server)
}

fn denied(role: Role, zone: &str, what: String) -> HostError {
    HostError::RoleDenied {
        role,
        zone: zone.to_owned(),
        what,
    }
}

/// The remote of a configuration, as everything that asks it reaches it.
///
/// # Errors
/// If its address cannot be used.
pub fn git_remote(config: &Config) -> Result<GitRemote, RemoteError> {
    let git_dir = config.vault.state.join("vault.git");
    let time_out = Duration::from_secs(config.sync.timeout_seconds);
    let remote = GitRemote::open(&git_dir, &config.sync.remote, time_out)?;
    Ok(remote.with_env(&config.sync.env))
}

fn open_remote(config: &Config) -> Result<Option<Box<dyn Remote>>, HostError> {
    if config.sync.remote.is_empty() {
        return Ok(None);
    }
    git_remote(config)
        .map(|remote| {
            let recording = RecordingRemote::new(remote, &config.vault.state);
            Some(Box::new(recording) as Box<dyn Remote>)
        })
        .map_err(|error| HostError::Sync(error.to_string()))
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

/// Locks the vault itself, not only the state folder.
fn take_vault(vault: &Vault) -> Result<VaultLock, HostError> {
    VaultLock::take(vault)?.ok_or_else(|| HostError::VaultInUse {
        path: vault.root().to_owned(),
    })
}

/// Makes the state folder and takes its lock.
fn take_state_folder(path: &std::path::Path) -> Result<File, HostError> {
    let failed = |what: String| HostError::State {
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
