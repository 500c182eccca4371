//! `platinum try`: drafts of past mails, which change nothing but a folder of their own.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    time::{Duration, SystemTime},
};

use platinum_testkit::{add_skills, compiled_skills, wait_for};

/// A mailbox with a past, a vault, and the configuration that names them.
struct Fixture {
    folder: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        for path in [
            "Mail/cur",
            "Mail/new",
            "Mail/tmp",
            "Mail/.Sent/cur",
            "Vault",
        ] {
            fs::create_dir_all(root.join(path)).unwrap();
        }
        let handbook = "Answer briefly.\n";
        fs::write(root.join("Vault/Company_Handbook.md"), handbook).unwrap();
        let mail = "[account.me]\naddress = 'Olga <olga@example.test>'\nbackend = 'maildir'\npath = 'Mail'\n";
        fs::write(root.join("mail.toml"), mail).unwrap();
        let config = format!(
            "[vault]\npath = {:?}\nstate = {:?}\n[work]\nskills = {:?}\ncompiled = {:?}\n\
             [zones.email]\naccount = \"me\"\nconfig = {:?}\n",
            root.join("Vault"),
            root.join("state"),
            root.join("skills"),
            compiled_skills(),
            root.join("mail.toml"),
        );
        fs::write(root.join("local.toml"), config).unwrap();
        let fixture = Self { folder };
        add_skills(&fixture.config()).unwrap();
        fixture
    }

    fn root(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> PathBuf {
        self.root().join("local.toml")
    }

    /// Puts a mail that came at this hour into a folder of the mailbox.
    fn mail(&self, folder: &str, hour: u32, flags: &str, from: &str, more: &str, text: &str) {
        let mail = format!(
            "Message-ID: <{hour}@x.test>\r\nFrom: {from}\r\nSubject: Mail {hour}\r\n\
             Date: Fri, 20 Nov 2026 {hour:02}:00:00 +0000\r\n{more}\r\n{text}\r\n"
        );
        let name = format!("{}.M1.host{flags}", 1_700_000_000 + hour);
        let path = self.root().join("Mail").join(folder).join(name);
        fs::write(&path, mail).unwrap();
        let came =
            SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_132_800 + 3600 * u64::from(hour));
        let file = fs::File::options().append(true).open(path).unwrap();
        file.set_modified(came).unwrap();
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_platinum"));
        command.arg("try").args(args).arg("--config");
        command.arg(self.config()).env("HOME", self.root());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Every file below, with its bytes.
    fn files(&self, below: &str) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut files = BTreeMap::new();
        let mut folders = vec![self.root().join(below)];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => drop(files.insert(entry.path(), fs::read(entry.path()).unwrap())),
                }
            }
        }
        files
    }

    fn drafts(&self, folder: &str) -> Vec<String> {
        let pending = self.root().join(folder).join("vault/Pending_Approval");
        let entries = fs::read_dir(pending).into_iter().flatten();
        let paths = entries.map(|entry| entry.unwrap().path());
        let notes = paths.filter(|path| path.extension().is_some_and(|end| end == "md"));
        notes
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }
}

fn text(output: &Output) -> String {
    let all = [&output.stdout[..], &output.stderr[..]].concat();
    String::from_utf8(all).unwrap()
}

fn past() -> Fixture {
    let fixture = Fixture::new();
    let to = "To: olga@example.test\r\n";
    let ann = "Ann <ann@x.test>";
    fixture.mail("cur", 1, ":2,S", ann, to, "Too old to be looked at?");
    fixture.mail("cur", 2, ":2,RS", ann, to, "When do you come?");
    let list = format!("{to}List-Id: <news.test>\r\nPrecedence: list\r\n");
    fixture.mail("cur", 3, ":2,S", "News <n@news.test>", &list, "Buy!");
    fixture.mail(
        "cur",
        4,
        ":2,S",
        "Olga <olga@example.test>",
        to,
        "A note to myself.",
    );
    fixture.mail(
        "new",
        5,
        "",
        "Bob <bob@x.test>",
        to,
        "Is Monday fine? And who pays?",
    );
    for hour in 6..9 {
        let to = "To: Ann <ann@x.test>\r\n";
        let text = format!("Hi Ann,\r\n\r\nletter {hour}.\r\n\r\nCheers\r\nOlga Owner");
        fixture.mail(
            ".Sent/cur",
            hour,
            ":2,S",
            "Olga <olga@example.test>",
            to,
            &text,
        );
    }
    fixture
}

