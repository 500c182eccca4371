//! The recipients of a mail: whom an address really names, and whether the owner knows them.

use platinum_core::{
    EmailSend,
    text::{MailAddress, is_hidden},
};
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
            // What is not seen is found by itself; here is judged what a person would read.
            let seen: String = text.chars().filter(|c| !is_hidden(*c)).collect();
            let recipient = match MailAddress::parse(&seen) {
                Ok(recipient) => recipient,
                Err(error) => {
                    findings.add(&place, &Concern::NoAddress(quoted(text), error));
                    continue;
                }
            };
            let address = recipient.address();
            if recipient.name().contains(AT_SIGNS) {
                let name = quoted(recipient.name());
                findings.add(&place, &Concern::NameLikeAddress(name));
            }
            if has_lookalikes(&address) {
                let domain = quoted(recipient.domain());
                findings.add(&place, &Concern::MixedScripts(domain));
            }
            let correspondent = context.correspondent.as_ref();
            let is_sender = correspondent.is_some_and(|known| known.wrote_from(&address));
            is_sender_named |= is_sender;
            let is_answer_address = correspondent.is_some_and(|known| known.asked_for(&address));
            let is_in_thread = is_sender
                || is_answer_address
                // Nobody is answered in secret because they got the mail.
                || (field != "bcc" && correspondent.is_some_and(|known| known.wrote_to(&address)));
            if !is_in_thread && !context.reached.contains(&address.to_lowercase()) {
                let new = match correspondent {
                    Some(_) => Concern::NewRecipient,
                    None => Concern::FirstMail,
                };
                findings.add(&place, &new(quoted(&address)));
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

/// Whether an address has letters that are taken for others: several scripts in one label, letters
/// of one that look like those of another, or a label in its encoded form, which no one can read.
pub(super) fn has_lookalikes(address: &str) -> bool {
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
