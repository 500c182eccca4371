//! The loops that both roles run, one file each. A loop takes no input: something wakes it, or its
//! timer does, and it re-reads the state.
//!
//! Lives elsewhere: the loop that acts is `local`'s.

mod maintenance;
mod pipeline;
mod schedules;
mod sources;
mod sync;

pub use maintenance::run_maintenance;
pub use pipeline::run_pipeline;
pub use schedules::run_schedules;
pub use sources::run_source;
pub use sync::{commit_meanwhile, run_sync};

use crate::{
    Shutdown,
    skills::{Event, Request, SkillSet},
};

/// Runs the skills that ask for an event about no task, or until the host stops.
async fn run_observers(skills: &SkillSet, event: &Event, shutdown: &mut Shutdown) {
    let request = Request::new(event);
    let ended = tokio::select! {
        () = shutdown.stopped() => return,
        ended = skills.run_all(&request) => ended,
    };
    if let Err(error) = ended {
        error.log();
    }
}
