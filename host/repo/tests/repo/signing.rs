//! Our signatures and git's: each accepts what the other made, and nothing that was tampered with.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Oid, Repo, Signature, Signer, Signers, SigningKey};

struct Stage {
    folder: tempfile::TempDir,
    repo: Repo,
    key: SigningKey,
}

impl Stage {
    /// A repository that signs as `cloud`, and the list that git verifies with.
    fn set() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate().unwrap();
        let repo = Repo::open_or_init(&folder.path().join("vault.git"))
            .unwrap()
            .signing_with(key.clone());
        let stage = Self { folder, repo, key };
        stage.trust(&[stage.signer()]);
        stage
    }

    fn signer(&self) -> Signer {
        Signer {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud.into(),
            key: self.key.public(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn trust(&self, list: &[Signer]) {
        let mut signers = Signers::default();
        for signer in list {
            signers.add(signer.clone()).unwrap();
        }
        fs::write(self.path("allowed_signers"), signers.to_string()).unwrap();
    }

    fn commit(&self, parent: Option<Oid>, text: &str) -> Oid {
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "Überraschung\n\nMore than one line.".to_owned(),
            trailers: vec![("Platinum-Claim".to_owned(), "claim_1".to_owned())],
            at: Timestamp::from_second(1_795_000_000).unwrap(),
        };
        let edit = (
            VaultPath::new("Plans/plan_1.md").unwrap(),
            Edit::Put(text.into()),
        );
        self.repo.commit(parent, &[edit], &meta).unwrap()
    }

    fn git(&self, args: &[&str], stdin: &[u8]) -> Output {
        use std::io::Write as _;
        let mut child = Command::new("git")
            .args(["-c", "gpg.format=ssh"])
            .arg("-c")
            .arg(setting(
                "gpg.ssh.allowedSignersFile",
                &self.path("allowed_signers"),
            ))
            .args(args)
            .env("GIT_DIR", self.repo.git_dir())
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "t")
            .env("GIT_AUTHOR_EMAIL", "t@t.invalid")
            .env("GIT_COMMITTER_NAME", "t")
            .env("GIT_COMMITTER_EMAIL", "t@t.invalid")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(stdin).unwrap();
        child.wait_with_output().unwrap()
    }

    fn made(&self, args: &[&str], stdin: &[u8]) -> Vec<u8> {
        let output = self.git(args, stdin);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {errors}");
        output.stdout
    }

    fn oid(&self, args: &[&str], stdin: &[u8]) -> Oid {
        let made = self.made(args, stdin);
        Repo::oid(std::str::from_utf8(&made).unwrap().trim()).unwrap()
    }

    /// What git says of a commit's signature, if it is good.
    fn git_verifies(&self, commit: Oid) -> Option<String> {
        let output = self.git(&["verify-commit", "-v", &commit.to_string()], b"");
        let errors = String::from_utf8(output.stderr).unwrap();
        output.status.success().then_some(errors)
    }

    /// The commit's bytes with something replaced, as a commit of its own.
    fn tampered(&self, commit: Oid, from: &str, to: &str) -> Oid {
        let raw = self.made(&["cat-file", "commit", &commit.to_string()], b"");
        let raw = String::from_utf8(raw).unwrap();
        assert!(raw.contains(from), "{raw}");
        let raw = raw.replacen(from, to, 1);
        self.oid(
            &["hash-object", "-t", "commit", "-w", "--stdin"],
            raw.as_bytes(),
        )
    }
}

fn setting(key: &str, value: &Path) -> String {
    format!("{key}={}", value.display())
}

/// Git accepts what is signed here and names the agent.
#[test]
fn git_verifies_our_signature_and_names_the_agent() {
    let stage = Stage::set();
    let first = stage.commit(None, "one");
    let second = stage.commit(Some(first), "two");
    for commit in [first, second] {
        let output = stage.git_verifies(commit).unwrap();
        let expected = format!(
            "Good \"git\" signature for cloud@cloud.platinum.invalid with ED25519 key {}",
            stage.key.public().fingerprint()
        );
        assert!(output.contains(&expected), "{output}");
        assert_eq!(
            stage.repo.signature(commit).unwrap(),
            Signature::By(stage.key.public())
        );
    }
    let author = stage.made(
        &["log", "-1", "--format=%an <%ae> %s", &second.to_string()],
        b"",
    );
    assert_eq!(
        String::from_utf8(author).unwrap(),
        "cloud <cloud@cloud.platinum.invalid> Überraschung\n"
    );
    stage.made(&["fsck", "--strict", "--no-dangling"], b"");
}

