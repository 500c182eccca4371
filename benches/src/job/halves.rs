//! [`Halves`]: both daemons as processes, configured and trusting each other, with `git daemon` between them.

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use platinum_testkit::{
    Child, add_skills, compiled_skills, exchange_keys, git::GitServer, program, wait_for,
};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(120);

/// The running daemons; they end with the value.
pub(super) struct Halves {
    // Order matters: the daemons end before the folder goes.
    _daemons: [Child; 2],
    remote: GitServer,
    folder: tempfile::TempDir,
}

impl Halves {
    /// Starts both, and waits until `ready`, a role and words of its log. `zones` are those of the cloud; `sections`
    /// writes what is to be configured of them for a role, in whose folder it may put files.
    pub(super) fn start(
        hold: Duration,
        zones: &str,
        ready: (&str, &str),
        sections: impl Fn(&str, &Path) -> anyhow::Result<String>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let remote = GitServer::start()?;
        let config = |role: &str| folder.path().join(format!("{role}.toml"));
        for (role, zones) in [("cloud", zones), ("local", "")] {
            let own = folder.path().join(role);
            fs::create_dir_all(own.join("vault/Inbox"))?;
            let text = format!(
                "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n[sync]\nremote = {:?}\n\
                 every-seconds = 1\n[approvals]\nhold-seconds = {}\n[work]\nskills = \"skills\"\ncompiled = {:?}\n\
                 zones = [{zones}]\n{}",
                remote.address(),
                hold.as_secs(),
                compiled_skills(),
                sections(role, &own)?,
            );
            fs::write(config(role), text)?;
        }
        exchange_keys(&config("cloud"), &config("local"))?;
        add_skills(&config("local"))?;
        let daemon = |package: &str, name: &str, role: &str| -> anyhow::Result<Child> {
            let program = program(package, name)?;
            let config = config(role);
            let arguments = ["run".as_ref(), "--config".as_ref(), config.as_os_str()];
            let log = folder.path().join(format!("{role}.log"));
            Child::start(&program.to_string_lossy(), arguments, &log, None)
        };
        let daemons = [
            daemon("platinum-cloud", "platinum-cloud", "cloud")?,
            daemon("platinum-local", "platinum", "local")?,
        ];
        let halves = Self {
            _daemons: daemons,
            remote,
            folder,
        };
        for (role, words) in [ready, ("cloud", "half is up"), ("local", "half is up")] {
            halves.await_true(words, || Ok(halves.log(role).contains(words)))?;
        }
        Ok(halves)
    }

    /// The owner's vault.
    pub(super) fn vault(&self) -> PathBuf {
        self.folder.path().join("local/vault")
    }

    fn log(&self, role: &str) -> String {
        fs::read_to_string(self.folder.path().join(format!("{role}.log"))).unwrap_or_default()
    }

    /// Waits for something; if it is in vain, the error has both logs.
    pub(super) fn await_some<T>(
        &self,
        what: &str,
        look: impl FnMut() -> anyhow::Result<Option<T>>,
    ) -> anyhow::Result<T> {
        wait_for(what, SOON, look).with_context(|| {
            format!(
                "cloud:\n{}\nlocal:\n{}",
                self.log("cloud"),
                self.log("local")
            )
        })
    }

    /// Waits until something is so.
    pub(super) fn await_true(
        &self,
        what: &str,
        mut is_so: impl FnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.await_some(what, || Ok(is_so()?.then_some(())))
    }

    /// How many files are below a folder on the remote.
    pub(super) fn count_on_remote(&self, folder: &str) -> usize {
        let list = ["ls-tree", "-r", "--name-only", "main", "--", folder];
        // Before the first push there is no branch.
        self.remote.git(&list).unwrap_or_default().lines().count()
    }

    /// The draft before the owner, once it is there.
    pub(super) fn await_draft(&self) -> anyhow::Result<PathBuf> {
        let folder = self.vault().join("Pending_Approval");
        self.await_some("the draft in the owner's vault", || {
            let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
            Ok(entries
                // A file that is being written has a hidden name until it is whole.
                .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
                .map(|entry| entry.path())
                .find(|path| path.extension().is_some_and(|end| end == "md")))
        })
    }

    /// Approves a draft: the owner fills in its gaps, with which it would wait, and moves it.
    pub(super) fn approve(&self, draft: &Path) -> anyhow::Result<()> {
        let text = fs::read_to_string(draft)?;
        let filled = platinum_testkit::notes::fill_gaps(&text);
        if filled != text {
            fs::write(draft, filled)?;
        }
        let approved = self.vault().join("Approved");
        fs::create_dir_all(&approved)?;
        Ok(fs::rename(
            draft,
            approved.join(draft.file_name().context("no name")?),
        )?)
    }
}
