//! The hook of a server: what git's own client prints for real pushes, word for word.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, Repo, Signer, Signers, SigningKey};
use platinum_testkit::{
    git::{GitServer, bare_repository, git_in, hermetic},
    notes::{as_note, draft_path, drafted_task},
};

/// A server with the hook, and a clone that can make any commit.
struct Stage {
    folder: tempfile::TempDir,
    server: GitServer,
    repo: Repo,
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32]).unwrap()
}

const LOCAL: (&str, Role, u8) = ("local", Role::Local, 1);
const CLOUD: (&str, Role, u8) = ("cloud", Role::Cloud, 2);

fn platinum(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_platinum"))
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap()
}

impl Stage {
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let server = GitServer::start().unwrap();
        let mut signers = Signers::default();
        for (agent, role, seed) in [LOCAL, CLOUD] {
            let agent = agent.parse().unwrap();
            let key = key(seed).public();
            let role = role.into();
            signers.add(Signer { agent, role, key }).unwrap();
        }
        let list = folder.path().join("signers");
        std::fs::write(&list, signers.to_string()).unwrap();
        let repository = server.repository();
        let args = ["hook", "install", repository.to_str().unwrap(), "--signers"];
        let done = platinum(&[&args[..], &[list.to_str().unwrap()]].concat());
        assert!(done.status.success(), "{}", stderr_of(&done));
        assert_eq!(
            String::from_utf8(done.stdout).unwrap(),
            format!(
                "{} checks every push from now on. It trusts:\n  local (local) {}\n  cloud \
                 (cloud) {}\n",
                repository.display(),
                key(1).public().fingerprint(),
                key(2).public().fingerprint()
            )
        );
        let clone = folder.path().join("clone.git");
        bare_repository(&clone).unwrap();
        let repo = Repo::open_or_init(&clone).unwrap();
        Self {
            folder,
            server,
            repo,
        }
    }

    fn commit(
        &self,
        parent: Option<Oid>,
        (agent, role, seed): (&str, Role, u8),
        edits: &[(&str, Option<&str>)],
    ) -> Oid {
        let edits: Vec<_> = edits
            .iter()
            .map(|(path, text)| {
                // Notes of their kind, if the cloud's key signs them: it may create no others.
                let put = |text: &str| match seed == CLOUD.2 {
                    true => Edit::Put(as_note(path, text).into()),
                    false => Edit::Put(text.into()),
                };
                let edit = text.map_or(Edit::Delete, put);
                (VaultPath::new(*path).unwrap(), edit)
            })
            .collect();
        let meta = CommitMeta {
            agent: agent.parse().unwrap(),
            role,
            message: "A commit".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        let repo = self.repo.clone();
        let repo = match seed {
            0 => repo,
            seed => repo.signing_with(key(seed)),
        };
        repo.commit(parent, &edits, &meta).unwrap()
    }

    fn clone(&self) -> PathBuf {
        self.folder.path().join("clone.git")
    }

    fn push_to(&self, address: &str, what: &[&str]) -> Output {
        hermetic("git")
            .env("GIT_DIR", self.clone())
            .args(["push", "--quiet", "--force", address])
            .args(what)
            .output()
            .unwrap()
    }

    fn accepted(&self, commit: Oid) {
        let done = self.push_to(&self.server.address(), &[&to_main(commit)]);
        assert!(done.status.success(), "{}", stderr_of(&done));
        assert_eq!(self.tip(), commit.to_string());
    }

    fn tip(&self) -> String {
        self.server.git(&["rev-parse", "main"]).unwrap()
    }

    /// What the hook says, by git's protocol and by a path on this machine alike.
    fn refused(&self, what: &[&str], lines: &[&str]) {
        let refs = |server: &GitServer| server.git(&["show-ref"]).unwrap_or_default();
        let before = refs(&self.server);
        let path = self.server.repository();
        for address in [self.server.address(), path.to_str().unwrap().to_owned()] {
            let done = self.push_to(&address, what);
            assert!(!done.status.success());
            let text = stderr_of(&done);
            let printed: Vec<_> = text
                .lines()
                .filter_map(|line| line.strip_prefix("remote: "))
                .map(str::trim_end)
                .filter(|line| !line.is_empty())
                .collect();
            let mut expected = vec!["platinum: the push is refused".to_owned()];
            expected.extend(lines.iter().map(|line| format!("  {line}")));
            assert_eq!(printed, expected, "{text}");
            assert_eq!(refs(&self.server), before);
        }
    }
}

