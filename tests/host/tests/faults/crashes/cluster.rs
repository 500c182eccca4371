//! Two hosts, a remote and a Maildir in one temporary folder, and what became of the mails.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use platinum_host_tests::hosts::{daemon, notes};
use platinum_testkit::{
    Child, add_skills, compiled_skills, exchange_keys, git::GitServer, program, wait_for,
};

pub(crate) struct Cluster {
    running: BTreeMap<&'static str, Child>,
    folder: tempfile::TempDir,
    remote: GitServer,
    /// The drafts in doubt of which the owner has said what became of them.
    resolved: BTreeSet<String>,
}

/// Letters of a ULID.
const ULID: usize = 26;

impl Cluster {
    /// Hosts configured, an empty mailbox, nothing running.
    pub(crate) fn set() -> Self {
        let cluster = Self {
            running: BTreeMap::new(),
            folder: tempfile::Builder::new()
                .disable_cleanup(true)
                .tempdir()
                .unwrap(),
            remote: GitServer::start().unwrap(),
            resolved: BTreeSet::new(),
        };
        // The cloud has the mailbox that mail comes to; only the owner's has an outbox.
        for (role, zones, mailbox) in [("cloud", "\"email\"", "Mail"), ("local", "", "Post")] {
            let path = cluster.folder.path().join(mailbox);
            for part in ["new", "cur", "tmp"] {
                fs::create_dir_all(path.join(part)).unwrap();
            }
            let mail = cluster.folder.path().join(format!("{role}-mail.toml"));
            let text = format!(
                "[account.owner]\naddress = \"Owner <owner@example.test>\"\nbackend = \"maildir\"\npath = {path:?}\n",
            );
            fs::write(&mail, text).unwrap();
            fs::create_dir_all(cluster.vault(role)).unwrap();
            let text = format!(
                "[vault]\npath = \"{role}/vault\"\nstate = \"{role}/state\"\n\n\
                 [sync]\nremote = {:?}\nevery-seconds = 1\n\n\
                 [approvals]\nhold-seconds = 0\n\n\
                 [work]\ncompiled = {:?}\nskills = {:?}\nzones = [{zones}]\nevery-seconds = 2\n\n\
                 [zones.email]\naccount = \"owner\"\nconfig = {mail:?}\nwatch = {}\n",
                cluster.remote.address(),
                compiled_skills(),
                cluster.folder.path().join("skills"),
                role == "cloud",
            );
            fs::write(cluster.folder.path().join(format!("{role}.toml")), text).unwrap();
        }
        for name in ["platinum-intake", "platinum-email", "platinum-email-draft"] {
            program(name, name).unwrap();
        }
        let config = |role: &str| cluster.folder.path().join(format!("{role}.toml"));
        exchange_keys(&config("cloud"), &config("local")).unwrap();
        add_skills(&cluster.folder.path().join("local.toml")).unwrap();
        cluster
    }

    pub(crate) fn vault(&self, role: &str) -> PathBuf {
        self.folder.path().join(role).join("vault")
    }

    pub(crate) fn log(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.log"))
    }

    fn pid_file(&self, role: &str) -> PathBuf {
        self.folder.path().join(format!("{role}.pid"))
    }

    pub(crate) fn start(&mut self, role: &'static str) {
        let config = self.folder.path().join(format!("{role}.toml"));
        let pid_file = self.pid_file(role);
        let child =
            Child::start_daemon(&daemon(role), &config, &self.log(role), &pid_file, "").unwrap();
        self.running.insert(role, child);
    }

    /// As a power cut for this one program: no signal handler runs.
    pub(crate) fn kill(&mut self, role: &str) {
        let pid_file = self.pid_file(role);
        let id = wait_for("the process id", Duration::from_secs(10), || {
            let text = fs::read_to_string(&pid_file).unwrap_or_default();
            Ok(text.trim().parse::<u32>().ok())
        })
        .unwrap();
        let killed = Command::new("kill")
            .args(["-9", &id.to_string()])
            .status()
            .unwrap();
        assert!(killed.success());
        self.running.remove(role);
        fs::remove_file(pid_file).unwrap();
    }

    /// What a killed git leaves: locks that no one holds.
    pub(crate) fn leave_locks_behind(&self, role: &str) {
        let git_dir = self.folder.path().join(role).join("state/vault.git");
        for name in [
            "refs/vault/remote.lock",
            "refs/vault/verified.lock",
            "packed-refs.lock",
            "config.lock",
        ] {
            let path = git_dir.join(name);
            if path.parent().is_some_and(Path::is_dir) {
                fs::write(path, "").unwrap();
            }
        }
    }

    pub(crate) fn wait_for_line(&self, role: &str, words: &str) {
        if role == "intake" {
            // What arrives before the first reading is old mail, which no task is made of.
            return self.wait_for_line("cloud", "the mail watcher: the mailbox is read");
        }
        let log = self.log(role);
        wait_for(words, Duration::from_secs(60), || {
            Ok(fs::read_to_string(&log)?.contains(words).then_some(()))
        })
        .unwrap();
    }

    pub(crate) fn wait(
        &mut self,
        what: &str,
        at_most: Duration,
        mut reached: impl FnMut(&mut Self) -> bool,
    ) -> anyhow::Result<()> {
        wait_for(what, at_most, || Ok(reached(self).then_some(())))
    }

