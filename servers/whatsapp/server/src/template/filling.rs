//! [`TemplateMessage`]: a template with values in its gaps, and how they are found again in a text.
//!
//! Invariants: pure; of what is read and sent, the filled template is the text, character by character.

use platinum_text::one_line;
use serde_json::{Value, json};

use super::{Gap, Piece, Template};

/// The longest value of a gap, in characters.
const MAX_VALUE: usize = 1024;

/// A template to send, with its gaps filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateMessage {
    /// The template's name.
    pub name: String,
    /// Its language.
    pub language: String,
    pub(super) values: Vec<(Gap, String)>,
}

impl Template {
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
