//! [`SocialServer`]: how a social network is asked, and how a post is published there. [`McpSocialServer`] asks the full
//! server to do it.

use async_trait::async_trait;
use platinum_core::{PostRequest, Timestamp, text::one_line};
use platinum_journal::Outcome;
use platinum_mcp::Session;
use serde::Deserialize;
use serde_json::json;

use crate::{AskError, NotDone, acting::ActingServer};

/// Longest fault of a post, in characters.
const MAX_FAULT: usize = 300;
/// Most posts that are looked at for one of the owner's own.
const MAX_POSTS: usize = 50;

/// What a network says to a post.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct CheckedPost {
    /// What is wrong with it, a sentence each.
    pub faults: Vec<String>,
}

impl CheckedPost {
    /// What is wrong with it, on one line; none of one that can be published.
    pub(super) fn fault(&self) -> Option<String> {
        let faults = self.faults.iter().take(5);
        let faults: Vec<String> = faults.map(|fault| one_line(fault, MAX_FAULT)).collect();
        (!faults.is_empty()).then(|| faults.join("; "))
    }
}

/// A part of a thread that is published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FoundPost {
    /// Its address.
    pub address: String,
}

/// What there is of a post, part by part.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct FoundParts {
    /// Each part, if it is there.
    pub parts: Vec<Option<FoundPost>>,
    /// Whether all of them are.
    pub all: bool,
    /// That in words, or that a part is there with another text.
    pub words: String,
}

impl FoundParts {
    /// Whether any part is there.
    pub(super) fn has_any(&self) -> bool {
        self.parts.iter().any(Option::is_some)
    }

    /// Where what is there is.
    pub(super) fn addresses(&self) -> String {
        let found = self.parts.iter().flatten().take(5);
        let found: Vec<String> = found.map(|post| one_line(&post.address, 200)).collect();
        found.join(", ")
    }
}

/// A post of an account's own.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct OwnPost {
    /// Its address.
    pub address: String,
    /// Its text.
    pub text: String,
    /// When it was published, RFC 3339 as a rule: what wrote it chose it.
    pub at: String,
    /// Whether it is of that account.
    #[serde(default)]
    pub is_own: bool,
}

/// A post to publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishRequest {
    /// The name from which its keys follow, the same for every attempt.
    pub reference: String,
    /// When it was approved: the time that it bears.
    pub at: Timestamp,
    /// The post, with the content of its files.
    pub post: PostRequest,
}

/// A way to ask a social network, and to publish there.
#[async_trait]
pub trait SocialServer: Send + Sync {
    /// What the network says to a post now.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn check(&self, post: &PostRequest) -> Result<CheckedPost, AskError>;

    /// What there is of a post under a reference.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn find(&self, reference: &str, post: &PostRequest) -> Result<FoundParts, AskError>;

    /// The newest posts of an account, answers too.
    ///
    /// # Errors
    /// If it cannot be asked.
    async fn own_posts(&self, account: &str) -> Result<Vec<OwnPost>, AskError>;

    /// Publishes a post, or what is missing of a thread, once.
    ///
    /// # Errors
    /// Why it was not published as a whole; what was is found by its reference.
    async fn publish(&self, request: &PublishRequest) -> Result<Outcome, NotDone>;
}

/// Asks the tools of the full server for social networks.
pub struct McpSocialServer(ActingServer);

impl McpSocialServer {
    /// Asks over this session.
    pub fn new(session: Session) -> Self {
        // Of no error it says that it stays.
        Self(ActingServer::new(session, "the social server", |_| false))
    }
}

#[async_trait]
impl SocialServer for McpSocialServer {
    async fn check(&self, post: &PostRequest) -> Result<CheckedPost, AskError> {
        self.0.read("check_post", json!({ "post": post })).await
    }

    async fn find(&self, reference: &str, post: &PostRequest) -> Result<FoundParts, AskError> {
        self.0
            .read("find_post", json!({ "reference": reference, "post": post }))
            .await
    }

    async fn own_posts(&self, account: &str) -> Result<Vec<OwnPost>, AskError> {
        #[derive(Deserialize)]
        struct PostList {
            posts: Vec<OwnPost>,
        }
        let question = json!({ "account": account, "limit": MAX_POSTS, "replies": true });
        Ok(self
            .0
            .read::<PostList>("search_posts", question)
            .await?
            .posts)
    }

    async fn publish(&self, request: &PublishRequest) -> Result<Outcome, NotDone> {
        let arguments = json!({
            "reference": request.reference,
            "at": request.at,
            "post": request.post,
        });
        self.0.act("publish_post", arguments).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn found_parts_tell_what_is_there() {
        let read = |value| serde_json::from_value::<FoundParts>(value).unwrap();
        let found = read(
            json!({ "parts": [{ "part": 1, "id": "x", "address": "https://a.test/1" }, null],
            "all": false, "words": "1 of 2" }),
        );
        assert!(found.has_any() && !found.all);
        assert_eq!(found.addresses(), "https://a.test/1");
        let none = read(json!({ "parts": [null], "all": false, "words": "" }));
        assert!(!none.has_any());
    }

    #[test]
    fn faults_are_one_bounded_line() {
        let checked = CheckedPost {
            faults: vec!["part 1 is\ntoo long".to_owned(), "no alt".to_owned()],
        };
        assert_eq!(
            checked.fault().as_deref(),
            Some("part 1 is too long; no alt")
        );
        assert_eq!(CheckedPost::default().fault(), None);
    }
}
