//! What a mail that a note asks for is about.
//!
//! Invariants: pure; bounded.

use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{gap, one_line};

/// The most characters of a subject that is made from what the note says.
const MAX_SUBJECT: usize = 70;
/// Names of files that say nothing of what they are about.
const NO_SUBJECT: [&str; 10] = [
    "untitled",
    "unbenannt",
    "sans titre",
    "note",
    "notiz",
    "idea",
    "idee",
    "todo",
    "mail",
    "new note",
];

/// What the mail is about: the note's own title, else what it says, else the file's name.
pub(super) fn subject(task: &Task, message: Option<&str>) -> String {
    let path = task.source.strip_prefix("file:").unwrap_or_default();
    let file = path.rsplit('/').next().unwrap_or_default();
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let title = one_line(&task.subject, 200);
    let is_telling = |name: &str| {
        let lower = name.to_lowercase();
        let words = lower.trim_matches(|c: char| !c.is_alphabetic());
        !words.is_empty() && !NO_SUBJECT.contains(&words)
    };
    match message {
        _ if title != one_line(stem, 200) && is_telling(&title) => title,
        Some(message) => one_line(message.trim_end_matches('.'), MAX_SUBJECT),
        None if is_telling(&title) => title,
        None => gap("subject"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::triage::tests::mail;

    #[test]
    fn subject_is_the_title_or_what_the_note_says() {
        let message = Some("The offer is ready.");
        let of = |file: &str, title: &str, message| {
            let task = Task {
                source: format!("file:Inbox/{file}"),
                subject: title.into(),
                ..mail(&[])
            };
            subject(&task, message)
        };
        assert_eq!(of("a.md", "New prices", message), "New prices");
        assert_eq!(of("Offer.md", "Offer", message), "The offer is ready");
        assert_eq!(
            of("Offer for Ann.md", "Offer for Ann", None),
            "Offer for Ann"
        );
        for name in ["Untitled", "Untitled 2", "2026-11-30", "note"] {
            let file = format!("{name}.md");
            assert_eq!(of(&file, name, None), gap("subject"), "{name}");
        }
    }
}
