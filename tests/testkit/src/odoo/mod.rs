//! [`OdooServer`]: a real Odoo 19 with accounting, its PostgreSQL and our addon, on loopback.
//!
//! Lives elsewhere: `cargo xtask test` (or `cargo xtask odoo`) gets Odoo and makes the database that is copied here;
//! calls over HTTP are in `client.rs`; leaving out hooks of the addon, to see what each holds back, in `hooks.rs`.
//! Invariants: each server has a copy of the database of its own, which goes with it; no mail leaves: what Odoo would
//! send is refused.

mod client;
mod hooks;

use std::{
    collections::BTreeMap,
    fs,
    net::TcpStream,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use anyhow::Context as _;
use tempfile::TempDir;

use crate::{Child, end_of, fetched_folder, free_ports, is_ready, is_set_up, run, wait_for};

pub use client::OdooRefusal;
pub use hooks::HOOKS;

/// The name of the database.
const DATABASE: &str = "odoo";

/// On two busy cores Odoo needs ten seconds to answer first.
const READY: Duration = Duration::from_secs(120);

/// Who has an API key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum OdooUser {
    /// The administrator, who may do everything.
    Owner,
    /// A user as `deploy/odoo/make-drafter.py` makes it: it can draft and nothing else.
    Drafter,
    /// A drafter to whom the groups of accounting, sales and contacts give all their rights.
    PowerfulDrafter,
}

impl OdooUser {
    /// The name to log in with: over JSON-RPC the key is the password.
    #[must_use]
    pub fn login(self) -> &'static str {
        match self {
            Self::Owner => "admin",
            Self::Drafter => "platinum-drafter",
            Self::PowerfulDrafter => "powerful-drafter",
        }
    }

    /// What the set-up calls its key.
    fn key_name(self) -> &'static str {
        match self {
            Self::Owner => "OWNER",
            Self::Drafter => "KEY",
            Self::PowerfulDrafter => "POWERFUL",
        }
    }
}

/// A running Odoo, ended on drop.
#[derive(Debug)]
pub struct OdooServer {
    // Order matters: Odoo ends before PostgreSQL, which waits for it; the folder goes last.
    odoo: Mutex<Option<Child>>,
    _postgres: Child,
    dir: TempDir,
    keys: BTreeMap<String, String>,
    port: u16,
    postgres_port: u16,
    leaves_out_hooks: bool,
}

impl OdooServer {
    /// Whether Odoo is set up. Where the test command could not get it, and where it has not run, the test is
    /// [skipped](crate::skip) with the reason.
    ///
    /// # Errors
    /// If the test command has run and left neither Odoo nor a reason.
    pub fn present() -> anyhow::Result<bool> {
        is_set_up(&cache(), "Odoo", "cargo xtask odoo")
    }

    /// Whether it is set up, or why not.
    ///
    /// # Errors
    /// One sentence that says what is missing.
    pub fn available() -> Result<(), String> {
        is_ready(&cache(), "Odoo", "cargo xtask odoo").map_err(|(reason, _)| reason)
    }

    /// The server of this test program: started by the first test that asks, ended with the last that holds it.
    ///
    /// # Errors
    /// As [`OdooServer::start`].
    pub fn shared() -> anyhow::Result<Arc<Self>> {
        static SHARED: Mutex<Weak<OdooServer>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = shared.upgrade() {
            return Ok(server);
        }
        let server = Arc::new(Self::start()?);
        *shared = Arc::downgrade(&server);
        Ok(server)
    }

