//! The recipients of a mail: whom an address really names, and whether the owner knows them.

use platinum_core::EmailSend;
use unicode_security::{MixedScript, skeleton};

use super::{
    concern::{Concern, Place, quoted},
    reader::Findings,
};
use crate::approvals::CheckContext;

/// Signs that are taken for an `@`.
const AT_SIGNS: [char; 3] = ['@', '\u{FF20}', '\u{FE6B}'];
/// How a label begins that stands for letters of other scripts.
const ENCODED: &str = "xn--";

pub(super) fn check_mail(mail: &EmailSend, context: &CheckContext, findings: &mut Findings) {
    if mail.subject.trim().is_empty() {
        findings.add(&Place::of("subject"), &Concern::Empty);
    }
    let mut is_sender_named = false;
    let mut first = None;
    for (field, list) in [("to", &mail.to), ("cc", &mail.cc), ("bcc", &mail.bcc)] {
        for (number, text) in list.iter().enumerate() {
            let place = Place::of(&match list.len() {
                1 => field.to_owned(),
                _ => format!("{field} {}", number + 1),
            });
            let Some(mailbox) = Mailbox::parse(text) else {
                findings.add(&place, &Concern::NoAddress(quoted(text)));
                continue;
            };
            if mailbox.name.contains(AT_SIGNS) {
                let name = quoted(mailbox.name);
                findings.add(&place, &Concern::NameLikeAddress(name));
            }
            if has_lookalikes(mailbox.address) {
                let domain = quoted(mailbox.domain());
                findings.add(&place, &Concern::MixedScripts(domain));
            }
            let correspondent = context.correspondent.as_ref();
            let is_sender = correspondent.is_some_and(|known| known.wrote_from(mailbox.address));
            is_sender_named |= is_sender;
            let is_answer_address =
                correspondent.is_some_and(|known| known.asked_for(mailbox.address));
            if !is_sender
                && !is_answer_address
                && !context.reached.contains(&mailbox.address.to_lowercase())
            {
                let address = quoted(mailbox.address);
                findings.add(&place, &Concern::NewRecipient(address));
            }
            if is_answer_address {
                first.get_or_insert(place);
            }
        }
    }
    // Where a stranger says that the answer should go, and the owner may not see it.
    if let (Some(place), Some(known)) = (first, &context.correspondent)
        && !is_sender_named
    {
        findings.add(&place, &Concern::OtherThanSender(quoted(&known.sender)));
    }
}

/// One recipient, as it is written in a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mailbox<'a> {
    /// The name before the address, with its quotes.
    pub(super) name: &'a str,
    /// The address alone.
    pub(super) address: &'a str,
}

impl<'a> Mailbox<'a> {
    /// Reads `Name <a@b>` or `a@b`: the address is what a mail server would take.
    pub(super) fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        let (name, address) = match text.strip_suffix('>') {
            Some(inner) => inner.rsplit_once('<')?,
            None => ("", text),
        };
        let (local, domain) = address.rsplit_once('@')?;
        let is_plain = |part: &str| {
            !part.is_empty() && !part.contains(|c: char| c.is_whitespace() || "<>,;\"".contains(c))
        };
        (is_plain(local) && !local.contains('@') && is_plain(domain)).then(|| Self {
            name: name.trim(),
            address,
        })
    }

    fn domain(self) -> &'a str {
        self.address
            .rsplit_once('@')
            .map_or("", |(_, domain)| domain)
    }
}

/// Whether an address has letters that are taken for others: several scripts in one label, letters
/// of one that look like those of another, or a label in its encoded form, which no one can read.
fn has_lookalikes(address: &str) -> bool {
    address.split(['.', '@']).any(|label| {
        let is_encoded = label
            .get(..ENCODED.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(ENCODED));
        is_encoded
            || !label.is_single_script()
            // It looks like a name in ASCII letters, and is none.
            || (!label.is_ascii() && skeleton(label).all(|c| c.is_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mailbox_address_is_what_a_server_takes() {
        for (text, name, address) in [
            ("a@x.test", "", "a@x.test"),
            ("Ada <a@x.test>", "Ada", "a@x.test"),
            ("\"b@y.test\" <a@x.test>", "\"b@y.test\"", "a@x.test"),
            ("b@y.test <a@x.test>", "b@y.test", "a@x.test"),
            ("Ada <b@y.test> <a@x.test>", "Ada <b@y.test>", "a@x.test"),
            ("<a@x.test>", "", "a@x.test"),
        ] {
            assert_eq!(
                Mailbox::parse(text),
                Some(Mailbox { name, address }),
                "{text}"
            );
        }
        for text in [
            "",
            "Ada",
            "a@",
            "@x.test",
            "a b@x.test",
            "a@x.test, b@y.test",
            "a@x@y.test",
        ] {
            assert_eq!(Mailbox::parse(text), None, "{text}");
        }
    }

    #[test]
    fn has_lookalikes_finds_foreign_letters_only() {
        for fine in [
            "ada@example.test",
            "jörg.müller@bücher.test",
            "ana@españa.test",
            "info@почта.test",
            "o-neil+tag_1@a-b.co.test",
        ] {
            assert!(!has_lookalikes(fine), "{fine}");
        }
        for (why, address) in [
            ("a Cyrillic a", "ada@ex\u{430}mple.test"),
            (
                "all Cyrillic",
                "ada@\u{430}\u{440}\u{440}\u{4CF}\u{435}.test",
            ),
            ("a Greek o", "b\u{3BF}b@example.test"),
            ("a Latin alpha", "ada@ex\u{251}mple.test"),
            ("encoded", "ada@xn--exmple-4nf.test"),
            ("encoded in capitals", "ada@mail.XN--exmple-4nf.test"),
        ] {
            assert!(has_lookalikes(address), "{why}");
        }
    }
}
