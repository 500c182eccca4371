//! What the mailbox knows of the people its owner writes to: who they are, and how the owner writes to them.
//!
//! Lives elsewhere: which of several names is meant is decided in [`crate::people`], what is learnt from the owner's
//! mails in [`crate::style`].
//! Invariants: a bounded number of mails is read, and of each no more than is asked for; of other people's mails only names and addresses are answered; what
//! Platinum sent is nobody's style.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use platinum_mailbox::message::{self, Parsed};
use platinum_mailbox::own_addresses::{OwnAddresses, learn_from_sent};
use platinum_mailbox::search::MAX_PEOPLE_LIMIT;
use platinum_mailbox::{MailPart, Query, SearchHit, Timestamp};
use platinum_text::MailAddress;

use crate::people::{Known, longest_word, people_named};
use crate::service::{MailService, ServiceError};
use crate::shapes::{
    OwnAddressesAnswer, OwnAddressesArguments, PeopleAnswer, PeopleArguments, StyleAnswer,
    StyleArguments,
};
use crate::style::{self, Learnt};

/// So long what was read of an account is not read again.
const READ_AGAIN_AFTER: Duration = Duration::from_secs(30 * 60);
/// Sent mails to one person, or one domain, that are read.
const MAX_MAILS_TO: usize = 10;
/// Sent mails that are read for what ends them all.
const MAX_MAILS: usize = 12;
/// Recipients that one question may name.
const MAX_RECIPIENTS: usize = 50;

/// The people of an account.
#[derive(Debug, Clone)]
pub(crate) struct AddressBook {
    known: BTreeSet<Known>,
    /// Whether there are sent mails whose people are not in it.
    has_older: bool,
}

impl MailService {
    /// The people of this name that the owner wrote to, or got mail from.
    pub async fn search_people(
        &self,
        arguments: &PeopleArguments,
    ) -> Result<PeopleAnswer, ServiceError> {
        let name = arguments.name.trim();
        let mut book = self.address_book(&arguments.account).await?;
        let mut is_full = false;
        if book.has_older
            && let Some(word) = longest_word(name)
        {
            let (older, has_more) = self.correspondents(&arguments.account, Some(word)).await?;
            book.known.extend(older);
            is_full = has_more;
        }
        let own = OwnAddresses::of(self.account(&arguments.account)?);
        book.known.retain(|one| {
            !MailAddress::parse(&one.address).is_ok_and(|address| own.is_own(&address))
        });
        let mut answer = people_named(name, &book.known);
        // The one who is meant may be behind those that were read.
        answer.clear &= !is_full;
        Ok(answer)
    }

    /// The people of the newest mails, as they were read a while ago at most.
    async fn address_book(&self, account: &str) -> Result<AddressBook, ServiceError> {
        let kept = &self.open_account(account)?.address_book;
        if let Some(book) = fresh(kept.lock().await.as_ref()) {
            return Ok(book);
        }
        let (mut known, has_older) = self.correspondents(account, None).await?;
        let received = Query {
            folder: Some("INBOX".to_owned()),
            part: MailPart::People,
            limit: MAX_PEOPLE_LIMIT,
            ..Query::default()
        };
        for mail in self.parsed(account, &received).await? {
            known.extend(mail.from.as_ref().map(Known::heard_from));
        }
        let book = AddressBook { known, has_older };
        *kept.lock().await = Some((Instant::now(), book.clone()));
        Ok(book)
    }

    /// Whom the owner's newest mails went to, of those to somebody with this word; and whether there are older ones.
    async fn correspondents(
        &self,
        account: &str,
        word: Option<&str>,
    ) -> Result<(BTreeSet<Known>, bool), ServiceError> {
        let sent = Query {
            is_sent: true,
            recipient: word.map(str::to_owned),
            part: MailPart::People,
            limit: MAX_PEOPLE_LIMIT,
            ..Query::default()
        };
        let mails = self.parsed(account, &sent).await?;
        let people = |mail: &Parsed| mail.recipients().map(Known::written_to).collect::<Vec<_>>();
        let has_older = mails.len() >= MAX_PEOPLE_LIMIT;
        Ok((mails.iter().flat_map(people).collect(), has_older))
    }

    /// Which addresses are the owner's, by the configuration and by the sent mails.
    pub async fn own_addresses(
        &self,
        arguments: &OwnAddressesArguments,
    ) -> Result<OwnAddressesAnswer, ServiceError> {
        let name = &arguments.account;
        let account = self.account(name)?;
        let configured = std::iter::once(account.address.email().to_owned());
        let mut mailbox = self.mailbox(name).await?;
        let learnt = learn_from_sent(&mut **mailbox, account).await;
        Ok(OwnAddressesAnswer {
            configured: configured.chain(account.aliases.iter().cloned()).collect(),
            learnt: learnt.map_err(|source| ServiceError::of_account(name, source))?,
        })
    }

