//! Task ownership: claims, their ends, and everything that moves a task's file.
//!
//! Lives here: `driver` drives a claim, `claim` begins one, `finish` ends it; `task_move` is what
//! both do to trees and to the work tree. `offline` keeps what was decided without the remote.
//! `lease` takes over the tasks of silent owners, seen by `activity` and kept in `lease::state`; `manual_moves` is about files
//! that people move, and `moved_tasks` claims them; `preserve` keeps work on a task that is another
//! agent's.
//! Lives elsewhere: who wins is decided in `protocol`.

mod activity;
pub(crate) mod claim;
mod driver;
pub(crate) mod effects;
pub(crate) mod finish;
pub(crate) mod lease;
pub(crate) mod manual_moves;
pub(crate) mod moved_tasks;
pub(crate) mod offline;
mod preserve;
mod task_move;
mod types;
