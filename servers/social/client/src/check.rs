//! [`find_faults`]: what is wrong with a post, in words, as far as that can be said without asking anybody.
//!
//! Lives elsewhere: whether what it answers and whom it mentions exist is asked in `platinum-social-draft`.
//! Invariants: pure; a post without faults is within every limit of its network; the texts are linear in the post, and
//! there are at most [`MAX_FAULTS`].

use reqwest::Url;

use crate::config::NetworkKind;
use crate::limits::Limits;
use crate::post::Post;
use crate::text::grapheme_count;
use crate::text::link::malformed_links;

/// The most texts of a thread.
pub const MAX_PARTS: usize = 25;
/// The most bytes of all texts.
const MAX_TEXT_BYTES: usize = 200_000;
/// The most faults that are told.
pub const MAX_FAULTS: usize = 20;

/// How long a text is for its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Length {
    /// As the network counts it.
    pub count: usize,
    /// In bytes.
    pub bytes: usize,
}

/// The lengths of all texts.
#[must_use]
pub fn lengths(post: &Post, limits: &Limits) -> Vec<Length> {
    let warning = post.content_warning.as_deref();
    let length = |text: &String| Length {
        count: limits.count(text, warning),
        bytes: text.len(),
    };
    post.parts.iter().map(length).collect()
}

/// Whether a post is small enough to be looked at; the reason if not.
#[must_use]
pub fn refuse_size(post: &Post) -> Option<String> {
    let bytes: usize = post.parts.iter().map(String::len).sum();
    if post.parts.len() > MAX_PARTS {
        return Some(format!(
            "the thread has {} posts; at most {MAX_PARTS}",
            post.parts.len()
        ));
    }
    let more = [&post.language, &post.reply_to, &post.content_warning];
    let longest = more.into_iter().flatten().map(String::len).max();
    let media = post.media.iter();
    let described: usize = media
        .map(|media| media.alt.len() + media.name.len())
        .sum::<usize>()
        + post.link.as_ref().map_or(0, |link| {
            link.url.len() + link.title.len() + link.description.len()
        });
    let is_large = bytes + described > MAX_TEXT_BYTES
        || longest.is_some_and(|longest| longest > 5_000)
        || post.media.len() > 100;
    is_large.then(|| format!("the post is larger than {MAX_TEXT_BYTES} bytes"))
}

/// What is wrong with a post for a network with these limits, each a sentence without its full stop.
#[must_use]
pub fn find_faults(post: &Post, network: NetworkKind, limits: &Limits) -> Vec<String> {
    if let Some(fault) = refuse_size(post) {
        return vec![fault];
    }
    let mut faults = Vec::new();
    check_texts(post, limits, &mut faults);
    if let Some(language) = &post.language
        && !is_language(language)
    {
        faults.push("the language must be a tag such as `en` or `pt-BR`".to_owned());
    }
    check_warning(post, network, limits, &mut faults);
    check_link(post, network, limits, &mut faults);
    check_media(post, network, limits, &mut faults);
    faults.truncate(MAX_FAULTS);
    faults
}

fn check_texts(post: &Post, limits: &Limits, faults: &mut Vec<String>) {
    if post.parts.is_empty() {
        faults.push("the post has no text".to_owned());
    }
    for (index, (text, length)) in post.parts.iter().zip(lengths(post, limits)).enumerate() {
        let name = part_name(index, post.parts.len());
        let most = limits.max_characters as usize;
        if text.trim().is_empty() && (index > 0 || post.media.is_empty()) {
            faults.push(format!("{name} has no text"));
        }
        if length.count > most {
            faults.push(format!(
                "{name} has {} of {most} characters: {} too many",
                length.count,
                length.count - most
            ));
        }
        if let Some(most) = limits.max_bytes.map(|most| most as usize)
            && length.bytes > most
        {
            faults.push(format!(
                "{name} has {} of {most} bytes: {} too many",
                length.bytes,
                length.bytes - most
            ));
        }
        for link in malformed_links(text) {
            faults.push(format!("{name} has `{link}`, which is no web address"));
        }
    }
}

/// How a text of a thread is called.
#[must_use]
pub fn part_name(index: usize, count: usize) -> String {
    match count {
        0 | 1 => "the post".to_owned(),
        count => format!("post {} of {count}", index + 1),
    }
}

