//! Lists of what is in a vault, by folder: `walk` has the files that take part in sync, `unsynced`
//! counts those that do not.

mod unsynced;
mod walk;

pub use unsynced::UnsyncedFiles;
pub use walk::{Entry, Unreadable, Walk};
pub(crate) use walk::{Thing, files_in, visit_folder};
