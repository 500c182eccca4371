//! [`Debounce`]: when a state of a file is meant, and not a step of a save.
//!
//! Lives elsewhere: that no program writes to a file while it is read is checked by `scanner`.
//! Invariants: what is not settled counts as unchanged and is read again soon, and nothing
//! waits for ever: whatever stays as it is settles, also when the clocks are wrong, and a note that
//! never rests is taken as it is once in a while.

use std::{
    collections::{BTreeSet, HashMap},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use platinum_core::VaultPath;
use platinum_vault::FileState;

/// A file whose state is younger than this when it is read is read again the next time.
const OLD: Duration = Duration::from_secs(2);
/// How long a file must not have been written to before it counts.
const QUIET: Duration = Duration::from_millis(250);
/// As [`QUIET`], without a watcher, where the scan itself waits: what is the same at two reads so
/// far apart.
pub(super) const SECOND_READ: Duration = Duration::from_millis(100);
/// How long a file that is being written piece by piece is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a note that is written all the while is waited for, and then taken as it is; a file of
/// another type is nothing before its end.
const RESTLESS: Duration = Duration::from_secs(30);
/// For so long it counts as it is then: what a scan has kept, the next one of the same sync sends.
const TAKEN: Duration = Duration::from_secs(15);
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
pub(super) enum Readiness {
    /// Read it.
    Ready,
    /// Somebody is writing it.
    Wait,
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
    /// Since when the file has not rested.
    unsettled: Instant,
}

/// What is waited out.
#[derive(Debug, Default)]
pub(super) struct Debounce {
    /// When this look began, in nanoseconds since 1970.
    began: i64,
    /// How long a file must not have been written to before it counts.
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

impl Debounce {
    /// A look begins.
    pub(super) fn begin_scan(&mut self, is_watched: bool) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        self.began = i64::try_from(now).unwrap_or(i64::MAX);
        self.quiet = match is_watched {
            true => QUIET,
            false => SECOND_READ,
        };
        self.later.clear();
        self.watched
            .retain(|_, watched| watched.since.elapsed() < FORGOTTEN);
    }

    /// The watcher saw these files being moved to where they are, and nothing else since the last
    /// look.
    pub(super) fn note_moved_in(&mut self, paths: BTreeSet<String>) {
        self.arrived = paths;
    }

    /// Whether a second look would be enough for some file.
    pub(super) fn is_short(&self) -> bool {
        self.later.iter().any(|(_, wait)| *wait <= SECOND_READ)
    }

    /// What is to be looked at again, and after how long.
    pub(super) fn take_rescans(&mut self) -> Vec<(VaultPath, Duration)> {
        std::mem::take(&mut self.later)
    }

    /// Checks a file by its times. Its age is taken from the time that the system sets: programs set
    /// the other one as they like.
    pub(super) fn check(
        &mut self,
        path: &VaultPath,
        state: &FileState,
        was_full: bool,
    ) -> Readiness {
        let age = self.began.saturating_sub(state.changed);
        let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        let is_crowded = self.watched.len() >= MOST;
        let watched = self.watched(path, state);
        let (verdict, wait) = match was_full {
            true => (Readiness::Emptied, EMPTY),
            false => (Readiness::Wait, watched.wait),
        };
        // A clock that was set back, or another machine's: what stays as it is is settled too.
        let waited = watched.since.elapsed().max(age);
        if waited >= wait || is_crowded {
            self.begin_anew(path);
            return Readiness::Ready;
        }
        let unsettled = watched.unsettled.elapsed();
        if unsettled >= RESTLESS && !was_full && path.extension() == Some("md") {
            if unsettled < RESTLESS + TAKEN {
                return Readiness::Ready;
            }
            self.begin_anew(path);
        }
        self.later.push((path.clone(), wait.saturating_sub(waited)));
        verdict
    }

    /// The file was being written when it was read.
    pub(super) fn note_being_written(&mut self, path: &VaultPath) {
        self.later.push((path.clone(), PAUSE));
    }

    /// Nothing about this file is waited out.
    pub(super) fn clear(&mut self, path: &VaultPath) {
        if !self.watched.is_empty() {
            self.watched.remove(path);
        }
    }

    /// Whether a state is old enough that a second change would show in its time.
    pub(super) fn is_stable(&self, state: &FileState) -> bool {
        let newest = state.changed.max(state.modified.min(self.began));
        let age = self.began.saturating_sub(newest);
        u64::try_from(age).is_ok_and(|age| Duration::from_nanos(age) > OLD)
    }

    /// Files that are gone: those that have been so for long enough. The others are waited for.
    pub(super) fn confirm_gone<'a>(
        &mut self,
        paths: impl Iterator<Item = &'a VaultPath>,
    ) -> Vec<&'a VaultPath> {
        let earlier = std::mem::take(&mut self.gone);
        let mut confirmed = Vec::new();
        for path in paths {
            let since = earlier.get(path).copied().unwrap_or_else(Instant::now);
            let left = GONE.saturating_sub(since.elapsed());
            // Remembered also when it is decided: it stays gone until it is back.
            self.gone.insert(path.clone(), since);
            if left.is_zero() {
                confirmed.push(path);
            } else {
                self.later.push((path.clone(), left));
            }
        }
        confirmed
    }

    /// It rested, or was taken: from now on it is waited for again.
    fn begin_anew(&mut self, path: &VaultPath) {
        if let Some(watched) = self.watched.get_mut(path) {
            watched.unsettled = Instant::now();
        }
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
                // The same state was found before the event of the move arrived.
                before.state.inode != state.inode || before.state == *state
            });
        // A save may empty the file first: that is one writing, not two.
        let is_growing = before.is_some_and(|before| {
            before.state.inode == state.inode
                && before.state.len > 0
                && before.since.elapsed() < RECENT
        });
        let is_unrested = before.filter(|before| before.state.inode == state.inode);
        let wait = match (is_whole, is_growing) {
            (true, _) => Duration::ZERO,
            (false, true) => PAUSE,
            (false, false) => self.quiet,
        };
        let watched = Watched {
            state: *state,
            since: Instant::now(),
            wait,
            unsettled: is_unrested.map_or_else(Instant::now, |before| before.unsettled),
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

    fn state(debounce: &Debounce, seconds_ago: i64) -> FileState {
        FileState {
            device: 1,
            inode: 2,
            len: 0,
            modified: i64::MAX,
            changed: debounce.began - seconds_ago * SECOND,
        }
    }

    fn begun() -> Debounce {
        let mut debounce = Debounce::default();
        debounce.begin_scan(true);
        debounce
    }

    const MILLI: i64 = 1_000_000;

    /// What was written a moment before the scan is settled, whatever time a program gave it.
    #[test]
    fn debounce_ignores_times_that_programs_set() {
        let mut debounce = begun();
        let state = state(&debounce, 1);
        assert_eq!(debounce.check(&path(), &state, false), Readiness::Ready);
        assert!(!debounce.is_stable(&state));
        let older = FileState {
            changed: state.changed - 3 * SECOND,
            modified: 0,
            ..state
        };
        assert!(debounce.is_stable(&older));
    }

    /// What was written since the scan began is read again, and settles if it stays.
    #[test]
    fn debounce_rereads_writes_during_the_scan() {
        let mut debounce = begun();
        let ahead = state(&debounce, -3600);
        assert_eq!(debounce.check(&path(), &ahead, false), Readiness::Wait);
        let later = debounce.take_rescans();
        assert!(later.len() == 1 && later[0].1 <= QUIET);
        let changed = FileState { len: 1, ..ahead };
        assert_eq!(debounce.check(&path(), &changed, false), Readiness::Wait);
        // As if a second had gone by.
        let known = debounce.watched.get_mut(&path()).unwrap();
        known.since = known.since.checked_sub(PAUSE).unwrap();
        assert_eq!(debounce.check(&path(), &changed, false), Readiness::Ready);
    }

    #[test]
    fn debounce_waits_for_a_pause_of_the_writer() {
        let mut debounce = begun();
        let written = |debounce: &Debounce, len, ago| FileState {
            len,
            changed: debounce.began - ago * MILLI,
            ..state(debounce, 0)
        };
        let piece = written(&debounce, 1, 80);
        assert_eq!(debounce.check(&path(), &piece, false), Readiness::Wait);
        // The second piece: a longer pause is asked for than a save needs.
        for (len, ago, verdict) in [(2, 80, Readiness::Wait), (3, 400, Readiness::Wait)] {
            let piece = written(&debounce, len, ago);
            assert_eq!(debounce.check(&path(), &piece, false), verdict, "{ago}");
        }
        let last = written(&debounce, 2000, 1100);
        assert_eq!(debounce.check(&path(), &last, false), Readiness::Ready);
        // Also after it was taken once: it goes on.
        let more = written(&debounce, 3000, 400);
        assert_eq!(debounce.check(&path(), &more, false), Readiness::Wait);
    }

    /// A note goes out as it is, and so does the next version that much later; a picture does not.
    #[test]
    fn debounce_takes_a_note_that_never_rests() {
        for (name, is_taken) in [("Inbox/a.md", true), ("Inbox/a.pdf", false)] {
            let path = VaultPath::new(name).unwrap();
            let mut debounce = begun();
            let mut len = 0;
            let mut write = |debounce: &mut Debounce, later: Duration| {
                if let Some(known) = debounce.watched.get_mut(&path) {
                    known.unsettled = known.unsettled.checked_sub(later).unwrap();
                }
                len += 1;
                let changed = debounce.began;
                let state = FileState {
                    len,
                    changed,
                    ..state(debounce, 0)
                };
                debounce.check(&path, &state, false) == Readiness::Ready
            };
            assert!(!write(&mut debounce, Duration::ZERO));
            assert!(!write(&mut debounce, Duration::from_secs(29)));
            for _ in 0..2 {
                // Both scans of a sync.
                assert_eq!(
                    write(&mut debounce, Duration::from_secs(1)),
                    is_taken,
                    "{name}"
                );
            }
            assert!(!write(&mut debounce, TAKEN));
            assert!(!write(&mut debounce, Duration::from_secs(28)));
            assert_eq!(
                write(&mut debounce, Duration::from_secs(3)),
                is_taken,
                "{name}"
            );
        }
    }

    #[test]
    fn debounce_accepts_a_replaced_file_at_once() {
        let mut debounce = begun();
        for inode in [5, 6] {
            let renamed = FileState {
                inode,
                modified: debounce.began - 3 * MILLI,
                ..state(&debounce, 0)
            };
            assert_eq!(debounce.check(&path(), &renamed, false), Readiness::Ready);
            // And if its writer goes on, it waits like any other.
            let more = FileState {
                len: 9,
                modified: debounce.began,
                ..renamed
            };
            assert_eq!(debounce.check(&path(), &more, false), Readiness::Wait);
        }
    }

    /// Although the times of the file do not show it.
    #[test]
    fn debounce_accepts_a_file_moved_into_place() {
        let mut debounce = begun();
        let saved = |debounce: &Debounce, inode| FileState {
            inode,
            modified: debounce.began - 3 * MILLI,
            ..FileState {
                changed: debounce.began - 3 * MILLI,
                ..state(debounce, 0)
            }
        };
        let first = saved(&debounce, 5);
        assert_eq!(debounce.check(&path(), &first, false), Readiness::Wait);
        // The event comes after the look that found it.
        debounce.note_moved_in([path().as_str().to_owned()].into());
        assert_eq!(debounce.check(&path(), &first, false), Readiness::Ready);
        let second = saved(&debounce, 6);
        assert_eq!(debounce.check(&path(), &second, false), Readiness::Ready);
        // The same file with more in it: it is being written in place.
        let more = FileState { len: 9, ..second };
        assert_eq!(debounce.check(&path(), &more, false), Readiness::Wait);
        debounce.note_moved_in(BTreeSet::new());
        let third = saved(&debounce, 7);
        assert_eq!(debounce.check(&path(), &third, false), Readiness::Wait);
    }

    #[test]
    fn debounce_waits_half_a_minute_for_an_empty_file() {
        let mut debounce = begun();
        for (ago, verdict) in [
            (0, Readiness::Emptied),
            (29, Readiness::Emptied),
            (31, Readiness::Ready),
        ] {
            let state = state(&debounce, ago);
            assert_eq!(debounce.check(&path(), &state, true), verdict, "{ago}");
        }
        assert!(
            debounce
                .take_rescans()
                .iter()
                .all(|(_, wait)| *wait <= EMPTY)
        );
    }

    #[test]
    fn debounce_confirms_a_deletion_at_the_second_scan() {
        let mut debounce = begun();
        let path = path();
        assert!(debounce.confirm_gone([&path].into_iter()).is_empty());
        assert_eq!(debounce.take_rescans().len(), 1);
        let since = debounce.gone.get_mut(&path).unwrap();
        *since = since.checked_sub(GONE).unwrap();
        assert_eq!(debounce.confirm_gone([&path].into_iter()), [&path]);
        assert_eq!(debounce.confirm_gone([&path].into_iter()), [&path]);
        // It came back in between: it begins anew.
        assert!(debounce.confirm_gone(std::iter::empty()).is_empty());
        assert!(debounce.confirm_gone([&path].into_iter()).is_empty());
    }
}
