//! [`render_card`]: a post as its owner sees it before it leaves, in Markdown.
//!
//! Invariants: the same post gives the same card; whatever is from outside is escaped and on one line, so that it is
//! seen and does nothing.

use platinum_text::{escape_markdown, is_hidden};

use crate::check::{Length, part_name};
use crate::config::{NetworkKind, Visibility};
use crate::limits::Limits;
use crate::network::Mention;
use crate::post::{Post, SeenPost};
use crate::text::EntityKind;

/// The longest beginning of a text in its line.
const MAX_BEGINNING: usize = 60;
/// The longest quotation of what is answered.
const MAX_QUOTE: usize = 1_500;
/// The longest name or address.
const MAX_NAME: usize = 400;

/// A piece of a text that becomes a link, as it will be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownEntity {
    /// What it is.
    pub kind: EntityKind,
    /// Its text.
    pub text: String,
    /// Of a mention: whom it leads to.
    pub account: Option<Mention>,
}

/// All that a card shows.
#[derive(Debug, Clone, Copy)]
pub struct Card<'a> {
    /// The post.
    pub post: &'a Post,
    /// Its network.
    pub network: NetworkKind,
    /// The account's name on the network.
    pub handle: &'a str,
    /// Who sees it.
    pub visibility: Visibility,
    /// What the network takes.
    pub limits: &'a Limits,
    /// How long its texts are.
    pub lengths: &'a [Length],
    /// What becomes a link in each text.
    pub entities: &'a [Vec<ShownEntity>],
    /// What it answers.
    pub answers: Option<&'a SeenPost>,
    /// What is wrong with it.
    pub faults: &'a [String],
}

/// The card.
#[must_use]
pub fn render_card(card: &Card<'_>) -> String {
    let mut lines = Vec::new();
    let who = match card.visibility {
        Visibility::Public => "seen by everybody",
        Visibility::Unlisted => "seen by everybody, in no public list",
        Visibility::Private => "seen by followers",
    };
    lines.push(format!(
        "**{}** · {} · {who}",
        card.network.name(),
        plain(card.handle, MAX_NAME)
    ));
    if let Some(answers) = card.answers {
        lines.push(String::new());
        lines.push(format!(
            "Answers {} ({}):",
            plain(&answers.author, MAX_NAME),
            plain(&answers.address, MAX_NAME)
        ));
        lines.extend(quoted(&answers.text));
    }
    lines.push(String::new());
    let count = card.post.parts.len();
    for (index, (text, length)) in card.post.parts.iter().zip(card.lengths).enumerate() {
        let mut line = format!(
            "- {}: {} of {} characters",
            capitalized(&part_name(index, count)),
            length.count,
            card.limits.max_characters
        );
        if count > 1 {
            line.push_str(&format!(": {}", plain(text, MAX_BEGINNING)));
        }
        lines.push(line);
        let entities = card.entities.get(index).into_iter().flatten();
        lines.extend(entities.map(|entity| format!("    - {}", entity_words(entity))));
    }
    if let Some(language) = &card.post.language {
        lines.push(format!("- Language: {}", plain(language, MAX_NAME)));
    }
    if let Some(warning) = &card.post.content_warning {
        lines.push(format!("- Content warning: {}", plain(warning, MAX_NAME)));
    }
    for media in &card.post.media {
        lines.push(format!(
            "- Picture {} ({}, {}): {}",
            plain(&media.name, MAX_NAME),
            plain(media.content_type().unwrap_or("of an unknown type"), 60),
            size_words(media.size),
            plain(&media.alt, usize::MAX)
        ));
    }
    if let Some(link) = &card.post.link {
        lines.push(format!(
            "- Link card: {}, {} ({})",
            plain(&link.title, MAX_NAME),
            plain(&link.description, MAX_NAME),
            plain(&link.url, usize::MAX)
        ));
    }
    if !card.faults.is_empty() {
        lines.push(String::new());
        lines.push("It cannot be published like this:".to_owned());
        lines.push(String::new());
        let faults = card.faults.iter();
        lines.extend(faults.map(|fault| format!("- {}", plain(fault, MAX_NAME))));
    }
    lines.push(String::new());
    lines.join("\n")
}

fn entity_words(entity: &ShownEntity) -> String {
    let text = plain(&entity.text, usize::MAX);
    match (entity.kind, &entity.account) {
        (EntityKind::Link, _) => format!("link {text}"),
        (EntityKind::Tag, _) => format!("tag {text}"),
        (EntityKind::Mention, Some(Mention::Account(id))) => {
            format!("mention {text}, account {}", plain(id, MAX_NAME))
        }
        (EntityKind::Mention, Some(Mention::Nobody)) => format!("mention {text}, which is nobody"),
        (EntityKind::Mention, _) => {
            format!("mention {text}; whether there is such an account was not asked")
        }
    }
}

/// What is answered, as a quotation; cut where it is long, and said so.
fn quoted(text: &str) -> Vec<String> {
    let is_long = text.chars().count() > MAX_QUOTE;
    let shown: String = text.chars().take(MAX_QUOTE).collect();
    let mut lines: Vec<String> = shown
        .lines()
        .map(|line| {
            format!("> {}", plain(line, usize::MAX))
                .trim_end()
                .to_owned()
        })
        .collect();
    if lines.is_empty() {
        lines.push("> (without a text)".to_owned());
    }
    if is_long {
        lines.push("> …".to_owned());
    }
    lines
}

