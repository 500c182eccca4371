//! A vault of many notes, and one daemon's synchronizer on it, in a process of its own: what it
//! costs is measured of that process alone.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use platinum_core::{AgentName, Role};
use platinum_repo::{Signers, SigningKey};
use platinum_sync::{SyncConfig, SyncReport, Synchronizer};
use platinum_vault::Vault;
use platinum_verify::Identity;
use platinum_watch::{DirtyPaths, Wake, WakeUps, Watch};

/// Notes in one folder.
const WIDTH: usize = 100;
/// How long it has to be quiet to be called quiet: longer than any state of a file is waited out.
const QUIET: Duration = Duration::from_millis(2_500);
/// Longer than anything here takes on a busy machine.
const DEADLINE: Duration = Duration::from_secs(30);

/// Where the process that was started for a test finds its vault.
const FOLDER: &str = "PLATINUM_SCALE_FOLDER";

/// The command that runs one test of this program in a process of its own, where [`given_folder`] answers the folder.
pub(crate) fn child_process(test: &str, folder: &Path) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", test, "--include-ignored", "--nocapture"])
        .env(FOLDER, folder);
    command
}

/// The folder of the process that [`child_process`] started; none in any other.
pub(crate) fn given_folder() -> Option<PathBuf> {
    std::env::var_os(FOLDER).map(PathBuf::from)
}

/// The folder of a note.
pub(crate) fn folder_of(note: usize) -> String {
    let folder = note / WIDTH;
    match folder % 2 {
        0 => {
            let months = folder / 2;
            format!("Done/{}/{:02}", 1900 + months / 12, months % 12 + 1)
        }
        _ => format!("Inbox/box {:04}", folder / 2),
    }
}

/// Makes the vault in `folder`.
pub(crate) fn generate(folder: &Path, notes: usize) {
    for note in 0..notes {
        let at = folder.join("vault").join(folder_of(note));
        if note % WIDTH == 0 {
            fs::create_dir_all(&at).unwrap();
        }
        // Between half and four kilobytes, and no two the same.
        let lines = 8 + (note * 7_919) % 56;
        let text = format!(
            "Note {note}: {}\n",
            "a line of an ordinary note, ".repeat(2)
        );
        fs::write(at.join(format!("note {note}.md")), text.repeat(lines)).unwrap();
    }
}

/// A synchronizer with its watcher, as a daemon has them.
pub(crate) struct Daemon {
    pub(crate) root: PathBuf,
    pub(crate) sync: Synchronizer,
    wake_ups: WakeUps,
    _watch: Watch,
}

impl Daemon {
    pub(crate) fn start(folder: &Path) -> Self {
        let root = folder.join("vault");
        let agent: AgentName = "local".parse().unwrap();
        let key = SigningKey::from_seed([7; 32]).unwrap();
        let sync = Synchronizer::new(SyncConfig {
            vault: Vault::open(&root).unwrap(),
            git_dir: folder.join("state/vault.git"),
            remote: None,
            identity: Identity::new(agent.clone(), Role::Local, key, Signers::default()),
            agent,
            role: Role::Local,
            scanner: std::sync::Arc::default(),
        })
        .unwrap();
        let dirty = DirtyPaths::new();
        let (watch, wake_ups) = Watch::gather(&root, &dirty).unwrap();
        sync.watched_by(dirty);
        Self {
            root,
            sync,
            wake_ups,
            _watch: watch,
        }
    }

    /// Syncs as long as there is a reason to.
    pub(crate) async fn calm_down(&mut self) {
        loop {
            self.sync.sync().await.unwrap();
            if self.wake_ups.wait(QUIET).await == Wake::TimedOut {
                let last = self.sync.sync().await.unwrap();
                assert_eq!((last.pushed, last.withheld.len()), (0, 0), "{last:?}");
                return;
            }
        }
    }

    /// Writes a note as an editor does, and syncs once the watcher has told of it; answers how
    /// long the sync took.
    pub(crate) async fn change(&mut self, note: usize, text: &str) -> (SyncReport, Duration) {
        while self.wake_ups.wait(Duration::ZERO).await == Wake::Changed {}
        let file = self
            .root
            .join(folder_of(note))
            .join(format!("note {note}.md"));
        fs::write(file, text).unwrap();
        let deadline = Instant::now() + DEADLINE;
        loop {
            assert!(Instant::now() < deadline, "the note is never synced");
            assert_eq!(self.wake_ups.wait(DEADLINE).await, Wake::Changed);
            let began = Instant::now();
            let report = self.sync.sync().await.unwrap();
            let took = began.elapsed();
            if report.pushed > 0 {
                return (report, took);
            }
        }
    }
}
