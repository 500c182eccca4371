//! [`Metered`]: a provider with a budget of tokens a UTC day, counted in a small file.
//!
//! Invariants: what a call may cost is written down before the call, so a crash cannot make it
//! free; the file is replaced as a whole; the daemon and a trial beside it count together: each reads the file again
//! before it adds to it, under a lock.

use std::{
    fs,
    io::{Read, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use async_trait::async_trait;
use jiff::{Timestamp, ToSpan, civil::Date, tz::TimeZone};
use platinum_core::{Clock, SystemClock};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::{Completion, LlmError, Model, Request, openai::estimate};

/// The longest file read.
const MAX_FILE_BYTES: u64 = 4096;

/// A provider that answers as long as the day's tokens last.
pub struct Metered {
    inner: Box<dyn Model>,
    budget: u64,
    file: PathBuf,
    clock: Arc<dyn Clock>,
    spent: Mutex<Spent>,
}

/// The file's content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spent {
    day: Date,
    tokens: u64,
}

/// The file of the budget cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MeterError {
    /// It cannot be read or written.
    #[error("the token count {path} cannot be kept: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// It holds something else.
    #[error("{path} holds no token count ({reason}); remove it to start the day's count anew")]
    Malformed {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Metered {
    /// Meters `inner` at `budget` tokens a UTC day, counted in `file`.
    ///
    /// # Errors
    /// If the file is there and cannot be read, or cannot be written.
    pub fn open(inner: Box<dyn Model>, budget: u64, file: &Path) -> Result<Self, MeterError> {
        Self::with_clock(inner, budget, file, Arc::new(SystemClock))
    }

    /// As [`Metered::open`], with another clock.
    ///
    /// # Errors
    /// As [`Metered::open`].
    pub fn with_clock(
        inner: Box<dyn Model>,
        budget: u64,
        file: &Path,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, MeterError> {
        let today = day(clock.now());
        let _lock = lock(file)?;
        let spent = load(file)?.unwrap_or(Spent {
            day: today,
            tokens: 0,
        });
        store(file, spent)?;
        Ok(Self {
            inner,
            budget,
            file: file.to_owned(),
            clock,
            spent: Mutex::new(spent),
        })
    }

    /// Tokens counted today.
    pub async fn used_today(&self) -> u64 {
        let mut spent = self.spent.lock().await;
        self.renew(&mut spent);
        spent.tokens
    }

    /// Starts a new day's count. A clock that went back does not: the day only moves on.
    fn renew(&self, spent: &mut Spent) {
        let today = day(self.clock.now());
        if today > spent.day {
            *spent = Spent {
                day: today,
                tokens: 0,
            };
        }
    }

    /// Books `most` tokens, or answers when there are new ones.
    async fn reserve(&self, most: u64) -> Result<Date, LlmError> {
        let mut spent = self.spent.lock().await;
        let _lock = self.read_again(&mut spent).await?;
        self.renew(&mut spent);
        let after = spent.tokens.saturating_add(most);
        if after > self.budget {
            return Err(LlmError::BudgetExhausted {
                budget: self.budget,
                used: spent.tokens,
                renews: next_day(spent.day),
            });
        }
        let booked = Spent {
            tokens: after,
            ..*spent
        };
        self.store(booked).await?;
        *spent = booked;
        Ok(booked.day)
    }

    /// Replaces what was booked by what it cost.
    async fn record_cost(&self, booked_on: Date, most: u64, cost: u64) -> Result<(), LlmError> {
        let mut spent = self.spent.lock().await;
        let _lock = self.read_again(&mut spent).await?;
        // A call that began yesterday was paid from yesterday's tokens.
        if spent.day != booked_on {
            return Ok(());
        }
        let tokens = spent.tokens.saturating_sub(most).saturating_add(cost);
        let spent_now = Spent { tokens, ..*spent };
        self.store(spent_now).await?;
        *spent = spent_now;
        Ok(())
    }

    /// Takes the count as another process left it, and keeps others away as long as the answer is kept.
    async fn read_again(&self, spent: &mut Spent) -> Result<fs::File, LlmError> {
        let read = self.in_background(|file| Ok((lock(file)?, load(file)?)));
        let (lock, now) = read.await?;
        *spent = now.unwrap_or(*spent);
        Ok(lock)
    }

    async fn store(&self, spent: Spent) -> Result<(), LlmError> {
        self.in_background(move |file| store(file, spent)).await
    }

    async fn in_background<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Path) -> Result<T, MeterError> + Send + 'static,
    ) -> Result<T, LlmError> {
        let file = self.file.clone();
        match tokio::task::spawn_blocking(move || work(&file)).await {
            Ok(Ok(done)) => Ok(done),
            Ok(Err(error)) => Err(LlmError::Unavailable(error.to_string())),
            Err(error) => Err(LlmError::Unavailable(format!(
                "cannot keep the token count: {error}"
            ))),
        }
    }
}

#[async_trait]
impl Model for Metered {
    async fn complete(&self, request: Request) -> Result<Completion, LlmError> {
        request.check()?;
        // The fence and its rule are a few hundred bytes more.
        let most = estimate(request.bytes() + 1024).saturating_add(u64::from(request.max_tokens));
        let booked_on = self.reserve(most).await?;
        let answer = self.inner.complete(request).await;
        let cost = match &answer {
            Ok(done) => done.input_tokens.saturating_add(done.output_tokens),
            // A provider that refuses or is away bills nothing. An answer that came too late may
            // have been billed; it is not counted, as it cannot be known.
            Err(_) => 0,
        };
        if let Err(error) = self.record_cost(booked_on, most, cost).await {
            // The higher, booked number stands: the answer is paid for, so it is given.
            tracing::warn!(%error, "the day's tokens are counted too high");
        }
        answer
    }

    fn name(&self) -> &str {
        self.inner.name()
    }
}

fn day(at: Timestamp) -> Date {
    at.to_zoned(TimeZone::UTC).date()
}

fn next_day(day: Date) -> Timestamp {
    let next = day
        .checked_add(1.day())
        .and_then(|next| next.to_zoned(TimeZone::UTC));
    next.map_or(Timestamp::MAX, |next| next.timestamp())
}

/// Keeps other processes from the file until the answer is dropped.
fn lock(path: &Path) -> Result<fs::File, MeterError> {
    let locked = || {
        let file = fs::File::create(path.with_extension("lock"))?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|source| MeterError::Io {
        path: path.to_owned(),
        source,
    })
}

fn load(path: &Path) -> Result<Option<Spent>, MeterError> {
    let io = |source| MeterError::Io {
        path: path.to_owned(),
        source,
    };
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE_BYTES)
        .read_to_end(&mut bytes)
        .map_err(io)?;
    let spent = serde_json::from_slice(&bytes).map_err(|error| MeterError::Malformed {
        path: path.to_owned(),
        reason: error.to_string(),
    })?;
    Ok(Some(spent))
}

