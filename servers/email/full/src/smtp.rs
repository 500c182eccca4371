//! One attempt to send by SMTP submission, command by command.
//!
//! A transport that sends in one call cannot tell a connection lost before the message from one lost after it.
//! That difference decides whether a mail may be sent again, so the commands are given here one by one.

use std::future::Future;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use platinum_connect::credential::{oauthbearer, xoauth2};
use platinum_connect::{
    ConnectError, Credential, CredentialError, Endpoint, Login, Protocol, Provider, TimeLimits,
    Usual,
};
use platinum_kit::config::{ConfigError, TableReader};
use platinum_mailbox::{Account, Backend};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

use crate::transport::Greeted;

/// How long one command may take.
const COMMAND_TIME: Duration = Duration::from_secs(30);
/// How long everything before the message may take. The caller has to wait for this and
/// [`MESSAGE_TIME`] together, or takes a slow server for a lost answer.
const PREPARE_TIME: Duration = Duration::from_secs(60);
/// How long the server may take to accept the message itself (RFC 5321 asks for patience here).
const MESSAGE_TIME: Duration = Duration::from_secs(120);

/// The table `[account.NAME.smtp]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmtpSettings {
    /// Where the server is, and how it is trusted.
    pub endpoint: Endpoint,
    /// The login.
    pub user: String,
    /// How it proves who it is.
    pub credential: Credential,
    /// What a person checks when the server refuses the login.
    pub advice: String,
}

impl SmtpSettings {
    /// Reads the table of an account; `folder` is where relative paths start. What it does not say is as for reading.
    pub fn read(
        account: &Account,
        table: &toml::Table,
        folder: &Path,
    ) -> Result<Self, ConfigError> {
        let at = format!("[account.{}.smtp]", account.name);
        let known = [&["user", "password"][..], &Endpoint::KEYS].concat();
        let reader = TableReader::new(&at, table, &known)?;
        let imap = match &account.backend {
            Backend::Imap(imap) => Some(imap),
            Backend::Maildir(_) => None,
        };
        let server = account.provider.map(Provider::smtp);
        let usual = Usual {
            server: server.as_ref(),
            beside: imap.map(|imap| &imap.endpoint),
        };
        let credential = match (table.contains_key("password"), imap) {
            (false, Some(imap)) => imap.credential.clone(),
            _ => Credential::Password(reader.secret("password", folder)?),
        };
        Ok(Self {
            endpoint: Endpoint::read(&at, &reader, folder, Protocol::Smtp, usual)?,
            user: match (reader.text("user")?, imap) {
                (None, Some(imap)) => imap.user.clone(),
                _ => reader.required("user")?,
            },
            advice: imap.map_or_else(
                || credential.advice().to_owned(),
                |imap| imap.advice.clone(),
            ),
            credential,
        })
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

/// One attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// What became of it.
    pub outcome: Outcome,
    /// Whether the same attempt may succeed later.
    pub retry: bool,
    /// The answer of the server, or what went wrong.
    pub answer: String,
}

impl Attempt {
    pub(crate) fn sent(answer: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::Sent,
            retry: false,
            answer: answer.into(),
        }
    }

    pub(crate) fn not_sent(retry: bool, answer: impl Into<String>) -> Self {
        Self {
            outcome: Outcome::NotSent,
            retry,
            answer: answer.into(),
        }
    }

    fn unknown(answer: String) -> Self {
        Self {
            outcome: Outcome::Unknown,
            retry: false,
            answer,
        }
    }
}

/// A connection on which the sender and all recipients are accepted. Nothing was sent.
pub struct Prepared {
    connection: AsyncSmtpConnection,
    server: String,
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Prepared").field(&self.server).finish()
    }
}

/// Does everything before the message: connection, login, sender, recipients.
///
/// # Errors
/// The attempt that ended here; it has sent nothing.
pub async fn prepare(
    settings: &SmtpSettings,
    from: &Address,
    to: &[Address],
    mail: &[u8],
) -> Result<Prepared, Attempt> {
    let prepared = timeout(PREPARE_TIME, open(settings, from, to, mail)).await;
    prepared.unwrap_or_else(|_| {
        Err(Attempt::not_sent(
            true,
            format!(
                "{} took longer than {} s before it could be given the message",
                settings.endpoint.address(),
                PREPARE_TIME.as_secs()
            ),
        ))
    })
}

