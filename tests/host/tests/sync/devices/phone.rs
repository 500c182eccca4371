//! [`Phone`]: a clone of the remote that a person edits, and that plain git commits, pulls and pushes
//! as obsidian-git has it do; and what the owner's machine holds of it.

use std::path::PathBuf;

use platinum_repo::Repo;
use platinum_sync::held::{HeldFile, HeldFiles, NotTaken, Taken};
use platinum_testkit::git::{GitServer, hermetic};

use crate::races::replica::{Replica, key};

pub(super) struct Phone {
    folder: tempfile::TempDir,
    is_signing: bool,
}

impl Phone {
    /// A clone that signs nothing.
    pub(super) fn unsigned(server: &GitServer) -> Self {
        Self::clone(server, false)
    }

    /// A clone that signs with the key of `phone`.
    pub(super) fn signing(server: &GitServer) -> Self {
        Self::clone(server, true)
    }

    fn clone(server: &GitServer, is_signing: bool) -> Self {
        let phone = Self {
            folder: tempfile::tempdir().unwrap(),
            is_signing,
        };
        key("phone").save(&phone.folder.path().join("key")).unwrap();
        std::fs::create_dir(phone.root()).unwrap();
        phone.git(&["clone", "--quiet", &server.address(), "."]);
        phone
    }

    fn root(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    pub(super) fn git(&self, args: &[&str]) -> String {
        let key = self.folder.path().join("key");
        let output = hermetic("git")
            .current_dir(self.root())
            .args(["-c", "gpg.format=ssh", "-c", "pull.rebase=false", "-c"])
            .arg(format!("user.signingKey={}", key.display()))
            .arg("-c")
            .arg(format!("commit.gpgSign={}", self.is_signing))
            .args(args)
            .output()
            .unwrap();
        let printed = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "git {args:?}: {printed}");
        String::from_utf8(output.stdout).unwrap()
    }

    pub(super) fn write(&self, path: &str, text: &str) {
        let path = self.root().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub(super) fn remove(&self, path: &str) {
        std::fs::remove_file(self.root().join(path)).unwrap();
    }

    pub(super) fn rename(&self, from: &str, to: &str) {
        let to = self.root().join(to);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::rename(self.root().join(from), to).unwrap();
    }

    pub(super) fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.root().join(path)).ok()
    }

    /// Commits everything.
    pub(super) fn commit(&self) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "--quiet", "-m", "vault backup"]);
        self.git(&["rev-parse", "HEAD"]).trim().to_owned()
    }

    /// Commits, merges what the remote has, and pushes.
    pub(super) fn backup(&self) -> String {
        let commit = self.commit();
        self.pull();
        self.git(&["push", "--quiet", "origin", "main"]);
        commit
    }

    pub(super) fn pull(&self) {
        self.git(&["pull", "--quiet", "--no-edit"]);
    }
}

/// The list of what the owner's machine holds.
pub(super) fn held(owner: &Replica) -> Vec<HeldFile> {
    list_of(owner).list().unwrap()
}

/// The paths on it.
pub(super) fn held_paths(owner: &Replica) -> Vec<String> {
    let files = held(owner).into_iter();
    files.map(|file| file.path.to_string()).collect()
}

/// Takes all of it, as `platinum held take --all`.
pub(super) fn take_all(owner: &Replica) -> Vec<Result<Taken, NotTaken>> {
    let repo = Repo::open_or_init(&owner.folder().join("state/vault.git")).unwrap();
    let files = held(owner).into_iter();
    let take = |file| list_of(owner).take(&owner.vault, &repo, &file);
    files.map(take).collect()
}

fn list_of(owner: &Replica) -> HeldFiles {
    HeldFiles::in_repository(&owner.folder().join("state/vault.git"))
}
