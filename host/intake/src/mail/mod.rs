//! New mails of one account become notes in `Needs_Action/email/`.
//!
//! - [`task`]: a parsed mail as a task note, pure; [`facts`]: its facts and their names;
//! - [`intake`]: one mail taken in exactly once: ledger, then vault, then ledger;
//! - [`watcher`]: the loop: look, take in, wait; time-outs and back-off.
//!
//! Lives elsewhere: the mailbox itself is `platinum-mailbox`'s.

pub mod facts;
pub mod intake;
pub mod task;
pub mod watcher;

pub use intake::{Intake, IntakeError, Taken};
pub use task::{Ids, Origin, task_from_mail};
pub use watcher::{Settings, WatchError, watch};
