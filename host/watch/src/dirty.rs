//! [`Dirty`]: which paths may differ from what was last read there.
//!
//! Lives elsewhere: which events are news is `news`'s; reading the paths again is the
//! synchronizer's.
//!
//! Invariants: in doubt everything may differ: before the first look, while nobody watches, after
//! an overflow, an error or too many changes, and always while the folder is only polled; a path
//! is handed over once; what is hidden is never named.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::{Duration, Instant},
};

use crate::news::Ears;

/// More paths than this are everything: reading the folders through is cheaper then.
const MOST_PATHS: usize = 4096;

/// A path to look at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Touched {
    /// Relative to the watched folder, `/` between components; empty is the folder itself.
    pub path: String,
    /// Whether everything below it is meant too: it may be a folder that has just appeared.
    pub below: bool,
}

/// What to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changes {
    /// All there is.
    Everything,
    /// These paths alone, in order.
    Paths(Vec<Touched>),
}

/// The paths that changed, gathered until somebody takes them. Cheap to clone: all clones are the
/// same set.
#[derive(Debug, Clone, Default)]
pub struct Dirty(Arc<Mutex<Gathered>>);

#[derive(Debug, Default)]
struct Gathered {
    /// Who listens; nobody yet, or nobody any more.
    ears: Weak<Ears>,
    is_watched: bool,
    /// Events come from looking again and again, and may name too little.
    is_polled: bool,
    everything: bool,
    /// Whether what is below is meant, by path.
    paths: BTreeMap<String, bool>,
    /// Paths to look at once more, and when.
    later: BTreeMap<Touched, Instant>,
}

impl Dirty {
    /// A set that nobody fills yet: everything may differ.
    pub fn new() -> Self {
        Self::default()
    }

    /// Hands over what changed, and forgets it.
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
            gathered.mark(touched.path, touched.below);
        }
        let paths = std::mem::take(&mut gathered.paths);
        if all || std::mem::take(&mut gathered.everything) {
            return Changes::Everything;
        }
        let touched = |(path, below)| Touched { path, below };
        Changes::Paths(paths.into_iter().map(touched).collect())
    }

    /// Says that everything may differ, without waking anybody.
    pub fn mark_everything(&self) {
        self.lock().forget_to_everything();
    }

    /// Has a path looked at again after this time, and wakes the waiters for it.
    pub fn look_again(&self, path: &str, after: Duration) {
        let touched = Touched {
            path: path.to_owned(),
            below: false,
        };
        let at = Instant::now() + after;
        let ears = {
            let mut gathered = self.lock();
            gathered.mark_later(at, touched);
            gathered.ears.upgrade()
        };
        if let Some(ears) = ears {
            ears.echo_at(at);
        }
    }

    pub(crate) fn mark(&self, path: &str, below: bool, again: Option<Instant>) {
        let mut gathered = self.lock();
        gathered.mark(path.to_owned(), below);
        if let Some(at) = again {
            let path = path.to_owned();
            gathered.mark_later(at, Touched { path, below });
        }
    }

    pub(crate) fn attach(&self, ears: &Arc<Ears>) {
        let mut gathered = self.lock();
        gathered.forget_to_everything();
        gathered.ears = Arc::downgrade(ears);
        gathered.is_watched = true;
    }

    pub(crate) fn detach(&self) {
        let mut gathered = self.lock();
        gathered.ears = Weak::new();
        gathered.is_watched = false;
    }

    pub(crate) fn is_polled(&self) {
        self.lock().is_polled = true;
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    fn mark(&mut self, path: String, below: bool) {
        if self.everything {
            return;
        }
        *self.paths.entry(path).or_default() |= below;
        if self.paths.len() > MOST_PATHS {
            self.forget_to_everything();
        }
    }

    fn mark_later(&mut self, at: Instant, touched: Touched) {
        // The same path again: the later look counts, so that a file that keeps changing is one.
        let known = self.later.entry(touched).or_insert(at);
        *known = at.max(*known);
        if self.later.len() > MOST_PATHS {
            self.later.clear();
            self.forget_to_everything();
        }
    }

    fn forget_to_everything(&mut self) {
        self.everything = true;
        self.paths.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> (Arc<Ears>, Dirty) {
        let dirty = Dirty::new();
        let (ears, _) = Ears::new("/vault".into(), &dirty);
        dirty.attach(&ears);
        assert_eq!(dirty.take(), Changes::Everything);
        (ears, dirty)
    }

    fn touched(path: &str, below: bool) -> Touched {
        Touched {
            path: path.to_owned(),
            below,
        }
    }

    #[test]
    fn everything_may_differ_at_the_start_and_whenever_nobody_watches() {
        let dirty = Dirty::new();
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Everything);
        let (ears, dirty) = watched();
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
        dirty.detach();
        assert_eq!(dirty.take(), Changes::Everything);
        dirty.attach(&ears);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
        dirty.is_polled();
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Everything);
    }

    #[test]
    fn a_path_is_handed_over_once_and_with_all_below_it_if_any_event_said_so() {
        let (_ears, dirty) = watched();
        dirty.mark("Inbox/b.md", false, None);
        dirty.mark("Inbox/new", true, None);
        dirty.mark("Inbox/new", false, None);
        dirty.mark("Inbox/a.md", false, None);
        let paths = vec![
            touched("Inbox/a.md", false),
            touched("Inbox/b.md", false),
            touched("Inbox/new", true),
        ];
        assert_eq!(dirty.take(), Changes::Paths(paths));
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }

    #[test]
    fn too_many_paths_are_everything_once() {
        let (_ears, dirty) = watched();
        for n in 0..=MOST_PATHS {
            dirty.mark(&format!("Inbox/{n}.md"), false, None);
        }
        dirty.mark("Inbox/more.md", false, None);
        assert_eq!(dirty.take(), Changes::Everything);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }

    #[test]
    fn what_is_to_be_looked_at_later_is_handed_over_when_it_is_due() {
        let (_ears, dirty) = watched();
        dirty.look_again("Inbox/far.md", Duration::from_secs(600));
        dirty.look_again("Inbox/now.md", Duration::ZERO);
        let due = Changes::Paths(vec![touched("Inbox/now.md", false)]);
        assert_eq!(dirty.take(), due);
        assert_eq!(dirty.take(), Changes::Paths(vec![]));
    }
}
