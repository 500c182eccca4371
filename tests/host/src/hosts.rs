//! The built daemons: [`Host`], one of them with its vault, and [`Hosts`], both halves with a remote between them.
//!
//! Lives elsewhere: accounts and servers of a zone are the suites' own, which write them into [`Host::home`].

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::Duration,
};

use platinum_core::{Action, Clock as _, DraftId, SystemClock, TaskId, layout};
use platinum_testkit::{
    Child, add_skills, compiled_skills, exchange_keys, git::GitServer, is_dead, program, wait_for,
};
use platinum_vault::note::{DraftNote, TaskNote};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(120);

/// The program of a role, `cloud` or `local`.
#[must_use]
pub fn daemon(role: &str) -> PathBuf {
    let (package, name) = match role {
        "cloud" => ("platinum-cloud", "platinum-cloud"),
        _ => ("platinum-local", "platinum"),
    };
    program(package, name).unwrap()
}

/// The notes below a folder, sorted.
#[must_use]
pub fn notes(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        // A file that is being written has another name until it is whole.
        if entry.file_name().as_encoded_bytes().starts_with(b".") {
            continue;
        }
        if path.is_dir() {
            found.extend(notes(&path));
        } else if path.extension().is_some_and(|end| end == "md") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// A host in a folder that it may share with the other half.
#[derive(Debug)]
pub struct Host {
    role: &'static str,
    folder: Arc<TempDir>,
}

impl Host {
    /// The owner's machine, without a remote, configured and not running. `section` writes what the zone needs into
    /// the host's home and answers the zone's section; `programs` are the servers that the daemon starts.
    pub fn local_only(programs: &[&str], section: impl FnOnce(&Path) -> String) -> Self {
        let host = Self {
            role: "local",
            folder: Arc::new(tempfile::tempdir().unwrap()),
        };
        host.configure("", "", section);
        build(programs);
        add_skills(&host.config()).unwrap();
        host
    }

    fn configure(&self, remote: &str, zones: &str, section: impl FnOnce(&Path) -> String) {
        let role = self.role;
        fs::create_dir_all(self.vault().join("Inbox")).unwrap();
        let text = format!(
            "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
             [sync]\nremote = {remote:?}\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
             [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\n{zones}\n{}",
            compiled_skills(),
            section(&self.home()),
        );
        fs::write(self.config(), text).unwrap();
    }

    /// The folder of what is this host's alone.
    #[must_use]
    pub fn home(&self) -> PathBuf {
        self.folder.path().join(self.role)
    }

    /// Its configuration, in the folder above its home.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.home().with_extension("toml")
    }

    /// Its vault.
    #[must_use]
    pub fn vault(&self) -> PathBuf {
        self.home().join("vault")
    }

    fn pid_file(&self) -> PathBuf {
        self.home().with_extension("pid")
    }

    /// What the daemon has said.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.home().with_extension("log")).unwrap_or_default()
    }

    /// Starts the daemon; `fail_points` as the variable FAILPOINTS has them.
    #[must_use]
    pub fn start(&self, fail_points: &str) -> Child {
        let log = self.home().with_extension("log");
        let program = daemon(self.role);
        Child::start_daemon(
            &program,
            &self.config(),
            &log,
            &self.pid_file(),
            fail_points,
        )
        .unwrap()
    }

    /// Waits until the daemon has died by itself.
    pub fn await_death(&self) {
        let pid_file = self.pid_file();
        self.wait("the daemon to die", || Ok(is_dead(&pid_file).then_some(())));
        fs::remove_file(pid_file).unwrap();
    }

    /// Waits, and says what the daemon did meanwhile if it was in vain.
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> T {
        wait_for(what, SOON, look).unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()))
    }

    /// Gives a command.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(daemon(self.role));
        command.args(arguments).arg("--config").arg(self.config());
        command.output().unwrap()
    }

    /// What a command prints, which must succeed.
    pub fn shows(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        let is_good = output.status.success();
        assert!(is_good, "{arguments:?}: {printed}{complaint}");
        printed
    }

    /// The owner says yes.
    pub fn approve(&self, draft: DraftId) {
        println!("{}", self.shows(&["approve", &draft.to_string()]));
    }

    /// Puts an action before the owner, with a doubt, for a task of a zone.
    #[must_use]
    pub fn propose(&self, zone: &str, action: Action) -> DraftId {
        let (now, task) = (SystemClock.now(), TaskId::generate());
        let note = TaskNote {
            id: task,
            zone: zone.parse().unwrap(),
            source: "folder".to_owned(),
            from: "A file that was dropped here".to_owned(),
            subject: "A request".to_owned(),
            received: None,
            created: now,
            by: "local/test".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: "Please do this.\n".to_owned(),
        };
        self.write(&format!("In_Progress/local/{task}.md"), &note.render());
        let draft = DraftNote {
            id: DraftId::generate(),
            created: now,
            by: "local/test".to_owned(),
            task,
            epoch: None,
            action,
            summary: "Words of the drafter's".to_owned(),
            reason: "It was asked for".to_owned(),
            expires: now.checked_add(Duration::from_secs(86_400)).unwrap(),
            doubts: vec!["The day is not in the request".to_owned()],
        };
        let path = layout::pending(draft.id);
        self.write(path.as_str(), &draft.render_answering(&note));
        draft.id
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.vault().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// The drafts that wait for the owner, with their notes.
    #[must_use]
    pub fn drafts(&self) -> Vec<(DraftNote, String)> {
        let paths = notes(&self.vault().join("Pending_Approval"));
        let texts = paths
            .iter()
            .filter_map(|path| fs::read_to_string(path).ok());
        texts
            .filter_map(|text| Some((DraftNote::parse(&text).ok()?, text)))
            .collect()
    }

    /// Waits for a draft's file in `Done/`.
    pub fn await_done(&self, draft: DraftId) {
        let name = format!("{draft}.md");
        self.wait("the draft in Done/", || {
            let done = notes(&self.vault().join("Done"));
            Ok(done.iter().any(|path| path.ends_with(&name)).then_some(()))
        });
    }
}

