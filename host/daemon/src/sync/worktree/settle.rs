//! [`Settling`]: when a state of a file is one that somebody meant, and not a step of a save.
//!
//! Lives elsewhere: that nobody writes to a file while it is read is seen by whoever reads it.
//! Invariants: what is not settled counts as unchanged and is looked at again soon, and nothing
//! waits for ever: whatever stays as it is settles, also when the clocks are wrong.

use std::{
    collections::HashMap,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use platinum_core::VaultPath;
use platinum_vault::FileState;

/// A file whose state is younger than this when it is read is read again the next time.
const OLD: Duration = Duration::from_secs(2);
/// How long a file that was being written is left alone.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a file that became empty may be a step of a save.
const EMPTY: Duration = Duration::from_secs(30);
/// How long a file that is gone may be a step of a save.
const GONE: Duration = Duration::from_secs(1);
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

/// What is waited out.
#[derive(Debug, Default)]
pub(super) struct Settling {
    /// When this look began, in nanoseconds since 1970.
    began: i64,
    /// States that looked unsettled, and since when they are so.
    watched: HashMap<VaultPath, (FileState, Instant)>,
    /// Files that are gone, and since when.
    gone: HashMap<VaultPath, Instant>,
    /// What to look at again, and when.
    later: Vec<(VaultPath, Duration)>,
}

impl Settling {
    /// A look begins.
    pub(super) fn begin(&mut self) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let now = now.unwrap_or_default().as_nanos();
        self.began = i64::try_from(now).unwrap_or(i64::MAX);
        self.later.clear();
    }

    /// What is to be looked at again, and after how long.
    pub(super) fn take_later(&mut self) -> Vec<(VaultPath, Duration)> {
        std::mem::take(&mut self.later)
    }

    /// Judges a file by its times. Only the time of the system counts: the other one programs set
    /// as they like.
    pub(super) fn judge(&mut self, path: &VaultPath, state: &FileState, was_full: bool) -> Verdict {
        let age = self.began.saturating_sub(state.changed);
        let age = Duration::from_nanos(u64::try_from(age).unwrap_or(0));
        let (verdict, wait) = match was_full {
            true => (Verdict::Emptied, EMPTY),
            false => (Verdict::Later, PAUSE),
        };
        let is_settled = match was_full {
            true => age >= EMPTY,
            false => state.changed < self.began,
        };
        if is_settled {
            self.watched.remove(path);
            return Verdict::Settled;
        }
        // A clock that was set back, or another machine's: what stays as it is is settled too.
        let since = self.since(path, state);
        let waited = since.elapsed().max(age);
        if waited >= wait || self.watched.len() > MOST {
            self.watched.remove(path);
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

    fn since(&mut self, path: &VaultPath, state: &FileState) -> Instant {
        let now = Instant::now();
        let known = self.watched.entry(path.clone()).or_insert((*state, now));
        if known.0 != *state {
            *known = (*state, now);
        }
        known.1
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
        settling.begin();
        settling
    }

    #[test]
    fn what_was_written_before_the_look_is_settled_whatever_time_a_program_gave_it() {
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
        assert!(later.len() == 1 && later[0].1 <= PAUSE);
        let changed = FileState { len: 1, ..ahead };
        assert_eq!(settling.judge(&path(), &changed, false), Verdict::Later);
        // As if a second had gone by.
        let known = settling.watched.get_mut(&path()).unwrap();
        known.1 = known.1.checked_sub(PAUSE).unwrap();
        assert_eq!(settling.judge(&path(), &changed, false), Verdict::Settled);
        assert!(settling.watched.is_empty());
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
