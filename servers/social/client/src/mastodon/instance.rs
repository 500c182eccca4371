//! [`Instance`]: what kind of server it is, and what it takes, by its own description.

use platinum_text::one_line;
use serde_json::Value;

use crate::limits::{CountedAs, Limits};

/// What runs there. They count, keep keys and have scopes differently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Software {
    /// Mastodon itself, and what is made of it.
    Mastodon,
    /// Pleroma and Akkoma.
    Pleroma,
    /// `GoToSocial`.
    GoToSocial,
    /// Another one.
    Other,
}

/// A server by its description.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instance {
    /// What runs there.
    pub software: Software,
    /// As it says itself.
    pub version: String,
    /// The domain in the names of its accounts, which need not be that of its address.
    pub domain: Option<String>,
    /// What it takes.
    pub limits: Limits,
}

impl Instance {
    /// The server of an answer; none if it describes none.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let version = answer.get("version")?.as_str()?;
        let source = answer.get("source_url").and_then(Value::as_str);
        let software = software(version, source.unwrap_or_default());
        Some(Self {
            software,
            version: one_line(version, 80),
            domain: ["domain", "uri"]
                .iter()
                .find_map(|field| answer.get(field)?.as_str())
                .filter(|domain| is_domain(domain))
                .map(str::to_owned),
            limits: limits(answer, software),
        })
    }

    /// Whether it takes a second post with the same key for the first one, for an hour.
    #[must_use]
    pub fn keeps_keys(&self) -> bool {
        matches!(self.software, Software::Mastodon | Software::Pleroma)
    }

    /// Whether its tokens can be less than all-powerful.
    #[must_use]
    pub fn has_scopes(&self) -> bool {
        self.software != Software::Other
    }
}

fn is_domain(text: &str) -> bool {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | ':');
    (1..=255).contains(&text.len()) && text.chars().all(is_plain)
}

fn software(version: &str, source: &str) -> Software {
    let text = format!("{version} {source}").to_ascii_lowercase();
    let is_plain = version.starts_with(|c: char| c.is_ascii_digit())
        && !version.contains(['(', ' '])
        && version.matches('.').count() >= 2;
    if text.contains("gotosocial") {
        Software::GoToSocial
    } else if text.contains("pleroma") || text.contains("akkoma") {
        Software::Pleroma
    } else if is_plain
        && (source.is_empty() || text.contains("mastodon") || text.contains("hometown"))
    {
        Software::Mastodon
    } else {
        Software::Other
    }
}