fn is_language(tag: &str) -> bool {
    let mut subtags = tag.split('-');
    let is_first = subtags.next().is_some_and(|first| {
        (2..=3).contains(&first.len()) && first.chars().all(|c| c.is_ascii_alphabetic())
    });
    is_first
        && tag.len() <= 35
        && subtags.all(|subtag| {
            (1..=8).contains(&subtag.len()) && subtag.chars().all(|c| c.is_ascii_alphanumeric())
        })
}

fn check_warning(post: &Post, network: NetworkKind, limits: &Limits, faults: &mut Vec<String>) {
    let Some(warning) = &post.content_warning else {
        return;
    };
    if warning.trim().is_empty() || warning.contains(['\n', '\r']) {
        faults.push("the content warning must be one line of text".to_owned());
    } else if !limits.has_content_warnings {
        faults.push(format!("{} has no content warnings", network.name()));
    } else if !limits.content_warnings.is_empty() && !limits.content_warnings.contains(warning) {
        faults.push(format!(
            "the content warnings of {} are {}",
            network.name(),
            limits.content_warnings.join(", ")
        ));
    }
}

fn check_link(post: &Post, network: NetworkKind, limits: &Limits, faults: &mut Vec<String>) {
    let Some(link) = &post.link else {
        return;
    };
    if !limits.has_link_cards {
        faults.push(format!(
            "{} makes the card of a link by itself: put the link into the text",
            network.name()
        ));
        return;
    }
    let is_web = Url::parse(&link.url)
        .is_ok_and(|url| matches!(url.scheme(), "https" | "http") && url.host_str().is_some());
    if !is_web || link.url.contains(char::is_whitespace) {
        faults.push("the link of the card is no web address".to_owned());
    }
    if link.title.trim().is_empty() {
        faults.push("the card of the link has no title".to_owned());
    }
    let long = grapheme_count(&link.title).max(grapheme_count(&link.description));
    if long > 1_000 {
        faults.push("the title or the description of the card is too long".to_owned());
    }
    if !post.media.is_empty() {
        faults.push(format!(
            "a post on {} has pictures or a link card, not both",
            network.name()
        ));
    }
}

