//! The message that a mail's draft leaves as: composed here when its owner approves it, and before each
//! attempt, with the code with which the mail servers compose it when they send it.
//!
//! Lives elsewhere: the bytes are `platinum-compose`'s; the mail servers refuse to hand over another
//! message than the one that was approved.
//! Invariant: nothing here talks, so an approval never waits for a mail server, and none decides what
//! was approved.

use std::{collections::BTreeMap, fmt};

use platinum_compose::{Address, Fields, File, Outgoing as Mail};
use platinum_core::EmailSend;
use platinum_journal::approvals::MessageDigest;
use platinum_vault::note::DraftNote;

use super::sender::MailFile;
use crate::{accounts::AccountLookup, approvals::Outgoing};

/// The part after the `@` if the account's address is not known. RFC 2606: no one's.
const NO_DOMAIN: &str = "platinum.invalid";

/// The address of each mail account of this host, looked up anew whenever it is asked for: their owner
/// may have changed one since.
#[derive(Clone)]
pub struct MailAccounts(AccountLookup);

impl MailAccounts {
    /// The accounts that this finds, by name; none if no mail is set up here. Blocks on the disk, if
    /// that does.
    pub fn new(
        lookup: impl Fn() -> Result<Option<BTreeMap<String, String>>, String> + Send + Sync + 'static,
    ) -> Self {
        Self(AccountLookup::new(lookup))
    }

    /// No mail is set up here.
    pub fn none() -> Self {
        Self::new(|| Ok(None))
    }

    /// The address of an account; none if no mail is set up here.
    fn address(&self, account: &str) -> Result<Option<Address>, String> {
        let unknown = |known: &str| {
            format!("there is no mail account `{account}` with an address; accounts: {known}")
        };
        let Some(address) = self.0.address(account, unknown)? else {
            return Ok(None);
        };
        let address = Address::parse("address", &address);
        address
            .map(Some)
            .map_err(|error| format!("the mail account `{account}`: {error}"))
    }
}

impl fmt::Debug for MailAccounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MailAccounts")
    }
}

/// The Message-ID of the first attempt to send a draft.
pub(crate) fn first_reference(draft: &DraftNote, accounts: &MailAccounts) -> String {
    let mail = draft.action.read::<EmailSend>().ok();
    let from = mail.and_then(|mail| accounts.address(&mail.from_account).ok()?);
    let domain = from.as_ref().map(Address::domain);
    let id = draft.id.to_string().to_lowercase();
    format!("{id}@{}", domain.unwrap_or(NO_DOMAIN))
}

/// The message that a mail's draft leaves as under this Message-ID; none if no mail is set up here.
///
/// # Errors
/// If it cannot be composed: an address that is none, an account that is not there.
pub(crate) fn compose(
    outgoing: &Outgoing,
    message_id: &str,
    accounts: &MailAccounts,
) -> Result<Option<MessageDigest>, String> {
    let mail: EmailSend = outgoing
        .note
        .action
        .read()
        .map_err(|error| error.to_string())?;
    let Some(from) = accounts.address(&mail.from_account)? else {
        return Ok(None);
    };
    let files = outgoing.attachments.iter().cloned().map(MailFile::from);
    let fields = Fields {
        to: mail.to,
        cc: mail.cc,
        bcc: mail.bcc,
        subject: mail.subject,
        body: mail.body,
        in_reply_to: mail.in_reply_to,
        references: mail.references,
        attachments: files
            .map(|file| File {
                name: file.name,
                media_type: file.media_type.to_owned(),
                bytes: file.bytes,
            })
            .collect(),
        message_id: message_id.to_owned(),
        draft: Some(outgoing.note.id.to_string().to_lowercase()),
    };
    // Of its date the digest says nothing.
    let digest = Mail::new(from, fields, jiff::Timestamp::UNIX_EPOCH)
        .and_then(|mail| mail.digest())
        .map_err(|error| error.to_string())?;
    Ok(Some(MessageDigest {
        sha256: digest.sha256,
        from: digest.from,
        recipients: digest.recipients,
    }))
}
