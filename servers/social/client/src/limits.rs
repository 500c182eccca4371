//! [`Limits`]: what a network takes, and how long a text is as it counts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::text::{grapheme_count, mastodon};

/// In what a network counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CountedAs {
    /// What a reader sees as one character: a family emoji, a letter with its accents.
    Graphemes,
    /// Code points.
    Characters,
}

/// What a network takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Limits {
    /// The most characters of one text.
    pub max_characters: u32,
    /// What it counts as one.
    pub counted_as: CountedAs,
    /// The most bytes of one text.
    pub max_bytes: Option<u32>,
    /// For how many characters a link counts, however long it is.
    pub characters_per_url: Option<u32>,
    /// The most pictures and films of a post.
    pub max_media: u32,
    /// The largest picture, in bytes.
    pub max_media_bytes: u64,
    /// The largest film or recording, in bytes, if that is another size.
    pub max_video_bytes: Option<u64>,
    /// The longest description of a picture, in characters.
    pub max_alt: Option<u32>,
    /// Which types of files.
    pub media_types: Vec<String>,
    /// Whether a text can be hidden behind a warning.
    pub has_content_warnings: bool,
    /// The warnings that there are; any words if this is empty.
    pub content_warnings: Vec<String>,
    /// Whether a post brings the card of its link; otherwise the network makes it by itself, if at all.
    pub has_link_cards: bool,
    /// Whether the server of a mentioned account does not count, and the warning does: Mastodon itself.
    #[serde(skip)]
    pub counts_as_mastodon: bool,
}

impl Limits {
    /// How long a text is, as the network counts it.
    #[must_use]
    pub fn count(&self, text: &str, warning: Option<&str>) -> usize {
        let counted = match (self.characters_per_url, self.counts_as_mastodon) {
            (None, false) => text.to_owned(),
            (per_url, is_mastodon) => {
                mastodon::counted_text(text, per_url.map(|count| count as usize), is_mastodon)
            }
        };
        let length = |text: &str| match self.counted_as {
            CountedAs::Graphemes => grapheme_count(text),
            CountedAs::Characters => text.chars().count(),
        };
        // Every server of this kind counts the warning with the text; Bluesky's is a label.
        let warning = warning.filter(|_| self.content_warnings.is_empty());
        length(&counted) + warning.map_or(0, length)
    }

    /// The largest file of this type, in bytes.
    #[must_use]
    pub fn max_bytes_of(&self, content_type: &str) -> u64 {
        match (content_type.starts_with("image/"), self.max_video_bytes) {
            (false, Some(most)) => most,
            _ => self.max_media_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mastodon() -> Limits {
        Limits {
            max_characters: 500,
            counted_as: CountedAs::Graphemes,
            max_bytes: None,
            characters_per_url: Some(23),
            max_media: 4,
            max_media_bytes: 16,
            max_video_bytes: Some(99),
            max_alt: Some(1500),
            media_types: vec![],
            has_content_warnings: true,
            content_warnings: vec![],
            has_link_cards: false,
            counts_as_mastodon: true,
        }
    }

    #[test]
    fn count_follows_the_network() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        let limits = mastodon();
        assert_eq!(limits.count(family, None), 1);
        let mut points = limits.clone();
        points.counted_as = CountedAs::Characters;
        assert_eq!(points.count(family, None), 7);
        let link = format!("see https://example.com/{}", "x".repeat(500));
        assert_eq!(limits.count(&link, None), 27);
        assert_eq!(limits.count(&link, Some("food")), 31);
        points.characters_per_url = None;
        points.counts_as_mastodon = false;
        assert_eq!(points.count(&link, None), 524);
    }

    #[test]
    fn films_have_a_size_of_their_own() {
        assert_eq!(mastodon().max_bytes_of("video/mp4"), 99);
        assert_eq!(mastodon().max_bytes_of("image/png"), 16);
    }
}