impl Prepared {
    /// Hands `mail` over to all recipients, or to none of them.
    pub async fn send(self, mail: &[u8]) -> Attempt {
        let Self {
            mut connection,
            server,
        } = self;
        if let Err(attempt) = step(&server, "DATA", connection.command(Data)).await {
            return attempt;
        }
        fail::fail_point!("smtp-data-begun", |_| std::process::abort());
        // lettre writes the line end before the final dot; with the mail's own there would be an empty line more.
        let mail = mail.strip_suffix(b"\r\n").unwrap_or(mail);
        // From here on only a reply of the server is proof.
        let attempt = match timeout(MESSAGE_TIME, connection.message(mail)).await {
            Ok(Ok(response)) => Attempt::sent(reply_text(&response)),
            Ok(Err(error)) if error.is_transient() => Attempt::not_sent(true, one_line(&error)),
            Ok(Err(error)) if error.is_permanent() => Attempt::not_sent(false, one_line(&error)),
            Ok(Err(error)) => Attempt::unknown(format!(
                "the message was handed over, then the connection failed: {}",
                one_line(&error)
            )),
            Err(_) => Attempt::unknown(format!(
                "the message was handed over and not answered within {} s",
                MESSAGE_TIME.as_secs()
            )),
        };
        fail::fail_point!("smtp-answered", |_| std::process::abort());
        let _ = timeout(Duration::from_secs(2), connection.quit()).await;
        attempt
    }

    /// Ends the connection without a message.
    pub async fn abandon(mut self) {
        let _ = timeout(Duration::from_secs(2), self.connection.quit()).await;
    }
}

/// What became of a login without a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoginOutcome {
    /// The server lets this user in.
    LetIn,
    /// It does not, and why.
    Refused(String),
    /// It was not asked, or did not answer, and why.
    Unknown(String),
}

/// Whether the server lets this user in; nothing is said of a mail.
pub async fn try_login(settings: &SmtpSettings) -> LoginOutcome {
    match timeout(PREPARE_TIME, log_in(settings)).await {
        Err(_) => LoginOutcome::Unknown(format!("{} does not answer", settings.endpoint.address())),
        Ok(Ok(mut connection)) => {
            let _ = timeout(Duration::from_secs(2), connection.quit()).await;
            LoginOutcome::LetIn
        }
        Ok(Err(NoLogin::Refused(attempt))) => LoginOutcome::Refused(attempt.answer),
        Ok(Err(NoLogin::Away(attempt))) => LoginOutcome::Unknown(attempt.answer),
    }
}

/// Why there is no session of a user.
enum NoLogin {
    /// The server said no to the login.
    Refused(Attempt),
    /// It was not asked, or did not answer.
    Away(Attempt),
}

/// Connects and logs in; with a new token if the old one is refused.
async fn log_in(settings: &SmtpSettings) -> Result<AsyncSmtpConnection, NoLogin> {
    let no_credential =
        |error: CredentialError| NoLogin::Away(Attempt::not_sent(true, error.to_string()));
    let login = settings.credential.login().await.map_err(no_credential)?;
    match log_in_with(settings, &login).await {
        Err(NoLogin::Refused(attempt)) => {
            let renewed = settings.credential.renew(&login).await;
            match renewed.map_err(no_credential)? {
                Some(renewed) => log_in_with(settings, &renewed).await,
                None => Err(NoLogin::Refused(attempt)),
            }
        }
        done => done,
    }
}

async fn log_in_with(
    settings: &SmtpSettings,
    login: &Login,
) -> Result<AsyncSmtpConnection, NoLogin> {
    let server = settings.endpoint.address();
    let mut connection = connect(settings, &server).await.map_err(NoLogin::Away)?;
    let answered = match login {
        Login::Password(password) => {
            let credentials = Credentials::new(settings.user.clone(), password.expose().to_owned());
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            timeout(COMMAND_TIME, connection.auth(&mechanisms, &credentials)).await
        }
        Login::Token(token) => {
            let shown = show_token(&mut connection, settings, token.expose());
            timeout(COMMAND_TIME, shown).await
        }
    };
    match answered {
        Ok(Ok(_)) => Ok(connection),
        Ok(Err(error)) => Err(if error.is_permanent() || error.is_client() {
            let answer = format!(
                "{server} refused the login of {}: {}; {}",
                settings.user,
                one_line(&error),
                settings.advice
            );
            NoLogin::Refused(Attempt::not_sent(true, answer))
        } else {
            let answer = format!("{server}, AUTH: {}", one_line(&error));
            NoLogin::Away(Attempt::not_sent(true, answer))
        }),
        Err(_) => Err(NoLogin::Away(unanswered(&server, "AUTH"))),
    }
}

