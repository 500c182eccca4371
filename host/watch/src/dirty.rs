//! [`DirtyPaths`]: which paths may differ from what was last read there.
//!
//! Lives elsewhere: which events matter is `filter`'s; reading the paths again is the
//! synchronizer's.
//!
//! Invariants: in doubt everything may differ: before the first scan, without a watch, after an
//! overflow, an error or too many changes, and always while the folder is only polled; a path is
//! given out once; a hidden path is never named.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use crate::wake::Signal;

/// More paths than this are everything: reading the folders through is cheaper then.
const MOST_PATHS: usize = 4096;

/// A path to read again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirtyPath {
    /// Relative to the watched folder, `/` between components; empty is the folder itself.
    pub path: String,
    /// Whether everything below it is meant too: it may be a folder that has just appeared.
    pub below: bool,
    /// Whether its last event moved it here: a program that saves by writing a new file and moving
    /// it into place is done then. False where the events do not say.
    pub arrived: bool,
}

/// What to read again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// All there is.
    Everything,
    /// These paths alone, in order.
    Paths(Vec<DirtyPath>),
}

/// The paths that changed, gathered until they are taken. Cheap to clone: all clones are the
/// same set.
#[derive(Debug, Clone, Default)]
pub struct DirtyPaths(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    /// Wakes the waiters while a watch is attached.
    signal: Weak<Signal>,
    is_watched: bool,
    /// Events come from polling, and may name too little.
    is_polled: bool,
    everything: bool,
    /// What is known of each path.
    paths: BTreeMap<String, Mark>,
    /// Paths to read once more, and when.
    later: BTreeMap<DirtyPath, Instant>,
}

/// What the events of a path say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    /// What is below is meant too.
    pub(crate) below: bool,
    /// It was moved here; none if the event says nothing about its content.
    pub(crate) arrived: Option<bool>,
}

impl DirtyPaths {
    /// A set without a watch: everything may differ.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes what changed out of the set.
    pub fn take(&self) -> Changes {
        let mut gathered = self.lock();
        let all = gathered.everything || gathered.is_polled || !gathered.is_watched;
        gathered.everything = false;
        let now = Instant::now();
        let (due, later): (BTreeMap<_, _>, _) = std::mem::take(&mut gathered.later)
            .into_iter()
            .partition(|(_, at)| *at <= now);
        gathered.later = later;
        for touched in due.into_keys() {
            let below = touched.below;
            let arrived = None;
            gathered.mark(touched.path, Mark { below, arrived });
        }
        let paths = std::mem::take(&mut gathered.paths);
        if all || std::mem::take(&mut gathered.everything) {
            return Changes::Everything;
        }
        let touched = |(path, marked): (String, Mark)| DirtyPath {
            path,
            below: marked.below,
            arrived: marked.arrived == Some(true),
        };
        Changes::Paths(paths.into_iter().map(touched).collect())
    }

    /// Marks everything as changed, without waking the waiters.
    pub fn mark_everything(&self) {
        self.lock().become_everything();
    }

    /// Marks a path again after this time, and wakes the waiters then.
    pub fn mark_after(&self, path: &str, after: Duration) {
        let touched = DirtyPath {
            path: path.to_owned(),
            below: false,
            arrived: false,
        };
        let at = Instant::now() + after;
        let signal = {
            let mut gathered = self.lock();
            gathered.mark_later(at, touched);
            gathered.signal.upgrade()
        };
        if let Some(signal) = signal {
            signal.wake_at(at);
        }
    }

    pub(crate) fn mark(&self, path: &str, marked: Mark, again: Option<Instant>) {
        let mut gathered = self.lock();
        gathered.mark(path.to_owned(), marked);
        if let Some(at) = again {
            let later = DirtyPath {
                path: path.to_owned(),
                below: marked.below,
                arrived: false,
            };
            gathered.mark_later(at, later);
        }
    }

    pub(crate) fn attach(&self, signal: &Arc<Signal>) {
        let mut gathered = self.lock();
        gathered.become_everything();
        gathered.signal = Arc::downgrade(signal);
        gathered.is_watched = true;
    }

