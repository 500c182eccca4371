//! A note of the owner that asks for posts, or holds one.
//!
//! Its frontmatter says how it is published; at the top of its text a line `accounts: …` or `thread: yes` does, too.
//! Lines that are only `---` part a thread. A line that only embeds a picture, with words, brings the picture.
//! Lives elsewhere: what is made of it is [`compose`](crate::compose)'s.
//! Invariants: pure; bounded; what cannot be used is a question to the owner, never passed over.

use platinum_sdk::social::types::{LinkCard, Media};
use platinum_sdk::text::one_line;

/// The folder that a post's pictures come from.
const PICTURES: &str = "Inbox/";
/// The most names of accounts, and of pictures, that are read.
const MAX_VALUES: usize = 50;

/// What a note asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Note {
    /// The texts of the posts of a thread, as they stand there; of one post, one.
    pub parts: Vec<String>,
    /// Whether it only says what a post is to be about.
    pub is_request: bool,
    /// Whether a text that is too long becomes a thread.
    pub is_thread: bool,
    /// The accounts it names, by their names or networks; none for all.
    pub accounts: Vec<String>,
    /// BCP 47 tag.
    pub language: Option<String>,
    /// What stands before the post.
    pub content_warning: Option<String>,
    /// The post answered.
    pub reply_to: Option<String>,
    /// The card under it.
    pub link: Option<LinkCard>,
    /// Its pictures.
    pub media: Vec<Media>,
    /// What the owner has to say first.
    pub questions: Vec<String>,
}

impl Note {
    /// Reads a note.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut note = Self::default();
        let text = text.replace("\r\n", "\n").replace('\r', "\n");
        let (front, body) = front(&text);
        for (key, values) in keys(front) {
            note.set(&key, values);
        }
        let mut lines: Vec<&str> = body.lines().collect();
        note.take_directives(&mut lines);
        note.take_title(&mut lines);
        let mut kept = Vec::new();
        for line in lines {
            match embed(line) {
                Some(media) => note.add_picture(media),
                None => kept.push(line),
            }
        }
        let parts = kept.split(|line| line.trim() == "---");
        let parts = parts.map(|lines| lines.join("\n").trim().to_owned());
        note.parts = parts.filter(|part| !part.is_empty()).collect();
        if note.parts.len() > 1 {
            note.is_thread = true;
        } else if let Some(only) = note.parts.pop() {
            let (text, is_request) = message(&only);
            note.is_request = is_request;
            note.parts.push(text);
        }
        note
    }

    /// All of its text.
    #[must_use]
    pub fn text(&self) -> String {
        self.parts.join("\n\n")
    }

    fn set(&mut self, key: &str, values: Vec<String>) {
        let first = values.first().cloned().filter(|value| !value.is_empty());
        match key {
            "accounts" | "account" | "networks" | "network" | "konten" | "konto" => {
                let is_all = |value: &String| {
                    ["all", "alle", "tous", "toutes"].contains(&value.to_lowercase().as_str())
                };
                if !values.iter().any(is_all) {
                    self.accounts = values.into_iter().filter(|name| !name.is_empty()).collect();
                }
            }
            "thread" | "faden" => {
                let no = ["no", "false", "nein", "non", "0", ""];
                self.is_thread =
                    first.is_some_and(|value| !no.contains(&value.to_lowercase().as_str()));
            }
            "language" | "lang" | "sprache" => self.language = first,
            "content-warning" | "warning" | "cw" => self.content_warning = first,
            "reply-to" | "answers" => self.reply_to = first,
            "link" => {
                if let Some(url) = first {
                    self.card().url = url;
                }
            }
            "link-title" => self.card().title = first.unwrap_or_default(),
            "link-description" => self.card().description = first.unwrap_or_default(),
            "media" | "pictures" | "bilder" => {
                for value in values {
                    let (path, alt) = value.split_once('|').unwrap_or((value.as_str(), ""));
                    self.add_picture((path.trim().to_owned(), alt.trim().to_owned()));
                }
            }
            _ => {}
        }
    }

    fn card(&mut self) -> &mut LinkCard {
        self.link.get_or_insert_with(|| LinkCard {
            url: String::new(),
            title: String::new(),
            description: String::new(),
        })
    }

    fn add_picture(&mut self, (path, alt): (String, String)) {
        let path = path.trim_matches(['[', ']', '"', '\'']).to_owned();
        let is_placed = path.starts_with(PICTURES);
        let path = if is_placed {
            path
        } else {
            format!("{PICTURES}{path}")
        };
        let alt = one_line(&alt, 2000);
        if alt.is_empty() {
            self.questions.push(format!(
                "say what {} shows: `{} | a desk by night`",
                one_line(&path, 120),
                one_line(&path, 120)
            ));
        } else if self.media.len() < MAX_VALUES {
            self.media.push(Media { path, alt });
        }
    }

    /// Lines at the top that say how it is published.
    fn take_directives(&mut self, lines: &mut Vec<&str>) {
        while let Some(first) = lines.first() {
            let line = first.trim();
            if line.is_empty() {
                lines.remove(0);
                continue;
            }
            let Some((key, value)) = line.split_once(':') else {
                return;
            };
            let key = key.trim_matches(['*', '_', '`', ' ']).to_lowercase();
            if !["accounts", "account", "konten", "konto", "thread", "faden"]
                .contains(&key.as_str())
            {
                return;
            }
            self.set(&key, listed(value));
            lines.remove(0);
        }
    }

    /// A heading at the top is the note's title, if there is a text below.
    fn take_title(&mut self, lines: &mut Vec<&str>) {
        let is_title = lines.first().is_some_and(|line| {
            line.trim_start_matches('#').starts_with(' ') && line.starts_with('#')
        });
        if is_title && lines.iter().skip(1).any(|line| !line.trim().is_empty()) {
            lines.remove(0);
            self.take_directives(lines);
        }
    }
}

