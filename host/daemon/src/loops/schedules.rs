//! The loop that runs skills because a time has come.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use platinum_core::{Clock, SystemClock, Timestamp};
use tokio::task::{JoinError, JoinSet};

use crate::{
    Shutdown,
    loops::run_observers,
    skills::{Event, Schedule, SkillSet},
};

/// The longest sleep: after a suspend, or when the clock is set, the time is read again.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs the skills that ask for a `schedule:`, each at its time. The schedules do not wait for each
/// other.
pub async fn run_schedules(skills: Arc<SkillSet>, mut shutdown: Shutdown) {
    let schedules: BTreeSet<Schedule> = skills
        .dispatch()
        .occasions()
        .filter_map(|((event, _), _)| match event {
            Event::Schedule(schedule) => Some(schedule.clone()),
            _ => None,
        })
        .collect();
    let mut running: JoinSet<()> = schedules
        .into_iter()
        .map(|schedule| run_schedule(Arc::clone(&skills), schedule, shutdown.clone()))
        .collect();
    while let Some(ended) = running.join_next().await {
        if let Err(panic) = ended.map_err(JoinError::try_into_panic)
            && let Ok(panic) = panic
        {
            std::panic::resume_unwind(panic);
        }
    }
    // Without a schedule there is nothing to do until then.
    shutdown.stopped().await;
}

async fn run_schedule(skills: Arc<SkillSet>, schedule: Schedule, mut shutdown: Shutdown) {
    let mut timer = Timer::new(schedule, SystemClock.now());
    while !shutdown.is_stopping() {
        if timer.take_due(SystemClock.now()) {
            let event = Event::Schedule(timer.schedule.clone());
            run_observers(&skills, &event, &mut shutdown).await;
        }
        let sleep = timer.until_due(SystemClock.now());
        tokio::select! {
            () = shutdown.stopped() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// When a schedule is due next.
#[derive(Debug)]
struct Timer {
    schedule: Schedule,
    /// None if it is never due.
    due: Option<Timestamp>,
}

impl Timer {
    fn new(schedule: Schedule, now: Timestamp) -> Self {
        let due = next_time(&schedule, now);
        if due.is_none() {
            tracing::warn!("The schedule {schedule} is never due.");
        }
        Self { schedule, due }
    }

    /// Whether it is due; then it is planned anew. What was missed is run once. Where the clock was
    /// set back, the plan was made for another time: it is never later than one that is made now.
    fn take_due(&mut self, now: Timestamp) -> bool {
        let Some(due) = self.due else { return false };
        let is_due = due <= now;
        let planned = next_time(&self.schedule, now);
        if is_due || planned.is_some_and(|planned| planned < due) {
            self.due = planned;
        }
        is_due
    }

    fn until_due(&self, now: Timestamp) -> Duration {
        let until =
            |due: Timestamp| Duration::try_from(now.duration_until(due)).unwrap_or_default();
        self.due
            .map_or(LONGEST_SLEEP, |due| until(due).min(LONGEST_SLEEP))
    }
}

/// The next time of a schedule after now, if there is one.
fn next_time(schedule: &Schedule, now: Timestamp) -> Option<Timestamp> {
    now.checked_add(schedule.next(now)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-29T{time}Z").parse().unwrap()
    }

    #[test]
    fn timers_run_each_schedule_at_its_time() {
        let mut timers =
            ["20s", "60s"].map(|text| Timer::new(text.parse().unwrap(), at("10:00:00")));
        let mut due = |time: &str| -> Vec<String> {
            let due = timers.iter_mut().filter_map(|timer| {
                let is_due = timer.take_due(at(time));
                is_due.then(|| timer.schedule.to_string())
            });
            due.collect()
        };
        assert!(due("10:00:19").is_empty());
        assert_eq!(due("10:00:20"), ["20s"]);
        assert!(due("10:00:39").is_empty());
        assert_eq!(due("10:01:00"), ["20s", "60s"]);
        // A machine that slept runs what it missed once.
        assert_eq!(due("18:00:00"), ["20s", "60s"]);
        assert!(due("18:00:01").is_empty());
        // A clock that is set back stops none.
        assert!(due("09:00:00").is_empty());
        assert_eq!(due("09:00:20"), ["20s"]);
        assert_eq!(due("09:01:00"), ["20s", "60s"]);
    }

    #[test]
    fn timer_sleeps_until_the_next_time_at_most() {
        let timer = Timer::new("20s".parse().unwrap(), at("10:00:00"));
        assert_eq!(timer.until_due(at("10:00:05")), Duration::from_secs(15));
        assert_eq!(timer.until_due(at("10:00:25")), Duration::ZERO);
        let never = Timer { due: None, ..timer };
        assert_eq!(never.until_due(at("10:00:00")), LONGEST_SLEEP);
    }
}
