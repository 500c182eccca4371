//! The README's way to one's own mailbox, walked as it is written there: its configuration blocks
//! are read out of README.md, so that the page stays true.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use platinum_core::Role;
use platinum_daemon::Config;
use platinum_host_tests::hosts::{self, daemon};
use platinum_testkit::{
    Child,
    mail::{CLIENT, MailServers, OWNER},
    program, wait_for,
};

use crate::gate::{
    MAIL,
    cluster::{SOON, built},
};

/// The README's TOML blocks.
struct Blocks {
    mail: String,
    local: String,
    cloud: String,
    model: String,
}

impl Blocks {
    fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let text = fs::read_to_string(root.unwrap().join("README.md")).unwrap();
        let blocks: Vec<String> = text
            .split("```toml\n")
            .skip(1)
            .map(|rest| rest.split("```").next().unwrap().to_owned())
            .collect();
        let [mail, local, cloud, model] = blocks.try_into().unwrap();
        Self {
            mail,
            local,
            cloud,
            model,
        }
    }
}

/// A person's home folder, with what the README's shell has in its environment.
struct Newcomer {
    home: tempfile::TempDir,
}

impl Newcomer {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        Self { home }
    }

    fn path(&self, below: &str) -> PathBuf {
        self.home.path().join(below)
    }

    /// A file of `~/.config/platinum`.
    fn config(&self, name: &str) -> PathBuf {
        self.path(".config/platinum").join(name)
    }

    fn write(&self, name: &str, text: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(self.config(name), text).unwrap();
        fs::set_permissions(self.config(name), fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// `env` with the home folder, before a program and its arguments.
    fn environment(&self) -> Vec<String> {
        let home = format!("HOME={}", self.home.path().display());
        ["-u", "XDG_CONFIG_HOME", "-u", "XDG_STATE_HOME", &home]
            .map(str::to_owned)
            .into()
    }

    fn tries(&self, arguments: &[&str]) -> Output {
        self.tries_with("platinum-local", "platinum", arguments)
    }

    fn tries_with(&self, package: &str, name: &str, arguments: &[&str]) -> Output {
        Command::new("/usr/bin/env")
            .args(self.environment())
            .arg(program(package, name).unwrap())
            .args(arguments)
            .output()
            .unwrap()
    }

    fn does(&self, arguments: &[&str]) -> String {
        let output = self.tries(arguments);
        let printed = String::from_utf8(output.stdout).unwrap();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{arguments:?}: {printed}{complaint}"
        );
        printed
    }

    fn starts(&self, package: &str, name: &str, arguments: &[&str]) -> Child {
        let mut all = self.environment();
        all.push(program(package, name).unwrap().display().to_string());
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let log = self.path(&format!("{name}.log"));
        Child::start("/usr/bin/env", &all, &log, None).unwrap()
    }

    fn git(&self, arguments: &[&str]) {
        let status = Command::new("git")
            .args(arguments)
            .env("HOME", self.home.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .status()
            .unwrap();
        assert!(status.success(), "git {arguments:?}");
    }

    /// The README's first commands.
    fn begins(&self) {
        let remote = self.path("platinum.git").display().to_string();
        self.git(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            &remote,
        ]);
        self.git(&[
            "-C",
            &remote,
            "config",
            "receive.denyNonFastForwards",
            "true",
        ]);
        let vault = self.path("Vault").display().to_string();
        let printed = self.does(&["init", &vault, "--remote", &remote]);
        assert!(printed.contains("mail.toml"), "{printed}");
        // "At the end of `local.toml`, name it".
        let begun = fs::read_to_string(self.config("local.toml")).unwrap();
        self.write("local.toml", &format!("{begun}\n{}", Blocks::read().local));
    }

    /// The README's one command, word for word.
    fn exchanges_keys(&self) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
        let text = fs::read_to_string(root.unwrap().join("README.md")).unwrap();
        let line = text
            .lines()
            .find(|line| line.starts_with("platinum trust \"$(platinum-cloud "))
            .unwrap();
        // Both programs are in one folder.
        let [programs, _] = ["cloud", "local"].map(daemon);
        let path = format!(
            "PATH={}:{}",
            programs.parent().unwrap().display(),
            std::env::var("PATH").unwrap()
        );
        let output = Command::new("/usr/bin/env")
            .args(self.environment())
            .args([&path, "sh", "-c", line])
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{printed}");
        assert!(printed.contains("is trusted from now on."), "{printed}");
    }

    /// The notes below a folder of the vault.
    fn notes(&self, folder: &str) -> Vec<PathBuf> {
        hosts::notes(&self.path("Vault").join(folder))
    }
}

/// The README's mail file for the test servers.
fn mail_file(block: &str, servers: &MailServers) -> String {
    let ca = format!("ca-file = {:?}\n", servers.ca_path());
    block
        .replace("you@example.org", OWNER)
        .replace("465", &servers.smtps_port().to_string())
        .replace(
            "host = \"imap.example.org\"\n",
            &format!("host = \"127.0.0.1\"\nport = {}\n{ca}", servers.imap_port()),
        )
        .replace(
            "host = \"smtp.example.org\"\n",
            &format!("host = \"127.0.0.1\"\n{ca}"),
        )
}

