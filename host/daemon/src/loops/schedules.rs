//! The loop that runs skills because a time has come.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use platinum_core::{Clock, SystemClock, Timestamp};

use crate::{
    Shutdown,
    loops::run_observers,
    skills::{Event, Schedule, SkillSet},
};

/// The longest sleep: after a suspend, or when the clock is set, the time is read again.
const LONGEST_SLEEP: Duration = Duration::from_secs(30);

/// Runs the skills that ask for a `schedule:`, each at its time.
pub async fn run_schedules(skills: Arc<SkillSet>, mut shutdown: Shutdown) {
    let mut timetable = Timetable::new(
        skills
            .dispatch()
            .occasions()
            .filter_map(|((event, _), _)| match event {
                Event::Schedule(schedule) => Some(schedule.clone()),
                _ => None,
            }),
        SystemClock.now(),
    );
    while !shutdown.is_stopping() {
        for schedule in timetable.take_due(SystemClock.now()) {
            let event = Event::Schedule(schedule);
            run_observers(&skills, &event, &mut shutdown).await;
            if shutdown.is_stopping() {
                return;
            }
        }
        let sleep = timetable.until_due(SystemClock.now());
        tokio::select! {
            () = shutdown.stopped() => {}
            () = tokio::time::sleep(sleep) => {}
        }
    }
}

/// When each schedule is due next.
#[derive(Debug)]
struct Timetable(BTreeMap<Schedule, Timestamp>);

impl Timetable {
    fn new(schedules: impl IntoIterator<Item = Schedule>, now: Timestamp) -> Self {
        let mut timetable = Self(BTreeMap::new());
        for schedule in schedules {
            timetable.plan(schedule, now);
        }
        timetable
    }

    fn plan(&mut self, schedule: Schedule, now: Timestamp) {
        match schedule.next(now).map(|after| now.checked_add(after)) {
            Some(Ok(due)) => {
                self.0.insert(schedule, due);
            }
            _ => tracing::warn!("The schedule {schedule} is never due."),
        }
    }

    /// The schedules that are due, each planned anew. What was missed is run once.
    fn take_due(&mut self, now: Timestamp) -> Vec<Schedule> {
        let is_due = |(_, due): &(&Schedule, &Timestamp)| **due <= now;
        let due: Vec<Schedule> = self
            .0
            .iter()
            .filter(is_due)
            .map(|(schedule, _)| schedule.clone())
            .collect();
        for schedule in &due {
            self.0.remove(schedule);
            self.plan(schedule.clone(), now);
        }
        due
    }

    fn until_due(&self, now: Timestamp) -> Duration {
        self.0
            .values()
            .map(|due| Duration::try_from(now.duration_until(*due)).unwrap_or_default())
            .min()
            .map_or(LONGEST_SLEEP, |sleep| sleep.min(LONGEST_SLEEP))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(time: &str) -> Timestamp {
        format!("2026-11-29T{time}Z").parse().unwrap()
    }

    #[test]
    fn timetable_runs_each_schedule_at_its_time() {
        let schedules = ["20s", "60s"].map(|text| text.parse::<Schedule>().unwrap());
        let mut timetable = Timetable::new(schedules, at("10:00:00"));
        let mut due = |time: &str| -> Vec<String> {
            let due = timetable.take_due(at(time));
            due.iter().map(ToString::to_string).collect()
        };
        assert!(due("10:00:19").is_empty());
        assert_eq!(due("10:00:20"), ["20s"]);
        assert!(due("10:00:39").is_empty());
        assert_eq!(due("10:01:00"), ["20s", "60s"]);
        // A machine that slept runs what it missed once.
        assert_eq!(due("18:00:00"), ["20s", "60s"]);
        assert!(due("18:00:01").is_empty());
    }

    #[test]
    fn timetable_sleeps_until_the_next_time_at_most() {
        let schedule: Schedule = "20s".parse().unwrap();
        let timetable = Timetable::new([schedule], at("10:00:00"));
        assert_eq!(timetable.until_due(at("10:00:05")), Duration::from_secs(15));
        assert_eq!(timetable.until_due(at("10:00:25")), Duration::ZERO);
        assert_eq!(
            Timetable::new([], at("10:00:00")).until_due(at("10:00:00")),
            LONGEST_SLEEP
        );
    }
}
