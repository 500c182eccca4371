//! [`Bluesky`]: what is asked of a personal data server over XRPC, all of it public: no password is needed to read.
//!
//! Lives elsewhere: records and references as data, in [`record`].

use async_trait::async_trait;
use reqwest::Method;
use serde_json::Value;
use tokio::sync::OnceCell;

use super::record::{self, POSTS, PostUri, Record};
use crate::config::AccountConfig;
use crate::error::SocialError;
use crate::http::{CallLimits, Endpoint};
use crate::limits::{CountedAs, Limits};
use crate::network::{Mention, Network};
use crate::post::SeenPost;
use crate::text::Entity;
use crate::text::bluesky::{entities, handle_of, is_handle};

/// The most own posts that are gone through.
const MAX_LISTED: usize = 1_000;

/// What the network's lexicon allows (`app.bsky.feed.post`, `app.bsky.embed.images`): no server can be asked for it.
#[must_use]
pub fn limits() -> Limits {
    let texts = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    Limits {
        max_characters: 300,
        counted_as: CountedAs::Graphemes,
        max_bytes: Some(3_000),
        characters_per_url: None,
        max_media: 4,
        max_media_bytes: 2_000_000,
        max_video_bytes: None,
        // The lexicon has no limit; the network's own app writes no more.
        max_alt: Some(2_000),
        media_types: texts(&["image/jpeg", "image/png", "image/webp", "image/gif"]),
        has_content_warnings: true,
        content_warnings: texts(&["sexual", "nudity", "porn", "graphic-media"]),
        has_link_cards: true,
        counts_as_mastodon: false,
    }
}

/// An account on a server of Bluesky's network.
#[derive(Debug)]
pub struct Bluesky {
    endpoint: Endpoint,
    handle: String,
    did: OnceCell<String>,
}

