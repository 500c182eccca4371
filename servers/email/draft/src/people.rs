//! Who is meant by a name: pure.
//!
//! Invariants: a name is matched whole, or as whole words of a person's name, never as a part of a word; whom the
//! owner wrote to comes before who only wrote to them, under whatever name; it is clear who is meant only if the owner
//! wrote to one alone, for a stranger can take any name.

use std::collections::BTreeMap;

use platinum_mailbox::message::Person as Named;

use crate::shapes::{PeopleAnswer, Person};

/// People of one answer.
const MAX_PEOPLE: usize = 10;
/// Characters of a name that is answered.
const MAX_NAME_CHARS: usize = 100;

/// Somebody in a mail.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Known {
    name: String,
    /// The address, as the mail has it.
    pub address: String,
    written_to: bool,
}

impl Known {
    /// A recipient of a mail of the owner.
    #[must_use]
    pub fn written_to(person: &Named) -> Self {
        Self::of(person, true)
    }

    /// The sender of a mail.
    #[must_use]
    pub fn heard_from(person: &Named) -> Self {
        Self::of(person, false)
    }

    fn of(person: &Named, written_to: bool) -> Self {
        let name = person.name.as_deref().unwrap_or_default();
        Self {
            name: platinum_text::one_line(name, MAX_NAME_CHARS),
            address: person.address.trim().to_owned(),
            written_to,
        }
    }

    /// How well the words of a name fit, in their order: the lower, the better.
    fn fit(&self, words: &[String]) -> Option<u8> {
        let mut own = words_of(&self.name);
        if own.is_empty() {
            // `bob.miller@…` without a name.
            let local = self.address.rsplit_once('@').map(|(local, _)| local);
            own = words_of(local.unwrap_or_default());
        }
        // A first name alone says no more than one with a family name behind it.
        let is_whole = own == words && words.len() > 1;
        let has_all = words.iter().all(|word| own.contains(word));
        has_all.then_some(u8::from(!is_whole))
    }
}

/// Those who are meant by a name.
#[must_use]
pub fn people_named<'a>(name: &str, known: impl IntoIterator<Item = &'a Known>) -> PeopleAnswer {
    let words = words_of(name);
    // One for each address: whom the owner wrote to by this name, else the better fit.
    let mut best: BTreeMap<String, ((bool, u8), &Known)> = BTreeMap::new();
    for one in known.into_iter().filter(|_| !words.is_empty()) {
        let Some(fit) = one.fit(&words) else { continue };
        let rank = (!one.written_to, fit);
        let kept = best
            .entry(one.address.to_lowercase())
            .or_insert((rank, one));
        if rank < kept.0 {
            *kept = (rank, one);
        }
    }
    let first = best.values().map(|(rank, _)| *rank).min();
    best.retain(|_, (rank, _)| Some(*rank) == first);
    let clear = best.len() == 1 && best.values().all(|(_, one)| one.written_to);
    let people = best.into_values().take(MAX_PEOPLE);
    let people = people.map(|(_, one)| Person {
        name: one.name.clone(),
        address: one.address.clone(),
    });
    PeopleAnswer {
        people: people.collect(),
        clear,
    }
}

/// The words of a name, in lower case and in the order of the alphabet: `Miller, Jane` is `Jane Miller`.
fn words_of(name: &str) -> Vec<String> {
    let mut words: Vec<String> = split(name).map(str::to_lowercase).collect();
    words.sort_unstable();
    words
}

/// The longest word of a name, by which a server that finds parts of words finds the most of it.
#[must_use]
pub fn longest_word(name: &str) -> Option<&str> {
    split(name).max_by_key(|word| word.len())
}

