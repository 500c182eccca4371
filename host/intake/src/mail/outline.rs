//! [`Outline`]: a mail's text line by line, so that two copies of one mail are known for one.
//!
//! A mail that comes directly and over a list, or past a gateway, has the same Message-ID, and a footer
//! or a banner more. A forged mail under a known Message-ID has another text.
//! Invariants: pure; a copy is of the same sender, date and subject, and all of its lines are in the
//! other's, in one piece; what one has more is short.

use platinum_mailbox::message::Parsed;
use sha2::{Digest as _, Sha256};

/// Lines beyond this make a mail too long to be compared.
const MAX_LINES: usize = 2000;
/// The most lines that a banner or a footer has.
const MAX_EXTRA: usize = 12;

/// The lines of a mail as numbers; the first stands for its sender, date and subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outline(Vec<u64>);

impl Outline {
    /// Of a mail.
    pub(super) fn of(mail: &Parsed) -> Self {
        let from = mail.from.as_ref().map(|from| from.address.to_lowercase());
        let date = mail.date.map(|date| date.to_string());
        let head = format!(
            "{}\n{}\n{}",
            from.unwrap_or_default(),
            date.unwrap_or_default(),
            without_tags(&mail.subject)
        );
        let lines = mail
            .text
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty());
        let lines = lines.take(MAX_LINES + 1).map(number);
        Self([number(&head)].into_iter().chain(lines).collect())
    }

    /// Whether both are one mail, one of them with a banner or a footer more.
    pub(super) fn is_copy_of(&self, other: &Self) -> bool {
        let ([head, lines @ ..], [other_head, other_lines @ ..]) = (&*self.0, &*other.0) else {
            return false;
        };
        let (short, long) = match lines.len() < other_lines.len() {
            true => (lines, other_lines),
            false => (other_lines, lines),
        };
        head == other_head
            && !short.is_empty()
            && long.len() <= MAX_LINES
            && long.len() - short.len() <= MAX_EXTRA
            && long.windows(short.len()).any(|part| part == short)
    }

    /// As it is stored.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|line| line.to_le_bytes()).collect()
    }

    /// As it was stored.
    pub(super) fn from_bytes(bytes: &[u8]) -> Self {
        let (lines, _) = bytes.as_chunks::<8>();
        Self(lines.iter().map(|line| u64::from_le_bytes(*line)).collect())
    }
}

fn number(text: &str) -> u64 {
    let hash = Sha256::digest(text.as_bytes());
    let (first, _) = hash
        .as_slice()
        .split_first_chunk::<8>()
        .unwrap_or((&[0; 8], &[]));
    u64::from_le_bytes(*first)
}

/// The subject without what lists and gateways put before it: `[team] [EXTERNAL] Plan`.
fn without_tags(subject: &str) -> &str {
    let mut rest = subject.trim();
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after.trim_start();
    }
    rest
}

#[cfg(test)]
mod tests {
    use platinum_mailbox::message::Person;

    use super::*;

    fn outline(from: &str, subject: &str, text: &str) -> Outline {
        Outline::of(&Parsed {
            from: Some(Person {
                name: None,
                address: from.to_owned(),
            }),
            subject: subject.to_owned(),
            text: text.to_owned(),
            ..Parsed::default()
        })
    }

    const TEXT: &str = "Hello,\n\nwhich day suits you?\n\nUma";

    #[test]
    fn copy_with_a_footer_or_a_banner_is_one_mail() {
        let mail = outline("uma@client.test", "Plan", TEXT);
        for (subject, text) in [
            ("Plan", format!("{TEXT}\n_____\nteam mailing list\n")),
            ("[team] Plan", format!("{TEXT}\n-- \nTo leave: x")),
            (
                "[EXTERNAL] Plan",
                format!("CAUTION: from outside.\nThink first.\n\n{TEXT}"),
            ),
            ("Plan", format!("  {}", TEXT.replace('\n', "\n  "))),
        ] {
            let copy = outline("Uma@client.test", subject, &text);
            assert!(copy.is_copy_of(&mail) && mail.is_copy_of(&copy), "{text}");
            assert_eq!(Outline::from_bytes(&copy.to_bytes()), copy);
        }
    }

    #[test]
    fn other_text_sender_or_subject_is_another_mail() {
        let mail = outline("uma@client.test", "Plan", TEXT);
        let long = "more\n".repeat(MAX_EXTRA + 1);
        for (from, subject, text) in [
            ("eve@client.test", "Plan", TEXT.to_owned()),
            ("uma@client.test", "Offer", TEXT.to_owned()),
            ("uma@client.test", "Plan", TEXT.replace("day", "account")),
            (
                "uma@client.test",
                "Plan",
                TEXT.replace("which", "pay first\nwhich"),
            ),
            ("uma@client.test", "Plan", format!("{TEXT}\n{long}")),
            ("uma@client.test", "Plan", String::new()),
        ] {
            assert!(!outline(from, subject, &text).is_copy_of(&mail), "{text}");
        }
        assert!(!Outline::from_bytes(&[]).is_copy_of(&mail));
    }
}
