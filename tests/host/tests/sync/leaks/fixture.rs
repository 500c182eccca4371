//! A host for these tests, what it knows, and a look at everything that a remote holds.

use std::{path::Path, sync::Arc, time::Duration};

use platinum_core::{AgentName, Role, VaultPath};
use platinum_repo::{Address, ClientOptions, GitRemote, Repo, Signer, Signers, SigningKey};
use platinum_secrets::{Allowances, KnownSecrets, Scanner};
use platinum_sync::{SyncConfig, SyncReport, Synchronizer};
use platinum_testkit::{
    git::{GitServer, hermetic},
    notes::as_note,
};
use platinum_vault::Vault;
use platinum_verify::Identity;

/// What these machines hold: words, a key, a password in groups.
pub(crate) const HELD: [&str; 3] = [
    "rosebud-in-the-snow",
    "kq7vmw2x9zt4hb3ncf8jd5rg6ys1pl0a",
    "wqzb xkvm plrt hjnc",
];

pub(crate) struct Host {
    pub(crate) agent: AgentName,
    pub(crate) vault: Vault,
    pub(crate) sync: Synchronizer,
    folder: tempfile::TempDir,
}

/// The owner's machine, and the scanner it asks.
pub(crate) fn owner(server: &GitServer) -> (Host, Arc<Scanner>) {
    host(server, "local")
}

pub(crate) fn host(server: &GitServer, name: &str) -> (Host, Arc<Scanner>) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("vault");
    std::fs::create_dir(&root).unwrap();
    let vault = Vault::open(&root).unwrap();
    let git_dir = folder.path().join("state/vault.git");
    let options = ClientOptions {
        user_config: false,
        time_out: Duration::from_secs(60),
        ..ClientOptions::default()
    };
    let remote = GitRemote::with_options(
        Repo::open_or_init(&git_dir).unwrap(),
        Address::parse(&server.address()).unwrap(),
        options,
    );
    let agent: AgentName = name.parse().unwrap();
    let scanner = Arc::new(Scanner::new(known(), Allowances::default()));
    let sync = Synchronizer::new(SyncConfig {
        vault: vault.clone(),
        git_dir,
        remote: Some(Box::new(remote)),
        agent: agent.clone(),
        role: role_of(name),
        scanner: Arc::clone(&scanner),
        identity: Identity::new(agent.clone(), role_of(name), key(name), signers()),
    })
    .unwrap();
    let host = Host {
        agent,
        vault,
        sync,
        folder,
    };
    (host, scanner)
}

pub(crate) fn known() -> KnownSecrets {
    let mut known = KnownSecrets::new([9; 32]);
    for secret in HELD {
        assert!(known.add(secret.as_bytes()));
    }
    known
}

fn role_of(name: &str) -> Role {
    match name {
        "local" => Role::Local,
        _ => Role::Cloud,
    }
}

/// The key of an agent of these tests: always the same one.
pub(crate) fn key(agent: &str) -> SigningKey {
    let mut seed = [7; 32];
    let name = agent.as_bytes();
    seed[..name.len()].copy_from_slice(name);
    SigningKey::from_seed(seed).unwrap()
}

/// Everybody of these tests.
pub(crate) fn signers() -> Signers {
    let mut signers = Signers::default();
    for name in ["local", "cloud"] {
        let signer = Signer {
            agent: name.parse().unwrap(),
            role: role_of(name).into(),
            key: key(name).public(),
        };
        signers.add(signer).unwrap();
    }
    signers
}

impl Host {
    pub(crate) fn root(&self) -> &Path {
        self.vault.root()
    }

    /// A folder outside the vault.
    pub(crate) fn outside(&self) -> &Path {
        self.folder.path()
    }

    /// Writes a file. Where a cloud may create only notes, its text is in one.
    pub(crate) fn write(&self, path: &str, text: &str) {
        let text = match role_of(self.agent.as_str()) {
            Role::Cloud => as_note(path, text),
            Role::Local => text.to_owned(),
        };
        self.vault
            .replace(&at(path), text.as_bytes(), None)
            .unwrap();
    }

    pub(crate) fn read(&self, path: &str) -> Option<String> {
        self.vault.read_text(&at(path), 1 << 20).ok()
    }

    /// Syncs until two syncs in a row send nothing; answers with the last report.
    pub(crate) async fn sync_until_quiet(&self) -> SyncReport {
        let began = std::time::Instant::now();
        let mut quiet = 0;
        loop {
            let report = self.sync.sync().await.unwrap();
            quiet = if report.pushed == 0 { quiet + 1 } else { 0 };
            let later = report
                .withheld
                .iter()
                .any(|held| held.reason.contains("just become empty"));
            if quiet >= 3 && !later {
                return report;
            }
            assert!(began.elapsed() < Duration::from_secs(120), "{report:?}");
            // A file that was written this moment is left alone for one.
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

pub(crate) fn at(path: &str) -> VaultPath {
    VaultPath::new(path).unwrap()
}

/// The content of every object of a remote, one after the other.
pub(crate) struct Objects {
    bytes: Vec<u8>,
    /// The names in all folders, whole and in part.
    names: Vec<u8>,
    pub(crate) count: usize,
}

/// Reads all of them, also those that nothing leads to.
pub(crate) fn objects(server: &GitServer) -> Objects {
    let listed = server
        .git(&[
            "cat-file",
            "--batch-all-objects",
            "--batch-check",
            "--unordered",
        ])
        .unwrap();
    let output = hermetic("git")
        .env("GIT_DIR", server.repository())
        .args(["cat-file", "--batch-all-objects", "--batch", "--unordered"])
        .output()
        .unwrap();
    assert!(output.status.success());
    let mut objects = Objects {
        bytes: Vec::new(),
        names: Vec::new(),
        count: 0,
    };
    // `<id> <kind> <length>`, a line end, the content, a line end.
    let mut rest = output.stdout.as_slice();
    while let Some(end) = rest.iter().position(|b| *b == b'\n') {
        let head = String::from_utf8(rest[..end].to_vec()).unwrap();
        let words: Vec<_> = head.split(' ').collect();
        let len: usize = words[2].parse().unwrap();
        let content = &rest[end + 1..end + 1 + len];
        objects.bytes.extend_from_slice(content);
        objects.bytes.push(b'\n');
        if words[1] == "tree" {
            objects.names.extend_from_slice(content);
        }
        objects.count += 1;
        rest = &rest[end + 1 + len + 1..];
    }
    assert_eq!(objects.count, listed.lines().count());
    objects
}

impl Objects {
    /// Whether any object has these bytes.
    pub(crate) fn has(&self, needle: &[u8]) -> bool {
        holds(&self.bytes, needle)
    }

    /// Whether any folder has such a name.
    pub(crate) fn has_name(&self, name: &str) -> bool {
        holds(&self.names, name.as_bytes())
    }
}

fn holds(mut rest: &[u8], needle: &[u8]) -> bool {
    let Some(first) = needle.first() else {
        return false;
    };
    while let Some(at) = rest.iter().position(|b| b == first) {
        rest = &rest[at..];
        if rest.starts_with(needle) {
            return true;
        }
        rest = &rest[1..];
    }
    false
}
