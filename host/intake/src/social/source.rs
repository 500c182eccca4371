//! [`SocialSource`]: posts that mention the owner become tasks, once each, if a rule of the handbook asks for an answer.
//!
//! What is not answered is listed in one note: those that no rule asks for, the owner's own posts, also those that a
//! bridge brought back, and those beyond a bound.
//! Invariants: networks are only read; one post is one task, however many accounts and hosts are notified of it, because
//! the task's id follows from the post; what an account was notified of before the first start is passed over; an account
//! that cannot be asked does not keep the others from it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
};

use clap::Args;
use jiff::SignedDuration;
use platinum_core::{Clock as _, SystemClock, TaskId, Timestamp, ZoneId, sha256_hex};
use platinum_social_client::{
    AccountConfig, Config, Network, SocialError, http::CallLimits, network::open_network,
};
use platinum_vault::VaultError;
use tracing::{info, warn};

use super::{
    note::{self, MAX_LISTED},
    notifications::{Mention, Notifications},
    own::OwnPosts,
    rules::SocialRules,
};
use crate::{
    ledger::{Ledger, LedgerError},
    notes::{TASK_FOLDERS, read_handbook, tasks_in},
    source::{Source, is_inside},
    text::one_line,
    zone_tasks::ZoneTasks,
};

/// The most tasks of this source that wait at once.
pub const MAX_WAITING: usize = 30;
/// So many mentions become tasks in an hour.
pub const MAX_AN_HOUR: usize = 20;
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// Pages of one account that are gone through at once.
const MAX_PAGES: usize = 10;
/// Own posts of each account among which one that came back is looked for.
const OWN_POSTS: usize = 50;

/// Which accounts to watch.
#[derive(Debug, Clone, Args)]
pub struct SocialSettings {
    /// The configuration file of the servers of social networks (TOML).
    #[arg(long)]
    pub config: PathBuf,
    /// The vault that gets the tasks.
    #[arg(long)]
    pub vault: PathBuf,
    /// The folder that remembers what was seen; not inside the vault.
    #[arg(long)]
    pub state: PathBuf,
    /// Look once and end, instead of waiting for more.
    #[arg(long)]
    pub once: bool,
    /// Look this often, in seconds.
    #[arg(long, default_value_t = 120, value_parser = clap::value_parser!(u64).range(5..=86400))]
    pub every: u64,
}

