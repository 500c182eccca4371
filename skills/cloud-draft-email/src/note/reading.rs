//! What a note says: whom it names, and the message, if it is one that can be said as it stands.
//!
//! A heuristic over the first words of a line, "write to Bob that …", in a few languages.
//! Invariants: pure; bounded.

use platinum_sdk::text::one_line;

use super::words::{
    AND, BY_ANY_WAY, CALLS, FILLERS, FOR_MAIL, NO_NAME, OF_OTHERS, OR, PARTICLES, TITLES,
};

/// The most lines of a note that asks for a mail; a longer one is a text from somewhere.
const MAX_LINES: usize = 12;
/// The most people of one note.
const MAX_ADDRESSEES: usize = 10;
/// The most words of a name.
const MAX_NAME_WORDS: usize = 6;
/// The longest message that is taken over, in characters.
const MAX_MESSAGE: usize = 400;

/// Somebody a note names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Addressee {
    /// By an address, which may have a name before it.
    Address(String),
    /// By a name.
    Name(String),
    /// By what is a name only if somebody is called so: it was typed in lower case.
    Guess(String),
}

impl Addressee {
    fn text(&self) -> &str {
        match self {
            Self::Address(text) | Self::Name(text) | Self::Guess(text) => text,
        }
    }
}

/// What a line of a note asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Request {
    /// Whom to write to, in its order.
    pub(super) addressees: Vec<Addressee>,
    /// Whether it can be done by a mail alone; what is told or asked may be told in any way.
    pub(super) is_for_mail: bool,
    /// What to say, as a sentence, if the note says nothing else and says it as one can say it to them.
    pub(super) message: Option<String>,
}

/// What a note asks for, in its order. A line asks for it with its first words: elsewhere they are part of a text.
#[must_use]
pub(super) fn read(title: &str, text: &str) -> Vec<Request> {
    let lines: Vec<Vec<Word<'_>>> = without_front(text)
        .lines()
        .filter(|line| !line.trim().is_empty())
        .take(MAX_LINES + 1)
        .map(words_of)
        .collect();
    let mut requests = Vec::new();
    if lines.len() > MAX_LINES || words_of(title).iter().any(Word::is_call) {
        return requests;
    }
    for line in &lines {
        requests.extend(request(line).map(|request| Request {
            message: request.message.filter(|_| lines.len() == 1),
            ..request
        }));
        if line.iter().any(Word::is_call) {
            break;
        }
    }
    requests
}

/// The words of a line; of one that is quoted none.
fn words_of(line: &str) -> Vec<Word<'_>> {
    let line = line.trim_start_matches(['#', '-', '*', ' ']);
    let line = line.trim_start_matches("[ ] ");
    let words = line.split_whitespace().map(|text| Word { text });
    words.filter(|_| !line.starts_with('>')).collect()
}

/// What a line asks for.
fn request(words: &[Word<'_>]) -> Option<Request> {
    let is_filler = |word: &&Word<'_>| {
        let plain = word.plain();
        plain.is_empty() || FILLERS.contains(&plain.as_str())
    };
    let start = words.iter().take_while(is_filler).count();
    let phrases = FOR_MAIL.iter().map(|phrase| (phrase, true));
    let mut phrases = phrases.chain(BY_ANY_WAY.iter().map(|phrase| (phrase, false)));
    phrases.find_map(|(phrase, is_for_mail)| {
        let (addressees, rest) = addressees(words, phrase_end(words, start, phrase)?);
        (!addressees.is_empty()).then(|| Request {
            addressees,
            is_for_mail,
            message: message(&words[rest..]),
        })
    })
}

/// A word, with the signs around it.
#[derive(Clone, Copy)]
struct Word<'a> {
    text: &'a str,
}

impl<'a> Word<'a> {
    /// Without the signs around it.
    fn bare(&self) -> &'a str {
        self.text.trim_matches(|c: char| !c.is_alphanumeric())
    }

    /// In lower case, without the signs around it.
    fn plain(&self) -> String {
        self.bare().to_lowercase()
    }

    /// Whether what follows belongs to something else.
    fn ends_part(&self) -> bool {
        self.text.ends_with([',', ';', ':', '.', '!', '?'])
    }

    /// Whether it begins as a name does.
    fn is_capital(&self) -> bool {
        let first = self.text.chars().find(|c| c.is_alphanumeric());
        first.is_some_and(|c| c.is_uppercase() || !c.is_lowercase())
    }

    /// Whether it asks for something else than a mail.
    fn is_call(&self) -> bool {
        CALLS.contains(&self.plain().as_str())
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
    let mut found: Vec<Addressee> = Vec::new();
    let mut at = start;
    let mut may_guess = true;
    while let Some((one, next)) = addressee(words, at, may_guess) {
        found.push(one);
        at = next;
        let after = words.get(at).map(Word::plain).unwrap_or_default();
        let guesses = matches!(found.last(), Some(Addressee::Guess(_)));
        let joins = |list: &[&str]| {
            list.contains(&after.as_str()) && addressee(words, at + 1, guesses).is_some()
        };
        may_guess = guesses;
        if joins(&OR) {
            // One of two is nobody who could be found.
            if let (Some(one), Some((other, next))) =
                (found.pop(), addressee(words, at + 1, guesses))
            {
                let both = format!("{} {after} {}", one.text(), other.text());
                found.push(Addressee::Name(one_line(&both, 100)));
                at = next;
            }
            break;
        } else if joins(&AND) || words.get(at).is_some_and(|word| word.text == "&") {
            at += 1;
        } else if words[at - 1].text.ends_with(',') {
            may_guess = false;
        } else {
            break;
        }
        if found.len() == MAX_ADDRESSEES {
            break;
        }
    }
    (found, at)
}

