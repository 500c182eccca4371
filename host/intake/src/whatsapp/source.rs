//! [`WhatsappSource`]: what people write on WhatsApp becomes tasks, one a burst; and the webhook that brings it.
//!
//! Invariants: nothing is sent or marked as read from here; one message is in one task at most, on this host and after the
//! loss of this host's record; groups and people to whom the owner has never written become no task unless the owner
//! says so; at most [`MAX_WAITING`] tasks of this source wait at once; what is not made a task is told, and so is a
//! message of the owner's that was not delivered.

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use jiff::SignedDuration;
use platinum_core::{AgentName, Clock as _, SystemClock, Timestamp, ZoneId};
use platinum_vault::VaultError;
use platinum_whatsapp_store::{
    Store, StoreError, WhatsappConfig,
    receiver::{Receiver, ReceiverError},
    store::{Arrival, Failure, StoredMessage},
};
use tokio::sync::Notify;
use tracing::info;

use super::burst::{Burst, BurstFate, BurstRules, Quietness, decide};
use super::note::task_note;
use crate::{
    folder::task,
    ledger::{LedgerError, Start},
    notes::{TASK_FOLDERS, tasks_in},
    source::{Source, is_inside},
    text::one_line,
    zone_tasks::ZoneTasks,
};

/// The most tasks of this source that wait at once.
pub const MAX_WAITING: usize = 30;
/// Messages that are read from the store at once.
const PAGE: u32 = 2000;
/// Messages of a conversation that a task shows.
const SHOWN: u32 = 20;
/// What was written longer ago when this host first looks is no work any more: it can no longer be answered.
const PAST: SignedDuration = SignedDuration::from_hours(24);
/// The owner is told of what is only listed at most this often.
const LIST_EVERY: SignedDuration = SignedDuration::from_mins(15);
/// The most people or groups that are named in a line.
const MAX_NAMED: usize = 5;

/// Which WhatsApp to watch.
#[derive(Debug, Clone, Args)]
pub struct WhatsappSettings {
    /// The configuration file of WhatsApp's server (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// What becomes of messages in groups.
    #[arg(long, value_enum, default_value_t = Quietness::List)]
    pub groups: Quietness,
    /// What becomes of messages of people to whom the owner has never written.
    #[arg(long, value_enum, default_value_t = Quietness::List)]
    pub unknown_senders: Quietness,
    /// A number whose owner counts as known.
    #[arg(long = "contact")]
    pub contacts: Vec<String>,
    /// How long nobody has to write before what they wrote becomes a task, in seconds.
    #[arg(long, default_value_t = 45, value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub quiet: u64,
    /// The vault that gets the tasks.
    #[arg(long)]
    pub vault: PathBuf,
    /// The folder that remembers what was seen; not inside the vault.
    #[arg(long)]
    pub state: PathBuf,
    /// The name of this host: with it the owner is told on the dashboard what became no task, else in the log.
    #[arg(long)]
    pub agent: Option<AgentName>,
    /// Look once and end, without receiving anything.
    #[arg(long)]
    pub once: bool,
    /// Look at least this often, in seconds.
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub every: u64,
}

/// Why messages cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum WhatsappSourceError {
    /// The configuration file cannot be used; it is named in the error.
    #[error("{0}")]
    Config(String),
    /// The record of what was seen failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The store of messages failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault cannot be read or written.
    #[error("cannot take in a conversation of WhatsApp: {0}")]
    Vault(#[from] VaultError),
    /// A folder would be synced.
    #[error("the state folder {0} is inside the vault; choose one outside")]
    StateInVault(PathBuf),
    /// Webhooks cannot be received.
    #[error(transparent)]
    Receiver(#[from] ReceiverError),
}

/// The chats of one number.
#[derive(Debug)]
pub struct WhatsappSource {
    config: WhatsappConfig,
    rules: BurstRules,
    store: Store,
    tasks: ZoneTasks,
    agent: Option<AgentName>,
    is_once: bool,
    /// Told by the receiver when something came.
    arrived: Arc<Notify>,
    receiving: Option<tokio::task::JoinHandle<()>>,
    /// When a burst that waits will be over.
    due: Option<Timestamp>,
    listed: Option<Timestamp>,
    has_notified_more: bool,
}

/// How far the store was read: messages, and what was not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    message: i64,
    failure: i64,
}

