//! The service behind `send_email`: one attempt by SMTP, or a Maildir's outbox, and the copy in Sent.

use std::{borrow::Cow, collections::BTreeMap};

use platinum_email_draft::shapes::MailArguments;
use platinum_email_draft::{MailService, ServiceError};
use platinum_mailbox::compose::Outgoing;
use platinum_mailbox::config::ConfigError;
use platinum_mailbox::maildir::Stored;
use platinum_mailbox::{Backend, Config, Query};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::filing;
use crate::smtp::{self, Attempt, Outcome, SmtpSettings};

/// A mail to send: as for a draft, and its Message-ID is chosen before the attempt, so that the mail can be found
/// afterwards.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "MailArguments")]
pub struct SendArguments(pub MailArguments);

impl TryFrom<MailArguments> for SendArguments {
    type Error = &'static str;

    fn try_from(mail: MailArguments) -> Result<Self, Self::Error> {
        let has_id = mail.message_id.is_some();
        has_id
            .then_some(Self(mail))
            .ok_or("missing field `message_id`")
    }
}

impl JsonSchema for SendArguments {
    fn schema_name() -> Cow<'static, str> {
        "SendArguments".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = MailArguments::json_schema(generator);
        if let Some(required) = schema.get_mut("required").and_then(|it| it.as_array_mut()) {
            required.push("message_id".into());
        }
        schema
    }
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
                (Attempt::not_sent(true, answer), false)
            }
        };
        let Attempt {
            outcome,
            retry,
            answer,
        } = attempt;
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
        let failed = |error: String| (Attempt::not_sent(true, error), false);
        let mut mailbox = match self.mail.mailbox(account).await {
            Ok(mailbox) => mailbox,
            Err(error) => return failed(error.to_string()),
        };
        match filing::queue_outbox(&mut **mailbox, &mail.message_id, bytes).await {
            Ok(Stored::Written) => (Attempt::sent("left in the outbox"), false),
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
                (Attempt::sent("was in the outbox already"), filed)
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
        email.parse::<lettre::Address>().map_err(|error| {
            Attempt::not_sent(
                false,
                format!("{email}: the address cannot be sent to: {error}"),
            )
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
