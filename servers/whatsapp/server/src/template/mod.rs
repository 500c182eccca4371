//! [`Template`]: a text with gaps that WhatsApp has approved and takes at any time: read from Meta's list, filled, and
//! its gaps found again in a text.
//!
//! What is approved is the filled text. So a text is what decides: the values of the gaps are what it has in their
//! places, and a text that the template cannot become is none of it.
//! Lives elsewhere: the pieces of a template as Meta lists it, in `read`; asking for the list, in [`crate::cloud_api`].
//! Invariants: pure; a template that would show anything besides this text, such as a picture, is not offered; of what is
//! read and sent, the filled template is the text, character by character.

mod read;
#[cfg(test)]
mod tests;

use platinum_text::one_line;
use serde_json::{Value, json};

use read::read_pieces;

/// The longest name, in bytes.
const MAX_NAME: usize = 512;
/// The longest value of a gap, in characters.
const MAX_VALUE: usize = 1024;
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

/// A template to send, with its gaps filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateMessage {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    values: Vec<(Gap, String)>,
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

    /// Its text with these values in its gaps.
    ///
    /// # Errors
    /// If there are more or fewer values than gaps, or WhatsApp takes one of them in no template.
    pub fn fill(&self, values: &[String]) -> Result<String, String> {
        let gaps = self.gaps();
        if gaps.len() != values.len() {
            return Err(format!(
                "the template {} has {} gaps ({}), and {} values are given",
                self.title(),
                gaps.len(),
                self.parameters().join(", "),
                values.len()
            ));
        }
        for (gap, value) in gaps.iter().zip(values) {
            if let Some(fault) = value_fault(value) {
                return Err(format!("the value of {{{{{}}}}} {fault}", gap.name));
            }
        }
        let value_of = |gap: &Gap| {
            let at = gaps.iter().position(|one| *one == gap);
            at.and_then(|at| values.get(at)).cloned()
        };
        let filled = self.pieces.iter().map(|piece| match piece {
            Piece::Words(words) => words.clone(),
            Piece::Gap(gap) => value_of(gap).unwrap_or_default(),
        });
        Ok(filled.collect())
    }

    /// The message that this text is: the values of the gaps are what it has in their places.
    ///
    /// # Errors
    /// If the template cannot become this text, in words that show the template.
    pub fn read(&self, text: &str) -> Result<TemplateMessage, String> {
        let other = || {
            let own = one_line(&self.text(), 200);
            format!(
                "only what stands in the gaps of a template can be written; {} is: {own}",
                self.title()
            )
        };
        let found = self.find_values(text.trim()).ok_or_else(other)?;
        let mut values: Vec<(Gap, String)> = Vec::new();
        for (gap, value) in found {
            if let Some(fault) = value_fault(value) {
                return Err(format!("what stands for {{{{{}}}}} {fault}", gap.name));
            }
            match values.iter().find(|(known, _)| known == gap) {
                Some((_, first)) if first != value => return Err(other()),
                Some(_) => {}
                None => values.push((gap.clone(), value.to_owned())),
            }
        }
        Ok(TemplateMessage {
            name: self.name.clone(),
            language: self.language.clone(),
            values,
        })
    }

    /// What a text has in the place of each gap; none if the template cannot become it.
    fn find_values<'a>(&'a self, text: &'a str) -> Option<Vec<(&'a Gap, &'a str)>> {
        let mut values = Vec::new();
        let (mut rest, mut open) = (text, None);
        for (at, piece) in self.pieces.iter().enumerate() {
            let first = rest.chars().next().map_or(0, char::len_utf8);
            match (piece, open) {
                (Piece::Words(words), None) => rest = rest.strip_prefix(words.as_str())?,
                (Piece::Words(words), Some(gap)) => {
                    let value = match at + 1 == self.pieces.len() {
                        true => rest.strip_suffix(words.as_str())?.len(),
                        // The first place is enough: if a later one fits, so does this one.
                        false => first + rest.get(first..)?.find(words.as_str())?,
                    };
                    values.push((gap, rest.get(..value)?));
                    rest = rest.get(value + words.len()..)?;
                    open = None;
                }
                (Piece::Gap(next), None) => open = Some(next),
                // Two gaps without a word between them: however it is parted, it becomes the same text.
                (Piece::Gap(next), Some(gap)) => {
                    values.push((gap, rest.get(..first)?));
                    rest = rest.get(first..)?;
                    open = Some(next);
                }
            }
        }
        match open {
            Some(gap) => values.push((gap, rest)),
            None if rest.is_empty() => {}
            None => return None,
        }
        values
            .iter()
            .all(|(_, value)| !value.is_empty())
            .then_some(values)
    }
}

impl TemplateMessage {
    /// As the Cloud API takes it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let parameters = |is_in_header: bool| {
            let mut of: Vec<&(Gap, String)> = self.values.iter().collect();
            of.retain(|(gap, _)| gap.is_in_header == is_in_header);
            of.sort_by_key(|(gap, _)| gap.name.parse::<u32>().ok());
            let parameters = of.iter().map(|(gap, value)| match gap.name.parse::<u32>() {
                Ok(_) => json!({ "type": "text", "text": value }),
                Err(_) => json!({ "type": "text", "parameter_name": gap.name, "text": value }),
            });
            parameters.collect::<Vec<Value>>()
        };
        let parts = [("header", true), ("body", false)].map(|(part, is_in_header)| {
            let parameters = parameters(is_in_header);
            (!parameters.is_empty()).then(|| json!({ "type": part, "parameters": parameters }))
        });
        let parts: Vec<Value> = parts.into_iter().flatten().collect();
        let mut message = json!({ "name": self.name, "language": { "code": self.language } });
        if !parts.is_empty() {
            message["components"] = Value::Array(parts);
        }
        message
    }
}

/// Why WhatsApp takes a value in no template.
fn value_fault(value: &str) -> Option<&'static str> {
    if value.trim().is_empty() {
        return Some("is empty");
    }
    if value.contains(['\n', '\r', '\t']) || value.contains("     ") {
        return Some(
            "has a line break, a tab or more than four spaces, which WhatsApp takes in no template",
        );
    }
    (value.chars().count() > MAX_VALUE).then_some("is too long")
}
