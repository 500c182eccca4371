//! Scanning the work tree: what differs from the base.
//!
//! Lives here: `state` is what is known between scans and decides which paths to read, `scanner`
//! reads them, `debounce` waits out unsettled states, `stat_cache` saves reading, `moves` finds what
//! was moved, and `guard` stops mass deletions.

mod debounce;
mod guard;
mod moves;
mod scanner;
mod stat_cache;
mod state;

pub use guard::accept_deletions;
pub use scanner::{Edits, FIX_NAMES, Withheld};
pub(crate) use state::ScanState;
