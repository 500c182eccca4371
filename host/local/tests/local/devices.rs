//! `platinum held` and `platinum device` as the owner types them: a phone that pushes with plain git,
//! before its key is known and after.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use platinum_core::{AgentName, Role};
use platinum_policy::SyncChoice;
use platinum_repo::{Address, ClientOptions, GitRemote, Repo, SigningKey};
use platinum_sync::{SyncConfig, Synchronizer};
use platinum_testkit::git::{GitServer, hermetic};
use platinum_vault::Vault;
use platinum_verify::Identity;

struct Stage {
    folder: tempfile::TempDir,
    server: GitServer,
}

impl Stage {
    /// The owner's machine, synced once, and the phone's clone.
    async fn set() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
            server: GitServer::start().unwrap(),
        };
        std::fs::create_dir_all(stage.vault().join("Inbox")).unwrap();
        std::fs::write(stage.vault().join("Inbox/base.md"), "base\n").unwrap();
        let text = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = {:?}\n",
            stage.server.address()
        );
        std::fs::write(stage.folder.path().join("local.toml"), text).unwrap();
        assert!(stage.platinum(&["key"]).2, "no key");
        let cloud = SigningKey::from_seed([1; 32]).unwrap().public();
        let line = format!("cloud@cloud.platinum.invalid {cloud}");
        assert!(stage.platinum(&["trust", &line]).2);
        stage.sync().await;
        let key = SigningKey::from_seed([2; 32]).unwrap();
        key.save(&stage.folder.path().join("key")).unwrap();
        std::fs::create_dir(stage.phone()).unwrap();
        stage.git(&["clone", "--quiet", &stage.server.address(), "."]);
        stage
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn phone(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    /// What a command printed for a program and for a person, and whether it succeeded.
    fn platinum(&self, args: &[&str]) -> (String, String, bool) {
        let output = Command::new(env!("CARGO_BIN_EXE_platinum"))
            .arg("--config")
            .arg(self.folder.path().join("local.toml"))
            .args(args)
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (
            text(output.stdout),
            text(output.stderr),
            output.status.success(),
        )
    }

    fn git(&self, args: &[&str]) -> String {
        let output = hermetic("git")
            .current_dir(self.phone())
            .args(["-c", "gpg.format=ssh", "-c", "pull.rebase=false", "-c"])
            .arg(format!(
                "user.signingKey={}",
                self.folder.path().join("key").display()
            ))
            .args(args)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {printed}");
        String::from_utf8(output.stdout).unwrap()
    }

    fn backup(&self, path: &str, text: &str, options: &[&str]) {
        std::fs::write(self.phone().join(path), text).unwrap();
        self.git(&["add", "-A"]);
        let commit = ["commit", "--quiet", "-m", "vault backup"];
        self.git(&[&commit[..], options].concat());
        self.git(&["pull", "--quiet", "--no-edit"]);
        self.git(&["push", "--quiet", "origin", "main"]);
    }

    /// What the daemon does once.
    async fn sync(&self) {
        self.sync_chosen(SyncChoice::default()).await;
    }

    async fn sync_chosen(&self, choice: SyncChoice) {
        let state = self.folder.path().join("state");
        let agent: AgentName = "local".parse().unwrap();
        let git_dir = state.join("vault.git");
        let options = ClientOptions {
            user_config: false,
            ..ClientOptions::default()
        };
        let remote = GitRemote::with_options(
            Repo::open_or_init(&git_dir).unwrap(),
            Address::parse(&self.server.address()).unwrap(),
            options,
        );
        let sync = Synchronizer::new(SyncConfig {
            vault: Vault::open(&self.vault()).unwrap(),
            git_dir,
            remote: Some(Box::new(remote)),
            identity: Identity::open(&state, &agent, Role::Local).unwrap(),
            agent,
            role: Role::Local,
            scanner: std::sync::Arc::default(),
        })
        .unwrap()
        .with_choice(choice);
        sync.sync().await.unwrap();
    }

    fn read(&self, path: &Path) -> Option<String> {
        std::fs::read_to_string(path).ok()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn held_files_are_shown_everywhere_and_taken() {
    let stage = Stage::set().await;
    assert_eq!(stage.platinum(&["held"]).0, "Nothing is held.\n");
    stage.backup("Inbox/phone.md", "from the phone\n", &[]);
    stage.sync().await;
    let told = "1 file from another device is not in your vault: Inbox/phone.md; `platinum held` \
                shows and takes them";
    for command in ["status", "approvals", "doctor"] {
        let (out, ..) = stage.platinum(&[command]);
        assert!(out.contains(told), "{command}: {out}");
    }
    let json = stage.platinum(&["status", "--json"]).0;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(json["held"][0]["path"], "Inbox/phone.md");
    let id = json["held"][0]["id"].as_str().unwrap();
    let (list, ..) = stage.platinum(&["held"]);
    assert!(
        list.contains(&format!("{id}  Inbox/phone.md  new, from another device")),
        "{list}"
    );
    assert!(list.contains("it is not signed"), "{list}");
    assert_eq!(
        stage.platinum(&["held", "show", &id[..4]]).0,
        "from the phone\n"
    );
    let (_, error, success) = stage.platinum(&["held", "take", "nothing"]);
    assert!(
        !success && error.contains("nothing is held as `nothing`"),
        "{error}"
    );
    assert!(!stage.platinum(&["held", "take"]).2);

    let (out, ..) = stage.platinum(&["held", "take", "--all"]);
    assert_eq!(out, "Inbox/phone.md is in your vault.\n");
    let path = stage.vault().join("Inbox/phone.md");
    assert_eq!(stage.read(&path).unwrap(), "from the phone\n");
    stage.sync().await;
    stage.git(&["pull", "--quiet", "--no-edit"]);
    let there = stage.phone().join("Inbox/phone.md");
    assert_eq!(stage.read(&there).unwrap(), "from the phone\n");

    stage.backup("Inbox/phone.md", "again\n", &[]);
    stage.sync().await;
    let (out, ..) = stage.platinum(&["held", "drop", "--all"]);
    assert_eq!(
        out,
        "1 file off the list. The remote's history keeps them.\n"
    );
    assert_eq!(stage.read(&path).unwrap(), "from the phone\n");
    assert_eq!(stage.platinum(&["held", "list"]).0, "Nothing is held.\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn device_is_a_member_until_it_is_removed() {
    let stage = Stage::set().await;
    let key = SigningKey::from_seed([2; 32]).unwrap().public();
    assert!(
        stage
            .platinum(&["device", "list"])
            .0
            .starts_with("No device.")
    );
    let (_, error, success) = stage.platinum(&["device", "add", "phone", "nonsense"]);
    assert!(!success && error.contains("no ed25519 key"), "{error}");
    // As the file has it: with a comment.
    let (line, error, success) =
        stage.platinum(&["device", "add", "phone", &format!("{key} me@phone")]);
    assert!(success, "{error}");
    assert_eq!(
        line,
        format!("phone@device.platinum.invalid namespaces=\"git\" {key}\n")
    );
    let print = key.fingerprint();
    let told = format!("The key {print} of phone, a device, is trusted from now on.\n");
    assert!(error.starts_with(&told), "{error}");
    for taken in ["local", "cloud"] {
        let other = SigningKey::from_seed([3; 32]).unwrap().public().to_string();
        assert!(
            !stage.platinum(&["device", "add", taken, &other]).2,
            "{taken}"
        );
    }
    assert_eq!(
        stage.platinum(&["device", "list"]).0,
        format!("phone  {print}\n")
    );

    stage.backup("Inbox/phone.md", "from the phone\n", &["-S"]);
    stage.sync().await;
    let path = stage.vault().join("Inbox/phone.md");
    assert_eq!(stage.read(&path).unwrap(), "from the phone\n");
    assert_eq!(stage.platinum(&["held"]).0, "Nothing is held.\n");

    // A phone that keeps pictures with Git LFS.
    let picture = stage.vault().join("Inbox/lamp.png");
    std::fs::write(&picture, "the whole picture").unwrap();
    stage.sync().await;
    stage.git(&["pull", "--quiet", "--no-edit"]);
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 17\n";
    stage.backup("Inbox/lamp.png", pointer, &["-S"]);
    stage.sync().await;
    assert_eq!(stage.read(&picture).unwrap(), "the whole picture");
    let (list, ..) = stage.platinum(&["held"]);
    assert!(
        list.contains("Inbox/lamp.png") && list.contains("it is a Git LFS pointer"),
        "{list}"
    );
    // Nor does one leave that lies here.
    std::fs::write(stage.vault().join("Inbox/other.png"), pointer).unwrap();
    stage.sync().await;
    stage.git(&["pull", "--quiet", "--no-edit"]);
    assert!(!stage.phone().join("Inbox/other.png").exists());
    let there = stage.phone().join("Inbox/lamp.png");
    assert_eq!(stage.read(&there).unwrap(), "the whole picture");
    stage.platinum(&["held", "drop", "--all"]);

    let (out, error, success) = stage.platinum(&["device", "remove", "phone"]);
    assert!(success, "{error}");
    assert!(out.contains("platinum-cloud trust --revoke phone"), "{out}");
    assert!(!stage.platinum(&["device", "remove", "phone"]).2);
    assert!(!stage.platinum(&["device", "remove", "cloud"]).2);
    stage.backup("Inbox/late.md", "late\n", &["-S"]);
    stage.sync().await;
    assert_eq!(stage.read(&stage.vault().join("Inbox/late.md")), None);
    assert_eq!(stage.read(&path).unwrap(), "from the phone\n");
    let (list, ..) = stage.platinum(&["held"]);
    assert!(
        list.contains("Inbox/late.md") && list.contains("no longer trusted"),
        "{list}"
    );
}

/// What another device puts where the owner keeps a note back: both are here afterwards, and the note has not left.
#[tokio::test(flavor = "multi_thread")]
async fn note_left_out_stays_when_its_name_arrives() {
    let stage = Stage::set().await;
    let key = SigningKey::from_seed([2; 32]).unwrap().public();
    assert!(
        stage
            .platinum(&["device", "add", "phone", &key.to_string()])
            .2
    );
    let choice = || SyncChoice::new(&["Inbox"], &["png"]).unwrap();
    let plans = stage.vault().join("Plans");
    std::fs::create_dir_all(&plans).unwrap();
    std::fs::write(plans.join("gift.md"), "mine\n").unwrap();
    std::fs::write(stage.vault().join("Inbox/a.csv"), "1,2\n").unwrap();
    stage.sync_chosen(choice()).await;
    std::fs::create_dir(stage.phone().join("Plans")).unwrap();
    stage.backup("Plans/gift.md", "from the phone\n", &["-S"]);
    for _ in 0..2 {
        stage.sync_chosen(choice()).await;
    }
    let mut texts: Vec<String> = std::fs::read_dir(&plans)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .collect();
    texts.sort();
    assert_eq!(texts, ["from the phone\n", "mine\n"]);
    stage.git(&["pull", "--quiet", "--no-edit"]);
    let files = stage.git(&["ls-files"]);
    let expected = ["Inbox/base.md", "Plans/gift.md"];
    assert_eq!(files.lines().collect::<Vec<_>>(), expected);

    // What the remote has already goes on being synced.
    std::fs::write(plans.join("gift.md"), "both\n").unwrap();
    stage.sync_chosen(choice()).await;
    stage.git(&["pull", "--quiet", "--no-edit"]);
    let there = stage.phone().join("Plans/gift.md");
    assert_eq!(stage.read(&there).unwrap(), "both\n");
}
