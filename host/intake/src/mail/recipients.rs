//! [`Recipients`]: whom an answer to a mail goes to, decided here and nowhere else.
//!
//! The rules are those of RFC 5322, 3.6.3, and of what people expect: Reply-To before From, all of
//! them; everybody else who got the mail gets a copy; nothing goes to the owner's own addresses, nor
//! to one that no mail can reach. What is out of the ordinary is said in [`Answer::notes`].
//! Lives elsewhere: whether a mail is answered at all is the drafting skill's to decide; the owner's
//! machine looks at the recipients of every draft once more.
//! Invariants: pure; a recipient comes from the headers alone, never from a text, and is one that can
//! be composed and sent.

use std::collections::BTreeSet;

use platinum_core::text::{AddressError, MailAddress, one_line};
use platinum_mailbox::{
    Account,
    compose::Address,
    message::{Parsed, People, Person},
    own_addresses::{OwnAddresses, key, readable},
};

use super::{facts::cost, lookalike::looks_like};

/// More others than this make it a circular: the answer goes to its sender alone.
const MAX_OTHERS: usize = 20;
/// The same of what they cost as facts, in bytes.
pub(super) const MAX_OTHERS_COST: usize = 5000;
/// The most addresses that an answer goes to directly, and what they may cost.
const MAX_DIRECT: usize = 6;
pub(super) const MAX_DIRECT_COST: usize = 3000;

/// The addresses that are the owner's, and how the owner answers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Owner {
    own: OwnAddresses,
    reply_all: bool,
}

/// Whom an answer goes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipients {
    /// To these.
    Answer(Answer),
    /// To nobody, for this reason.
    Nobody(String),
    /// The owner wrote the mail.
    Own,
}

/// The recipients of an answer, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Who is answered; at least one.
    pub to: Vec<MailAddress>,
    /// Who else gets it.
    pub cc: Vec<MailAddress>,
    /// What the owner has to know of them, each a sentence.
    pub notes: Vec<String>,
    /// Why they are answered only if the owner asks for it.
    pub unasked: Option<String>,
}

impl Owner {
    /// The owner of an account.
    pub fn of(account: &Account) -> Self {
        Self {
            own: OwnAddresses::of(account),
            reply_all: account.reply_all,
        }
    }

    /// The same with further addresses, which were learnt.
    pub fn with_learnt(mut self, addresses: &[String]) -> Self {
        for address in addresses {
            self.own.add(address);
        }
        self
    }

    /// Whether mail to this address is the owner's: one of theirs, also with a `+` and more before
    /// the @.
    pub fn is_own(&self, address: &MailAddress) -> bool {
        self.own.is_own(address)
    }

    fn is_own_person(&self, person: &Person) -> bool {
        MailAddress::parse(&person.address).is_ok_and(|address| self.is_own(&address))
    }

    /// The domains that the owner's addresses are in.
    fn own_domains(&self) -> impl Iterator<Item = &str> {
        let of_addresses = self.own.addresses().filter_map(|one| one.rsplit_once('@'));
        let of_addresses = of_addresses.map(|(_, domain)| domain);
        of_addresses.chain(self.own.domains())
    }

    /// Whether a list is one of the owner's own addresses, such as a shared `info@`.
    pub fn is_own_list(&self, mail: &Parsed) -> bool {
        // `Info <info.example.org>`: the id of a list is its address with a dot.
        let id = mail.list_id.as_deref().unwrap_or_default();
        let id = id.rsplit('<').next().unwrap_or(id);
        let id = id.trim_matches(['<', '>', ' ']).to_lowercase();
        let mut addresses = self.own.addresses();
        addresses.any(|address| address.replace('@', ".") == id)
            || self.own.domains().any(|domain| {
                id.strip_suffix(domain)
                    .is_some_and(|rest| rest.ends_with('.'))
            })
    }
}

