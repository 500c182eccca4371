//! Who is meant by a name: pure.
//!
//! Invariants: a name is matched whole, or as whole words of a person's name, never as a part of a word; whom the
//! owner wrote to comes before who only wrote to them; the best kind of match alone is answered.

use std::collections::BTreeMap;

use platinum_mailbox::message::Person as Named;

use crate::shapes::Person;

/// People of one answer.
const MAX_PEOPLE: usize = 10;
/// Characters of a name that is answered.
const MAX_NAME_CHARS: usize = 100;

/// Somebody in a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
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

    /// How well a name fits: the lower, the better.
    fn fit(&self, words: &[String]) -> Option<u8> {
        let own = words_of(&self.name);
        let local = self.address.rsplit_once('@').map(|(local, _)| local);
        let local = words_of(local.unwrap_or_default());
        if own == words {
            return Some(0);
        }
        let has_all = |of: &[String]| words.iter().all(|word| of.contains(word));
        if has_all(&own) {
            return Some(1);
        }
        // `bob.miller@…` without a name.
        (own.is_empty() && has_all(&local)).then_some(2)
    }
}

/// Those who are meant by a name; one if it is clear.
#[must_use]
pub fn people_named(name: &str, known: &[Known]) -> Vec<Person> {
    let words = words_of(name);
    if words.is_empty() {
        return Vec::new();
    }
    // One for each address: of the same person under several names, the best.
    let mut best: BTreeMap<String, (u8, &Known)> = BTreeMap::new();
    for one in known {
        let Some(fit) = one.fit(&words) else { continue };
        let fit = 2 * fit + u8::from(!one.written_to);
        let kept = best.entry(one.address.to_lowercase()).or_insert((fit, one));
        if fit < kept.0 {
            *kept = (fit, one);
        }
    }
    let is_written_to = best.values().any(|(_, one)| one.written_to);
    best.retain(|_, (_, one)| one.written_to || !is_written_to);
    let lowest = best.values().map(|(fit, _)| fit / 2).min();
    best.retain(|_, (fit, _)| Some(*fit / 2) == lowest);
    let people = best.into_values().take(MAX_PEOPLE);
    people
        .map(|(_, one)| Person {
            name: one.name.clone(),
            address: one.address.clone(),
        })
        .collect()
}

/// The words of a name, in lower case.
fn words_of(name: &str) -> Vec<String> {
    let is_part = |c: char| c.is_alphanumeric() || c == '\'' || c == '’';
    name.split(|c| !is_part(c))
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
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

    fn found(name: &str, list: &[(&str, &str, bool)]) -> Vec<String> {
        let people = people_named(name, &known(list));
        people.into_iter().map(|person| person.address).collect()
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
        assert_eq!(found("Miller", &PEOPLE), ["bob@a.test", "jane@a.test"]);
        assert_eq!(found("Carl Stone", &PEOPLE), ["carl.stone@c.test"]);
        for nobody in ["Bo", "ob", "Tablesx", "", " - ", "bob@a.test"] {
            assert_eq!(found(nobody, &PEOPLE), [""; 0], "{nobody}");
        }
    }

    /// Who only wrote to the owner is meant if there is nobody else: a stranger can take any name.
    #[test]
    fn people_written_to_come_before_strangers() {
        assert_eq!(found("Bob Forger", &PEOPLE), ["bob@forger.test"]);
        let same = [
            ("Ann", "ann@stranger.test", false),
            ("Ann Lee", "ann@a.test", true),
        ];
        assert_eq!(found("Ann", &same), ["ann@a.test"]);
    }

    #[test]
    fn people_whole_name_comes_before_a_part() {
        let list = [("Kim", "kim@a.test", true), ("Kim Lee", "lee@a.test", true)];
        assert_eq!(found("Kim", &list), ["kim@a.test"]);
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
        assert_eq!(people_named("Ann", &many).len(), MAX_PEOPLE);
    }
}