/// Why mentions cannot be taken in.
#[derive(Debug, thiserror::Error)]
pub enum SocialSourceError {
    /// The configuration file cannot be used; it is named in the error.
    #[error("{0}")]
    Config(String),
    /// The record of what was seen failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The vault cannot be read or written.
    #[error("cannot take in a mention: {0}")]
    Vault(#[from] VaultError),
    /// The state would be synced.
    #[error("the state folder {0} is inside the vault; choose one outside")]
    StateInVault(PathBuf),
    /// No account can be asked.
    #[error("no account of {0} has a `token` or `password` here: mentions are told to nobody else")]
    NoCredential(PathBuf),
    /// None of the networks can be asked.
    #[error(transparent)]
    Network(#[from] SocialError),
}

/// An account as the owner of posts.
#[derive(Debug)]
struct OwnAccount {
    account: AccountConfig,
    network: Arc<dyn Network>,
    /// Its name, once its network has said it.
    name: Option<String>,
}

/// What the accounts of one configuration are notified of.
#[derive(Debug)]
pub struct SocialSource {
    notified: Vec<Notifications>,
    /// Every account, for its own posts.
    own: Vec<OwnAccount>,
    tasks: ZoneTasks,
    start: Timestamp,
    /// Whether what is left out is listed at once: nobody waits for more.
    is_once: bool,
    /// Tasks of this hour: since when, and how many.
    hour: Option<(Timestamp, usize)>,
    /// What was said of accounts that cannot be asked.
    failed: BTreeMap<String, String>,
}

impl SocialSource {
    /// Opens the vault and the record. The networks are asked at the first poll.
    ///
    /// # Errors
    /// If one of them cannot be opened, another process works with the record, or no account can be asked.
    pub fn open(settings: &SocialSettings) -> Result<Self, SocialSourceError> {
        if is_inside(&settings.state, &settings.vault) {
            return Err(SocialSourceError::StateInVault(settings.state.clone()));
        }
        let config = Config::load(&settings.config)
            .map_err(|error| SocialSourceError::Config(error.to_string()))?;
        let mut notified = Vec::new();
        let mut own = Vec::new();
        for account in config.accounts.values() {
            match Notifications::of(account)? {
                Some(one) => notified.push(one),
                None => info!(
                    account = account.name,
                    "no token or password here: its mentions are not read"
                ),
            }
            own.push(OwnAccount {
                account: account.clone(),
                network: open_network(account, CallLimits::default())?,
                name: None,
            });
        }
        if notified.is_empty() {
            return Err(SocialSourceError::NoCredential(settings.config.clone()));
        }
        let mut tasks = ZoneTasks::open::<SocialSourceError>(
            &settings.vault,
            &settings.state,
            "social.sqlite",
            ZoneId::SOCIAL,
        )?;
        let start = tasks.started()?;
        Ok(Self {
            notified,
            own,
            tasks,
            start,
            is_once: settings.once,
            hour: None,
            failed: BTreeMap::new(),
        })
    }

    /// What is new of all accounts, oldest first.
    async fn unseen(&mut self) -> Result<Vec<Mention>, SocialSourceError> {
        let mut unseen: Vec<Mention> = Vec::new();
        let mut errors = Vec::new();
        for notified in &mut self.notified {
            let name = notified.account().to_owned();
            match unseen_of(notified, &self.tasks.ledger, self.start).await {
                Ok(mentions) => {
                    self.failed.remove(&name);
                    unseen.extend(mentions);
                }
                Err(SocialSourceError::Network(error)) => {
                    let why = error.to_string();
                    if self.failed.get(&name) != Some(&why) {
                        warn!(
                            "cannot read the mentions of {name}: {}",
                            one_line(&why, 300)
                        );
                        self.failed.insert(name, why);
                    }
                    errors.push(error);
                }
                Err(error) => return Err(error),
            }
        }
        if errors.len() == self.notified.len()
            && let Some(error) = errors.pop()
        {
            return Err(error.into());
        }
        unseen.sort_by_key(|mention| mention.noticed.or(mention.at));
        Ok(unseen)
    }

    /// What is known of the owner's own posts. Those of an account that cannot be asked now are missing: the skill looks
    /// for them once more before it answers.
    async fn own_posts(&mut self) -> OwnPosts {
        let mut posts = OwnPosts::default();
        for own in &mut self.own {
            match own.ask().await {
                Ok(lately) => posts.posts.extend(lately),
                Err(error) => warn!(
                    "cannot read your own posts of {}: {}",
                    own.account.name,
                    one_line(&error.to_string(), 300)
                ),
            }
            posts.accounts.extend(own.name.clone());
        }
        posts
    }

    /// One pass; answers how many mentions became tasks.
    async fn pass(&mut self) -> Result<usize, SocialSourceError> {
        self.tasks.finish::<SocialSourceError>()?;
        let unseen = self.unseen().await?;
        let mut taken = 0;
        if !unseen.is_empty() {
            let own = self.own_posts().await;
            let rules = SocialRules::parse(&read_handbook(&self.tasks.vault));
            let present = tasks_in(&self.tasks.vault, &TASK_FOLDERS)?;
            let mut waiting = self.tasks.waiting()?;
            for mention in &unseen {
                let now = SystemClock.now();
                let rule = own
                    .reason(&mention.author, &mention.text)
                    .map_or_else(
                        || {
                            rules
                                .answering(&mention.author, &mention.text)
                                .ok_or_else(no_rule)
                        },
                        Err,
                    )
                    .and_then(|rule| self.has_room(waiting, now).map(|()| rule));
                match rule {
                    Err(why) => {
                        let line = note::line(mention, &why);
                        self.tasks
                            .ledger
                            .leave_out(&key(mention), &line, false, now)?;
                    }
                    Ok(rule) => {
                        if self.take(mention, &rule, &present, now)? {
                            taken += 1;
                            waiting += 1;
                        }
                    }
                }
            }
        }
        self.report_left_out()?;
        Ok(taken)
    }

    /// Whether one more may become a task.
    fn has_room(&self, waiting: usize, now: Timestamp) -> Result<(), String> {
        if waiting >= MAX_WAITING {
            return Err(format!(
                "{MAX_WAITING} tasks of the zone social wait already"
            ));
        }
        match self.hour {
            Some((since, count)) if since > now - AN_HOUR && count >= MAX_AN_HOUR => Err(format!(
                "{MAX_AN_HOUR} mentions became tasks within the hour"
            )),
            _ => Ok(()),
        }
    }

    /// Makes the task of one mention; whether it is new.
    fn take(
        &mut self,
        mention: &Mention,
        rule: &str,
        present: &BTreeSet<TaskId>,
        now: Timestamp,
    ) -> Result<bool, SocialSourceError> {
        let note = note::note(mention, rule, now);
        let task = note.id;
        let (name, keys) = (&mention.name, [key(mention)]);
        let is_new =
            self.tasks
                .take::<SocialSourceError>(name, &keys, task, &note.render(), present)?;
        if is_new {
            let current = self.hour.filter(|(since, _)| *since > now - AN_HOUR);
            let (since, count) = current.unwrap_or((now, 0));
            self.hour = Some((since, count + 1));
            info!(%task, account = mention.account, "a mention became a task");
        }
        Ok(is_new)
    }

    /// Lists what was left out, when no more comes for a while.
    fn report_left_out(&mut self) -> Result<(), SocialSourceError> {
        let now = SystemClock.now();
        let Some(pending) = self.tasks.ledger.pending_left_out(MAX_LISTED)? else {
            return Ok(());
        };
        if !self.is_once && note::is_going_on(&pending, now) {
            return Ok(());
        }
        let report = note::report(&pending, now);
        let text = report.render();
        let identity = sha256_hex(report.id.to_string());
        self.tasks
            .ledger
            .list_left_out(report.id, &identity, &text)?;
        self.tasks.create(report.id, &text)
    }
}

impl OwnAccount {
    /// Its newest posts, address and text; and its name, if that is not known yet.
    async fn ask(&mut self) -> Result<Vec<(String, String)>, SocialError> {
        if self.name.is_none() {
            self.name = Some(self.network.handle().await?);
        }
        let posts = self.network.own_posts(OWN_POSTS, true).await?.into_iter();
        Ok(posts.map(|post| (post.address, post.text)).collect())
    }
}

/// What an account was notified of since the first start and is not known yet.
async fn unseen_of(
    notified: &mut Notifications,
    ledger: &Ledger,
    start: Timestamp,
) -> Result<Vec<Mention>, SocialSourceError> {
    let mut unseen = Vec::new();
    let mut from: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = notified.page(from.as_deref()).await?;
        let mut is_new = false;
        for mention in page.mentions {
            let is_old = mention.noticed.or(mention.at).is_some_and(|at| at < start);
            if !is_old && !ledger.knows(&key(&mention))? {
                is_new = true;
                unseen.push(mention);
            }
        }
        // A page without anything new: all behind it is older.
        if !is_new || page.next.is_none() {
            return Ok(unseen);
        }
        from = page.next;
    }
    warn!(
        "{} was notified of more than {} mentions: the older ones are not read",
        notified.account(),
        unseen.len()
    );
    Ok(unseen)
}

/// How a mention is remembered: for each account that was notified of it.
fn key(mention: &Mention) -> String {
    format!("mention:{}:{}", mention.account, sha256_hex(&mention.name))
}

fn no_rule() -> String {
    "no rule of your handbook asks for an answer".to_owned()
}

impl Source for SocialSource {
    type Error = SocialSourceError;

    fn ready(&self) -> &'static str {
        "watching social networks for mentions"
    }

    async fn poll(&mut self) -> Result<usize, SocialSourceError> {
        self.pass().await
    }

    fn is_lasting(error: &SocialSourceError) -> bool {
        match error {
            SocialSourceError::Ledger(error) => error.is_lasting(),
            SocialSourceError::Network(error) => matches!(error, SocialError::Setup(_)),
            _ => false,
        }
    }
}
