//! One attempt to send by SMTP submission, command by command.
//!
//! A transport that sends in one call cannot tell a connection lost before the message from one lost after it.
//! That difference decides whether a mail may be sent again, so the commands are given here one by one.

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use lettre::Address;
use lettre::transport::smtp::Error as SmtpError;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, Certificate, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailParameter};
use lettre::transport::smtp::response::Response;
use platinum_kit::config::{ConfigError, TableReader, value_error};
use platinum_kit::secret::Secret;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tokio::time::timeout;

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
    /// The server's name, as in its certificate.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted; there is no way to go without.
    pub security: Security,
    /// The login.
    pub user: String,
    /// Where the password is.
    pub password: Secret,
    /// A file of certificates (PEM) to trust besides the public roots.
    pub ca_file: Option<PathBuf>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Security {
    /// From the first byte (port 465).
    Tls,
    /// After STARTTLS, which must succeed (port 587).
    StartTls,
}

impl SmtpSettings {
    /// Reads the table; `folder` is where relative paths start.
    pub fn read(account: &str, table: &toml::Table, folder: &Path) -> Result<Self, ConfigError> {
        let at = format!("[account.{account}.smtp]");
        let reader = TableReader::new(
            &at,
            table,
            &["host", "port", "security", "user", "password", "ca-file"],
        )?;
        let security = match reader.text("security")?.as_deref() {
            None | Some("tls") => Security::Tls,
            Some("starttls") => Security::StartTls,
            Some(_) => {
                return Err(value_error(
                    &at,
                    "security",
                    "must be \"tls\" or \"starttls\"",
                ));
            }
        };
        Ok(Self {
            host: reader.required("host")?,
            port: reader.port(if security == Security::Tls { 465 } else { 587 })?,
            security,
            user: reader.required("user")?,
            password: reader.secret("password", folder)?,
            ca_file: reader.path("ca-file", folder)?,
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
                "{}:{} took longer than {} s before it could be given the message",
                settings.host,
                settings.port,
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

/// Whether the server lets this user in; nothing is said of a mail.
///
/// # Errors
/// Why it cannot be known: no connection, no encryption, no answer.
pub async fn can_log_in(settings: &SmtpSettings) -> Result<bool, String> {
    let login = timeout(PREPARE_TIME, log_in(settings));
    match login.await {
        Err(_) => Err(format!(
            "{}:{} does not answer",
            settings.host, settings.port
        )),
        Ok(Ok(mut connection)) => {
            let _ = timeout(Duration::from_secs(2), connection.quit()).await;
            Ok(true)
        }
        Ok(Err(NoLogin::Refused(_))) => Ok(false),
        Ok(Err(NoLogin::Away(attempt))) => Err(attempt.answer),
    }
}

/// Why there is no session of a user.
enum NoLogin {
    /// The server said no to the login.
    Refused(Attempt),
    /// It was not asked, or did not answer.
    Away(Attempt),
}

/// Connects and logs in.
async fn log_in(settings: &SmtpSettings) -> Result<AsyncSmtpConnection, NoLogin> {
    let server = format!("{}:{}", settings.host, settings.port);
    let password = settings
        .password
        .fetch()
        .await
        .map_err(|error| NoLogin::Away(Attempt::not_sent(true, error.to_string())))?;
    let mut connection = connect(settings, &server).await.map_err(NoLogin::Away)?;
    let credentials = Credentials::new(settings.user.clone(), password.expose().to_owned());
    let mechanisms = [Mechanism::Plain, Mechanism::Login];
    match timeout(COMMAND_TIME, connection.auth(&mechanisms, &credentials)).await {
        Ok(Ok(_)) => Ok(connection),
        Ok(Err(error)) => {
            let is_answer = error.is_permanent() || error.is_client();
            let attempt = Attempt::not_sent(true, format!("{server}, AUTH: {}", one_line(&error)));
            Err(match is_answer {
                true => NoLogin::Refused(attempt),
                false => NoLogin::Away(attempt),
            })
        }
        Err(_) => Err(NoLogin::Away(unanswered(&server, "AUTH"))),
    }
}

/// Connects, with encryption.
async fn connect(settings: &SmtpSettings, server: &str) -> Result<AsyncSmtpConnection, Attempt> {
    let tls = tls(settings).await?;
    let hello = ClientId::default();
    let at_once = (settings.security == Security::Tls).then(|| tls.clone());
    let address = (settings.host.as_str(), settings.port);
    let connecting =
        AsyncSmtpConnection::connect_tokio1(address, Some(COMMAND_TIME), &hello, at_once, None);
    let mut connection = step(server, "the connection", connecting).await?;
    if settings.security == Security::StartTls {
        if !connection.can_starttls() {
            connection.abort().await;
            return Err(Attempt::not_sent(
                true,
                format!("{server} does not offer STARTTLS; nothing is sent in the clear"),
            ));
        }
        step(server, "STARTTLS", connection.starttls(tls, &hello)).await?;
    }
    Ok(connection)
}

/// Everything before the message. An attempt that ends here has sent nothing.
async fn open(
    settings: &SmtpSettings,
    from: &Address,
    to: &[Address],
    mail: &[u8],
) -> Result<Prepared, Attempt> {
    let server = format!("{}:{}", settings.host, settings.port);
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

async fn tls(settings: &SmtpSettings) -> Result<TlsParameters, Attempt> {
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(path) = &settings.ca_file {
        let broken = |reason: String| {
            Attempt::not_sent(true, format!("ca-file {}: {reason}", path.display()))
        };
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| broken(error.to_string()))?;
        builder = builder.add_root_certificate(
            Certificate::from_pem(&pem).map_err(|error| broken(error.to_string()))?,
        );
    }
    builder
        .build()
        .map_err(|error| Attempt::not_sent(true, format!("TLS: {}", one_line(&error))))
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
