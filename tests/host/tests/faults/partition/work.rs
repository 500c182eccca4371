//! What a host does with the tasks: claims whatever waits, works at it for a moment, files it. And
//! what it was answered, for the history.

use std::{
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use platinum_host_tests::worker::{Answer, Line, Order};
use rand::{rngs::StdRng, seq::IndexedRandom as _};

use crate::partition::cluster::pause;

/// One order and its answer.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) agent: &'static str,
    pub(crate) order: &'static str,
    pub(crate) task: String,
    pub(crate) answer: Answer,
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
}

/// All that happened.
#[derive(Debug)]
pub(crate) struct History {
    began: Instant,
    events: Mutex<Vec<Event>>,
}

impl Default for History {
    fn default() -> Self {
        Self {
            began: Instant::now(),
            events: Mutex::default(),
        }
    }
}

impl History {
    pub(crate) fn events(&self) -> Vec<Event> {
        self.lock().clone()
    }

    /// For people.
    pub(crate) fn timeline(&self) -> String {
        let seconds = |at: Instant| at.duration_since(self.began).as_secs_f64();
        let lines = self.lock().clone().into_iter().map(|event| {
            format!(
                "{:6.1} to {:6.1}: {} {} {}: {:?}\n",
                seconds(event.asked),
                seconds(event.answered),
                event.agent,
                event.order,
                event.task,
                event.answer,
            )
        });
        lines.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One host at work.
pub(crate) struct Hand<'a> {
    pub(crate) agent: &'static str,
    pub(crate) line: Line,
    pub(crate) history: &'a History,
    /// What is to be done; the test adds to it.
    pub(crate) open: &'a Mutex<Vec<String>>,
}

impl Hand<'_> {
    /// Claims and files until told to stop.
    pub(crate) fn work(&mut self, random: &mut StdRng, stop: &AtomicBool) {
        while !stop.load(Ordering::SeqCst) {
            let task = self.lock().choose(random).cloned();
            if let Some(task) = task
                && self.try_one(&task)
            {
                self.lock().retain(|open| *open != task);
            }
            pause(Duration::from_millis(200));
        }
    }

    /// Whether there is nothing more to do about the task.
    fn try_one(&mut self, task: &str) -> bool {
        let claimed = self.ask("claim", task, &Order::Claim(task.to_owned()));
        let Answer::Claimed(how) = claimed else {
            return false;
        };
        if !how.starts_with("Won") {
            return how.starts_with("Lost");
        }
        self.line
            .must(&Order::Publish(format!("At work on {task}")));
        pause(Duration::from_millis(100));
        self.ask("finish", task, &Order::Finish(task.to_owned())) == Answer::Done
    }

    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn ask(&mut self, order: &'static str, task: &str, words: &Order) -> Answer {
        let asked = Instant::now();
        let answer = self.line.must(words);
        self.history.lock().push(Event {
            agent: self.agent,
            order,
            task: task.to_owned(),
            answer: answer.clone(),
            asked,
            answered: Instant::now(),
        });
        answer
    }
}