/// Numbers that are missing are those of Mastodon; those that are there are bounded.
fn limits(answer: &Value, software: Software) -> Limits {
    let number = |pointer: &str| answer.pointer(pointer).and_then(Value::as_u64);
    let small = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    let statuses = |name: &str| number(&format!("/configuration/statuses/{name}"));
    let media = |name: &str| number(&format!("/configuration/media_attachments/{name}"));
    let characters = statuses("max_characters")
        .or(number("/max_toot_chars"))
        .unwrap_or(500);
    // The others tell the number and count links whole.
    let per_url = statuses("characters_reserved_per_url")
        .filter(|count| software == Software::Mastodon && *count > 0);
    let kinds = answer.pointer("/configuration/media_attachments/supported_mime_types");
    let kinds = kinds.and_then(Value::as_array).into_iter().flatten();
    let mut kinds: Vec<String> = kinds
        .filter_map(Value::as_str)
        .filter(|kind| kind.len() <= 60 && kind.contains('/'))
        .take(60)
        .map(|kind| one_line(kind, 60))
        .collect();
    if kinds.is_empty() {
        kinds = ["image/jpeg", "image/png", "image/gif", "image/webp"]
            .map(str::to_owned)
            .to_vec();
    }
    Limits {
        max_characters: small(characters),
        counted_as: match software {
            Software::Mastodon | Software::Pleroma => CountedAs::Graphemes,
            // Never fewer than any other way of counting.
            Software::GoToSocial | Software::Other => CountedAs::Characters,
        },
        max_bytes: None,
        characters_per_url: per_url.map(|count| small(count.min(1_000))),
        max_media: small(statuses("max_media_attachments").unwrap_or(4)),
        max_media_bytes: media("image_size_limit").unwrap_or(10 * 1024 * 1024),
        max_video_bytes: media("video_size_limit"),
        max_alt: Some(small(media("description_limit").unwrap_or(1_500))),
        media_types: kinds,
        has_content_warnings: true,
        content_warnings: vec![],
        has_link_cards: false,
        counts_as_mastodon: software == Software::Mastodon,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn software_is_told_by_version_and_source() {
        let github = "https://github.com/mastodon/mastodon";
        for (version, source, software) in [
            ("4.3.1", github, Software::Mastodon),
            (
                "4.4.0+glitch",
                "https://github.com/glitch-soc/mastodon",
                Software::Mastodon,
            ),
            ("4.3.1", "", Software::Mastodon),
            ("2.7.2 (compatible; Pleroma 2.6.0)", "", Software::Pleroma),
            ("2.7.2 (compatible; Akkoma 3.13)", "", Software::Pleroma),
            (
                "0.17.3+git-abc",
                "https://codeberg.org/superseriousbusiness/gotosocial",
                Software::GoToSocial,
            ),
            ("4.0.0 (not true; really snac/2.75)", "", Software::Other),
            ("1.0.0", "https://example.com/other", Software::Other),
            ("", "", Software::Other),
        ] {
            let answer = json!({"version": version, "source_url": source});
            assert_eq!(
                Instance::read(&answer).unwrap().software,
                software,
                "{version}"
            );
        }
        let of = |answer| Instance::read(&answer).unwrap().domain;
        assert_eq!(
            of(json!({"version": "4.3.1", "domain": "m.example"})).as_deref(),
            Some("m.example")
        );
        assert_eq!(of(json!({"version": "4.3.1", "uri": "https://x/"})), None);
        assert_eq!(Instance::read(&json!({"title": "x"})), None);
        assert_eq!(Instance::read(&json!([1])), None);
    }

    #[test]
    fn limits_are_those_of_the_description() {
        let answer = json!({"version": "4.3.1", "configuration": {
            "statuses": {"max_characters": 1000, "max_media_attachments": 6, "characters_reserved_per_url": 23},
            "media_attachments": {"supported_mime_types": ["image/png", 7, "x"], "image_size_limit": 99, "video_size_limit": 999,
                "description_limit": 10},
        }});
        let limits = Instance::read(&answer).unwrap().limits;
        assert_eq!(
            (
                limits.max_characters,
                limits.max_media,
                limits.characters_per_url
            ),
            (1000, 6, Some(23))
        );
        assert_eq!(limits.media_types, ["image/png"]);
        assert_eq!(
            (
                limits.max_media_bytes,
                limits.max_video_bytes,
                limits.max_alt
            ),
            (99, Some(999), Some(10))
        );
        assert!(limits.counts_as_mastodon && limits.counted_as == CountedAs::Graphemes);
    }

    /// An answer that is odd or huge gives usual or bounded numbers.
    #[test]
    fn odd_descriptions_give_bounded_limits() {
        let answer = json!({"version": "1 (x)", "configuration": {"statuses": {"max_characters": u64::MAX,
            "max_media_attachments": "many", "characters_reserved_per_url": -3}}});
        let limits = Instance::read(&answer).unwrap().limits;
        assert_eq!((limits.max_characters, limits.max_media), (u32::MAX, 4));
        assert_eq!(limits.characters_per_url, None);
        assert_eq!(limits.counted_as, CountedAs::Characters);
        let old = json!({"version": "3.1.0", "max_toot_chars": 700});
        assert_eq!(Instance::read(&old).unwrap().limits.max_characters, 700);
    }
}
