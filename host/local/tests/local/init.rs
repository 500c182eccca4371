//! `platinum init` over a vault that is there already: what is shown, what is asked, and that nothing is on the remote before
//! the yes. The server's own repository is asked.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use platinum_testkit::{Child, git::hermetic, wait_for};

/// A vault as somebody has it, and an empty remote.
pub(crate) struct Stage {
    pub(crate) folder: tempfile::TempDir,
}

impl Stage {
    pub(crate) fn set() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        stage.git(&[
            "init",
            "--quiet",
            "--bare",
            "--initial-branch=main",
            &stage.path("remote.git"),
        ]);
        stage
    }

    /// With notes of made-up people.
    pub(crate) fn with_vault() -> Self {
        let stage = Self::set();
        for (path, text) in [
            ("Inbox/idea.md", "A lamp that folds.\n"),
            ("Inbox/scan/invoice.pdf", "%PDF-1.4\n"),
            ("Inbox/board.canvas", "{}\n"),
            ("Inbox/offer.docx", "x\n"),
            ("Inbox/router.md", "The router\nPassword: gT7#kq92Lm!x4\n"),
            ("Plans/garden.md", "Beans first.\n"),
            ("Plans/private/gift.md", "A kite for Jo.\n"),
            ("Journal/2026-11-02.md", "Rain.\n"),
            ("README.md", "My vault.\n"),
        ] {
            let path = stage.vault().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        stage
    }

    pub(crate) fn path(&self, below: &str) -> String {
        self.folder.path().join(below).display().to_string()
    }

    pub(crate) fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        let output = hermetic("git").args(args).output().unwrap();
        assert!(output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The files on the server's branch; none, if it has no branch.
    pub(crate) fn on_the_server(&self) -> Vec<String> {
        let remote = self.path("remote.git");
        let refs = self.git(&["-C", &remote, "for-each-ref", "refs/heads/main"]);
        if refs.is_empty() {
            return Vec::new();
        }
        let list = self.git(&["-C", &remote, "ls-tree", "-r", "--name-only", "main"]);
        list.lines().map(str::to_owned).collect()
    }

    pub(crate) fn command(&self, args: &[&str]) -> Vec<String> {
        let config = self.path("config/local.toml");
        let all = [env!("CARGO_BIN_EXE_platinum"), "--config", &config];
        all.into_iter()
            .chain(args.iter().copied())
            .map(str::to_owned)
            .collect()
    }

    fn init_args<'a>(&'a self, paths: &'a [String; 3], more: &[&'a str]) -> Vec<&'a str> {
        let [vault, state, remote] = paths;
        let args = ["init", vault, "--state", state, "--remote", remote];
        args.into_iter().chain(more.iter().copied()).collect()
    }

    fn paths(&self) -> [String; 3] {
        ["vault", "state", "remote.git"].map(|below| self.path(below))
    }

    /// `platinum init` where nobody can be asked.
    pub(crate) fn init(&self, more: &[&str]) -> Output {
        let paths = self.paths();
        let command = self.command(&self.init_args(&paths, more));
        Command::new(&command[0])
            .args(&command[1..])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    /// `platinum init` on a terminal on which this is typed; what the terminal shows.
    pub(crate) fn init_on_a_terminal(&self, typed: &str) -> (String, bool) {
        let paths = self.paths();
        let command = self.command(&self.init_args(&paths, &[]));
        let output = Command::new("sh")
            .arg("-c")
            .arg("printf '%s\\n' \"$1\" | script --quiet --return --command \"$2\" /dev/null")
            .args(["sh", typed, &command.join(" ")])
            .env("NO_COLOR", "1")
            .output()
            .unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        (shown.replace('\r', ""), output.status.success())
    }

    pub(crate) fn platinum(&self, args: &[&str]) -> String {
        let command = self.command(args);
        let output = Command::new(&command[0])
            .args(&command[1..])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{args:?}: {text}");
        text
    }

    /// Runs the daemon until the server has this file, and gives all that it has then.
    pub(crate) fn synced_until(&self, file: &str) -> Vec<String> {
        let command = self.command(&["run"]);
        let log = self.folder.path().join("log");
        let _daemon = Child::start(&command[0], &command[1..], &log, None).unwrap();
        wait_for(file, Duration::from_secs(120), || {
            let files = self.on_the_server();
            Ok(files.iter().any(|there| there == file).then_some(files))
        })
        .unwrap_or_else(|error| panic!("{error}: {}", fs::read_to_string(&log).unwrap()))
    }

    pub(crate) fn has_made_nothing(&self) -> bool {
        let is_there = |path: &str| Path::new(&self.path(path)).exists();
        !is_there("config") && !is_there("state") && !is_there("vault/Updates")
    }
}

