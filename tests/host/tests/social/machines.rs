//! [`Owner`], the owner's machine alone, and [`Halves`], both with a remote between them.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use platinum_core::{Action, Clock as _, DraftId, SocialPublish, SystemClock, TaskId, layout};
use platinum_testkit::{
    Child, add_skills, compiled_skills, exchange_keys, git::GitServer, is_dead, program, wait_for,
};
use platinum_vault::note::{DraftNote, TaskNote};

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(120);

/// The owner's machine, without a remote.
pub(crate) struct Owner {
    folder: tempfile::TempDir,
}

impl Owner {
    /// Configured with these accounts, which the function writes as sections of `social.toml`; nothing running.
    pub(crate) fn set(accounts: impl FnOnce(&Path) -> String) -> Self {
        let owner = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        let folder = owner.folder.path();
        fs::write(folder.join("social.toml"), accounts(folder)).unwrap();
        let config = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = \"\"\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
             [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\n\n\
             [zones.social]\nconfig = \"social.toml\"\n",
            compiled_skills()
        );
        fs::write(owner.config(), config).unwrap();
        for folder in [
            "In_Progress/local",
            "Pending_Approval",
            "Approved",
            "Inbox/pictures",
        ] {
            fs::create_dir_all(owner.vault().join(folder)).unwrap();
        }
        add_skills(&owner.config()).unwrap();
        for name in ["platinum-intake", "platinum-social"] {
            program(name, name).unwrap();
        }
        owner
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// Starts the daemon; `fail_points` as the variable FAILPOINTS has them.
    pub(crate) fn start(&self, fail_points: &str) -> Child {
        let program = program("platinum-local", "platinum").unwrap();
        let (pid_file, config) = (self.pid_file(), self.config());
        let log = self.folder.path().join("log");
        Child::start_daemon(&program, &config, &log, &pid_file, fail_points).unwrap()
    }

    /// Waits until the daemon has died by itself.
    pub(crate) fn await_death(&self) {
        wait_for("the daemon to die", SOON, || {
            Ok(is_dead(&self.pid_file()).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()));
        fs::remove_file(self.pid_file()).unwrap();
    }

    pub(crate) fn platinum(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(program("platinum-local", "platinum").unwrap());
        command.args(arguments).arg("--config").arg(self.config());
        command.output().unwrap()
    }

    pub(crate) fn shows(&self, arguments: &[&str]) -> String {
        shown(arguments, &self.platinum(arguments))
    }

    /// Puts a post before the owner, for a task of the zone.
    pub(crate) fn propose(&self, post: &SocialPublish) -> DraftId {
        let (now, task) = (SystemClock.now(), TaskId::generate());
        let note = TaskNote {
            id: task,
            zone: "social".parse().unwrap(),
            source: "folder".to_owned(),
            from: "A file that was dropped here".to_owned(),
            subject: "Opening".to_owned(),
            received: None,
            created: now,
            by: "local/test".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: "Announce the opening.\n".to_owned(),
        };
        let path = format!("In_Progress/local/{task}.md");
        fs::write(self.vault().join(path), note.render()).unwrap();
        let draft = DraftNote {
            id: DraftId::generate(),
            created: now,
            by: "local/test".to_owned(),
            task,
            epoch: None,
            action: Action::new(post),
            summary: "Post about the opening".to_owned(),
            reason: "You dropped a note".to_owned(),
            expires: now.checked_add(Duration::from_secs(86_400)).unwrap(),
            doubts: Vec::new(),
        };
        let path = layout::pending(draft.id).to_string();
        fs::write(self.vault().join(path), draft.render_answering(&note)).unwrap();
        draft.id
    }

    /// Proposes a post and approves it.
    pub(crate) fn approve(&self, post: &SocialPublish) -> DraftId {
        let draft = self.propose(post);
        self.shows(&["approve", &draft.to_string()]);
        draft
    }

    /// Waits for a draft's file in `Done/`.
    pub(crate) fn await_done(&self, draft: DraftId) {
        await_done(&self.vault(), draft, || self.log());
    }

    /// Waits until a daemon has logged something.
    pub(crate) fn await_words_in_log(&self, words: &str) {
        wait_for(words, SOON, || Ok(self.log().contains(words).then_some(())))
            .unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()));
    }

    /// Waits until `platinum approvals` says something.
    pub(crate) fn await_words(&self, words: &str) -> String {
        wait_for(words, SOON, || {
            let output = self.platinum(&["approvals", "--full"]);
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(text.contains(words).then_some(text))
        })
        .unwrap_or_else(|error| {
            let now = self.platinum(&["approvals", "--full"]);
            let now = String::from_utf8_lossy(&now.stdout).into_owned();
            panic!("{error:#}\n{now}\n{}", self.log())
        })
    }
}

