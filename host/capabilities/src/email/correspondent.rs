//! [`Correspondent`]: with whom a task is, and which mails they took part in.
//!
//! What a skill reads for a task goes into a model's prompt, and what the model writes goes to the
//! task's correspondent. So a mail that they never saw is not shown, whatever the headers of the
//! task's mail name: `References` is a stranger's to write.
//!
//! Invariants: pure; addresses are compared whole; of a mail whose sender wants the answer
//! elsewhere (`Reply-To`), both addresses must have taken part.

use platinum_core::text::is_hidden;
use platinum_vault::note::TaskNote;

use super::SearchHit;

/// The facts of a task that hold the addresses of the one who wrote it.
const ADDRESS_FACTS: [&str; 2] = ["from-address", "reply-to"];
/// A mailbox is not longer, by RFC 5321.
const MAX_ADDRESS_BYTES: usize = 254;

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

    /// Whether they took part in a mail: as its sender, or as one it was addressed to openly.
    pub(super) fn took_part_in(&self, mail: &SearchHit) -> bool {
        let people = || {
            let recipients = mail.to.iter().chain(&mail.cc).map(String::as_str);
            recipients.chain([mail.sender.as_str()]).filter_map(address)
        };
        self.0.iter().all(|ours| people().any(|one| one == *ours))
    }
}

/// The address in `Name <local@domain>` or `local@domain`, in lower case; none if it is not
/// exactly one.
fn address(text: &str) -> Option<String> {
    let text = text.trim();
    let address = match text.strip_suffix('>') {
        Some(inner) => inner.rsplit_once('<')?.1,
        None => text,
    };
    let (local, domain) = address.rsplit_once('@')?;
    let is_plain = |part: &str| {
        let odd = |c: char| {
            c.is_whitespace() || c.is_control() || is_hidden(c) || "<>@,;:\"()[]\\".contains(c)
        };
        !part.is_empty() && !part.contains(odd)
    };
    (address.len() <= MAX_ADDRESS_BYTES && is_plain(local) && is_plain(domain))
        .then(|| address.to_lowercase())
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

    #[test]
    fn correspondent_of_a_task_without_an_address_is_none() {
        assert_eq!(
            Correspondent::of(&task("a file", &[("cc", &["a@b.test"])])),
            None
        );
    }
}
