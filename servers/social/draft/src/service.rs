//! [`SocialService`]: the accounts that the tools are about. No MCP here: see [`crate::tools`].

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use platinum_social_client::http::CallLimits;
use platinum_social_client::network::open_network;
use platinum_social_client::{AccountConfig, Config, Limits, Network, Post, SocialError};
use tokio::sync::Mutex;

use crate::checking::{Checked, check};
use crate::store::{DraftStore, StoreError};

/// For how long a network's limits are taken for true.
const LIMITS_AGE: Duration = Duration::from_secs(3_600);

/// What went wrong, in one line for the model or the person that called.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// Something that was given cannot be used.
    #[error("`{field}` {problem}")]
    Argument {
        /// The argument.
        field: &'static str,
        /// What is wrong, what to give.
        problem: String,
    },
    /// The configuration has no such account.
    #[error("there is no account `{name}`; the accounts are {known}")]
    NoAccount {
        /// The name that was given.
        name: String,
        /// All names there are.
        known: String,
    },
    /// There is no such post.
    #[error("there is no post `{0}` that this account may see")]
    NoPost(String),
    /// The post is not one that its network takes.
    #[error("the post cannot be drafted: {0}")]
    Faults(String),
    /// A server could not be asked, or said no.
    #[error(transparent)]
    Social(#[from] SocialError),
    /// A draft could not be saved or read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This server drafts only with tokens that can do nothing but read, and this one can.
    #[error("no draft was saved: {0}")]
    CanAct(String),
    /// This server drafts only with tokens that can do nothing but read, and that cannot be found out now.
    #[error(
        "no draft was saved, because it is not known whether the token of `{account}` can only read: {source}"
    )]
    Unproven {
        /// The account.
        account: String,
        /// Why.
        source: SocialError,
    },
}

/// An account, and its network.
#[derive(Debug)]
pub struct OpenAccount {
    /// Its settings.
    pub config: AccountConfig,
    /// Its network.
    pub network: Arc<dyn Network>,
    /// What the network takes, and since when that is known.
    limits: Mutex<Option<(Instant, Limits)>>,
    /// Whether the token is proven to be one that can only read.
    pub(crate) is_reader: Mutex<bool>,
}

impl OpenAccount {
    /// What the network takes; asked at most once an hour.
    ///
    /// # Errors
    /// If it cannot be asked.
    pub async fn limits(&self) -> Result<Limits, SocialError> {
        let mut known = self.limits.lock().await;
        match &*known {
            Some((since, limits)) if since.elapsed() < LIMITS_AGE => Ok(limits.clone()),
            _ => {
                let limits = self.network.limits().await?;
                *known = Some((Instant::now(), limits.clone()));
                Ok(limits)
            }
        }
    }
}

/// The accounts of a configuration, and the drafts.
#[derive(Debug)]
pub struct SocialService {
    accounts: BTreeMap<String, OpenAccount>,
    pub(crate) store: DraftStore,
    pub(crate) call_limits: CallLimits,
    pub(crate) needs_proof: bool,
}

impl AsRef<Self> for SocialService {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl SocialService {
    /// The accounts of a configuration. Their servers are asked at the first use.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(config: &Config) -> Result<Self, SocialError> {
        Self::with_limits(config, CallLimits::default())
    }

    /// As [`SocialService::open`], with other limits.
    ///
    /// # Errors
    /// As [`SocialService::open`].
    pub fn with_limits(config: &Config, limits: CallLimits) -> Result<Self, SocialError> {
        let mut accounts = BTreeMap::new();
        for (name, account) in &config.accounts {
            let open = OpenAccount {
                config: account.clone(),
                network: open_network(account, limits)?,
                limits: Mutex::default(),
                is_reader: Mutex::default(),
            };
            accounts.insert(name.clone(), open);
        }
        Ok(Self {
            accounts,
            store: DraftStore::new(&config.state),
            call_limits: limits,
            needs_proof: false,
        })
    }

    /// The same, that saves drafts only for accounts whose token can do nothing but read.
    #[must_use]
    pub fn drafter_only(mut self) -> Self {
        self.needs_proof = true;
        self
    }

    /// All accounts, by their names.
    pub fn accounts(&self) -> impl Iterator<Item = (&str, &OpenAccount)> {
        self.accounts
            .iter()
            .map(|(name, account)| (name.as_str(), account))
    }

    /// The account of this name.
    ///
    /// # Errors
    /// If there is none.
    pub fn account(&self, name: &str) -> Result<&OpenAccount, ServiceError> {
        self.accounts.get(name).ok_or_else(|| {
            let known: Vec<&str> = self.accounts.keys().map(String::as_str).collect();
            ServiceError::NoAccount {
                name: platinum_text::one_line(name, 60),
                known: known.join(", "),
            }
        })
    }

    /// Checks a post against its network: lengths, files, whom it mentions, what it answers.
    ///
    /// # Errors
    /// If the network cannot be asked.
    pub async fn check(&self, post: &Post) -> Result<Checked, ServiceError> {
        match self.account(&post.account) {
            Ok(account) => check(account, post).await,
            // A fault of the draft: the account that it names is not there.
            Err(error) => Ok(Checked::refused(error.to_string())),
        }
    }
}
