//! [`SyncSnapshot`]: how this machine stood to its remote when the last sync ended, kept in the state
//! folder so that a command can show it without asking the remote.
//!
//! Lives elsewhere: when the remote last answered at all is in `remote_health`; asking the remote is the
//! synchronizer's. Invariants: nothing is decided by it, and a failure to write it is no failure
//! of the sync; it is bounded, however much is withheld; it never claims more than was known: a
//! sync that failed keeps what the one before it knew, and says why it failed.

use std::{
    io::{self, Write as _},
    path::Path,
};

use platinum_core::{TaskId, Timestamp};
use serde::{Deserialize, Serialize};

use platinum_worktree::Withheld;

use crate::{SyncReport, SyncStatus};

/// Its file in the state folder.
const FILE: &str = "sync.json";
/// More files than these are counted, not named.
const MAX_NAMED: usize = 50;
/// Longer reasons are cut.
const MAX_REASON: usize = 400;

/// How things stood when the last sync ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case")]
pub struct SyncSnapshot {
    /// When it ended.
    pub at: Option<Timestamp>,
    /// Why it failed; `None` if it did not.
    pub trouble: Option<String>,
    /// The remote's tip, as it was seen last, in hex.
    pub remote_tip: Option<String>,
    /// The last tip that passed every rule, in hex.
    pub verified: Option<String>,
    /// How many files of the verified tip the vault does not hold yet.
    pub not_applied: usize,
    /// Commits of which it is not known whether the remote took them.
    pub in_doubt: usize,
    /// What stays on this machine although it changed, and why.
    pub withheld: Vec<Withheld>,
    /// How many more files are withheld than are named.
    pub withheld_more: usize,
    /// How many files were being written when it ended.
    pub waiting: usize,
    /// Tasks that are worked on here without a confirmed claim.
    pub tentative: Vec<TaskId>,
}

impl SyncSnapshot {
    /// Reads it from the state folder; empty, if no sync has ended yet.
    pub fn read(state: &Path) -> Self {
        std::fs::read(state.join(FILE))
            .ok()
            .and_then(|bytes| serde_json::from_slice(&bytes).ok())
            .unwrap_or_default()
    }

    /// Keeps it. If that fails, the one before does not stay as if it were true still.
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn write(&self, state: &Path) -> io::Result<()> {
        let bytes = serde_json::to_vec(self)?;
        let new = state.join("sync.json.new");
        std::fs::write(&new, bytes)
            .and_then(|()| std::fs::rename(new, state.join(FILE)))
            .inspect_err(|error| take_back(state, error))
    }

    /// What a sync leaves: its report, or why it failed.
    pub(crate) fn after(self, ended: Result<&SyncReport, String>, status: &SyncStatus) -> Self {
        let mut now = Self {
            at: Some(Timestamp::now()),
            trouble: None,
            remote_tip: status.remote_tip_seen.clone(),
            verified: status.verified.clone(),
            not_applied: status.not_applied,
            in_doubt: status.in_doubt,
            tentative: status.tentative.clone(),
            ..self
        };
        match ended {
            Ok(report) => {
                let withheld = report.withheld.iter().take(MAX_NAMED).map(|file| Withheld {
                    path: file.path.clone(),
                    reason: file.reason.chars().take(MAX_REASON).collect(),
                });
                now.withheld = withheld.collect();
                now.withheld_more = report.withheld.len().saturating_sub(MAX_NAMED);
                now.waiting = report.waiting;
            }
            Err(why) => now.trouble = Some(why.chars().take(MAX_REASON).collect()),
        }
        now
    }

    /// Whether the vault holds exactly what the remote had when it last answered, and the remote
    /// has everything that the vault may give it.
    pub fn is_in_sync(&self) -> bool {
        self.at.is_some()
            && self.trouble.is_none()
            && self.verified.is_some()
            && self.verified == self.remote_tip
            && self.not_applied == 0
            && self.in_doubt == 0
            && self.withheld.is_empty()
            && self.waiting == 0
            && self.tentative.is_empty()
    }
}

