//! The actions of the zone `social`: [`SocialPublish`]; the parts of a thread, [`split_parts`] and [`join_parts`]; and
//! [`PostRequest`], a post as the servers of social networks take it.
//!
//! Invariants: what leaves is what [`split_parts`] makes of the body of the note, whoever wrote it; a picture has words
//! for those who cannot see it; the same post makes the same request, byte for byte.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ActionKind, TypedAction};
use crate::{PathError, VaultPath};

/// The line between two parts of a thread.
pub const PART_LINE: &str = "---";
/// What stands between a picture's path and its words. A path cannot have it.
const BEFORE_ALT: char = '|';

/// A picture or film of a post: one line, `vault/path.jpg | what it shows`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Media {
    /// Where it is in the vault.
    pub path: VaultPath,
    /// What it shows, for those who cannot see it.
    pub alt: String,
}

/// A line names no picture.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// It has no words.
    #[error("a line of `media` is `path | what it shows`, and `{0}` does not say what it shows")]
    NoAlt(String),
    /// Its path is none.
    #[error("a line of `media` is `path | what it shows`: {0}")]
    Path(#[from] PathError),
}

impl TryFrom<String> for Media {
    type Error = MediaError;

    fn try_from(line: String) -> Result<Self, MediaError> {
        let (path, alt) = line.split_once(BEFORE_ALT).unwrap_or((line.as_str(), ""));
        let (path, alt) = (path.trim(), alt.trim());
        if alt.is_empty() {
            return Err(MediaError::NoAlt(path.chars().take(200).collect()));
        }
        Ok(Self {
            path: VaultPath::new(path)?,
            alt: alt.to_owned(),
        })
    }
}

impl From<Media> for String {
    fn from(media: Media) -> Self {
        media.to_string()
    }
}

impl fmt::Display for Media {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {BEFORE_ALT} {}", self.path, self.alt)
    }
}

/// A post to publish.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SocialPublish {
    /// The account it leaves from, as the configuration of the servers names it.
    pub account: String,
    /// BCP 47 tag of the text's language.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The post answered: `at://…` or its address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// What stands in the place of the post until its reader asks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content_warning: Option<String>,
    /// The address of which a card stands under the post.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// The title of that card.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_title: Option<String>,
    /// The words under it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link_description: Option<String>,
    /// Pictures and films.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub media: Vec<Media>,
    /// The text, which the note keeps as its body; the parts of a thread have [`PART_LINE`] between them.
    #[serde(skip)]
    pub text: String,
}

impl TypedAction for SocialPublish {
    const KIND: ActionKind = ActionKind::SOCIAL_PUBLISH;
    const FIELDS: &'static [&'static str] = &[
        "account",
        "language",
        "reply-to",
        "content-warning",
        "link",
        "link-title",
        "link-description",
    ];
    const LISTS: &'static [&'static str] = &["media"];

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

impl SocialPublish {
    /// What no network could publish as it is, in sentences without their full stops.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let parts = split_parts(&self.text);
        for (number, part) in (1..).zip(&parts) {
            if part.is_empty() && parts.len() > 1 {
                faults.push(format!("part {number} of the thread is empty"));
            }
        }
        if self.link.is_none() && (self.link_title.is_some() || self.link_description.is_some()) {
            faults.push("`link-title` and `link-description` are those of a `link`".to_owned());
        }
        faults
    }

    /// The post as the servers take it; of each file its length in bytes and the SHA-256 of its content, in hex, in the
    /// order of [`SocialPublish::media`].
    pub fn request(&self, files: &[(usize, String)]) -> PostRequest {
        let media = self.media.iter().zip(files);
        let media = media.map(|(media, (size, sha256))| MediaRequest {
            name: media.path.file_name().to_owned(),
            media_type: media.path.media_type(),
            size: *size,
            alt: media.alt.clone(),
            sha256: sha256.clone(),
            data: None,
        });
        PostRequest {
            account: self.account.clone(),
            parts: split_parts(&self.text),
            language: self.language.clone(),
            reply_to: self.reply_to.clone(),
            content_warning: self.content_warning.clone(),
            link: self.link.as_ref().map(|url| LinkCard {
                url: url.clone(),
                title: self.link_title.clone().unwrap_or_default(),
                description: self.link_description.clone().unwrap_or_default(),
            }),
            media: media.collect(),
        }
    }
}

/// A post as an argument of the servers' tools.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostRequest {
    /// The account it leaves from.
    pub account: String,
    /// Its parts; of one that is no thread, one.
    pub parts: Vec<String>,
    /// BCP 47 tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The post answered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to: Option<String>,
    /// What stands before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_warning: Option<String>,
    /// The card under it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub link: Option<LinkCard>,
    /// Pictures and films.
    pub media: Vec<MediaRequest>,
}

/// The card of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LinkCard {
    /// The address.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The words under it.
    pub description: String,
}