/// Git reads a list with a retired key and passes that key over.
#[test]
fn git_ignores_the_retired_line_of_a_signers_file() {
    let stage = Stage::set();
    let commit = stage.commit(None, "one");
    let old = Signer {
        key: SigningKey::generate().unwrap().public(),
        ..stage.signer()
    };
    for (retired, is_good) in [(&old, true), (&stage.signer(), false)] {
        let mut signers = Signers::default();
        for signer in [old.clone(), stage.signer()] {
            signers.add(signer).unwrap();
        }
        signers.retire(|signer| signer == retired, commit);
        fs::write(stage.path("allowed_signers"), signers.to_string()).unwrap();
        assert_eq!(stage.git_verifies(commit).is_some(), is_good);
    }
}

#[test]
fn verify_commit_signed_by_git_is_valid() {
    let stage = Stage::set();
    let key_file = stage.path("by_ssh_keygen");
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "me@there", "-f"])
        .arg(&key_file)
        .status()
        .unwrap();
    assert!(made.success());
    let key = SigningKey::load(&key_file).unwrap();
    let public = fs::read_to_string(key_file.with_extension("pub")).unwrap();
    assert!(public.starts_with(&key.public().to_string()), "{public}");
    let parent = stage.commit(None, "one").to_string();
    let signing = setting("user.signingKey", &key_file);
    let signed = stage.oid(
        &[
            "-c",
            &signing,
            "commit-tree",
            "-S",
            &format!("{parent}^{{tree}}"),
            "-p",
            &parent,
        ],
        "Written by hand ✓\n\nTwo paragraphs.\n".as_bytes(),
    );
    assert_eq!(
        stage.repo.signature(signed).unwrap(),
        Signature::By(key.public())
    );
    // git signs with a key that was made and written here, too.
    let ours = stage.path("made_here");
    let key = SigningKey::generate().unwrap();
    key.save(&ours).unwrap();
    fs::write(ours.with_extension("pub"), format!("{}\n", key.public())).unwrap();
    let signing = setting("user.signingKey", &ours);
    let signed = stage.oid(
        &[
            "-c",
            &signing,
            "commit-tree",
            "-S",
            &format!("{parent}^{{tree}}"),
            "-p",
            &parent,
        ],
        b"Once more\n",
    );
    assert_eq!(
        stage.repo.signature(signed).unwrap(),
        Signature::By(key.public())
    );
}

/// Whatever is changed in a signed commit both refuse it.
#[test]
fn tampered_commit_is_refused_by_git_and_us() {
    let stage = Stage::set();
    let first = stage.commit(None, "one");
    let second = stage.commit(Some(first), "two");
    let other_tree = stage.made(&["rev-parse", &format!("{first}^{{tree}}")], b"");
    let own_tree = stage.made(&["rev-parse", &format!("{second}^{{tree}}")], b"");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap().trim().to_owned();
    for (what, from, to) in [
        ("tree", text(&own_tree), text(&other_tree)),
        ("parent", first.to_string(), second.to_string()),
        (
            "author",
            "author cloud".to_owned(),
            "author local".to_owned(),
        ),
        ("time", "1795000000 ".to_owned(), "1795000001 ".to_owned()),
        ("message", "More than".to_owned(), "Less than".to_owned()),
        (
            "trailer",
            "Role: cloud".to_owned(),
            "Role: local".to_owned(),
        ),
    ] {
        let tampered = stage.tampered(second, &from, &to);
        assert_eq!(stage.git_verifies(tampered), None, "{what}");
        assert_eq!(
            stage.repo.signature(tampered).unwrap(),
            Signature::Broken(
                "its signature is not for these contents: it was changed, or the signature is of \
                 another commit"
                    .to_owned()
            ),
            "{what}"
        );
    }
}

#[test]
fn unsigned_commit_is_unsigned_for_git_and_us() {
    let stage = Stage::set();
    let parent = stage.commit(None, "one").to_string();
    let tree = format!("{parent}^{{tree}}");
    let unsigned = stage.oid(&["commit-tree", &tree, "-p", &parent], b"Unsigned\n");
    assert_eq!(stage.repo.signature(unsigned).unwrap(), Signature::Unsigned);
    assert_eq!(stage.git_verifies(unsigned), None);
}
