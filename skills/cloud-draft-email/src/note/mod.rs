//! A note of the owner that asks for a mail: to whom, and what it is to say.
//!
//! Lives here: the mail that is asked for; who is meant by a name is looked up by the host, and is a gap if
//! that is not clear. Lives elsewhere: what a note says is read in `reading`, with the words of `words`.
//! Invariants: no address is made up; bounded.

mod reading;
mod words;

use platinum_sdk::Error;
use platinum_sdk::email::people::Person;
use platinum_sdk::email::types::Error as MailError;
use platinum_sdk::host::{Log, People};
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{MailAddress, gap, one_line};

use crate::facts::{Facts, Recipients, mail_text};
use reading::{Addressee, read};

/// The most characters of a subject that is made from what the note says.
const MAX_SUBJECT: usize = 70;
/// Addresses that a gap names.
const SHOWN: usize = 3;
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

/// A new mail that a note asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Letter {
    /// Whom it goes to, as far as that is clear.
    pub to: Recipients,
    /// A gap for each of whom it is not.
    pub open: Vec<String>,
    /// How the one it goes to is called, if it is one.
    pub name: Option<String>,
    /// Its subject, or a gap for it.
    pub subject: String,
    /// What it says, if the note says it as it can be said.
    pub message: Option<String>,
}

impl Letter {
    /// The mail that a task asks for; none if the task is a mail, or names nobody to write to.
    ///
    /// # Errors
    /// If a name cannot be looked up at the moment.
    pub fn of(host: &(impl Log + People), task: &Task) -> Result<Option<Self>, Error> {
        let facts = Facts::of(task);
        if !facts.is_file() {
            return Ok(None);
        }
        let note = read(mail_text(task));
        let mut letter = Self {
            subject: subject(task, note.message.as_deref()),
            message: note.message,
            ..Self::default()
        };
        // The frontmatter says it with an address.
        letter.to = facts.recipients();
        if letter.to.to.is_empty() {
            for addressee in note.addressees {
                letter.add(host, addressee)?;
            }
        }
        if letter.to.to.is_empty() && letter.open.is_empty() {
            return Ok(None);
        }
        if let ([to], []) = (letter.to.to.as_slice(), letter.open.as_slice()) {
            // A name that no header could have greets nobody.
            letter.name =
                Some(to.name().to_owned()).filter(|_| to.with_plain_name() != to.address());
        }
        Ok(Some(letter))
    }

