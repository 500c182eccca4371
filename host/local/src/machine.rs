//! [`MachineGuard`]: whether this is the one machine that its key stands for, and its journal the
//! whole one. If not, nothing is sent until the owner has said so with `platinum recover`.
//!
//! What it looks at: commits of the own key that were not made here (`sync`); the head of the journal
//! that the own commits name, against the journal; and drafts in `Done/` beside an empty journal.
//!
//! Invariants: what is found is a [`Finding`] that stays until the owner has acknowledged exactly
//! that one; a new one stops effects again.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::Arc,
};

use platinum_core::{ClaimId, DraftId, VaultPath, layout};
use platinum_daemon::Host;
use platinum_journal::{Journal, State};
use platinum_policy::MAX_FILE_BYTES;
use platinum_repo::replace_file;
use platinum_sync::{JournalHead, OwnElsewhere, Synchronizer};
use platinum_vault::{
    Entry, Vault,
    note::{DraftNote, Note},
};
use serde::{Deserialize, Serialize};

/// Where the name of the machine is, in the state folder.
const MACHINE: &str = "machine";
/// What stops effects now.
const FOUND: &str = "machine-findings.json";
/// What the owner has acknowledged.
const ACKNOWLEDGED: &str = "machine-acknowledged.json";

/// Something that only a copied or restored machine, or a key in other hands, can explain.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub(crate) enum Finding {
    /// The own key signed this commit, and it was not made here.
    MadeElsewhere {
        /// The commit.
        commit: String,
    },
    /// An own commit names a journal that this machine does not have.
    JournalBehind {
        /// How many entries that journal had.
        entries: u64,
        /// The hash of its last entry.
        head: String,
    },
    /// Drafts were carried out, and the journal has no receipt.
    NoJournal,
}

/// The findings of this machine. Clones share nothing but files: each looks for itself.
#[derive(Clone)]
pub(crate) struct MachineGuard {
    sync: Synchronizer,
    journal: Arc<Journal>,
    vault: Vault,
    state: PathBuf,
    /// What the newest own commit said of the journal when this daemon started.
    known_head: Option<(u64, String)>,
}

impl MachineGuard {
    /// Names the machine on every commit from now on, and looks at what it knows of itself.
    pub(crate) async fn open(
        host: &Host,
        journal: Arc<Journal>,
        head: impl Fn() -> Option<JournalHead> + Send + Sync + 'static,
    ) -> anyhow::Result<Self> {
        let state = host.config.vault.state.clone();
        let machine = machine_name(&state)?;
        let known_head = host.sync.last_journal_head().await?;
        host.sync.name_machine(machine, head);
        Ok(Self {
            sync: host.sync.clone(),
            journal,
            vault: host.vault.clone(),
            state,
            known_head,
        })
    }

    /// Whether this machine may act.
    ///
    /// # Errors
    /// Why not, and what to do, in one line.
    pub(crate) async fn check(&self) -> Result<(), String> {
        let guard = self.clone();
        let checked = tokio::task::spawn_blocking(move || guard.probe()).await;
        checked.map_err(|error| error.to_string())?
    }

    /// Whether a draft was approved before the owner recovered this machine: a copy of it, or itself
    /// before it was restored, may have known of that approval too.
    ///
    /// # Errors
    /// If the journal cannot be read, in one line.
    pub(crate) async fn is_from_before_recovery(&self, draft: DraftId) -> Result<bool, String> {
        let journal = Arc::clone(&self.journal);
        let compare = move || -> Result<bool, platinum_journal::JournalError> {
            let (approval, recovered) = (journal.approval(draft)?, journal.recovered_at()?);
            Ok(approval
                .zip(recovered)
                .is_some_and(|(approval, recovered)| approval.at < recovered))
        };
        let compared = tokio::task::spawn_blocking(compare).await;
        let compared = compared.map_err(|error| error.to_string())?;
        compared.map_err(|error| error.to_string())
    }

    fn probe(&self) -> Result<(), String> {
        let elsewhere = self.sync.own_elsewhere();
        let unreadable = |error: String| {
            format!("whether this machine was copied or restored cannot be checked: {error}")
        };
        let found = self.find(&elsewhere).map_err(unreadable)?;
        let acknowledged = read_findings(&self.state.join(ACKNOWLEDGED))
            .map_err(|error| unreadable(error.to_string()))?;
        let open: BTreeSet<Finding> = found.difference(&acknowledged).cloned().collect();
        let path = self.state.join(FOUND);
        if read_findings(&path).ok().as_ref() != Some(&open) {
            write_findings(&path, &open).map_err(|error| unreadable(error.to_string()))?;
        }
        if open.is_empty() {
            return Ok(());
        }
        let entries = self.journal.head().map_err(|error| error.to_string())?.0;
        Err(format!(
            "{}. Stop what else runs with this machine's key, then run `platinum recover`",
            words(&open, &elsewhere, entries)
        ))
    }