    /// Starts one with a fresh database, and waits until it answers.
    ///
    /// # Errors
    /// If it is not set up or does not come up; the end of its log is in the text.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(false)
    }

    fn start_with(leaves_out_hooks: bool) -> anyhow::Result<Self> {
        let keys = fs::read_to_string(cache().join("keys")).context("Odoo is not set up")?;
        let keys = keys
            .lines()
            .filter_map(|line| line.split_once('='))
            .map(|(name, key)| (name.to_owned(), key.to_owned()))
            .collect();
        let dir = TempDir::with_prefix("platinum-odoo-")?;
        // PostgreSQL runs as another user and has to get through.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        let [port, postgres_port] = free_ports()?;
        let postgres = start_postgres(dir.path(), postgres_port)?;
        copy(&cache().join("data"), &dir.path().join("data"))?;
        let server = Self {
            odoo: Mutex::default(),
            _postgres: postgres,
            dir,
            keys,
            port,
            postgres_port,
            leaves_out_hooks,
        };
        if leaves_out_hooks {
            server.write_hooks_addon()?;
        }
        server.start_odoo()?;
        Ok(server)
    }

    /// Starts Odoo on its port and database.
    fn start_odoo(&self) -> anyhow::Result<()> {
        let packages = cache().join("odoo/usr/lib/python3/dist-packages");
        let addons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/odoo/addons");
        let dir = self.dir.path();
        let (hooks_addons, hooks_module) = match self.leaves_out_hooks {
            true => (
                format!(",{}", self.hooks_addons().display()),
                ",platinum_hooks_left_out",
            ),
            false => (String::new(), ""),
        };
        let configuration = dir.join("odoo.conf");
        fs::write(
            &configuration,
            format!(
                "[options]\naddons_path = {},{}{hooks_addons}\ndata_dir = {}\ndb_host = 127.0.0.1\ndb_port = {}\n\
                 db_user = odoo\ndb_password = unused\nhttp_interface = 127.0.0.1\nhttp_port = {}\n\
                 max_cron_threads = 0\nworkers = 0\nlist_db = False\nsmtp_server = 127.0.0.1\nsmtp_port = 1\n\
                 server_wide_modules = base,rpc,web{hooks_module}\n",
                packages.join("odoo/addons").display(),
                addons.canonicalize()?.display(),
                dir.join("data").display(),
                self.postgres_port,
                self.port,
            ),
        )?;
        let log = dir.join("odoo.log");
        let arguments = [
            format!("PYTHONPATH={}", packages.display()),
            format!("PYTHONPYCACHEPREFIX={}", cache().join("pycache").display()),
            format!("PLATINUM_HOOKS_LEFT_OUT={}", self.left_out().display()),
            cache().join("venv/bin/python").display().to_string(),
            cache().join("odoo/usr/bin/odoo").display().to_string(),
            format!("--config={}", configuration.display()),
            format!("--database={DATABASE}"),
            format!("--db-filter=^{DATABASE}$"),
        ];
        let odoo = Child::start("env", arguments, &log, None)?;
        *self.odoo.lock().unwrap_or_else(PoisonError::into_inner) = Some(odoo);
        await_port("Odoo", self.port, &log)?;
        // It listens before it has loaded its modules: the first answer is that of the version.
        wait_for("Odoo to answer", READY, || {
            Ok(self.get("/web/version").is_ok().then_some(()))
        })
        .with_context(|| end_of(&log))
    }

    /// Ends Odoo, whatever it is at. Its database stays, and goes on when it is started again.
    pub fn stop(&self) {
        let mut odoo = self.odoo.lock().unwrap_or_else(PoisonError::into_inner);
        *odoo = None;
    }

    /// Starts Odoo again where it was, and waits until it answers.
    ///
    /// # Errors
    /// As [`OdooServer::start`].
    pub fn start_again(&self) -> anyhow::Result<()> {
        self.stop();
        self.start_odoo()
    }

    /// Where it answers, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The API key of a user.
    #[must_use]
    pub fn key(&self, user: OdooUser) -> &str {
        self.keys.get(user.key_name()).map_or("", String::as_str)
    }

    /// Writes what a program needs to log in as a user, over `auto`, `json-2` or `json-rpc`: its configuration
    /// `odoo.toml`, whose path is answered, and the key beside it.
    ///
    /// # Errors
    /// If the folder cannot be written.
    pub fn configure(
        &self,
        folder: &Path,
        user: OdooUser,
        protocol: &str,
    ) -> anyhow::Result<PathBuf> {
        self.configure_through(&self.url(), folder, user, protocol)
    }

    /// The same for a program that finds Odoo at another address than its own.
    ///
    /// # Errors
    /// As [`OdooServer::configure`].
    pub fn configure_through(
        &self,
        url: &str,
        folder: &Path,
        user: OdooUser,
        protocol: &str,
    ) -> anyhow::Result<PathBuf> {
        let key = folder.join("odoo.key");
        fs::write(&key, self.key(user))?;
        fs::set_permissions(&key, fs::Permissions::from_mode(0o600))?;
        let config = folder.join("odoo.toml");
        let text = format!(
            "[odoo]\nurl = '{url}'\ndatabase = '{DATABASE}'\nuser = '{}'\nprotocol = '{protocol}'\n\
             key = {{ file = 'odoo.key' }}\n",
            user.login()
        );
        fs::write(&config, text)?;
        Ok(config)
    }

    /// What PostgreSQL answers its superuser: rows, their columns divided by `|`.
    ///
    /// # Errors
    /// Its own words.
    pub fn sql(&self, statement: &str) -> anyhow::Result<String> {
        psql(self.postgres_port, statement, self.dir.path())
    }
}

