//! Links and mentions as Mastodon finds them, and a text as it counts it (`StatusLengthValidator`): a link for a fixed
//! number of characters, a mention without its server.

use super::link::find_links;
use super::{Entity, EntityKind, char_before, without_overlaps};

/// What is in a text. Tags are the server's own matter.
#[must_use]
pub fn entities(text: &str) -> Vec<Entity> {
    let links = find_links(text).into_iter().map(|range| Entity {
        range,
        kind: EntityKind::Link,
    });
    without_overlaps(links.chain(mentions(text)).collect())
}

/// The text with each link as so many characters, and each mention without its server if that does not count.
#[must_use]
pub fn counted_text(text: &str, per_url: Option<usize>, drops_servers: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut end = 0;
    for entity in entities(text) {
        let piece = match (entity.kind, per_url) {
            (EntityKind::Link, Some(count)) => "x".repeat(count),
            (EntityKind::Mention, _) if drops_servers => without_server(entity.text(text)),
            _ => continue,
        };
        out.push_str(&text[end..entity.range.start]);
        out.push_str(&piece);
        end = entity.range.end;
    }
    out.push_str(&text[end..]);
    out
}

/// `@ada` of `@ada@example.com`.
fn without_server(mention: &str) -> String {
    let name = mention.trim_start_matches('@');
    format!("@{}", name.split('@').next().unwrap_or_default())
}

fn mentions(text: &str) -> impl Iterator<Item = Entity> + '_ {
    text.match_indices('@').filter_map(|(at, _)| {
        if char_before(text, at).is_some_and(|c| is_word(c) || matches!(c, '=' | '/')) {
            return None;
        }
        let name = joined(&text[at + 1..], |c| c.is_ascii_alphanumeric() || c == '_');
        if name == 0 {
            return None;
        }
        let mut end = at + 1 + name;
        if let Some(server) = text[end..].strip_prefix('@') {
            match joined(server, is_word) {
                0 => {}
                length => end += 1 + length,
            }
        }
        Some(Entity {
            range: at..end,
            kind: EntityKind::Mention,
        })
    })
}

/// How long the words are that a text begins with, with dots and hyphens between them.
fn joined(text: &str, is_part: impl Fn(char) -> bool) -> usize {
    let mut kept = 0;
    for (at, c) in text.char_indices() {
        match c {
            c if is_part(c) => kept = at + c.len_utf8(),
            '.' | '-' if at > 0 => {}
            _ => break,
        }
    }
    kept
}

/// `[[:word:]]` of Ruby: letters, marks, numbers, and what joins them.
fn is_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '\u{203f}' | '\u{2040}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mentioned(text: &str) -> Vec<&str> {
        entities(text)
            .iter()
            .map(|entity| &text[entity.range.clone()])
            .collect()
    }

    #[test]
    fn mentions_are_those_of_the_server() {
        for (text, expected) in [
            (
                "hi @ada@example.com, and @bob.",
                vec!["@ada@example.com", "@bob"],
            ),
            ("mail a@b.example =@x /@y", vec![]),
            ("(@ada@ex-ample.com)", vec!["@ada@ex-ample.com"]),
            ("@ada@ @", vec!["@ada"]),
            ("@ada@例え.テスト、", vec!["@ada@例え.テスト"]),
            ("https://example.com/@ada", vec!["https://example.com/@ada"]),
            ("@a.b-c_d", vec!["@a.b-c_d"]),
        ] {
            assert_eq!(mentioned(text), expected, "{text}");
        }
    }

    /// As `StatusLengthValidator`'s own tests have it.
    #[test]
    fn counted_text_weighs_links_and_drops_servers() {
        let count = |text: &str| counted_text(text, Some(23), true).chars().count();
        let long = format!(
            "https://{}.example.com/{}?x=y",
            "b".repeat(30),
            "z".repeat(300)
        );
        assert_eq!(count(&format!("{} {long}", "a".repeat(476))), 500);
        assert_eq!(count(&format!("{}{long}", "ä".repeat(477))), 500);
        assert_eq!(
            count(&format!(
                "{} @alice@{}.example",
                "a".repeat(10),
                "b".repeat(60)
            )),
            17
        );
        assert_eq!(
            counted_text("@a@b.example https://x.example", None, true),
            "@a https://x.example"
        );
        assert_eq!(
            counted_text("@a@b.example", Some(23), false),
            "@a@b.example"
        );
    }
}
