//! [`MailServers`]: a real Dovecot (IMAP, LMTP, SASL) and a real Postfix (submission), over TLS.
//!
//! [`scripted`]: an IMAP server that does one thing wrong; [`scripted_smtp`]: a submission server that
//! does; [`token_server`]: a provider of OAuth 2 tokens.
//! Lives elsewhere: their configuration files are in `servers.rs`, the certificates in `crate::tls`,
//! delivery in `lmtp.rs`.
//! Invariants: two users, [`OWNER`] and [`CLIENT`]; mail leaves this machine under no
//! circumstances, other domains are refused.

mod lmtp;
pub mod scripted;
pub mod scripted_smtp;
mod servers;
pub mod token_server;

use std::{
    fmt::Write as _,
    fs,
    io::Write as _,
    net::TcpStream,
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use crate::{Child, free_ports, run, tls, wait_for};

/// The mailbox that Platinum works for.
pub const OWNER: &str = "owner@example.test";
/// Someone who writes to the owner.
pub const CLIENT: &str = "client@example.test";

const READY: Duration = Duration::from_secs(20);

/// How an account of [`MailServers::config`] sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submission {
    /// Not at all: no `smtp` table.
    None,
    /// TLS from the first byte.
    Tls,
    /// Plain first, then STARTTLS.
    StartTls,
}

/// How a mailbox is laid out, and who may enter it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MailboxLayout<'a> {
    /// What the names of folders begin with, for example `INBOX.`.
    pub prefix: &'a str,
    /// The name of the folder of drafts.
    pub drafts: &'a str,
    /// The name of the folder of sent mails.
    pub sent: &'a str,
    /// Whether the server says what its folders are for.
    pub names_uses: bool,
    /// The port of the [`TokenServer`](token_server::TokenServer) whose tokens are let in.
    pub token_server: Option<u16>,
}

impl Default for MailboxLayout<'_> {
    fn default() -> Self {
        Self {
            prefix: "",
            drafts: "Drafts",
            sent: "Sent",
            names_uses: true,
            token_server: None,
        }
    }
}

/// Running mail servers, ended on drop.
#[derive(Debug)]
pub struct MailServers {
    // Order matters: Postfix ends before Dovecot, the folder goes last.
    postfix: Option<Child>,
    dovecot: Option<Child>,
    dir: TempDir,
    ports: Ports,
}

#[derive(Debug, Clone, Copy)]
struct Ports {
    imaps: u16,
    imap: u16,
    lmtp: u16,
    sasl: u16,
    smtps: u16,
    submission: u16,
}

impl MailServers {
    /// Whether everything is installed. Where it must be (see [`servers_required`](crate::servers_required)) it is
    /// an error that it is not; elsewhere the test is [skipped](crate::skip).
    ///
    /// # Errors
    /// One sentence that names the missing packages.
    pub fn present() -> anyhow::Result<bool> {
        match Self::available() {
            Ok(()) => Ok(true),
            Err(why) => crate::skip(&why, false).map(|()| false),
        }
    }

    /// Whether everything is installed, or what to do about it.
    ///
    /// # Errors
    /// One sentence that names the missing packages.
    pub fn available() -> Result<(), String> {
        let mut missing = Vec::new();
        for (package, file) in [
            ("dovecot-core", "/usr/sbin/dovecot"),
            ("dovecot-imapd", "/usr/lib/dovecot/imap"),
            ("dovecot-lmtpd", "/usr/lib/dovecot/lmtp"),
            ("postfix", "/usr/sbin/postfix"),
            ("openssl", "/usr/bin/openssl"),
        ] {
            if !Path::new(file).exists() {
                missing.push(package);
            }
        }
        if !missing.is_empty() {
            let list = missing.join(" ");
            return Err(format!(
                "missing Debian packages: apt-get install --no-install-recommends {list}"
            ));
        }
        if !servers::is_root() {
            return Err("Postfix has to be started by root; run these tests as root".to_owned());
        }
        Ok(())
    }

