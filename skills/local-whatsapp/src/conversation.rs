//! [`Conversation`]: which messages of a chat a task is about, and what came before them.
//!
//! Invariants: pure; what came after the task is another task's; texts are bounded, the newest kept.

use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{bounded, one_line, without_named_codes};
use platinum_sdk::whatsapp::types::Message;

/// The fact with the chat.
const CHAT: &str = "whatsapp-chat";
/// The fact with the messages, the last one last.
const MESSAGES: &str = "whatsapp-message";
/// The largest quote, in bytes.
const MAX_BYTES: usize = 24 * 1024;

/// A chat as a task is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversation {
    /// What the other side wrote and is to be answered, the oldest first.
    pub asked: Vec<Message>,
    /// What was written before, the oldest first.
    pub before: Vec<Message>,
    /// Whether the owner wrote after it.
    pub is_answered: bool,
}

fn fact<'a>(task: &'a Task, name: &str) -> &'a [String] {
    let found = task.facts.iter().find(|fact| fact.name == name);
    found.map_or(&[][..], |fact| fact.values.as_slice())
}

/// The chat that a task is of.
#[must_use]
pub fn chat_of(task: &Task) -> Option<&str> {
    fact(task, CHAT).first().map(String::as_str)
}

impl Conversation {
    /// Of the last messages of a chat, the newest first.
    #[must_use]
    pub fn of(task: &Task, newest_first: &[Message]) -> Self {
        let named = fact(task, MESSAGES);
        let is_named = |message: &&Message| named.contains(&message.id);
        let after = newest_first
            .iter()
            .take_while(|message| !is_named(message))
            .count();
        let (after, rest) = match after == newest_first.len() {
            // They are not there any more: what is newest is asked.
            true => (&[][..], newest_first),
            false => newest_first.split_at(after),
        };
        let asked = rest.iter().take_while(|message| !message.is_own).count();
        let (asked, before) = rest.split_at(asked);
        let oldest_first = |messages: &[Message]| messages.iter().rev().cloned().collect();
        Self {
            asked: oldest_first(asked),
            before: oldest_first(before),
            is_answered: after.iter().any(|message| message.is_own),
        }
    }

    /// What is to be answered, as a quote.
    #[must_use]
    pub fn asked_text(&self) -> String {
        let texts = self.asked.iter().map(|message| message.text.clone());
        quote(texts.collect())
    }

    /// What was written before, as a quote.
    #[must_use]
    pub fn before_text(&self) -> String {
        let texts = self.before.iter().map(|message| {
            let who = match message.is_own {
                true => "you".to_owned(),
                false => one_line(&message.sender, 60),
            };
            format!("{who}: {}", message.text)
        });
        quote(texts.collect())
    }

    /// The message that an answer quotes: the last one, where there is one to choose.
    #[must_use]
    pub fn quoted(&self) -> Option<String> {
        let last = self.asked.last()?;
        (self.asked.len() + self.before.len() > 1).then(|| last.id.clone())
    }
}

/// Texts one below the other; the oldest are left out of too many.
fn quote(texts: Vec<String>) -> String {
    let mut kept: Vec<String> = Vec::new();
    let mut size = 0;
    for text in texts.into_iter().rev() {
        let text = without_named_codes(bounded(&text, MAX_BYTES / 2));
        size += text.len() + 1;
        if size > MAX_BYTES {
            break;
        }
        kept.push(text);
    }
    kept.reverse();
    kept.join("\n")
}

#[cfg(test)]
pub(crate) mod tests {
    use platinum_sdk::tasks::types::Fact;

    use super::*;

    pub(crate) fn task(messages: &[&str]) -> Task {
        let fact = |name: &str, values: Vec<String>| Fact {
            name: name.into(),
            values,
        };
        Task {
            id: "task_1".into(),
            zone: "whatsapp".into(),
            source: "whatsapp".into(),
            sender: "Sheena, +1650".into(),
            subject: "And in blue?".into(),
            received: None,
            created: "2026-11-20T18:00:00Z".into(),
            facts: vec![
                fact(CHAT, vec!["1650".into()]),
                fact(MESSAGES, messages.iter().map(|&id| id.into()).collect()),
            ],
            text: String::new(),
        }
    }

    pub(crate) fn message(id: &str, is_own: bool, text: &str) -> Message {
        Message {
            id: id.into(),
            sender: if is_own {
                "you".into()
            } else {
                "Sheena".into()
            },
            is_own,
            at: "2026-11-20T17:00:00Z".into(),
            text: text.into(),
        }
    }

    #[test]
    fn conversation_is_what_was_asked_and_what_came_before() {
        let chat = [
            message("5", false, "Also, when?"),
            message("4", false, "Please"),
            message("3", false, "And in blue?"),
            message("2", true, "In red."),
            message("1", false, "Which colours?"),
        ];
        let of = Conversation::of(&task(&["3", "4"]), &chat);
        assert_eq!(of.asked_text(), "And in blue?\nPlease");
        assert_eq!(of.before_text(), "Sheena: Which colours?\nyou: In red.");
        assert_eq!(of.quoted().as_deref(), Some("4"));
        assert!(!of.is_answered);
    }

    #[test]
    fn conversation_that_went_on_without_us_is_answered() {
        let chat = [
            message("4", true, "Yes"),
            message("3", false, "And in blue?"),
        ];
        let of = Conversation::of(&task(&["3"]), &chat);
        assert!(of.is_answered);
        assert_eq!(of.quoted(), None);
        // What the task names is gone, or is not named at all.
        for named in [&["9"][..], &[]] {
            let of = Conversation::of(&task(named), &chat[1..]);
            assert_eq!((of.asked.len(), of.is_answered), (1, false));
        }
    }

    #[test]
    fn quotes_keep_the_newest_and_no_codes() {
        let chat: Vec<Message> = (0..60)
            .map(|n| message(&format!("{n}"), false, &"x".repeat(2000 - n)))
            .collect();
        let of = Conversation::of(&task(&["0"]), &chat);
        let text = of.asked_text();
        assert!(text.len() <= MAX_BYTES);
        assert!(text.ends_with(&"x".repeat(2000)));
        let code = [message("1", false, "Your verification code is 481516.")];
        let of = Conversation::of(&task(&["1"]), &code);
        assert!(!of.asked_text().contains("481516"));
    }
}
