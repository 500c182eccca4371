//! [`Correspondent`]: with whom a task is, and which mails they took part in.
//!
//! What a skill reads for a task goes into a model's prompt, and what the model writes goes to the
//! task's correspondent. So a mail that they never saw is not shown, whatever the headers of the
//! task's mail name: `References` is a stranger's to write.
//!
//! Invariants: pure; addresses are compared whole; of a mail whose sender wants the answer elsewhere
//! (`Reply-To`), or whose answer goes to several, all of them must have taken part.

use platinum_core::text::MailAddress;
use platinum_vault::note::TaskNote;

use super::SearchHit;

/// The facts of a task that hold the addresses of who wrote it, and of everybody an answer goes to.
const ADDRESS_FACTS: [&str; 4] = ["from-address", "reply-to", "answer-to", "answer-cc"];

/// The addresses that an answer to a task could go to; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Correspondent(Vec<String>);

impl Correspondent {
    /// The one who wrote the task; none if it names no address.
    pub(super) fn of(task: &TaskNote) -> Option<Self> {
        let facts = task
            .facts
            .iter()
            .filter(|fact| ADDRESS_FACTS.contains(&fact.name.as_str()))
            .flat_map(|fact| fact.values.iter().map(String::as_str));
        let mut addresses: Vec<String> = facts
            .chain([task.from.as_str()])
            .filter_map(address)
            .collect();
        addresses.sort_unstable();
        addresses.dedup();
        (!addresses.is_empty()).then_some(Self(addresses))
    }

    /// The addresses.
    pub(super) fn into_addresses(self) -> Vec<String> {
        self.0
    }

    /// The addresses, this one first.
    pub(super) fn beginning_with(self, first: &str) -> Vec<String> {
        let first = address(first);
        let others = self.0.into_iter().filter(|one| Some(one) != first.as_ref());
        first.iter().cloned().chain(others).collect()
    }

    /// Whether an answer could go to this address.
    pub(super) fn includes(&self, one: &str) -> bool {
        address(one).is_some_and(|one| self.0.contains(&one))
    }

    /// Whether they took part in a mail: as its sender, or as one it was addressed to openly.
    pub(super) fn took_part_in(&self, mail: &SearchHit) -> bool {
        let people = || {
            let recipients = mail.to.iter().chain(&mail.cc).map(String::as_str);
            recipients.chain([mail.sender.as_str()]).filter_map(address)
        };
        self.0.iter().all(|ours| people().any(|one| one == *ours))
    }
}

/// The address in `Name <local@domain>` or `local@domain`, to compare; none if it is not exactly one.
fn address(text: &str) -> Option<String> {
    Some(MailAddress::parse(text).ok()?.key())
}

#[cfg(test)]
mod tests {
    use platinum_core::{TaskId, ZoneId};
    use platinum_vault::note::Fact;

    use super::*;

    fn task(from: &str, facts: &[(&str, &[&str])]) -> TaskNote {
        let fact = |&(name, values): &(&str, &[&str])| Fact {
            name: name.to_owned(),
            values: values.iter().map(|&value| value.to_owned()).collect(),
        };
        TaskNote {
            id: TaskId::from_parts(1, 0),
            zone: ZoneId::EMAIL,
            source: "maildir:owner".to_owned(),
            from: from.to_owned(),
            subject: String::new(),
            received: None,
            created: "2026-11-20T18:00:00Z".parse().unwrap(),
            by: "test".to_owned(),
            facts: facts.iter().map(fact).collect(),
            claim: None,
            body: String::new(),
        }
    }

    fn mail(sender: &str, to: &[&str], cc: &[&str]) -> SearchHit {
        let owned = |list: &[&str]| list.iter().map(|&one| one.to_owned()).collect();
        SearchHit {
            message_id: "m@example.test".to_owned(),
            sender: sender.to_owned(),
            to: owned(to),
            cc: owned(cc),
            subject: String::new(),
            date: None,
            folder: "INBOX".to_owned(),
            text: String::new(),
        }
    }

    #[test]
    fn correspondent_took_part_as_sender_recipient_or_copy() {
        let ada = Correspondent::of(&task("Ada <Ada@Example.test>", &[])).unwrap();
        let me = "Me <me@example.test>";
        assert!(ada.took_part_in(&mail("ada@example.TEST", &[me], &[])));
        assert!(ada.took_part_in(&mail(me, &["Ada L <ada@example.test>"], &[])));
        assert!(ada.took_part_in(&mail(me, &["bob@example.test"], &["ada@example.test"])));
        assert!(!ada.took_part_in(&mail("bob@example.test", &[me], &[])));
    }

    /// Neither a part of an address nor a name that looks like one counts.
    #[test]
    fn correspondent_is_compared_by_whole_addresses() {
        let ada = Correspondent::of(&task("ada@example.test", &[])).unwrap();
        for other in [
            "lada@example.test",
            "ada@example.test.evil.test",
            "ada+x@example.test",
            "ada@example.test <mallory@evil.test>",
            "\"<ada@example.test>\" <mallory@evil.test>",
            "joada@example.test",
            "ada@example.test, mallory@evil.test",
            "ada@example.test\u{200b}",
            "<ada@example.test",
        ] {
            assert!(
                !ada.took_part_in(&mail(other, &[other], &[other])),
                "{other}"
            );
        }
    }

    /// An answer goes to the Reply-To: a mail that only the sender or only the other saw is of no
    /// use to the two of them.
    #[test]
    fn correspondent_with_a_reply_to_needs_both_addresses() {
        let facts: [(&str, &[&str]); 2] = [
            ("from-address", &["ada@example.test"]),
            ("reply-to", &["Ada <mallory@evil.test>"]),
        ];
        let both = Correspondent::of(&task("Ada <ada@example.test>", &facts)).unwrap();
        assert!(!both.took_part_in(&mail("ada@example.test", &["me@example.test"], &[])));
        assert!(!both.took_part_in(&mail("mallory@evil.test", &["me@example.test"], &[])));
        assert!(both.took_part_in(&mail("ada@example.test", &["mallory@evil.test"], &[])));
    }

    /// What only one of those who get the answer saw must not reach the others.
    #[test]
    fn correspondent_of_an_answer_to_all_is_everybody() {
        let facts: [(&str, &[&str]); 3] = [
            ("from-address", &["ada@example.test"]),
            ("answer-to", &["Ada <ada@example.test>"]),
            ("answer-cc", &["bob@example.test"]),
        ];
        let all = Correspondent::of(&task("Ada <ada@example.test>", &facts)).unwrap();
        assert!(!all.took_part_in(&mail("ada@example.test", &["me@example.test"], &[])));
        assert!(all.took_part_in(&mail("ada@example.test", &["bob@example.test"], &[])));
    }

    #[test]
    fn correspondent_of_a_task_without_an_address_is_none() {
        assert_eq!(
            Correspondent::of(&task("a file", &[("cc", &["a@b.test"])])),
            None
        );
    }
}
