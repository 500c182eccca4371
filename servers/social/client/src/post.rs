//! [`Post`]: a post as it is asked for; [`SeenPost`]: one as a network has it.
//!
//! Lives elsewhere: what is wrong with a post is [`crate::check`].

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A post, or a thread of them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Post {
    /// The account, by its name in the configuration.
    pub account: String,
    /// The texts in their order: one, or those of a thread.
    pub parts: Vec<String>,
    /// The language of the texts, as a BCP 47 tag.
    #[serde(default)]
    pub language: Option<String>,
    /// The post that is answered: its id or its address.
    #[serde(default)]
    pub reply_to: Option<String>,
    /// What the texts are hidden behind.
    #[serde(default)]
    pub content_warning: Option<String>,
    /// The card of a link, where the network does not make it itself.
    #[serde(default)]
    pub link: Option<LinkCard>,
    /// Pictures and films of the first text.
    #[serde(default)]
    pub media: Vec<Media>,
}

/// The card of a link.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkCard {
    /// Where it leads.
    pub url: String,
    /// Its title.
    pub title: String,
    /// What is below the title.
    #[serde(default)]
    pub description: String,
}

/// A picture or film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Media {
    /// The name of its file.
    pub name: String,
    /// Its type, such as `image/jpeg`; by the end of its name if it is left out.
    #[serde(default, rename = "type")]
    pub kind: Option<String>,
    /// Its size in bytes.
    pub size: u64,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// Its bytes in Base64; for publishing alone.
    #[serde(default)]
    pub data: Option<String>,
}

impl Media {
    /// Its type: what is said of it, or what the end of its name says.
    #[must_use]
    pub fn content_type(&self) -> Option<&str> {
        if let Some(kind) = &self.kind {
            return Some(kind);
        }
        let (_, end) = self.name.rsplit_once('.')?;
        Some(match end.to_ascii_lowercase().as_str() {
            "jpg" | "jpeg" => "image/jpeg",
            "png" => "image/png",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "avif" => "image/avif",
            "heic" => "image/heic",
            "mp4" | "m4v" => "video/mp4",
            "webm" => "video/webm",
            "mov" => "video/quicktime",
            "mp3" => "audio/mpeg",
            "ogg" => "audio/ogg",
            _ => return None,
        })
    }
}

/// A post as a network has it. Texts in it are from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SeenPost {
    /// By which the network knows it.
    pub id: String,
    /// Where a person sees it.
    pub address: String,
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub text: String,
    /// When, as RFC 3339.
    pub at: String,
    /// The id of the post that it answers.
    pub reply_to: Option<String>,
    /// Whether it is of this account.
    pub is_own: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn media_type_is_given_or_by_name() {
        let mut media = Media {
            name: "A.JPG".into(),
            kind: None,
            size: 1,
            alt: "a".into(),
            sha256: String::new(),
            data: None,
        };
        assert_eq!(media.content_type(), Some("image/jpeg"));
        media.name = "a.xyz".into();
        assert_eq!(media.content_type(), None);
        media.kind = Some("image/png".into());
        assert_eq!(media.content_type(), Some("image/png"));
    }

    /// A misspelt field must not be left out silently: it may be the content warning.
    #[test]
    fn post_with_an_unknown_field_is_refused() {
        let text = r#"{"account": "a", "parts": ["x"], "content-warning": "y"}"#;
        assert!(serde_json::from_str::<Post>(text).is_err());
    }
}