impl Bluesky {
    /// The account of a configuration. It is asked for at the first use.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn open(account: &AccountConfig, limits: CallLimits) -> Result<Self, SocialError> {
        Ok(Self {
            endpoint: Endpoint::new(&account.server, limits)?,
            handle: account.handle.clone().unwrap_or_default(),
            did: OnceCell::new(),
        })
    }

    /// Its server.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// The handle of the configuration.
    #[must_use]
    pub fn configured_handle(&self) -> &str {
        &self.handle
    }

    /// The account's id.
    ///
    /// # Errors
    /// If the server cannot be asked, or does not know the handle.
    pub async fn did(&self) -> Result<&str, SocialError> {
        let did = self.did.get_or_try_init(|| async {
            match self.resolve(&self.handle).await? {
                Some(did) => Ok(did),
                None => Err(SocialError::Setup(format!(
                    "{} knows no account `{}`; check `handle` in the configuration",
                    self.endpoint.host(),
                    self.handle
                ))),
            }
        });
        did.await.map(String::as_str)
    }

    /// The id behind a handle; none if nobody has it.
    ///
    /// # Errors
    /// If the server cannot be asked.
    pub async fn resolve(&self, handle: &str) -> Result<Option<String>, SocialError> {
        if !is_handle(handle) {
            return Ok(None);
        }
        let handle = handle.to_ascii_lowercase();
        let query = [("handle", handle.as_str())];
        match self.ask("com.atproto.identity.resolveHandle", &query).await {
            Ok(answer) => match answer.get("did").and_then(Value::as_str) {
                Some(did) if record::is_did(did) => Ok(Some(did.to_owned())),
                _ => Err(self.endpoint.lost("it has no `did`".to_owned())),
            },
            Err(SocialError::Refused {
                status: 400 | 404, ..
            }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The record of a post; none if there is none.
    ///
    /// # Errors
    /// If the server cannot be asked, or its answer is none.
    pub async fn record(&self, uri: &PostUri) -> Result<Option<Record>, SocialError> {
        let query = [
            ("repo", uri.did.as_str()),
            ("collection", POSTS),
            ("rkey", uri.rkey.as_str()),
        ];
        match self.ask("com.atproto.repo.getRecord", &query).await {
            Ok(answer) => match Record::read(&answer) {
                Some(record) if record.uri == *uri => Ok(Some(record)),
                _ => Err(self.endpoint.lost("it is no record of a post".to_owned())),
            },
            // It is certain only where the server says that this record is not there.
            Err(error) if error.has_code("RecordNotFound") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The post that a reference names: `at://…`, or the address of the network's app.
    ///
    /// # Errors
    /// If it is no such reference, or the handle in it cannot be asked for.
    pub async fn locate(&self, reference: &str) -> Result<Option<PostUri>, SocialError> {
        let Some((repo, rkey)) = record::split_reference(reference) else {
            return Err(SocialError::Setup(format!(
                "`{}` is no post of Bluesky: give at://… or https://bsky.app/profile/…/post/…",
                platinum_text::one_line(reference, 100)
            )));
        };
        let did = match record::is_did(repo) {
            true => Some(repo.to_owned()),
            false => self.resolve(repo).await?,
        };
        Ok(did.map(|did| PostUri {
            did,
            rkey: rkey.to_owned(),
        }))
    }

    async fn ask(&self, name: &str, query: &[(&str, &str)]) -> Result<Value, SocialError> {
        let path = format!("/xrpc/{name}");
        let request = self.endpoint.request_with(Method::GET, &path, query);
        Ok(self.endpoint.send(request, &[]).await?.body)
    }

    /// The name of whoever has this id: the handle that the server knows it by, or the id.
    async fn name_of(&self, did: &str) -> String {
        if self.did.get().is_some_and(|own| own == did) {
            return self.handle.clone();
        }
        // For the owner's eyes alone: without an answer it is the id.
        let answer = self
            .ask("com.atproto.repo.describeRepo", &[("repo", did)])
            .await;
        let answer = answer.unwrap_or_default();
        match answer.get("handle").and_then(Value::as_str) {
            Some(handle) if is_handle(handle) && handle != "handle.invalid" => handle.to_owned(),
            _ => did.to_owned(),
        }
    }
}

#[async_trait]
impl Network for Bluesky {
    async fn limits(&self) -> Result<Limits, SocialError> {
        Ok(limits())
    }

    async fn handle(&self) -> Result<String, SocialError> {
        self.did().await?;
        Ok(self.handle.clone())
    }

    fn entities(&self, text: &str) -> Vec<Entity> {
        entities(text)
    }

    async fn find_account(&self, mention: &str) -> Result<Mention, SocialError> {
        let did = self.resolve(handle_of(mention)).await?;
        Ok(did.map_or(Mention::Nobody, Mention::Account))
    }

    async fn get_post(&self, reference: &str) -> Result<Option<SeenPost>, SocialError> {
        let own = self.did().await?;
        let Some(uri) = self.locate(reference).await? else {
            return Ok(None);
        };
        let Some(record) = self.record(&uri).await? else {
            return Ok(None);
        };
        let author = self.name_of(&uri.did).await;
        Ok(Some(record.seen(&author, own)))
    }

    async fn own_posts(&self, limit: usize, replies: bool) -> Result<Vec<SeenPost>, SocialError> {
        let did = self.did().await?;
        let mut posts = Vec::new();
        let mut cursor: Option<String> = None;
        let mut listed = 0;
        loop {
            let mut query = vec![("repo", did), ("collection", POSTS), ("limit", "100")];
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor.as_str()));
            }
            let answer = self.ask("com.atproto.repo.listRecords", &query).await?;
            let Some(records) = answer.get("records").and_then(Value::as_array) else {
                return Err(self.endpoint.lost("it is no list of records".to_owned()));
            };
            // What cannot be read, such as a record of another program, is no post.
            let read = records.iter().filter_map(Record::read);
            let seen = read.map(|record| record.seen(&self.handle, did));
            posts.extend(seen.filter(|post| replies || post.reply_to.is_none()));
            listed += records.len();
            let next = answer.get("cursor").and_then(Value::as_str);
            let has_more = next.is_some() && next != cursor.as_deref() && !records.is_empty();
            if posts.len() >= limit || !has_more || listed >= MAX_LISTED {
                posts.truncate(limit);
                return Ok(posts);
            }
            cursor = next.map(str::to_owned);
        }
    }
}