fn stderr_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn to_main(commit: Oid) -> String {
    format!("{commit}:refs/heads/main")
}

fn short(commit: Oid) -> String {
    commit.to_string()[..12].to_owned()
}

#[test]
fn honest_commits_of_both_roles_pass_the_hook() {
    let stage = Stage::set();
    let (task, text) = drafted_task();
    let first = stage.commit(
        None,
        LOCAL,
        &[("Dashboard.md", Some("# Today\n")), (&task, Some(&text))],
    );
    stage.accepted(first);
    let draft = draft_path("a");
    let second = stage.commit(Some(first), CLOUD, &[(&draft, Some("a"))]);
    let third = stage.commit(
        Some(second),
        LOCAL,
        &[(&draft, None), ("Approved/a.md", Some("a"))],
    );
    stage.accepted(third);
}

#[test]
fn hook_refusal_names_the_commit_and_the_reason() {
    let stage = Stage::set();
    let base = stage.commit(None, LOCAL, &[("Dashboard.md", Some("# Today\n"))]);
    stage.accepted(base);
    let approval = [("Approved/a.md", Some("send"))];
    let honest = [("Plans/a.md", Some("a"))];
    let stranger = ("laptop", Role::Local, 9);
    for (who, edits, why) in [
        (
            CLOUD,
            &approval,
            "cloud agent cloud may not create Approved/a.md: only the owner's machine changes it"
                .to_owned(),
        ),
        (
            ("local", Role::Local, 0),
            &approval,
            "it is not signed".to_owned(),
        ),
        (
            ("local", Role::Local, 2),
            &honest,
            "it says `Platinum-Agent: local`, but it is signed by cloud (cloud); it says \
             `Platinum-Role: local`, but it is signed by cloud (cloud)"
                .to_owned(),
        ),
        (
            stranger,
            &honest,
            format!(
                "it is signed by a key that is not trusted here ({}); the hook trusts the keys in \
                 platinum/allowed_signers",
                key(9).public().fingerprint()
            ),
        ),
    ] {
        let bad = stage.commit(Some(base), who, edits);
        let line = format!("commit {} is refused: {why}", short(bad));
        stage.refused(&[&to_main(bad)], &[&line]);
        // Hidden below honest commits, or taken back, it is refused as well.
        let later = stage.commit(Some(bad), CLOUD, &[("Plans/later.md", Some("x"))]);
        stage.refused(&[&to_main(later)], &[&line]);
    }
    let bad = stage.commit(Some(base), CLOUD, &approval);
    let back = stage.commit(Some(bad), CLOUD, &[("Approved/a.md", None)]);
    let lines = [
        format!(
            "commit {} is refused: cloud agent cloud may not create Approved/a.md: only the \
             owner's machine changes it",
            short(bad)
        ),
        format!(
            "commit {} is refused: cloud agent cloud may not delete Approved/a.md: only the \
             owner's machine changes it",
            short(back)
        ),
    ];
    stage.refused(&[&to_main(back)], &[&lines[0], &lines[1]]);
}

#[test]
fn history_only_grows_and_only_on_one_branch() {
    let stage = Stage::set();
    let base = stage.commit(None, LOCAL, &[("Dashboard.md", Some("# Today\n"))]);
    let next = stage.commit(Some(base), LOCAL, &[("Dashboard.md", Some("# More\n"))]);
    stage.accepted(base);
    stage.accepted(next);
    let rewritten =
        format!("refs/heads/main may not be rewritten: the push no longer has commit {next}");
    stage.refused(&[&to_main(base)], &[&rewritten]);
    let other = stage.commit(Some(base), LOCAL, &[("Inbox/a.md", Some("a"))]);
    stage.refused(&[&to_main(other)], &[&rewritten]);
    stage.refused(
        &[&format!("{next}:refs/heads/other")],
        &["refs/heads/other: only refs/heads/main is kept here"],
    );
    stage.refused(
        &[&format!("{next}:refs/tags/v1")],
        &["refs/tags/v1: only refs/heads/main is kept here"],
    );
    let more = stage.commit(Some(next), LOCAL, &[("Inbox/b.md", Some("b"))]);
    // One bad ref keeps the good one out: a push is one thing.
    stage.refused(
        &[&to_main(more), &format!("{next}:refs/heads/other")],
        &["refs/heads/other: only refs/heads/main is kept here"],
    );
    stage.refused(
        &[":refs/heads/main"],
        &["refs/heads/main may not be deleted"],
    );
    stage.accepted(more);
}

