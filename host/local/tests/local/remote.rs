//! A remote with a past: what `platinum init` finds there, what adopting it does, and `platinum remote`: moving to a new remote
//! and restoring a lost one. The repositories are real, and the servers' own.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

use platinum_core::{AgentName, Role};
use platinum_repo::{Address, ClientOptions, GitRemote, Repo};
use platinum_sync::{SyncConfig, Synchronizer};
use platinum_testkit::git::hermetic;
use platinum_vault::Vault;
use platinum_verify::Identity;

use super::init::Stage;

const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n";

impl Stage {
    /// Another device's clone of the remote, with these files pushed to a branch.
    fn pushes(&self, branch: &str, files: &[(&str, &str)]) -> String {
        let clone = self.path("clone");
        if !Path::new(&clone).exists() {
            self.git(&["clone", "--quiet", &self.path("remote.git"), &clone]);
        }
        for (path, text) in files {
            let path = Path::new(&clone).join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let target = format!("HEAD:refs/heads/{branch}");
        self.git(&["-C", &clone, "add", "-A"]);
        self.git(&["-C", &clone, "commit", "--quiet", "-m", "vault backup"]);
        self.git(&["-C", &clone, "push", "--quiet", "origin", &target]);
        self.git(&["-C", &clone, "rev-parse", "HEAD"])
            .trim()
            .to_owned()
    }

    fn server_tip(&self, repository: &str) -> String {
        let args = ["-C", &self.path(repository), "rev-parse", "main"];
        self.git(&args).trim().to_owned()
    }

    fn fails(&self, args: &[&str]) -> String {
        let command = self.command(args);
        let output = Command::new(&command[0])
            .args(&command[1..])
            .output()
            .unwrap();
        assert!(!output.status.success(), "{args:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// What a cloud host that trusts the owner's machine gets.
    async fn cloud_files(&self) -> Vec<String> {
        let (state, vault) = (self.path("cloud-state"), self.path("cloud"));
        for folder in [&state, &vault] {
            fs::create_dir(folder).unwrap();
        }
        let (state, vault) = (Path::new(&state), Path::new(&vault));
        let agent: AgentName = "cloud".parse().unwrap();
        let identity = Identity::open(state, &agent, Role::Cloud).unwrap();
        identity
            .trust(self.platinum(&["key"]).trim(), false)
            .unwrap();
        let git_dir = state.join("vault.git");
        let remote = GitRemote::with_options(
            Repo::open_or_init(&git_dir).unwrap(),
            Address::parse(&self.path("remote.git")).unwrap(),
            ClientOptions {
                user_config: false,
                ..ClientOptions::default()
            },
        );
        let sync = Synchronizer::new(SyncConfig {
            vault: Vault::open(vault).unwrap(),
            git_dir,
            remote: Some(Box::new(remote)),
            agent,
            role: Role::Cloud,
            identity,
            scanner: std::sync::Arc::default(),
        })
        .unwrap();
        sync.sync().await.unwrap();
        let vault = Vault::open(vault).unwrap();
        let files = vault.list("Inbox").unwrap();
        files.into_iter().map(|entry| entry.path.into()).collect()
    }
}

fn texts(output: std::process::Output) -> (String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr))
}

#[test]
fn init_explains_a_forges_starter_files_and_adopts_them() {
    let stage = Stage::set();
    let tip = stage.pushes("main", &[("README.md", "# Vault\n"), ("LICENSE", "x\n")]);
    let remote = stage.path("remote.git");
    let (shown, complaint) = texts(stage.init(&[]));
    assert_eq!(
        shown,
        format!(
            "The remote {remote} has a history already: 1 commit with the files that a forge begins a repository with.\n\
             A vault is synced in its folders alone, so this cannot be on the branch. Adopting it means one signed commit on top: \
             nothing is rewritten, and the history keeps every file.\n\
             It takes off the branch 2 files:\n  LICENSE\n  README.md\n"
        )
    );
    assert_eq!(
        complaint,
        "platinum: nobody can be asked here\n  --adopt adopts it as shown above; another repository leaves it alone\n"
    );
    assert!(stage.has_made_nothing());
    assert_eq!(stage.server_tip("remote.git"), tip);

    let (shown, success) = stage.init_on_a_terminal("y");
    assert!(success && shown.contains("Adopt it? [y/N]"), "{shown}");
    assert_eq!(stage.on_the_server(), Vec::<String>::new());
    let parent = stage.git(&["-C", &remote, "rev-parse", "main^"]);
    assert_eq!(parent.trim(), tip);
    fs::write(stage.vault().join("Inbox/idea.md"), "A lamp.\n").unwrap();
    stage.synced_until("Inbox/idea.md");
    let old = stage.git(&["-C", &remote, "show", &format!("{tip}:README.md")]);
    assert_eq!(old, "# Vault\n");
}

/// Both halves take it over: this one and a cloud host that comes later.
#[tokio::test(flavor = "multi_thread")]
async fn init_adopts_an_obsidian_git_vault_by_name_alone() {
    let stage = Stage::set();
    let tip = stage.pushes(
        "main",
        &[
            (".obsidian/app.json", "{}\n"),
            ("Inbox/phone.md", "From the phone.\n"),
            ("Inbox/router.md", "Password: gT7#kq92Lm!x4\n"),
            ("Inbox/lamp.png", POINTER),
            ("Journal/a.md", "Rain.\n"),
        ],
    );
    let clone = stage.path("clone");
    let module = format!("160000,{tip},vendor/theme");
    stage.git(&[
        "-C",
        &clone,
        "update-index",
        "--add",
        "--cacheinfo",
        &module,
    ]);
    stage.git(&["-C", &clone, "commit", "--quiet", "-m", "theme"]);
    stage.git(&["-C", &clone, "push", "--quiet", "origin", "HEAD:main"]);
    let tip = stage.server_tip("remote.git");

    // Not even asked.
    let (shown, success) = stage.init_on_a_terminal("y");
    assert!(!success && !shown.contains("[y/N]"), "{shown}");
    for line in [
        "2 commits with a vault that other devices sync with Git (it has `.obsidian/`).",
        "It keeps 2 files:\n  Inbox/phone.md\n  Inbox/router.md\n",
        "It takes off the branch 2 files:\n  .obsidian/app.json\n  Journal/a.md\n",
        "and only a pointer is here, 1 file:\n  Inbox/lamp.png\n",
        "It takes off the branch what no vault holds: 1 file:\n  `vendor/theme` ",
        "Looks like a secret, and is on the remote already: 1 file:\n  Inbox/router.md: line 1 ",
        "A device that pulls after that loses on its disk what is taken off the branch.\n",
        "nothing was made, and the remote is as it was\n  another repository, an empty one, leaves that history alone",
    ] {
        assert!(shown.contains(line), "{line}\nnot in\n{shown}");
    }
    assert!(stage.has_made_nothing());
    assert_eq!(stage.server_tip("remote.git"), tip);

    // The owner has the picture itself.
    fs::create_dir_all(stage.vault().join("Inbox")).unwrap();
    fs::write(stage.vault().join("Inbox/lamp.png"), "the whole picture").unwrap();
    let (_, complaint) = texts(stage.init(&["--adopt", "--yes"]));
    assert_eq!(complaint, "");
    let kept = ["Inbox/phone.md", "Inbox/router.md"];
    assert_eq!(stage.on_the_server(), kept);
    stage.synced_until("Inbox/lamp.png");
    let read = |path: &str| fs::read_to_string(stage.vault().join(path)).unwrap();
    assert_eq!(read("Inbox/phone.md"), "From the phone.\n");
    assert_eq!(read("Inbox/lamp.png"), "the whole picture");
    let args = [
        "-C",
        &stage.path("remote.git"),
        "merge-base",
        "--is-ancestor",
        &tip,
        "main",
    ];
    stage.git(&args);
    let files = ["Inbox/lamp.png", "Inbox/phone.md", "Inbox/router.md"];
    assert_eq!(stage.cloud_files().await, files);
}

#[test]
fn init_stops_at_a_remote_with_another_branch_alone() {
    let stage = Stage::set();
    stage.pushes("master", &[("Inbox/a.md", "a\n")]);
    let (_, complaint) = texts(stage.init(&[]));
    assert_eq!(
        complaint,
        format!(
            "platinum: {} has no branch `main`, which is the one that is synced, but has master\n  \
             another repository, an empty one, leaves that alone\n  \
             or give it that branch, from a clone of it: git push origin origin/master:refs/heads/main; then say this again, \
             and what is on it is shown\n",
            stage.path("remote.git")
        )
    );
    assert!(stage.has_made_nothing());
    // As it says.
    let clone = stage.path("clone");
    stage.git(&["-C", &clone, "fetch", "--quiet"]);
    stage.git(&[
        "-C",
        &clone,
        "push",
        "--quiet",
        "origin",
        "origin/master:refs/heads/main",
    ]);
    let (shown, complaint) = texts(stage.init(&[]));
    assert_eq!(complaint, "");
    let expected = "has 1 file already; the first sync brings them here.\n";
    assert!(shown.contains(expected), "{shown}");
}

#[test]
fn init_stops_at_objects_that_git_does_not_take() {
    let stage = Stage::set();
    let remote = stage.path("remote.git");
    let (commit, tree) = super::limits::faulty(Path::new(&remote));
    stage.git(&["-C", &remote, "update-ref", "refs/heads/main", &commit]);
    let (_, complaint) = texts(stage.init(&[]));
    assert!(
        complaint.contains(&format!("the remote holds a faulty object, {tree}"))
            && complaint.ends_with("\n  or choose another repository, an empty one\n"),
        "{complaint}"
    );
    assert!(stage.has_made_nothing());
}

#[test]
fn remote_is_moved_and_restored_with_its_whole_history() {
    let stage = Stage::with_vault();
    let (_, complaint) = texts(stage.init(&["--yes"]));
    assert_eq!(complaint, "");
    let complaint = stage.fails(&["remote", "restore"]);
    let expected = "nothing was synced from this machine yet, so there is no history to give";
    assert!(complaint.contains(expected), "{complaint}");
    stage.synced_until("Plans/garden.md");
    let config = Path::new(&stage.path("config/local.toml")).to_owned();
    let before = fs::read_to_string(&config).unwrap();

    let (old, new) = (stage.path("remote.git"), stage.path("new.git"));
    // The answer of an earlier push may have been lost.
    let shown = stage.platinum(&["remote", "restore"]);
    let expected = format!("{old} has the whole history again, ");
    assert!(shown.starts_with(&expected), "{shown}");

    bare(&new);
    // Nor is one left that has what this machine has not seen.
    let tip = stage.server_tip("remote.git");
    stage.pushes("main", &[("Inbox/later.md", "later\n")]);
    // A remote that has anything else gets nothing.
    let complaint = stage.fails(&["remote", "restore"]);
    let expected = format!("{old} is not empty: it has the branch main");
    assert!(complaint.contains(&expected), "{complaint}");
    let complaint = stage.fails(&["remote", "move", &new]);
    let expected = "the remote has commits that this machine has not verified yet";
    assert!(complaint.contains(expected), "{complaint}");
    stage.git(&["-C", &old, "update-ref", "refs/heads/main", &tip]);
    let shown = stage.platinum(&["remote", "move", &new]);
    let tip = stage.server_tip("new.git");
    assert!(
        shown.starts_with(&format!(
            "{new} has the whole history, up to commit {tip:.10}, and the configuration names it.\n\
             The old remote, {old}, is as it was.\n\nNext:\n  1. On the cloud host: "
        )),
        "{shown}"
    );
    let after = fs::read_to_string(&config).unwrap();
    assert_eq!(after, before.replace(&old, &new));
    let mode = fs::metadata(&config).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    fs::rename(&new, stage.path("lost.git")).unwrap();
    bare(&new);
    let shown = stage.platinum(&["remote", "restore"]);
    let expected = format!("{new} has the whole history again, up to commit {tip:.10}.\n");
    assert!(shown.starts_with(&expected), "{shown}");
    assert_eq!(stage.server_tip("new.git"), tip);
}

fn bare(path: &str) {
    let made = hermetic("git")
        .args(["init", "--quiet", "--bare", "--initial-branch=main", path])
        .status();
    assert!(made.unwrap().success());
}
