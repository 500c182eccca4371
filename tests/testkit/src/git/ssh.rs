//! [`SshServer`]: a real sshd with one repository, for one key.
//!
//! It runs as whoever runs the tests, and lets no one else in. Root's sshd keeps an empty folder
//! `/run/sshd`; that one is made, all else is in a temporary folder.
//! Invariants: keys alone, no password; no terminal, no forwarding; the client trusts the one host
//! key it was given, and reads no configuration of the user's.

use std::{
    env, fs,
    net::{IpAddr, Ipv4Addr},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, ensure};

use super::{Access, bare_repository, git_in};
use crate::{Child, free_ports, run, wait_for};

/// The name under which the client knows the host key, whatever port leads there.
const HOST: &str = "platinum-test-remote";

/// Where it listens, and what starts it.
#[derive(Debug, Clone)]
pub struct SshOptions {
    /// The address it listens on.
    pub listen: IpAddr,
    /// Its port; without one, one that is free on this machine's loopback.
    pub port: Option<u16>,
    /// A command that starts it, such as `ip netns exec <name>`; it must become what it starts.
    pub under: Vec<String>,
    /// A folder of programs that its commands find before all others.
    pub programs: Option<PathBuf>,
}

impl Default for SshOptions {
    fn default() -> Self {
        Self {
            listen: Ipv4Addr::LOCALHOST.into(),
            port: None,
            under: Vec::new(),
            programs: None,
        }
    }
}

/// A running sshd with one empty repository; it ends when this is dropped.
#[derive(Debug)]
pub struct SshServer {
    _child: Child,
    listen: IpAddr,
    port: u16,
    user: String,
    folder: tempfile::TempDir,
}

impl SshServer {
    /// Starts one on loopback.
    ///
    /// # Errors
    /// If OpenSSH's server is not installed or does not start.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(SshOptions::default())
    }

    /// Starts one where the options say.
    ///
    /// # Errors
    /// If OpenSSH's server is not installed or does not start; its log is in the text.
    pub fn start_with(options: SshOptions) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let dir = folder.path();
        bare_repository(&dir.join("vault.git"))?;
        let user = run("id", &["-un"], dir)?;
        let program = sshd()?;
        if run("id", &["-u"], dir)? == "0" {
            fs::create_dir_all("/run/sshd").context("root's sshd needs the folder /run/sshd")?;
        }
        make_keys(dir)?;
        let port = match options.port {
            Some(port) => port,
            None => free_ports::<1>()?[0],
        };
        fs::write(
            dir.join("sshd_config"),
            configuration(dir, options.listen, port, options.programs.as_deref())?,
        )?;
        let mut words = options.under;
        words.push(program.display().to_string());
        words.extend(["-D", "-e", "-f"].map(str::to_owned));
        words.push(dir.join("sshd_config").display().to_string());
        let (log, pid_file) = (dir.join("sshd.log"), dir.join("sshd.pid"));
        let child = Child::start(&words[0], &words[1..], &log, Some(&pid_file))?;
        // Written when it listens; a connection from here may not reach it.
        wait_for("sshd", Duration::from_secs(20), || {
            let pid = fs::read_to_string(&pid_file).unwrap_or_default();
            Ok((!pid.trim().is_empty()).then_some(()))
        })
        .with_context(|| fs::read_to_string(&log).unwrap_or_default())?;
        Ok(Self {
            _child: child,
            listen: options.listen,
            port,
            user,
            folder,
        })
    }

    /// The remote's address.
    pub fn address(&self) -> String {
        self.address_at(self.listen, self.port)
    }

    /// How a client reaches it.
    pub fn access(&self) -> Access {
        self.access_at(self.listen, self.port)
    }

    /// How a client reaches it through another port of loopback.
    pub fn access_through(&self, port: u16) -> Access {
        self.access_at(Ipv4Addr::LOCALHOST.into(), port)
    }

    /// How a client reaches it where someone leads there.
    pub fn access_at(&self, host: IpAddr, port: u16) -> Access {
        Access {
            address: self.address_at(host, port),
            ssh: self.ssh(),
            settings: Vec::new(),
        }
    }

    /// The ssh program with this server's key and no one else's; it never asks.
    pub fn ssh(&self) -> String {
        let dir = self.folder.path().display();
        format!(
            "ssh -F none -i {dir}/identity -oIdentitiesOnly=yes -oIdentityAgent=none \
             -oUserKnownHostsFile={dir}/known_hosts -oGlobalKnownHostsFile=/dev/null \
             -oStrictHostKeyChecking=yes -oHostKeyAlias={HOST} -oUpdateHostKeys=no -oBatchMode=yes"
        )
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// What it wrote so far.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("sshd.log")).unwrap_or_default()
    }

    /// The repository itself, to look at or to forge commits in.
    pub fn repository(&self) -> PathBuf {
        self.folder.path().join("vault.git")
    }

    /// Runs git in the repository, and answers what it wrote.
    ///
    /// # Errors
    /// If it failed; the text has what it said.
    pub fn git(&self, args: &[&str]) -> anyhow::Result<String> {
        git_in(&self.repository(), args)
    }

    fn address_at(&self, host: IpAddr, port: u16) -> String {
        let host = match host {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("[{v6}]"),
        };
        format!(
            "ssh://{}@{host}:{port}{}",
            self.user,
            self.repository().display()
        )
    }
}

/// It starts itself again for every connection, and must know where it is.
fn sshd() -> anyhow::Result<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path)
        .chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from))
        .map(|folder| folder.join("sshd"))
        .find(|program| program.is_file())
        .context("sshd is not installed (Debian: openssh-server)")
}

/// A key for the host, one for the client, and what each knows of the other.
fn make_keys(dir: &Path) -> anyhow::Result<()> {
    for name in ["host_key", "identity"] {
        let made = run(
            "ssh-keygen",
            &["-q", "-t", "ed25519", "-N", "", "-C", name, "-f", name],
            dir,
        );
        made.context("ssh-keygen failed (Debian: openssh-client)")?;
    }
    fs::copy(dir.join("identity.pub"), dir.join("authorized_keys"))?;
    let host = fs::read_to_string(dir.join("host_key.pub"))?;
    fs::write(dir.join("known_hosts"), format!("{HOST} {host}"))?;
    Ok(())
}

fn configuration(
    dir: &Path,
    listen: IpAddr,
    port: u16,
    programs: Option<&Path>,
) -> anyhow::Result<String> {
    let text = dir.display().to_string();
    let mut path = env::var("PATH").context("PATH is not text")?;
    if let Some(programs) = programs {
        path = format!("{}:{path}", programs.display());
    }
    let plain = |text: &str| !text.contains(['"', '\n', '\\']);
    ensure!(plain(&text) && plain(&path), "a folder's name has a quote");
    Ok(format!(
        "AddressFamily any
ListenAddress {listen}
Port {port}
PidFile {text}/sshd.pid
HostKey {text}/host_key
AuthorizedKeysFile {text}/authorized_keys
StrictModes no
UsePAM no
KexAlgorithms curve25519-sha256
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
PermitTTY no
DisableForwarding yes
PrintMotd no
UseDNS no
MaxStartups 500
LoginGraceTime 60
ClientAliveInterval 30
LogLevel INFO
SetEnv GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 LC_ALL=C \"PATH={path}\" \"HOME={text}\"
"
    ))
}
