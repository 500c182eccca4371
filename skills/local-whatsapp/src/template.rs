//! A template for a chat that may no longer be answered in free text: chosen and filled by the model, or left with gaps.
//!
//! Invariants: pure; a template is one of the list, with a value for each of its gaps; all that a model writes stands in
//! gaps.

use platinum_sdk::text::{gap, one_line};
use platinum_sdk::whatsapp::types::{FilledTemplate, Template};

use crate::answer;

/// What a model is asked for instead of an answer.
pub const TASK: &str = "No free text can be sent there any more: only one of the texts of `templates` can. Choose the one that \
    fits what is asked in `messages`. Write its number alone on the first line; then, for each of its gaps in their \
    order, one line with what goes into it. What you do not know is a gap for the owner, as always. If none of them fits, \
    write the one word `none`.";

/// The templates, numbered, as a quote.
#[must_use]
pub fn list(templates: &[Template]) -> String {
    let numbered = (1..).zip(templates);
    let lines = numbered.map(|(number, template)| format!("{number}. {}", template.text.trim()));
    lines.collect::<Vec<_>>().join("\n\n")
}

/// What a model chose and filled; none if it chose none, or did not keep to the form.
#[must_use]
pub fn of_model(text: &str, templates: &[Template]) -> Option<FilledTemplate> {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let number: usize = lines.next()?.trim_end_matches('.').parse().ok()?;
    let template = templates.get(number.checked_sub(1)?)?;
    let values: Option<Vec<String>> = lines.map(answer::of_model).collect();
    let values = values.filter(|values| values.len() == template.gaps.len())?;
    Some(filled(template, values))
}

/// The first that has gaps, with all of them left to the owner: what has none would say nothing of the owner's.
#[must_use]
pub fn with_gaps(templates: &[Template]) -> Option<FilledTemplate> {
    let template = templates.iter().find(|one| !one.gaps.is_empty())?;
    let values = template.gaps.iter().map(|name| gap(&one_line(name, 60)));
    Some(filled(template, values.collect()))
}

fn filled(template: &Template, values: Vec<String>) -> FilledTemplate {
    FilledTemplate {
        name: template.name.clone(),
        language: template.language.clone(),
        values,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn templates() -> Vec<Template> {
        let template = |name: &str, text: &str, gaps: &[&str]| Template {
            name: name.into(),
            language: "en_US".into(),
            text: text.into(),
            gaps: gaps.iter().map(|&gap| gap.into()).collect(),
        };
        vec![
            template("closed", "We are closed.", &[]),
            template("ready", "{{1}}, your {{2}} is ready.", &["1", "2"]),
        ]
    }

    #[test]
    fn model_chooses_a_template_and_fills_all_of_it() {
        let chosen = of_model("2.\n\nSheena\n a desk \n", &templates()).unwrap();
        assert_eq!(
            (chosen.name.as_str(), chosen.values),
            ("ready", vec!["Sheena".to_owned(), "a desk".to_owned()])
        );
        assert_eq!(of_model("1", &templates()).unwrap().name, "closed");
        for odd in [
            "",
            "none",
            "0",
            "3\na\nb",
            "2\na",
            "2\na\nb\nc",
            "ready\na\nb",
            "2\na\nnone",
        ] {
            assert_eq!(
                of_model(odd, &templates()).map(|one| one.name),
                None,
                "{odd}"
            );
        }
        assert_eq!(
            list(&templates()),
            "1. We are closed.\n\n2. {{1}}, your {{2}} is ready."
        );
    }

    #[test]
    fn template_without_a_model_has_its_gaps_left() {
        let left = with_gaps(&templates()).unwrap();
        assert_eq!(left.values, ["[✎ 1]", "[✎ 2]"]);
        assert!(with_gaps(&templates()[..1]).is_none());
    }
}
