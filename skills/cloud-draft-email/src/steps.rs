//! Whether a mail asks for several things, and which: the steps of a plan.
//!
//! A heuristic for people to look at, not an understanding: list items and sentences that ask.
//! Invariants: only the writer's own words are looked at ([`quotes`]), not what is quoted or
//! forwarded; at most [`MAX_STEPS`] steps, one line each.

use platinum_sdk::text::{one_line, quotes};

/// Fewer asks than this need no plan.
const ENOUGH: usize = 3;
/// The most steps.
const MAX_STEPS: usize = 20;
/// The longest step, in characters.
const MAX_CHARS: usize = 200;
/// How much of a mail is looked at.
const MAX_LINES: usize = 500;

/// How a sentence that asks begins.
const ASKS: [&str; 25] = [
    "please",
    "could you",
    "can you",
    "would you",
    "will you",
    "kindly",
    "make sure",
    "don't forget",
    "do not forget",
    "remember to",
    "we need you to",
    "i need you to",
    "i would like you to",
    "i'd like you to",
    "you should",
    "let us know",
    "let me know",
    "bitte",
    "können sie",
    "könnten sie",
    "kannst du",
    "könntest du",
    "s'il vous plaît",
    "pourriez-vous",
    "por favor",
];

/// How a list item that asks begins.
const IMPERATIVES: [&str; 34] = [
    "add", "answer", "approve", "ask", "book", "bring", "call", "cancel", "change", "check",
    "choose", "confirm", "create", "decide", "delete", "find", "fix", "give", "invite", "move",
    "order", "pay", "prepare", "print", "remove", "reply", "review", "schedule", "send", "sign",
    "tell", "transfer", "update", "write",
];

/// The steps the mail asks for, or none if they are fewer than three.
#[must_use]
pub fn of(text: &str) -> Option<Vec<String>> {
    let mut steps: Vec<String> = Vec::new();
    let mut list_of_asks = false;
    for line in quotes::own_text(text).lines().take(MAX_LINES) {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if let Some(item) = list_item(trimmed) {
            let asks = list_of_asks || asks(item) || imperative(item) || item.ends_with('?');
            if asks {
                push(&mut steps, item);
            }
            continue;
        }
        // `Could you do the following:` makes asks of the items below it.
        list_of_asks = trimmed.ends_with(':') && names_asks(trimmed);
        if !list_of_asks {
            sentences(trimmed)
                .filter(|sentence| asks(sentence))
                .for_each(|sentence| push(&mut steps, sentence));
        }
    }
    steps.truncate(MAX_STEPS);
    (steps.len() >= ENOUGH).then_some(steps)
}

fn push(steps: &mut Vec<String>, text: &str) {
    let step = one_line(text, MAX_CHARS);
    if !step.is_empty() && !steps.contains(&step) {
        steps.push(step);
    }
}

/// The text of `1. x`, `2) x`, `a) x`, `- x`, `* x`, `• x`.
fn list_item(line: &str) -> Option<&str> {
    for bullet in ["- ", "* ", "• ", "– "] {
        if let Some(item) = line.strip_prefix(bullet) {
            return Some(item.strip_prefix("[ ] ").unwrap_or(item).trim());
        }
    }
    let (number, item) = line.split_once([')', '.'])?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit()) && number.len() <= 2;
    let letter = number.len() == 1 && number.bytes().all(|byte| byte.is_ascii_lowercase());
    (!number.is_empty() && (digits || letter) && item.starts_with(' ')).then(|| item.trim())
}

fn asks(sentence: &str) -> bool {
    let lower = sentence.to_lowercase();
    let start = lower.trim_start_matches(|c: char| !c.is_alphanumeric());
    let start = ["and ", "also ", "then ", "und ", "et "]
        .iter()
        .find_map(|word| start.strip_prefix(word))
        .unwrap_or(start);
    ASKS.iter().any(|ask| begins_with_word(start, ask))
}

