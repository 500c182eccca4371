//! [`WakeUps`]: what a loop waits on.

use std::time::{Duration, Instant};

use tokio::{sync::watch, time::timeout_at};

use crate::news::News;

/// The longest wait; longer ones end early.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// Something changed, perhaps: read the state again.
    Changed,
    /// Nothing was reported for so long: read the state again all the same, events do get lost.
    TimedOut,
    /// The watch ended.
    Closed,
}

/// Wake-ups of one watched folder. A clone waits for itself: each sees every change.
#[derive(Debug, Clone)]
pub struct WakeUps {
    news: watch::Receiver<News>,
    /// How many events it knows of.
    count: u64,
    /// The last further wake-up that was answered.
    heard: Option<Instant>,
}

impl WakeUps {
    pub(crate) fn new(news: watch::Receiver<News>) -> Self {
        Self {
            news,
            count: 0,
            heard: None,
        }
    }

    /// Waits for a change, at most so long. Changes since the last wait end it at once, however
    /// many they are. Giving the future up loses no change.
    pub async fn wait(&mut self, at_most: Duration) -> Wake {
        let deadline = Instant::now() + at_most.min(LONGEST);
        loop {
            let echo = self.next_echo().filter(|echo| *echo <= deadline);
            match timeout_at(echo.unwrap_or(deadline).into(), self.news.changed()).await {
                Ok(Ok(())) => {
                    let count = self.news.borrow_and_update().count;
                    if std::mem::replace(&mut self.count, count) != count {
                        return Wake::Changed;
                    }
                    // Only a further wake-up was set: the next wait ends earlier.
                }
                Ok(Err(_)) => return Wake::Closed,
                Err(_) if echo.is_some() => {
                    self.heard = echo;
                    return Wake::Changed;
                }
                Err(_) => return Wake::TimedOut,
            }
        }
    }

    fn next_echo(&self) -> Option<Instant> {
        let news = self.news.borrow();
        let is_new = |echo: &&Instant| self.heard.is_none_or(|heard| **echo > heard);
        news.echoes.iter().find(is_new).copied()
    }
}
