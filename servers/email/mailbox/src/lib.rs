//! A mailbox: IMAP over TLS or Maildir; reading, searching, saving drafts, and the text of mails (MIME).
//!
//! # Layout
//! - [`config`]: the accounts of a configuration file;
//! - [`mailbox`]: the trait [`Mailbox`] and what it answers; [`error`]: what can go wrong;
//! - [`maildir`] and [`imap`]: the two backends, [`open`] chooses;
//! - [`answer`]: whether the owner has answered a mail;
//! - [`own_addresses`]: which addresses are the owner's;
//! - [`message`]: the bytes of a mail turned into bounded text and facts;
//! - [`returned`]: what a mail says of one that Platinum sent.
//!
//! A typed mail is turned into the exact bytes that are saved or sent by the crate `platinum-compose`.
//!
//! Nothing here can send a mail: there is no SMTP client in this crate nor below it. Sending, the outbox of a
//! Maildir and filing what was sent are the crate `platinum-email` beside it.
//!
//! # Invariants
//! - Reading never marks a mail as read and never moves it.
//! - Everything that comes from a mailbox is bounded before it is kept in memory.
//! - Message-IDs have no angle brackets in this crate's types; the brackets are on the wire only.

pub mod answer;
pub mod config;
pub mod error;
pub mod imap;
pub mod mailbox;
pub mod maildir;
pub mod message;
pub mod own_addresses;
pub mod returned;
pub mod search;

pub use config::{Account, Backend, Config};
pub use error::MailboxError;
pub use mailbox::{Cursor, MailPart, Mailbox, NewMail, Query, RawMail, SearchHit, Wake};

/// A moment, as a mail has one.
pub use jiff::Timestamp;
/// The composer that this crate and its users share.
pub use platinum_compose as compose;

/// Opens the mailbox of an account. IMAP connects at the first use, so this needs no network.
pub fn open(account: &Account) -> Result<Box<dyn Mailbox>, MailboxError> {
    Ok(match &account.backend {
        Backend::Maildir(maildir) => Box::new(maildir::Maildir::open(&maildir.path)?),
        Backend::Imap(imap) => Box::new(imap::Imap::new(imap.clone())),
    })
}

/// A new Message-ID at the author's domain, without angle brackets.
#[must_use]
pub fn new_message_id(from: &compose::Address) -> String {
    format!(
        "{}@{}",
        hex::encode(rand::random::<[u8; 16]>()),
        from.domain()
    )
}

/// The present moment, for the Date header of a mail.
#[must_use]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}
