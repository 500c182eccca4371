//! What a note says: whom it names, and the message, if it is one that can be said as it stands.
//!
//! A heuristic over the first words that ask for a mail, "write to Bob that …", in a few languages.
//! Invariants: pure; bounded.

use platinum_sdk::text::one_line;

use super::words::{AND, FILLERS, NO_NAME, OF_OTHERS, PHRASES, TITLES};

/// How much of a note is looked at, in lines.
const MAX_LINES: usize = 60;
/// The most people of one note.
const MAX_ADDRESSEES: usize = 10;
/// The most words of a name.
const MAX_NAME_WORDS: usize = 4;
/// The longest message that is taken over, in characters.
const MAX_MESSAGE: usize = 400;

/// Somebody a note names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addressee {
    /// By an address.
    Address(String),
    /// By a name.
    Name(String),
}

/// What a note asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Note {
    /// Whom to write to, in its order.
    pub(super) addressees: Vec<Addressee>,
    /// What to say, as a sentence, if the note says nothing else and says it as one can say it to them.
    pub(super) message: Option<String>,
}

/// Reads a note's text.
#[must_use]
pub(super) fn read(text: &str) -> Note {
    let text = without_front(text);
    let lines = text.lines().take(MAX_LINES);
    let words: Vec<Word<'_>> = lines
        .flat_map(|line| {
            let line = line.trim_start_matches(['#', '-', '*', '>', ' ']);
            let line = line.trim_start_matches("[ ] ");
            let count = line.split_whitespace().count();
            line.split_whitespace()
                .enumerate()
                .map(move |(at, word)| Word {
                    text: word,
                    ends_line: at + 1 == count,
                })
        })
        .collect();
    for at in 0..words.len() {
        for phrase in PHRASES {
            let Some(after) = phrase_end(&words, at, phrase) else {
                continue;
            };
            let (addressees, rest) = addressees(&words, after);
            if !addressees.is_empty() {
                let begins = words[..at].iter().all(|word| is_filler(word.text));
                let message = message(&words[rest..]).filter(|_| begins);
                return Note {
                    addressees,
                    message,
                };
            }
        }
    }
    Note::default()
}

/// A word, with the signs around it.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
    ends_line: bool,
}

impl Word<'_> {
    /// In lower case, without the signs around it.
    fn plain(self) -> String {
        self.text
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase()
    }

    /// Whether what follows belongs to something else.
    fn ends_part(self) -> bool {
        self.ends_line || self.text.ends_with([',', ';', ':', '.', '!', '?'])
    }
}

/// The text without its frontmatter.
fn without_front(text: &str) -> &str {
    let inside = text.strip_prefix("---\n");
    let end = inside.and_then(|inside| inside.split_once("\n---\n"));
    end.map_or(text, |(_, body)| body)
}