    /// How the owner writes to these people, or else to others of their domain; and how they sign.
    pub async fn read_style(
        &self,
        arguments: &StyleArguments,
    ) -> Result<StyleAnswer, ServiceError> {
        let account = &arguments.account;
        let mut answer = StyleAnswer::default();
        let everybody: Vec<String> = arguments
            .recipients
            .iter()
            .take(MAX_RECIPIENTS)
            .map(|address| address.trim().to_lowercase())
            .collect();
        let configured = self.account(account)?.signature.clone();
        let learnt = match configured {
            Some(signature) => Learnt::configured(signature),
            None => self.learnt(account).await?,
        };
        if let Some(first) = everybody.first() {
            let until = arguments.until;
            let mails = self.own_mails_to(account, first, until).await?;
            // What one of them did not see must not reach them by an answer to all.
            let to_all: Vec<&Parsed> = mails
                .iter()
                .filter(|mail| everybody.iter().all(|one| is_to(mail, one)))
                .collect();
            style::of_person(&mut answer, &to_all, &everybody, &learnt);
            let domain = first.rsplit_once('@').map(|(_, domain)| domain);
            if let (true, Some(domain)) = (to_all.is_empty(), domain)
                && !style::is_shared_domain(domain)
            {
                let to = format!("@{domain}");
                let mails = self.own_mails_to(account, &to, until).await?;
                style::of_domain(&mut answer, &mails, domain);
            }
        }
        style::signed(&mut answer, &learnt);
        Ok(answer)
    }

    /// The newest mails that the owner wrote to an address, or to one that ends so.
    async fn own_mails_to(
        &self,
        account: &str,
        to: &str,
        until: Option<Timestamp>,
    ) -> Result<Vec<Parsed>, ServiceError> {
        let query = Query {
            is_sent: true,
            recipient: Some(to.to_owned()),
            limit: MAX_MAILS_TO,
            part: MailPart::Beginning,
            ..Query::default()
        };
        let mut mails = self.own_mails(account, &query).await?;
        mails.retain(|mail| until.is_none_or(|until| mail.date.is_some_and(|date| date <= until)));
        // A search finds a part of an address as well.
        mails.retain(|mail| match to.starts_with('@') {
            true => people_of(mail).any(|address| address.to_lowercase().ends_with(to)),
            false => is_to(mail, to),
        });
        Ok(mails)
    }

    /// What ends the owner's newest mails, as it was learnt a while ago at most.
    async fn learnt(&self, account: &str) -> Result<Learnt, ServiceError> {
        let kept = &self.open_account(account)?.learnt;
        if let Some(learnt) = fresh(kept.lock().await.as_ref()) {
            return Ok(learnt);
        }
        let query = Query {
            is_sent: true,
            limit: MAX_MAILS,
            part: MailPart::Beginning,
            ..Query::default()
        };
        let learnt = Learnt::from(&self.own_mails(account, &query).await?);
        *kept.lock().await = Some((Instant::now(), learnt.clone()));
        Ok(learnt)
    }

    /// The mails of a query that the owner wrote themself, newest first.
    async fn own_mails(&self, account: &str, query: &Query) -> Result<Vec<Parsed>, ServiceError> {
        let mut mails = self.parsed(account, query).await?;
        mails.retain(|mail| mail.draft.is_none());
        Ok(mails)
    }

    async fn parsed(&self, account: &str, query: &Query) -> Result<Vec<Parsed>, ServiceError> {
        let found = self.mailbox(account).await?.search(query).await;
        let found = found.map_err(|source| ServiceError::of_account(account, source))?;
        let parse = |hit: SearchHit| message::parse_cut(&hit.mail.bytes, hit.mail.truncated);
        Ok(found.into_iter().map(parse).collect())
    }
}

/// What was read a while ago at most.
fn fresh<T: Clone>(kept: Option<&(Instant, T)>) -> Option<T> {
    let (at, read) = kept?;
    (at.elapsed() < READ_AGAIN_AFTER).then(|| read.clone())
}

fn people_of(mail: &Parsed) -> impl Iterator<Item = &str> {
    mail.recipients().map(|person| person.address.trim())
}

fn is_to(mail: &Parsed, address: &str) -> bool {
    people_of(mail).any(|one| one.eq_ignore_ascii_case(address))
}