/// A post of some text.
pub(crate) fn post(account: &str, text: &str) -> SocialPublish {
    SocialPublish {
        account: account.to_owned(),
        text: text.to_owned(),
        ..SocialPublish::default()
    }
}

fn shown(arguments: &[&str], output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaint = String::from_utf8_lossy(&output.stderr);
    let is_good = output.status.success();
    assert!(is_good, "{arguments:?}: {printed}{complaint}");
    printed
}

fn await_done(vault: &Path, draft: DraftId, log: impl Fn() -> String) {
    let done = vault.join("Done");
    let name = format!("{draft}.md");
    wait_for("the draft in Done/", SOON, || {
        Ok(notes(&done)
            .iter()
            .any(|path| path.ends_with(&name))
            .then_some(()))
    })
    .unwrap_or_else(|error| panic!("{error:#}\n{}", log()));
}

/// The notes below a folder, sorted.
pub(crate) fn notes(folder: &Path) -> Vec<PathBuf> {
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

/// The program of a half.
fn half(role: &str) -> PathBuf {
    let (package, name) = match role {
        "cloud" => ("platinum-cloud", "platinum-cloud"),
        _ => ("platinum-local", "platinum"),
    };
    program(package, name).unwrap()
}

/// Both halves and a remote.
pub(crate) struct Halves {
    folder: tempfile::TempDir,
    remote: GitServer,
}

impl Halves {
    /// Configured, each with the accounts that the function writes for it; nothing running.
    pub(crate) fn set(accounts: impl Fn(&str, &Path) -> String) -> Self {
        let halves = Self {
            folder: tempfile::tempdir().unwrap(),
            remote: GitServer::start().unwrap(),
        };
        for (role, zones) in [("cloud", "\"social\""), ("local", "")] {
            let folder = halves.folder.path().join(role);
            fs::create_dir_all(folder.join("vault")).unwrap();
            fs::write(folder.join("social.toml"), accounts(role, &folder)).unwrap();
            let text = format!(
                "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
                 [sync]\nremote = {:?}\nevery-seconds = 1\n\n\
                 [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
                 [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\nzones = [{zones}]\n\n\
                 [zones.social]\nconfig = \"{role}/social.toml\"\n",
                halves.remote.address(),
                compiled_skills(),
            );
            fs::write(halves.config(role), text).unwrap();
        }
        for name in [
            "platinum-intake",
            "platinum-social",
            "platinum-social-draft",
        ] {
            program(name, name).unwrap();
        }
        exchange_keys(&halves.config("cloud"), &halves.config("local")).unwrap();
        add_skills(&halves.config("local")).unwrap();
        halves
    }

    fn config(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.toml"))
    }

    /// A half's file of social networks.
    pub(crate) fn social_file(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("social.toml")
    }

    pub(crate) fn vault(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("vault")
    }

    /// Starts a half.
    pub(crate) fn start(&self, role: &str) -> Child {
        let program = half(role);
        let config = self.config(role);
        let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
        Child::start(
            program.to_str().unwrap(),
            arguments,
            &self.log_path(role),
            None,
        )
        .unwrap()
    }

    fn log_path(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }

    pub(crate) fn log_of(&self, role: &str) -> String {
        fs::read_to_string(self.log_path(role)).unwrap_or_default()
    }

    pub(crate) fn log(&self) -> String {
        let (cloud, local) = (self.log_of("cloud"), self.log_of("local"));
        format!("cloud:\n{cloud}\nlocal:\n{local}")
    }

    /// Gives a command of the owner's, which must succeed.
    pub(crate) fn shows(&self, arguments: &[&str]) -> String {
        shown(arguments, &self.command("local", arguments))
    }

    /// What a command of a half comes to.
    pub(crate) fn command(&self, role: &str, arguments: &[&str]) -> Output {
        let mut command = Command::new(half(role));
        command
            .args(arguments)
            .arg("--config")
            .arg(self.config(role));
        command.output().unwrap()
    }

    /// Waits for so many drafts in the owner's vault.
    pub(crate) fn await_drafts(&self, count: usize) -> Vec<DraftId> {
        let folder = self.vault("local").join("Pending_Approval");
        wait_for("the drafts in the owner's vault", SOON, || {
            let paths = notes(&folder);
            let ids = paths
                .iter()
                .filter_map(|path| path.file_stem()?.to_str()?.parse().ok());
            let ids: Vec<DraftId> = ids.collect();
            Ok((ids.len() >= count).then_some(ids))
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()))
    }

    pub(crate) fn await_done(&self, draft: DraftId) {
        await_done(&self.vault("local"), draft, || self.log());
    }
}