/// Both halves and a remote.
#[derive(Debug)]
pub struct Hosts {
    /// The half that drafts.
    pub cloud: Host,
    /// The owner's.
    pub local: Host,
    _remote: GitServer,
}

impl Hosts {
    /// Configured and trusting each other, not running; the cloud alone drafts, in these zones. The rest as for
    /// [`Host::alone`], with the role of each.
    pub fn set(programs: &[&str], zones: &[&str], section: impl Fn(&str, &Path) -> String) -> Self {
        let (folder, remote) = (
            Arc::new(tempfile::tempdir().unwrap()),
            GitServer::start().unwrap(),
        );
        let [cloud, local] = [("cloud", zones), ("local", &[])].map(|(role, zones)| {
            let folder = Arc::clone(&folder);
            let host = Host { role, folder };
            let zones = format!("zones = {zones:?}\n");
            host.configure(&remote.address(), &zones, |home| section(role, home));
            host
        });
        build(programs);
        exchange_keys(&cloud.config(), &local.config()).unwrap();
        add_skills(&local.config()).unwrap();
        Self {
            cloud,
            local,
            _remote: remote,
        }
    }

    /// The folder above the homes of both.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.local.folder.path()
    }

    /// Waits, and says what both halves did meanwhile if it was in vain.
    pub fn wait<T>(&self, what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> T {
        wait_for(what, SOON, look).unwrap_or_else(|error| {
            let (cloud, local) = (self.cloud.log(), self.local.log());
            panic!("{error:#}\ncloud:\n{cloud}\nlocal:\n{local}")
        })
    }

    /// Waits for so many drafts before the owner.
    pub fn await_drafts(&self, count: usize) -> Vec<DraftNote> {
        self.wait("the drafts before the owner", || {
            let drafts = self.local.drafts();
            Ok((drafts.len() == count)
                .then(|| drafts.into_iter().map(|(draft, _)| draft).collect()))
        })
    }
}

fn build(programs: &[&str]) {
    for name in programs {
        program(name, name).unwrap();
    }
}