/// In the one spelling by which Python finds what it has compiled before.
fn cache() -> PathBuf {
    let path = fetched_folder("odoo");
    path.canonicalize().unwrap_or(path)
}

fn start_postgres(dir: &Path, port: u16) -> anyhow::Result<Child> {
    let cluster = dir.join("cluster");
    copy(&cache().join("cluster"), &cluster)?;
    let version = fs::read_to_string(cluster.join("PG_VERSION"))?;
    let program = format!("/usr/lib/postgresql/{}/bin/postgres", version.trim());
    fs::set_permissions(&cluster, fs::Permissions::from_mode(0o700))?;
    let socket = dir.join("socket");
    fs::create_dir(&socket)?;
    let text = |path: &Path| path.display().to_string();
    let mut arguments = vec![
        program,
        "-D".to_owned(),
        text(&cluster),
        "-p".to_owned(),
        port.to_string(),
    ];
    for setting in [
        "listen_addresses=127.0.0.1",
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        &format!("unix_socket_directories={}", text(&socket)),
    ] {
        arguments.extend(["-c".to_owned(), setting.to_owned()]);
    }
    // It refuses to run as root.
    let mut starter = "env";
    if run("id", &["-u"], dir)? == "0" {
        starter = "setpriv";
        run(
            "chown",
            &["-R", "postgres", &text(&cluster), &text(&socket)],
            dir,
        )?;
        let user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];
        arguments.splice(0..0, user.map(str::to_owned));
    }
    let log = dir.join("postgres.log");
    let child = Child::start(starter, arguments, &log, None)?;
    await_port("PostgreSQL", port, &log)?;
    // It listens before it lets anyone in.
    wait_for("PostgreSQL to be ready", READY, || {
        Ok(psql(port, "", dir).ok())
    })
    .with_context(|| end_of(&log))?;
    Ok(child)
}

/// What the superuser is answered: rows, their columns divided by `|`.
fn psql(port: u16, statement: &str, dir: &Path) -> anyhow::Result<String> {
    let port = port.to_string();
    let server = [
        "-h",
        "127.0.0.1",
        "-p",
        &port,
        "-U",
        "postgres",
        "-d",
        DATABASE,
    ];
    let ask = ["-v", "ON_ERROR_STOP=1", "-qAtc", statement];
    run("psql", &[&server[..], &ask].concat(), dir)
}

fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let (from, to) = (from.display().to_string(), to.display().to_string());
    run("cp", &["-r", &from, &to], Path::new("/")).map(drop)
}

fn await_port(name: &str, port: u16, log: &Path) -> anyhow::Result<()> {
    wait_for(&format!("{name} to listen"), READY, || {
        Ok(TcpStream::connect(("127.0.0.1", port)).ok().map(drop))
    })
    .with_context(|| end_of(log))
}
