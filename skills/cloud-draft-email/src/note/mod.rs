//! A note of the owner that asks for a mail: to whom, and what it is to say.
//!
//! Lives here: the mail that is asked for; who is meant by a name is looked up by the host, and is a gap if
//! that is not clear, or a question to the owner where the note may not ask for a mail at all. Lives elsewhere:
//! what a note says is read in `reading`, with the words of `words`; what the mail is about is in `subject`.
//! Invariants: no address is made up; bounded.

mod reading;
mod subject;
mod words;

use platinum_sdk::Error;
use platinum_sdk::email::people::{Matches, Person};
use platinum_sdk::email::types::Error as MailError;
use platinum_sdk::host::{Log, People};
use platinum_sdk::skill::log::Level;
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{MailAddress, gap, one_line};

use crate::facts::{Facts, Recipients, mail_text};
use reading::{Addressee, read};
use subject::subject;

/// Addresses that a gap names.
const SHOWN: usize = 3;

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

/// What a task that is a note asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// A mail.
    Letter(Letter),
    /// Perhaps a mail, to somebody who is not known: a gap for whom.
    Unclear(String),
}

impl Note {
    /// What a task asks for; none if the task is a mail, or names nobody to write to.
    ///
    /// # Errors
    /// If a name cannot be looked up at the moment.
    pub fn of(host: &(impl Log + People), task: &Task) -> Result<Option<Self>, Error> {
        let facts = Facts::of(task);
        if !facts.is_file() {
            return Ok(None);
        }
        let mut requests = read(&task.subject, mail_text(task));
        // The frontmatter says it, with addresses or names.
        let to = facts.recipients();
        let is_name = |text: &&str| MailAddress::parse(text).is_err();
        let names: Vec<&str> = facts.all("reply-to").filter(is_name).collect();
        if !(to.to.is_empty() && names.is_empty()) {
            let message = requests.pop().and_then(|request| request.message);
            let mut letter = Letter {
                to,
                ..Letter::default()
            };
            for name in names {
                letter.add(host, Addressee::Name(one_line(name, 100)))?;
            }
            return Ok(Some(Self::Letter(letter.ended(task, message))));
        }
        let mut unclear = None;
        for request in requests {
            let mut letter = Letter::default();
            let mut is_guess = false;
            for addressee in request.addressees {
                let before = letter.open.len();
                let guesses = matches!(addressee, Addressee::Guess(_));
                letter.add(host, addressee)?;
                is_guess |= guesses && letter.open.len() > before;
            }
            match letter.open.first() {
                // A word that is nobody's name.
                Some(_) if is_guess => {}
                Some(whom) if !request.is_for_mail => {
                    unclear.get_or_insert_with(|| Self::Unclear(whom.clone()));
                }
                _ => return Ok(Some(Self::Letter(letter.ended(task, request.message)))),
            }
        }
        Ok(unclear)
    }
}

impl Letter {
    fn ended(mut self, task: &Task, message: Option<String>) -> Self {
        self.subject = subject(task, message.as_deref());
        self.message = message;
        if let ([to], []) = (self.to.to.as_slice(), self.open.as_slice()) {
            // A name that no header could have greets nobody.
            self.name = Some(to.name().to_owned()).filter(|_| to.with_plain_name() != to.address());
        }
        self
    }

