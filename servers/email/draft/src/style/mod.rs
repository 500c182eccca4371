//! How a person writes, learnt from mails they wrote: how they begin and end them, and what stands below all. Pure.
//!
//! Invariants: nothing that a mail quotes or forwards is the owner's style; of mails to others only a closing is
//! answered, which says nothing of what they are about; everything is bounded and free of hidden characters.

mod signature;
mod words;

use platinum_mailbox::message::Parsed;
use platinum_text::{one_line, quotes::own_lines};

use crate::shapes::StyleAnswer;
use signature::{common_signature, without_signature};
pub(crate) use words::is_shared_domain;
use words::{CLOSINGS, GREETINGS};

/// Mails that are answered as samples.
const MAX_TEXTS: usize = 3;
/// Bytes of a sample.
const MAX_TEXT_BYTES: usize = 2 * 1024;
/// Lines from the end of a mail in which its closing is looked for.
const CLOSING_WITHIN: usize = 12;

/// What the owner's newest mails have in common.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Learnt {
    /// What stands below the closing.
    pub signature: Option<String>,
    /// From how many mails.
    pub mails: usize,
}

impl Learnt {
    /// As the owner has set it: nothing was read for it.
    #[must_use]
    pub fn configured(signature: String) -> Self {
        Self {
            signature: Some(signature),
            mails: 0,
        }
    }

    /// From mails, newest first.
    #[must_use]
    pub fn from(mails: &[Parsed]) -> Self {
        let lines: Vec<Vec<String>> = mails.iter().map(|mail| written(&mail.text)).collect();
        Self {
            signature: common_signature(&lines),
            mails: mails.len(),
        }
    }
}

/// Answers how the owner writes to these people: `mails` are those to all of them, newest first.
pub fn of_person(answer: &mut StyleAnswer, mails: &[&Parsed], people: &[String], learnt: &Learnt) {
    let written: Vec<Vec<String>> = mails.iter().map(|mail| written(&mail.text)).collect();
    if let [one] = people {
        // A mail to several greets another, or all of them.
        let is_to_one = |mail: &Parsed| match mail.to.listed.as_slice() {
            [to] => to.address.trim().eq_ignore_ascii_case(one),
            _ => false,
        };
        let mut mails = mails.iter().zip(&written);
        answer.greeting = mails.find_map(|(mail, lines)| {
            let lines = is_to_one(mail).then_some(lines)?;
            greeting(lines)
        });
    }
    answer.closing = written.iter().find_map(|lines| closing(lines));
    for lines in written.iter().take(MAX_TEXTS) {
        let lines = without_signature(lines, learnt.signature.as_deref());
        let text = platinum_text::bounded(&lines.join("\n"), MAX_TEXT_BYTES)
            .trim_end()
            .to_owned();
        if !text.is_empty() {
            answer.texts.push(text);
        }
    }
    if let Some(first) = people.first().filter(|_| !mails.is_empty()) {
        let source = counted(mails.len(), &format!("to {first}"));
        answer.sources.push(source);
    }
}

/// Answers how the owner ends mails to a domain.
pub fn of_domain(answer: &mut StyleAnswer, mails: &[Parsed], domain: &str) {
    answer.closing = mails.iter().find_map(|mail| closing(&written(&mail.text)));
    if answer.closing.is_some() {
        let whom = format!("to others at {domain}, for how they end");
        answer.sources.push(counted(mails.len(), &whom));
    }
}

/// Answers what the owner signs with.
pub fn signed(answer: &mut StyleAnswer, learnt: &Learnt) {
    let Some(signature) = &learnt.signature else {
        return;
    };
    answer.signature = Some(signature.clone());
    if learnt.mails > 0 {
        let source = counted(learnt.mails, "for your signature");
        answer.sources.push(source);
    }
}

fn counted(number: usize, what: &str) -> String {
    match number {
        1 => format!("1 sent mail {what}"),
        number => format!("{number} sent mails {what}"),
    }
}

/// The lines that the writer wrote, without what is quoted: clean, no two blank lines in a row, none at the ends.
fn written(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in own_lines(text) {
        let line = one_line(line, MAX_TEXT_BYTES);
        if !(line.is_empty() && lines.last().is_none_or(String::is_empty)) {
            lines.push(line);
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

/// The line with which a mail greets.
fn greeting(lines: &[String]) -> Option<String> {
    let first = lines.first()?;
    let words: Vec<String> = first
        .split_whitespace()
        .map(|word| word.trim_matches([',', '!', ':', '.']).to_lowercase())
        .collect();
    let is_short = words.len() <= 6 && first.chars().count() <= 60;
    let greets = GREETINGS.iter().any(|greeting| {
        let greeting: Vec<&str> = greeting.split(' ').collect();
        words.len() >= greeting.len() && words.iter().zip(&greeting).all(|(word, one)| word == one)
    });
    // What follows it on the line is about something.
    let end = first.find([',', '!']).map_or(first.len(), |at| at + 1);
    (is_short && greets && end == first.len() && !first.ends_with(['?', '.']))
        .then(|| first.clone())
}

/// The line with which a mail ends: one that says nothing else.
fn closing(lines: &[String]) -> Option<String> {
    let newest_last = lines.iter().rev().take(CLOSING_WITHIN);
    // The greeting is none, also in a mail of one line.
    let beyond_first = lines.len().saturating_sub(1);
    newest_last
        .take(beyond_first)
        .find(|line| is_closing(line))
        .cloned()
}

fn is_closing(line: &str) -> bool {
    let text = line.trim_end_matches([',', '.', '!', ' ']).to_lowercase();
    CLOSINGS.contains(&text.as_str())
}

#[cfg(test)]
mod tests;
