//! [`Network`]: what is asked of a social network without changing anything there.
//!
//! Lives elsewhere: the networks themselves, in [`crate::bluesky`] and [`crate::mastodon`]; publishing, in the crate
//! `platinum-social`.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;

use crate::bluesky::Bluesky;
use crate::config::{AccountConfig, NetworkKind};
use crate::error::SocialError;
use crate::http::CallLimits;
use crate::limits::Limits;
use crate::mastodon::Mastodon;
use crate::post::SeenPost;
use crate::text::Entity;

/// What a mention leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mention {
    /// An account, by the id that the network gives it.
    Account(String),
    /// To nobody: the network has no such account.
    Nobody,
    /// That cannot be asked without a token.
    NotAsked,
}

/// A social network, as one account of it sees it.
#[async_trait]
pub trait Network: Debug + Send + Sync {
    /// What it takes, as it says itself.
    ///
    /// # Errors
    /// If it cannot be asked, or says no.
    async fn limits(&self) -> Result<Limits, SocialError>;

    /// The account's name, as a person writes it without the `@`.
    ///
    /// # Errors
    /// If it cannot be asked, or has no such account.
    async fn handle(&self) -> Result<String, SocialError>;

    /// What it makes of a text: links, mentions, tags.
    fn entities(&self, text: &str) -> Vec<Entity>;

    /// Whom a mention, with its `@`, leads to.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn find_account(&self, mention: &str) -> Result<Mention, SocialError>;

    /// A post by its id or its address; none if there is none.
    ///
    /// # Errors
    /// If it cannot be asked, or the reference can be none of its.
    async fn get_post(&self, reference: &str) -> Result<Option<SeenPost>, SocialError>;

    /// The account's own posts, the newest first, at most so many; those that answer others only with `replies`.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn own_posts(&self, limit: usize, replies: bool) -> Result<Vec<SeenPost>, SocialError>;
}

/// The network of an account.
///
/// # Errors
/// If the system's certificates cannot be read.
pub fn open_network(
    account: &AccountConfig,
    limits: CallLimits,
) -> Result<Arc<dyn Network>, SocialError> {
    Ok(match account.network {
        NetworkKind::Bluesky => Arc::new(Bluesky::open(account, limits)?),
        NetworkKind::Mastodon => Arc::new(Mastodon::open(account, limits)?),
    })
}