    fn add(&mut self, host: &(impl Log + People), addressee: Addressee) -> Result<(), Error> {
        let name = match addressee {
            Addressee::Address(text) => {
                match MailAddress::parse(&text) {
                    Ok(address) => self.push(address),
                    Err(_) => self.open.push(gap(&one_line(&text, 60))),
                }
                return Ok(());
            }
            Addressee::Name(name) | Addressee::Guess(name) => name,
        };
        let found = match host.find(&name) {
            Ok(found) => found,
            Err(error @ MailError::Invalid(_)) => {
                let text = format!("{name} was not looked up: {}", Error::from(error));
                host.line(Level::Warn, &text);
                Matches {
                    people: Vec::new(),
                    clear: false,
                }
            }
            // Whatever the mail server says: nobody was looked for, so nobody is unknown.
            Err(error) => {
                let text = Error::from(error).to_string();
                return Err(Error::Unavailable(one_line(&text, 200)));
            }
        };
        let addresses: Vec<MailAddress> = found.people.iter().filter_map(address).collect();
        match addresses.as_slice() {
            [one] if found.clear => self.push(one.clone()),
            [] => self.open.push(gap(&format!("address of {name}"))),
            several => self.open.push(choice(&name, several)),
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

/// The gap for one of several, or for one who is not known well.
fn choice(name: &str, several: &[MailAddress]) -> String {
    if let [one] = several {
        return gap(&one_line(
            &format!("address of {name}: {}?", one.address()),
            250,
        ));
    }
    let shown = several.iter().take(SHOWN).map(MailAddress::address);
    let mut which = shown.collect::<Vec<_>>().join(" or ");
    if several.len() > SHOWN {
        which.push_str(" or another");
    }
    gap(&one_line(&format!("which {name}: {which}"), 250))
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
                ("Kim".to_owned(), vec![person("Kim", "kim@stranger.test")]),
                ("ann".to_owned(), vec![person("Ann Lee", "ann@x.test")]),
            ]
            .into(),
            strangers: vec!["Kim".to_owned()],
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

    fn note(text: &str) -> Option<Note> {
        Note::of(&host(), &dropped("idea.md", "idea", text)).unwrap()
    }

    fn letter(text: &str) -> Letter {
        match note(text) {
            Some(Note::Letter(letter)) => letter,
            other => panic!("{text}: {other:?}"),
        }
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

    /// Who only wrote to the owner may have any name.
    #[test]
    fn letter_to_a_stranger_has_a_gap() {
        let kim = letter("write to Kim");
        let expected = gap("address of Kim: kim@stranger.test?");
        assert_eq!((kim.to.to.len(), &kim.open[..]), (0, &[expected][..]));
    }

    #[test]
    fn note_that_may_be_no_mail_is_one_to_known_people() {
        let bob = gap("which Bob: bob@a.test or bob@b.test");
        for (text, whom) in [
            ("ask Bob for the keys", bob.as_str()),
            ("Tell Ann and Bob", bob.as_str()),
            ("Mail Zoe", &gap("address of Zoe")),
            ("tell Ann or Eve", &gap("address of Ann or Eve")),
        ] {
            assert_eq!(note(text), Some(Note::Unclear(whom.to_owned())), "{text}");
        }
        for text in ["ask Ann", "tell ann", "Mail report\nMail zed@z.test"] {
            assert_eq!(letter(text).open.len(), 0, "{text}");
        }
        for text in [
            "write report",
            "Mail server is down",
            "email bob",
            "sag ihm",
        ] {
            assert_eq!(note(text), None, "{text}");
        }
        let named = letter("write to Zed Old <zed@z.test> that we come");
        assert_eq!(Recipients::listed(&named.to.to), "Zed Old <zed@z.test>");
        assert_eq!(named.message.as_deref(), Some("We come."));
    }

    /// Nobody is unknown because the mailbox is away, in whatever words.
    #[test]
    fn note_without_a_mailbox_is_tried_again() {
        let of = |error| {
            let host = TestHost {
                find_error: Some(error),
                ..host()
            };
            Note::of(&host, &dropped("idea.md", "idea", "write to Ann"))
        };
        for away in [
            MailError::Unavailable("no route".into()),
            MailError::Refused("account me: no route".into()),
        ] {
            let error = of(away.clone()).unwrap_err();
            assert!(
                matches!(error, Error::Unavailable(_)),
                "{away:?}: {error:?}"
            );
        }
        assert!(of(MailError::Invalid("name".into())).is_ok());
    }

    #[test]
    fn letter_of_a_mail_or_of_a_note_to_nobody_is_none() {
        assert_eq!(Note::of(&host(), &mail(&[])), Ok(None));
        let none = dropped("a.md", "a", "Buy milk.");
        assert_eq!(Note::of(&host(), &none), Ok(None));
        let mut to = dropped("a.md", "Offer", "It is ready.");
        to.facts = mail(&[("reply-to", "Bo <bo@b.test>")]).facts;
        let Ok(Some(Note::Letter(letter))) = Note::of(&host(), &to) else {
            panic!("no letter")
        };
        assert_eq!(Recipients::listed(&letter.to.to), "Bo <bo@b.test>");
        assert_eq!((letter.subject.as_str(), letter.message), ("Offer", None));
        to.facts[0].values.extend(["Ann".into(), "Bob".into()]);
        let Ok(Some(Note::Letter(letter))) = Note::of(&host(), &to) else {
            panic!("no letter")
        };
        let to = Recipients::listed(&letter.to.to);
        assert_eq!(to, "Bo <bo@b.test>, Ann Lee <ann@x.test>");
        assert_eq!(letter.open, [gap("which Bob: bob@a.test or bob@b.test")]);
    }
}
