//! [`MastodonPublisher`]: a part at a time, and what an attempt comes to.

use async_trait::async_trait;
use platinum_social_client::http::{CallLimits, encode_form};
use platinum_social_client::mastodon::Mastodon;
use platinum_social_client::mastodon::status::Status;
use platinum_social_client::{AccountConfig, Post, SocialError};
use reqwest::Method;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;

use super::{compare, upload};
use crate::key::PostKey;
use crate::media::MediaFile;
use crate::publisher::{Failure, Pace, Part, Published, Publisher, wait_before};

/// An account on a server with Mastodon's API that publishes.
#[derive(Debug)]
pub struct MastodonPublisher {
    network: Mastodon,
    pace: Pace,
}

impl MastodonPublisher {
    /// The account of a configuration.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(
        account: &AccountConfig,
        limits: CallLimits,
        pace: Pace,
    ) -> Result<Self, SocialError> {
        Ok(Self {
            network: Mastodon::open(account, limits)?,
            pace,
        })
    }

    fn require_token(&self) -> Result<(), Failure> {
        match self.network.has_token() {
            true => Ok(()),
            false => Err(Failure::NotDone {
                retry: false,
                words: "the account has no `token` in the configuration, and cannot publish"
                    .to_owned(),
            }),
        }
    }

    /// The form of a part.
    async fn form(&self, part: &Part<'_>) -> Result<String, SocialError> {
        let mut pairs = vec![
            ("status", part.text().to_owned()),
            ("visibility", self.network.visibility().id().to_owned()),
        ];
        let reply = match (part.previous, &part.post.reply_to) {
            (Some(previous), _) => Some(previous.id.clone()),
            (None, Some(reference)) => match self.network.locate(reference).await? {
                Some(status) => Some(status.id),
                None => {
                    return Err(SocialError::Setup(
                        "the post that is answered is not there".to_owned(),
                    ));
                }
            },
            (None, None) => None,
        };
        pairs.extend(reply.map(|id| ("in_reply_to_id", id)));
        if let Some(warning) = &part.post.content_warning {
            pairs.push(("spoiler_text", warning.clone()));
            pairs.push(("sensitive", "true".to_owned()));
        }
        if let Some(language) = &part.post.language {
            pairs.push(("language", language.clone()));
        }
        for id in part.media.iter().filter_map(Value::as_str) {
            pairs.push(("media_ids[]", id.to_owned()));
        }
        let pairs: Vec<(&str, &str)> = pairs
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        Ok(encode_form(&pairs))
    }

    async fn post(&self, form: &str, key: &str) -> Result<Status, SocialError> {
        let request = self
            .network
            .request(Method::POST, "/api/v1/statuses", &[])
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("Idempotency-Key", key)
            .body(form.to_owned());
        let answer = self.network.send(request).await?;
        Status::read(&answer.body)
            .ok_or_else(|| self.network.endpoint().lost("it is no post".to_owned()))
    }

    /// What the server has taken. For a key that it knows it answers the post of then, which may be one of another text:
    /// the draft was edited since.
    async fn accepted(
        &self,
        status: &Status,
        part: &Part<'_>,
        keeps_keys: bool,
    ) -> Result<Published, Failure> {
        let mut published = published(status);
        if keeps_keys {
            let is_same = compare::is_text(&self.network, status, part.text(), &mut 1).await;
            published.is_same = is_same.map_err(|error| {
                Failure::Unknown(format!("the server took it, and has other words: {error}"))
            })?;
        }
        Ok(published)
    }
}

fn published(status: &Status) -> Published {
    Published {
        id: status.id.clone(),
        address: status.address().to_owned(),
        // Found by its text.
        is_same: true,
        reference: Value::Null,
    }
}

#[async_trait]
impl Publisher for MastodonPublisher {
    async fn find(
        &self,
        key: &PostKey,
        post: &Post,
    ) -> Result<Vec<Option<Published>>, SocialError> {
        let found = compare::find_parts(&self.network, key, post).await?;
        Ok(found
            .iter()
            .map(|status| status.as_ref().map(published))
            .collect())
    }

    async fn upload(&self, files: &[MediaFile]) -> Result<Vec<Value>, Failure> {
        self.require_token()?;
        let mut uploaded = Vec::new();
        for file in files {
            let id = upload::upload(&self.network, self.pace, file).await?;
            uploaded.push(Value::String(id));
        }
        Ok(uploaded)
    }

    async fn publish(&self, part: &Part<'_>) -> Result<Published, Failure> {
        self.require_token()?;
        let before = |error: SocialError| Failure::before(&error);
        let form = self.form(part).await.map_err(before)?;
        let keeps_keys = self.network.instance().await.map_err(before)?.keeps_keys();
        let key = part.key.idempotency_key(part.index);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let error = match self.post(&form, &key).await {
                Ok(status) => return self.accepted(&status, part, keeps_keys).await,
                Err(error) if error.is_certain() => return Err(Failure::before(&error)),
                Err(error) => error,
            };
            tracing::warn!(key, %error, "looking for the post");
            // What it was at may still come to its end.
            wait_before(attempt, self.pace.pause).await;
            let found = compare::find_parts(&self.network, part.key, part.post).await;
            match found.as_deref().map(|parts| parts.get(part.index)) {
                Ok(Some(Some(status))) => return Ok(published(status)),
                Ok(_) if !error.is_over() && !keeps_keys => {
                    return Err(Failure::Unknown(format!(
                        "{error}; it is not among the account's posts now, and may still appear"
                    )));
                }
                Ok(_) if attempt < self.pace.attempts => {}
                Ok(_) if error.is_over() => {
                    return Err(Failure::NotDone {
                        retry: true,
                        words: format!("{error}; it is not among the account's posts"),
                    });
                }
                Ok(_) => {
                    return Err(Failure::Unknown(format!(
                        "{error}; it is not among the account's posts now, and may still appear"
                    )));
                }
                Err(lookup) => {
                    return Err(Failure::Unknown(format!(
                        "{error}; it could not be looked for: {lookup}"
                    )));
                }
            }
        }
    }
}
