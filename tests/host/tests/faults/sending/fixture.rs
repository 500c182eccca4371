//! One owner's machine: the built daemon, a real IMAP server, a submission server that does wrong
//! what it is told, and what became of each draft.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    rc::Rc,
    time::Duration,
};

use platinum_core::{Action, Clock, DraftId, EmailSend, SystemClock, TaskId};
use platinum_host_tests::hosts::daemon;
use platinum_journal::{Journal, State};
use platinum_testkit::{
    Child, add_skills, compiled_skills,
    git::GitServer,
    is_dead,
    mail::{MailServers, OWNER, scripted_smtp::ScriptedSmtp},
    power_cut::{VolatileDisk, kill_tree},
    program, wait_for,
};
use platinum_vault::{
    Vault,
    note::{DraftNote, Note, TaskNote, receipts_of},
};

/// How long anything may take on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(90);

pub(crate) struct Machine {
    running: Option<Child>,
    /// Vault and state, while their power can be cut.
    disk: Option<VolatileDisk>,
    folder: tempfile::TempDir,
    mail_file: PathBuf,
    skills: PathBuf,
    remote: Option<Rc<GitServer>>,
    pub(crate) mail: Rc<MailServers>,
    pub(crate) smtp: Rc<ScriptedSmtp>,
}

/// A draft that the owner approved.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) id: DraftId,
    task: TaskId,
    pub(crate) to: String,
}

impl Machine {
    /// Configured, alone, nothing running.
    pub(crate) fn set() -> Self {
        Self::with(None)
    }

    /// As [`Machine::set`], with a remote.
    pub(crate) fn with_remote() -> Self {
        Self::with(Some(Rc::new(GitServer::start().unwrap())))
    }

    fn with(remote: Option<Rc<GitServer>>) -> Self {
        let mail = MailServers::start_imap().unwrap();
        let tls = mail.ca_path().parent().unwrap().to_path_buf();
        let smtp = ScriptedSmtp::start(&tls).unwrap();
        let mail_file = mail.config_toml("owner").unwrap();
        let text = fs::read_to_string(&mail_file).unwrap();
        let scripted = text.replace(
            &format!("port = {}\nsecurity", mail.smtps_port()),
            &format!("port = {}\nsecurity", smtp.port()),
        );
        assert_ne!(text, scripted);
        fs::write(&mail_file, scripted).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let machine = Self {
            running: None,
            disk: None,
            skills: folder.path().join("skills"),
            folder,
            mail_file,
            remote,
            mail: Rc::new(mail),
            smtp: Rc::new(smtp),
        };
        machine.configure();
        fs::create_dir_all(machine.vault()).unwrap();
        add_skills(&machine.config()).unwrap();
        for folder in ["In_Progress/local", "Pending_Approval", "Approved"] {
            fs::create_dir_all(machine.vault().join(folder)).unwrap();
        }
        for name in ["platinum-intake", "platinum-email"] {
            program(name, name).unwrap();
        }
        machine
    }

    /// The account is a Maildir from now on, which mail leaves by its outbox; its folder.
    pub(crate) fn use_maildir(&self) -> PathBuf {
        let path = self.folder.path().join("Post");
        for part in ["new", "cur", "tmp"] {
            fs::create_dir_all(path.join(part)).unwrap();
        }
        let text = format!(
            "[account.owner]\naddress = \"Owner <{OWNER}>\"\nbackend = \"maildir\"\npath = {path:?}\n"
        );
        fs::write(&self.mail_file, text).unwrap();
        path
    }

    /// Takes the last entry out of the log, as a disk or a person does.
    pub(crate) fn damage_journal(&self) {
        let path = self.folder.path().join("state/journal.db");
        let journal = rusqlite::Connection::open(path).unwrap();
        let cut = "DROP TRIGGER entries_remain;
                   DELETE FROM entries WHERE seq = (SELECT max(seq) FROM entries);";
        journal.execute_batch(cut).unwrap();
    }

    /// The logs that were put aside.
    pub(crate) fn logs_aside(&self) -> usize {
        let files = fs::read_dir(self.folder.path().join("state")).unwrap();
        let names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
        names
            .filter(|name| name.starts_with("journal-") && name.ends_with(".db"))
            .count()
    }