impl Cursor {
    fn parse(text: &str) -> Option<Self> {
        let (message, failure) = text.split_once(' ')?;
        Some(Self {
            message: message.parse().ok()?,
            failure: failure.parse().ok()?,
        })
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.message, self.failure)
    }
}

impl Drop for WhatsappSource {
    fn drop(&mut self) {
        if let Some(receiving) = &self.receiving {
            receiving.abort();
        }
    }
}

impl WhatsappSource {
    /// Opens the store, the vault and the record. Webhooks are received from the first poll on.
    ///
    /// # Errors
    /// If one of them cannot be opened, or another process works with the record.
    pub fn open(settings: &WhatsappSettings) -> Result<Self, WhatsappSourceError> {
        let config = WhatsappConfig::load(&settings.config)
            .map_err(|error| WhatsappSourceError::Config(error.to_string()))?;
        for folder in [&settings.state, &config.state] {
            if is_inside(folder, &settings.vault) {
                return Err(WhatsappSourceError::StateInVault(folder.clone()));
            }
        }
        let store = Store::open(&config.state)?;
        let tasks = ZoneTasks::open::<WhatsappSourceError>(
            &settings.vault,
            &settings.state,
            "whatsapp.sqlite",
            ZoneId::WHATSAPP,
        )?;
        let digits = |number: &String| -> String {
            let digits = number.chars().filter(char::is_ascii_digit);
            digits.collect()
        };
        Ok(Self {
            rules: BurstRules {
                quiet: SignedDuration::from_secs(i64::try_from(settings.quiet).unwrap_or(45)),
                groups: settings.groups,
                unknown_senders: settings.unknown_senders,
                contacts: settings.contacts.iter().map(digits).collect(),
            },
            config,
            store,
            tasks,
            agent: settings.agent.clone(),
            is_once: settings.once,
            arrived: Arc::new(Notify::new()),
            receiving: None,
            due: None,
            listed: None,
            has_notified_more: false,
        })
    }

    /// Receives webhooks from now on, unless it does already.
    async fn receive(&mut self) -> Result<(), WhatsappSourceError> {
        let is_receiving = self
            .receiving
            .as_ref()
            .is_some_and(|receiving| !receiving.is_finished());
        if self.is_once || is_receiving {
            return Ok(());
        }
        let arrived = Arc::clone(&self.arrived);
        let receiver = Receiver::bind(&self.config, self.store.clone(), arrived).await?;
        info!("receiving WhatsApp's webhook at {}", receiver.address());
        self.receiving = Some(tokio::spawn(receiver.serve()));
        Ok(())
    }

    /// How far this host has read; at the first time, what can no longer be answered is behind it.
    fn cursor(&mut self, now: Timestamp) -> Result<Cursor, WhatsappSourceError> {
        let known = self.tasks.ledger.start()?;
        if let Some(cursor) = known.and_then(|start| Cursor::parse(&start.cursor)) {
            return Ok(cursor);
        }
        let mut cursor = Cursor {
            message: 0,
            failure: 0,
        };
        loop {
            let page = self.store.arrivals(cursor.message, PAGE)?;
            let is_last = page.len() < PAGE as usize;
            let is_past = |arrival: &&Arrival| arrival.message.at < now - PAST;
            let past = page.iter().take_while(is_past).count();
            if let Some(last) = past.checked_sub(1).and_then(|at| page.get(at)) {
                cursor.message = last.message.seq;
            }
            if is_last || past < page.len() {
                break;
            }
        }
        // What was not delivered long ago is no news.
        while let Some(last) = self.store.failures(cursor.failure, PAGE)?.last() {
            cursor.failure = last.seq;
        }
        let start = Start {
            at: now,
            first: cursor.to_string(),
            cursor: cursor.to_string(),
        };
        self.tasks.ledger.begin(&start, &[])?;
        Ok(cursor)
    }

