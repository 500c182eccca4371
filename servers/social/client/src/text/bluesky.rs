//! Links, mentions and tags as Bluesky's own app finds them (`rich-text/detection` of `@atproto/api`), but for addresses
//! without a scheme, which stay text.

use super::link::find_links;
use super::{Entity, EntityKind, char_before, grapheme_count, is_punctuation, without_overlaps};

/// The longest tag.
const MAX_TAG: usize = 64;

/// What is in a text.
#[must_use]
pub fn entities(text: &str) -> Vec<Entity> {
    let mut all: Vec<Entity> = find_links(text)
        .into_iter()
        .map(|range| Entity {
            range,
            kind: EntityKind::Link,
        })
        .collect();
    all.extend(mentions(text));
    all.extend(tags(text));
    without_overlaps(all)
}

/// The handle of a mention: what is behind its `@`.
#[must_use]
pub fn handle_of(mention: &str) -> &str {
    mention.strip_prefix('@').unwrap_or(mention)
}

fn mentions(text: &str) -> impl Iterator<Item = Entity> + '_ {
    text.match_indices('@').filter_map(|(at, _)| {
        if char_before(text, at).is_some_and(|c| !c.is_whitespace() && c != '(') {
            return None;
        }
        let rest = &text[at + 1..];
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let run = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let handle = rest[..run].trim_end_matches(['.', '-']);
        is_handle(handle).then(|| Entity {
            range: at..at + 1 + handle.len(),
            kind: EntityKind::Mention,
        })
    })
}

/// Whether a name can be a handle: a domain of at least two labels.
#[must_use]
pub fn is_handle(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    name.len() <= 253
        && name
            .rsplit_once('.')
            .is_some_and(|(_, last)| last.starts_with(|c: char| c.is_ascii_alphabetic()))
        && name.split('.').all(is_label)
}

fn tags(text: &str) -> impl Iterator<Item = Entity> + '_ {
    text.match_indices(['#', '＃']).filter_map(|(at, sign)| {
        if char_before(text, at).is_some_and(|c| !c.is_whitespace()) {
            return None;
        }
        let rest = &text[at + sign.len()..];
        let run = rest.find(ends_tag).unwrap_or(rest.len());
        let tag = rest[..run].trim_end_matches(is_punctuation);
        let has_word = tag
            .chars()
            .any(|c| !c.is_ascii_digit() && !is_punctuation(c));
        let is_tag = has_word && !tag.starts_with('\u{fe0f}') && grapheme_count(tag) <= MAX_TAG;
        is_tag.then(|| Entity {
            range: at..at + sign.len() + tag.len(),
            kind: EntityKind::Tag,
        })
    })
}

fn ends_tag(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c,
            '\u{ad}' | '\u{2060}' | '\u{200a}'..='\u{200d}' | '\u{20e2}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, EntityKind)> {
        entities(text)
            .iter()
            .map(|entity| (&text[entity.range.clone()], entity.kind))
            .collect()
    }

    #[test]
    fn entities_are_those_of_the_app() {
        use EntityKind::{Link, Mention, Tag};
        for (text, expected) in [
            ("no facet", vec![]),
            ("hi @ada.example.com!", vec![("@ada.example.com", Mention)]),
            (
                "(@ada.test) x@ada.test @ada @a..b",
                vec![("@ada.test", Mention)],
            ),
            ("@ada.example.com.", vec![("@ada.example.com", Mention)]),
            ("👩\u{200d}👧 @ada.test", vec![("@ada.test", Mention)]),
            (
                "#tag #täg, #日本語。 #1 #a1 # ##",
                vec![("#tag", Tag), ("#täg", Tag), ("#日本語", Tag), ("#a1", Tag)],
            ),
            ("＃wide x#no", vec![("＃wide", Tag)]),
            (
                "https://example.com/#frag #x",
                vec![("https://example.com/#frag", Link), ("#x", Tag)],
            ),
            (
                "https://bsky.app/profile/@ada.test",
                vec![("https://bsky.app/profile/@ada.test", Link)],
            ),
            ("example.com", vec![]),
        ] {
            assert_eq!(found(text), expected, "{text}");
        }
        let long = format!("#{}", "x".repeat(65));
        assert_eq!(found(&long), []);
    }

    /// A facet says bytes of UTF-8: an emoji before it counts with all of its own.
    #[test]
    fn ranges_are_bytes() {
        let text = "👩\u{200d}👧 é @ada.test";
        let entity = &entities(text)[0];
        assert_eq!((entity.range.start, entity.range.end), (15, 24));
    }
}
