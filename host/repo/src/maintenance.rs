//! Maintenance of the repository: loose objects and many packs are gathered into few packs, refs into
//! one file, by git's own client (libgit2 cannot).
//!
//! Invariants: nothing is ever pruned: what no ref names today may be what a snapshot names
//! tomorrow, so unreachable objects are packed with the others; new packs are on the disk before
//! old files go; it can be killed at any point, and what it leaves is swept by the next one.
//! The caller holds its own lock: no other daemon, and no other writer of this one.

use std::{fs, io, path::Path, time::Duration};

use crate::{
    ClientOptions, Repo, RepoError,
    remote::{Run, error_line},
};

/// From so many loose objects on, every look-up and every full walk pays for them.
const MANY_LOOSE: usize = 2_000;
/// From so many packs on, every look-up asks too many of them.
const MANY_PACKS: usize = 20;
/// From so many refs in files of their own on, listing them costs.
const MANY_REFS: usize = 500;
/// Folders of loose objects that are counted for all 256: ids are evenly spread.
const SAMPLE: [&str; 4] = ["17", "5c", "a3", "e0"];
/// How long one step may take; then it is killed, and tried another day.
const AT_MOST: Duration = Duration::from_secs(15 * 60);

/// How much there is to gather.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ObjectStats {
    /// Loose objects, estimated.
    pub loose: usize,
    /// Packs.
    pub packs: usize,
    /// Refs in files of their own.
    pub refs: usize,
}

impl ObjectStats {
    /// Whether gathering is worth its price.
    pub fn needs_gc(&self) -> bool {
        self.loose >= MANY_LOOSE || self.packs >= MANY_PACKS || self.refs >= MANY_REFS
    }
}

/// Why maintenance failed. The repository is whole in every case.
#[derive(Debug, thiserror::Error)]
pub enum MaintenanceError {
    /// The repository cannot be read.
    #[error(transparent)]
    Repository(#[from] RepoError),
    /// Git's client is not there.
    #[error("git's own client cannot be started ({0}); install git 2.41 or newer")]
    NoClient(io::Error),
    /// Git refused.
    #[error("git could not {doing}: {reason}")]
    Refused {
        /// What it should do.
        doing: &'static str,
        /// Its error.
        reason: String,
    },
    /// It took too long.
    #[error("git took longer than {} s to {doing}; it was ended", AT_MOST.as_secs())]
    TimedOut {
        /// What it was doing.
        doing: &'static str,
    },
}

impl Repo {
    /// How much there is to gather. Cheap: it lists a few folders.
    ///
    /// # Errors
    /// If the repository cannot be read.
    pub fn object_stats(&self) -> Result<ObjectStats, RepoError> {
        let count_all = || -> io::Result<ObjectStats> {
            let objects = self.git_dir().join("objects");
            let mut loose = 0_usize;
            for folder in SAMPLE {
                loose = loose.saturating_add(count(&objects.join(folder), |_| true)?);
            }
            Ok(ObjectStats {
                loose: loose.saturating_mul(256 / SAMPLE.len()),
                packs: count(&objects.join("pack"), |name| name.ends_with(".pack"))?,
                refs: count_below(&self.git_dir().join("refs"), 8)?,
            })
        };
        count_all().map_err(|error| RepoError::Open {
            folder: self.git_dir().to_owned(),
            reason: format!("its objects cannot be counted: {error}"),
        })
    }

    /// Gathers loose objects and small packs into packs that double in size, and refs into one
    /// file. Given up, or killed, it leaves the repository whole.
    ///
    /// # Errors
    /// If git's client is not there, refuses, or takes too long.
    pub async fn maintain(&self) -> Result<(), MaintenanceError> {
        let repo = self.clone();
        let swept = move || {
            // Loose objects go once they are in a pack: nothing rests on the write-ahead log then.
            repo.checkpoint()?;
            repo.sweep()
        };
        match tokio::task::spawn_blocking(swept).await {
            Ok(swept) => drop(swept?),
            Err(error) => tracing::warn!("Cannot sweep leftovers: {error}."),
        }
        self.git("gather refs", &["pack-refs", "--all"]).await?;
        let repack = [
            "repack",
            "-d",
            "-l",
            "-n",
            "--quiet",
            "--geometric=2",
            "--no-write-bitmap-index",
        ];
        self.git("gather objects", &repack).await
    }

    async fn git(&self, doing: &'static str, args: &[&str]) -> Result<(), MaintenanceError> {
        let options = ClientOptions {
            time_out: AT_MOST,
            whole: AT_MOST,
            // No user's settings for packing or pruning.
            user_config: false,
            settings: [
                ("pack.threads", "1"),
                ("pack.windowMemory", "64m"),
                ("gc.pruneExpire", "never"),
                ("gc.reflogExpire", "never"),
                ("gc.reflogExpireUnreachable", "never"),
                ("repack.writeBitmaps", "false"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .to_vec(),
            ..ClientOptions::default()
        };
        let mut command = options.command(self.git_dir(), None);
        let alive = crate::process_lock::hold(self.git_dir()).map_err(|error| RepoError::Open {
            folder: self.git_dir().to_owned(),
            reason: error.to_string(),
        })?;
        command.args(args).stdin(alive);
        match options.run(command).await {
            Run::Ended { status, .. } if status.success() => Ok(()),
            Run::Ended { stderr, .. } => Err(MaintenanceError::Refused {
                doing,
                reason: error_line(&stderr),
            }),
            Run::TimedOut => Err(MaintenanceError::TimedOut { doing }),
            Run::NotStarted(error) => Err(MaintenanceError::NoClient(error)),
            Run::Lost(error) => Err(MaintenanceError::Refused {
                doing,
                reason: error.to_string(),
            }),
        }
    }
}

fn count(folder: &Path, fits: impl Fn(&str) -> bool) -> io::Result<usize> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
        entries => entries?,
    };
    let mut found = 0_usize;
    for entry in entries {
        if fits(&entry?.file_name().to_string_lossy()) {
            found = found.saturating_add(1);
        }
    }
    Ok(found)
}

fn count_below(folder: &Path, depth: usize) -> io::Result<usize> {
    let mut found = 0_usize;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let more = match entry.file_type()?.is_dir() {
            true if depth > 0 => count_below(&entry.path(), depth - 1)?,
            true => 0,
            false => 1,
        };
        found = found.saturating_add(more);
    }
    Ok(found)
}
