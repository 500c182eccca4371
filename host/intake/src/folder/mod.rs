//! A file that a person drops into the vault becomes a task.
//!
//! - [`source`]: finds dropped files, waits until they are settled, takes each in once;
//! - [`task`]: a file as a task note, pure;
//! - [`zones`]: which zone a file belongs to, pure.
//!
//! Which host takes in what: the owner's machine takes in `Inbox/` and `Needs_Action/` and moves
//! each file out of the way. A cloud host may only create in `Needs_Action/`: it takes in what
//! waits there for longer than the owner's machine would ever need, and leaves the file itself.
//! Both make the same task id from the same bytes, so the second host finds the task.

pub mod source;
pub mod task;
pub mod zones;

pub use source::{FolderSettings, FolderSource, ZoneFact};
