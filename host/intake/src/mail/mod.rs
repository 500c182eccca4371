//! New mails of one account become notes in `Needs_Action/email/`.
//!
//! - [`task`]: a parsed mail as a task note, pure; [`facts`]: its facts and their names;
//! - [`recipients`]: whom an answer goes to; [`mod@lookalike`]: domains that are taken for others;
//! - [`mod@left_out`]: old mails that come all the same; [`mod@outline`]: copies of one mail;
//! - `accounting`: what of a mail is accounting, as tasks of that zone;
//! - [`intake`]: one mail taken in exactly once: ledger, then vault, then ledger;
//! - [`watcher`]: the loop: look, take in, wait; time-outs and back-off.
//!
//! Lives elsewhere: the mailbox itself is `platinum-mailbox`'s.

mod accounting;
pub mod facts;
pub mod intake;
mod left_out;
mod lookalike;
mod outline;
pub mod recipients;
pub mod task;
pub mod watcher;

pub use intake::{Intake, IntakeError, Taken};
pub use recipients::{Answer, Owner, Recipients};
pub use task::{Ids, Origin, task_from_mail};
pub use watcher::{Settings, WatchError, watch};
