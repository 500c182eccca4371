//! Posts of Bluesky as data: [`PostUri`] names one, [`Record`] is one, with what an answer to it refers to.

use platinum_text::one_line;
use serde_json::{Value, json};

use crate::post::SeenPost;

/// The collection of a repository that posts are in.
pub const POSTS: &str = "app.bsky.feed.post";
/// The most characters of a post of another program that are passed on.
const MAX_TEXT: usize = 10_000;

/// The name of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PostUri {
    /// Whose it is.
    pub did: String,
    /// Its key in the collection.
    pub rkey: String,
}

impl PostUri {
    /// The name in `at://did/collection/key`.
    #[must_use]
    pub fn parse(uri: &str) -> Option<Self> {
        let (repo, rkey) = split_reference(uri)?;
        is_did(repo).then(|| Self {
            did: repo.to_owned(),
            rkey: rkey.to_owned(),
        })
    }

    /// Where a person sees it.
    #[must_use]
    pub fn address(&self, handle: &str) -> String {
        format!("https://bsky.app/profile/{handle}/post/{}", self.rkey)
    }
}

impl std::fmt::Display for PostUri {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "at://{}/{POSTS}/{}", self.did, self.rkey)
    }
}

/// Whether a text is the id of an account.
#[must_use]
pub fn is_did(text: &str) -> bool {
    text.strip_prefix("did:").is_some_and(|rest| {
        rest.contains(':')
            && rest.len() <= 250
            && rest
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '.' | '-' | '_' | '%'))
    })
}

/// The account, by id or handle, and the key that a reference names.
pub(super) fn split_reference(reference: &str) -> Option<(&str, &str)> {
    let reference = reference.trim();
    let (repo, rkey) = match reference.strip_prefix("at://") {
        Some(rest) => rest.split_once("/app.bsky.feed.post/")?,
        None => reference
            .strip_prefix("https://bsky.app/profile/")?
            .split_once("/post/")?,
    };
    let is_key = |c: char| c.is_ascii_alphanumeric() || "._:~-".contains(c);
    let is_name = |c: char| c.is_ascii_alphanumeric() || ":.-_%".contains(c);
    let fits = (1..=512).contains(&rkey.len())
        && rkey.chars().all(is_key)
        && !repo.is_empty()
        && repo.chars().all(is_name);
    fits.then_some((repo, rkey))
}

/// A post, and by which version of it others refer to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its name.
    pub uri: PostUri,
    /// The hash of its content.
    pub cid: String,
    /// Its content.
    pub value: Value,
}

impl Record {
    /// A record of an answer; none if it is no post.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let text = |field: &str| answer.get(field).and_then(Value::as_str);
        let uri = PostUri::parse(text("uri")?)?;
        let cid = text("cid")?.to_owned();
        let value = answer.get("value")?.clone();
        value.get("text")?.as_str()?;
        let is_cid =
            (1..=128).contains(&cid.len()) && cid.chars().all(|c| c.is_ascii_alphanumeric());
        is_cid.then_some(Self { uri, cid, value })
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> &str {
        self.field("/text")
    }

    fn field(&self, pointer: &str) -> &str {
        let text = self.value.pointer(pointer).and_then(Value::as_str);
        text.unwrap_or_default()
    }

    /// The name of the post that it answers.
    #[must_use]
    pub fn parent(&self) -> Option<&str> {
        self.value.pointer("/reply/parent/uri")?.as_str()
    }

    /// By which it is referred to: its name and version.
    #[must_use]
    pub fn reference(&self) -> Value {
        json!({ "uri": self.uri.to_string(), "cid": self.cid })
    }

    /// The beginning of its thread: what it says, or itself.
    #[must_use]
    pub fn root(&self) -> Value {
        let root = self.value.pointer("/reply/root");
        let is_reference = |root: &&Value| {
            root.get("uri").is_some_and(Value::is_string)
                && root.get("cid").is_some_and(Value::is_string)
        };
        match root.filter(is_reference) {
            Some(root) => json!({ "uri": root["uri"], "cid": root["cid"] }),
            None => self.reference(),
        }
    }