/// Decides.
pub fn decide(mail: &Parsed, owner: &Owner) -> Recipients {
    let from = mail.from.iter().chain(&mail.other_authors);
    let asked = read_all(&mail.reply_to.listed, owner);
    let authors = read_all(from, owner);
    let is_from_owner = mail
        .from
        .as_ref()
        .is_some_and(|from| owner.is_own_person(from));
    // A form on the owner's own site writes in the owner's name, and says who filled it in.
    if is_from_owner && asked.addresses.is_empty() {
        return Recipients::Own;
    }
    let mut notes = Vec::new();
    let mut to = asked.addresses.clone();
    if let Some((fake, real)) = lookalike_among(&to, &authors.addresses) {
        notes.push(format!(
            "Careful: the mail asks for an answer to {fake}, which looks like {real} and is not; the \
             answer goes to {real}."
        ));
        to = authors.addresses.clone();
    } else if !asked.addresses.is_empty() && !to.iter().any(|one| has(&authors.addresses, one)) {
        match mail.from.as_ref().filter(|_| !is_from_owner) {
            Some(from) => notes.push(format!(
                "Careful: the answer does not go to the sender {} but to the Reply-To address.",
                shown(&from.address)
            )),
            None if is_from_owner => notes.push(
                "It came under your own address, as a form sends it; the answer goes to its Reply-To."
                    .to_owned(),
            ),
            None => {}
        }
    }
    if to.is_empty() {
        to = authors.addresses.clone();
        if let (Some((bad, why)), false) = (&asked.unreachable, to.is_empty()) {
            notes.push(format!(
                "Its Reply-To {bad} is no address that mail can reach ({why}); the answer goes to the \
                 sender."
            ));
        }
    }
    if to.is_empty() {
        let unreachable = asked.unreachable.or(authors.unreachable);
        return Recipients::Nobody(match unreachable {
            Some((bad, why)) => format!("{bad} is no address that mail can reach: {why}"),
            None => "it names no address that could be answered".to_owned(),
        });
    }
    let unattended = to.iter().find(|one| one.is_unattended()).cloned();
    to.retain(|one| !one.is_unattended());
    if let (true, Some(one)) = (to.is_empty(), unattended) {
        let of_reply_to = asked.unreachable.filter(|_| asked.addresses.is_empty());
        return Recipients::Nobody(match of_reply_to {
            Some((bad, why)) => format!("{bad} is no address that mail can reach: {why}"),
            None => format!("{} does not read answers", one.address()),
        });
    }
    let asked_for = to.len();
    to.truncate(MAX_DIRECT);
    while to.len() > 1 && cost_of(&to) > MAX_DIRECT_COST {
        to.pop();
    }
    if to.len() < asked_for {
        let first = to.len();
        notes.push(format!(
            "{asked_for} addresses ask for the answer; it goes to the first {first}."
        ));
    }
    let cc = others(mail, owner, &to, &mut notes);
    let unasked = only_copied(mail, owner)
        .map(|asked| format!("you are only in copy; it is addressed to {asked}"));
    let mut answer = Answer {
        to,
        cc,
        notes,
        unasked,
    };
    answer.warn_of_lookalikes(&authors.addresses, owner);
    if mail.repeated.contains(&"From") {
        let note = "Careful: the mail has more than one From header; the first counts.";
        answer.notes.push(note.to_owned());
    }
    Recipients::Answer(answer)
}

/// Everybody else who got the mail, if the owner answers to all.
fn others(
    mail: &Parsed,
    owner: &Owner,
    to: &[MailAddress],
    notes: &mut Vec<String>,
) -> Vec<MailAddress> {
    let got = read_all(mail.recipients(), owner);
    let mut others = got.addresses;
    others.retain(|one| !has(to, one) && !one.is_unattended());
    if others.is_empty() {
        return others;
    }
    if !owner.reply_all {
        let count = others.len();
        notes.push(format!(
            "{count} more got the mail, and the answer does not go to them."
        ));
        return Vec::new();
    }
    let count = others.len() + mail.to.left_out + mail.cc.left_out;
    if count > MAX_OTHERS || cost_of(&others) > MAX_OTHERS_COST {
        notes.push(format!(
            "{count} more got the mail; the answer goes to its sender alone."
        ));
        return Vec::new();
    }
    if let Some((bad, why)) = got.unreachable {
        notes.push(format!(
            "{bad}, who got the mail, cannot be reached: {why}."
        ));
    }
    others
}

