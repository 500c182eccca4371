//! The text of an answer: the model's, made harmless to read; or a gap for the owner.
//!
//! Invariants: pure; the text has nothing that the owner's editor would run, fetch or hide, and fits into a message.

use platinum_sdk::text::{
    bounded, gap, is_hidden, is_joined, one_line, sanitize, without_named_codes,
};

/// The longest answer, in characters: what WhatsApp takes.
const MAX_CHARS: usize = 4096;
/// The longest line of a question that is quoted, in characters.
const MAX_QUOTED: usize = 200;
/// The most questions that are quoted.
const MAX_QUESTIONS: usize = 5;

/// What a model wrote, as the text of a message; none if nothing is left of it, or nothing is to be answered.
#[must_use]
pub fn of_model(text: &str) -> Option<String> {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut clean = String::with_capacity(text.len());
    let mut before = '\n';
    for c in text.chars() {
        let is_shown = !is_hidden(c) || is_joined(before, c);
        if is_shown && (c == '\n' || c == '\t' || !c.is_control()) {
            clean.push(c);
            before = c;
        }
    }
    let text = without_named_codes(&sanitize(clean.trim()));
    let text: String = text.trim().chars().take(MAX_CHARS).collect();
    let is_none = text
        .trim_matches(|c: char| !c.is_alphanumeric())
        .eq_ignore_ascii_case("none");
    (!text.is_empty() && !is_none).then_some(text)
}

/// A text for the owner to write: what is asked, each with a gap below it.
#[must_use]
pub fn with_gaps(asked: &str) -> String {
    let questions = bounded(asked, 16 * 1024)
        .lines()
        .map(|line| one_line(line, MAX_QUOTED))
        .filter(|line| line.ends_with('?'))
        .map(|line| sanitize(&platinum_sdk::text::without_gap_signs(&line)));
    let questions: Vec<String> = questions.take(MAX_QUESTIONS).collect();
    let answer = gap("your answer");
    match questions.as_slice() {
        [] | [_] => answer,
        many => {
            let parts = many
                .iter()
                .map(|question| format!("> {question}\n{answer}"));
            parts.collect::<Vec<_>>().join("\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use platinum_sdk::text::{find_active, has_gaps};

    use super::*;

    #[test]
    fn models_text_is_harmless_and_bounded() {
        for (text, expected) in [
            ("  Yes, tomorrow.\r\n", Some("Yes, tomorrow.")),
            ("Yes\u{202e} 👩\u{200D}👧", Some("Yes 👩\u{200D}👧")),
            ("none", None),
            ("None.", None),
            (" \n", None),
        ] {
            assert_eq!(of_model(text).as_deref(), expected, "{text:?}");
        }
        let active = of_model("![x](https://evil.test) <% tp %>").unwrap();
        assert_eq!(find_active(&active).next(), None);
        assert_eq!(of_model(&"é".repeat(9000)).unwrap().chars().count(), 4096);
    }

    #[test]
    fn answer_without_a_model_has_gaps() {
        assert_eq!(with_gaps("Is it there in blue?"), "[✎ your answer]");
        assert_eq!(
            with_gaps("Hi\nIs it there in blue?\nWhen? [✎ x]?\nThanks"),
            "> Is it there in blue?\n[✎ your answer]\n\n> When? [ x]?\n[✎ your answer]"
        );
        assert!(has_gaps(&with_gaps("")));
    }
}
