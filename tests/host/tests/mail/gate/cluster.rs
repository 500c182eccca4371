//! Two hosts, a remote and mail servers, in one temporary folder.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use platinum_host_tests::hosts::{self, daemon};
use platinum_testkit::{
    Child, add_skills, compiled_skills,
    git::GitServer,
    mail::{MailServers, Submission},
    program, wait_for,
};

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);

pub(crate) struct Cluster {
    folder: tempfile::TempDir,
    pub(crate) remote: GitServer,
    pub(crate) mail: MailServers,
}

impl Cluster {
    /// Servers up, hosts configured, nothing running.
    pub(crate) fn set() -> Self {
        let cluster = Self {
            folder: tempfile::tempdir().unwrap(),
            remote: GitServer::start().unwrap(),
            mail: MailServers::start().unwrap(),
        };
        cluster.configure("cloud", true, "");
        cluster.configure("local", false, "");
        // The daemons start these; all stand in one folder.
        for name in ["platinum-intake", "platinum-email", "platinum-email-draft"] {
            program(name, name).unwrap();
        }
        cluster.exchange_keys();
        add_skills(&cluster.config("local")).unwrap();
        cluster
    }

    /// The halves learn each other's keys by the one documented command, word for word; `ssh`
    /// leads to a shell on this machine.
    pub(crate) fn exchange_keys(&self) {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let script = format!(
            "ssh() {{ shift; sh -c \"$*\"; }}\n\
             platinum() {{ '{}' --config '{}' \"$@\"; }}\n\
             platinum trust \"$(ssh HOST '{}' trust --config '{}' \"'$(platinum key)'\")\"",
            text(daemon("local")),
            text(self.config("local")),
            text(daemon("cloud")),
            text(self.config("cloud")),
        );
        let output = Command::new("sh").args(["-c", &script]).output().unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{printed}");
        assert!(
            printed.contains("of cloud, a cloud half, is trusted from now on."),
            "{printed}"
        );
        assert!(
            printed.contains("of local, a local half, is trusted from now on."),
            "{printed}"
        );
    }

    /// Writes a host's configuration; `server` names another mail server than the role's own.
    pub(crate) fn configure(&self, role: &str, is_cloud: bool, server: &str) {
        fs::create_dir_all(self.vault(role)).unwrap();
        let mail = self.mail_config(role, is_cloud);
        let text = format!(
            "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
             [sync]\nremote = {:?}\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 3\n\n\
             [work]\ncompiled = {:?}\nskills = {:?}\nzones = [{}]\n\n\
             [zones.email]\naccount = \"owner\"\nconfig = {mail:?}\nserver = {server:?}\nwatch = {is_cloud}\n",
            self.remote.address(),
            compiled_skills(),
            self.folder.path().join("skills"),
            if is_cloud { "\"email\"" } else { "" },
        );
        fs::write(self.config(role), text).unwrap();
    }

    /// The mail file of a host: the cloud's has no way to send.
    pub(crate) fn mail_config(&self, role: &str, is_cloud: bool) -> PathBuf {
        let submission = match is_cloud {
            true => Submission::None,
            false => Submission::Tls,
        };
        let made = self.mail.config("owner", submission).unwrap();
        let path = made.with_file_name(format!("{role}.toml"));
        fs::rename(made, &path).unwrap();
        path
    }

    /// Changes a host's configuration: each of these texts, which are in it, for the other.
    pub(crate) fn change(&self, role: &str, texts: &[(&str, &str)]) {
        let mut settings = fs::read_to_string(self.config(role)).unwrap();
        for (from, to) in texts {
            assert!(settings.contains(from), "{from} is not in {settings}");
            settings = settings.replace(from, to);
        }
        fs::write(self.config(role), settings).unwrap();
    }

    pub(crate) fn config(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.toml"))
    }

    pub(crate) fn vault(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("vault")
    }

    pub(crate) fn state(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("state")
    }

    /// The folder of everything.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn cloud(&self) -> Child {
        self.start("cloud")
    }

    pub(crate) fn local(&self) -> Child {
        self.start("local")
    }

    fn start(&self, role: &str) -> Child {
        let program = daemon(role);
        let config = self.config(role);
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        Child::start(program.to_str().unwrap(), arguments, &self.log(role), None).unwrap()
    }

    pub(crate) fn log(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }

    /// Waits until a daemon's log has a line.
    pub(crate) fn wait_for_line(&self, role: &str, words: &str) {
        let log = self.log(role);
        let seen = wait_for(words, SOON, || {
            Ok(fs::read_to_string(&log)
                .unwrap_or_default()
                .contains(words)
                .then_some(()))
        });
        if let Err(error) = seen {
            panic!(
                "{error}; the log of {role}:\n{}",
                fs::read_to_string(log).unwrap_or_default()
            );
        }
    }

    /// The paths the remote has in a folder.
    pub(crate) fn on_remote(&self, folder: &str) -> Vec<String> {
        let listed = self
            .remote
            .git(&["ls-tree", "-r", "--name-only", "main", "--", folder]);
        listed
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The notes below a folder of a host's vault, sorted.
    pub(crate) fn notes(&self, role: &str, folder: &str) -> Vec<PathBuf> {
        hosts::notes(&self.vault(role).join(folder))
    }

    /// Waits for a draft in the owner's vault: the first one.
    pub(crate) fn wait_for_draft(&self) -> PathBuf {
        wait_for("the draft in the owner's vault", SOON, || {
            let drafts = self.notes("local", "Pending_Approval");
            Ok(drafts.into_iter().next())
        })
        .unwrap()
    }

    /// Gives a command of the owner's, which must succeed.
    pub(crate) fn platinum(&self, arguments: &[&str]) -> String {
        let output = self.try_platinum(arguments);
        let printed = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "platinum {arguments:?}: {printed}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(crate) fn try_platinum(&self, arguments: &[&str]) -> Output {
        Command::new(daemon("local"))
            .args(arguments)
            .arg("--config")
            .arg(self.config("local"))
            .output()
            .unwrap()
    }
}

/// What `cargo xtask skills` made.
pub(crate) fn built(what: &str) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .nth(2)
        .unwrap();
    let path = root.join("target/skills").join(what);
    assert!(
        path.exists(),
        "{} is not there: run `cargo xtask skills` first",
        path.display()
    );
    path
}
