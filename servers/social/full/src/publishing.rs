//! `publish_post` and `create_post`: a thread, part by part, and what an attempt comes to.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use platinum_social_client::check::part_name;
use platinum_social_client::http::CallLimits;
use platinum_social_client::{Config, Post, SocialError};
use platinum_social_draft::{ServiceError, SocialService};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::key::PostKey;
use crate::media::read_files;
use crate::publisher::{Failure, Pace, Part, Published, Publisher, open_publisher};

/// What to publish.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PublishArguments {
    /// The id of the draft, the same over all attempts: `draft_<ULID>`.
    pub reference: String,
    /// The time of the approval, as RFC 3339: the time that the post says of itself.
    pub at: String,
    /// The post, with the data of its files.
    pub post: Post,
}

/// What to publish without a draft.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateArguments {
    /// A name that the client chooses for this post, the same over all calls for it.
    pub operation: String,
    /// Its time, as RFC 3339, the same over all calls for it.
    pub at: String,
    /// The post, with the data of its files.
    pub post: Post,
}

/// What became of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is done, by this call or before.
    Done,
    /// It is certainly not done, or not whole.
    NotDone,
    /// It may be done.
    Unknown,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PublishAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_done`: whether the same call may succeed later.
    pub retry: bool,
    /// With `not_done`: whether that is because the post is not one that can be published, or is not what was approved.
    pub differs: bool,
    /// What happened, or went wrong.
    pub answer: String,
    /// The addresses of the parts that are published, in their order.
    pub parts: Vec<String>,
}

/// The accounts of a server that acts.
#[derive(Debug)]
pub struct ActingService {
    pub(crate) social: SocialService,
    publishers: BTreeMap<String, Arc<dyn Publisher>>,
    /// Held over looking and publishing, so that two calls do not both find nothing.
    turn: Mutex<()>,
}

impl AsRef<SocialService> for ActingService {
    fn as_ref(&self) -> &SocialService {
        &self.social
    }
}

impl ActingService {
    /// The accounts of a configuration. Their servers are asked at the first use.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(config: &Config) -> Result<Self, SocialError> {
        Self::with_limits(config, CallLimits::default(), Pace::default())
    }

    /// As [`ActingService::open`], with other limits.
    ///
    /// # Errors
    /// As [`ActingService::open`].
    pub fn with_limits(
        config: &Config,
        limits: CallLimits,
        pace: Pace,
    ) -> Result<Self, SocialError> {
        let mut publishers = BTreeMap::new();
        for (name, account) in &config.accounts {
            publishers.insert(name.clone(), open_publisher(account, limits, pace)?);
        }
        Ok(Self {
            social: SocialService::with_limits(config, limits)?,
            publishers,
            turn: Mutex::default(),
        })
    }

    /// The network of a post's account.
    pub(crate) fn publisher(&self, post: &Post) -> Result<&dyn Publisher, ServiceError> {
        self.social.account(&post.account)?;
        match self.publishers.get(&post.account) {
            Some(publisher) => Ok(&**publisher),
            None => Err(argument("account", "is none that can publish")),
        }
    }

    /// Publishes what was approved: each part at most once.
    ///
    /// # Errors
    /// If an argument cannot be used, or the network cannot be asked at first: nothing was tried, and what an earlier
    /// call did is not known.
    pub async fn publish_post(
        &self,
        arguments: &PublishArguments,
    ) -> Result<PublishAnswer, ServiceError> {
        let key = PostKey::of_draft(&arguments.reference)
            .map_err(|problem| argument("reference", problem))?;
        self.publish(&key, read_time(&arguments.at)?, &arguments.post)
            .await
    }

    /// Publishes a post that has no draft: each part at most once for an operation.
    ///
    /// # Errors
    /// As [`ActingService::publish_post`].
    pub async fn create_post(
        &self,
        arguments: &CreateArguments,
    ) -> Result<PublishAnswer, ServiceError> {
        let at = read_time(&arguments.at)?;
        let millis =
            u64::try_from(at.as_millisecond()).map_err(|_| argument("at", "is before 1970"))?;
        let key = PostKey::new(arguments.operation.trim(), millis)
            .map_err(|problem| argument("operation", problem))?;
        self.publish(&key, at, &arguments.post).await
    }

    async fn publish(
        &self,
        key: &PostKey,
        at: Timestamp,
        post: &Post,
    ) -> Result<PublishAnswer, ServiceError> {
        let publisher = self.publisher(post)?;
        let _turn = self.turn.lock().await;
        if let Some(fault) = platinum_social_client::check::refuse_size(post) {
            return Ok(differing(fault, &[]));
        }
        let found = publisher.find(key, post).await?;
        if let Some(index) = found
            .iter()
            .position(|part| part.as_ref().is_some_and(|part| !part.is_same))
        {
            let name = part_name(index, post.parts.len());
            let answer = format!("{name} is published already, with another text");
            return Ok(differing(answer, &found));
        }
        // Behind the last part that is there: one before it that is not was deleted, and is not published again.
        let next = found
            .iter()
            .rposition(Option::is_some)
            .map_or(0, |last| last + 1);
        if next > 0 && next == found.len() {
            return Ok(done("it was published before", &found));
        }
        let files = match read_files(post) {
            Ok(files) => files,
            Err(fault) => return Ok(differing(fault, &found)),
        };
        let checked = self.social.check(post).await?;
        if !checked.faults.is_empty() {
            return Ok(differing(checked.faults.join("; "), &found));
        }
        let mut parts = found;
        let media = match next {
            0 if !files.is_empty() => match publisher.upload(&files).await {
                Ok(media) => media,
                Err(failure) => return Ok(failed(failure, &parts, 0)),
            },
            _ => vec![],
        };
        for index in next..post.parts.len() {
            let previous = parts.get(..index).unwrap_or_default();
            let part = Part {
                key,
                at,
                post,
                index,
                previous: previous.iter().flatten().next_back(),
                media: if index == 0 { &media } else { &[] },
            };
            match publisher.publish(&part).await {
                Ok(published) if published.is_same => {
                    if let Some(place) = parts.get_mut(index) {
                        *place = Some(published);
                    }
                }
                Ok(_) => {
                    let name = part_name(index, post.parts.len());
                    let answer = format!("{name} is published already, with another text");
                    return Ok(differing(answer, &parts));
                }
                Err(failure) => {
                    let answer = failed(failure, &parts, index);
                    tracing::warn!(
                        account = post.account,
                        answer = answer.answer,
                        "not published"
                    );
                    return Ok(answer);
                }
            }
        }
        let answer = match addresses(&parts).as_slice() {
            [address] => format!("published at {address}"),
            [address, ..] => format!("{} posts are published, from {address} on", parts.len()),
            [] => "published".to_owned(),
        };
        tracing::info!(account = post.account, answer, "published");
        Ok(done(&answer, &parts))
    }
}

fn argument(field: &'static str, problem: &str) -> ServiceError {
    ServiceError::Argument {
        field,
        problem: problem.to_owned(),
    }
}

fn read_time(text: &str) -> Result<Timestamp, ServiceError> {
    text.trim()
        .parse()
        .map_err(|_| argument("at", "must be a time such as 2026-05-01T12:00:00Z"))
}

/// Where the parts are that are there.
fn addresses(parts: &[Option<Published>]) -> Vec<String> {
    let there = parts.iter().flatten();
    there.map(|part| part.address.clone()).collect()
}

fn done(answer: &str, parts: &[Option<Published>]) -> PublishAnswer {
    PublishAnswer {
        outcome: Outcome::Done,
        retry: false,
        differs: false,
        answer: answer.to_owned(),
        parts: addresses(parts),
    }
}

/// The post is not one that can be published, or not what was approved.
fn differing(answer: String, parts: &[Option<Published>]) -> PublishAnswer {
    let there = parts.iter().flatten().count();
    PublishAnswer {
        outcome: Outcome::NotDone,
        retry: false,
        differs: true,
        answer: match there {
            0 => answer,
            there => format!("{there} of {} posts are published; {answer}", parts.len()),
        },
        parts: addresses(parts),
    }
}

/// A part was not published, or that is not known.
fn failed(failure: Failure, parts: &[Option<Published>], index: usize) -> PublishAnswer {
    let there = parts.iter().flatten().count();
    let name = part_name(index, parts.len());
    let (outcome, retry, answer) = match failure {
        Failure::NotDone { retry, words } => (Outcome::NotDone, retry, words),
        Failure::Unknown(words) => {
            let answer = format!("whether {name} is published is not known: {words}");
            (Outcome::Unknown, false, answer)
        }
    };
    let answer = match (there, outcome) {
        (0, _) => answer,
        (there, Outcome::NotDone) => {
            format!(
                "{there} of {} posts are published; {name} is not: {answer}",
                parts.len()
            )
        }
        (there, _) => format!("{there} of {} posts are published; {answer}", parts.len()),
    };
    PublishAnswer {
        outcome,
        retry,
        differs: false,
        answer,
        parts: addresses(parts),
    }
}
