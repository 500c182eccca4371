//! [`MailService`]: the accounts, and what the tools do with them. No MCP here: see [`crate::tools`].

use std::collections::BTreeMap;
use std::time::Instant;

use platinum_mailbox::answer::find_answer;
use platinum_mailbox::compose::{ComposeError, Fields, File, Outgoing, bare};
use platinum_mailbox::{Account, Config, Mailbox, MailboxError, Query, SearchHit, message};
use tokio::sync::{Mutex, MutexGuard};

use crate::correspondence::AddressBook;
use crate::shapes::{
    AnswerAnswer, AnswerArguments, AttachedFile, DraftAnswer, MailArguments, Message, SearchAnswer,
    SearchArguments,
};
use crate::style::Learnt;

/// Bytes of one mail's text in an answer.
const TEXT_BYTES: usize = 16 * 1024;
/// Files of one mail in an answer.
const ATTACHMENTS: usize = 20;
/// Answers when no limit is given.
const LIMIT: u32 = 10;

/// What went wrong, in one line for the model or the person that called.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// No such account.
    #[error("there is no account {name:?}; accounts: {known}")]
    NoAccount {
        /// The name that was asked for, cut.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The mail cannot be written like this.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// The mailbox failed.
    #[error("account {account}: {source}")]
    Mailbox {
        /// The account's name.
        account: String,
        /// Its error.
        source: MailboxError,
    },
}

impl ServiceError {
    /// The mailbox of this account failed.
    #[must_use]
    pub fn of_account(name: &str, source: MailboxError) -> Self {
        Self::Mailbox {
            account: name.to_owned(),
            source,
        }
    }
}

/// All accounts, each with its open mailbox.
#[derive(Debug)]
pub struct MailService {
    accounts: BTreeMap<String, OpenAccount>,
}

#[derive(Debug)]
pub(crate) struct OpenAccount {
    account: Account,
    mailbox: Mutex<Box<dyn Mailbox>>,
    /// What its sent mails have in common, and when that was learnt.
    pub(crate) learnt: Mutex<Option<(Instant, Learnt)>>,
    /// Its people, and when they were read.
    pub(crate) address_book: Mutex<Option<(Instant, AddressBook)>>,
}

impl AsRef<Self> for MailService {
    fn as_ref(&self) -> &Self {
        self
    }
}

impl MailService {
    /// Opens the mailboxes of all accounts. IMAP connects at the first use.
    pub fn open(config: Config) -> Result<Self, ServiceError> {
        let mut accounts = BTreeMap::new();
        for (name, account) in config.accounts {
            let mailbox =
                platinum_mailbox::open(&account).map_err(|e| ServiceError::of_account(&name, e))?;
            accounts.insert(
                name,
                OpenAccount {
                    account,
                    mailbox: Mutex::new(mailbox),
                    learnt: Mutex::default(),
                    address_book: Mutex::default(),
                },
            );
        }
        Ok(Self { accounts })
    }

    /// The names of all accounts.
    pub fn account_names(&self) -> impl Iterator<Item = &str> {
        self.accounts.keys().map(String::as_str)
    }

    pub(crate) fn open_account(&self, name: &str) -> Result<&OpenAccount, ServiceError> {
        self.accounts
            .get(name)
            .ok_or_else(|| ServiceError::NoAccount {
                name: name.chars().take(64).collect(),
                known: self.accounts.keys().cloned().collect::<Vec<_>>().join(", "),
            })
    }

    /// The account of this name.
    pub fn account(&self, name: &str) -> Result<&Account, ServiceError> {
        Ok(&self.open_account(name)?.account)
    }

