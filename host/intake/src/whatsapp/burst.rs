//! [`decide`]: which messages are one burst, and what becomes of it.
//!
//! People write three lines where one would do: what they write without a longer break is answered at once.
//! Invariants: pure; every message is in one burst at most; what the owner has answered is none any more; a burst ends, also
//! if somebody writes without end.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use platinum_whatsapp_store::event::Author;
use platinum_whatsapp_store::store::{Arrival, Chat, StoredMessage};

/// A burst is over after so long, even if they go on writing.
const LONGEST: SignedDuration = SignedDuration::from_mins(10);

/// What becomes of messages that are not of somebody the owner knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Quietness {
    /// The owner is told of them.
    List,
    /// They become tasks.
    Draft,
    /// Nothing at all.
    Ignore,
}

/// What the owner configured.
#[derive(Debug, Clone)]
pub(super) struct BurstRules {
    pub(super) quiet: SignedDuration,
    pub(super) groups: Quietness,
    pub(super) unknown_senders: Quietness,
    /// Numbers, digits alone.
    pub(super) contacts: Vec<String>,
}

/// What becomes of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BurstFate {
    /// A task.
    Task,
    /// The owner is told of them.
    List,
    /// Nothing: the owner has answered, or there is nothing to answer.
    Skip,
    /// They may write on until then.
    Wait(Timestamp),
}

/// Messages of one chat that belong together, the oldest first.
#[derive(Debug, Clone)]
pub(super) struct Burst {
    pub(super) chat: Chat,
    pub(super) messages: Vec<StoredMessage>,
    pub(super) fate: BurstFate,
}

/// The bursts of what came and was not dealt with, by their chats. What the owner wrote ends those before it.
pub(super) fn decide(arrivals: Vec<Arrival>, rules: &BurstRules, now: Timestamp) -> Vec<Burst> {
    let mut open: BTreeMap<String, (Chat, Vec<StoredMessage>)> = BTreeMap::new();
    let mut bursts = Vec::new();
    for Arrival { message, chat } in arrivals {
        match message.author {
            Author::Other => {
                let (of, messages) = open
                    .entry(chat.id.clone())
                    .or_insert_with(|| (chat.clone(), Vec::new()));
                *of = chat;
                messages.push(message);
            }
            Author::OwnerInApp | Author::Platinum => {
                if let Some((chat, messages)) = open.remove(&chat.id) {
                    bursts.push(Burst {
                        chat,
                        messages,
                        fate: BurstFate::Skip,
                    });
                }
            }
            Author::System => {}
        }
    }
    for (chat, messages) in open.into_values() {
        let fate = fate_of(&chat, &messages, rules, now);
        bursts.push(Burst {
            chat,
            messages,
            fate,
        });
    }
    bursts
}

fn fate_of(
    chat: &Chat,
    messages: &[StoredMessage],
    rules: &BurstRules,
    now: Timestamp,
) -> BurstFate {
    let is_listed = |number: &String| rules.contacts.contains(number);
    let is_known = chat.is_known || chat.contact.number.as_ref().is_some_and(is_listed);
    let quietness = match (chat.is_group, is_known) {
        (true, _) => rules.groups,
        (false, true) => Quietness::Draft,
        (false, false) => rules.unknown_senders,
    };
    let has_words = messages.iter().any(|message| message.kind != "reaction");
    let (Some(first), Some(last)) = (messages.first(), messages.last()) else {
        return BurstFate::Skip;
    };
    if quietness == Quietness::Ignore || !has_words {
        return BurstFate::Skip;
    }
    let over = (last.arrived + rules.quiet).min(first.arrived + LONGEST.max(rules.quiet));
    match quietness {
        _ if now < over => BurstFate::Wait(over),
        Quietness::Draft => BurstFate::Task,
        Quietness::List | Quietness::Ignore => BurstFate::List,
    }
}

