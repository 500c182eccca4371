//! [`RemoteHistory`]: what a remote holds before this machine knew it, and how it is adopted.
//!
//! Lives here: looking at a remote in a temporary repository, its words for the owner, and the one commit that makes a
//! history which other programs made into one that a vault can be synced with.
//! Lives elsewhere: what a vault may hold is `policy`'s and `repo::compare`'s; history from before the first contact is
//! taken over by `verify`. Invariants: nothing is written here or there before the owner's yes; nothing is rewritten: the
//! commit is on top, signed, and its parent keeps every file.

use std::{collections::BTreeMap, time::Duration};

use platinum_core::{Clock as _, Role, SystemClock, VaultPath};
use platinum_daemon::{Config, secrets::Secrets};
use platinum_policy::{MAX_FILE_BYTES, MAX_LFS_POINTER_BYTES, is_lfs_pointer, is_synced};
use platinum_protocol::PushOutcome;
use platinum_repo::{
    Address, ClientOptions, CommitMeta, Edit, GitRemote, Oid, Remote as _, RemoteError, Repo,
    RepoError,
};
use platinum_verify::Identity;

use super::super::{
    CommandError, Kind,
    terminal::{count, plain},
};

/// So many files of a kind are named.
const NAMED: usize = 8;
/// The files that a forge begins a repository with.
const STARTERS: [&str; 7] = [
    "README.md",
    "README",
    "LICENSE",
    "LICENSE.md",
    "LICENSE.txt",
    ".gitignore",
    ".gitattributes",
];

/// What is on a remote.
pub(in super::super) enum RemoteHistory {
    /// Nothing: it can be begun on.
    Empty,
    /// It did not answer, in a sentence.
    Unreachable(String),
    /// Git takes nothing of what it holds, in a sentence.
    Faulty(String),
    /// It has these branches, and not the one that is synced.
    OtherBranches(Vec<String>),
    /// The branch holds so many files, and nothing that a vault does not.
    Vault(usize),
    /// The branch holds what a vault does not.
    Foreign(Box<ForeignHistory>),
}

/// A branch that other programs made.
pub(in super::super) struct ForeignHistory {
    remote: GitRemote,
    repo: Repo,
    _folder: tempfile::TempDir,
    tip: Oid,
    commits: usize,
    /// What stays.
    kept: BTreeMap<VaultPath, Oid>,
    /// What looks like a secret in it, with the reason.
    secrets: Vec<String>,
    /// What the commit takes away: Git LFS pointers, what no vault holds (links, submodules, odd names), with the reason,
    /// and files that are not synced.
    pointers: Vec<String>,
    faults: Vec<String>,
    others: Vec<String>,
}

/// A remote as `sync` reaches it, with a repository in a temporary folder.
fn open(config: &Config) -> Result<(GitRemote, Repo, tempfile::TempDir), CommandError> {
    let folder = tempfile::tempdir()?;
    let repo = Repo::open_or_init(&folder.path().join("remote.git"))?;
    let address = Address::parse(&config.sync.remote)
        .map_err(|error| CommandError::new(Kind::Usage, error.to_string()))?;
    let options = ClientOptions {
        time_out: Duration::from_secs(config.sync.timeout_seconds),
        env: config.sync.env.clone(),
        ..ClientOptions::default()
    };
    let remote = GitRemote::with_options(repo.clone(), address, options);
    Ok((remote, repo, folder))
}

/// Looks at the remote of a configuration. Nothing is written there, nor into the state folder.
pub(in super::super) async fn inspect(config: &Config) -> Result<RemoteHistory, CommandError> {
    let (remote, repo, folder) = open(config)?;
    let mut branches = match remote.branches().await {
        Ok(branches) => branches,
        Err(error) => return Ok(RemoteHistory::Unreachable(error.to_string())),
    };
    if branches.is_empty() {
        return Ok(RemoteHistory::Empty);
    }
    let tip = match remote.fetch().await {
        Ok(Some(tip)) => tip,
        Ok(None) => {
            branches.truncate(NAMED);
            return Ok(RemoteHistory::OtherBranches(branches));
        }
        Err(error @ RemoteError::Faulty { .. }) => {
            return Ok(RemoteHistory::Faulty(error.to_string()));
        }
        // It answers: what it holds has to be seen before anything is made.
        Err(error) => return Err(error.into()),
    };
    let compared = repo.compare(None, tip, usize::MAX)?;
    let commits = repo.commits_between(None, tip, usize::MAX)?.len();
    let mut history = ForeignHistory {
        remote,
        repo,
        _folder: folder,
        tip,
        commits,
        kept: BTreeMap::new(),
        secrets: Vec::new(),
        pointers: Vec::new(),
        faults: compared.faults.iter().map(ToString::to_string).collect(),
        others: Vec::new(),
    };
    for changed in compared.changed {
        if let Some(blob) = changed.blob {
            history.sort_in(changed.path, blob)?;
        }
    }
    if [&history.pointers, &history.faults, &history.others]
        .iter()
        .all(|list| list.is_empty())
    {
        return Ok(RemoteHistory::Vault(history.kept.len()));
    }
    history.find_secrets(config)?;
    Ok(RemoteHistory::Foreign(Box::new(history)))
}