    /// The mailbox of this account, for one caller at a time.
    pub async fn mailbox(
        &self,
        name: &str,
    ) -> Result<MutexGuard<'_, Box<dyn Mailbox>>, ServiceError> {
        Ok(self.open_account(name)?.mailbox.lock().await)
    }

    /// Searches the account that is named, or all.
    pub async fn search(&self, arguments: SearchArguments) -> Result<SearchAnswer, ServiceError> {
        if let Some(account) = &arguments.account {
            self.open_account(account)?;
        }
        let query = Query {
            text: arguments.text,
            sender: arguments.sender,
            recipient: None,
            thread: arguments.thread.iter().map(|id| bare(id)).collect(),
            message_id: arguments.message_id.map(|id| bare(&id)),
            sent_as: arguments.sent_as,
            folder: arguments.folder,
            limit: usize::try_from(arguments.limit.unwrap_or(LIMIT)).unwrap_or(usize::MAX),
            ..Query::default()
        };
        let mut found = Vec::new();
        let mut no_folder = None;
        let named = |name: &str| arguments.account.as_deref().is_none_or(|one| one == name);
        for (name, open) in self.accounts.iter().filter(|(name, _)| named(name)) {
            match open.mailbox.lock().await.search(&query).await {
                Ok(more) => found.extend(more),
                // One account may have a folder that another has not.
                Err(source @ MailboxError::NoFolder(_)) if self.accounts.len() > 1 => {
                    no_folder = Some(ServiceError::of_account(name, source));
                }
                Err(source) => return Err(ServiceError::of_account(name, source)),
            }
        }
        if let (true, Some(error)) = (found.is_empty(), no_folder) {
            return Err(error);
        }
        found.sort_by_key(|one| std::cmp::Reverse(one.mail.internal_date));
        found.truncate(query.limit);
        Ok(SearchAnswer {
            messages: found.into_iter().map(message_of).collect(),
        })
    }

    /// Whether the owner has answered a mail themself.
    pub async fn find_answer(
        &self,
        arguments: &AnswerArguments,
    ) -> Result<AnswerAnswer, ServiceError> {
        let account = &arguments.account;
        let mut mailbox = self.mailbox(account).await?;
        let message_id = bare(&arguments.message_id);
        let found = find_answer(&mut **mailbox, &message_id, &arguments.people);
        let found = found
            .await
            .map_err(|source| ServiceError::of_account(account, source))?;
        Ok(AnswerAnswer {
            answered: found.is_some(),
            at: found
                .as_ref()
                .and_then(|answer| answer.at)
                .map(|at| at.to_string()),
            folder: found.and_then(|answer| answer.folder),
        })
    }

    /// Saves a mail in the drafts of its account; a second call with the same Message-ID finds the first draft, and
    /// one of the same `draft` takes its place.
    pub async fn draft(&self, arguments: &MailArguments) -> Result<DraftAnswer, ServiceError> {
        let mail = self.compose(arguments)?;
        let bytes = mail.to_bytes()?;
        let folder = self
            .mailbox(&arguments.from_account)
            .await?
            .save_draft(&mail.message_id, mail.draft.as_deref(), &bytes)
            .await
            .map_err(|source| ServiceError::of_account(&arguments.from_account, source))?;
        tracing::info!(
            account = arguments.from_account,
            message_id = mail.message_id,
            folder,
            "draft saved"
        );
        Ok(DraftAnswer {
            message_id: mail.message_id,
            folder,
        })
    }

    /// The mail that these arguments describe, dated now.
    pub fn compose(&self, arguments: &MailArguments) -> Result<Outgoing, ServiceError> {
        let from = self.account(&arguments.from_account)?.address.clone();
        let files = arguments.attachments.iter();
        let attachments = files
            .map(|file| File::from_base64(&file.name, &file.media_type, &file.base64))
            .collect::<Result<_, _>>()?;
        let message_id = arguments.message_id.clone();
        let fields = Fields {
            to: arguments.to.clone(),
            cc: arguments.cc.clone(),
            bcc: arguments.bcc.clone(),
            subject: arguments.subject.clone(),
            body: arguments.body.clone(),
            in_reply_to: arguments.in_reply_to.clone(),
            references: arguments.references.clone(),
            attachments,
            message_id: message_id.unwrap_or_else(|| platinum_mailbox::new_message_id(&from)),
            draft: arguments.draft.clone(),
        };
        Ok(Outgoing::new(from, fields, platinum_mailbox::now())?)
    }
}

fn message_of(found: SearchHit) -> Message {
    let mail = message::parse_cut(&found.mail.bytes, found.mail.truncated);
    let mut text = mail.text;
    let kept = text.floor_char_boundary(TEXT_BYTES);
    let cut =
        mail.cut || mail.text_cut || mail.attachments.len() > ATTACHMENTS || kept < text.len();
    text.truncate(kept);
    let attachments = mail
        .attachments
        .into_iter()
        .take(ATTACHMENTS)
        .map(|file| AttachedFile {
            name: file.name,
            media_type: file.media_type,
            size: file.size,
        });
    Message {
        message_id: mail.message_id.unwrap_or_default(),
        sender: mail.from.map(|from| from.to_string()).unwrap_or_default(),
        to: mail.to.listed.iter().map(ToString::to_string).collect(),
        cc: mail.cc.listed.iter().map(ToString::to_string).collect(),
        subject: mail.subject,
        date: mail.date.map(|date| date.to_string()),
        folder: found.folder,
        text,
        cut,
        in_reply_to: mail.in_reply_to,
        references: mail.references,
        attachments: attachments.collect(),
        draft: mail.draft,
    }
}