#[cfg(test)]
mod tests {
    use platinum_whatsapp_store::ContactPair;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn arrival(seq: i64, chat: &str, author: Author, second: i64) -> Arrival {
        let number = chat.strip_prefix("group:").is_none().then_some(chat);
        Arrival {
            message: StoredMessage {
                seq,
                id: format!("wamid.{seq}"),
                chat: chat.to_owned(),
                author,
                sender: "Ann".into(),
                kind: "text".into(),
                text: "Hi".into(),
                quoted: None,
                at: at(second),
                arrived: at(second),
            },
            chat: Chat {
                id: chat.to_owned(),
                contact: ContactPair::new(number, None),
                name: None,
                is_group: number.is_none(),
                last_inbound: Some(at(second)),
                is_known: chat == "1650",
            },
        }
    }

    fn rules() -> BurstRules {
        BurstRules {
            quiet: SignedDuration::from_secs(45),
            groups: Quietness::List,
            unknown_senders: Quietness::List,
            contacts: vec!["1219".into()],
        }
    }

    /// The ids of each burst, and its fate.
    fn fates(arrivals: Vec<Arrival>, rules: &BurstRules, now: i64) -> Vec<(Vec<i64>, BurstFate)> {
        decide(arrivals, rules, at(now))
            .into_iter()
            .map(|burst| {
                let ids = burst.messages.iter().map(|message| message.seq);
                (ids.collect(), burst.fate)
            })
            .collect()
    }

    #[test]
    fn burst_waits_for_a_break_and_is_one() {
        let three = || {
            vec![
                arrival(1, "1650", Author::Other, 0),
                arrival(2, "1650", Author::Other, 30),
                arrival(3, "1219", Author::Other, 35),
                arrival(4, "1650", Author::Other, 60),
            ]
        };
        assert_eq!(
            fates(three(), &rules(), 90),
            [
                (vec![3], BurstFate::Task),
                (vec![1, 2, 4], BurstFate::Wait(at(105)))
            ]
        );
        assert_eq!(
            fates(three(), &rules(), 105),
            [(vec![3], BurstFate::Task), (vec![1, 2, 4], BurstFate::Task)]
        );
    }

    #[test]
    fn burst_without_a_break_ends_all_the_same() {
        let many: Vec<Arrival> = (0..40)
            .map(|n| arrival(n, "1650", Author::Other, n * 20))
            .collect();
        let [(ids, fate)] = &fates(many, &rules(), 600)[..] else {
            panic!();
        };
        assert_eq!((ids.len(), *fate), (40, BurstFate::Task));
    }

    #[test]
    fn burst_that_the_owner_answered_is_skipped() {
        let answered = vec![
            arrival(1, "1650", Author::Other, 0),
            arrival(2, "1650", Author::OwnerInApp, 10),
            arrival(3, "1650", Author::System, 11),
            arrival(4, "1650", Author::Other, 20),
        ];
        assert_eq!(
            fates(answered, &rules(), 500),
            [(vec![1], BurstFate::Skip), (vec![4], BurstFate::Task)]
        );
        let mut reaction = arrival(1, "1650", Author::Other, 0);
        reaction.message.kind = "reaction".into();
        assert_eq!(
            fates(vec![reaction], &rules(), 500),
            [(vec![1], BurstFate::Skip)]
        );
    }

    #[test]
    fn unknown_senders_and_groups_are_as_configured() {
        let from = |chat: &str| vec![arrival(1, chat, Author::Other, 0)];
        let with = |unknown_senders, groups| BurstRules {
            unknown_senders,
            groups,
            ..rules()
        };
        for (chat, rules, fate) in [
            ("1777", rules(), BurstFate::List),
            ("group:G", rules(), BurstFate::List),
            ("1219", rules(), BurstFate::Task),
            ("1650", rules(), BurstFate::Task),
            (
                "1777",
                with(Quietness::Draft, Quietness::List),
                BurstFate::Task,
            ),
            (
                "1777",
                with(Quietness::Ignore, Quietness::List),
                BurstFate::Skip,
            ),
            (
                "group:G",
                with(Quietness::Draft, Quietness::Ignore),
                BurstFate::Skip,
            ),
        ] {
            assert_eq!(fates(from(chat), &rules, 500), [(vec![1], fate)], "{chat}");
        }
    }
}
