//! The service behind `prepare_email` and `send_email`: one attempt by SMTP, or a Maildir's outbox, and the copy in
//! Sent.
//!
//! Invariants: nothing leaves that is composed otherwise than it was approved: every call says what that was. A
//! preparation hands no mail over. It is kept for the mail that it was made for, for a while, and used at most once.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use platinum_email_draft::shapes::MailArguments;
use platinum_email_draft::{MailService, ServiceError};
use platinum_mailbox::compose::{ComposeError, Digest, Outgoing};
use platinum_mailbox::config::{ConfigError, ImapSettings};
use platinum_mailbox::maildir::Stored;
use platinum_mailbox::{Backend, Config, Query};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use crate::credential::{self, TryAnswer, TryArguments};
use crate::filing;
use crate::received::Listed;
use crate::smtp::{self, Attempt, Outcome, Prepared, SmtpSettings};

/// How long a preparation is kept: servers end a connection that is idle for some minutes.
const KEPT: Duration = Duration::from_secs(60);

/// A mail to send: as for a draft, and its Message-ID is chosen before the attempt, so that the mail can be found
/// afterwards.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "GivenArguments")]
#[schemars(with = "GivenArguments")]
pub struct SendArguments {
    mail: MailArguments,
    approved: ApprovedMessage,
}

/// [`SendArguments`] as they are given.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct GivenArguments {
    /// The mail. Its `message_id` is required.
    mail: MailArguments,
    /// What was approved: what is composed otherwise does not leave.
    approved: ApprovedMessage,
}

/// What the owner approved of a mail's bytes and envelope.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovedMessage {
    /// SHA-256, in hex, of the composed mail without its Date header.
    sha256: String,
    /// The address of MAIL FROM.
    from: String,
    /// The address of each RCPT TO.
    recipients: Vec<String>,
}

impl TryFrom<GivenArguments> for SendArguments {
    type Error = &'static str;

    fn try_from(given: GivenArguments) -> Result<Self, Self::Error> {
        match given.mail.message_id {
            Some(_) => Ok(Self {
                mail: given.mail,
                approved: given.approved,
            }),
            None => Err("missing field `message_id`"),
        }
    }
}

impl ApprovedMessage {
    /// Why a mail is not the one that was approved, if it is not.
    fn difference(&self, mail: &Outgoing) -> Result<Option<String>, ComposeError> {
        let Digest {
            sha256,
            from,
            recipients,
        } = mail.digest()?;
        let difference = if from != self.from {
            format!(
                "it would leave from {from}, and was approved to leave from {}",
                self.from
            )
        } else if recipients != self.recipients {
            let (now, then) = (recipients.join(", "), self.recipients.join(", "));
            format!("it would go to {now}, and was approved to go to {then}")
        } else if sha256 != self.sha256 {
            format!(
                "its bytes have the SHA-256 {sha256}, and those approved have {}",
                self.sha256
            )
        } else {
            return Ok(None);
        };
        Ok(Some(format!(
            "nothing was handed over: the mail server does not compose the message that was approved: {difference}"
        )))
    }
}

/// The answer of `send_email`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct SendAnswer {
    /// What became of it.
    pub outcome: Outcome,
    /// With `not_sent`: whether the same call may succeed later, by itself or with mended settings.
    pub retry: bool,
    /// With `not_sent`: whether that is because the mail is composed otherwise than it was approved.
    pub differs: bool,
    /// The mail's Message-ID, without angle brackets.
    pub message_id: String,
    /// What the mail server answered, or what went wrong.
    pub answer: String,
    /// `filed` when a copy is in Sent, else `missing: ` and why.
    pub sent_copy: String,
}

/// The answer of `prepare_email`. No mail was sent, whatever it says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PrepareAnswer {
    /// Whether the mail can be handed over now.
    pub ready: bool,
    /// If not: whether the same call may succeed later, by itself or with mended settings.
    pub retry: bool,
    /// If not: whether that is because the mail is composed otherwise than it was approved.
    pub differs: bool,
    /// What the mail server answered, or what went wrong.
    pub answer: String,
}

/// The accounts with their ways out.
#[derive(Debug)]
pub struct Sender {
    mail: MailService,
    smtp: BTreeMap<String, SmtpSettings>,
    readers: BTreeMap<String, ImapSettings>,
    prepared: Mutex<Option<Preparation>>,
    /// The files of the mail whose attachments were listed last.
    pub(crate) listed: Mutex<Option<Listed>>,
}