    pub(crate) fn detach(&self) {
        let mut gathered = self.lock();
        gathered.signal = Weak::new();
        gathered.is_watched = false;
    }

    pub(crate) fn set_polled(&self) {
        self.lock().is_polled = true;
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn mark(&mut self, path: String, marked: Mark) {
        if self.everything {
            return;
        }
        let known = self.paths.entry(path).or_default();
        known.below |= marked.below;
        known.arrived = marked.arrived.or(known.arrived);
        if self.paths.len() > MOST_PATHS {
            self.become_everything();
        }
    }

    fn mark_later(&mut self, at: Instant, touched: DirtyPath) {
        // The same path again: the later time counts, so that a file that keeps changing is one.
        let known = self.later.entry(touched).or_insert(at);
        *known = at.max(*known);
        if self.later.len() > MOST_PATHS {
            self.later.clear();
            self.become_everything();
        }
    }

    fn become_everything(&mut self) {
        self.everything = true;
        self.paths.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wake::wake_ups;

    fn watched() -> (Arc<Signal>, DirtyPaths) {
        let dirty = DirtyPaths::new();
        let (signal, _) = wake_ups();
        dirty.attach(&signal);
        assert_eq!(dirty.take(), Changes::Everything);
        (signal, dirty)
    }

    fn touched(path: &str, below: bool) -> DirtyPath {
        DirtyPath {
            path: path.to_owned(),
            below,
            arrived: false,
        }
    }

    fn marked(below: bool, arrived: Option<bool>) -> Mark {
        Mark { below, arrived }
    }

    #[test]
    fn dirty_is_everything_before_and_after_a_watch() {
        let dirty = DirtyPaths::new();
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Everything);
        let (signal, dirty) = watched();
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
        dirty.detach();
        assert_eq!(dirty.take(), Changes::Everything);
        dirty.attach(&signal);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
        dirty.set_polled();
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Everything);
    }

    #[test]
    fn dirty_take_gives_each_path_once_with_its_depth() {
        let (_signal, dirty) = watched();
        dirty.mark("Inbox/b.md", marked(false, None), None);
        dirty.mark("Inbox/new", marked(true, None), None);
        dirty.mark("Inbox/new", marked(false, None), None);
        dirty.mark("Inbox/a.md", marked(false, None), None);
        let paths = vec![
            touched("Inbox/a.md", false),
            touched("Inbox/b.md", false),
            touched("Inbox/new", true),
        ];
        assert_eq!(dirty.take(), Changes::Paths(paths));
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }

    #[test]
    fn dirty_last_event_decides_moved_in() {
        let (_signal, dirty) = watched();
        let events = [
            ("Inbox/chmod.md", vec![Some(false), Some(true), None], true),
            ("Inbox/moved.md", vec![Some(false), Some(true)], true),
            ("Inbox/written.md", vec![Some(true), Some(false)], false),
        ];
        for (path, arrivals, _) in &events {
            for arrived in arrivals {
                dirty.mark(path, marked(false, *arrived), None);
            }
        }
        let expected = events.into_iter().map(|(path, _, arrived)| DirtyPath {
            arrived,
            ..touched(path, false)
        });
        assert_eq!(dirty.take(), Changes::Paths(expected.collect()));
    }

    #[test]
    fn dirty_too_many_paths_become_everything() {
        let (_signal, dirty) = watched();
        for n in 0..=MOST_PATHS {
            dirty.mark(&format!("Inbox/{n}.md"), marked(false, None), None);
        }
        dirty.mark("Inbox/more.md", marked(false, None), None);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }

    #[test]
    fn dirty_delayed_path_is_given_when_due() {
        let (_signal, dirty) = watched();
        dirty.mark_after("Inbox/far.md", Duration::from_secs(600));
        dirty.mark_after("Inbox/now.md", Duration::ZERO);
        let due = Changes::Paths(vec![touched("Inbox/now.md", false)]);
        assert_eq!(dirty.take(), due);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }
}
