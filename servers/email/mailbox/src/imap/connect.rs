//! A logged-in connection: TCP, TLS with verified names, login, capabilities.

use std::sync::Arc;
use std::time::Duration;

use async_imap::error::Error;
use async_imap::{Client, Session};
use platinum_kit::Password;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::bounded::{Answer, Bounded};
use super::{ANSWER_BYTES, TimeLimits};
use crate::config::ImapSettings;
use crate::error::MailboxError;

pub(super) type Stream = Bounded<TlsStream<TcpStream>>;

/// A session and what its server can do.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session<Stream>,
    pub(super) idle: bool,
}

/// Connects and logs in. A refused login is not remembered here: see [`super::login_backoff`].
pub(super) async fn connect(
    settings: &ImapSettings,
    password: &Password,
    limits: TimeLimits,
) -> Result<Connection, MailboxError> {
    let server = format!("{}:{}", settings.host, settings.port);
    let down = |error: &dyn std::fmt::Display| MailboxError::Unavailable {
        server: server.clone(),
        reason: error.to_string(),
    };
    let late = |command, after| MailboxError::TimedOut {
        server: server.clone(),
        command,
        after,
    };
    let tls = TlsConnector::from(Arc::new(tls_config(settings).await?));
    let name = ServerName::try_from(settings.host.clone()).map_err(|_| {
        MailboxError::Setup(format!(
            "host {:?} is not the name of a server",
            settings.host
        ))
    })?;
    let tcp = timeout(
        limits.connect,
        TcpStream::connect((settings.host.as_str(), settings.port)),
    )
    .await
    .map_err(|_| late("the connection", limits.connect))?
    .map_err(|error| down(&error))?;
    let tls = timeout(limits.connect, tls.connect(name, tcp))
        .await
        .map_err(|_| late("the TLS handshake", limits.connect))?
        .map_err(|error| down(&why_no_tls(&error, settings)))?;
    let mut client = Client::new(Bounded::new(tls, ANSWER_BYTES));
    let greeting = timeout(limits.command, client.read_response())
        .await
        .map_err(|_| late("the greeting", limits.command))?;
    if greeting
        .map_err(|error| down(&error_text(&error)))?
        .is_none()
    {
        return Err(down(
            &"the server closed the connection before its greeting",
        ));
    }
    let bye = client.get_mut().bye().map(short);
    if let Some(words) = bye {
        return Err(down(&format!("the server turned us away: {words}")));
    }
    let login = timeout(
        limits.command,
        client.login(&settings.user, password.expose()),
    )
    .await
    .map_err(|_| late("LOGIN", limits.command))?;
    let mut session = login.map_err(|(error, mut client)| {
        let stream = client.get_mut();
        match (stream.answer(), error) {
            (_, Error::Validate(_)) => MailboxError::Setup(
                "user or password has a line end or another control character in it".to_owned(),
            ),
            (Some(Answer::No(words)), _) if is_passing(words) => down(&short(words)),
            (Some(Answer::No(words) | Answer::Bad(words)), _) => MailboxError::Login {
                server: server.clone(),
                user: settings.user.clone(),
                reason: short(words),
                pause: Duration::ZERO,
            },
            (_, error) => match stream.bye() {
                Some(words) => down(&format!("the server turned us away: {}", short(words))),
                None => down(&error_text(&error)),
            },
        }
    })?;
    let capabilities = timeout(limits.command, session.capabilities())
        .await
        .map_err(|_| late("CAPABILITY", limits.command))?
        .map_err(|error| down(&error_text(&error)))?;
    let idle = capabilities.has_str("IDLE");
    tracing::debug!(%server, idle, "connected");
    Ok(Connection { session, idle })
}

async fn tls_config(settings: &ImapSettings) -> Result<ClientConfig, MailboxError> {
    let mut roots = RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    };
    if let Some(path) = &settings.ca_file {
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| MailboxError::file("read", path, error))?;
        let mut count = 0;
        for certificate in CertificateDer::pem_slice_iter(&pem) {
            let broken = |reason: String| {
                MailboxError::Setup(format!("ca-file {}: {reason}", path.display()))
            };
            let certificate = certificate.map_err(|error| broken(error.to_string()))?;
            roots
                .add(certificate)
                .map_err(|error| broken(error.to_string()))?;
            count += 1;
        }
        if count == 0 {
            return Err(MailboxError::Setup(format!(
                "ca-file {} has no certificate (PEM) in it",
                path.display()
            )));
        }
    }
    let versions = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| MailboxError::Setup(format!("TLS: {error}")))?;
    Ok(versions.with_root_certificates(roots).with_no_client_auth())
}

/// Whether the words after a NO say that it may be different soon (RFC 5530).
pub(super) fn is_passing(words: &str) -> bool {
    let code = words
        .strip_prefix('[')
        .and_then(|rest| rest.split([']', ' ']).next());
    code.is_some_and(|code| {
        ["UNAVAILABLE", "INUSE", "LIMIT", "SERVERBUG"]
            .iter()
            .any(|passing| code.eq_ignore_ascii_case(passing))
    })
}

/// The error of the library about a failed connection, without the bytes that it failed to read.
pub(super) fn error_text(error: &dyn std::fmt::Display) -> String {
    let text = error.to_string();
    if text.contains("during parsing of") || text.starts_with("parse:") {
        return "the server does not speak IMAP".to_owned();
    }
    if text.contains("close_notify") || text == "connection lost" {
        return "the server closed the connection".to_owned();
    }
    short(text.strip_prefix("io: ").unwrap_or(&text))
}

/// Why there is no TLS connection, and what to do about it.
fn why_no_tls(error: &std::io::Error, settings: &ImapSettings) -> String {
    use tokio_rustls::rustls::{CertificateError as Wrong, Error as Tls};
    let inner = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Tls>());
    match inner {
        Some(Tls::InvalidCertificate(wrong)) => match wrong {
            Wrong::Expired | Wrong::ExpiredContext { .. } => {
                format!("its certificate has expired ({wrong})")
            }
            Wrong::NotValidForName | Wrong::NotValidForNameContext { .. } => format!(
                "its certificate is for another name than `host` = {:?} ({wrong})",
                settings.host
            ),
            Wrong::UnknownIssuer | Wrong::BadSignature => {
                "its certificate is from an unknown authority; a private \
                 certificate authority goes into `ca-file`"
                    .to_owned()
            }
            wrong => format!("its certificate cannot be trusted: {wrong}"),
        },
        Some(Tls::InvalidMessage(_)) => format!(
            "port {} does not speak TLS from the first byte; the port for that is usually 993",
            settings.port
        ),
        _ => format!("TLS: {error}"),
    }
}

/// A text of a server, on one line and bounded.
pub(super) fn short(text: &str) -> String {
    platinum_text::one_line(text, 300)
}
