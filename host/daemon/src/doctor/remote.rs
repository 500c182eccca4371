//! Whether the remote answers, is bare and can be written, and what to do if not.

use std::path::{Path, PathBuf};

use platinum_capabilities::zones::CheckLevel;
use platinum_repo::Remote as _;

use super::Row;
use crate::{Config, git_remote, make_state_folder};

/// What is wrong with a remote that is a folder of this machine; none if nothing is, or if it is elsewhere.
pub fn remote_folder(remote: &str) -> Option<String> {
    let path = PathBuf::from(remote.strip_prefix("file://").unwrap_or(remote));
    if !path.is_absolute() {
        return None;
    }
    let shown = path.display();
    let make = format!("git init --bare --initial-branch=main {shown}");
    if !path.exists() {
        return Some(format!("{shown} is not there; make it: {make}"));
    }
    let config = std::fs::read_to_string(path.join("config")).unwrap_or_default();
    let is_inside_work_tree = config.lines().any(|line| {
        line.replace([' ', '\t'], "")
            .eq_ignore_ascii_case("bare=false")
    });
    if path.join(".git").exists() || is_inside_work_tree {
        return Some(format!(
            "{shown} is a repository with a work tree, and git refuses pushes to its branch; make a bare one and \
             name that in `sync.remote`: git init --bare --initial-branch=main {shown}.git"
        ));
    }
    if !path.join("objects").is_dir() {
        return Some(format!(
            "{shown} is not a Git repository; make it one: {make}"
        ));
    }
    is_read_only(&path.join("objects")).then(|| {
        format!("{shown} cannot be written by this user; nothing can be pushed until it can: check its owner and mode")
    })
}

fn is_read_only(path: &Path) -> bool {
    rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_err()
}

/// A failure to reach the remote, with what to do about it where that is known.
pub fn with_recovery(error: &str, remote: &str) -> String {
    if let Some(problem) = remote_folder(remote) {
        return problem;
    }
    let host = remote.strip_prefix("ssh://").map_or_else(
        || remote.split(':').next().unwrap_or(remote),
        |rest| rest.split(['/', ':']).next().unwrap_or(rest),
    );
    let advice = if error.contains("does not appear to be a git repository") {
        "make it on that machine: git init --bare --initial-branch=main PATH".to_owned()
    } else if error.contains("checked out branch") || error.contains("currently checked out") {
        "it is a repository with a work tree; make a bare one there and name that in `sync.remote`: git init --bare \
         --initial-branch=main PATH"
            .to_owned()
    } else if error.contains("Permission denied (") {
        format!(
            "ssh must get in without a password: run `ssh-copy-id {host}`, and after a restart see that the key needs \
             no passphrase or that ssh-agent holds it"
        )
    } else if error.contains("Could not resolve hostname") {
        "check the host in `sync.remote` and the network".to_owned()
    } else {
        return error.to_owned();
    };
    format!("{error}; {advice}")
}

/// Asks the remote.
pub(super) async fn ask(config: &Config) -> Row {
    let row = |level, text: String| Row::new("remote", level, text);
    let address = &config.sync.remote;
    if address.is_empty() {
        let text = "none: `sync.remote` names the repository that both halves share".to_owned();
        return row(CheckLevel::Error, text);
    }
    if let Some(problem) = remote_folder(address) {
        return row(CheckLevel::Error, problem);
    }
    if let Err(error) = make_state_folder(&config.vault.state) {
        let text = format!("{}: {error}", config.vault.state.display());
        return row(CheckLevel::Error, text);
    }
    let remote = match git_remote(config) {
        Ok(remote) => remote,
        Err(error) => return row(CheckLevel::Error, error.to_string()),
    };
    // A question that changes nothing: the daemon may be at work in the same repository.
    let asked = match remote.tip().await {
        Ok(tip) => remote.check_push().await.map(|()| tip),
        Err(error) => Err(error),
    };
    match asked {
        Ok(Some(tip)) => row(
            CheckLevel::Ok,
            format!("{} answers, at {tip:.10}", remote.describe()),
        ),
        Ok(None) => row(
            CheckLevel::Ok,
            format!("{} answers and is empty", remote.describe()),
        ),
        Err(error) => row(
            CheckLevel::Error,
            with_recovery(&error.to_string(), address),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remote_folder_that_takes_no_push_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let problem = |name: &str| remote_folder(&path(name).display().to_string());
        let missing = problem("missing").unwrap();
        assert!(
            missing.contains("is not there; make it: git init --bare"),
            "{missing}"
        );
        std::fs::create_dir_all(path("work/.git/objects")).unwrap();
        let work = problem("work").unwrap();
        assert!(work.contains("with a work tree"), "{work}");
        std::fs::write(path("work/.git/config"), "[core]\n\tbare = false\n").unwrap();
        let work = problem("work/.git").unwrap();
        assert!(work.contains("with a work tree"), "{work}");
        std::fs::create_dir_all(path("empty")).unwrap();
        assert!(
            problem("empty")
                .unwrap()
                .contains("is not a Git repository")
        );
        std::fs::create_dir_all(path("bare/objects")).unwrap();
        assert_eq!(problem("bare"), None);
        assert_eq!(remote_folder("ssh://me@host/~/vault.git"), None);
    }

    #[test]
    fn failures_of_ssh_come_with_their_recovery() {
        let told = with_recovery(
            "the remote did not answer: me@host: Permission denied (publickey,password)",
            "ssh://me@host/~/vault.git",
        );
        assert!(
            told.ends_with("no passphrase or that ssh-agent holds it"),
            "{told}"
        );
        assert!(told.contains("ssh-copy-id me@host"), "{told}");
        let told = with_recovery("'x' does not appear to be a git repository", "me@host:x");
        assert!(told.contains("git init --bare"), "{told}");
        let told = with_recovery("refusing to update checked out branch", "me@host:x");
        assert!(told.contains("with a work tree"), "{told}");
        assert_eq!(with_recovery("anything else", "me@host:x"), "anything else");
    }
}