/// Where a phrase ends that begins at a word.
fn phrase_end(words: &[Word<'_>], at: usize, phrase: &str) -> Option<usize> {
    let mut end = at;
    for part in phrase.split(' ') {
        let word = words.get(end)?;
        if word.plain() != part || (word.ends_part() && !word.text.ends_with(':')) {
            return None;
        }
        end += 1;
    }
    Some(end)
}

/// The people named from a word on, and the word after them.
fn addressees(words: &[Word<'_>], start: usize) -> (Vec<Addressee>, usize) {
    let mut found = Vec::new();
    let mut at = start;
    while found.len() < MAX_ADDRESSEES {
        let Some((one, next)) = addressee(words, at, found.is_empty()) else {
            break;
        };
        found.push(one);
        at = next;
        let goes_on = |word: &&Word<'_>| AND.contains(&word.plain().as_str()) || word.text == "&";
        let is_listed = words[next - 1].text.ends_with(',');
        match words.get(next).filter(goes_on) {
            Some(_) if addressee(words, next + 1, false).is_some() => at = next + 1,
            None if is_listed => {}
            _ => break,
        }
    }
    (found, at)
}

/// One person named at a word, and the word after.
fn addressee(words: &[Word<'_>], start: usize, is_first: bool) -> Option<(Addressee, usize)> {
    let is_title = |word: &&Word<'_>| TITLES.contains(&word.plain().as_str());
    let titles = words.get(start..)?.iter().take_while(is_title).count();
    let mut at = start + titles.min(2);
    let first = words.get(at)?;
    if first.text.contains('@') {
        let address = first
            .text
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_owned();
        return Some((Addressee::Address(address), at + 1));
    }
    let mut name: Vec<&str> = Vec::new();
    while let Some(word) = words.get(at).filter(|_| name.len() < MAX_NAME_WORDS) {
        let plain = word.plain();
        let is_capital = word.text.chars().find(|c| c.is_alphanumeric());
        let is_capital = is_capital.is_some_and(|c| c.is_uppercase() || !c.is_lowercase());
        // A name that was typed in a hurry is one word.
        let is_hasty = is_first && name.is_empty() && plain.chars().all(char::is_alphabetic);
        if plain.is_empty() || NO_NAME.contains(&plain.as_str()) || !(is_capital || is_hasty) {
            break;
        }
        name.push(word.text.trim_matches(|c: char| !c.is_alphanumeric()));
        at += 1;
        if word.ends_part() || !is_capital {
            break;
        }
    }
    (!name.is_empty()).then(|| (Addressee::Name(one_line(&name.join(" "), 100)), at))
}

/// What a note says behind the people: `that …` as a sentence of its own. In other languages the words
/// stand in another order there.
fn message(rest: &[Word<'_>]) -> Option<String> {
    let (that, said) = rest.split_first()?;
    if that.plain() != "that" || said.is_empty() {
        return None;
    }
    // What is said of somebody is not what is said to them.
    if said
        .iter()
        .any(|word| OF_OTHERS.contains(&word.plain().as_str()))
    {
        return None;
    }
    let words: Vec<&str> = said.iter().map(|word| word.text).collect();
    let text = words.join(" ");
    let text = text.trim_end_matches(['.', '!', ' ']);
    let mut chars = text.chars();
    let first = chars
        .next()
        .filter(|_| text.chars().count() <= MAX_MESSAGE)?;
    let is_one = !text.contains(['[', ']', '<', '>']);
    is_one.then(|| format!("{}{}.", first.to_uppercase(), chars.as_str()))
}

/// Whether a word before the phrase says nothing.
fn is_filler(word: &str) -> bool {
    let plain = word
        .trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase();
    plain.is_empty() || FILLERS.contains(&plain.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let name = |one| match one {
            Addressee::Name(name) => name,
            Addressee::Address(address) => format!("<{address}>"),
        };
        read(text).addressees.into_iter().map(name).collect()
    }

    #[test]
    fn note_names_whom_to_write_to() {
        for (text, expected) in [
            (
                "write to Bob that the offer is ready by Friday",
                &["Bob"][..],
            ),
            ("Please tell Bob Miller about the plans.", &["Bob Miller"]),
            (
                "- [ ] Mail Dr. Ada Lovelace, the engine works",
                &["Ada Lovelace"],
            ),
            ("email bob the plans", &["bob"]),
            ("Let Ann know that we come.", &["Ann"]),
            (
                "Ask Ann and Bob Miller whether Monday is fine",
                &["Ann", "Bob Miller"],
            ),
            (
                "Invite Ann, Bob and Carl to the fair",
                &["Ann", "Bob", "Carl"],
            ),
            (
                "# To do\n\nwrite to ann@x.test and Bob",
                &["<ann@x.test>", "Bob"],
            ),
            (
                "Schreib Herrn Weber, dass das Angebot fertig ist",
                &["Weber"],
            ),
            ("Bitte Mail an Eva Müller: Termin passt", &["Eva Müller"]),
            ("Écris à Anne que le devis est prêt", &["Anne"]),
            ("Escribe a José Luis que sí", &["José Luis"]),
            ("Scrivi a Anna", &["Anna"]),
            ("---\nzone: email\n---\nwrite to Bob", &["Bob"]),
            ("Tell 田中 that we come", &["田中"]),
        ] {
            assert_eq!(names(text), expected, "{text}");
        }
    }

    #[test]
    fn note_without_somebody_to_write_to_names_nobody() {
        for text in [
            "",
            "Would Monday suit you?",
            "Write a poem about spring",
            "The mail about the offer is late",
            "tell me a joke",
            "ask them",
            "let it be",
            "write",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn message_is_what_can_be_said_as_it_stands() {
        let said = |text| read(text).message;
        assert_eq!(
            said("write to Bob that the offer is ready by Friday").as_deref(),
            Some("The offer is ready by Friday.")
        );
        assert_eq!(
            said("Please tell Ann and Bob that we meet at 9.").as_deref(),
            Some("We meet at 9.")
        );
        for text in [
            "tell Bob that I like his idea",
            "tell Bob about the offer",
            "Schreib Bob, dass das Angebot fertig ist",
            "The offer is late. Tell Bob that it comes.",
            "tell Bob that <b>this</b> works",
            "tell Bob that",
            "tell Bob",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
        let long = format!("tell Bob that {}", "word ".repeat(200));
        assert_eq!(read(&long).message, None);
    }

    #[test]
    fn note_is_read_within_bounds() {
        let many = format!("invite {}", "Ann, ".repeat(500));
        assert_eq!(names(&many).len(), MAX_ADDRESSEES);
        let late = format!("{}write to Bob", "line\n".repeat(MAX_LINES));
        assert_eq!(names(&late), [""; 0]);
    }
}
