//! [`Status`]: a post of Mastodon's API as data, and which texts are the same post.

use platinum_text::one_line;
use serde_json::Value;

use crate::post::SeenPost;
use crate::text::html::text_of_html;
use crate::text::link::find_links;
use crate::text::mastodon::counted_text;

/// The most characters of a post that are read.
const MAX_TEXT: usize = 50_000;

/// A post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// Its id on the server that was asked.
    pub id: String,
    /// Where a person sees it; may be empty.
    pub url: String,
    /// Its name everywhere.
    pub uri: String,
    /// The id of its writer on the server that was asked.
    pub author_id: String,
    /// Its writer, as the server names them.
    pub author: String,
    /// Its text, out of the HTML.
    pub text: String,
    /// Its text as it was written, where the server says that by itself.
    pub source: Option<String>,
    /// What it is hidden behind; may be empty.
    pub warning: String,
    /// When, as RFC 3339.
    pub at: String,
    /// The id of the post that it answers.
    pub reply_to: Option<String>,
}

/// Whether a text can be an id of a server: nothing in it changes the path that it becomes part of. Those of snac's files
/// are names with a dot.
#[must_use]
pub fn is_id(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with('.')
        && !text.contains("..")
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

impl Status {
    /// The post of an answer; none if it is none.
    #[must_use]
    pub fn read(answer: &Value) -> Option<Self> {
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let short = |pointer: &str| one_line(text(pointer).unwrap_or_default(), 1_000);
        let id = text("/id").filter(|id| is_id(id))?;
        Some(Self {
            id: id.to_owned(),
            url: short("/url"),
            uri: short("/uri"),
            author_id: short("/account/id"),
            author: short("/account/acct"),
            text: text_of_html(text("/content").unwrap_or_default(), MAX_TEXT),
            source: text("/text").map(|text| text.chars().take(MAX_TEXT).collect()),
            warning: text("/spoiler_text").unwrap_or_default().trim().to_owned(),
            at: short("/created_at"),
            reply_to: text("/in_reply_to_id")
                .filter(|id| is_id(id))
                .map(str::to_owned),
        })
    }

    /// Where a person sees it: its address, or its name.
    #[must_use]
    pub fn address(&self) -> &str {
        match self.url.is_empty() {
            true => &self.uri,
            false => &self.url,
        }
    }

    /// Whether this is its address.
    #[must_use]
    pub fn has_address(&self, address: &str) -> bool {
        let address = address.trim_end_matches('/');
        !address.is_empty()
            && [&self.url, &self.uri]
                .iter()
                .any(|own| own.trim_end_matches('/') == address)
    }

    /// As a person or a model sees it; `own` is the id of the account that looks.
    #[must_use]
    pub fn seen(&self, own: Option<&str>) -> SeenPost {
        SeenPost {
            id: self.id.clone(),
            address: self.address().to_owned(),
            author: self.author.clone(),
            text: self.text.clone(),
            at: self.at.clone(),
            reply_to: self.reply_to.clone(),
            is_own: own == Some(self.author_id.as_str()),
        }
    }
}

/// A text as it can be compared with what a server made of it: one blank between words, and mentions without their
/// servers.
#[must_use]
pub fn comparable(text: &str) -> String {
    let words = counted_text(text, None, true);
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether what a server shows may be of this text, and only marked up: most words of it are there. Links are left out:
/// where they are marked up, their address is not shown.
#[must_use]
pub fn may_show(shown: &str, text: &str) -> bool {
    let letters = |text: &str| -> String {
        let kept = text.chars().filter(|c| c.is_alphanumeric());
        kept.flat_map(char::to_lowercase).collect()
    };
    let shown = letters(shown);
    let mut words = text.to_owned();
    for link in find_links(text).into_iter().rev() {
        words.replace_range(link, " ");
    }
    let words: Vec<String> = words
        .split(|c: char| !c.is_alphanumeric())
        .map(letters)
        .filter(|word| !word.is_empty())
        .collect();
    let found = words.iter().filter(|word| shown.contains(*word)).count();
    words.is_empty() || found * 2 > words.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn status_of_an_answer_is_read() {
        let answer = json!({"id": "12", "url": "https://m.example/@ada/12", "uri": "https://m.example/users/ada/statuses/12",
            "account": {"id": "1", "acct": "ada"}, "content": "<p>Hi<br>you</p>", "spoiler_text": " food ",
            "created_at": "2026-01-01T00:00:00.000Z", "in_reply_to_id": "11"});
        let status = Status::read(&answer).unwrap();
        assert_eq!(
            (status.text.as_str(), status.warning.as_str()),
            ("Hi\nyou", "food")
        );
        assert!(status.has_address("https://m.example/@ada/12/"));
        assert!(!status.has_address("") && !status.has_address("https://m.example/@ada/1"));
        let seen = status.seen(Some("1"));
        assert!(seen.is_own && seen.reply_to.as_deref() == Some("11"));
        assert!(!status.seen(None).is_own);
        for odd in [
            json!({}),
            json!({"id": 12}),
            json!({"id": "../x"}),
            json!({"id": ".."}),
            json!({"id": "a..b"}),
            json!("x"),
        ] {
            assert_eq!(Status::read(&odd), None);
        }
    }

    /// As servers show what was marked up.
    #[test]
    fn may_show_is_of_most_words() {
        for (shown, text, expected) in [
            ("Hi there & , see x", "Hi *there* & <you>, see x", true),
            (
                "新しい記事を公開しました",
                "新しい記事を**公開**しました",
                true,
            ),
            ("docs", "[docs](https://example.com/a/b)", true),
            ("anything", "https://example.com/a", true),
            ("text 5", "text 7", false),
            ("good night", "good morning everybody", false),
        ] {
            assert_eq!(may_show(shown, text), expected, "{text}");
        }
    }

    #[test]
    fn comparable_is_the_same_for_text_and_its_html() {
        let text = "Hi @ada@other.example,\n\nsee https://example.com/x  & more";
        let html = "<p>Hi <span class=\"h-card\"><a href=\"https://other.example/@ada\">@<span>ada</span></a></span>,</p><p>see \
                    <a href=\"https://example.com/x\"><span class=\"invisible\">https://</span>example.com/x</a> &amp; more</p>";
        assert_eq!(comparable(text), comparable(&text_of_html(html, 1_000)));
        assert_ne!(comparable(text), comparable("Hi @ada"));
    }
}