fn split(name: &str) -> impl Iterator<Item = &str> {
    let is_part = |c: char| c.is_alphanumeric() || c == '\'' || c == '’';
    name.split(move |c| !is_part(c))
        .filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(list: &[(&str, &str, bool)]) -> Vec<Known> {
        let one = |&(name, address, written_to): &(&str, &str, bool)| Known {
            name: name.to_owned(),
            address: address.to_owned(),
            written_to,
        };
        list.iter().map(one).collect()
    }

    /// Those found, and `?` if it is not clear.
    fn found(name: &str, list: &[(&str, &str, bool)]) -> Vec<String> {
        let answer = people_named(name, &known(list));
        let people = answer.people.into_iter().map(|person| person.address);
        let unclear = (!answer.clear).then(|| "?".to_owned());
        people.chain(unclear).collect()
    }

    const PEOPLE: [(&str, &str, bool); 6] = [
        ("Bob Miller", "bob@a.test", true),
        ("Bob Miller", "BOB@a.test", true),
        ("Miller, Jane", "jane@a.test", true),
        ("Bobby Tables", "bobby@b.test", true),
        ("", "carl.stone@c.test", true),
        ("Bob Forger", "bob@forger.test", false),
    ];

    #[test]
    fn people_are_found_by_whole_words_of_their_name() {
        assert_eq!(found("Bob", &PEOPLE), ["bob@a.test"]);
        assert_eq!(found("bob miller", &PEOPLE), ["bob@a.test"]);
        assert_eq!(found("Jane Miller", &PEOPLE), ["jane@a.test"]);
        assert_eq!(found("Miller", &PEOPLE), ["bob@a.test", "jane@a.test", "?"]);
        assert_eq!(found("Carl Stone", &PEOPLE), ["carl.stone@c.test"]);
        for nobody in ["Bo", "ob", "Tablesx", "", " - ", "bob@a.test"] {
            assert_eq!(found(nobody, &PEOPLE), ["?"], "{nobody}");
        }
    }

    /// A stranger can take any name, and send a mail in any.
    #[test]
    fn people_written_to_come_before_strangers() {
        assert_eq!(found("Bob Forger", &PEOPLE), ["bob@forger.test", "?"]);
        let same = [
            ("Ann", "ann@stranger.test", false),
            ("Ann Lee", "ann@a.test", true),
        ];
        assert_eq!(found("Ann", &same), ["ann@a.test"]);
        let forged = [
            ("Bob Miller", "bob@a.test", true),
            ("Bob Stone", "bob@b.test", true),
            ("Bob", "BOB@a.test", false),
        ];
        assert_eq!(found("Bob", &forged), ["bob@a.test", "bob@b.test", "?"]);
        let renamed = [
            ("Ann Lee", "ann@a.test", true),
            ("Bob Stone", "ann@a.test", false),
        ];
        assert_eq!(found("Bob Stone", &renamed), ["ann@a.test", "?"]);
    }

    /// Correspondents choose how they are called: `Kim` alone may be anybody.
    #[test]
    fn people_whole_name_comes_before_a_part() {
        let list = [
            ("Kim", "kim@a.test", true),
            ("Kim Lee", "lee@a.test", true),
            ("Kim Lee Jones", "jones@a.test", true),
            ("", "kim@b.test", true),
        ];
        let all = [
            "jones@a.test",
            "kim@a.test",
            "kim@b.test",
            "lee@a.test",
            "?",
        ];
        assert_eq!(found("Kim", &list), all);
        assert_eq!(found("Kim Lee", &list), ["lee@a.test"]);
    }

    #[test]
    fn longest_word_of_a_name_is_searched_for() {
        assert_eq!(longest_word("Ann-Marie O'Neil"), Some("O'Neil"));
        assert_eq!(longest_word(" - "), None);
    }

    #[test]
    fn people_are_bounded() {
        let many: Vec<Known> = (0..50)
            .map(|n| Known {
                name: format!("Ann {}", "x".repeat(500)),
                address: format!("a{n}@x.test"),
                written_to: true,
            })
            .collect();
        assert_eq!(people_named("Ann", &many).people.len(), MAX_PEOPLE);
    }
}