/// Writes a file beside it and renames that over it.
fn store(path: &Path, spent: Spent) -> Result<(), MeterError> {
    let write = || -> std::io::Result<()> {
        let text = serde_json::to_vec(&spent).map_err(std::io::Error::other)?;
        let beside = path.with_extension("new");
        let mut file = fs::File::create(&beside)?;
        file.write_all(&text)?;
        file.sync_all()?;
        fs::rename(&beside, path)
    };
    write().map_err(|source| MeterError::Io {
        path: path.to_owned(),
        source,
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;

    use super::*;
    use crate::Part;

    /// A clock that tests move.
    struct Hand(StdMutex<Timestamp>);

    impl Hand {
        fn at(text: &str) -> Arc<Self> {
            Arc::new(Self(StdMutex::new(text.parse().unwrap())))
        }
        fn set(&self, text: &str) {
            *self.0.lock().unwrap() = text.parse().unwrap();
        }
    }

    impl Clock for Hand {
        fn now(&self) -> Timestamp {
            *self.0.lock().unwrap()
        }
    }

    /// Costs a given number of tokens.
    struct Costs(Result<u64, LlmError>);

    #[async_trait]
    impl Model for Costs {
        async fn complete(&self, _: Request) -> Result<Completion, LlmError> {
            self.0.clone().map(|tokens| Completion {
                text: "x".to_owned(),
                model: "m".to_owned(),
                truncated: false,
                input_tokens: tokens,
                output_tokens: 0,
            })
        }
        fn name(&self) -> &str {
            "costs"
        }
    }

    fn request() -> Request {
        Request {
            instructions: String::new(),
            parts: vec![Part::Say("x".to_owned())],
            max_tokens: 100,
        }
    }

    fn metered(cost: Result<u64, LlmError>, file: &Path, clock: &Arc<Hand>) -> Metered {
        let clock: Arc<dyn Clock> = Arc::<Hand>::clone(clock);
        Metered::with_clock(Box::new(Costs(cost)), 1000, file, clock).unwrap()
    }

    #[tokio::test]
    async fn budget_is_spent_and_renews_at_midnight_utc() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        let clock = Hand::at("2026-11-20T23:00:00Z");
        let model = metered(Ok(700), &file, &clock);
        model.complete(request()).await.unwrap();
        let error = model.complete(request()).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "the budget of 1000 tokens a day is used up (700 used); it renews at 2026-11-21T00:00:00Z"
        );
        clock.set("2026-11-21T00:00:00Z");
        model.complete(request()).await.unwrap();
        assert_eq!(model.used_today().await, 700);
    }

    #[tokio::test]
    async fn budget_survives_a_restart_and_a_clock_set_back() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        let clock = Hand::at("2026-11-20T12:00:00Z");
        metered(Ok(900), &file, &clock)
            .complete(request())
            .await
            .unwrap();
        clock.set("2026-11-19T12:00:00Z");
        let again = metered(Ok(900), &file, &clock);
        assert!(matches!(
            again.complete(request()).await,
            Err(LlmError::BudgetExhausted { used: 900, .. })
        ));
    }

    /// A trial beside the daemon.
    #[tokio::test]
    async fn two_meters_of_one_file_count_together() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        let clock = Hand::at("2026-11-20T12:00:00Z");
        let (one, other) = (
            metered(Ok(300), &file, &clock),
            metered(Ok(300), &file, &clock),
        );
        for model in [&one, &other] {
            model.complete(request()).await.unwrap();
        }
        assert!(matches!(
            one.complete(request()).await,
            Err(LlmError::BudgetExhausted { used: 600, .. })
        ));
    }

    #[tokio::test]
    async fn failed_call_costs_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Hand::at("2026-11-20T12:00:00Z");
        let away = Err(LlmError::Unavailable("away".to_owned()));
        let model = metered(away, &folder.path().join("tokens.json"), &clock);
        model.complete(request()).await.unwrap_err();
        assert_eq!(model.used_today().await, 0);
    }

    #[test]
    fn foreign_budget_file_is_a_named_error() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        fs::write(&file, "{\"day\":\"2026-11-20\",\"tokens\":-1}").unwrap();
        let error = Metered::open(Box::new(Costs(Ok(1))), 1, &file)
            .map(drop)
            .unwrap_err();
        assert!(
            error
                .to_string()
                .contains("tokens.json holds no token count"),
            "{error}"
        );
    }
}