/// The frontmatter, without its marks, and the text.
fn front(text: &str) -> (&str, &str) {
    let Some(inside) = text.strip_prefix("---\n") else {
        return ("", text);
    };
    if let Some(body) = inside.strip_prefix("---\n") {
        return ("", body);
    }
    match inside.split_once("\n---\n") {
        Some(parts) => parts,
        None => match inside.strip_suffix("\n---") {
            Some(front) => (front, ""),
            None => ("", text),
        },
    }
}

/// The keys of a frontmatter with their values: `key: value`, `key: [a, b]`, or a list below the key.
fn keys(front: &str) -> Vec<(String, Vec<String>)> {
    let mut keys: Vec<(String, Vec<String>)> = Vec::new();
    for line in front.lines() {
        let item = line.trim_start().strip_prefix("- ");
        if let (Some(item), Some((_, values))) = (item, keys.last_mut()) {
            values.push(unquoted(item));
            continue;
        }
        if let Some((key, value)) = line.split_once(':') {
            let value = value.trim();
            let key = key.trim().to_lowercase();
            let values = match (value, key.as_str()) {
                ("", _) => Vec::new(),
                // Only these are lists where their values stand in one line.
                (_, "accounts" | "account" | "networks" | "network" | "konten" | "konto") => {
                    listed(value)
                }
                _ if value.starts_with('[') && !value.starts_with("[[") => listed(value),
                _ => vec![unquoted(value)],
            };
            keys.push((key, values));
        }
    }
    for (_, values) in &mut keys {
        values.truncate(MAX_VALUES);
    }
    keys
}

/// The values of one line, with commas between.
fn listed(value: &str) -> Vec<String> {
    let value = value.trim();
    let inside = value
        .strip_prefix('[')
        .and_then(|value| value.strip_suffix(']'));
    let values = inside.unwrap_or(value).split([',', ';']).map(unquoted);
    values.take(MAX_VALUES).collect()
}

fn unquoted(value: &str) -> String {
    let value = value.trim();
    for sign in ['"', '\''] {
        let inside = value
            .strip_prefix(sign)
            .and_then(|value| value.strip_suffix(sign));
        if let Some(inside) = inside {
            return inside.to_owned();
        }
    }
    value.to_owned()
}

/// Path and words of a picture, of a line that is nothing else: `![[path|words]]` or `![words](path)`.
fn embed(line: &str) -> Option<(String, String)> {
    let line = line.trim().strip_prefix('!')?;
    if let Some(inside) = line
        .strip_prefix("[[")
        .and_then(|inside| inside.strip_suffix("]]"))
    {
        let (path, alt) = inside.split_once('|').unwrap_or((inside, ""));
        return Some((path.trim().to_owned(), alt.trim().to_owned()));
    }
    let inside = line.strip_prefix('[')?.strip_suffix(')')?;
    let (alt, path) = inside.split_once("](")?;
    (!path.contains("://")).then(|| (path.trim().to_owned(), alt.trim().to_owned()))
}

/// First words that ask for a post.
const CALLS: &[&str] = &[
    "announce",
    "post",
    "publish",
    "share",
    "tweet",
    "toot",
    "tell",
    "write",
    "poste",
    "veröffentliche",
    "verkünde",
    "teile",
    "schreib",
    "schreibe",
    "melde",
    "annonce",
    "publie",
    "partage",
    "anuncia",
    "publica",
    "comparte",
];
/// What follows such a word where it is meant so: `Post office closed` asks for nothing.
const AFTER_CALL: &[&str] = &[
    "that",
    "about",
    "the",
    "our",
    "a",
    "an",
    "on",
    "how",
    "why",
    "what",
    "when",
    "people",
    "everybody",
    "everyone",
    "dass",
    "über",
    "unser",
    "unsere",
    "unseren",
    "einen",
    "eine",
    "den",
    "die",
    "das",
    "que",
    "le",
    "la",
    "les",
    "notre",
    "un",
    "une",
    "el",
    "los",
    "las",
    "nuestra",
    "nuestro",
];
/// After which the rest is the message itself.
const THAT: &[&str] = &["that", "dass", "que"];

