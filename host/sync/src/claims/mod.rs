//! Whose a task is: claims, their ends, and everything that moves a task's file.
//!
//! Lives here: `claiming` drives a claim and `ending` an end; `moving` is what both do to trees and
//! to the work tree; `places` is where a tree has a task. `offline` keeps what was decided without
//! the remote, and holds it against the remote's tip. `stuck` is about silent owners, `drafts` about
//! what was drafted for a task, `drags` about files that people move, `aside` about work on a task
//! that is somebody else's, `unheard` about pushes whose answer was lost.
//! Lives elsewhere: who wins is decided in `protocol`.

mod aside;
mod claiming;
mod drafts;
mod drags;
mod ending;
mod moving;
mod offline;
pub(super) mod places;
mod stuck;
mod unheard;

pub use drafts::Drafts;
pub use ending::Finish;
pub(super) use offline::{Decided, HELD};
pub(super) use stuck::Watch;
