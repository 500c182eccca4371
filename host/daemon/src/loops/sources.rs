//! The loop that runs skills because a source took something in.

use std::sync::Arc;

use tokio::sync::Notify;

use crate::{
    Shutdown,
    loops::run_observers,
    skills::{Event, SkillSet, SourceName},
};

/// Raises `source:<name>` each time that a source has taken something in; what it takes in while the
/// skills run is one further time.
pub async fn run_source(
    skills: Arc<SkillSet>,
    source: SourceName,
    new: Arc<Notify>,
    mut shutdown: Shutdown,
) {
    let event = Event::Source(source);
    while !shutdown.is_stopping() {
        tokio::select! {
            () = shutdown.stopped() => return,
            () = new.notified() => {}
        }
        run_observers(&skills, &event, &mut shutdown).await;
    }
}
