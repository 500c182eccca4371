//! `platinum trust` as the owner types it: keys that are replaced and revoked, with the remote and
//! without it.

use std::{path::PathBuf, process::Command};

use platinum_core::{Role, Timestamp, VaultPath};
use platinum_repo::{CommitMeta, Edit, Repo, Signer, Signers, SigningKey};
use platinum_testkit::{git::GitServer, notes::as_note};

struct Stage {
    folder: tempfile::TempDir,
    server: GitServer,
}

/// Whether it succeeded, and what it printed: for the program that reads it, and for the person.
struct Outcome {
    success: bool,
    out: String,
    err: String,
}

impl Stage {
    fn set() -> Self {
        let stage = Self {
            folder: tempfile::tempdir().unwrap(),
            server: GitServer::start().unwrap(),
        };
        std::fs::create_dir(stage.folder.path().join("vault")).unwrap();
        let address = stage.server.address();
        stage.configure(&address);
        stage
    }

    fn configure(&self, remote: &str) {
        let text = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = {remote:?}\n\
             timeout-seconds = 5\n"
        );
        std::fs::write(self.config(), text).unwrap();
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    fn trust(&self, args: &[&str]) -> Outcome {
        let output = Command::new(env!("CARGO_BIN_EXE_platinum"))
            .arg("--config")
            .arg(self.config())
            .arg("trust")
            .args(args)
            .output()
            .unwrap();
        Outcome {
            success: output.status.success(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn list(&self) -> Signers {
        let path = self.folder.path().join("state/allowed_signers");
        Signers::parse(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// A commit of the cloud's on the remote that nobody has fetched.
    fn at_night(&self) -> String {
        let repo = Repo::open_or_init(&self.server.repository()).unwrap();
        let meta = CommitMeta {
            agent: "cloud".parse().unwrap(),
            role: Role::Cloud,
            message: "At night".to_owned(),
            trailers: Vec::new(),
            at: Timestamp::now(),
        };
        let edits = [(
            VaultPath::new("Plans/a.md").unwrap(),
            Edit::Put(as_note("Plans/a.md", "a").into()),
        )];
        let tip = repo
            .signing_with(key(1))
            .commit(None, &edits, &meta)
            .unwrap();
        let args = ["update-ref", "refs/heads/main", &tip.to_string()];
        self.server.git(&args).unwrap();
        tip.to_string()
    }
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed([seed; 32]).unwrap()
}

fn cloud(seed: u8) -> Signer {
    Signer {
        agent: "cloud".parse().unwrap(),
        role: Role::Cloud.into(),
        key: key(seed).public(),
    }
}

fn line(seed: u8) -> String {
    cloud(seed).to_string()
}

#[test]
fn replaced_key_is_valid_up_to_the_remote_tip() {
    let stage = Stage::set();
    let first = stage.trust(&[&line(1)]);
    assert!(first.success, "{}", first.err);
    let tip = stage.at_night();
    let outcome = stage.trust(&[&line(2), "--replace"]);
    assert!(outcome.success, "{}", outcome.err);
    assert_eq!(outcome.out, first.out);
    assert_eq!(
        outcome.err,
        format!(
            "The key {} of cloud, a cloud half, is trusted from now on.\nThe key {} of cloud is \
             no longer trusted; what it signed up to commit {} still counts, and nothing after \
             that.\n",
            key(2).public().fingerprint(),
            key(1).public().fingerprint(),
            &tip[..12]
        )
    );
    let list = stage.list();
    let retired = list.retired(&key(1).public()).unwrap();
    assert_eq!((&retired.signer, retired.at.to_string()), (&cloud(1), tip));
    assert_eq!(list.of(&key(2).public()), Some(&cloud(2)));
}

#[test]
fn revoked_key_returns_only_by_replace() {
    let stage = Stage::set();
    stage.trust(&[&line(1)]);
    let tip = stage.at_night();
    let outcome = stage.trust(&["--revoke", "cloud"]);
    assert!(outcome.success, "{}", outcome.err);
    assert_eq!(outcome.out, "");
    let list = stage.list();
    assert_eq!(list.retired(&key(1).public()).unwrap().at.to_string(), tip);
    assert_eq!(list.iter().count(), 1);
    assert!(!stage.trust(&["--revoke", "cloud"]).success);
    assert!(!stage.trust(&[&line(1)]).success);
    assert!(stage.trust(&[&line(1), "--replace"]).success);
    assert_eq!(stage.list().of(&key(1).public()), Some(&cloud(1)));
    // Neither, or both, is nothing that can be done.
    assert!(!stage.trust(&[]).success);
    assert!(!stage.trust(&[&line(2), "--revoke", "cloud"]).success);
}

#[test]
fn silent_remote_retires_no_key_unless_without_remote() {
    let stage = Stage::set();
    stage.trust(&[&line(1)]);
    let nowhere = stage.folder.path().join("nowhere.git");
    stage.configure(nowhere.to_str().unwrap());
    for args in [&[line(2).as_str(), "--replace"][..], &["--revoke", "cloud"]] {
        let outcome = stage.trust(args);
        assert!(!outcome.success);
        assert!(
            outcome.err.contains("say --without-remote: then nothing"),
            "{}",
            outcome.err
        );
        assert_eq!(stage.list().of(&key(1).public()), Some(&cloud(1)));
    }
    // A first exchange asks nobody.
    assert!(stage.trust(&[&line(1), "--replace"]).success);
    let outcome = stage.trust(&["--revoke", "cloud", "--without-remote"]);
    assert!(outcome.success, "{}", outcome.err);
    let list = stage.list();
    assert_eq!(list.of(&key(1).public()), None);
    // It is remembered, so that a plain `trust` does not bring it back; nothing of its counts.
    let retired = list.retired(&key(1).public()).unwrap();
    assert_eq!(retired.at.to_string(), "0".repeat(40));
    assert!(!stage.trust(&[&line(1)]).success);
}
