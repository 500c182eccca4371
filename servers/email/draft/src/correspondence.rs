//! What the mailbox knows of the people its owner writes to: who they are, and how the owner writes to them.
//!
//! Lives elsewhere: which of several names is meant is decided in [`crate::people`], what is learnt from the owner's
//! mails in [`crate::style`].
//! Invariants: a bounded number of mails is read; of other people's mails only names and addresses are answered; what
//! Platinum sent is nobody's style.

use std::time::{Duration, Instant};

use platinum_mailbox::message::{self, Parsed};
use platinum_mailbox::own_addresses::{OwnAddresses, learn_from_sent};
use platinum_mailbox::{Query, SearchHit};
use platinum_text::MailAddress;

use crate::people::{Known, people_named};
use crate::service::{MailService, ServiceError};
use crate::shapes::{
    OwnAddressesAnswer, OwnAddressesArguments, PeopleAnswer, PeopleArguments, StyleAnswer,
    StyleArguments,
};
use crate::style::{self, Learnt};

/// Sent mails, and received ones, in which a name is looked for.
const MAX_SEARCHED: usize = 50;
/// Sent mails to one person, or one domain, that are read.
const MAX_MAILS_TO: usize = 10;
/// Sent mails that are read for what ends them all.
const MAX_MAILS: usize = 12;
/// Recipients that one question may name.
const MAX_RECIPIENTS: usize = 50;
/// So long a signature that was learnt is not learnt again.
const LEARNT_FOR: Duration = Duration::from_secs(30 * 60);

impl MailService {
    /// The people of this name that the owner wrote to, or got mail from.
    pub async fn search_people(
        &self,
        arguments: &PeopleArguments,
    ) -> Result<PeopleAnswer, ServiceError> {
        let name = arguments.name.trim().to_owned();
        let own = OwnAddresses::of(self.account(&arguments.account)?);
        let query = |edit: &dyn Fn(&mut Query)| {
            let mut query = Query {
                limit: MAX_SEARCHED,
                ..Query::default()
            };
            edit(&mut query);
            query
        };
        let sent = query(&|query| {
            query.is_sent = true;
            query.recipient = Some(name.clone());
        });
        let received = query(&|query| {
            query.folder = Some("INBOX".to_owned());
            query.sender = Some(name.clone());
        });
        let mut known = Vec::new();
        for mail in self.parsed(&arguments.account, &sent).await? {
            let people = mail.to.listed.into_iter().chain(mail.cc.listed);
            known.extend(people.map(|person| Known::written_to(&person)));
        }
        for mail in self.parsed(&arguments.account, &received).await? {
            known.extend(mail.from.as_ref().map(Known::heard_from));
        }
        known.retain(|one| {
            !MailAddress::parse(&one.address).is_ok_and(|address| own.is_own(&address))
        });
        Ok(PeopleAnswer {
            people: people_named(&name, &known),
        })
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
            let mails = self.own_mails_to(account, first).await?;
            // What one of them did not see must not reach them by an answer to all.
            let to_all: Vec<&Parsed> = mails
                .iter()
                .filter(|mail| everybody.iter().all(|one| is_to(mail, one)))
                .collect();
            style::of_person(&mut answer, &to_all, first, &learnt);
            let domain = first.rsplit_once('@').map(|(_, domain)| domain);
            if let (true, Some(domain)) = (to_all.is_empty(), domain)
                && !style::is_shared_domain(domain)
            {
                let mails = self.own_mails_to(account, &format!("@{domain}")).await?;
                style::of_domain(&mut answer, &mails, domain);
            }
        }
        style::signed(&mut answer, &learnt);
        Ok(answer)
    }

    /// The newest mails that the owner wrote to an address, or to one that ends so.
    async fn own_mails_to(&self, account: &str, to: &str) -> Result<Vec<Parsed>, ServiceError> {
        let query = Query {
            is_sent: true,
            recipient: Some(to.to_owned()),
            limit: MAX_MAILS_TO,
            ..Query::default()
        };
        let mut mails = self.own_mails(account, &query).await?;
        // A search finds a part of an address as well.
        mails.retain(|mail| match to.starts_with('@') {
            true => people_of(mail).any(|address| address.to_lowercase().ends_with(to)),
            false => is_to(mail, to),
        });
        Ok(mails)
    }

    /// What ends the owner's newest mails, as it was learnt a while ago at most.
    async fn learnt(&self, account: &str) -> Result<Learnt, ServiceError> {
        if let Some((at, learnt)) = self.learnt_before(account).await
            && at.elapsed() < LEARNT_FOR
        {
            return Ok(learnt);
        }
        let query = Query {
            is_sent: true,
            limit: MAX_MAILS,
            ..Query::default()
        };
        let learnt = Learnt::from(&self.own_mails(account, &query).await?);
        self.keep_learnt(account, (Instant::now(), learnt.clone()))
            .await;
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

fn people_of(mail: &Parsed) -> impl Iterator<Item = &str> {
    let people = mail.to.listed.iter().chain(&mail.cc.listed);
    people.map(|person| person.address.trim())
}

fn is_to(mail: &Parsed, address: &str) -> bool {
    people_of(mail).any(|one| one.eq_ignore_ascii_case(address))
}
