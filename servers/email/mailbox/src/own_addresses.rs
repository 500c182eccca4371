//! [`OwnAddresses`]: which addresses are the owner's; and [`learn_from_sent`], which finds those that the account's
//! folder of sent mails shows them writing from.
//!
//! Lives elsewhere: whom an answer goes to is decided by who takes mails in.
//! Invariants: of a bounded number of mails the beginning is read; a mail counts only if it was written in this
//! mailbox: nothing that came by mail, was redirected or was sent in another's name does, wherever it was moved to.

use std::collections::{BTreeMap, BTreeSet};

use platinum_text::MailAddress;

use crate::compose::domain_to_unicode;
use crate::config::Account;
use crate::error::MailboxError;
use crate::mailbox::{MailPart, Mailbox, Query};
use crate::message::{self, Parsed};

/// So many of the newest sent mails are read.
const MAX_SENT: usize = 40;
/// An address counts if so many of them are from it.
const ENOUGH: usize = 2;
/// The most addresses that are learnt.
const MAX_LEARNT: usize = 10;
/// Headers of a mail that came, or that is somebody else's.
const NOT_WRITTEN_HERE: [&str; 9] = [
    "received",
    "return-path",
    "delivered-to",
    "x-original-to",
    "arc-seal",
    "list-id",
    "resent-from",
    "resent-date",
    "sender",
];

/// Addresses and whole domains that are the owner's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnAddresses {
    addresses: BTreeSet<String>,
    domains: BTreeSet<String>,
}

impl OwnAddresses {
    /// What an account's configuration says.
    #[must_use]
    pub fn of(account: &Account) -> Self {
        let mut own = Self::default();
        own.add(account.address.email());
        for alias in &account.aliases {
            own.add(alias);
        }
        own
    }

    /// Adds an address, or a domain as `@example.org`.
    pub fn add(&mut self, text: &str) {
        match text.strip_prefix('@') {
            Some(domain) => {
                self.domains.insert(readable(domain));
            }
            None => self
                .addresses
                .extend(MailAddress::parse(text).map(|one| key(&one)).ok()),
        }
    }

    /// Whether mail to this address is the owner's: one of theirs, also with a `+` and more before the @.
    #[must_use]
    pub fn is_own(&self, address: &MailAddress) -> bool {
        let domain = readable(address.domain());
        let local = address.local().to_lowercase();
        let plain = local.split('+').next().filter(|plain| !plain.is_empty());
        let of_domain = |local: &str| self.addresses.contains(&format!("{local}@{domain}"));
        self.domains.contains(&domain)
            || self.addresses.contains(&key(address))
            || plain.is_some_and(of_domain)
    }

    /// The addresses, in lower case with readable domains.
    pub fn addresses(&self) -> impl Iterator<Item = &str> {
        self.addresses.iter().map(String::as_str)
    }

    /// The domains of which every address is theirs.
    pub fn domains(&self) -> impl Iterator<Item = &str> {
        self.domains.iter().map(String::as_str)
    }
}

/// An address to compare, whichever way its domain was written.
#[must_use]
pub fn key(address: &MailAddress) -> String {
    let local = address.local().to_lowercase();
    format!("{local}@{}", readable(address.domain()))
}

/// A domain in lower case as a person reads it.
#[must_use]
pub fn readable(domain: &str) -> String {
    domain_to_unicode(&domain.to_lowercase())
}

/// The further addresses that the owner writes from, by the newest mails in the folder of sent mails. None if the
/// account's configuration does not want them learnt.
///
/// # Errors
/// If the mailbox cannot be asked.
pub async fn learn_from_sent(
    mailbox: &mut dyn Mailbox,
    account: &Account,
) -> Result<Vec<String>, MailboxError> {
    if !account.aliases_from_sent {
        return Ok(Vec::new());
    }
    let query = Query {
        is_sent: true,
        part: MailPart::Beginning,
        limit: MAX_SENT,
        ..Query::default()
    };
    let sent = mailbox.search(&query).await?;
    let heads = sent.iter().map(|hit| hit.mail.bytes.as_slice());
    Ok(learn(heads, &OwnAddresses::of(account)))
}

