//! What is kept of a range of commits while it is verified.
//!
//! To read: `log` has every commit, its signer and what it stands on; `reapply` has the files that are
//! left without the violations.
//! Lives elsewhere: walking the range is `walk`'s, verifying a commit `verifier`'s.

mod log;
mod reapply;

pub(crate) use log::{Assessment, Author, Entry, History, values};
pub(crate) use reapply::{Blobs, Reapply};
