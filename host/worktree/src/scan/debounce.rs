//! [`Settling`]: when a state of a file is one that somebody meant, and not a step of a save.
//!
//! Lives elsewhere: that nobody writes to a file while it is read is seen by whoever reads it.
//! Invariants: what is not settled counts as unchanged and is looked at again soon, and nothing
//! waits for ever: whatever stays as it is settles, also when the clocks are wrong.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use platinum_core::VaultPath;
use platinum_vault::FileState;

/// A file whose state is younger than this when it is read is read again the next time.
const OLD: Duration = Duration::from_secs(2);
/// How long nobody may have written to a file before it counts.
const QUIET: Duration = Duration::from_millis(250);
/// As [`QUIET`], where nobody watches and the look itself waits: what is the same at two looks so
/// far apart.
pub(super) const SECOND_LOOK: Duration = Duration::from_millis(100);
/// How long a file that is being written piece by piece is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a file that became empty may be a step of a save.
const EMPTY: Duration = Duration::from_secs(30);
/// How long a file that is gone may be a step of a save.
const GONE: Duration = Duration::from_secs(1);
/// What changed this long after it changed before is being written.
const RECENT: Duration = Duration::from_secs(5);
/// Longer than anything is waited out, a state is not remembered.
const FORGOTTEN: Duration = Duration::from_secs(60);
/// More than this are not remembered: then they settle at once.
const MOST: usize = 100_000;

/// What to do with a file in a state that is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Read it.
    Settled,
    /// Somebody is writing it.
    Later,
    /// It was full a moment ago.
    Emptied,
}

/// A state of a file, as it was first looked at.
#[derive(Debug, Clone, Copy)]
struct Watched {
    state: FileState,
    since: Instant,
    /// How long it has to stay so.
    wait: Duration,
}

/// What is waited out.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// When this look began, in nanoseconds since 1970.
    began: i64,
    /// How long nobody may have written to a file before it counts.
    quiet: Duration,
    /// States that were looked at and are not known for good.
    watched: HashMap<VaultPath, Watched>,
    /// Files that are gone, and since when.
    gone: HashMap<VaultPath, Instant>,
    /// Files that the watcher saw being moved to where they are, and nothing else since.
    arrived: BTreeSet<String>,
    /// What to look at again, and when.
    later: Vec<(VaultPath, Duration)>,
}

impl Settling {
    /// A look begins.
    pub(super) fn begin(&mut self, is_watched: bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        self.began = i64::try_from(now).unwrap_or(i64::MAX);
        self.quiet = match is_watched {
            true => QUIET,
            false => SECOND_LOOK,
        };
        self.later.clear();
        self.watched
            .retain(|_, watched| watched.since.elapsed() < FORGOTTEN);
    }

    /// The watcher saw these files being moved to where they are, and nothing else since the last
    /// look.
    pub(super) fn arrived(&mut self, paths: BTreeSet<String>) {
        self.arrived = paths;
    }

    /// Whether a second look would be enough for some file.
    pub(super) fn is_short(&self) -> bool {
        self.later.iter().any(|(_, wait)| *wait <= SECOND_LOOK)
    }

    /// What is to be looked at again, and after how long.
    pub(super) fn take_later(&mut self) -> Vec<(VaultPath, Duration)> {
        std::mem::take(&mut self.later)
    }

    /// Judges a file by its times. How old it is the time of the system tells alone: the other one
    /// programs set as they like.
    pub(super) fn judge(&mut self, path: &VaultPath, state: &FileState, was_full: bool) -> Verdict {
        let age = self.began.saturating_sub(state.changed);
        let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        let is_crowded = self.watched.len() >= MOST;
        let watched = self.watched(path, state);
        let (verdict, wait) = match was_full {
            true => (Verdict::Emptied, EMPTY),
            false => (Verdict::Later, watched.wait),
        };
        // A clock that was set back, or another machine's: what stays as it is is settled too.
        let waited = watched.since.elapsed().max(age);
        if waited >= wait || is_crowded {
            return Verdict::Settled;
        }
        self.later.push((path.clone(), wait.saturating_sub(waited)));
        verdict
    }

    /// The file was being written when it was read.
    pub(super) fn was_written(&mut self, path: &VaultPath) {
        self.later.push((path.clone(), PAUSE));
    }

