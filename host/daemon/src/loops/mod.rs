//! The loops that both halves of the house run, one file each. A loop takes no input: something
//! wakes it, or its timer does, and it re-reads the state.
//!
//! Lives elsewhere: the loop that acts is `local`'s.

mod maintenance;
mod syncing;
mod working;

pub use maintenance::keep_tended;
pub use syncing::{keep_in_sync, keep_meanwhile};
pub use working::keep_working;
