//! The mailbox of one account as a [`Source`]: take in what is new, wait for more.

use std::{
    collections::HashSet,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use clap::{Args, builder::TypedValueParser as _};
use platinum_core::{Backoff, Clock as _, SystemClock};
use platinum_mailbox::{
    Account, Backend, Config, Cursor, Mailbox, MailboxError, Wake, config,
    own_addresses::learn_from_sent,
};
use platinum_vault::{Vault, VaultError};
use tracing::{debug, error, info};

use super::intake::{Intake, IntakeError, Taken, uid_of};
use crate::{
    accounting::pdf::PdfReader,
    ledger::{Ledger, LedgerError},
    source::{self, Source},
};

const BATCH: usize = 20;
/// How often a mailbox with a refused login is tried; it asks its server far less often.
const LOGIN_RETRY: Duration = Duration::from_secs(10);
/// How long the addresses that the sent mails show are known before they are looked at again.
const LEARNT_FOR: Duration = Duration::from_secs(12 * 60 * 60);
/// How soon again if they could not be.
const LEARN_AGAIN: Duration = Duration::from_secs(10 * 60);
/// Signs in a row with no new mail behind them that are followed at once.
const IDLE_SIGNS: u32 = 4;
const LONGEST_FOLLOWING: Duration = Duration::from_secs(5);

/// What to watch.
#[derive(Debug, Clone, Args)]
pub struct Settings {
    /// The file with the mail accounts (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// Which account of the file.
    #[arg(long)]
    pub account: String,
    /// The vault that gets the tasks.
    #[arg(long)]
    pub vault: PathBuf,
    /// The folder that remembers what was seen; not inside the vault.
    #[arg(long)]
    pub state: PathBuf,
    /// The zone `accounting` is set up here: bills and requests for invoices become its tasks.
    #[arg(long)]
    pub accounting: bool,
    /// Look once and end, instead of waiting for more.
    #[arg(long)]
    pub once: bool,
    /// At the first start on IMAP: how many of the newest mails that are there already
    /// become tasks. A Maildir's unread mails always do.
    #[arg(long, default_value_t = 0)]
    pub backlog: usize,
    /// At the first start: so many of the newest mails become tasks, on IMAP and Maildir, read, answered or
    /// not. For a trial in a vault of its own.
    #[arg(long, conflicts_with = "backlog")]
    pub past: Option<usize>,
    /// Look at least this often, in seconds, even without a sign from the mailbox.
    #[arg(
        long,
        default_value = "60",
        value_parser = clap::value_parser!(u64).range(1..=1500).map(Duration::from_secs)
    )]
    pub every: Duration,
}