    fn find(&self, elsewhere: &OwnElsewhere) -> Result<BTreeSet<Finding>, String> {
        // Of very many only the newest is named beside the first ones: it changes with each.
        let commits = elsewhere.commits.iter().chain(&elsewhere.newest);
        let mut found: BTreeSet<Finding> = commits
            .map(|commit| Finding::MadeElsewhere {
                commit: commit.clone(),
            })
            .collect();
        let text = |error: platinum_journal::JournalError| error.to_string();
        if let Some((entries, head)) = &self.known_head
            && self.journal.hash_of(*entries).map_err(text)?.as_ref() != Some(head)
            && !self.journal.has_accepted(head).map_err(text)?
        {
            found.insert(Finding::JournalBehind {
                entries: *entries,
                head: head.clone(),
            });
        }
        if !self.journal.has_receipts().map_err(text)?
            && has_carried_out(&self.vault, &self.journal)?
        {
            found.insert(Finding::NoJournal);
        }
        Ok(found)
    }
}

/// Whether `Done/` has a draft that was carried out, and that the journal has forgotten. One that only
/// waited, as far as the journal knows, was put there by its owner, unless its task has its receipt.
fn has_carried_out(vault: &Vault, journal: &Journal) -> Result<bool, String> {
    let text = |error: platinum_journal::JournalError| error.to_string();
    let done = vault
        .walk_in(layout::DONE)
        .map_err(|error| error.to_string())?;
    for entry in &done {
        let Ok(draft) = entry.path.stem().parse::<DraftId>() else {
            continue;
        };
        if journal.state(draft).map_err(text)? != State::Absent {
            continue;
        }
        let has_waited = journal.pending_file(draft).map_err(text)?.is_some();
        if !has_waited || has_receipt(vault, &done, &entry.path, draft) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the task of a draft in `Done/` is there too, with the draft's receipt in its note.
fn has_receipt(vault: &Vault, done: &[Entry], path: &VaultPath, draft: DraftId) -> bool {
    let read = |path: &VaultPath| vault.read_text(path, MAX_FILE_BYTES as u64).ok();
    let task = read(path).and_then(|text| DraftNote::parse(&text).ok());
    let Some(task) = task.map(|note| note.task.to_string()) else {
        return false;
    };
    let mut notes = done.iter().filter(|entry| entry.path.stem() == task);
    notes.any(|entry| {
        let note = read(&entry.path).and_then(|text| Note::parse(&text).ok());
        note.is_some_and(|note| note.has_receipt(draft))
    })
}

/// What was found, in a sentence without its full stop; the same as long as it is of the same kind, so
/// that the owner is told once. `entries` is the length of the journal here.
fn words(open: &BTreeSet<Finding>, elsewhere: &OwnElsewhere, entries: u64) -> &'static str {
    let is_behind = elsewhere
        .journal
        .as_ref()
        .is_some_and(|(known, _)| *known > entries);
    match open.first() {
        Some(Finding::MadeElsewhere { .. }) if is_behind => {
            "this machine's key is used elsewhere, or this machine was restored from a backup: the remote has commits of its key that it does not know, and their journal is longer than the one here"
        }
        Some(Finding::MadeElsewhere { .. }) => {
            "this machine's key is used elsewhere: the remote has commits of it that were not made here"
        }
        Some(Finding::JournalBehind { .. }) => {
            "the journal of what was sent is not the one that this machine had: its own history names another one"
        }
        _ => "drafts in Done/ were carried out, and the journal of what was sent is empty",
    }
}

/// What stops effects, as the daemon found it last.
pub(crate) fn open_findings(state: &Path) -> io::Result<BTreeSet<Finding>> {
    read_findings(&state.join(FOUND))
}

/// The owner has seen to these findings.
pub(crate) fn acknowledge(state: &Path, findings: &BTreeSet<Finding>) -> io::Result<()> {
    let path = state.join(ACKNOWLEDGED);
    let mut acknowledged = read_findings(&path)?;
    acknowledged.extend(findings.iter().cloned());
    write_findings(&path, &acknowledged)?;
    write_findings(&state.join(FOUND), &BTreeSet::new())
}

fn read_findings(path: &Path) -> io::Result<BTreeSet<Finding>> {
    match fs::read(path) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeSet::new()),
        Err(error) => Err(error),
    }
}

fn write_findings(path: &Path, findings: &BTreeSet<Finding>) -> io::Result<()> {
    replace_file(path, &serde_json::to_vec_pretty(findings)?)
}

