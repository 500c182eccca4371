//! [`BlueskyPublisher`]: publishing on Bluesky.
//!
//! A part is the record of its key, written with `swapRecord: null`: only if there is none. So it may be asked for again
//! after any answer, and after none; what is there is found by its key.
//!
//! Lives elsewhere: logging in, in [`session`]; what a record holds, in [`post`].

mod post;
mod session;

use async_trait::async_trait;
use platinum_social_client::bluesky::Bluesky;
use platinum_social_client::bluesky::record::{POSTS, PostUri, Record};
use platinum_social_client::http::CallLimits;
use platinum_social_client::{AccountConfig, Post, SocialError};
use serde_json::{Value, json};

use crate::key::PostKey;
use crate::media::MediaFile;
use crate::publisher::{Failure, Pace, Part, Published, Publisher, wait_before};
use session::Session;

/// An account of Bluesky that publishes.
#[derive(Debug)]
pub struct BlueskyPublisher {
    session: Session,
    pace: Pace,
}

impl BlueskyPublisher {
    /// The account of a configuration. It logs in when it publishes.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(
        account: &AccountConfig,
        limits: CallLimits,
        pace: Pace,
    ) -> Result<Self, SocialError> {
        let network = Bluesky::open(account, limits)?;
        Ok(Self {
            session: Session::new(network, account.secret.clone()),
            pace,
        })
    }

    fn network(&self) -> &Bluesky {
        self.session.network()
    }

    fn published(&self, record: &Record, text: &str) -> Published {
        Published {
            id: record.uri.to_string(),
            address: record.uri.address(self.network().configured_handle()),
            is_same: record.text() == text,
            reference: json!({ "parent": record.reference(), "root": record.root() }),
        }
    }

    async fn uri(&self, key: &PostKey, index: usize) -> Result<PostUri, SocialError> {
        Ok(PostUri {
            did: self.network().did().await?.to_owned(),
            rkey: key.record_key(index),
        })
    }

    async fn upload_file(&self, file: &MediaFile) -> Result<Value, Failure> {
        let mut attempt = 0;
        loop {
            wait_before(attempt, self.pace.pause).await;
            attempt += 1;
            let uploaded = self.session.upload(&file.content_type, &file.bytes).await;
            let error = match uploaded {
                Ok(answer) => match answer.get("blob") {
                    Some(blob) if blob.pointer("/ref/$link").is_some_and(Value::is_string) => {
                        return Ok(json!({ "alt": file.alt, "image": blob }));
                    }
                    _ => self
                        .network()
                        .endpoint()
                        .lost("it has no `blob`".to_owned()),
                },
                Err(error) => error,
            };
            // Nobody sees a file that nothing refers to: it may be uploaded again.
            if error.is_certain() || attempt >= self.pace.attempts {
                return Err(Failure::NotDone {
                    retry: error.is_passing(),
                    words: format!("`{}` was not uploaded: {error}", file.name),
                });
            }
        }
    }
}

#[async_trait]
impl Publisher for BlueskyPublisher {
    async fn find(
        &self,
        key: &PostKey,
        post: &Post,
    ) -> Result<Vec<Option<Published>>, SocialError> {
        let mut found = Vec::new();
        for (index, text) in post.parts.iter().enumerate() {
            let record = self.network().record(&self.uri(key, index).await?).await?;
            found.push(record.map(|record| self.published(&record, text)));
        }
        Ok(found)
    }

    async fn upload(&self, files: &[MediaFile]) -> Result<Vec<Value>, Failure> {
        let mut uploaded = Vec::new();
        for file in files {
            uploaded.push(self.upload_file(file).await?);
        }
        Ok(uploaded)
    }

    async fn publish(&self, part: &Part<'_>) -> Result<Published, Failure> {
        let before = |error: SocialError| Failure::before(&error);
        let uri = self.uri(part.key, part.index).await.map_err(before)?;
        let record = post::build(self.network(), part).await.map_err(before)?;
        let body = json!({
            "repo": uri.did,
            "collection": POSTS,
            "rkey": uri.rkey,
            "record": record,
            // Only if there is none.
            "swapRecord": null,
        });
        let mut attempt = 0;
        loop {
            wait_before(attempt, self.pace.pause).await;
            attempt += 1;
            let error = match self.session.call("com.atproto.repo.putRecord", &body).await {
                Ok(answer) => {
                    let written =
                        json!({ "uri": answer["uri"], "cid": answer["cid"], "value": record });
                    match Record::read(&written) {
                        Some(record) if record.uri == uri => {
                            return Ok(self.published(&record, part.text()));
                        }
                        _ => self.network().endpoint().lost("it is no record".to_owned()),
                    }
                }
                Err(error) if error.is_certain() && !error.has_code("InvalidSwap") => {
                    return Err(Failure::before(&error));
                }
                Err(error) => error,
            };
            tracing::warn!(key = uri.rkey, %error, "looking for the post");
            match self.network().record(&uri).await {
                Ok(Some(record)) => return Ok(self.published(&record, part.text())),
                Ok(None) if attempt < self.pace.attempts => {}
                // Asked for again, it is still one record: that it is not there is enough.
                Ok(None) => {
                    return Err(Failure::NotDone {
                        retry: error.is_passing(),
                        words: format!("{error}; it is not there"),
                    });
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