    /// As a person or a model sees it; `own` is the id of the account that looks.
    #[must_use]
    pub fn seen(&self, author: &str, own: &str) -> SeenPost {
        SeenPost {
            id: self.uri.to_string(),
            address: self.uri.address(author),
            author: author.to_owned(),
            text: self.text().chars().take(MAX_TEXT).collect(),
            at: one_line(self.field("/createdAt"), 40),
            reply_to: self.parent().map(|parent| one_line(parent, 500)),
            is_own: self.uri.did == own,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_name_account_and_key() {
        for (reference, parts) in [
            (
                "at://did:plc:abc/app.bsky.feed.post/3k2",
                Some(("did:plc:abc", "3k2")),
            ),
            (
                "https://bsky.app/profile/ada.test/post/3k2",
                Some(("ada.test", "3k2")),
            ),
            (
                "https://bsky.app/profile/did:plc:abc/post/3k2",
                Some(("did:plc:abc", "3k2")),
            ),
            ("https://bsky.app/profile/ada.test/post/3k2?x", None),
            ("https://evil.test/profile/ada.test/post/3k2", None),
            ("at://did:plc:abc/app.bsky.feed.like/3k2", None),
            ("at://did:plc:abc/app.bsky.feed.post/a/b", None),
            ("at:///app.bsky.feed.post/a", None),
            ("", None),
        ] {
            assert_eq!(split_reference(reference), parts, "{reference}");
        }
        let uri = PostUri::parse("at://did:plc:abc/app.bsky.feed.post/3k2").unwrap();
        assert_eq!(uri.to_string(), "at://did:plc:abc/app.bsky.feed.post/3k2");
        assert!(PostUri::parse("at://ada.test/app.bsky.feed.post/3k2").is_none());
    }

    #[test]
    fn record_of_an_answer_in_a_thread_keeps_its_root() {
        let uri = "at://did:plc:a/app.bsky.feed.post/2";
        let mut answer = json!({"uri": uri, "cid": "bafy2", "value": {"text": "x", "createdAt": "2026-01-01T00:00:00Z"}});
        let record = Record::read(&answer).unwrap();
        assert_eq!(record.root(), json!({"uri": uri, "cid": "bafy2"}));
        answer["value"]["reply"] = json!({
            "root": {"uri": "at://did:plc:b/app.bsky.feed.post/0", "cid": "bafy0", "more": 1},
            "parent": {"uri": "at://did:plc:b/app.bsky.feed.post/1", "cid": "bafy1"},
        });
        let record = Record::read(&answer).unwrap();
        assert_eq!(
            record.root(),
            json!({"uri": "at://did:plc:b/app.bsky.feed.post/0", "cid": "bafy0"})
        );
        let seen = record.seen("ada.test", "did:plc:a");
        assert!(seen.is_own);
        assert_eq!(
            seen.reply_to.as_deref(),
            Some("at://did:plc:b/app.bsky.feed.post/1")
        );
        assert_eq!(seen.address, "https://bsky.app/profile/ada.test/post/2");
    }

    #[test]
    fn records_that_are_no_posts_are_none() {
        for odd in [
            json!(null),
            json!({"uri": "at://did:plc:a/app.bsky.feed.post/2", "cid": "b"}),
            json!({"uri": "x", "cid": "b", "value": {"text": "x"}}),
            json!({"uri": "at://did:plc:a/app.bsky.feed.post/2", "cid": "b c", "value": {"text": "x"}}),
            json!({"uri": "at://did:plc:a/app.bsky.feed.post/2", "cid": "b", "value": {"text": 1}}),
        ] {
            assert_eq!(Record::read(&odd), None, "{odd}");
        }
    }
}