    fn configure(&self) {
        let remote = self.remote.as_ref();
        let text = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = {:?}\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 3\n\n\
             [work]\ncompiled = {:?}\nskills = {:?}\nevery-seconds = 1\n\n\
             [zones.email]\naccount = \"owner\"\nconfig = {:?}\nenv = [\"FAILPOINTS\"]\n",
            remote.map(|remote| remote.address()).unwrap_or_default(),
            compiled_skills(),
            self.skills,
            self.mail_file,
        );
        fs::write(self.config(), text).unwrap();
    }

    /// A copy of this machine, with its vault, its state and its key.
    pub(crate) fn copy(&self) -> Self {
        let copy = Self {
            running: None,
            disk: None,
            folder: tempfile::tempdir().unwrap(),
            mail_file: self.mail_file.clone(),
            skills: self.skills.clone(),
            remote: self.remote.clone(),
            mail: Rc::clone(&self.mail),
            smtp: Rc::clone(&self.smtp),
        };
        for part in ["vault", "state"] {
            copy_folder(
                &self.folder.path().join(part),
                &copy.folder.path().join(part),
            );
        }
        copy.configure();
        copy
    }

    /// Puts back what another one has of vault and state: a backup.
    pub(crate) fn restore(&self, backup: &Self) {
        for part in ["vault", "state"] {
            let path = self.folder.path().join(part);
            fs::remove_dir_all(&path).unwrap();
            copy_folder(&backup.folder.path().join(part), &path);
        }
    }

    /// Removes files of the state folder.
    pub(crate) fn lose(&self, names: &[&str]) {
        for name in names {
            let path = self.folder.path().join("state").join(name);
            let removed = match path.is_dir() {
                true => fs::remove_dir_all(&path),
                false => fs::remove_file(&path),
            };
            removed
                .or_else(|error| match error.kind() {
                    std::io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })
                .unwrap();
        }
    }

    /// Ends the mailbox's server; it is this machine's alone.
    pub(crate) fn stop_imap(&mut self) {
        Rc::get_mut(&mut self.mail).unwrap().stop_imap();
    }

    /// Starts it again.
    pub(crate) fn resume_imap(&mut self) {
        Rc::get_mut(&mut self.mail).unwrap().resume_imap().unwrap();
    }

    pub(crate) fn forget_log(&self) {
        fs::write(self.folder.path().join("log"), "").unwrap();
    }

    /// Whether the newest commit names a journal that is not empty.
    pub(crate) fn has_named_its_journal(&self) -> bool {
        let repository = self.folder.path().join("state/vault.git");
        let shown = Command::new("git")
            .arg("--git-dir")
            .arg(repository)
            .args(["log", "-1", "--format=%B", "refs/vault/verified"])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&shown.stdout).into_owned();
        let entries = text
            .lines()
            .find_map(|line| line.strip_prefix("Platinum-Journal: "))
            .and_then(|value| value.split(' ').next()?.parse::<u64>().ok());
        entries.is_some_and(|entries| entries > 0)
    }

    /// How many paths below a folder the remote has.
    pub(crate) fn on_remote(&self, folder: &str) -> usize {
        let remote = self.remote.as_ref().unwrap();
        let listed = remote.git(&["ls-tree", "-r", "--name-only", "main", "--", folder]);
        listed.unwrap_or_default().lines().count()
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Starts the daemon; `fail_points` as the variable FAILPOINTS has them.
    pub(crate) fn start(&mut self, fail_points: &str) {
        let program = daemon("local");
        let (pid_file, config) = (self.pid_file(), self.config());
        let log = self.folder.path().join("log");
        let start =
            || Child::start_daemon(&program, &config, &log, &pid_file, fail_points).unwrap();
        self.running = Some(match &self.disk {
            Some(disk) => disk.run(start).unwrap(),
            None => start(),
        });
    }

    /// Starts the daemon; what it does not sync is lost at [`Machine::cut_power`].
    pub(crate) fn start_with_power(&mut self) {
        let folders = ["vault", "state"].map(|part| self.folder.path().join(part));
        self.disk = Some(VolatileDisk::new(&folders).unwrap());
        self.start("");
    }

    /// From the sync after so many more on, none is done.
    pub(crate) fn cut_after(&self, syncs: usize) {
        self.disk.as_ref().unwrap().cut_after(syncs);
    }

    /// Whether a sync was not done.
    pub(crate) fn is_cut(&self) -> bool {
        self.disk.as_ref().unwrap().is_cut()
    }

    /// The power fails: all processes end at once, and what was not synced is lost. `survives` says of
    /// each file that was written whether it is on the disk nevertheless.
    pub(crate) fn cut_power(&mut self, survives: impl FnMut() -> bool) {
        let disk = self.disk.take().unwrap();
        disk.cut_after(0);
        kill_tree(self.process()).unwrap();
        self.running = None;
        fs::remove_file(self.pid_file()).unwrap();
        disk.discard(survives).unwrap();
    }

    fn process(&self) -> u32 {
        let id = wait_for("the process id", SOON, || {
            let text = fs::read_to_string(self.pid_file()).unwrap_or_default();
            Ok(text.trim().parse().ok())
        });
        id.unwrap()
    }

    /// Whether the daemon has died by itself.
    pub(crate) fn is_dead(&self) -> bool {
        is_dead(&self.pid_file())
    }

    /// As a power cut for this one program: no signal handler runs.
    pub(crate) fn kill(&mut self) {
        // It may have died at a fail point.
        let _ = Command::new("kill")
            .args(["-9", &self.process().to_string()])
            .output();
        self.running = None;
        fs::remove_file(self.pid_file()).unwrap();
    }

    /// Whether a server that this machine's daemon started still runs: each is told its mail file.
    pub(crate) fn has_servers(&self) -> bool {
        let mail_file = self.mail_file.as_os_str().as_encoded_bytes();
        let processes = fs::read_dir("/proc").unwrap().flatten();
        processes
            .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
            .any(|line| line.split(|byte| *byte == 0).any(|word| word == mail_file))
    }

    pub(crate) fn platinum(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(daemon("local"));
        command.args(arguments).arg("--config").arg(self.config());
        match &self.disk {
            Some(disk) => disk.run(|| command.output().unwrap()).unwrap(),
            None => command.output().unwrap(),
        }
    }

    /// Puts a draft to this recipient before the owner, who approves it.
    pub(crate) fn approve(&self, to: &str) -> Sent {
        let draft = self.draft(to);
        self.say_yes(&draft);
        draft
    }

    /// The owner approves a draft.
    pub(crate) fn say_yes(&self, draft: &Sent) {
        let id = draft.id.to_string();
        let mut approved = self.platinum(&["approve", &id]);
        let mut printed = String::from_utf8_lossy(&approved.stderr).into_owned();
        // The recipient is new.
        if let Some((_, digest)) = printed.rsplit_once("--confirm ") {
            approved = self.platinum(&["approve", &id, "--confirm", digest.trim()]);
            printed = String::from_utf8_lossy(&approved.stderr).into_owned();
        }
        assert!(approved.status.success(), "{printed}");
    }

    /// Puts a draft to this recipient before the owner.
    pub(crate) fn draft(&self, to: &str) -> Sent {
        self.draft_in("email", to)
    }

    /// As [`Machine::draft`], for a task of this zone.
    pub(crate) fn draft_in(&self, zone: &str, to: &str) -> Sent {
        let (now, task) = (SystemClock.now(), TaskId::generate());
        let note = TaskNote {
            id: task,
            zone: zone.parse().unwrap(),
            source: "maildir:owner".to_owned(),
            from: to.to_owned(),
            subject: "A question".to_owned(),
            received: None,
            created: now,
            by: "local/test".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: "Would Monday suit you?\n".to_owned(),
        };
        let path = format!("In_Progress/local/{task}.md");
        fs::write(self.vault().join(path), note.render()).unwrap();
        self.draft_of(task, to)
    }

    /// Puts another draft of the same task before the owner.
    pub(crate) fn second_draft(&self, first: &Sent) -> Sent {
        let second = self.draft_of(first.task, &first.to);
        // The older goes first, by its id, which two of one millisecond have in any order.
        match second.id > first.id {
            true => second,
            false => {
                let path = format!("Pending_Approval/{}.md", second.id);
                fs::remove_file(self.vault().join(path)).unwrap();
                self.second_draft(first)
            }
        }
    }

    fn draft_of(&self, task: TaskId, to: &str) -> Sent {
        let (id, now) = (DraftId::generate(), SystemClock.now());
        let draft = DraftNote {
            id,
            created: now,
            by: "local/test".to_owned(),
            task,
            epoch: None,
            action: Action::new(&EmailSend {
                from_account: "owner".to_owned(),
                to: vec![to.to_owned()],
                cc: vec![],
                bcc: vec![],
                subject: "Re: A question".to_owned(),
                in_reply_to: Some(format!("{task}@question.test")),
                references: vec![],
                attachments: vec![],
                body: format!("Monday suits me.\n\nFor {to}\n"),
            }),
            summary: format!("Answer {to}"),
            reason: "A question was asked".to_owned(),
            expires: now.checked_add(Duration::from_secs(86_400)).unwrap(),
            doubts: vec![],
        };
        let path = format!("Pending_Approval/{id}.md");
        fs::write(self.vault().join(path), draft.render()).unwrap();
        Sent {
            id,
            task,
            to: to.to_owned(),
        }
    }

    /// The owner answers the mail of a draft from another program.
    pub(crate) fn answer_elsewhere(&self, draft: &Sent) {
        let mail = format!(
            "From: {OWNER}\r\nTo: {}\r\nSubject: Re: A question\r\nMessage-ID: <{}@phone.test>\r\n\
             In-Reply-To: <{}@question.test>\r\n\r\nTuesday.\r\n",
            draft.to, draft.id, draft.task
        );
        self.mail.file(OWNER, "Sent", "S", mail.as_bytes()).unwrap();
    }

    /// Whether a draft's task is finished as what the owner has done themself, and its file is put away.
    pub(crate) fn is_done_by_owner(&self, draft: &Sent) -> bool {
        let vault = Vault::open(&self.vault()).unwrap();
        let done = vault.walk_in("Done").unwrap().into_iter();
        let mut tasks = done.filter(|entry| entry.path.stem() == draft.task.to_string());
        let Some(task) = tasks.next() else {
            return false;
        };
        let text = vault.read_text(&task.path, 100_000).unwrap();
        let note = Note::parse(&text).unwrap();
        note.get_text("outcome") == Some("done")
            && note
                .get_text("summary")
                .is_some_and(|words| words.starts_with("you answered"))
            && receipts_of(&note).unwrap().is_empty()
            && self
                .vault()
                .join(format!("Rejected/{}.md", draft.id))
                .exists()
    }

    /// What the journal knows of a draft.
    pub(crate) fn known(&self, draft: &Sent) -> State {
        let path = self.folder.path().join("state/journal.db");
        if !path.exists() {
            return State::Absent;
        }
        Journal::open_copy(&path).unwrap().state(draft.id).unwrap()
    }

    /// The owner moves a draft's file from `Approved/`.
    pub(crate) fn move_draft(&self, draft: &Sent, folder: &str) {
        let name = format!("{}.md", draft.id);
        let to = self.vault().join(folder);
        fs::create_dir_all(&to).unwrap();
        fs::rename(self.vault().join("Approved").join(&name), to.join(&name)).unwrap();
    }

    /// Somebody gives a draft's task back.
    pub(crate) fn give_back_task(&self, draft: &Sent) {
        let name = format!("{}.md", draft.task);
        let to = self.vault().join("Needs_Action/email");
        fs::create_dir_all(&to).unwrap();
        let from = self.vault().join("In_Progress/local");
        fs::rename(from.join(&name), to.join(&name)).unwrap();
    }

    /// Whether a draft's task is finished with its receipt, and its file is put away.
    pub(crate) fn is_finished(&self, draft: &Sent) -> bool {
        let vault = Vault::open(&self.vault()).unwrap();
        let done = vault.walk_in("Done").unwrap();
        let notes = |stem: String| {
            let found = done.iter().filter(move |entry| entry.path.stem() == stem);
            let texts = found.map(|entry| vault.read_text(&entry.path, 100_000).unwrap());
            texts
                .map(|text| Note::parse(&text).unwrap())
                .collect::<Vec<_>>()
        };
        let task = notes(draft.task.to_string());
        let [note] = task.as_slice() else {
            return false;
        };
        let receipts = receipts_of(note).unwrap();
        note.get_text("outcome") == Some("done")
            && receipts.iter().any(|receipt| receipt.draft == draft.id)
            && notes(draft.id.to_string()).len() == 1
    }

    /// The answer in a draft's receipt.
    pub(crate) fn answer(&self, draft: &Sent) -> Option<String> {
        match self.known(draft) {
            State::Done(_, receipt) => Some(receipt.answer),
            _ => None,
        }
    }

    /// How often the submission server took a mail to this recipient.
    pub(crate) fn taken(&self, draft: &Sent) -> usize {
        let taken = self.smtp.taken();
        taken
            .iter()
            .filter(|mail| mail.recipient == draft.to)
            .count()
    }

    /// No mail was taken twice, by its Message-ID and by its text.
    pub(crate) fn assert_no_mail_twice(&self) {
        let taken = self.smtp.taken();
        for begin in ["message-id:", "for "] {
            let mut lines = std::collections::BTreeSet::new();
            for mail in &taken {
                let text = String::from_utf8_lossy(&mail.message).to_lowercase();
                let line = text.lines().find(|line| line.starts_with(begin));
                let line = line.unwrap_or_else(|| panic!("no {begin} in {text}"));
                assert!(lines.insert(line.to_owned()), "twice: {line}");
            }
        }
    }

    /// Which of these the owner has still to approve.
    pub(crate) fn not_approved(&self, drafts: &[Sent]) -> Vec<Sent> {
        let waits = |draft: &&Sent| {
            let path = format!("Pending_Approval/{}.md", draft.id);
            self.vault().join(path).exists()
        };
        drafts.iter().filter(waits).cloned().collect()
    }

    /// Whether a draft's intent has no outcome yet.
    pub(crate) fn is_under_way(&self, draft: &Sent) -> bool {
        matches!(self.known(draft), State::Intended(_) | State::HandedOver(_))
    }

    /// Waits until this holds; the log is in the panic.
    pub(crate) fn wait(&self, what: &str, at_most: Duration, mut is_so: impl FnMut(&Self) -> bool) {
        let waited = wait_for(what, at_most, || Ok(is_so(self).then_some(())));
        if let Err(error) = waited {
            panic!("{error}\n{}", self.log());
        }
    }

    /// The owner learns what became of a mail in doubt, and says so.
    pub(crate) fn resolve(&self, draft: &Sent) {
        let shown = String::from_utf8(self.platinum(&["approvals"]).stdout).unwrap();
        let id = draft.id.to_string();
        let short = &id[id.len() - 6..];
        for choice in ["--went-out", "--send-again"] {
            let offered = format!("platinum resolve {short} {choice}");
            assert!(shown.contains(&offered), "{offered} is not in\n{shown}");
        }
        let decision = match self.taken(draft) {
            0 => "--send-again",
            _ => "--went-out",
        };
        let resolved = self.platinum(&["resolve", &id, decision]);
        let printed = String::from_utf8_lossy(&resolved.stderr).into_owned();
        assert!(resolved.status.success(), "{printed}");
    }

    /// When a draft was tried last.
    pub(crate) fn is_unknown(&self, draft: &Sent) -> bool {
        matches!(self.known(draft), State::Unknown { .. })
    }

    pub(crate) fn is_done(&self, draft: &Sent) -> bool {
        matches!(self.known(draft), State::Done(..))
    }

    pub(crate) fn is_refused(&self, draft: &Sent) -> bool {
        matches!(self.known(draft), State::NotSent { retry: false, .. })
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

/// With the times and the permissions of its files.
fn copy_folder(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").args([from, to]).status();
    assert!(copied.unwrap().success());
}