    /// One pass; answers how many bursts became tasks.
    fn pass(&mut self) -> Result<usize, WhatsappSourceError> {
        let now = SystemClock.now();
        self.tasks.finish::<WhatsappSourceError>()?;
        let mut cursor = self.cursor(now)?;
        let arrivals = self.store.arrivals(cursor.message, PAGE)?;
        let last = arrivals.last().map(|arrival| arrival.message.seq);
        let mut new = Vec::with_capacity(arrivals.len());
        for arrival in arrivals {
            if !self.tasks.ledger.knows(&key(&arrival.message))? {
                new.push(arrival);
            }
        }
        let bursts = decide(new, &self.rules, now);
        let (taken, held) = self.take_all(bursts, now)?;
        // What waits is read again; what came with it and was dealt with is known by then.
        cursor.message = match held {
            Some(first) => first - 1,
            None => last.unwrap_or(cursor.message),
        };
        cursor.failure = self.notify_of_failures(cursor.failure)?;
        self.tasks.ledger.advance(&cursor.to_string())?;
        Ok(taken)
    }

    /// Does with each burst what was decided; how many became tasks, and the first message that still waits.
    fn take_all(
        &mut self,
        bursts: Vec<Burst>,
        now: Timestamp,
    ) -> Result<(usize, Option<i64>), WhatsappSourceError> {
        let mut held: Option<i64> = None;
        let mut hold = |burst: &Burst| {
            let first = burst.messages.first().map(|message| message.seq);
            held = held.into_iter().chain(first).min();
        };
        let mut room = None;
        let (mut taken, mut more) = (0, 0);
        let mut listed = Vec::new();
        self.due = None;
        for burst in bursts {
            match burst.fate {
                BurstFate::Skip => self.skip(&burst)?,
                BurstFate::List => listed.push(burst),
                BurstFate::Wait(until) => {
                    self.due = self.due.into_iter().chain([until]).min();
                    hold(&burst);
                }
                BurstFate::Task => {
                    let left = match room {
                        Some(left) => left,
                        None => MAX_WAITING.saturating_sub(self.tasks.waiting()?),
                    };
                    room = Some(left.saturating_sub(1));
                    if left == 0 {
                        more += 1;
                        hold(&burst);
                    } else if self.take(&burst, now)? {
                        taken += 1;
                    }
                }
            }
        }
        self.notify_of_more(more)?;
        let may_tell = self.listed.is_none_or(|at| now >= at + LIST_EVERY);
        if let (Some(at), false) = (self.listed, may_tell) {
            if !listed.is_empty() {
                self.due = self.due.into_iter().chain([at + LIST_EVERY]).min();
            }
            listed.iter().for_each(&mut hold);
        } else if !listed.is_empty() {
            self.notify(&list_line(&listed))?;
            self.listed = Some(now);
            for burst in &listed {
                self.skip(burst)?;
            }
        }
        Ok((taken, held))
    }

    fn skip(&self, burst: &Burst) -> Result<(), WhatsappSourceError> {
        for message in &burst.messages {
            self.tasks.ledger.skip(&key(message))?;
        }
        Ok(())
    }