#[test]
fn try_drafts_past_mails_and_changes_nothing_else() {
    let fixture = past();
    let before = ["Mail", "Vault", "skills"].map(|folder| fixture.files(folder));
    let folder = fixture.root().join("seen");
    let ran = fixture.run(&["--past", "4", "--folder", folder.to_str().unwrap()]);
    let shown = text(&ran);
    assert!(ran.status.success(), "{shown}");
    for line in [
        "Reading the last 4 mails of the inbox; nothing is changed there.\n",
        "[1/3] “Mail 2” from Ann <ann@x.test>\n    draft: to Ann <ann@x.test>; ",
        "[2/3] “Mail 3” from News <n@news.test>\n    no draft: ",
        "[3/3] “Mail 5” from Bob <bob@x.test>\n    draft: to Bob <bob@x.test>; ",
        "2 drafts with ",
        ", 1 without an answer, 0 failed.\n",
        "Cost: no tokens: no model is configured here. Time: ",
        &format!("The drafts are in {}", folder.join("vault").display()),
    ] {
        assert!(shown.contains(line), "{line:?} is not in:\n{shown}");
    }
    assert!(
        !shown.contains("Mail 1”") && !shown.contains("Mail 4”"),
        "{shown}"
    );
    let after = ["Mail", "Vault", "skills"].map(|folder| fixture.files(folder));
    assert!(
        before == after,
        "the mailbox, the vault or the skills changed"
    );
    let drafts = fixture.drafts("seen");
    assert_eq!(drafts.len(), 2);
    let bob = drafts
        .iter()
        .find(|draft| draft.contains("bob@x.test"))
        .unwrap();
    assert!(bob.contains("> And who pays?"), "{bob}");
    // There is no repository that could be pushed anywhere.
    assert!(!folder.join("state/vault.git").exists());
    assert!(!folder.join("vault/.git").exists());
}

/// What the owner answered is not handed to the drafter, which shows what it would write by itself.
#[test]
fn try_does_not_copy_the_owners_later_answer() {
    let fixture = Fixture::new();
    let to = "To: olga@example.test\r\n";
    fixture.mail(
        "cur",
        5,
        ":2,S",
        "Ann <ann@x.test>",
        to,
        "When do you come?",
    );
    let to = "To: Ann <ann@x.test>\r\nIn-Reply-To: <5@x.test>\r\nReferences: <5@x.test>\r\n";
    let olga = "Olga <olga@example.test>";
    fixture.mail(
        ".Sent/cur",
        6,
        ":2,S",
        olga,
        to,
        "Servus Ann,\r\n\r\nat nine.\r\n\r\nMoin",
    );
    let folder = fixture.root().join("seen");
    let ran = fixture.run(&["--past", "1", "--folder", folder.to_str().unwrap()]);
    assert!(ran.status.success(), "{}", text(&ran));
    let [draft] = &fixture.drafts("seen")[..] else {
        panic!("no draft: {}", text(&ran))
    };
    assert!(!draft.contains("Servus"), "{draft}");
    let read = "Read for it: Company_Handbook.md.";
    assert!(draft.contains(read), "{draft}");
}

#[test]
fn try_refuses_a_folder_that_is_there_or_synced() {
    let fixture = Fixture::new();
    let there = fixture.root().join("there");
    fs::create_dir(&there).unwrap();
    let refused = fixture.run(&["--folder", there.to_str().unwrap()]);
    assert!(
        text(&refused).contains("exists already"),
        "{}",
        text(&refused)
    );
    let inside = fixture.root().join("Vault/try");
    let refused = fixture.run(&["--folder", inside.to_str().unwrap()]);
    assert!(text(&refused).contains("is inside the vault, which is synced"));
    assert!(!inside.exists());
    let link = fixture.root().join("link");
    std::os::unix::fs::symlink(fixture.root().join("Vault"), &link).unwrap();
    let dangling = fixture.root().join("dangling");
    std::os::unix::fs::symlink(&inside, &dangling).unwrap();
    for (folder, why) in [
        (link.join("try"), "is inside the vault"),
        (
            fixture.root().join("there/../Vault/try"),
            "is inside the vault",
        ),
        (dangling, "exists already"),
        (fixture.root().join("nowhere/../Vault/try"), "cannot make "),
        (fixture.root().join("there/.."), "it has no name of its own"),
    ] {
        let refused = text(&fixture.run(&["--folder", folder.to_str().unwrap()]));
        assert!(refused.contains(why), "{}: {refused}", folder.display());
        assert!(!inside.exists(), "{}", folder.display());
    }
    let refused = fixture.run(&["--past", "0"]);
    assert!(
        text(&refused).contains("0 is not in 1..=200"),
        "{}",
        text(&refused)
    );
}

/// Wherever it is interrupted, what it wrote is whole, and it says where.
#[test]
fn try_interrupted_leaves_whole_notes() {
    let fixture = Fixture::new();
    for hour in 0..40 {
        let to = "To: olga@example.test\r\n";
        fixture.mail("new", hour, "", "Bob <bob@x.test>", to, "Is Monday fine?");
    }
    let folder = fixture.root().join("seen");
    let child = fixture
        .command(&["--past", "40", "--folder", folder.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for("the first draft", Duration::from_secs(120), || {
        Ok((!fixture.drafts("seen").is_empty()).then_some(()))
    })
    .unwrap();
    let id = child.id().to_string();
    let done = Command::new("kill").args(["-INT", &id]).status().unwrap();
    assert!(done.success());
    let ended = child.wait_with_output().unwrap();
    let shown = text(&ended);
    assert!(ended.status.success(), "{shown}");
    assert!(shown.contains("The drafts are in "), "{shown}");
    let drafts = fixture.drafts("seen");
    assert!(!drafts.is_empty() && drafts.len() <= 40);
    for draft in drafts {
        let note = platinum_vault::note::DraftNote::parse(&draft);
        assert!(note.is_ok(), "{draft}");
    }
}