/// A file of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MediaRequest {
    /// Its name.
    pub name: String,
    /// Its type, from that.
    #[serde(rename = "type")]
    pub media_type: &'static str,
    /// Its length, in bytes.
    pub size: usize,
    /// What it shows.
    pub alt: String,
    /// SHA-256 of its content, in hex.
    pub sha256: String,
    /// Its content, in base64, where it leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
}

/// Whether a line parts a thread.
fn is_part_line(line: &str) -> bool {
    line.trim() == PART_LINE
}

/// The parts of a thread: what stands between the lines that are only [`PART_LINE`], trimmed at the ends, with `\n` at
/// the end of a line. There is always one.
pub fn split_parts(body: &str) -> Vec<String> {
    let body = body.replace("\r\n", "\n").replace('\r', "\n");
    let mut parts = vec![String::new()];
    for line in body.split('\n') {
        match (is_part_line(line), parts.last_mut()) {
            (false, Some(part)) => {
                part.push_str(line);
                part.push('\n');
            }
            _ => parts.push(String::new()),
        }
    }
    for part in &mut parts {
        *part = part.trim().to_owned();
    }
    parts
}

/// A part of a thread has a line that would part it once more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("part {0} has a line that is only `{PART_LINE}`, which would make two posts of it")]
pub struct PartLineError(usize);

/// The body of a note that has these parts.
///
/// # Errors
/// If a part has a line that parts a thread.
pub fn join_parts<'a>(parts: impl IntoIterator<Item = &'a str>) -> Result<String, PartLineError> {
    let mut body = String::new();
    for (number, part) in (1..).zip(parts) {
        if split_parts(part).len() > 1 {
            return Err(PartLineError(number));
        }
        if number > 1 {
            // Blank lines around it, or a reader of Markdown takes the line before for a heading.
            body.push_str(&format!("\n\n{PART_LINE}\n\n"));
        }
        body.push_str(part.trim());
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn split_parts_gives_what_leaves() {
        for (body, expected) in [
            ("Hello\n", vec!["Hello"]),
            ("", vec![""]),
            ("a\n\n---\n\nb\nc\n", vec!["a", "b\nc"]),
            ("a\r\n--- \r\nb\rc", vec!["a", "b\nc"]),
            ("---\na\n---\n---", vec!["", "a", "", ""]),
            (
                "a\n----\n- --\n--- b\n  ---\nc",
                vec!["a\n----\n- --\n--- b", "c"],
            ),
        ] {
            assert_eq!(split_parts(body), expected, "{body:?}");
        }
    }

    #[test]
    fn join_parts_refuses_a_part_that_parts_itself() {
        assert_eq!(join_parts(["a", "b"]).unwrap(), "a\n\n---\n\nb");
        assert_eq!(
            join_parts(["a", "b\n ---\r\nc"]).unwrap_err().to_string(),
            "part 2 has a line that is only `---`, which would make two posts of it"
        );
    }

    #[test]
    fn media_is_a_line_with_words() {
        let read = |line: &str| Media::try_from(line.to_owned());
        let media = read("Inbox/a b.png|  A desk | by night ").unwrap();
        assert_eq!(
            (media.path.as_str(), media.alt.as_str()),
            ("Inbox/a b.png", "A desk | by night")
        );
        assert_eq!(media.to_string(), "Inbox/a b.png | A desk | by night");
        for (line, error) in [
            (
                "Inbox/a.png",
                "a line of `media` is `path | what it shows`, and `Inbox/a.png` does not say what it shows",
            ),
            (
                "Inbox/a.png | ",
                "a line of `media` is `path | what it shows`, and `Inbox/a.png` does not say what it shows",
            ),
            (
                "../a.png | x",
                "a line of `media` is `path | what it shows`: `../a.png` has the component `..`, which could leave \
                 the vault",
            ),
        ] {
            assert_eq!(read(line).unwrap_err().to_string(), error);
        }
    }

    #[test]
    fn faults_name_what_no_network_takes() {
        let post = SocialPublish {
            text: "a\n---\n\n---\nb".to_owned(),
            link_title: Some("x".to_owned()),
            ..SocialPublish::default()
        };
        assert_eq!(
            post.faults(),
            [
                "part 2 of the thread is empty",
                "`link-title` and `link-description` are those of a `link`"
            ]
        );
        // A picture alone says enough.
        assert_eq!(SocialPublish::default().faults(), [""; 0]);
    }

    proptest! {
        /// Parts come back as they are, and a body has no other parts for being joined again.
        #[test]
        fn split_and_joined_parts_are_the_same(body in r"(a|é|---|--| |\t|\r|\n|\u{2028}|> ){0,24}") {
            let parts = split_parts(&body);
            prop_assert!(!parts.is_empty());
            for part in &parts {
                prop_assert_eq!(part.trim(), part.as_str());
                prop_assert!(!part.contains('\r') && !part.lines().any(|line| line.trim() == "---"));
            }
            let joined = join_parts(parts.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(split_parts(&joined), parts);
        }
    }
}