    /// Makes the task of a burst; whether it is new.
    fn take(&mut self, burst: &Burst, now: Timestamp) -> Result<bool, WhatsappSourceError> {
        let Some(first) = burst.messages.first() else {
            return Ok(false);
        };
        let identity = format!("whatsapp {} {}", self.config.phone_number_id, first.id);
        let task = task::task_id(identity.as_bytes());
        let mut shown = self.store.messages(&burst.chat.id, SHOWN)?;
        shown.reverse();
        let note = task_note(task, &burst.chat, &burst.messages, &shown, now).render();
        let keys: Vec<String> = burst.messages.iter().map(key).collect();
        let present = tasks_in(&self.tasks.vault, &TASK_FOLDERS)?;
        let is_new = self
            .tasks
            .take::<WhatsappSourceError>(&identity, &keys, task, &note, &present)?;
        if is_new {
            let messages = burst.messages.len();
            info!(%task, messages, "a conversation on WhatsApp became a task");
        }
        Ok(is_new)
    }

    fn notify(&self, headline: &str) -> Result<(), WhatsappSourceError> {
        Ok(self.tasks.notify(self.agent.as_ref(), headline)?)
    }

    /// Tells the owner once that more conversations wait than became tasks.
    fn notify_of_more(&mut self, more: usize) -> Result<(), WhatsappSourceError> {
        if more > 0 && !self.has_notified_more {
            self.notify(&format!(
                "{more} more conversations on WhatsApp wait. {MAX_WAITING} tasks of such wait already; the others follow \
                 when these are done."
            ))?;
        }
        self.has_notified_more = more > 0;
        Ok(())
    }

    /// Tells the owner of each message that WhatsApp did not deliver; how far that was read.
    fn notify_of_failures(&self, after: i64) -> Result<i64, WhatsappSourceError> {
        let mut last = after;
        for failure in self.store.failures(after, 50)? {
            self.notify(&failure_line(&failure))?;
            last = failure.seq;
        }
        Ok(last)
    }
}

/// How a message is remembered.
fn key(message: &StoredMessage) -> String {
    format!("message:{}", message.id)
}

/// What the owner is told of messages that become no task.
fn list_line(bursts: &[Burst]) -> String {
    let count: usize = bursts.iter().map(|burst| burst.messages.len()).sum();
    let named = bursts.iter().take(MAX_NAMED);
    let named: Vec<String> = named
        .map(|burst| one_line(&burst.chat.title(), 60))
        .collect();
    let more = match bursts.len().saturating_sub(MAX_NAMED) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let messages = match count {
        1 => "1 message".to_owned(),
        count => format!("{count} messages"),
    };
    format!(
        "WhatsApp: {messages} of people to whom you have never written, or in groups; nothing is drafted for them: \
         {}{more}",
        named.join("; ")
    )
}

fn failure_line(failure: &Failure) -> String {
    let to = failure.chat.as_ref().map(|chat| chat.title());
    let to = to.unwrap_or_else(|| "somebody".to_owned());
    format!(
        "WhatsApp did not deliver your message to {}: {}",
        one_line(&to, 80),
        one_line(&failure.words, 150)
    )
}

impl Source for WhatsappSource {
    type Error = WhatsappSourceError;

    fn ready(&self) -> &'static str {
        "watching WhatsApp for conversations"
    }

    /// What is in the store is taken in also while nothing can be received.
    async fn poll(&mut self) -> Result<usize, WhatsappSourceError> {
        let received = self.receive().await;
        let taken = self.pass()?;
        received.map(|()| taken)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), WhatsappSourceError> {
        let until = self.due.map_or(at_most, time_left).min(at_most);
        let _ = tokio::time::timeout(until, self.arrived.notified()).await;
        Ok(())
    }

    fn is_lasting(error: &WhatsappSourceError) -> bool {
        match error {
            WhatsappSourceError::Ledger(error) => error.is_lasting(),
            WhatsappSourceError::Store(error) => {
                matches!(error, StoreError::Newer { .. } | StoreError::Open { .. })
            }
            WhatsappSourceError::Receiver(error) => matches!(error, ReceiverError::Secret { .. }),
            _ => false,
        }
    }
}

/// How long it is until a moment, and a little more.
fn time_left(until: Timestamp) -> Duration {
    let left = until.duration_since(SystemClock.now());
    Duration::try_from(left).unwrap_or(Duration::ZERO) + Duration::from_millis(20)
}
