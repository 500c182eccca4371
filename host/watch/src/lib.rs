//! File system events as wake-ups that carry no data.
//!
//! Lives here: [`Watch`], which listens to a folder and all below it, [`WakeUps`], on which a loop
//! waits, and [`Dirty`], which says where the state is worth reading again. Lives elsewhere:
//! reading it; what is there now is never told by an event.
//!
//! Invariants: an event that was lost, an overflow, an error of the watcher and a folder that
//! appeared all wake, so nothing is missed for longer than the loop's own timer; reading the vault
//! wakes nobody, or a loop would wake itself for ever; any number of events between two waits is
//! one wake-up.

mod dirty;
mod news;
mod wake;

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use notify::{
    Config, ErrorKind, Event, PollWatcher, RecommendedWatcher, RecursiveMode, Watcher as _,
};

pub use dirty::{Changes, Dirty, Touched};
use news::{Ears, Heard};
pub use wake::{Wake, WakeUps};

/// How often everything is looked at where the system does not report changes.
const POLL: Duration = Duration::from_secs(2);

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// It is no folder, or not one that may be read.
    #[error("cannot watch {}: {source}; is it a folder you may read?", root.display())]
    Root {
        /// Which folder.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Neither events nor looking again and again works.
    #[error("cannot watch {}: {reason}", root.display())]
    Refused {
        /// Which folder.
        root: PathBuf,
        /// What the watcher said.
        reason: String,
    },
}

/// A folder being watched. Dropping it ends the wake-ups with [`Wake::Closed`].
#[derive(Debug)]
pub struct Watch {
    _events: Option<RecommendedWatcher>,
    poller: Poller,
    dirty: Dirty,
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.dirty.detach();
    }
}

/// The fallback, once there is one.
type Poller = Arc<Mutex<Option<PollWatcher>>>;

impl Watch {
    /// Starts to watch a folder and all below it. If the system has no watches left (inotify's
    /// limits), now or later, the folder is looked at every two seconds instead, with a warning.
    ///
    /// # Errors
    /// If it is no folder, or cannot be watched in either way.
    pub fn start(root: &Path) -> Result<(Self, WakeUps), WatchError> {
        Self::start_with(root, &Dirty::new(), events)
    }

    /// As [`Watch::start`], and gathers the paths that changed from now on.
    ///
    /// # Errors
    /// As [`Watch::start`].
    pub fn gather(root: &Path, dirty: &Dirty) -> Result<(Self, WakeUps), WatchError> {
        Self::start_with(root, dirty, events)
    }

    /// Whether the folder is looked at every two seconds, because the system ran out of watches.
    pub fn is_polling(&self) -> bool {
        self.poller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn start_with(
        root: &Path,
        dirty: &Dirty,
        native: Native,
    ) -> Result<(Self, WakeUps), WatchError> {
        let refused = |source| WatchError::Root {
            root: root.to_owned(),
            source,
        };
        let root = root.canonicalize().map_err(refused)?;
        std::fs::read_dir(&root).map_err(refused)?;
        let (ears, wake_ups) = Ears::new(root, dirty);
        let poller = Poller::default();
        let events = match native(&ears, &poller) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                poll_instead(&ears, &poller, &error).map_err(|error| WatchError::Refused {
                    root: ears.root().to_owned(),
                    reason: error.to_string(),
                })?;
                None
            }
        };
        // Only now: what changed before the first folder was watched nobody reports.
        dirty.attach(&ears);
        Ok((
            Self {
                _events: events,
                poller,
                dirty: dirty.clone(),
            },
            wake_ups,
        ))
    }
}

/// Starts the system's own watcher; a parameter so that tests can have it fail.
type Native = fn(&Arc<Ears>, &Poller) -> notify::Result<RecommendedWatcher>;

fn events(ears: &Arc<Ears>, poller: &Poller) -> notify::Result<RecommendedWatcher> {
    let handler = {
        let (ears, poller) = (Arc::clone(ears), Arc::clone(poller));
        move |event: notify::Result<Event>| {
            if let Heard::Exhausted(error) = ears.hear(event)
                && let Err(error) = poll_instead(&ears, &poller, &error)
            {
                tracing::error!(%error, "cannot poll either: only the timer wakes now");
            }
        }
    };
    let mut watcher =
        RecommendedWatcher::new(handler, Config::default().with_follow_symlinks(false))?;
    watcher.watch(ears.root(), RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Looks at the folder again and again from now on.
fn poll_instead(ears: &Arc<Ears>, poller: &Poller, why: &notify::Error) -> notify::Result<()> {
    let mut poller = poller.lock().unwrap_or_else(PoisonError::into_inner);
    if poller.is_some() {
        return Ok(());
    }
    let root = ears.root().display();
    let advice = match why.kind {
        ErrorKind::MaxFilesWatch => "raise fs.inotify.max_user_watches",
        ErrorKind::Io(_) if why.paths.is_empty() => {
            "raise fs.inotify.max_user_instances, if that is what ran out"
        }
        _ => "make this folder readable, or move it out of the vault, and start anew",
    };
    tracing::warn!(%root, %why, advice, "no events from the system: polling every two seconds");
    let config = Config::default()
        .with_poll_interval(POLL)
        .with_follow_symlinks(false);
    let listening = Arc::clone(ears);
    let handler = move |event| drop(listening.hear(event));
    let mut watcher = PollWatcher::new(handler, config)?;
    watcher.watch(ears.root(), RecursiveMode::Recursive)?;
    ears.dirty().is_polled();
    *poller = Some(watcher);
    Ok(())
}

#[cfg(test)]
mod tests;
