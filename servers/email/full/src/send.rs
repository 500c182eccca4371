//! The service behind `send_email`: one attempt by SMTP, or a Maildir's outbox, and the copy in Sent.

use std::collections::BTreeMap;

use platinum_email_draft::shapes::{Attachment, MailArguments};
use platinum_email_draft::{MailService, ServiceError};
use platinum_mailbox::compose::Outgoing;
use platinum_mailbox::config::ConfigError;
use platinum_mailbox::maildir::Stored;
use platinum_mailbox::{Backend, Config, Query};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::filing;
use crate::smtp::{self, Attempt, SmtpSettings};

/// A mail to send.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SendArguments {
    /// The account it is from, by its name in the configuration.
    pub from_account: String,
    /// Recipients: `local@domain` or `Name <local@domain>`.
    pub to: Vec<String>,
    /// Recipients of a copy.
    #[serde(default)]
    pub cc: Vec<String>,
    /// Recipients that the others do not see.
    #[serde(default)]
    pub bcc: Vec<String>,
    /// One line.
    pub subject: String,
    /// Plain text, as it shall leave.
    pub body: String,
    /// The Message-ID answered.
    #[serde(default)]
    pub in_reply_to: Option<String>,
    /// The thread's Message-IDs, oldest first.
    #[serde(default)]
    pub references: Vec<String>,
    /// Files.
    #[serde(default)]
    pub attachments: Vec<Attachment>,
    /// The mail's own Message-ID, chosen before the attempt: by it the mail can be found afterwards.
    pub message_id: String,
}

impl From<SendArguments> for MailArguments {
    fn from(arguments: SendArguments) -> Self {
        Self {
            from_account: arguments.from_account,
            to: arguments.to,
            cc: arguments.cc,
            bcc: arguments.bcc,
            subject: arguments.subject,
            body: arguments.body,
            in_reply_to: arguments.in_reply_to,
            references: arguments.references,
            attachments: arguments.attachments,
            message_id: Some(arguments.message_id),
        }
    }
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The server took it.
    Sent,
    /// The server certainly did not take it.
    NotSent,
    /// It may have been taken: search for its Message-ID before anything else.
    Unknown,
}

/// The answer of `send_email`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SendAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_sent`: whether the same call may succeed later, by itself or with mended settings.
    pub retry: bool,
    /// The mail's Message-ID, without angle brackets.
    pub message_id: String,
    /// What the mail server answered, or what went wrong.
    pub answer: String,
    /// `filed` when a copy is in Sent, else `missing: ` and why.
    pub sent_copy: String,
}

/// The accounts with their ways out.
#[derive(Debug)]
pub struct Sender {
    mail: MailService,
    smtp: BTreeMap<String, SmtpSettings>,
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A mailbox cannot be opened.
    #[error(transparent)]
    Mailbox(#[from] ServiceError),
}

impl AsRef<MailService> for Sender {
    fn as_ref(&self) -> &MailService {
        &self.mail
    }
}

impl Sender {
    /// Opens all accounts and reads their `smtp` tables.
    pub fn open(config: Config) -> Result<Self, OpenError> {
        let mut smtp = BTreeMap::new();
        for (name, account) in &config.accounts {
            if let Some(table) = &account.smtp {
                smtp.insert(
                    name.clone(),
                    SmtpSettings::read(name, table, &config.folder)?,
                );
            }
        }
        Ok(Self {
            mail: MailService::open(config)?,
            smtp,
        })
    }