/// A mail for which the server waits.
#[derive(Debug)]
struct Preparation {
    arguments: SendArguments,
    bytes: Vec<u8>,
    connection: Prepared,
    at: Instant,
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
                let settings = SmtpSettings::read(account, table, &config.folder);
                smtp.insert(
                    name.clone(),
                    settings.map_err(|error| config.locate(error))?,
                );
            }
        }
        Ok(Self {
            readers: credential::readers(&config),
            mail: MailService::open(config)?,
            smtp,
            prepared: Mutex::new(None),
            listed: Mutex::new(None),
        })
    }

    /// Tries whether a credential that reads can also send. Sends nothing.
    pub async fn try_submission(&self, arguments: &TryArguments) -> Result<TryAnswer, ConfigError> {
        credential::try_all(arguments, &self.readers, &self.smtp).await
    }

    /// Does all that comes before the mail itself: composes it, connects, logs in, names sender and recipients. A
    /// call of [`Sender::send`] with the same arguments hands the mail over.
    pub async fn prepare(&self, arguments: &SendArguments) -> Result<PrepareAnswer, ServiceError> {
        let mail = self.mail.compose(&arguments.mail)?;
        if let Some(answer) = arguments.approved.difference(&mail)? {
            tracing::warn!(account = arguments.mail.from_account, answer, "refused");
            return Ok(PrepareAnswer {
                ready: false,
                retry: false,
                differs: true,
                answer,
            });
        }
        let bytes = mail.to_bytes()?;
        let Some(settings) = self.smtp.get(&arguments.mail.from_account) else {
            // An outbox takes a mail in one step; an account without a way out says so when it is asked to send.
            return Ok(PrepareAnswer {
                ready: true,
                retry: false,
                differs: false,
                answer: "nothing to prepare".to_owned(),
            });
        };
        let opened = open(settings, &mail, &bytes).await;
        let mut slot = self.prepared.lock().await;
        if let Some(old) = slot.take() {
            old.connection.abandon().await;
        }
        Ok(match opened {
            Ok(connection) => {
                *slot = Some(Preparation {
                    arguments: arguments.clone(),
                    bytes,
                    connection,
                    at: Instant::now(),
                });
                PrepareAnswer {
                    ready: true,
                    retry: false,
                    differs: false,
                    answer: "the server takes the sender and all recipients".to_owned(),
                }
            }
            Err(attempt) => PrepareAnswer {
                ready: false,
                retry: attempt.retry,
                differs: false,
                answer: attempt.answer,
            },
        })
    }

    /// The preparation for this mail, if there is one and it is fresh.
    async fn take_prepared(&self, arguments: &SendArguments) -> Option<(Prepared, Vec<u8>)> {
        let preparation = self.prepared.lock().await.take()?;
        if preparation.arguments == *arguments && preparation.at.elapsed() < KEPT {
            return Some((preparation.connection, preparation.bytes));
        }
        preparation.connection.abandon().await;
        None
    }

    /// Sends a mail: one attempt. An error means that nothing was tried.
    pub async fn send(&self, arguments: &SendArguments) -> Result<SendAnswer, ServiceError> {
        let mail = self.mail.compose(&arguments.mail)?;
        let account = &arguments.mail.from_account;
        if let Some(answer) = arguments.approved.difference(&mail)? {
            tracing::warn!(account, answer, "refused");
            return Ok(SendAnswer {
                outcome: Outcome::NotSent,
                retry: false,
                differs: true,
                message_id: mail.message_id,
                answer,
                sent_copy: "missing: the mail was not sent".to_owned(),
            });
        }
        let (connection, bytes) = match self.take_prepared(arguments).await {
            Some((connection, bytes)) => (Some(connection), bytes),
            None => (None, mail.to_bytes()?),
        };
        let (attempt, filed_before) = match (
            &self.mail.account(account)?.backend,
            self.smtp.get(account),
        ) {
            (_, Some(settings)) => {
                let opened = match connection {
                    Some(connection) => Ok(connection),
                    None => open(settings, &mail, &bytes).await,
                };
                let attempt = match opened {
                    Ok(connection) => connection.send(&bytes).await,
                    Err(attempt) => attempt,
                };
                (attempt, false)
            }
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
            // A second copy would stand beside the provider's own.
            Outcome::Sent
                if self
                    .mail
                    .account(account)?
                    .provider
                    .is_some_and(|p| p.saves_sent) =>
            {
                "filed".to_owned()
            }
            Outcome::Sent => self.file(account, &bytes).await,
            Outcome::NotSent => "missing: the mail was not sent".to_owned(),
            Outcome::Unknown => "missing: it is not known whether the mail was sent".to_owned(),
        };
        Ok(SendAnswer {
            outcome,
            retry,
            differs: false,
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
            Ok(Stored::Written) => {
                fail::fail_point!("outbox-written", |_| std::process::abort());
                (Attempt::sent("left in the outbox"), false)
            }
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

async fn open(settings: &SmtpSettings, mail: &Outgoing, bytes: &[u8]) -> Result<Prepared, Attempt> {
    let parse = |email: &str| {
        email.parse::<lettre::Address>().map_err(|error| {
            Attempt::not_sent(
                false,
                format!("{email}: the address cannot be sent to: {error}"),
            )
        })
    };
    let from = parse(mail.from.email())?;
    let recipients = mail.recipients();
    let recipients = recipients.into_iter().map(|one| parse(one.email()));
    let recipients = recipients.collect::<Result<Vec<_>, _>>()?;
    smtp::prepare(settings, &from, &recipients, bytes).await
}