#[test]
fn secrets_and_names_no_vault_has_are_refused() {
    let stage = Stage::set();
    let base = stage.commit(None, LOCAL, &[("Dashboard.md", Some("# Today\n"))]);
    stage.accepted(base);
    let plugin = [(".obsidian/plugins/x/main.js", Some("evil()"))];
    let bad = stage.commit(Some(base), LOCAL, &plugin);
    let line = format!(
        "commit {} is refused: .obsidian/plugins/x/main.js is no note or attachment in a folder \
         that is synced",
        short(bad)
    );
    stage.refused(&[&to_main(bad)], &[&line]);

    let secret = [(
        "Inbox/note.md",
        Some(
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAABG5vbmUAAAAEbm9uZQAAAAAAAAABAAAAMwAAAAtzc2gtZW\nQyNTUxOQAAACBQ\n-----END OPENSSH PRIVATE KEY-----\n",
        ),
    )];
    let bad = stage.commit(Some(base), LOCAL, &secret);
    let gone = stage.commit(Some(bad), LOCAL, &[("Inbox/note.md", None)]);
    let done = stage.push_to(&stage.server.address(), &[&to_main(gone)]);
    let text = stderr_of(&done);
    assert!(
        !done.status.success() && text.contains("`Inbox/note.md` in "),
        "{text}"
    );
    assert!(
        !text.contains("b3BlbnNzaC1rZXk"),
        "the secret is not repeated: {text}"
    );
    assert_eq!(stage.tip(), base.to_string());
    // Not even as an object that nothing leads to.
    let blob = git_in(
        &stage.clone(),
        &["rev-parse", &format!("{bad}:Inbox/note.md")],
    )
    .unwrap();
    let there = stage.server.git(&["cat-file", "-e", &blob]);
    assert!(there.is_err(), "the secret is in the server's objects");
}

#[test]
fn violations_older_than_the_hook_may_move_but_not_grow() {
    const ACCOUNT: &str = "Please pay to DE89 3704 0044 0532 0130 00 by Friday.\n";
    const TOKEN: &str = "ghp_Zx8Kq2LmN4pRs6TuV0wYaBcDeFgHiJ1k3M5n";
    let stage = Stage::set();
    let note = |front: &str, body: &str| format!("---\nid: x\n{front}---\n{body}");
    let bill = note("", ACCOUNT);
    let first = stage.commit(
        None,
        LOCAL,
        &[
            ("Plans/credentials.md", Some(ACCOUNT)),
            ("Needs_Action/payments/a.md", Some(&bill)),
            (
                "Plans/gone.md",
                Some("# An account\n\nDE89 3704 0044 0532 0130 00\n"),
            ),
        ],
    );
    let base = stage.commit(Some(first), LOCAL, &[("Plans/gone.md", None)]);
    let clone = stage.clone();
    git_in(
        &clone,
        &["update-ref", "refs/heads/before", &base.to_string()],
    )
    .unwrap();
    let clone = clone.to_str().unwrap();
    let fetch = [
        "fetch",
        "--quiet",
        clone,
        "refs/heads/before:refs/heads/main",
    ];
    stage.server.git(&fetch).unwrap();

    let claimed = note("claim: 1\n", ACCOUNT);
    let moved = |text: &str, edits: &[(&str, Option<&str>)]| {
        let mut all = vec![
            ("Needs_Action/payments/a.md", None),
            ("In_Progress/local/a.md", Some(text)),
        ];
        all.extend(edits);
        stage.commit(Some(base), LOCAL, &all)
    };
    for bad in [
        moved(&claimed, &[("Inbox/x.md", Some(TOKEN))]),
        moved(&note(&format!("token: {TOKEN}\n"), ACCOUNT), &[]),
        moved(&note("claim: 1\n", &format!("{ACCOUNT}{TOKEN}\n")), &[]),
        moved(&claimed, &[("Inbox/credentials.md", Some("another\n"))]),
    ] {
        let done = stage.push_to(&stage.server.address(), &[&to_main(bad)]);
        assert!(!done.status.success());
        assert_eq!(stage.tip(), base.to_string());
    }
    let next = moved(
        &claimed,
        &[
            ("Plans/credentials.md", None),
            ("Inbox/credentials.md", Some(ACCOUNT)),
        ],
    );
    stage.accepted(next);
    // Out of the history, as an answer to a violation does.
    let back = [(
        "Plans/gone.md",
        Some("# An account\n\nDE89 3704 0044 0532 0130 00\n"),
    )];
    stage.accepted(stage.commit(Some(next), LOCAL, &back));
}

