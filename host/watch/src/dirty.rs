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
    /// Whether the last that was told of it is that it was moved here: whoever saves by writing a
    /// new file and moving it into place is done then. False where nobody can tell.
    pub arrived: bool,
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
    /// What is known of each path.
    paths: BTreeMap<String, Marked>,
    /// Paths to look at once more, and when.
    later: BTreeMap<Touched, Instant>,
}

/// What events said of a path.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Marked {
    /// What is below is meant too.
    pub(crate) below: bool,
    /// It was moved here; none if the event says nothing about its content.
    pub(crate) arrived: Option<bool>,
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
            let below = touched.below;
            let arrived = None;
            gathered.mark(touched.path, Marked { below, arrived });
        }
        let paths = std::mem::take(&mut gathered.paths);
        if all || std::mem::take(&mut gathered.everything) {
            return Changes::Everything;
        }
        let touched = |(path, marked): (String, Marked)| Touched {
            path,
            below: marked.below,
            arrived: marked.arrived == Some(true),
        };
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
            arrived: false,
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

    pub(crate) fn mark(&self, path: &str, marked: Marked, again: Option<Instant>) {
        let mut gathered = self.lock();
        gathered.mark(path.to_owned(), marked);
        if let Some(at) = again {
            let later = Touched {
                path: path.to_owned(),
                below: marked.below,
                arrived: false,
            };
            gathered.mark_later(at, later);
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
    fn mark(&mut self, path: String, marked: Marked) {
        if self.everything {
            return;
        }
        let known = self.paths.entry(path).or_default();
        known.below |= marked.below;
        known.arrived = marked.arrived.or(known.arrived);
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
            arrived: false,
        }
    }

    fn marked(below: bool, arrived: Option<bool>) -> Marked {
        Marked { below, arrived }
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
    fn what_was_told_last_says_whether_a_path_was_moved_here() {
        let (_ears, dirty) = watched();
        let told = [
            ("Inbox/chmod.md", vec![Some(false), Some(true), None], true),
            ("Inbox/moved.md", vec![Some(false), Some(true)], true),
            ("Inbox/written.md", vec![Some(true), Some(false)], false),
        ];
        for (path, arrivals, _) in &told {
            for arrived in arrivals {
                dirty.mark(path, marked(false, *arrived), None);
            }
        }
        let expected = told.into_iter().map(|(path, _, arrived)| Touched {
            arrived,
            ..touched(path, false)
        });
        assert_eq!(dirty.take(), Changes::Paths(expected.collect()));
    }

    #[test]
    fn too_many_paths_are_everything_once() {
        let (_ears, dirty) = watched();
        for n in 0..=MOST_PATHS {
            dirty.mark(&format!("Inbox/{n}.md"), marked(false, None), None);
        }
        dirty.mark("Inbox/more.md", marked(false, None), None);
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