    /// Nothing about this file is waited out.
    pub(super) fn is_calm(&mut self, path: &VaultPath) {
        if !self.watched.is_empty() {
            self.watched.remove(path);
        }
    }

    /// Whether a state is old enough that a second change would show in its time.
    pub(super) fn is_old(&self, state: &FileState) -> bool {
        let newest = state.changed.max(state.modified.min(self.began));
        let age = self.began.saturating_sub(newest);
        u64::try_from(age).is_ok_and(|age| Duration::from_nanos(age) > OLD)
    }

    /// Files that are gone: those that have been so for long enough. The others are waited for.
    pub(super) fn are_gone<'a>(
        &mut self,
        paths: impl Iterator<Item = &'a VaultPath>,
    ) -> Vec<&'a VaultPath> {
        let earlier = std::mem::take(&mut self.gone);
        let mut gone = Vec::new();
        for path in paths {
            let since = earlier.get(path).copied().unwrap_or_else(Instant::now);
            let left = GONE.saturating_sub(since.elapsed());
            // Remembered also when it is decided: it stays gone till it is back.
            self.gone.insert(path.clone(), since);
            if left.is_zero() {
                gone.push(path);
            } else {
                self.later.push((path.clone(), left));
            }
        }
        gone
    }

    /// What is known of a state; that it is there now, if nothing.
    fn watched(&mut self, path: &VaultPath, state: &FileState) -> Watched {
        let before = self.watched.get(path).copied();
        // The times of a quick save are one tick of a coarse clock: then only who saw the move
        // knows of it.
        let is_moved = self.arrived.contains(path.as_str());
        if let Some(before) = before
            && before.state == *state
            && !(is_moved && before.wait == self.quiet)
        {
            return before;
        }
        // Its name came after its last byte, and it is not the file that was here before: it was
        // written elsewhere, whole, and put here.
        let is_whole = (is_moved || state.modified < state.changed)
            && before.is_none_or(|before| {
                // The same state was found before the move was heard of.
                before.state.inode != state.inode || before.state == *state
            });
        // A save may empty the file first: that is one writing, not two.
        let is_growing = before.is_some_and(|before| {
            before.state.inode == state.inode
                && before.state.len > 0
                && before.since.elapsed() < RECENT
        });
        let wait = match (is_whole, is_growing) {
            (true, _) => Duration::ZERO,
            (false, true) => PAUSE,
            (false, false) => self.quiet,
        };
        let watched = Watched {
            state: *state,
            since: Instant::now(),
            wait,
        };
        if self.watched.len() < MOST {
            self.watched.insert(path.clone(), watched);
        }
        watched
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: i64 = 1_000_000_000;

    fn path() -> VaultPath {
        VaultPath::new("Inbox/a.md").unwrap()
    }

    fn state(settling: &Settling, seconds_ago: i64) -> FileState {
        FileState {
            device: 1,
            inode: 2,
            len: 0,
            modified: i64::MAX,
            changed: settling.began - seconds_ago * SECOND,
        }
    }

    fn begun() -> Settling {
        let mut settling = Settling::default();
        settling.begin(true);
        settling
    }

    const MILLI: i64 = 1_000_000;

    #[test]
    fn what_was_written_a_moment_before_the_look_is_settled_whatever_time_a_program_gave_it() {
        let mut settling = begun();
        let state = state(&settling, 1);
        assert_eq!(settling.judge(&path(), &state, false), Verdict::Settled);
        assert!(!settling.is_old(&state));
        let older = FileState {
            changed: state.changed - 3 * SECOND,
            modified: 0,
            ..state
        };
        assert!(settling.is_old(&older));
    }

    #[test]
    fn what_was_written_since_the_look_began_is_looked_at_again_and_settles_if_it_stays() {
        let mut settling = begun();
        let ahead = state(&settling, -3600);
        assert_eq!(settling.judge(&path(), &ahead, false), Verdict::Later);
        let later = settling.take_later();
        assert!(later.len() == 1 && later[0].1 <= QUIET);
        let changed = FileState { len: 1, ..ahead };
        assert_eq!(settling.judge(&path(), &changed, false), Verdict::Later);
        // As if a second had gone by.
        let known = settling.watched.get_mut(&path()).unwrap();
        known.since = known.since.checked_sub(PAUSE).unwrap();
        assert_eq!(settling.judge(&path(), &changed, false), Verdict::Settled);
    }

    #[test]
    fn what_is_written_piece_by_piece_counts_when_its_writer_has_paused() {
        let mut settling = begun();
        let written = |settling: &Settling, len, ago| FileState {
            len,
            changed: settling.began - ago * MILLI,
            ..state(settling, 0)
        };
        let piece = written(&settling, 1, 80);
        assert_eq!(settling.judge(&path(), &piece, false), Verdict::Later);
        // The second piece: a longer pause is asked for than a save needs.
        for (len, ago, verdict) in [(2, 80, Verdict::Later), (3, 400, Verdict::Later)] {
            let piece = written(&settling, len, ago);
            assert_eq!(settling.judge(&path(), &piece, false), verdict, "{ago}");
        }
        let last = written(&settling, 2000, 1100);
        assert_eq!(settling.judge(&path(), &last, false), Verdict::Settled);
        // Also after it was taken once: it goes on.
        let more = written(&settling, 3000, 400);
        assert_eq!(settling.judge(&path(), &more, false), Verdict::Later);
    }

    #[test]
    fn a_file_that_took_the_place_of_another_is_whole_at_once() {
        let mut settling = begun();
        for inode in [5, 6] {
            let renamed = FileState {
                inode,
                modified: settling.began - 3 * MILLI,
                ..state(&settling, 0)
            };
            assert_eq!(settling.judge(&path(), &renamed, false), Verdict::Settled);
            // And if its writer goes on, it waits like any other.
            let more = FileState {
                len: 9,
                modified: settling.began,
                ..renamed
            };
            assert_eq!(settling.judge(&path(), &more, false), Verdict::Later);
        }
    }

    #[test]
    fn a_file_that_was_seen_to_be_moved_into_place_is_whole_although_no_clock_shows_it() {
        let mut settling = begun();
        let saved = |settling: &Settling, inode| FileState {
            inode,
            modified: settling.began - 3 * MILLI,
            ..FileState {
                changed: settling.began - 3 * MILLI,
                ..state(settling, 0)
            }
        };
        let first = saved(&settling, 5);
        assert_eq!(settling.judge(&path(), &first, false), Verdict::Later);
        // The event comes after the look that found it.
        settling.arrived([path().as_str().to_owned()].into());
        assert_eq!(settling.judge(&path(), &first, false), Verdict::Settled);
        let second = saved(&settling, 6);
        assert_eq!(settling.judge(&path(), &second, false), Verdict::Settled);
        // The same file with more in it: somebody writes to it where it is.
        let more = FileState { len: 9, ..second };
        assert_eq!(settling.judge(&path(), &more, false), Verdict::Later);
        settling.arrived(BTreeSet::new());
        let third = saved(&settling, 7);
        assert_eq!(settling.judge(&path(), &third, false), Verdict::Later);
    }

    #[test]
    fn a_file_that_became_empty_is_waited_for_half_a_minute() {
        let mut settling = begun();
        for (ago, verdict) in [
            (0, Verdict::Emptied),
            (29, Verdict::Emptied),
            (31, Verdict::Settled),
        ] {
            let state = state(&settling, ago);
            assert_eq!(settling.judge(&path(), &state, true), verdict, "{ago}");
        }
        assert!(settling.take_later().iter().all(|(_, wait)| *wait <= EMPTY));
    }

    #[test]
    fn a_file_is_gone_only_at_the_second_look() {
        let mut settling = begun();
        let path = path();
        assert!(settling.are_gone([&path].into_iter()).is_empty());
        assert_eq!(settling.take_later().len(), 1);
        let since = settling.gone.get_mut(&path).unwrap();
        *since = since.checked_sub(GONE).unwrap();
        assert_eq!(settling.are_gone([&path].into_iter()), [&path]);
        assert_eq!(settling.are_gone([&path].into_iter()), [&path]);
        // It came back in between: it begins anew.
        assert!(settling.are_gone(std::iter::empty()).is_empty());
        assert!(settling.are_gone([&path].into_iter()).is_empty());
    }
}