/// The text that is meant, and whether it only says what the post is about.
fn message(text: &str) -> (String, bool) {
    let mut words = text.split_whitespace();
    let first = words.next().unwrap_or_default();
    let call = first.trim_end_matches([':', ',']).to_lowercase();
    if !CALLS.contains(&call.as_str()) {
        return (text.to_owned(), false);
    }
    let behind = text[first.len()..].trim_start();
    if first.ends_with(':') && !behind.is_empty() {
        return (behind.to_owned(), false);
    }
    let second = words
        .next()
        .unwrap_or_default()
        .trim_end_matches(',')
        .to_lowercase();
    if !AFTER_CALL.contains(&second.as_str()) {
        return (text.to_owned(), false);
    }
    if THAT.contains(&second.as_str()) {
        let start = behind.find(char::is_whitespace).unwrap_or(behind.len());
        let rest = behind[start..].trim_start();
        if let Some(c) = rest.chars().next() {
            let first = c.to_uppercase().collect::<String>();
            return (format!("{first}{}", &rest[c.len_utf8()..]), true);
        }
    }
    (text.to_owned(), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_reads_how_a_note_is_published() {
        let note = Note::parse(
            "---\nzone: social\naccounts: [me, \"work\"]\nlanguage: en\nwarning: Spoilers, all of it\n\
             link: https://a.test/x\nlink-title: 'A title'\nmedia:\n  - Inbox/pictures/a.png | A desk | by night\n\
             reply-to: https://b.test/@ann/1\n---\n# The title\n\nHello\nworld\n\n![[b.jpg|A cat]]\n",
        );
        assert_eq!(note.parts, ["Hello\nworld"]);
        assert_eq!(note.accounts, ["me", "work"]);
        assert_eq!(note.language.as_deref(), Some("en"));
        assert_eq!(note.content_warning.as_deref(), Some("Spoilers, all of it"));
        assert_eq!(note.reply_to.as_deref(), Some("https://b.test/@ann/1"));
        let link = note.link.unwrap();
        assert_eq!(
            (link.url.as_str(), link.title.as_str()),
            ("https://a.test/x", "A title")
        );
        let media: Vec<String> = note
            .media
            .iter()
            .map(|media| format!("{} | {}", media.path, media.alt))
            .collect();
        assert_eq!(
            media,
            [
                "Inbox/pictures/a.png | A desk | by night",
                "Inbox/b.jpg | A cat"
            ]
        );
        assert!(note.questions.is_empty() && !note.is_thread && !note.is_request);
    }

    #[test]
    fn parse_reads_lines_at_the_top() {
        for (text, accounts, is_thread, parts) in [
            (
                "accounts: me, work\nthread: yes\n\nHello",
                vec!["me", "work"],
                true,
                vec!["Hello"],
            ),
            (
                "accounts: all\nHello: you",
                vec![],
                false,
                vec!["Hello: you"],
            ),
            (
                "# News\naccounts: me\nHello",
                vec!["me"],
                false,
                vec!["Hello"],
            ),
            (
                "Hello\n\n---\n\nagain\n---\n",
                vec![],
                true,
                vec!["Hello", "again"],
            ),
            (
                "---\naccounts: me\nthread: no\n---\n",
                vec!["me"],
                false,
                vec![],
            ),
            ("# Hello", vec![], false, vec!["# Hello"]),
            ("#hello all", vec![], false, vec!["#hello all"]),
            (
                "Hello\naccounts: me",
                vec![],
                false,
                vec!["Hello\naccounts: me"],
            ),
        ] {
            let note = Note::parse(text);
            assert_eq!(note.accounts, accounts, "{text}");
            assert_eq!(note.is_thread, is_thread, "{text}");
            assert_eq!(note.parts, parts, "{text}");
        }
    }

    #[test]
    fn picture_without_words_is_a_question() {
        let note = Note::parse("Hello\n\n![[desk.png]]\n");
        assert_eq!(
            note.questions,
            ["say what Inbox/desk.png shows: `Inbox/desk.png | a desk by night`"]
        );
        assert!(note.media.is_empty());
        let linked = Note::parse("![x](https://a.test/x.png)");
        assert_eq!(linked.parts, ["![x](https://a.test/x.png)"]);
    }

    #[test]
    fn message_knows_a_request_from_a_post() {
        for (text, expected, is_request) in [
            (
                "Announce that we open on Monday.",
                "We open on Monday.",
                true,
            ),
            ("Verkünde, dass wir öffnen", "Wir öffnen", true),
            ("Poste dass wir öffnen", "Wir öffnen", true),
            ("Announce: we open", "we open", false),
            ("Announce the launch", "Announce the launch", true),
            (
                "Post office closed today",
                "Post office closed today",
                false,
            ),
            ("Share your best photo!", "Share your best photo!", false),
            (
                "We announce that it is done",
                "We announce that it is done",
                false,
            ),
            ("Publish", "Publish", false),
        ] {
            assert_eq!(message(text), (expected.to_owned(), is_request), "{text}");
        }
    }
}