/// The addresses that enough of these mails were written from, but for those that are known.
fn learn<'a>(mails: impl Iterator<Item = &'a [u8]>, known: &OwnAddresses) -> Vec<String> {
    let mut counts: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for mail in mails {
        let parsed = message::parse_cut(mail, true);
        if let Some(address) = written_from(mail, &parsed)
            && !known.is_own(&address)
            && let Some(id) = parsed.message_id
        {
            // A copy of a mail is no second one.
            counts.entry(key(&address)).or_default().insert(id);
        }
    }
    let enough = counts.into_iter().filter(|(_, ids)| ids.len() >= ENOUGH);
    enough
        .map(|(address, _)| address)
        .take(MAX_LEARNT)
        .collect()
}

/// The one author of a mail, if it was written in this mailbox.
fn written_from(mail: &[u8], parsed: &Parsed) -> Option<MailAddress> {
    if !parsed.other_authors.is_empty() || parsed.repeated.contains(&"From") {
        return None;
    }
    let is_foreign = header_names(mail).any(|name| {
        NOT_WRITTEN_HERE
            .iter()
            .any(|foreign| name.eq_ignore_ascii_case(foreign.as_bytes()))
    });
    let from = parsed.from.as_ref().filter(|_| !is_foreign)?;
    let address = MailAddress::parse(&from.address).ok()?;
    (!address.is_unattended()).then_some(address)
}

/// The names of the headers of a mail.
fn header_names(mail: &[u8]) -> impl Iterator<Item = &[u8]> {
    let lines = mail.split(|byte| *byte == b'\n');
    let head = lines.take_while(|line| !line.trim_ascii_end().is_empty());
    head.filter_map(|line| {
        let colon = line.iter().position(|byte| *byte == b':')?;
        Some(line[..colon].trim_ascii_end())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mail(id: &str, headers: &str) -> Vec<u8> {
        format!("Message-ID: <{id}@x.test>\r\nTo: ann@x.test\r\n{headers}\r\nYes.\r\n").into_bytes()
    }

    fn learnt(mails: &[Vec<u8>]) -> Vec<String> {
        let mut known = OwnAddresses::default();
        known.add("me@home.test");
        known.add("@firm.test");
        learn(mails.iter().map(Vec::as_slice), &known)
    }

    /// What enough mails are from is learnt, unless the configuration has it.
    #[test]
    fn sent_mails_show_further_addresses() {
        let mails = [
            mail("1", "From: Me <Me@Club.test>\r\n"),
            mail("2", "From: me@club.test\r\n"),
            mail("3", "From: me@home.test\r\n"),
            mail("4", "From: me+shop@home.test\r\n"),
            mail("5", "From: me+shop@home.test\r\n"),
            mail("6", "From: any@firm.test\r\n"),
            mail("7", "From: other@firm.test\r\n"),
            mail("8", "From: once@club.test\r\n"),
            mail("9", "From: <me@b\u{fc}cher.test>\r\n"),
            mail("10", "From: <me@xn--bcher-kva.test>\r\n"),
        ];
        assert_eq!(learnt(&mails), ["me@bücher.test", "me@club.test"]);
        assert_eq!(learnt(&[]), [""; 0]);
    }

    /// What came by mail, or is another's, teaches nothing, however often it is in the folder.
    #[test]
    fn foreign_mails_in_sent_teach_nothing() {
        let from = "From: boss@x.test\r\n";
        for header in [
            "Received: from a by b; Fri, 20 Nov 2026 10:00:00 +0000\r\n",
            "RETURN-PATH: <boss@x.test>\r\n",
            "Delivered-To: me@home.test\r\n",
            "Resent-From: me@home.test\r\n",
            "Sender: me@home.test\r\n",
            "List-Id: <list.x.test>\r\n",
            "From: me@home.test\r\n",
        ] {
            let both = [
                mail("1", &format!("{from}{header}")),
                mail("2", &format!("{from}{header}")),
                mail("3", &format!("{header}{from}")),
            ];
            assert_eq!(learnt(&both), [""; 0], "{header}");
        }
        let two_authors = "From: boss@x.test, me@home.test\r\n";
        assert_eq!(
            learnt(&[mail("1", two_authors), mail("2", two_authors)]),
            [""; 0]
        );
        // One mail twice is one.
        assert_eq!(learnt(&[mail("1", from), mail("1", from)]), [""; 0]);
        let nobody = "From: no-reply@x.test\r\n";
        assert_eq!(learnt(&[mail("1", nobody), mail("2", nobody)]), [""; 0]);
        assert_eq!(learnt(&[mail("1", ""), mail("2", "From: @\r\n")]), [""; 0]);
    }
}