/// Says in the place of what was recorded before why nothing newer is. On a full disk there is room
/// where something stood.
fn take_back(state: &Path, error: &io::Error) {
    let trouble = format!(
        "nothing can be written into the state folder {}: {error}",
        state.display()
    );
    let now = SyncSnapshot {
        trouble: Some(trouble.chars().take(MAX_REASON).collect()),
        ..SyncSnapshot::default()
    };
    let path = state.join(FILE);
    let written = serde_json::to_vec(&now)
        .map_err(io::Error::from)
        .and_then(|bytes| {
            let mut file = std::fs::OpenOptions::new().write(true).open(&path)?;
            file.write_all(&bytes)?;
            file.set_len(bytes.len() as u64)
        });
    // Nothing known is better than what is not so.
    if written.is_err()
        && let Err(error) = std::fs::remove_file(&path)
    {
        tracing::debug!("Cannot take back the sync status file: {error}.");
    }
}

#[cfg(test)]
mod tests {
    use platinum_core::VaultPath;

    use super::*;

    fn fine() -> SyncStatus {
        SyncStatus {
            verified: Some("a".repeat(40)),
            remote_tip_seen: Some("a".repeat(40)),
            ..SyncStatus::default()
        }
    }

    fn held(count: usize) -> SyncReport {
        let held = |n: usize| Withheld {
            path: VaultPath::new(format!("Inbox/{n}.md")).unwrap(),
            reason: "it cannot be read".to_owned(),
        };
        SyncReport {
            withheld: (0..count).map(held).collect(),
            ..SyncReport::default()
        }
    }

    #[test]
    fn is_in_sync_only_when_nothing_differs() {
        assert!(
            !SyncSnapshot::default().is_in_sync(),
            "no sync has ended yet"
        );
        let none = SyncReport::default();
        let after = |report: Result<&SyncReport, String>, status: &SyncStatus| {
            SyncSnapshot::default().after(report, status).is_in_sync()
        };
        assert!(after(Ok(&none), &fine()));
        assert!(!after(Err("no route".to_owned()), &fine()));
        assert!(!after(Ok(&held(1)), &fine()));
        for status in [
            SyncStatus {
                remote_tip_seen: Some("b".repeat(40)),
                ..fine()
            },
            SyncStatus {
                verified: None,
                remote_tip_seen: None,
                ..fine()
            },
            SyncStatus {
                not_applied: 1,
                ..fine()
            },
            SyncStatus {
                in_doubt: 1,
                ..fine()
            },
            SyncStatus {
                tentative: vec![TaskId::from_parts(1, 1)],
                ..fine()
            },
        ] {
            assert!(!after(Ok(&none), &status), "{status:?}");
        }
    }

    #[test]
    fn failed_sync_keeps_the_withheld_files() {
        let first = SyncSnapshot::default().after(Ok(&held(60)), &fine());
        assert_eq!((first.withheld.len(), first.withheld_more), (50, 10));
        let second = first.clone().after(Err("no route".to_owned()), &fine());
        assert_eq!(second.withheld, first.withheld);
        assert_eq!(second.trouble.as_deref(), Some("no route"));
    }

    #[test]
    fn snapshot_that_cannot_be_written_takes_back_the_last() {
        let state = tempfile::tempdir().unwrap();
        let fine = SyncSnapshot::default().after(Ok(&SyncReport::default()), &fine());
        fine.write(state.path()).unwrap();
        assert!(SyncSnapshot::read(state.path()).is_in_sync());
        // No new file can be made, as on a full disk.
        std::fs::create_dir(state.path().join("sync.json.new")).unwrap();
        fine.write(state.path()).unwrap_err();
        let now = SyncSnapshot::read(state.path());
        assert!(!now.is_in_sync());
        let trouble = now.trouble.unwrap();
        assert!(
            trouble.starts_with("nothing can be written into the state folder "),
            "{trouble}"
        );
    }

    #[test]
    fn file_that_is_being_written_is_not_in_sync() {
        let busy = SyncReport {
            waiting: 1,
            ..SyncReport::default()
        };
        let after = |report: &SyncReport| SyncSnapshot::default().after(Ok(report), &fine());
        assert!(!after(&busy).is_in_sync());
        assert!(after(&SyncReport::default()).is_in_sync());
    }

    #[test]
    fn snapshot_round_trips_and_damage_reads_as_empty() {
        let state = tempfile::tempdir().unwrap();
        assert_eq!(SyncSnapshot::read(state.path()), SyncSnapshot::default());
        let one = SyncSnapshot::default().after(Ok(&held(2)), &fine());
        one.write(state.path()).unwrap();
        assert_eq!(SyncSnapshot::read(state.path()), one);
        std::fs::write(state.path().join(FILE), "{").unwrap();
        assert_eq!(SyncSnapshot::read(state.path()), SyncSnapshot::default());
    }
}