/// The name of this machine: made once for a state folder. A copy of the folder is another machine:
/// the name goes with the folder's inode.
fn machine_name(state: &Path) -> io::Result<String> {
    let inode = fs::metadata(state)?.ino();
    let path = state.join(MACHINE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    if let Some((name, of)) = text.trim().split_once(' ')
        && of.parse() == Ok(inode)
    {
        return Ok(name.to_owned());
    }
    let name = ClaimId::generate().to_string().replace("claim_", "");
    replace_file(&path, format!("{name} {inode}\n").as_bytes())?;
    Ok(name)
}

#[cfg(test)]
mod tests {
    use platinum_core::{Action, ActionKind, EmailSend, TaskId, Timestamp};
    use platinum_journal::approvals::PendingFile;
    use platinum_testkit::power_cut::VolatileDisk;
    use platinum_vault::note::{ReceiptRecord, finish};

    use super::*;

    #[test]
    fn copied_state_folder_is_another_machine() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("one"), folder.path().join("two"));
        fs::create_dir(&one).unwrap();
        let name = machine_name(&one).unwrap();
        assert_eq!(machine_name(&one).unwrap(), name);
        fs::create_dir(&two).unwrap();
        fs::copy(one.join(MACHINE), two.join(MACHINE)).unwrap();
        let copy = machine_name(&two).unwrap();
        assert_ne!(copy, name);
        assert_eq!(machine_name(&two).unwrap(), copy);
    }

    /// Its owner may put a draft away that was never sent; what has a receipt, or what the journal
    /// never saw wait, was sent.
    #[test]
    fn waited_draft_in_done_without_a_receipt_is_no_finding() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("vault")).unwrap();
        let vault = Vault::open(&folder.path().join("vault")).unwrap();
        let journal = Journal::open(&folder.path().join("journal.db")).unwrap();
        let (id, task) = (DraftId::from_parts(1, 1), TaskId::from_parts(1, 2));
        let path = |name: String| VaultPath::new(format!("Done/2026-11/{name}.md")).unwrap();
        let mail = EmailSend {
            from_account: "owner".to_owned(),
            to: vec!["ada@example.test".to_owned()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: Desks".to_owned(),
            in_reply_to: None,
            references: vec![],
            attachments: vec![],
            body: "Yes.\n".to_owned(),
        };
        let at: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        let text = DraftNote {
            id,
            created: at,
            by: "cloud cloud-draft-email".to_owned(),
            task,
            epoch: None,
            action: Action::new(&mail),
            summary: "Reply to Ada".to_owned(),
            reason: "She asks".to_owned(),
            expires: at,
            doubts: vec![],
        }
        .render();
        vault
            .create(&path(id.to_string()), text.as_bytes())
            .unwrap();
        assert_eq!(has_carried_out(&vault, &journal), Ok(true));
        let file = PendingFile {
            identity: vault.identity(&path(id.to_string())).unwrap().unwrap(),
            sha256: String::new(),
            is_placed: true,
        };
        journal.note_pending(id, &file).unwrap();
        assert_eq!(has_carried_out(&vault, &journal), Ok(false));
        let mut note = Note::parse("---\nid: task\n---\n").unwrap();
        let receipt = ReceiptRecord {
            draft: id,
            kind: ActionKind::EMAIL_SEND,
            at,
            reference: "<a@b>".to_owned(),
            answer: "250".to_owned(),
            recipients: vec![],
            sha256: String::new(),
            came_back: None,
        };
        finish(&mut note, "done", "A reply", receipt.at, &[receipt]).unwrap();
        let task = path(task.to_string());
        vault.create(&task, note.to_text().as_bytes()).unwrap();
        assert_eq!(has_carried_out(&vault, &journal), Ok(true));
    }

    /// What stops effects, and what the owner has seen to, is on the disk before anything goes on.
    #[test]
    fn findings_outlast_a_power_cut() {
        let folder = tempfile::tempdir().unwrap();
        let state = folder.path().join("state");
        fs::create_dir(&state).unwrap();
        let cut_after = |write: &(dyn Fn() -> io::Result<()> + Sync)| {
            let disk = VolatileDisk::new(std::slice::from_ref(&state)).unwrap();
            disk.run(write).unwrap().unwrap();
            disk.discard(|| false).unwrap();
        };
        let found = BTreeSet::from([Finding::NoJournal]);
        cut_after(&|| write_findings(&state.join(FOUND), &found));
        assert_eq!(open_findings(&state).unwrap(), found);
        cut_after(&|| acknowledge(&state, &found));
        assert_eq!(open_findings(&state).unwrap(), BTreeSet::new());
        let acknowledged = read_findings(&state.join(ACKNOWLEDGED)).unwrap();
        assert_eq!(acknowledged, found);
        // What is written without a sync is gone: the disk of this test can tell.
        cut_after(&|| fs::write(state.join(FOUND), "[{}]"));
        assert_eq!(open_findings(&state).unwrap(), BTreeSet::new());
    }

    #[test]
    fn only_what_was_acknowledged_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let made = |commit: &str| Finding::MadeElsewhere {
            commit: commit.to_owned(),
        };
        let state = folder.path();
        assert!(open_findings(state).unwrap().is_empty());
        write_findings(&state.join(FOUND), &BTreeSet::from([made("a")])).unwrap();
        acknowledge(state, &open_findings(state).unwrap()).unwrap();
        acknowledge(state, &BTreeSet::from([Finding::NoJournal])).unwrap();
        let known = read_findings(&state.join(ACKNOWLEDGED)).unwrap();
        assert_eq!(known, BTreeSet::from([made("a"), Finding::NoJournal]));
        assert!(!known.contains(&made("b")));
    }
}
