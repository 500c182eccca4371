//! [`Publisher`]: a network that publishes the parts of a post, one after the other.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use platinum_social_client::http::CallLimits;
use platinum_social_client::{AccountConfig, NetworkKind, Post, SocialError};
use serde_json::Value;

use crate::bluesky::BlueskyPublisher;
use crate::key::PostKey;
use crate::mastodon::MastodonPublisher;
use crate::media::MediaFile;

/// How often something is tried, and how long is waited between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// At most so many attempts in one call.
    pub attempts: u32,
    /// The wait before the second one; before the next one it is longer.
    pub pause: Duration,
    /// How often a server is asked whether it has prepared a file.
    pub media_polls: u32,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempts: 3,
            pause: Duration::from_secs(2),
            media_polls: 30,
        }
    }
}

/// A part that is published.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// By which the network knows it.
    pub id: String,
    /// Where a person sees it.
    pub address: String,
    /// Whether its text is the one that was asked for.
    pub is_same: bool,
    /// What an answer to it has to say; of Bluesky alone.
    pub reference: Value,
}

/// A part to publish.
#[derive(Debug, Clone, Copy)]
pub struct Part<'a> {
    /// The names of the parts.
    pub key: &'a PostKey,
    /// The time that the post says of itself.
    pub at: Timestamp,
    /// The post that it is of.
    pub post: &'a Post,
    /// Which one, from 0.
    pub index: usize,
    /// The one before it.
    pub previous: Option<&'a Published>,
    /// What uploading the files answered; of the first part.
    pub media: &'a [Value],
}

impl Part<'_> {
    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.post.parts.get(self.index).map_or("", String::as_str)
    }
}

/// Why a part was not published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// It certainly was not.
    NotDone {
        /// Whether the same call may succeed later.
        retry: bool,
        /// In words.
        words: String,
    },
    /// It may have been.
    Unknown(String),
}

impl Failure {
    /// It failed before anything was done.
    #[must_use]
    pub fn before(error: &SocialError) -> Self {
        Self::NotDone {
            retry: error.is_passing(),
            words: error.to_string(),
        }
    }
}

/// A network that publishes.
#[async_trait]
pub trait Publisher: Debug + Send + Sync {
    /// Which parts are there.
    ///
    /// # Errors
    /// If the network cannot be asked.
    async fn find(&self, key: &PostKey, post: &Post)
    -> Result<Vec<Option<Published>>, SocialError>;

    /// Uploads files, which nobody sees before a part refers to them.
    ///
    /// # Errors
    /// If one is not taken; nothing is published.
    async fn upload(&self, files: &[MediaFile]) -> Result<Vec<Value>, Failure>;

    /// Publishes a part, once.
    ///
    /// # Errors
    /// If it was not, or that is not known.
    async fn publish(&self, part: &Part<'_>) -> Result<Published, Failure>;
}

/// The network of an account.
///
/// # Errors
/// If the system's certificates cannot be read.
pub fn open_publisher(
    account: &AccountConfig,
    limits: CallLimits,
    pace: Pace,
) -> Result<Arc<dyn Publisher>, SocialError> {
    Ok(match account.network {
        NetworkKind::Bluesky => Arc::new(BlueskyPublisher::open(account, limits, pace)?),
        NetworkKind::Mastodon => Arc::new(MastodonPublisher::open(account, limits, pace)?),
    })
}

/// Waits before an attempt, counted from 0: not before the first.
pub(crate) async fn wait_before(attempt: u32, pause: Duration) {
    if attempt > 0 {
        tokio::time::sleep(pause * attempt).await;
    }
}
