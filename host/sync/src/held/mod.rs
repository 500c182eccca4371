//! [`HeldFiles`]: what other devices brought that is not in the vault, for the owner to take or drop.
//!
//! A file beside the repository for each, so that the daemon adds and a command removes without
//! waiting for each other; the bytes are in the repository's history.
//! Lives here: `list` is the list, and the words of it; `take` puts one into the vault.
//! Lives elsewhere: what is held, and why, is `verify`'s.
//! Invariants: what is held is on the disk before the commit that takes it out of the remote is
//! pushed; nothing but the owner's command removes it; nothing of it is in the vault before.

mod list;
mod take;

pub(crate) use list::messages;
pub use list::{HeldFile, HeldFiles};
pub use take::{NotTaken, Taken};
