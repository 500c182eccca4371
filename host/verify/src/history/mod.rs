//! What is kept of a history while it is judged.
//!
//! To read: `trail` has every commit, whose it is and what it stands on; `replay` has the files that
//! are left without those commits that may not be.
//! Lives elsewhere: going through the history is `passing`'s, judging a commit `verify`'s.

mod replay;
mod trail;

pub(super) use replay::{Blobs, Replay};
pub(super) use trail::{Author, Link, Looked, Trail, values};
