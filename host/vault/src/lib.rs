//! The only crate that opens vault files: [`Vault`] reads and writes them, [`note`] understands
//! them.
//!
//! Lives here: opening beneath the vault's folder, durable and atomic writes, Markdown notes with
//! frontmatter. Lives elsewhere: who may write which path is `policy`'s; what a path is,
//! `core`'s; waking up on changes, `watch`'s.
//!
//! Invariants: no symbolic link is ever followed, in no part of a path; only regular files are
//! opened; every read is bounded; a file is either the old one or the new one, never half of each;
//! what was written when a call returns is on the disk.

mod announce;
mod counts;
mod create_many;
mod error;
mod folder;
mod list;
mod lock;
mod names;
pub mod note;
mod pending_drafts;
mod read_files;
mod scan;
mod store;
mod temp;
#[cfg(test)]
mod tests;

pub use announce::announce;
pub use counts::VaultCounts;
pub use error::VaultError;
pub use list::{Entry, Unreadable, UnsyncedFiles, Walk};
pub use lock::VaultLock;
pub use names::{NameForm, compose_names, rename_odd};
pub use pending_drafts::PendingDrafts;
pub use read_files::ReadFiles;
pub use scan::{FileState, Listing, PathEntry, Refused, name_key};
pub use store::Vault;
pub use temp::leftover::{Leftover, TEMP_PREFIX};
