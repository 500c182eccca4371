//! The work tree: how it differs from the base, and how it is changed.
//!
//! Lives here: [`Worktree`], one vault with its repository. `scan` finds the edits (stat cache,
//! debounce, mass-deletion guard), `apply` writes files, `apply_journal` makes that safe across a
//! crash, `leftovers` recovers what killed writers left, and `clock` stamps versions.
//! Lives elsewhere: which version is right is `protocol`'s; what this machine may change is
//! `policy`'s; what may leave is `verify`'s, which is asked through [`FileFilter`].
//!
//! Direction: `scan`, `clock` and `leftovers` know nothing of [`Worktree`], which
//! scans with them; `apply` changes its files, and `apply_journal` is on top, where a sync begins.
//! Invariants: an edit is never overwritten, and is in the history before anyone is asked about it.
//! A scan costs as much as was changed, not as much as there is: it reads the paths that the
//! watcher named, those that still differ, and those that the base or the remote changed. It reads
//! everything at the start, whenever events may have been lost, after a failed scan, and without a
//! watcher; 1/100 of the folders are rescanned every minute to catch lost events.

mod apply;
mod apply_journal;
mod clock;
mod conflict_copy;
mod error;
mod filter;
mod leftovers;
mod scan;
mod worktree;

pub use apply::WorktreeUpdate;
pub use clock::{Trailers, VersionClock, agent_of};
pub use error::WorktreeError;
pub use filter::{FileFilter, ScanFilter};
pub use scan::{Edits, FIX_NAMES, Withheld, accept_deletions};
pub use worktree::Worktree;