/// Why the watcher ended.
#[derive(Debug, thiserror::Error)]
pub enum WatchError {
    /// The configuration file cannot be used; it is named in the error.
    #[error(transparent)]
    Config(#[from] config::ConfigError),
    /// The file has no such account.
    #[error("{path} has no account `{account}`; it has: {known}")]
    NoAccount {
        /// Which file.
        path: PathBuf,
        /// The account asked for.
        account: String,
        /// Those there are.
        known: String,
    },
    /// The state would be synced.
    #[error("the state folder {0} is inside the vault; choose one outside")]
    StateInVault(PathBuf),
    /// The vault cannot be opened.
    #[error("cannot open the vault {path}: {source}")]
    Vault {
        /// Which one.
        path: PathBuf,
        /// What is wrong.
        source: VaultError,
    },
    /// The system does not say where this program is, which reads PDFs.
    #[error("cannot find this program itself, which reads PDFs: {0}")]
    Program(std::io::Error),
    /// The mailbox cannot be read.
    #[error("cannot read the mailbox: {0}")]
    Mailbox(#[from] MailboxError),
    /// A mail cannot be taken in.
    #[error(transparent)]
    Intake(#[from] IntakeError),
    /// The work was called off.
    #[error("a step of the work was called off: {0}")]
    CalledOff(#[from] tokio::task::JoinError),
}

impl From<LedgerError> for WatchError {
    fn from(error: LedgerError) -> Self {
        Self::Intake(error.into())
    }
}

/// Opens everything and watches. Comes back after one look with [`Settings::once`], otherwise
/// only with an error; drop the future to end it, at any moment.
///
/// # Errors
/// Whatever a person has to mend. Passing troubles are logged and tried again, except with
/// [`Settings::once`].
pub async fn watch(settings: &Settings) -> Result<(), WatchError> {
    let account = account(settings)?;
    if source::is_inside(&settings.state, &settings.vault) {
        return Err(WatchError::StateInVault(settings.state.clone()));
    }
    let vault = Vault::open(&settings.vault).map_err(|source| WatchError::Vault {
        path: settings.vault.clone(),
        source,
    })?;
    // The account's name is one of letters, digits, `-` and `_`: the configuration sees to that.
    let ledger = Ledger::open(&settings.state.join(format!("mail-{}.sqlite", account.name)))?;
    let mailbox = platinum_mailbox::open(&account)?;
    let mut intake = Intake::new(vault, ledger, &account);
    if settings.accounting {
        intake = intake.with_accounting(PdfReader::own_process().map_err(WatchError::Program)?);
    }
    let watcher = Watcher {
        intake: Arc::new(intake),
        mailbox,
        backlog: settings.backlog,
        past: settings.past,
        is_once: settings.once,
        own_addresses: LearntAddresses {
            account: account.clone(),
            addresses: Vec::new(),
            due: Instant::now(),
        },
        cursor: None,
        idle_signs: 0,
        refused: None,
    };
    info!(account = account.name, "watching the mailbox");
    source::run(watcher, settings.every, settings.once).await
}

fn account(settings: &Settings) -> Result<Account, WatchError> {
    let config = Config::load(&settings.config)?;
    config
        .account(&settings.account)
        .cloned()
        .ok_or_else(|| WatchError::NoAccount {
            path: settings.config.clone(),
            account: settings.account.clone(),
            known: config
                .accounts
                .keys()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
        })
}

struct Watcher {
    intake: Arc<Intake>,
    mailbox: Box<dyn Mailbox>,
    backlog: usize,
    /// How many of the newest mails become tasks in a trial.
    past: Option<usize>,
    /// Whether there is one poll.
    is_once: bool,
    own_addresses: LearntAddresses,
    /// Where the mailbox was left; none before the first poll.
    cursor: Option<Cursor>,
    /// Signs in a row with no new mail behind them.
    idle_signs: u32,
    /// The refused login that was logged.
    refused: Option<String>,
}

/// The owner's further addresses, as the sent mails show them.
struct LearntAddresses {
    account: Account,
    addresses: Vec<String>,
    /// When they are looked at again, once there is a new mail.
    due: Instant,
}

impl LearntAddresses {
    /// Looks which addresses are the owner's, unless that is known. If it cannot be found out, those known stay.
    async fn refresh(&mut self, mailbox: &mut dyn Mailbox, intake: &Intake) {
        if self.due > Instant::now() {
            return;
        }
        match learn_from_sent(mailbox, &self.account).await {
            Ok(learnt) => {
                self.due = Instant::now() + LEARNT_FOR;
                if learnt != self.addresses {
                    let (addresses, account) = (learnt.join(", "), &self.account.name);
                    info!(
                        addresses,
                        "taken for your own addresses too, as your sent mails show; `aliases-from-sent = false` under \
                         [account.{account}] turns that off"
                    );
                }
                intake.learn_addresses(&self.account, &learnt);
                self.addresses = learnt;
            }
            Err(error) => {
                self.due = Instant::now() + LEARN_AGAIN;
                debug!(%error, "the sent mails were not looked at for further addresses");
            }
        }
    }
}

impl Source for Watcher {
    type Error = WatchError;

    fn ready(&self) -> &'static str {
        "the mailbox is read; waiting for mail"
    }

    async fn poll(&mut self) -> Result<usize, WatchError> {
        let mut cursor = match self.cursor.take() {
            Some(cursor) => cursor,
            None => {
                let cursor = self.begin().await?;
                if let Some(intake) = Arc::get_mut(&mut self.intake) {
                    intake.read_start()?;
                }
                cursor
            }
        };
        let taken = self.take_all(&mut cursor).await;
        self.cursor = Some(cursor);
        let mails = taken?;
        if mails > 0 {
            self.idle_signs = 0;
        }
        Ok(mails)
    }

    async fn wait(&mut self, at_most: Duration) -> Result<(), WatchError> {
        match self.mailbox.wait(at_most).await? {
            Wake::Changed => {
                debug!("the mailbox changed");
                // A server that signals without cause is followed ever more slowly.
                self.idle_signs = self.idle_signs.saturating_add(1);
                tokio::time::sleep(pause_after(self.idle_signs)).await;
            }
            Wake::TimedOut => self.idle_signs = 0,
        }
        self.refused = None;
        Ok(())
    }

    /// A refused login is waited out: a process that ends is started again and forgets how often
    /// it was refused.
    fn is_lasting(error: &WatchError) -> bool {
        !matches!(
            error,
            WatchError::Mailbox(error)
                if error.is_passing() || error.is_refused_login()
        )
    }

    /// A refused login is logged once: the mailbox itself sees to it that the server is not asked
    /// again soon, and asks it at once when the password is another.
    fn own_pause(&mut self, error: &WatchError) -> Option<Duration> {
        if !matches!(error, WatchError::Mailbox(error) if error.is_refused_login()) {
            return None;
        }
        let text = error.to_string();
        if self.refused.as_ref() != Some(&text) {
            error!("{text}");
            self.refused = Some(text);
        }
        Some(LOGIN_RETRY)
    }
}

impl Watcher {
    /// The place to read on from. At the very first start: after all mails that are there
    /// already, but for the backlog asked for (IMAP), or for the unread ones (Maildir).
    async fn begin(&mut self) -> Result<Cursor, WatchError> {
        if let Some(cursor) = self.intake.cursor()? {
            // The process may have ended before it came to what is wanted.
            return Ok(self.intake.rewound(&cursor)?);
        }
        let is_imap = matches!(self.own_addresses.account.backend, Backend::Imap(_));
        let backlog = (is_imap && self.backlog > 0).then_some(self.backlog);
        if let Some(count) = self.past.or(backlog) {
            return self.begin_with_newest(count).await;
        }
        let unread = match &self.own_addresses.account.backend {
            Backend::Maildir(maildir) => names_in(&maildir.path.join("new")),
            Backend::Imap(_) => HashSet::new(),
        };
        let cursor = self.mailbox.cursor_at_end().await?;
        let mut before = Vec::new();
        if !is_imap {
            // The names were listed first: a mail that is read just now is not taken for old.
            before = self.mailbox.keys().await?;
            before.retain(|key| !unread.contains(key));
        }
        self.intake.begin(&cursor, &before, SystemClock.now())?;
        Ok(cursor)
    }

    /// The place to read on from if only the newest mails count.
    async fn begin_with_newest(&mut self, count: usize) -> Result<Cursor, WatchError> {
        let mut cursor = self.mailbox.cursor_at_end().await?;
        let mut keys = self.mailbox.keys().await?;
        let is_imap = matches!(self.own_addresses.account.backend, Backend::Imap(_));
        if is_imap {
            let is_of_now = |(validity, _)| validity == cursor.uid_validity;
            keys.retain(|key| uid_of(key).is_some_and(is_of_now));
        }
        keys.sort_by(|one, other| (order(one), one).cmp(&(order(other), other)));
        let newest = keys.split_off(keys.len().saturating_sub(count));
        if is_imap {
            let first = newest.first().and_then(|key| uid_of(key));
            cursor.next_uid = first.map_or(cursor.next_uid, |(_, uid)| uid);
            // All before it are passed over by their number.
            keys.clear();
        }
        self.intake.begin(&cursor, &keys, SystemClock.now())?;
        Ok(cursor)
    }

    /// Takes in everything there is from the cursor on, batch by batch, and says how many mails there were. A
    /// trial also shows what would have been drafted for what was answered since.
    async fn take_all(&mut self, cursor: &mut Cursor) -> Result<usize, WatchError> {
        let mut mails = 0;
        let intake = Arc::clone(&self.intake);
        let (taking_up, now) = (Arc::clone(&intake), SystemClock.now());
        let taken_up =
            tokio::task::spawn_blocking(move || taking_up.take_up_left_out(now)).await??;
        if taken_up > 0 {
            info!(
                mails = taken_up,
                "older mails that were left out are taken in"
            );
            *cursor = intake.rewound(cursor)?;
            intake.advance(cursor)?;
        }
        loop {
            let finishing = Arc::clone(&intake);
            let finished = tokio::task::spawn_blocking(move || finishing.finish()).await??;
            if finished > 0 {
                info!(finished, "finished tasks that were cut short");
            }
            let seen = |key: &str| intake.knows(key);
            let new = self.mailbox.poll_new(cursor, BATCH, &seen).await?;
            mails += new.mails.len();
            if !new.mails.is_empty() {
                self.own_addresses
                    .refresh(&mut *self.mailbox, &intake)
                    .await;
            }
            for mut mail in new.mails {
                mail.answered &= self.past.is_none();
                let taking = Arc::clone(&intake);
                let taken =
                    tokio::task::spawn_blocking(move || taking.take(&mail, SystemClock.now()))
                        .await??;
                match taken {
                    Taken::Created(task) => info!(%task, "a new mail became a task"),
                    Taken::Known(task) => {
                        info!(%task, "a mail came again; its task is there already");
                    }
                    Taken::Old => debug!("a mail from before the first start is no task"),
                    Taken::LeftOut => debug!("an old mail is not drafted by itself"),
                    Taken::Answered => info!("a mail that was answered already is no task"),
                    Taken::Seen | Taken::Own => {}
                }
            }
            if new.cursor != *cursor {
                intake.advance(&new.cursor)?;
                *cursor = new.cursor;
            }
            if !new.more {
                let reporting = Arc::clone(&intake);
                let (now, is_once) = (SystemClock.now(), self.is_once);
                let report =
                    tokio::task::spawn_blocking(move || reporting.report_left_out(now, is_once));
                if let Some(task) = report.await?? {
                    info!(%task, "older mails came into the inbox; they are listed, not drafted");
                }
                return Ok(mails);
            }
        }
    }
}

/// Where a mail stands in the order in which they came: its UID, or the time with which a Maildir's names
/// begin.
fn order(key: &str) -> u64 {
    match uid_of(key) {
        Some((_, uid)) => u64::from(uid),
        None => {
            let digits = key.split(|c: char| !c.is_ascii_digit()).next();
            digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
        }
    }
}

/// The files of a folder, without their flags.
fn names_in(folder: &Path) -> HashSet<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    names
        .map(|name| name.split(":2,").next().unwrap_or(&name).to_owned())
        .collect()
}

/// How long to wait after this many signs in a row that brought no mail.
fn pause_after(idle_signs: u32) -> Duration {
    match idle_signs.checked_sub(IDLE_SIGNS) {
        None => Duration::ZERO,
        Some(more) => Backoff::new(Duration::from_millis(100), LONGEST_FOLLOWING).delay(more),
    }
}