/// One person named at a word, and the word after.
fn addressee(words: &[Word<'_>], start: usize, may_guess: bool) -> Option<(Addressee, usize)> {
    let is_title = |word: &&Word<'_>| TITLES.contains(&word.plain().as_str());
    let titles = words.get(start..)?.iter().take_while(is_title).count();
    let mut at = start + titles.min(2);
    let address = |at: usize| {
        let word = words.get(at).filter(|word| word.text.contains('@'))?;
        Some(word.bare().to_owned())
    };
    if let Some(address) = address(at) {
        return Some((Addressee::Address(address), at + 1));
    }
    let is_guess = !words.get(at)?.is_capital();
    let mut name: Vec<&str> = Vec::new();
    while let Some(word) = words.get(at).filter(|_| name.len() < MAX_NAME_WORDS) {
        let plain = word.plain();
        let plain = plain.as_str();
        let is_word = !plain.is_empty() && !NO_NAME.contains(&plain) && !AND.contains(&plain);
        let fits = word.is_capital() || (is_guess && may_guess && !OR.contains(&plain));
        let is_within = !name.is_empty() && is_particle(&words[at..]);
        let begins_more = is_word && fits && !word.text.contains('@');
        if !(is_within || begins_more) {
            break;
        }
        name.push(word.bare());
        at += 1;
        if word.ends_part() {
            break;
        }
    }
    let text = one_line(&name.join(" "), 100);
    let is_open = at > start && !words[at - 1].ends_part();
    let one = match (name.is_empty(), address(at).filter(|_| is_open)) {
        (true, _) => return None,
        (false, Some(address)) => {
            at += 1;
            Addressee::Address(format!("{text} <{address}>"))
        }
        (false, None) if is_guess => Addressee::Guess(text),
        (false, None) => Addressee::Name(text),
    };
    Some((one, at))
}

/// Whether these words go on with a name: `von der Leyen`.
fn is_particle(words: &[Word<'_>]) -> bool {
    let is_one = |word: &&Word<'_>| PARTICLES.contains(&word.plain().as_str());
    let count = words.iter().take_while(is_one).count();
    count > 0 && words.get(count).is_some_and(Word::is_capital)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Whom each line names; `~` marks a guess.
    fn names(text: &str) -> Vec<String> {
        let name = |one| match one {
            Addressee::Name(name) => name,
            Addressee::Guess(name) => format!("~{name}"),
            Addressee::Address(address) => format!("<{address}>"),
        };
        let requests = read("", text).into_iter();
        let addressees = requests.flat_map(|request| request.addressees);
        addressees.map(name).collect()
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
            ("email bob the plans", &["~bob"]),
            ("email bob miller", &["~bob miller"]),
            ("ask ann and bob", &["~ann", "~bob"]),
            ("write to Anna von Stein", &["Anna von Stein"]),
            ("write to Jan van der Berg now", &["Jan van der Berg"]),
            ("write to Ann <ann@x.test>, please", &["<Ann <ann@x.test>>"]),
            ("tell Ann or Bob", &["Ann or Bob"]),
            ("Write to Bob, cc Ann", &["Bob", "Ann"]),
            ("Sag Eva Bescheid", &["Eva"]),
            ("E-Mail schreiben an Bob", &["Bob"]),
            ("Envoyer un mail à Anne", &["Anne"]),
            ("Tell Bob that\nwrite to Ann", &["Bob", "Ann"]),
            // Names only if somebody is called so.
            ("write report", &["~report"]),
            ("Mail server is down", &["~server is"]),
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
            "Don't write to Bob",
            "Please do not write to Bob",
            "Email from Bob about the invoice",
            "Waiting for answer from Bob",
            "Frage nach dem Termin",
            "Schreib nicht an Bob",
            "Great news! Contact sales@x.test",
            "> contact sales@x.test",
        ] {
            assert_eq!(names(text), [""; 0], "{text}");
        }
    }

    #[test]
    fn request_is_for_mail_or_for_any_way() {
        for (text, is_for_mail) in [
            ("write to Bob", true),
            ("Schreib an Bob", true),
            ("Mail Bob", false),
            ("tell Bob", false),
        ] {
            assert_eq!(read("", text)[0].is_for_mail, is_for_mail, "{text}");
        }
        assert_eq!(read("Call Bob", "write to Bob"), []);
        assert_eq!(read("", "Meet Ann\nwrite to Bob"), []);
    }

    #[test]
    fn message_is_what_can_be_said_as_it_stands() {
        let said = |text| read("", text).pop().and_then(|request| request.message);
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
            "tell Bob that the offer is ready\n- buy flowers for my wife",
            "# Shopping\ntell Bob that the offer is ready",
        ] {
            assert_eq!(said(text), None, "{text}");
        }
        let long = format!("tell Bob that {}", "word ".repeat(200));
        assert_eq!(said(&long), None);
    }

    #[test]
    fn note_is_read_within_bounds() {
        let many = format!("invite {}", "Ann, ".repeat(500));
        assert_eq!(names(&many).len(), MAX_ADDRESSEES);
        let late = format!("{}write to Bob", "line\n".repeat(MAX_LINES));
        let early = format!("write to Bob\n{}", "line\n".repeat(MAX_LINES));
        assert_eq!(names(&early), [""; 0]);
        assert_eq!(names(&late), [""; 0]);
    }
}