const SHOWN: &str = "\
at the top         -
Inbox/             2 files  28 bytes  idea.md, scan/invoice.pdf
Needs_Action/      -
In_Progress/       -
Plans/             2 files  28 bytes  garden.md, private/gift.md
Pending_Approval/  -
Approved/          -
Rejected/          -
Done/              -
Updates/           -

1 file is held back in Inbox/:
  Inbox/router.md: line 2 holds a password; take it out, and the file is synced by itself (if it is no secret: platinum allow Inbox/router.md:2)

Stays on this machine:
  Inbox/: 1 .canvas, 1 .docx

All other folders stay on this machine: 1 at the top, 1 in Journal/.
";

#[test]
fn init_over_a_vault_asks_nobody_and_makes_nothing() {
    let stage = Stage::with_vault();
    let output = stage.init(&[]);
    let shown = String::from_utf8(output.stdout).unwrap();
    assert_eq!(
        shown,
        format!(
            "{} has files already. These would be synced with {}:\n\n{SHOWN}",
            stage.vault().canonicalize().unwrap().display(),
            stage.path("remote.git")
        )
    );
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "platinum: nobody can be asked here\n  --yes syncs what is shown above; --folders and --types sync less of it\n"
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(stage.has_made_nothing());
    assert!(stage.on_the_server().is_empty());
}

#[test]
fn init_on_a_terminal_syncs_nothing_before_the_yes() {
    let stage = Stage::with_vault();
    let (shown, success) = stage.init_on_a_terminal("n");
    assert!(!success && shown.contains(SHOWN), "{shown}");
    assert!(shown.contains("Sync 4 files? [y/N] "), "{shown}");
    assert!(
        shown.contains("nothing was made, and nothing leaves this machine"),
        "{shown}"
    );
    assert!(stage.has_made_nothing());
    assert!(stage.on_the_server().is_empty());

    let (shown, success) = stage.init_on_a_terminal("y");
    assert!(success, "{shown}");
    assert!(stage.on_the_server().is_empty());
    let files = stage.synced_until("Plans/garden.md");
    for file in [
        "Inbox/idea.md",
        "Inbox/scan/invoice.pdf",
        "Plans/private/gift.md",
    ] {
        assert!(files.iter().any(|there| there == file), "{file}: {files:?}");
    }
    let stays = ["router", "canvas", "docx", "Journal", "README"];
    assert!(
        !files
            .iter()
            .any(|file| stays.iter().any(|part| file.contains(part))),
        "{files:?}"
    );
}

#[test]
fn init_with_folders_and_types_syncs_those_alone() {
    let stage = Stage::with_vault();
    let output = stage.init(&["--yes", "--folders", "Plans/private,Done", "--types", "png"]);
    assert!(output.status.success(), "{output:?}");
    let shown = stage.platinum(&["sync", "folders"]);
    let expected = "\nPlans/             1 file   15 bytes  private/gift.md\n";
    assert!(shown.contains(expected), "{shown}");
    let expected =
        "  Inbox/: 3 left out by [sync], 1 .canvas, 1 .docx\n  Plans/: 1 left out by [sync]\n";
    assert!(shown.contains(expected), "{shown}");

    let files = stage.synced_until("Plans/private/gift.md");
    let is_own = |file: &&String| file.starts_with("Inbox/") || file.starts_with("Plans/");
    let own: Vec<&String> = files.iter().filter(is_own).collect();
    assert_eq!(own, ["Plans/private/gift.md"]);
    let status = stage.platinum(&["status"]);
    let expected = "3 left out in Inbox/, 1 left out in Plans/";
    assert!(status.contains(expected), "{status}");
}

#[test]
fn init_of_a_folder_that_is_never_synced_is_refused() {
    let stage = Stage::with_vault();
    let output = stage.init(&["--yes", "--folders", "Journal"]);
    let complaint = String::from_utf8(output.stderr).unwrap();
    let expected = "`sync.folders`: `Journal` is no folder that can be chosen: those are Inbox, Plans, Done, Updates";
    assert!(complaint.contains(expected), "{complaint}");
    assert!(stage.has_made_nothing());
}

#[test]
fn init_of_a_new_vault_needs_no_yes() {
    let stage = Stage::set();
    fs::create_dir(stage.vault()).unwrap();
    fs::write(stage.vault().join("Groceries.md"), "Rice.\n").unwrap();
    let output = stage.init(&[]);
    assert!(output.status.success(), "{output:?}");
}