fn imperative(item: &str) -> bool {
    let lower = item.to_lowercase();
    IMPERATIVES
        .iter()
        .any(|verb| begins_with_word(&lower, verb))
}

fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word)
        .is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// Whether the line above a list asks for its items.
fn names_asks(line: &str) -> bool {
    let lower = line.to_lowercase();
    [
        "please",
        "could you",
        "can you",
        "need",
        "questions",
        "to do",
        "todo",
        "tasks",
        "steps",
        "bitte",
        "fragen",
    ]
    .iter()
    .any(|word| lower.contains(word))
}

fn sentences(line: &str) -> impl Iterator<Item = &str> {
    line.split_inclusive(['.', '?', '!', ';'])
        .map(str::trim)
        .filter(|sentence| !sentence.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A numbered list under a request is a plan.
    #[test]
    fn steps_come_from_a_numbered_list() {
        let text = "Hello,\n\nplease do the following:\n1. the invoice for May\n2. the hotel\n3) tickets\n\nThanks";
        assert_eq!(
            of(text).unwrap(),
            ["the invoice for May", "the hotel", "tickets"]
        );
    }

    /// Items that begin with a verb or ask are a plan.
    #[test]
    fn steps_come_from_items_with_a_verb() {
        let text = "- Send the offer\n* Book a room\n• Which day suits you?\n- green";
        assert_eq!(
            of(text).unwrap(),
            ["Send the offer", "Book a room", "Which day suits you?"]
        );
    }

    /// Sentences that ask are a plan.
    #[test]
    fn steps_come_from_sentences_that_ask() {
        let text =
            "Could you send the offer? Please call Bo. The weather is fine. And let me know when.";
        assert_eq!(
            of(text).unwrap(),
            [
                "Could you send the offer?",
                "Please call Bo.",
                "And let me know when."
            ]
        );
    }

    /// Two asks are no plan.
    #[test]
    fn steps_of_two_asks_are_none() {
        assert_eq!(of("Please call me. Could you bring tea?"), None);
        assert_eq!(of("Thank you for the tea."), None);
    }

    /// A list of things is no plan.
    #[test]
    fn steps_of_a_list_of_things_are_none() {
        assert_eq!(
            of("In our shop:\n- apples\n- pears\n- plums\n- sendings"),
            None
        );
    }

    /// Quotes and signatures are not looked at.
    #[test]
    fn steps_ignore_quotes_and_signatures() {
        assert_eq!(
            of("Yes.\n> Please a.\n> Please b.\n> Please c.\n-- \nPlease x.\nPlease y.\nPlease z."),
            None
        );
    }

    /// The owner's own old list, below a mark of Outlook or forwarded, is nobody's plan.
    #[test]
    fn steps_ignore_what_is_below_a_mark() {
        let list = "please do the following:\n1. send the offer\n2. book a room\n3. call Bob";
        for mark in [
            "From: Owner <o@example.test>\nSent: Thursday 12:00\nTo: Ann\nSubject: To do\n",
            "Von: Owner\nGesendet: Donnerstag\nAn: Ann\nBetreff: Liste\n",
            "-----Original Message-----",
            "Am 19.11.2026 um 12:00 schrieb Owner:",
            "---------- Forwarded message ---------",
        ] {
            assert_eq!(
                of(&format!("Thanks, all done.\n\nAnn\n\n{mark}\n{list}")),
                None,
                "{mark}"
            );
        }
        assert!(of(&format!("{list}\n\n-----Original Message-----\nYes.")).is_some());
    }

    /// A plan is bounded.
    #[test]
    fn steps_are_bounded() {
        let text: String = (0..100)
            .map(|n| format!("- send {n} {}\n", "x".repeat(500)))
            .collect();
        let steps = of(&text).unwrap();
        assert_eq!(steps.len(), MAX_STEPS);
        assert!(steps.iter().all(|step| step.chars().count() <= MAX_CHARS));
    }
}