fn check_media(post: &Post, network: NetworkKind, limits: &Limits, faults: &mut Vec<String>) {
    let count = post.media.len();
    if count > limits.max_media as usize {
        faults.push(format!(
            "the post has {count} pictures; {} takes {}",
            network.name(),
            limits.max_media
        ));
    }
    for media in &post.media {
        let name = &media.name;
        match media.content_type() {
            Some(kind) if limits.media_types.iter().any(|taken| taken == kind) => {
                let most = limits.max_bytes_of(kind);
                if media.size > most {
                    faults.push(format!(
                        "`{name}` is too large: {} bytes; {} takes {most}",
                        media.size,
                        network.name()
                    ));
                }
            }
            kind => faults.push(format!(
                "{} does not take `{name}` ({}); it takes {}",
                network.name(),
                kind.unwrap_or("of an unknown type"),
                limits.media_types.join(", ")
            )),
        }
        if media.size == 0 {
            faults.push(format!("`{name}` is empty"));
        }
        if media.alt.trim().is_empty() {
            faults.push(format!("`{name}` has no alt text: say what it shows"));
        }
        if let Some(most) = limits.max_alt.map(|most| most as usize)
            && grapheme_count(&media.alt) > most
        {
            faults.push(format!(
                "the alt text of `{name}` has {} of {most} characters",
                grapheme_count(&media.alt)
            ));
        }
        let is_digest =
            media.sha256.len() == 64 && media.sha256.chars().all(|c| c.is_ascii_hexdigit());
        if !is_digest {
            faults.push(format!("`{name}` has no SHA-256 in hex"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky;
    use crate::post::{LinkCard, Media};

    fn mastodon() -> Limits {
        Limits {
            characters_per_url: Some(23),
            counts_as_mastodon: true,
            content_warnings: vec![],
            has_link_cards: false,
            max_bytes: None,
            max_characters: 500,
            ..bluesky::limits()
        }
    }

    fn picture() -> Media {
        Media {
            name: "a.jpg".into(),
            kind: None,
            size: 10,
            alt: "a cat".into(),
            sha256: "a".repeat(64),
            data: None,
        }
    }

    fn post(text: &str) -> Post {
        Post {
            account: "a".into(),
            parts: vec![text.to_owned()],
            ..Post::default()
        }
    }

    fn bluesky_faults(post: &Post) -> Vec<String> {
        find_faults(post, NetworkKind::Bluesky, &bluesky::limits())
    }

    #[test]
    fn length_counts_to_the_last_grapheme() {
        let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
        assert!(bluesky_faults(&post(&"é".repeat(300))).is_empty());
        assert_eq!(
            bluesky_faults(&post(&"é".repeat(301))),
            ["the post has 301 of 300 characters: 1 too many"]
        );
        // 25 bytes each: 120 of them are exactly 3000.
        assert!(bluesky_faults(&post(&family.repeat(120))).is_empty());
        assert_eq!(
            bluesky_faults(&post(&family.repeat(121))),
            ["the post has 3025 of 3000 bytes: 25 too many"]
        );
        let mut thread = post("one");
        thread.parts.push("漢".repeat(501));
        assert_eq!(
            find_faults(&thread, NetworkKind::Mastodon, &mastodon()),
            ["post 2 of 2 has 501 of 500 characters: 1 too many"]
        );
    }

    #[test]
    fn warning_counts_with_every_text_of_mastodon() {
        let mut hidden = post(&"a".repeat(497));
        hidden.content_warning = Some("food".into());
        assert_eq!(
            find_faults(&hidden, NetworkKind::Mastodon, &mastodon()),
            ["the post has 501 of 500 characters: 1 too many"]
        );
        assert_eq!(
            bluesky_faults(&Post {
                parts: vec!["x".into()],
                ..hidden.clone()
            }),
            ["the content warnings of Bluesky are sexual, nudity, porn, graphic-media"]
        );
        hidden.content_warning = Some("nudity".into());
        hidden.parts = vec!["a".repeat(300)];
        assert!(bluesky_faults(&hidden).is_empty());
    }

    #[test]
    fn faults_of_a_post_are_in_words() {
        let mut odd = post(" ");
        odd.parts.push("see https://intranet".into());
        odd.language = Some("englisch!".into());
        odd.content_warning = Some("a\nb".into());
        odd.link = Some(LinkCard {
            url: "javascript:alert(1)".into(),
            title: " ".into(),
            description: String::new(),
        });
        assert_eq!(
            bluesky_faults(&odd),
            [
                "post 1 of 2 has no text",
                "post 2 of 2 has `https://intranet`, which is no web address",
                "the language must be a tag such as `en` or `pt-BR`",
                "the content warning must be one line of text",
                "the link of the card is no web address",
                "the card of the link has no title",
            ]
        );
        let faults = find_faults(&odd, NetworkKind::Mastodon, &mastodon());
        let refusal = "Mastodon makes the card of a link by itself: put the link into the text";
        assert!(faults.iter().any(|fault| fault == refusal), "{faults:?}");
        assert_eq!(bluesky_faults(&Post::default()), ["the post has no text"]);
    }

    #[test]
    fn faults_of_media_name_the_file() {
        let mut with = post("");
        with.media = vec![picture()];
        assert!(bluesky_faults(&with).is_empty());
        with.media = vec![
            Media {
                size: 2_000_001,
                ..picture()
            },
            Media {
                alt: " ".into(),
                ..picture()
            },
            Media {
                name: "b.mp4".into(),
                ..picture()
            },
            Media {
                sha256: "x".into(),
                size: 0,
                alt: "a".repeat(2001),
                ..picture()
            },
            picture(),
        ];
        assert_eq!(
            bluesky_faults(&with),
            [
                "the post has 5 pictures; Bluesky takes 4",
                "`a.jpg` is too large: 2000001 bytes; Bluesky takes 2000000",
                "`a.jpg` has no alt text: say what it shows",
                "Bluesky does not take `b.mp4` (video/mp4); it takes image/jpeg, image/png, image/webp, image/gif",
                "`a.jpg` is empty",
                "the alt text of `a.jpg` has 2001 of 2000 characters",
                "`a.jpg` has no SHA-256 in hex",
            ]
        );
        with.media = vec![picture()];
        with.link = Some(LinkCard {
            url: "https://example.com/".into(),
            title: "t".into(),
            description: String::new(),
        });
        assert_eq!(
            bluesky_faults(&with),
            ["a post on Bluesky has pictures or a link card, not both"]
        );
    }

    #[test]
    fn faults_of_a_huge_post_are_bounded() {
        let mut huge = post("x");
        huge.parts = vec!["x".into(); 26];
        assert_eq!(
            bluesky_faults(&huge),
            ["the thread has 26 posts; at most 25"]
        );
        assert_eq!(
            bluesky_faults(&post(&"x".repeat(200_001))),
            ["the post is larger than 200000 bytes"]
        );
        huge.parts = vec!["https://x ".repeat(30)];
        assert_eq!(bluesky_faults(&huge).len(), MAX_FAULTS);
    }
}
