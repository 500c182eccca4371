//! File system events as wake-ups that carry no data.
//!
//! Lives here: [`Watch`], which watches a folder and all below it, [`WakeUps`], on which a loop
//! waits, and [`DirtyPaths`], which says where the state is worth reading again. Lives elsewhere:
//! reading it; an event never says what is there now.
//!
//! Invariants: an event that was lost, an overflow, an error of the watcher and a folder that
//! appeared all wake, so nothing is missed for longer than the loop's own timer; reading the vault
//! wakes no loop, or it would wake itself for ever; any number of events between two waits is
//! one wake-up.

mod dirty;
mod filter;
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

pub use dirty::{Changes, DirtyPath, DirtyPaths};
use filter::{EventFilter, Handled};
pub use wake::{Wake, WakeUps};

/// How often everything is read where the system does not report changes.
const POLL: Duration = Duration::from_secs(2);

/// Why a folder cannot be watched.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// It is no folder, or not one that may be read.
    #[error("cannot watch {}: {source}; is it a folder you may read?", root.display())]
    Root {
        /// Which folder.
        root: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// Neither events nor polling works.
    #[error("cannot watch {}: {reason}", root.display())]
    Refused {
        /// Which folder.
        root: PathBuf,
        /// The watcher's error.
        reason: String,
    },
}

/// A folder being watched. Dropping it ends the wake-ups with [`Wake::Closed`].
#[derive(Debug)]
pub struct Watch {
    _events: Option<RecommendedWatcher>,
    poller: Poller,
    dirty: DirtyPaths,
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
    /// limits), now or later, the folder is polled every two seconds instead, with a warning.
    ///
    /// # Errors
    /// If it is no folder, or cannot be watched in either way.
    pub fn start(root: &Path) -> Result<(Self, WakeUps), WatchError> {
        Self::start_with(root, &DirtyPaths::new(), events)
    }

    /// As [`Watch::start`], and gathers the paths that changed from now on.
    ///
    /// # Errors
    /// As [`Watch::start`].
    pub fn gather(root: &Path, dirty: &DirtyPaths) -> Result<(Self, WakeUps), WatchError> {
        Self::start_with(root, dirty, events)
    }

    /// Whether the folder is polled every two seconds, because the system ran out of watches.
    pub fn is_polling(&self) -> bool {
        self.poller
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some()
    }

    fn start_with(
        root: &Path,
        dirty: &DirtyPaths,
        native: Native,
    ) -> Result<(Self, WakeUps), WatchError> {
        let refused = |source| WatchError::Root {
            root: root.to_owned(),
            source,
        };
        let root = root.canonicalize().map_err(refused)?;
        std::fs::read_dir(&root).map_err(refused)?;
        let (filter, wake_ups) = EventFilter::new(root, dirty);
        let poller = Poller::default();
        let events = match native(&filter, &poller) {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                poll_instead(&filter, &poller, &error).map_err(|error| WatchError::Refused {
                    root: filter.root().to_owned(),
                    reason: error.to_string(),
                })?;
                None
            }
        };
        // Only now: what changed before the first folder was watched is not reported.
        filter.attach();
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
type Native = fn(&Arc<EventFilter>, &Poller) -> notify::Result<RecommendedWatcher>;

fn events(filter: &Arc<EventFilter>, poller: &Poller) -> notify::Result<RecommendedWatcher> {
    let handler = {
        let (filter, poller) = (Arc::clone(filter), Arc::clone(poller));
        move |event: notify::Result<Event>| {
            if let Handled::Exhausted(error) = filter.on_event(event)
                && let Err(error) = poll_instead(&filter, &poller, &error)
            {
                tracing::error!(
                    "Cannot poll the vault either ({error}); only the timer wakes now."
                );
            }
        }
    };
    let mut watcher =
        RecommendedWatcher::new(handler, Config::default().with_follow_symlinks(false))?;
    watcher.watch(filter.root(), RecursiveMode::Recursive)?;
    Ok(watcher)
}

/// Polls the folder from now on.
fn poll_instead(
    filter: &Arc<EventFilter>,
    poller: &Poller,
    why: &notify::Error,
) -> notify::Result<()> {
    let mut poller = poller.lock().unwrap_or_else(PoisonError::into_inner);
    if poller.is_some() {
        return Ok(());
    }
    let root = filter.root().display();
    let advice = match why.kind {
        ErrorKind::MaxFilesWatch => "raise fs.inotify.max_user_watches",
        ErrorKind::Io(_) if why.paths.is_empty() => {
            "raise fs.inotify.max_user_instances, if that is what ran out"
        }
        _ => "make this folder readable, or move it out of the vault, and start anew",
    };
    tracing::warn!(
        "No file events from the system for {root} ({why}): polling it every two seconds; {advice}."
    );
    let config = Config::default()
        .with_poll_interval(POLL)
        .with_follow_symlinks(false);
    let polled = Arc::clone(filter);
    let handler = move |event| drop(polled.on_event(event));
    let mut watcher = PollWatcher::new(handler, config)?;
    watcher.watch(filter.root(), RecursiveMode::Recursive)?;
    filter.dirty().set_polled();
    *poller = Some(watcher);
    Ok(())
}

#[cfg(test)]
mod tests;