/// XOAUTH2 or OAUTHBEARER; a refusal comes as a challenge, whose answer ends the exchange.
async fn show_token(
    connection: &mut AsyncSmtpConnection,
    settings: &SmtpSettings,
    token: &str,
) -> Result<Response, SmtpError> {
    let Endpoint { host, port, .. } = &settings.endpoint;
    let (mechanism, answer, end) = match connection
        .server_info()
        .supports_auth_mechanism(Mechanism::Xoauth2)
    {
        true => ("XOAUTH2", xoauth2(&settings.user, token), ""),
        false => {
            let answer = oauthbearer(&settings.user, host, *port, token);
            ("OAUTHBEARER", answer, "AQ==")
        }
    };
    let answer = BASE64.encode(answer);
    let reply = connection
        .command(format!("AUTH {mechanism} {answer}\r\n"))
        .await?;
    match reply.has_code(334) {
        true => connection.command(format!("{end}\r\n")).await,
        false => Ok(reply),
    }
}

/// Connects, with encryption.
async fn connect(settings: &SmtpSettings, server: &str) -> Result<AsyncSmtpConnection, Attempt> {
    let limits = TimeLimits {
        connect: COMMAND_TIME,
        command: COMMAND_TIME,
    };
    let opened = settings.endpoint.open(Protocol::Smtp, limits).await;
    let opened = opened.map_err(|error| {
        let answer = match error {
            ConnectError::TimedOut { .. } => format!("{server} {error}"),
            error => format!("no connection to {server}: {error}"),
        };
        Attempt::not_sent(true, short(&answer))
    })?;
    let stream = Box::new(Greeted::new(opened));
    let hello = ClientId::default();
    let connecting = AsyncSmtpConnection::connect_with_transport(stream, &hello);
    step(server, "EHLO", connecting).await
}

/// Everything before the message. An attempt that ends here has sent nothing.
async fn open(
    settings: &SmtpSettings,
    from: &Address,
    to: &[Address],
    mail: &[u8],
) -> Result<Prepared, Attempt> {
    let server = settings.endpoint.address();
    let mut connection = log_in(settings).await.map_err(|no| match no {
        NoLogin::Refused(attempt) | NoLogin::Away(attempt) => attempt,
    })?;
    let international = to
        .iter()
        .chain([from])
        .any(|address| !address.to_string().is_ascii())
        || !mail.is_ascii();
    let mut parameters = Vec::new();
    if international {
        if !connection
            .server_info()
            .supports_feature(Extension::SmtpUtfEight)
        {
            connection.abort().await;
            return Err(Attempt::not_sent(
                false,
                format!("{server} does not accept addresses with letters beyond ASCII (SMTPUTF8)"),
            ));
        }
        parameters.push(MailParameter::SmtpUtfEight);
    }
    step(
        &server,
        "MAIL FROM",
        connection.command(Mail::new(Some(from.clone()), parameters)),
    )
    .await?;
    for address in to {
        let accepted = step(
            &server,
            "RCPT TO",
            connection.command(Rcpt::new(address.clone(), Vec::new())),
        )
        .await;
        if let Err(error) = accepted {
            connection.abort().await;
            let answer = format!("recipient {address}: {}", error.answer);
            return Err(Attempt { answer, ..error });
        }
    }
    Ok(Prepared { connection, server })
}

async fn step<T>(
    server: &str,
    name: &str,
    work: impl Future<Output = Result<T, SmtpError>>,
) -> Result<T, Attempt> {
    match timeout(COMMAND_TIME, work).await {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Attempt::not_sent(
            !error.is_permanent() && !error.is_client(),
            format!("{server}, {name}: {}", one_line(&error)),
        )),
        Err(_) => Err(unanswered(server, name)),
    }
}

fn unanswered(server: &str, name: &str) -> Attempt {
    Attempt::not_sent(
        true,
        format!(
            "{server} did not answer {name} within {} s",
            COMMAND_TIME.as_secs()
        ),
    )
}

fn reply_text(response: &Response) -> String {
    let text = response.message().collect::<Vec<_>>().join(" ");
    format!("{} {}", response.code(), short(&text))
}

/// An error with its causes, on one line.
fn one_line(error: &SmtpError) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    short(&text)
}

fn short(text: &str) -> String {
    platinum_text::one_line(text, 400)
}