    /// Sends a mail: one attempt. An error means that nothing was tried.
    pub async fn send(&self, arguments: &MailArguments) -> Result<SendAnswer, ServiceError> {
        let mail = self.mail.compose(arguments)?;
        let bytes = mail.to_bytes()?;
        let account = &arguments.from_account;
        let (attempt, filed_before) = match (
            &self.mail.account(account)?.backend,
            self.smtp.get(account),
        ) {
            (_, Some(settings)) => (submit(settings, &mail, &bytes).await, false),
            (Backend::Maildir(_), None) => self.queue(account, &mail, &bytes).await,
            (Backend::Imap(_), None) => {
                let answer = format!(
                    "the account {account} has no way to send: give it a table [account.{account}.smtp]"
                );
                (
                    Attempt::NotSent {
                        retry: true,
                        answer,
                    },
                    false,
                )
            }
        };
        let (outcome, retry, answer) = match attempt {
            Attempt::Sent { answer } => (Outcome::Sent, false, answer),
            Attempt::NotSent { retry, answer } => (Outcome::NotSent, retry, answer),
            Attempt::Unknown { answer } => (Outcome::Unknown, false, answer),
        };
        tracing::info!(
            account,
            message_id = mail.message_id,
            ?outcome,
            answer,
            "send attempt"
        );
        let sent_copy = match outcome {
            Outcome::Sent if filed_before => "filed".to_owned(),
            Outcome::Sent => self.file(account, &bytes).await,
            Outcome::NotSent => "missing: the mail was not sent".to_owned(),
            Outcome::Unknown => "missing: it is not known whether the mail was sent".to_owned(),
        };
        Ok(SendAnswer {
            outcome,
            retry,
            message_id: mail.message_id,
            answer,
            sent_copy,
        })
    }

    /// Leaves the mail in the outbox of a Maildir; also answers whether its copy was filed by an earlier call.
    async fn queue(&self, account: &str, mail: &Outgoing, bytes: &[u8]) -> (Attempt, bool) {
        // A mail that is there in spite of the error is found there the next time.
        let failed = |error: String| {
            (
                Attempt::NotSent {
                    retry: true,
                    answer: error,
                },
                false,
            )
        };
        let mut mailbox = match self.mail.mailbox(account).await {
            Ok(mailbox) => mailbox,
            Err(error) => return failed(error.to_string()),
        };
        match filing::queue_outbox(&mut **mailbox, &mail.message_id, bytes).await {
            Ok(Stored::Written) => (
                Attempt::Sent {
                    answer: "left in the outbox".to_owned(),
                },
                false,
            ),
            Ok(Stored::AlreadyThere) => {
                let query = Query {
                    message_id: Some(mail.message_id.clone()),
                    folder: Some("Sent".to_owned()),
                    limit: 1,
                    ..Query::default()
                };
                let filed = mailbox
                    .search(&query)
                    .await
                    .is_ok_and(|found| !found.is_empty());
                (
                    Attempt::Sent {
                        answer: "was in the outbox already".to_owned(),
                    },
                    filed,
                )
            }
            Err(error) => failed(error.to_string()),
        }
    }

    /// Files exactly the bytes that were sent.
    async fn file(&self, account: &str, bytes: &[u8]) -> String {
        let filed = match self.mail.mailbox(account).await {
            Ok(mut mailbox) => filing::file_sent(&mut **mailbox, bytes)
                .await
                .map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        match filed {
            Ok(_) => "filed".to_owned(),
            Err(error) => {
                tracing::warn!(account, error, "the mail was sent, but no copy is in Sent");
                format!("missing: {error}")
            }
        }
    }
}

async fn submit(settings: &SmtpSettings, mail: &Outgoing, bytes: &[u8]) -> Attempt {
    let parse = |email: &str| {
        email
            .parse::<lettre::Address>()
            .map_err(|error| Attempt::NotSent {
                retry: false,
                answer: format!("{email}: the address cannot be sent to: {error}"),
            })
    };
    let from = match parse(mail.from.email()) {
        Ok(from) => from,
        Err(refusal) => return refusal,
    };
    let recipients: Result<Vec<_>, _> = mail
        .recipients()
        .into_iter()
        .map(|one| parse(one.email()))
        .collect();
    match recipients {
        Ok(recipients) => smtp::send(settings, &from, &recipients, bytes).await,
        Err(refusal) => refusal,
    }
}