    fn add(&mut self, host: &(impl Log + People), addressee: Addressee) -> Result<(), Error> {
        match addressee {
            Addressee::Address(text) => match MailAddress::parse(&text) {
                Ok(address) => self.push(address),
                Err(_) => self.open.push(gap(&one_line(&text, 60))),
            },
            Addressee::Name(name) => {
                let found = match host.find(&name) {
                    Ok(found) => found,
                    Err(error @ MailError::Unavailable(_)) => return Err(error.into()),
                    Err(error) => {
                        let text = format!("{name} was not looked up: {}", Error::from(error));
                        host.line(Level::Warn, &text);
                        Vec::new()
                    }
                };
                let addresses: Vec<MailAddress> = found.iter().filter_map(address).collect();
                match addresses.as_slice() {
                    [one] => self.push(one.clone()),
                    [] => self.open.push(gap(&format!("address of {name}"))),
                    several => self.open.push(choice(&name, several)),
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, address: MailAddress) {
        if !self.to.to.iter().any(|known| known.is_same(&address)) {
            self.to.to.push(address);
        }
    }
}

fn address(person: &Person) -> Option<MailAddress> {
    let named = format!("{} <{}>", one_line(&person.name, 60), person.address);
    let named = MailAddress::parse(&named).ok();
    named.or_else(|| MailAddress::parse(&person.address).ok())
}

/// The gap for one of several.
fn choice(name: &str, several: &[MailAddress]) -> String {
    let shown = several.iter().take(SHOWN).map(MailAddress::address);
    let mut which = shown.collect::<Vec<_>>().join(" or ");
    if several.len() > SHOWN {
        which.push_str(" or another");
    }
    gap(&one_line(&format!("which {name}: {which}"), 250))
}

/// What the mail is about: the note's own title, else what it says, else the file's name.
fn subject(task: &Task, message: Option<&str>) -> String {
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
    use platinum_sdk::testing::TestHost;

    fn person(name: &str, address: &str) -> Person {
        Person {
            name: name.into(),
            address: address.into(),
        }
    }

    fn host() -> TestHost {
        let bobs = vec![
            person("Bob Miller", "bob@a.test"),
            person("Bob Stone", "bob@b.test"),
        ];
        TestHost {
            people: [
                ("Ann".to_owned(), vec![person("Ann Lee", "ann@x.test")]),
                ("Bob".to_owned(), bobs),
                ("Eve".to_owned(), vec![person("Eve, <x@y>", "eve@x.test")]),
            ]
            .into(),
            ..TestHost::default()
        }
    }

    fn dropped(file: &str, subject: &str, text: &str) -> Task {
        Task {
            source: format!("file:Inbox/{file}"),
            sender: "A file that was dropped here".into(),
            subject: subject.into(),
            text: text.into(),
            ..mail(&[])
        }
    }

    fn letter(text: &str) -> Letter {
        let task = dropped("idea.md", "idea", text);
        Letter::of(&host(), &task).unwrap().unwrap()
    }

    #[test]
    fn letter_goes_to_the_one_who_is_meant() {
        let ann = letter("write to Ann that the offer is ready by Friday");
        assert_eq!(Recipients::listed(&ann.to.to), "Ann Lee <ann@x.test>");
        assert_eq!((ann.open.len(), ann.name.as_deref()), (0, Some("Ann Lee")));
        assert_eq!(ann.subject, "The offer is ready by Friday");
        let both = letter("tell Ann and zed@z.test about it");
        assert_eq!(
            Recipients::listed(&both.to.to),
            "Ann Lee <ann@x.test>, zed@z.test"
        );
        assert_eq!(both.name, None);
        let eve = letter("ask Eve");
        assert_eq!(eve.to.to[0].address(), "eve@x.test");
    }

    #[test]
    fn letter_has_a_gap_for_nobody_or_several() {
        let bob = letter("write to Bob");
        assert_eq!(
            (bob.to.to.len(), &bob.open[..]),
            (0, &[gap("which Bob: bob@a.test or bob@b.test")][..])
        );
        let some = letter("write to Ann, Zoe and Bob");
        assert_eq!(Recipients::listed(&some.to.to), "Ann Lee <ann@x.test>");
        assert_eq!(some.open[0], gap("address of Zoe"));
        assert_eq!((some.open.len(), some.name), (2, None));
    }

    #[test]
    fn letter_of_a_mail_or_of_a_note_to_nobody_is_none() {
        assert_eq!(Letter::of(&host(), &mail(&[])), Ok(None));
        let none = dropped("a.md", "a", "Buy milk.");
        assert_eq!(Letter::of(&host(), &none), Ok(None));
        let mut to = dropped("a.md", "Offer", "It is ready.");
        to.facts = mail(&[("reply-to", "Bo <bo@b.test>")]).facts;
        let letter = Letter::of(&host(), &to).unwrap().unwrap();
        assert_eq!(Recipients::listed(&letter.to.to), "Bo <bo@b.test>");
        assert_eq!((letter.subject.as_str(), letter.message), ("Offer", None));
    }

    #[test]
    fn subject_is_the_title_or_what_the_note_says() {
        let message = Some("The offer is ready.");
        let of = |file, title, message| subject(&dropped(file, title, ""), message);
        assert_eq!(of("a.md", "New prices", message), "New prices");
        assert_eq!(of("Offer.md", "Offer", message), "The offer is ready");
        assert_eq!(
            of("Offer for Ann.md", "Offer for Ann", None),
            "Offer for Ann"
        );
        for name in ["Untitled", "Untitled 2", "2026-11-30", "note"] {
            let file = format!("{name}.md");
            let task = dropped(&file, name, "");
            assert_eq!(subject(&task, None), gap("subject"), "{name}");
        }
    }
}
