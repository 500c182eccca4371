//! What others do for the same, as the commands of git's client that they run.
//!
//! None of their code is here: each list is what their scripts call when one note changed and the
//! remote did not, read from their sources. They are given what helps them: the untracked cache, a
//! warm index, and for the plain client the newest index format.
//! `git add -A && git commit && git push`: what a person types.
//! git-sync: the shell script of simonthum, with `syncNewFiles`.
//! obsidian-git: the plugin's desktop calls for "commit and sync" with merge, without the
//! seconds that Node and Electron take.

use std::{path::Path, process::Command, process::Stdio};

use anyhow::ensure;

/// A contender that is commands of git's client.
pub(crate) struct Peer {
    /// What the table calls it.
    pub(crate) name: &'static str,
    settings: &'static [&'static str],
    local: &'static [&'static [&'static str]],
    rest: &'static [&'static [&'static str]],
}

/// A commit of ours is on the disk when it is done; so is theirs. Nothing tidies in between.
const FAIR: [&str; 4] = [
    "core.fsync=committed,loose-object",
    "core.fsyncMethod=fsync",
    "gc.auto=0",
    "maintenance.auto=false",
];

const STATE: [&[&str]; 5] = [
    &["rev-parse", "--is-inside-work-tree", "."],
    &["rev-parse", "--git-dir", "."],
    &["rev-parse", "--is-inside-git-dir"],
    &["rev-parse", "--is-inside-work-tree"],
    &["diff", "--no-ext-diff", "--quiet", "--exit-code"],
];

/// All of them.
pub(crate) const PEERS: [Peer; 3] = [
    Peer {
        name: "git add -A, commit, push (tuned)",
        settings: &["core.untrackedCache=true", "index.version=4"],
        local: &[&["add", "-A"], &["commit", "--quiet", "-m", "Change"]],
        rest: &[&["push", "--quiet", "origin", "main"]],
    },
    Peer {
        name: "git-sync's calls",
        settings: &["core.untrackedCache=true"],
        local: &[
            STATE[0],
            STATE[1],
            STATE[2],
            STATE[3],
            STATE[4],
            &["symbolic-ref", "-q", "HEAD"],
            &["config", "--get", "branch.main.pushRemote"],
            &["config", "--get", "remote.pushDefault"],
            &["config", "--get", "branch.main.remote"],
            &["config", "--get", "--bool", "branch.main.sync"],
            &["config", "--get", "--bool", "branch.main.syncNewFiles"],
            &["status", "--porcelain"],
            &["status", "--porcelain"],
            &["config", "--get", "branch.main.autocommitscript"],
            &["config", "--get", "branch.main.syncCommitMsg"],
            &["add", "-A"],
            &["commit", "-m", "Change"],
            STATE[0],
            STATE[1],
            STATE[2],
            STATE[3],
            STATE[4],
        ],
        rest: &[
            &["fetch", "origin", "main"],
            &["rev-list", "--count", "--left-right", "origin/main...HEAD"],
            &["push", "origin", "main:main"],
            &["rev-list", "--count", "--left-right", "origin/main...HEAD"],
        ],
    },
    Peer {
        name: "obsidian-git's calls",
        settings: &["core.untrackedCache=true", "core.quotepath=off"],
        local: &[
            &["rev-parse", "--is-inside-work-tree"],
            &["status", "--porcelain", "-b", "-u", "--null"],
            &["add", "-A"],
            &["commit", "-m", "Change"],
        ],
        rest: &[
            &["status", "--porcelain", "-b", "-u", "--null"],
            &["branch", "-v", "--no-color"],
            &["rev-parse", "main"],
            &["fetch"],
            &["rev-parse", "origin/main"],
            &["status", "--porcelain", "-b", "-u", "--null"],
            &["diff", "--stat=4096", "main", "origin/main", "--"],
            &["status", "--porcelain", "-b", "-u", "--null"],
            &["diff", "--stat=4096", "main", "origin/main", "--"],
            &["push"],
        ],
    },
];

impl Peer {
    /// From the change to the commit.
    pub(crate) fn local(&self, vault: &Path) -> anyhow::Result<()> {
        self.local.iter().try_for_each(|args| self.git(vault, args))
    }

    /// From the commit to the remote.
    pub(crate) fn rest(&self, vault: &Path) -> anyhow::Result<()> {
        self.rest.iter().try_for_each(|args| self.git(vault, args))
    }

    /// Makes the vault a clone with everything in it, as it is after its first sync.
    pub(crate) fn begin(&self, vault: &Path, remote: &str) -> anyhow::Result<()> {
        for args in [
            &["init", "--quiet", "--initial-branch=main"][..],
            &["remote", "add", "origin", remote],
            &["config", "branch.main.remote", "origin"],
            &["config", "branch.main.merge", "refs/heads/main"],
            &["config", "branch.main.sync", "true"],
            &["config", "branch.main.syncNewFiles", "true"],
            &["config", "push.default", "simple"],
            // The first commit is not measured: it need not be on the disk.
            &["-c", "core.fsync=none", "add", "-A"],
            &["-c", "core.fsync=none", "commit", "--quiet", "-m", "First"],
            &["repack", "-a", "-d", "--quiet"],
            &["push", "--quiet", "origin", "main"],
            &["fetch", "--quiet", "origin"],
            &["status", "--porcelain"],
        ] {
            self.git(vault, args)?;
        }
        Ok(())
    }

    fn git(&self, vault: &Path, args: &[&str]) -> anyhow::Result<()> {
        let mut command = Command::new("git");
        for setting in FAIR.iter().chain(self.settings) {
            command.args(["-c", setting]);
        }
        let status = command
            .args(args)
            .current_dir(vault)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_AUTHOR_NAME", "Nobody")
            .env("GIT_AUTHOR_EMAIL", "nobody@example.invalid")
            .env("GIT_COMMITTER_NAME", "Nobody")
            .env("GIT_COMMITTER_EMAIL", "nobody@example.invalid")
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()?;
        // What asks answers with its status; what does must succeed.
        let asks = matches!(args[0], "config" | "diff" | "rev-parse" | "rev-list");
        ensure!(status.success() || asks, "git {args:?} failed");
        Ok(())
    }
}