fn cost_of(addresses: &[MailAddress]) -> usize {
    addresses
        .iter()
        .map(|one| cost(&one.with_plain_name()))
        .sum()
}

/// The one that a mail is addressed to, if the owner stands in Cc alone.
fn only_copied(mail: &Parsed, owner: &Owner) -> Option<String> {
    let has_owner = |people: &People| people.listed.iter().any(|one| owner.is_own_person(one));
    let is_copied = has_owner(&mail.cc) && !has_owner(&mail.to);
    let addressed = mail.to.listed.iter();
    let first = addressed
        .filter_map(|one| MailAddress::parse(&one.to_string()).ok())
        // An answer that the sender sent to themselves, with everybody in Cc, is addressed to all.
        .find(|one| {
            mail.from
                .as_ref()
                .is_none_or(|from| !is_at(one, &from.address))
        });
    first.filter(|_| is_copied).map(|one| one.with_plain_name())
}

fn is_at(one: &MailAddress, address: &str) -> bool {
    MailAddress::parse(address).is_ok_and(|other| key(&other) == key(one))
}

impl Answer {
    /// Says which recipients have a domain that can be taken for another one in this mail.
    fn warn_of_lookalikes(&mut self, authors: &[MailAddress], owner: &Owner) {
        let real: Vec<String> = authors
            .iter()
            .map(|one| readable(one.domain()))
            .chain(owner.own_domains().map(str::to_owned))
            .collect();
        let mut warned = BTreeSet::new();
        for one in self.to.iter().chain(&self.cc) {
            let domain = readable(one.domain());
            let like = real.iter().find(|real| looks_like(&domain, real));
            if let Some(like) = like.filter(|_| warned.insert(domain.clone())) {
                self.notes.push(format!(
                    "Careful: {} is not at {like}, though it looks so.",
                    one.address()
                ));
            }
        }
    }
}

/// An address to answer to whose domain looks like that of an author and is not, with that author's.
fn lookalike_among(to: &[MailAddress], authors: &[MailAddress]) -> Option<(String, String)> {
    to.iter().find_map(|one| {
        let domain = readable(one.domain());
        let real = authors
            .iter()
            .find(|real| looks_like(&domain, &readable(real.domain())));
        real.map(|real| (one.address(), real.address()))
    })
}

/// What was read of people: those that mail can reach, without the owner, each once; and the first
/// that it cannot.
#[derive(Debug, Default)]
struct Reachable {
    addresses: Vec<MailAddress>,
    unreachable: Option<(String, AddressError)>,
}

fn read_all<'a>(people: impl IntoIterator<Item = &'a Person>, owner: &Owner) -> Reachable {
    let mut read = Reachable::default();
    for person in people
        .into_iter()
        .filter(|person| !person.address.is_empty())
    {
        match reachable(person) {
            Ok(one) if owner.is_own(&one) || has(&read.addresses, &one) => {}
            Ok(one) => read.addresses.push(one),
            Err(why) => {
                read.unreachable
                    .get_or_insert((shown(&person.address), why));
            }
        }
    }
    read
}

/// The address, if a mail to it can be composed and sent: what sends it is asked.
fn reachable(person: &Person) -> Result<MailAddress, AddressError> {
    let address = MailAddress::parse(&person.address)?;
    if Address::parse("to", &address.address()).is_err() {
        return Err(AddressError::Domain);
    }
    let name = one_line(
        &person
            .name
            .as_deref()
            .unwrap_or_default()
            .replace(['<', '>', '"'], " "),
        60,
    );
    let named = format!("{name} <{}>", address.address());
    Ok(MailAddress::parse(&named).unwrap_or(address))
}

fn has(addresses: &[MailAddress], one: &MailAddress) -> bool {
    addresses.iter().any(|known| key(known) == key(one))
}

fn shown(address: &str) -> String {
    one_line(address, 120)
}
