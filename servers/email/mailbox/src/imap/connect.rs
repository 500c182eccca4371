//! A logged-in connection: TCP, TLS with verified names, login, capabilities.

use std::sync::Arc;
use std::time::Duration;

use async_imap::{Client, Session};
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use super::bounded::Bounded;
use super::{ANSWER_BYTES, COMMAND_TIME};
use crate::config::ImapSettings;
use crate::error::MailboxError;

/// How long connecting and the TLS handshake may take, each.
const CONNECT_TIME: Duration = Duration::from_secs(15);

pub(super) type Stream = Bounded<TlsStream<TcpStream>>;

/// A session and what its server can do.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) session: Session<Stream>,
    pub(super) idle: bool,
}

pub(super) async fn connect(settings: &ImapSettings) -> Result<Connection, MailboxError> {
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
    let password = settings.password.fetch().await?;
    let tls = TlsConnector::from(Arc::new(tls_config(settings).await?));
    let name = ServerName::try_from(settings.host.clone()).map_err(|_| {
        MailboxError::Setup(format!(
            "host {:?} is not the name of a server",
            settings.host
        ))
    })?;
    let tcp = timeout(
        CONNECT_TIME,
        TcpStream::connect((settings.host.as_str(), settings.port)),
    )
    .await
    .map_err(|_| late("the connection", CONNECT_TIME))?
    .map_err(|error| down(&error))?;
    let tls = timeout(CONNECT_TIME, tls.connect(name, tcp))
        .await
        .map_err(|_| late("the TLS handshake", CONNECT_TIME))?
        .map_err(|error| {
            down(&format!(
                "TLS: {error}; a private certificate authority goes into `ca-file`"
            ))
        })?;
    let mut client = Client::new(Bounded::new(tls, ANSWER_BYTES));
    let greeting = timeout(COMMAND_TIME, client.read_response())
        .await
        .map_err(|_| late("the greeting", COMMAND_TIME))?;
    if greeting.map_err(|error| down(&error))?.is_none() {
        return Err(down(
            &"the server closed the connection before its greeting",
        ));
    }
    let login = timeout(
        COMMAND_TIME,
        client.login(&settings.user, password.expose()),
    )
    .await
    .map_err(|_| late("LOGIN", COMMAND_TIME))?;
    let mut session = login.map_err(|(error, _)| match error {
        async_imap::error::Error::No(reason) | async_imap::error::Error::Bad(reason) => {
            MailboxError::Login {
                server: server.clone(),
                user: settings.user.clone(),
                reason: short(&reason),
            }
        }
        async_imap::error::Error::Validate(_) => MailboxError::Setup(
            "user or password has a line end or another control character in it".to_owned(),
        ),
        error => down(&error),
    })?;
    let capabilities = timeout(COMMAND_TIME, session.capabilities())
        .await
        .map_err(|_| late("CAPABILITY", COMMAND_TIME))?
        .map_err(|error| down(&error))?;
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

/// What a server said, on one line and not too long.
pub(super) fn short(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(300)
        .collect()
}