impl ForeignHistory {
    fn sort_in(&mut self, path: VaultPath, blob: Oid) -> Result<(), RepoError> {
        let len = self.repo.blob_len(blob)?;
        let is_pointer = len <= MAX_LFS_POINTER_BYTES
            && is_lfs_pointer(&path, &self.repo.read_blob(blob, MAX_LFS_POINTER_BYTES)?);
        if is_pointer {
            self.pointers.push(path.to_string());
        } else if is_synced(&path) && len <= MAX_FILE_BYTES {
            self.kept.insert(path, blob);
        } else {
            self.others.push(path.to_string());
        }
        Ok(())
    }

    fn find_secrets(&mut self, config: &Config) -> Result<(), CommandError> {
        let scanner = Secrets::gather(config)
            .map_err(|error| CommandError::new(Kind::Config, format!("`secrets.allow`: {error}")))?
            .scanner();
        for (path, blob) in &self.kept {
            let found = match scanner.name(path.as_str()) {
                None => scanner.content(&self.repo.read_blob(*blob, MAX_FILE_BYTES)?),
                found => found,
            };
            self.secrets
                .extend(found.map(|found| format!("{path}: {found}")));
        }
        Ok(())
    }

    fn is_obsidian(&self) -> bool {
        self.others
            .iter()
            .any(|path| path.starts_with(".obsidian/"))
    }

    /// What made it, as far as its files show.
    fn kind(&self) -> &'static str {
        let is_starter = |path: &String| STARTERS.contains(&path.as_str());
        if self.is_obsidian() {
            "a vault that other devices sync with Git (it has `.obsidian/`)"
        } else if self.kept.is_empty()
            && self.faults.is_empty()
            && self.others.iter().all(is_starter)
        {
            "the files that a forge begins a repository with"
        } else {
            "files that another program or person put there"
        }
    }

    /// Whether adopting it takes files from other devices, so that it is asked for by name alone.
    pub(in super::super) fn is_used_elsewhere(&self) -> bool {
        self.is_obsidian()
    }

    /// What there is, and what adopting it does.
    pub(in super::super) fn text(&self, remote: &str) -> String {
        let mut text = format!(
            "The remote {} has a history already: {} with {}.\n\
             A vault is synced in its folders alone, so this cannot be on the branch. Adopting it means one signed commit \
             on top: nothing is rewritten, and the history keeps every file.\n",
            plain(remote, 300),
            count(self.commits, "commit", "commits"),
            self.kind()
        );
        text.push_str(&list(
            "It keeps",
            NAMED,
            self.kept.keys().map(VaultPath::as_str),
        ));
        let others = self.others.iter().map(String::as_str);
        // Where a device would lose them, its owner sees all of them.
        let most = match self.is_used_elsewhere() {
            true => usize::MAX,
            false => NAMED,
        };
        text.push_str(&list("It takes off the branch", most, others));
        let pointers = self.pointers.iter().map(String::as_str);
        text.push_str(&list(
            "It takes off the branch, as Git LFS has them elsewhere and only a pointer is here,",
            most,
            pointers,
        ));
        let faults = self.faults.iter().map(String::as_str);
        text.push_str(&list(
            "It takes off the branch what no vault holds:",
            most,
            faults,
        ));
        let secrets = self.secrets.iter().map(String::as_str);
        text.push_str(&list(
            "Looks like a secret, and is on the remote already:",
            usize::MAX,
            secrets,
        ));
        if self.is_used_elsewhere() {
            text.push_str(
                "A device that pulls after that loses on its disk what is taken off the branch.\n",
            );
        }
        text
    }

    /// Makes the commit and gives it to the remote.
    pub(in super::super) async fn adopt(self, identity: &Identity) -> Result<String, CommandError> {
        let meta = CommitMeta {
            agent: identity.own().agent.clone(),
            role: Role::Local,
            message: format!("Adopted the history up to {}", self.tip),
            trailers: Vec::new(),
            at: SystemClock.now(),
        };
        let files: Vec<(VaultPath, Edit)> = self
            .kept
            .iter()
            .map(|(path, blob)| (path.clone(), Edit::PutBlob(*blob)))
            .collect();
        let repo = self.repo.signing_with(identity.key().clone());
        let commit = repo.commit_over(Some(self.tip), None, &files, &meta)?;
        match self.remote.push(commit, Some(self.tip)).await {
            PushOutcome::Landed => Ok(format!(
                "Adopted: commit {commit:.10} is on the remote, on top of {:.10}; it has {}.\n",
                self.tip,
                count(files.len(), "file", "files")
            )),
            PushOutcome::Rejected(why) | PushOutcome::Indeterminate(why) => Err(CommandError::new(
                Kind::Failed,
                format!(
                    "the remote did not take the commit that adopts its history: {}",
                    plain(&why, 500)
                ),
            )
            .hint("`platinum remote adopt` tries it again")),
        }
    }
}

/// The first `most` names of a list, one on a line.
fn list<'a>(what: &str, most: usize, names: impl ExactSizeIterator<Item = &'a str>) -> String {
    let files = names.len();
    if files == 0 {
        return String::new();
    }
    let shown: Vec<String> = names.take(most).map(|name| plain(name, 160)).collect();
    let more = match files.saturating_sub(most) {
        0 => String::new(),
        more => format!("\n  and {more} more"),
    };
    format!(
        "{what} {}:\n  {}{more}\n",
        count(files, "file", "files"),
        shown.join("\n  ")
    )
}

impl From<RepoError> for CommandError {
    fn from(error: RepoError) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}

impl From<RemoteError> for CommandError {
    fn from(error: RemoteError) -> Self {
        Self::new(Kind::Failed, error.to_string())
    }
}