#[test]
fn hook_without_its_signers_refuses_every_push() {
    let stage = Stage::set();
    let list = stage.server.repository().join("platinum/allowed_signers");
    std::fs::remove_file(&list).unwrap();
    let first = stage.commit(None, LOCAL, &[("Dashboard.md", Some("# Today\n"))]);
    let done = stage.push_to(&stage.server.address(), &[&to_main(first)]);
    assert!(!done.status.success());
    let text = stderr_of(&done);
    assert!(text.contains("allowed_signers: No such file"), "{text}");
}

#[test]
fn install_keeps_a_foreign_hook_and_renews_our_own() {
    let stage = Stage::set();
    let repository = stage.server.repository();
    let list = stage.folder.path().join("signers");
    let install = || {
        let args = ["hook", "install", repository.to_str().unwrap(), "--signers"];
        platinum(&[&args[..], &[list.to_str().unwrap()]].concat())
    };
    assert!(install().status.success());
    for (key, value) in [
        ("receive.denyNonFastForwards", "true"),
        ("receive.denyDeletes", "true"),
        ("receive.fsckObjects", "true"),
    ] {
        assert_eq!(stage.server.git(&["config", key]).unwrap(), value);
    }
    let hook = repository.join("hooks/pre-receive");
    std::fs::write(&hook, "#!/bin/sh\nexit 0\n").unwrap();
    let refused = install();
    assert_eq!(
        stderr_of(&refused),
        format!(
            "platinum: {} exists already, and Platinum did not write it\n  move it away, or call `platinum hook \
             pre-receive` in it with the same stdin\n",
            hook.display()
        )
    );
    assert_eq!(
        std::fs::read_to_string(&hook).unwrap(),
        "#!/bin/sh\nexit 0\n"
    );
    let nowhere = stage.folder.path().join("nowhere");
    let nothing = platinum(&["hook", "install", nowhere.to_str().unwrap()]);
    assert_eq!(
        stderr_of(&nothing),
        format!(
            "platinum: {} is not a bare repository\n  `git init --bare FOLDER` makes one\n",
            nowhere.display()
        )
    );
    assert!(Path::new(&repository).exists());
}

/// A server that only keeps the repository has no configuration and no keys: the owner's machine sends them.
#[test]
fn install_on_a_server_without_a_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (repository, config) = (path("vault.git"), path("local.toml"));
    bare_repository(Path::new(&repository)).unwrap();
    let install = ["--config", &config, "hook", "install", &repository];
    assert_eq!(
        stderr_of(&platinum(&install)),
        format!(
            "platinum: no configuration at {config}, so no keys to trust are known here\n  give it the keys that \
             your machine trusts; there, with the path of its `vault.state`:\n  ssh HOST platinum hook install \
             {repository} --signers - < ~/.local/state/platinum/local/allowed_signers\n"
        )
    );
    let mut signers = Signers::default();
    let (agent, role, seed) = LOCAL;
    let (agent, key) = (agent.parse().unwrap(), key(seed).public());
    let role = role.into();
    signers.add(Signer { agent, role, key }).unwrap();
    std::fs::write(path("list"), signers.to_string()).unwrap();
    let done = Command::new(env!("CARGO_BIN_EXE_platinum"))
        .args(install)
        .args(["--signers", "-", "--allow", "iban"])
        .stdin(std::fs::File::open(path("list")).unwrap())
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", stderr_of(&done));
    let kept = |name: &str| std::fs::read_to_string(Path::new(&repository).join(name)).unwrap();
    assert_eq!(kept(platinum_verify::hook::SIGNERS), signers.to_string());
    assert_eq!(kept(platinum_verify::hook::ALLOWED), "iban");
    assert!(kept("hooks/pre-receive").contains("pre-receive"));
}
