//! The actions of the zone `social`.

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::VaultPath;

/// A picture or film of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Media {
    /// Where it is in the vault.
    pub path: VaultPath,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

/// A post to publish.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SocialPublish {
    /// `bluesky` or `mastodon`, as the server's configuration names it.
    pub network: String,
    /// BCP 47 tag of the text's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The post answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// Pictures and films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// Further posts of the thread, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thread: Vec<String>,
    /// The text, which the note keeps as its body.
    #[serde(skip)]
    pub text: String,
}

impl TypedAction for SocialPublish {
    const KIND: ActionKind = ActionKind::SOCIAL_PUBLISH;
    const FIELDS: &'static [&'static str] = &["network", "language", "reply-to"];
    const LISTS: &'static [&'static str] = &["media", "thread"];

    fn text(&self) -> &str {
        &self.text
    }

    fn set_text(&mut self, text: String) {
        self.text = text;
    }

    fn files(&self) -> Vec<VaultPath> {
        self.media.iter().map(|media| media.path.clone()).collect()
    }
}
