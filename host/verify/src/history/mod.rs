//! What is kept of a history while it is verified.
//!
//! To read: `history` has every commit, whose it is and what it stands on; `reapply` has the files that
//! are left without those commits that may not be.
//! Lives elsewhere: going through the history is `walk`'s, judging a commit `verify`'s.

mod log;
mod reapply;

pub(crate) use log::{Assessment, Author, Entry, History, values};
pub(crate) use reapply::{Blobs, Reapply};
