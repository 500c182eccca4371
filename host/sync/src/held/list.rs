//! [`HeldFiles`]: the list of held files, and what the owner is told of them.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use platinum_core::{AgentName, Timestamp, VaultPath, layout, sha256_hex};
use platinum_repo::replace_file;
use platinum_verify::{
    HeldChange, Violation,
    revert::{self, Revert},
};
use serde::{Deserialize, Serialize};

use crate::{SyncError, replica::Replica};

/// The folder in the repository's.
const FOLDER: &str = "held";
/// More than these are not kept on the list: they are in the history alone.
const MAX_HELD: usize = 20_000;
/// So many are named in one sentence.
const NAMED: usize = 3;
/// How long a sentence on the dashboard may be.
const MAX_MESSAGE: usize = 280;

/// A file that another device left so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct HeldFile {
    /// By what the owner names it: eight digits of hex.
    pub id: String,
    /// When it came.
    pub at: Timestamp,
    /// Where it would be.
    pub path: VaultPath,
    /// Its blob, in hex; `None` if the device deleted the file.
    pub blob: Option<String>,
    /// What the device had before it, as far as it is known.
    pub base: Option<String>,
    /// The commit that brought it, in hex.
    pub commit: String,
    /// Which of the owner's devices it was; `None` if nobody that is known signed it.
    pub device: Option<AgentName>,
    /// Why it is held.
    pub reason: String,
}

impl HeldFile {
    fn of(change: &HeldChange, at: Timestamp) -> Self {
        let blob = change.blob.map(|blob| blob.to_string());
        let named = format!("{}\0{blob:?}\0{}", change.path, change.commit);
        Self {
            id: sha256_hex(named.as_bytes()).chars().take(8).collect(),
            at,
            path: change.path.clone(),
            blob,
            base: change.base.map(|base| base.to_string()),
            commit: change.commit.clone(),
            device: change.device.clone(),
            reason: change.reason.clone(),
        }
    }

    /// Whose it is, for a person.
    pub fn sender(&self) -> String {
        match &self.device {
            Some(device) => device.to_string(),
            None => "another device".to_owned(),
        }
    }

    /// Whether the device only moved a draft to `Approved/`: there is nothing to take.
    pub fn is_approval(&self) -> bool {
        self.path.is_within(layout::APPROVED) && self.blob.is_some() && self.blob == self.base
    }
}

/// The list of them.
#[derive(Debug, Clone)]
pub struct HeldFiles {
    folder: PathBuf,
}

impl HeldFiles {
    /// The list in a repository's folder.
    pub fn in_repository(git_dir: &Path) -> Self {
        Self {
            folder: git_dir.join(FOLDER),
        }
    }

    /// All of them, by path.
    ///
    /// # Errors
    /// If the folder or a file in it cannot be read.
    pub fn list(&self) -> io::Result<Vec<HeldFile>> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut files: Vec<HeldFile> = Vec::new();
        for entry in entries {
            let path = entry?.path();
            if path.extension().is_none_or(|extension| extension != "json") {
                continue;
            }
            match fs::read(&path) {
                Ok(bytes) => files.push(serde_json::from_slice(&bytes)?),
                // It was taken just now.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        files.sort_by(|a, b| (&a.path, a.at).cmp(&(&b.path, b.at)));
        Ok(files)
    }

    /// Takes one off the list. Its bytes stay in the history.
    ///
    /// # Errors
    /// If its file cannot be removed.
    pub fn remove(&self, file: &HeldFile) -> io::Result<()> {
        match fs::remove_file(self.file(&file.id)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            removed => removed,
        }
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder.join(format!("{id}.json"))
    }

    /// Adds what a commit takes out. What an earlier try of it added, and that did not land, is
    /// replaced.
    pub(crate) fn record(&self, revert: &Revert) -> Result<(), SyncError> {
        if revert.held.is_empty() {
            return Ok(());
        }
        self.add(revert).map_err(|error| {
            SyncError::Refused(format!(
                "what another device brought cannot be kept in {}, so it is not taken out of the \
                 remote: {error}",
                self.folder.display()
            ))
        })
    }

    fn add(&self, revert: &Revert) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let commits: BTreeSet<&str> = revert
            .violations
            .iter()
            .map(|v| v.commit.as_str())
            .collect();
        let (again, before): (Vec<_>, Vec<_>) = self
            .list()?
            .into_iter()
            .partition(|file| commits.contains(file.commit.as_str()));
        let room = MAX_HELD.saturating_sub(before.len());
        if room < revert.held.len() {
            tracing::warn!(
                "Of {} files that another device brought, {room} are listed; the remote's history has \
                 the others.",
                revert.held.len()
            );
        }
        let now = Timestamp::now();
        let new: Vec<HeldFile> = revert
            .held
            .iter()
            .take(room)
            .map(|change| HeldFile::of(change, now))
            .collect();
        for file in &new {
            replace_file(&self.file(&file.id), &serde_json::to_vec(file)?)?;
        }
        let is_gone = |file: &&HeldFile| new.iter().all(|one| one.id != file.id);
        again
            .iter()
            .filter(is_gone)
            .try_for_each(|file| self.remove(file))
    }
}

/// What the owner is notified of: what is held of these violations, and what was reverted of the
/// others.
pub(crate) fn messages(
    replica: &Replica,
    violations: &[Violation],
    asked_again: usize,
) -> Vec<String> {
    let mut held = replica.held.list().unwrap_or_else(|error| {
        tracing::warn!("Cannot read the list of held files: {error}.");
        Vec::new()
    });
    held.retain(|file| violations.iter().any(|one| one.commit == file.commit));
    // What is no path of a vault cannot be held, and what is wrong with it is in the notice all the same.
    let is_notified = |violation: &Violation| {
        let of_held = |reason: &String| {
            let about = |file: &HeldFile| reason.contains(file.path.as_str());
            held.iter().any(about)
        };
        !held.is_empty() && violation.is_held && violation.reasons.iter().skip(1).all(of_held)
    };
    let rest: Vec<&Violation> = violations.iter().filter(|one| !is_notified(one)).collect();
    let mut messages: Vec<String> = message(&held).into_iter().collect();
    messages.extend(revert::messages(&rest, asked_again));
    messages
}

/// What the owner is told of these files; nothing, if there are none.
fn message(held: &[HeldFile]) -> Option<String> {
    let first = held.first()?;
    let named: Vec<String> = held.iter().take(NAMED).map(name).collect();
    let more = match held.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let approval = match held
        .iter()
        .any(|file| file.path.is_within(layout::APPROVED))
    {
        true => ", and nothing is approved by it",
        false => "",
    };
    let text = format!(
        "Held from {}, not in the vault: {}{more}; `platinum held` shows how to take it{approval}. \
         Commit {:.12}: {}",
        first.sender(),
        named.join(", "),
        first.commit,
        first.reason
    );
    Some(text.chars().take(MAX_MESSAGE).collect())
}

fn name(file: &HeldFile) -> String {
    let path: String = file.path.as_str().chars().take(60).collect();
    match file.blob {
        Some(_) => path,
        None => format!("{path} (deleted)"),
    }
}
