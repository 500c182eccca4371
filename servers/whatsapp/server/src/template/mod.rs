//! [`Template`]: a text with gaps that WhatsApp has approved and takes at any time: read from Meta's list, filled, and
//! its gaps found again in a text.
//!
//! What is approved is the filled text. So a text is what decides: the values of the gaps are what it has in their
//! places, and a text that the template cannot become is none of it.
//! Lives here: the list; the pieces of a template as Meta has it, in `read`; its gaps, filled and found again, in
//! `filling`. Lives elsewhere: asking for the list, in [`crate::cloud_api`].
//! Invariants: pure; a template that would show anything besides this text, such as a picture, is not offered; of what is
//! read and sent, the filled template is the text, character by character.

mod filling;
mod read;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub use filling::TemplateMessage;
use read::read_pieces;

/// The longest name, in bytes.
const MAX_NAME: usize = 512;
/// The most templates that a line names.
const MAX_NAMED: usize = 8;

/// The templates of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Templates {
    /// Those that can be filled here.
    pub usable: Vec<Template>,
    /// Those that cannot, and why: `order_ready (en_US) has a picture`.
    pub unusable: Vec<String>,
    /// Whether there are more than were read.
    pub is_cut: bool,
}

/// A text with gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its name.
    pub name: String,
    /// Its language, as Meta writes it: `en_US`.
    pub language: String,
    pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Words(String),
    Gap(Gap),
}

/// Where a value goes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Gap {
    /// Whether it is in the headline.
    is_in_header: bool,
    /// `1`, or `first_name`.
    name: String,
}

impl Templates {
    /// Takes up a page of Meta's list.
    pub(crate) fn add(&mut self, page: &Value) {
        for one in page["data"].as_array().into_iter().flatten() {
            match Template::parse(one) {
                Some(Ok(template)) => self.usable.push(template),
                Some(Err(why)) => self.unusable.push(why),
                None => {}
            }
        }
    }

    /// The names, for a line.
    #[must_use]
    pub fn names(&self) -> String {
        let named = self.usable.iter().take(MAX_NAMED);
        let named: Vec<String> = named.map(Template::title).collect();
        match self.usable.len().saturating_sub(MAX_NAMED) {
            0 => named.join(", "),
            more => format!("{} and {more} more", named.join(", ")),
        }
    }

    /// The template of this name and language.
    ///
    /// # Errors
    /// That there is none, and what there is, for a person.
    pub fn find(&self, name: &str, language: &str) -> Result<&Template, String> {
        let is_it = |one: &&Template| one.name == name && one.language == language;
        self.usable.iter().find(is_it).ok_or_else(|| {
            let title = format!("{name} ({language})");
            let unusable = self.unusable.iter().find(|why| why.starts_with(&title));
            match (unusable, self.usable.is_empty()) {
                (Some(why), _) => format!("the template {why}"),
                (None, true) => format!("WhatsApp has approved no template {title}"),
                (None, false) => format!(
                    "WhatsApp has approved no template {title}; there are: {}",
                    self.names()
                ),
            }
        })
    }
}

impl Template {
    /// Reads one of Meta's list: none of what is not approved or no template; words of what cannot be filled here.
    fn parse(value: &Value) -> Option<Result<Self, String>> {
        let plain = |key: &str, max: usize| {
            let text = value[key].as_str()?;
            let is_sign = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            let is_name = !text.is_empty() && text.len() <= max && text.bytes().all(is_sign);
            is_name.then(|| text.to_owned())
        };
        let (name, language) = (plain("name", MAX_NAME)?, plain("language", 20)?);
        if value["status"] != "APPROVED" {
            return None;
        }
        let pieces = match value["category"].as_str() {
            Some("AUTHENTICATION") => Err("is for codes, which Platinum does not send"),
            _ => read_pieces(&value["components"]),
        };
        let title = format!("{name} ({language})");
        Some(match pieces {
            Ok(pieces) => Ok(Self {
                name,
                language,
                pieces,
            }),
            Err(why) => Err(format!("{title} {why}")),
        })
    }

    /// How a person calls it.
    #[must_use]
    pub fn title(&self) -> String {
        format!("{} ({})", self.name, self.language)
    }

    /// Its text, with `{{name}}` for each gap.
    #[must_use]
    pub fn text(&self) -> String {
        let pieces = self.pieces.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Gap(gap) => format!("{{{{{}}}}}", gap.name),
        });
        pieces.collect()
    }

    /// Its gaps, each once, in the order in which they are first met.
    fn gaps(&self) -> Vec<&Gap> {
        let mut gaps: Vec<&Gap> = Vec::new();
        for piece in &self.pieces {
            match piece {
                Piece::Gap(gap) if !gaps.contains(&gap) => gaps.push(gap),
                _ => {}
            }
        }
        gaps
    }

    /// The names of its gaps, in the order in which [`Template::fill`] takes their values.
    #[must_use]
    pub fn parameters(&self) -> Vec<String> {
        let gaps = self.gaps().into_iter();
        gaps.map(|gap| gap.name.clone()).collect()
    }
}