    /// Starts both servers with empty mailboxes, and waits until they answer.
    ///
    /// # Errors
    /// If a package is missing or a server does not come up; the end of its log is in the text.
    pub fn start() -> anyhow::Result<Self> {
        Self::start_with(MailboxLayout::default())
    }

    /// Starts Dovecot alone, which needs no root.
    ///
    /// # Errors
    /// As [`MailServers::start`].
    pub fn start_imap() -> anyhow::Result<Self> {
        Self::start_imap_with(MailboxLayout::default())
    }

    /// As [`MailServers::start`], with mailboxes laid out like this.
    ///
    /// # Errors
    /// As [`MailServers::start`].
    pub fn start_with(layout: MailboxLayout<'_>) -> anyhow::Result<Self> {
        Self::available().map_err(anyhow::Error::msg)?;
        let mut servers = Self::start_imap_with(layout)?;
        servers.start_postfix()?;
        Ok(servers)
    }

    /// As [`MailServers::start_imap`], with mailboxes laid out like this.
    ///
    /// # Errors
    /// As [`MailServers::start`].
    pub fn start_imap_with(layout: MailboxLayout<'_>) -> anyhow::Result<Self> {
        let dir = TempDir::with_prefix("platinum-mail-")?;
        // The servers run as other users and have to get through.
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755))?;
        tls::make_certificates(&dir.path().join("tls"))?;
        let [imaps, imap, lmtp, sasl, smtps, submission] = free_ports()?;
        let ports = Ports {
            imaps,
            imap,
            lmtp,
            sasl,
            smtps,
            submission,
        };
        let users: Vec<_> = [OWNER, CLIENT].map(|user| (user, password_of(user))).into();
        servers::configure_dovecot(dir.path(), ports, &users, layout)?;
        let mut servers = Self {
            postfix: None,
            dovecot: None,
            dir,
            ports,
        };
        servers.resume_imap()?;
        Ok(servers)
    }

    /// Ends Dovecot; connections break. The mailboxes stay.
    pub fn stop_imap(&mut self) {
        self.dovecot = None;
    }

    /// Starts Dovecot again on the same ports and mailboxes.
    ///
    /// # Errors
    /// As [`MailServers::start`].
    pub fn resume_imap(&mut self) -> anyhow::Result<()> {
        let configuration = self.dir.path().join("dovecot/dovecot.conf");
        let log = self.dir.path().join("dovecot/output.log");
        let arguments = ["-F".as_ref(), "-c".as_ref(), configuration.as_os_str()];
        self.dovecot = Some(Child::start("/usr/sbin/dovecot", arguments, &log, None)?);
        self.await_ports(
            "Dovecot",
            &[self.ports.imaps, self.ports.lmtp, self.ports.sasl],
            "dovecot/dovecot.log",
        )
    }

    fn start_postfix(&mut self) -> anyhow::Result<()> {
        servers::configure_postfix(self.dir.path(), self.ports)?;
        let etc = self.dir.path().join("postfix/etc");
        let log = self.dir.path().join("postfix/output.log");
        let arguments = ["-c".as_ref(), etc.as_os_str(), "start-fg".as_ref()];
        let pid_file = self.dir.path().join("postfix/queue/pid/master.pid");
        self.postfix = Some(Child::start(
            "/usr/sbin/postfix",
            arguments,
            &log,
            Some(&pid_file),
        )?);
        self.await_ports(
            "Postfix",
            &[self.ports.smtps, self.ports.submission],
            "postfix/mail.log",
        )
    }

    fn await_ports(&self, name: &str, ports: &[u16], log: &str) -> anyhow::Result<()> {
        wait_for(&format!("{name} to listen"), READY, || {
            Ok(ports
                .iter()
                .all(|&port| TcpStream::connect(("127.0.0.1", port)).is_ok())
                .then_some(()))
        })
        .with_context(|| {
            let log = fs::read_to_string(self.dir.path().join(log)).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            format!(
                "{name} did not start; its log ends: {}",
                lines[lines.len().saturating_sub(8)..].join("\n")
            )
        })
    }

    /// IMAP with TLS from the first byte.
    pub fn imap_port(&self) -> u16 {
        self.ports.imaps
    }

    /// IMAP with STARTTLS.
    pub fn starttls_imap_port(&self) -> u16 {
        self.ports.imap
    }

    /// Ends all IMAP sessions of a user, as an administrator does and as a provider whose token has ended.
    ///
    /// # Errors
    /// If Dovecot cannot be asked.
    pub fn kick(&self, user: &str) -> anyhow::Result<()> {
        let configuration = self.dir.path().join("dovecot/dovecot.conf");
        let configuration = configuration.to_string_lossy().into_owned();
        run(
            "doveadm",
            &["-c", &configuration, "kick", user],
            self.dir.path(),
        )
        .map(drop)
    }

    /// Lets Dovecot look at all mails of a user's inbox, as it does at a login.
    ///
    /// # Errors
    /// If it cannot.
    pub fn index(&self, user: &str) -> anyhow::Result<()> {
        let configuration = self.dir.path().join("dovecot/dovecot.conf");
        let configuration = configuration.to_string_lossy().into_owned();
        let index = ["-c", &configuration, "index", "-u", user, "INBOX"];
        run("doveadm", &index, self.dir.path()).map(drop)
    }

    /// Submission with TLS from the first byte.
    pub fn smtps_port(&self) -> u16 {
        self.ports.smtps
    }

    /// Submission with STARTTLS.
    pub fn submission_port(&self) -> u16 {
        self.ports.submission
    }

    /// Certificate of the authority that signed the servers' (names: `localhost`, `127.0.0.1`).
    pub fn ca_path(&self) -> PathBuf {
        self.dir.path().join("tls/ca.pem")
    }

    /// The password of a user.
    pub fn password(&self, user: &str) -> String {
        password_of(user)
    }

    /// Puts a mail into a user's inbox through LMTP, as an MTA would. A lone LF becomes CRLF;
    /// all other bytes arrive as they are.
    ///
    /// # Errors
    /// If Dovecot refuses it.
    pub fn deliver(&self, to: &str, mail: &[u8]) -> anyhow::Result<()> {
        lmtp::deliver(self.ports.lmtp, to, mail)
    }

    /// All mails of a user's inbox, oldest first.
    ///
    /// # Errors
    /// If the Maildir cannot be read.
    pub fn mailbox(&self, user: &str) -> anyhow::Result<Vec<Vec<u8>>> {
        read_maildir(&self.maildir(user))
    }

    /// All mails of one other folder, for example `Sent` or `Drafts`, oldest first.
    ///
    /// # Errors
    /// If the Maildir cannot be read.
    pub fn folder(&self, user: &str, name: &str) -> anyhow::Result<Vec<Vec<u8>>> {
        read_maildir(&self.maildir(user).join(format!(".{name}")))
    }

    /// Puts a mail into one of a user's folders, as another program of theirs does; `flags` as a
    /// Maildir writes them.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn file(&self, user: &str, folder: &str, flags: &str, mail: &[u8]) -> anyhow::Result<()> {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let home = self.maildir(user);
        let folder = home.join(format!(".{folder}"));
        let owner = fs::metadata(&home)?;
        for part in [
            folder.clone(),
            folder.join("cur"),
            folder.join("new"),
            folder.join("tmp"),
        ] {
            // Dovecot makes it at the first use.
            if !part.exists() {
                fs::create_dir(&part)?;
                std::os::unix::fs::chown(&part, Some(owner.uid()), Some(owner.gid()))?;
            }
        }
        let place = folder.join("cur");
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = place.join(format!("{}.{number}.testkit:2,{flags}", std::process::id()));
        fs::write(&path, mail).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(fs::set_permissions(
            &path,
            fs::Permissions::from_mode(0o644),
        )?)
    }

    /// Where Dovecot keeps a user's mail.
    pub fn maildir(&self, user: &str) -> PathBuf {
        self.dir.path().join("mail").join(user)
    }

    /// Drops what Dovecot remembers of a user's inbox, so that it comes back with another
    /// UIDVALIDITY and other UIDs. Stop it first.
    ///
    /// # Errors
    /// If a file cannot be removed.
    pub fn forget_uids(&self, user: &str) -> anyhow::Result<()> {
        for entry in fs::read_dir(self.maildir(user))? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("dovecot") && entry.file_type()?.is_file() {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Writes a mail configuration for `account` (`owner` or `client`) that reads by IMAP and
    /// sends with TLS from the first byte, with its password in a file of mode 0600.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn config_toml(&self, account: &str) -> anyhow::Result<PathBuf> {
        self.config(account, Submission::Tls)
    }

    /// As [`MailServers::config_toml`], sending as told.
    ///
    /// # Errors
    /// If the files cannot be written.
    pub fn config(&self, account: &str, submission: Submission) -> anyhow::Result<PathBuf> {
        let user = match account {
            "owner" => OWNER,
            "client" => CLIENT,
            other => {
                bail!("`{other}` is no account of the test servers; they are owner and client")
            }
        };
        let dir = self.dir.path().join("config");
        fs::create_dir_all(&dir)?;
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o700))?;
        let secret = dir.join(format!("{account}.password"));
        write_private(&secret, password_of(user).as_bytes())?;
        let ca = self.ca_path();
        let login =
            format!("user = \"{user}\"\npassword = {{ file = {secret:?} }}\nca-file = {ca:?}\n");
        let mut text = format!(
            "[account.{account}]\naddress = \"{user}\"\nbackend = \"imap\"\nhost = \"127.0.0.1\"\nport = {}\n{login}",
            self.ports.imaps
        );
        let (port, security) = match submission {
            Submission::None => (0, ""),
            Submission::Tls => (self.ports.smtps, "tls"),
            Submission::StartTls => (self.ports.submission, "starttls"),
        };
        if submission != Submission::None {
            write!(
                text,
                "\n[account.{account}.smtp]\nhost = \"127.0.0.1\"\nport = {port}\nsecurity = \"{security}\"\n{login}"
            )?;
        }
        let name = match submission {
            Submission::None => "read",
            Submission::Tls => "tls",
            Submission::StartTls => "starttls",
        };
        let file = dir.join(format!("{account}-{name}.toml"));
        write_private(&file, text.as_bytes())?;
        Ok(file)
    }

    /// What the servers logged, for a failed test's output.
    pub fn logs(&self) -> String {
        [
            "dovecot/dovecot.log",
            "dovecot/output.log",
            "postfix/mail.log",
            "postfix/output.log",
        ]
        .iter()
        .filter_map(|name| fs::read_to_string(self.dir.path().join(name)).ok())
        .collect()
    }
}

fn password_of(user: &str) -> String {
    format!("secret-of-{}", user.split('@').next().unwrap_or(user))
}

fn write_private(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let mut file = fs::File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(bytes)?;
    Ok(())
}

fn read_maildir(dir: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let mut files = Vec::new();
    for part in ["new", "cur"] {
        let Ok(entries) = fs::read_dir(dir.join(part)) else {
            continue;
        };
        for entry in entries {
            let entry = entry?;
            files.push((entry.file_name(), entry.path()));
        }
    }
    files.sort();
    // A file may move from new to cur between the list and the read: the caller polls.
    Ok(files
        .into_iter()
        .filter_map(|(_, path)| fs::read(path).ok())
        .collect())
}