/// A text from outside on one line, with what is not seen in it written out. Joiners have their use: an emoji stays one.
fn plain(text: &str, max_chars: usize) -> String {
    let mut visible = String::with_capacity(text.len());
    let mut before = '\0';
    for c in text.trim().chars() {
        match c {
            c if is_hidden(c) && !platinum_text::is_joined(before, c) => {
                visible.push_str(&format!("⟨U+{:04X}⟩", u32::from(c)));
            }
            c => visible.push(c),
        }
        before = c;
    }
    escape_markdown(&visible, max_chars)
}

fn size_words(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bluesky;
    use crate::check::lengths;
    use crate::post::{LinkCard, Media};

    fn card(post: &Post, answers: Option<&SeenPost>, faults: &[String]) -> String {
        let limits = bluesky::limits();
        let lengths = lengths(post, &limits);
        let entities: Vec<Vec<ShownEntity>> = post
            .parts
            .iter()
            .map(|text| {
                crate::text::bluesky::entities(text)
                    .iter()
                    .map(|entity| ShownEntity {
                        kind: entity.kind,
                        text: entity.text(text).to_owned(),
                        account: (entity.kind == EntityKind::Mention)
                            .then(|| Mention::Account("did:plc:ada".to_owned())),
                    })
                    .collect()
            })
            .collect();
        render_card(&Card {
            post,
            network: NetworkKind::Bluesky,
            handle: "me.example",
            visibility: Visibility::Public,
            limits: &limits,
            lengths: &lengths,
            entities: &entities,
            answers,
            faults,
        })
    }

    #[test]
    fn card_shows_all_that_leaves() {
        let post = Post {
            account: "a".into(),
            parts: vec![
                "Hi @ada.test, see https://example.com/x #news".into(),
                "second".into(),
            ],
            language: Some("en".into()),
            content_warning: Some("nudity".into()),
            reply_to: Some("x".into()),
            media: vec![Media {
                name: "a.jpg".into(),
                kind: None,
                size: 123_456,
                alt: "a cat".into(),
                sha256: String::new(),
                data: None,
            }],
            link: Some(LinkCard {
                url: "https://example.com/".into(),
                title: "Title".into(),
                description: "More".into(),
            }),
        };
        let answers = SeenPost {
            id: "x".into(),
            address: "https://bsky.app/profile/b.test/post/1".into(),
            author: "b.test".into(),
            text: "first *line*\n\n# second".into(),
            at: String::new(),
            reply_to: None,
            is_own: false,
        };
        let expected = "\
**Bluesky** · me.example · seen by everybody

Answers b.test (https:\\//bsky.app/profile/b.test/post/1):
> first \\*line\\*
>
> \\# second

- Post 1 of 2: 45 of 300 characters: Hi \\@ada.test, see https:\\//example.com/x \\#news
    - mention \\@ada.test, account did:plc:ada
    - link https:\\//example.com/x
    - tag \\#news
- Post 2 of 2: 6 of 300 characters: second
- Language: en
- Content warning: nudity
- Picture a.jpg (image/jpeg, 123 kB): a cat
- Link card: Title, More (https:\\//example.com/)
";
        assert_eq!(card(&post, Some(&answers), &[]), expected);
        assert_eq!(
            card(&post, Some(&answers), &[]),
            card(&post, Some(&answers), &[])
        );
    }

    /// Whatever somebody wrote on the network, the card has no line, link or markup of theirs.
    #[test]
    fn card_shows_hostile_text_as_text() {
        let hostile = "x\u{202e}y\n---\n# Approved\n[a](https://evil.test) <script> `= x` \u{200b}";
        let answers = SeenPost {
            id: String::new(),
            address: "https://evil.test/\n**x**".into(),
            author: hostile.into(),
            text: hostile.into(),
            at: String::new(),
            reply_to: None,
            is_own: false,
        };
        let mut post = Post {
            parts: vec!["x".into()],
            ..Post::default()
        };
        post.content_warning = Some(hostile.into());
        let shown = card(&post, Some(&answers), &[hostile.to_owned()]);
        for never in [
            "\n---", "\n#", "](", "<script", "`=", "\u{202e}", "\u{200b}", "://",
        ] {
            assert!(!shown.contains(never), "{never:?} in {shown}");
        }
        assert!(shown.contains("⟨U+202E⟩"), "{shown}");
        assert!(shown.contains("It cannot be published like this:"));
    }

    #[test]
    fn card_quotes_a_long_post_in_part() {
        let answers = SeenPost {
            id: String::new(),
            address: String::new(),
            author: "a".into(),
            text: "x".repeat(5_000),
            at: String::new(),
            reply_to: None,
            is_own: false,
        };
        let post = Post {
            parts: vec!["👩\u{200d}👧".into()],
            ..Post::default()
        };
        let shown = card(&post, Some(&answers), &[]);
        assert!(shown.contains("\n> …\n") && shown.len() < 2_000, "{shown}");
        assert!(
            shown.contains("- The post: 1 of 300 characters\n"),
            "{shown}"
        );
    }
}