#[test]
fn what_the_readme_shows_is_configuration() {
    let blocks = Blocks::read();
    let newcomer = Newcomer::new();
    newcomer.begins();
    let mail = platinum_mailbox::Config::parse(&blocks.mail, newcomer.home.path()).unwrap();
    let account = mail.account("me").unwrap();
    assert!(account.smtp.is_some());

    let local = Config::load(&newcomer.config("local.toml"), Role::Local).unwrap();
    let local_email = local.zones.get("email").unwrap();
    assert_eq!(
        local_email.task_facts(),
        [("account", account.name.clone())]
    );
    let server = local_email.server(Role::Local).unwrap();
    let mail_file = newcomer.config("mail.toml");
    assert!(
        server
            .args
            .contains(&mail_file.to_string_lossy().into_owned())
    );

    newcomer.write("cloud.toml", &format!("{}\n{}", blocks.cloud, blocks.model));
    let cloud = Config::load(&newcomer.config("cloud.toml"), Role::Cloud).unwrap();
    let cloud_email = cloud.zones.get("email").unwrap();
    assert_eq!(
        cloud_email.task_facts(),
        [("account", account.name.clone())]
    );
    assert!(cloud_email.source().is_some() && local_email.source().is_none());
    assert!(cloud.vault.path.is_absolute() && cloud.sync.remote.starts_with('/'));
    assert!(cloud.model.key.is_some());
}

#[test]
fn a_newcomer_gets_from_the_readme_to_a_sent_mail() {
    let blocks = Blocks::read();
    let servers = MailServers::start().unwrap();
    for name in ["platinum-intake", "platinum-email", "platinum-email-draft"] {
        program(name, name).unwrap();
    }
    built("installed");
    let newcomer = Newcomer::new();
    newcomer.begins();
    let mail = mail_file(&blocks.mail, &servers);
    newcomer.write("mail.toml", &mail);
    let (reading, _) = mail.split_once("[account.me.smtp]").unwrap();
    newcomer.write("cloud-mail.toml", reading);
    newcomer.write("cloud.toml", &blocks.cloud);
    fs::create_dir(newcomer.path("CloudVault")).unwrap();
    newcomer.exchanges_keys();

    // A wrong password is said before anything runs, the right one is good twice.
    newcomer.write("mail.password", "not the password\n");
    let output = newcomer.tries(&["doctor"]);
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(!output.status.success());
    assert!(
        printed.contains(&format!("refused the login of {OWNER}")),
        "{printed}"
    );
    newcomer.write("mail.password", &(servers.password(OWNER) + "\n"));
    for _ in 0..2 {
        let printed = newcomer.does(&["doctor"]);
        assert!(printed.contains("the mailbox of `me` opens"), "{printed}");
        assert!(!printed.contains("wrong"), "{printed}");
        for words in [
            "with its Drafts and Sent",
            " lets it send (nothing was sent)",
            "this host trusts cloud",
            "no commit of a cloud host is among the last 500",
            " MiB free for ",
        ] {
            assert!(printed.contains(words), "{words} is not in\n{printed}");
        }
    }

    let config = newcomer.config("cloud.toml").display().to_string();
    let examined = newcomer.tries_with(
        "platinum-cloud",
        "platinum-cloud",
        &["doctor", "--config", &config],
    );
    let printed = String::from_utf8(examined.stdout).unwrap();
    assert!(examined.status.success(), "{printed}");
    for words in [
        "the mailbox of `me` opens",
        "this host trusts local",
        "answers",
    ] {
        assert!(printed.contains(words), "{words} is not in\n{printed}");
    }
    assert!(!printed.contains("wrong"), "{printed}");
    let cloud = newcomer.starts(
        "platinum-cloud",
        "platinum-cloud",
        &["run", "--config", &config],
    );
    let local = newcomer.starts("platinum-local", "platinum", &["run"]);
    wait_for("the cloud half to wait for mail", SOON, || {
        let log = fs::read_to_string(newcomer.path("platinum-cloud.log"))?;
        Ok(log.contains("waiting for mail").then_some(()))
    })
    .unwrap();
    servers.deliver(OWNER, MAIL.as_bytes()).unwrap();
    let draft = wait_for("the draft", SOON, || {
        Ok(newcomer.notes("Pending_Approval").into_iter().next())
    })
    .unwrap();
    let listed = newcomer.does(&["approvals"]);
    assert!(listed.contains("1 draft waits for you."), "{listed}");

    // Fill in the gaps, move the file.
    let text = fs::read_to_string(&draft).unwrap();
    fs::write(&draft, platinum_testkit::notes::fill_gaps(&text)).unwrap();
    let approved = newcomer.path("Vault/Approved");
    fs::rename(&draft, approved.join(draft.file_name().unwrap())).unwrap();
    wait_for("the answer in the other mailbox", SOON, || {
        Ok((servers.mailbox(CLIENT)?.len() == 1).then_some(()))
    })
    .unwrap();
    wait_for("the task in the log", SOON, || {
        Ok(newcomer.does(&["log"]).contains("  done  ").then_some(()))
    })
    .unwrap();
    let status = newcomer.does(&["status"]);
    for line in ["daemon   running", ", answered ", "1 done this month"] {
        assert!(status.contains(line), "{line} is not in\n{status}");
    }
    let printed = newcomer.does(&["doctor"]);
    assert!(
        printed.contains("cloud gave its last sign of life"),
        "{printed}"
    );
    drop(local);
    drop(cloud);
    let status = newcomer.does(&["status"]);
    assert!(
        status.contains("not asked while the daemon is off"),
        "{status}"
    );
}