    /// Puts a mail into the mailbox, as a delivery agent does.
    pub(crate) fn deliver(&self, number: usize) {
        let mail = format!(
            "From: Clara <client@example.test>\r\nTo: owner@example.test\r\n\
             Subject: Question {number}\r\nDate: Fri, 20 Nov 2026 17:42:00 +0100\r\n\
             Message-ID: <mail-{number}@client.example>\r\n\
             Content-Type: text/plain; charset=utf-8\r\n\r\nIs number {number} free?\r\n"
        );
        let mailbox = self.folder.path().join("Mail");
        let name = format!("1795190000.M{number}P1.host");
        fs::write(mailbox.join("tmp").join(&name), mail).unwrap();
        fs::rename(
            mailbox.join("tmp").join(&name),
            mailbox.join("new").join(&name),
        )
        .unwrap();
    }

    /// The owner says yes to at most so many drafts that are on his machine; answers to how many.
    pub(crate) fn approve(&self, at_most: usize) -> usize {
        let vault = self.vault("local");
        fs::create_dir_all(vault.join("Approved")).unwrap();
        let mut count = 0;
        for path in notes(&vault.join("Pending_Approval"))
            .into_iter()
            .take(at_most)
        {
            let text = fs::read_to_string(&path).unwrap();
            fs::write(&path, platinum_testkit::notes::fill_gaps(&text)).unwrap();
            fs::rename(
                &path,
                vault.join("Approved").join(path.file_name().unwrap()),
            )
            .unwrap();
            count += 1;
        }
        count
    }

    /// The owner looks whether what local is in doubt of went out, and says so, once.
    pub(crate) fn resolve_doubts(&mut self) {
        let log = fs::read_to_string(self.log("local")).unwrap_or_default();
        let doubts = log
            .lines()
            .filter(|line| line.contains("Not known whether"));
        for draft in doubts.filter_map(|line| line.rsplit_once("(draft_")?.1.get(..ULID)) {
            if !self.resolved.insert(draft.to_owned()) {
                continue;
            }
            let name = format!("Approved/draft_{draft}.md");
            let note = fs::read_to_string(self.vault("local").join(name)).unwrap_or_default();
            let answered = note
                .lines()
                .find_map(|line| line.strip_prefix("in-reply-to: "));
            let answered =
                answered.unwrap_or_else(|| panic!("draft_{draft} answers no mail: {note}"));
            let is_sent = self.outbox().iter().any(|line| line.contains(answered));
            let decision = if is_sent {
                "--went-out"
            } else {
                "--send-again"
            };
            let mut command = Command::new(daemon("local"));
            command.args(["resolve", &format!("draft_{draft}"), decision, "--config"]);
            let resolved = command.arg(self.folder.path().join("local.toml")).output();
            let resolved = resolved.unwrap();
            assert!(resolved.status.success(), "{resolved:?}");
        }
    }

    /// Every path of the remote.
    pub(crate) fn paths(&self) -> Vec<String> {
        let listed = self.remote.git(&["ls-tree", "-r", "--name-only", "main"]);
        listed
            .unwrap_or_default()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// The first line with this key in each note with such a name, by path.
    fn lines(&self, key: &str, names: &str) -> BTreeMap<String, String> {
        let pattern = format!("^{key}:");
        let search = ["grep", "--max-count=1", "-e", &pattern, "main", "--", names];
        let found = self.remote.git(&search).unwrap_or_default();
        found
            .lines()
            .filter_map(|line| {
                let (path, text) = line.strip_prefix("main:")?.split_once(':')?;
                Some((path.to_owned(), text.to_owned()))
            })
            .collect()
    }

    /// The tasks on the remote, and the subject of the mail of each.
    pub(crate) fn tasks(&self) -> BTreeMap<String, String> {
        self.lines("subject", "*/task_*.md")
    }

    /// The task of each draft on the remote, wherever the draft is.
    pub(crate) fn drafts(&self) -> Vec<String> {
        self.lines("task", "*/draft_*.md").into_values().collect()
    }

    /// How many tasks are finished.
    pub(crate) fn done(&self) -> usize {
        self.paths()
            .iter()
            .filter(|path| path.starts_with("Done/") && path.contains("/task_"))
            .count()
    }

    /// Which mail each sent mail answers.
    pub(crate) fn outbox(&self) -> Vec<String> {
        let mut found = Vec::new();
        for folder in ["new", "cur"] {
            let path = self.folder.path().join("Post/.Outbox").join(folder);
            for entry in fs::read_dir(path).into_iter().flatten().flatten() {
                let text = fs::read_to_string(entry.path()).unwrap();
                let line = text.lines().find(|line| line.starts_with("In-Reply-To:"));
                found.push(line.unwrap_or_default().to_owned());
            }
        }
        found
    }

    /// What a person needs to see when it went wrong.
    pub(crate) fn picture(&self) -> String {
        let mut text = String::new();
        for path in self.paths() {
            writeln!(text, "{path}").unwrap();
        }
        writeln!(text, "outbox: {:?}", self.outbox()).unwrap();
        for role in ["cloud", "local"] {
            let log = fs::read_to_string(self.log(role)).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = lines.len().saturating_sub(80);
            writeln!(text, "--- {role}\n{}", lines[last..].join("\n")).unwrap();
        }
        text
    }
}

/// Lets time pass: the moment of a kill is what is being tried, not a state to wait for.
#[expect(
    clippy::disallowed_methods,
    reason = "a random moment is the subject of the test"
)]
pub(crate) fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
