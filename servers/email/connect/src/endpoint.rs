//! [`Endpoint`]: host, port and security of a mail server, and the way to its greeting.
//!
//! Lives elsewhere: trust in a certificate is [`crate::tls`], the lines of IMAP and SMTP [`crate::dialogue`].

use std::path::{Path, PathBuf};
use std::time::Duration;

use platinum_kit::config::{ConfigError, TableReader, value_error};
use rustls_pki_types::ServerName;
use serde::Deserialize;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::dialogue::{self, Greeting, Protocol};
use crate::error::ConnectError;
use crate::tls::{Fingerprint, Trust};

/// How long a silent server is waited for before it is tried with TLS, where STARTTLS is asked for.
const SILENCE: Duration = Duration::from_secs(2);
/// Ports on which TLS begins with the first byte.
const TLS_PORTS: [u16; 3] = [465, 993, 995];

/// Where a server is, and how it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// Its name, as in its certificate.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the connection is encrypted; there is no way to go without.
    pub security: Security,
    /// A file of certificates (PEM) to trust besides the public roots.
    pub ca_file: Option<PathBuf>,
    /// The one certificate that is trusted, whoever signed it.
    pub certificate: Option<Fingerprint>,
}

/// How a connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// From the first byte (ports 993 and 465).
    Tls,
    /// After STARTTLS, which must succeed (ports 143 and 587).
    StartTls,
}

/// What a table need not say.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usual<'a> {
    /// The server that is meant if no other is named.
    pub server: Option<&'a Endpoint>,
    /// Another server of the same account, which is trusted alike.
    pub beside: Option<&'a Endpoint>,
}

/// How long a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeLimits {
    /// For connecting and for the TLS handshake, each.
    pub connect: Duration,
    /// For its greeting and for the answer to STARTTLS, each.
    pub command: Duration,
}

/// An encrypted connection to a server that has greeted.
#[derive(Debug)]
pub struct Connection {
    /// The stream; the next line on it answers ours.
    pub stream: TlsStream<TcpStream>,
    /// The greeting, with its line ends.
    pub greeting: String,
}

impl Endpoint {
    /// The keys that [`Endpoint::read`] reads.
    pub const KEYS: [&'static str; 5] =
        ["host", "port", "security", "ca-file", "certificate-sha256"];

    /// Reads the keys of a table that `at` names; relative paths start in `folder`.
    ///
    /// # Errors
    /// If a key is missing and not usual, or its value cannot be used.
    pub fn read(
        at: &str,
        reader: &TableReader<'_>,
        folder: &Path,
        protocol: Protocol,
        usual: Usual<'_>,
    ) -> Result<Self, ConfigError> {
        let host = match (reader.text("host")?, usual.server) {
            (None, Some(server)) => server.host.clone(),
            _ => reader.required("host")?,
        };
        // What is known of a server is nothing about another one.
        let is_this = |server: &&Self| server.host == host;
        let server = usual.server.filter(is_this);
        let security = match reader.text("security")?.as_deref() {
            None => server.map_or(Security::Tls, |server| server.security),
            Some("tls") => Security::Tls,
            Some("starttls") => Security::StartTls,
            Some(_) => {
                let problem = "must be \"tls\" (from the first byte) or \"starttls\"";
                return Err(value_error(at, "security", problem));
            }
        };
        let usual_port = server
            .filter(|server| server.security == security)
            .map_or(protocol.usual_port(security), |server| server.port);
        let port = reader.port(usual_port)?;
        if let Some(other) = Protocol::of_port(port).filter(|other| *other != protocol) {
            let problem = format!(
                "{port} is a port of {}, and this is {}: {}",
                other.name(),
                protocol.name(),
                protocol.usual_ports()
            );
            return Err(value_error(at, "port", &problem));
        }
        let certificate = reader.text("certificate-sha256")?;
        let certificate = certificate
            .map(|text| Fingerprint::parse(&text))
            .transpose();
        let certificate =
            certificate.map_err(|problem| value_error(at, "certificate-sha256", problem))?;
        let beside = usual.beside;
        Ok(Self {
            ca_file: match reader.path("ca-file", folder)? {
                Some(path) => Some(path),
                None => beside.and_then(|beside| beside.ca_file.clone()),
            },
            certificate: certificate
                .or_else(|| beside.filter(is_this).and_then(|beside| beside.certificate)),
            host,
            port,
            security,
        })
    }

    /// `host:port`, for messages.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    /// Connects, encrypts and reads the greeting of a server of `protocol`.
    ///
    /// # Errors
    /// Why there is no such connection, and what to do about it.
    pub async fn open(
        &self,
        protocol: Protocol,
        limits: TimeLimits,
    ) -> Result<Connection, ConnectError> {
        let trust = Trust::new(self).await?;
        let tcp = self.connect(protocol, limits.connect).await?;
        match self.security {
            Security::Tls => {
                let mut stream = self.encrypt(&trust, tcp, protocol, limits).await?;
                let greeting = timeout(
                    limits.command,
                    dialogue::read_greeting(&mut stream, protocol),
                )
                .await
                .map_err(|_| late("the greeting", limits.command))?;
                let greeting = self.understood(greeting, protocol)?;
                Ok(Connection { stream, greeting })
            }
            Security::StartTls => {
                let (tcp, greeting) = self.ask_for_tls(&trust, tcp, protocol, limits).await?;
                let stream = self.encrypt(&trust, tcp, protocol, limits).await?;
                Ok(Connection { stream, greeting })
            }
        }
    }

    async fn connect(
        &self,
        protocol: Protocol,
        limit: Duration,
    ) -> Result<TcpStream, ConnectError> {
        let connecting = TcpStream::connect((self.host.as_str(), self.port));
        let connected = timeout(limit, connecting)
            .await
            .map_err(|_| late("the connection", limit))?;
        // A command is written in several pieces: each but the first would wait for the server's delayed
        // acknowledgement of the one before, some 40 ms.
        let connected = connected.and_then(|tcp| tcp.set_nodelay(true).map(|()| tcp));
        connected.map_err(|error| {
            let reason = match error.kind() {
                std::io::ErrorKind::ConnectionRefused => format!(
                    "nothing listens on port {} there ({error}): {}",
                    self.port,
                    protocol.usual_ports()
                ),
                _ if error.to_string().contains("lookup address") => {
                    format!("its name cannot be looked up ({error}); check `host` and the network")
                }
                _ => error.to_string(),
            };
            ConnectError::Unavailable(reason)
        })
    }

    async fn encrypt(
        &self,
        trust: &Trust,
        tcp: TcpStream,
        protocol: Protocol,
        limits: TimeLimits,
    ) -> Result<TlsStream<TcpStream>, ConnectError> {
        match self.shake_hands(trust, tcp, limits.connect).await? {
            Ok(stream) => Ok(stream),
            Err(error) if trust.is_no_tls(&error) => Err(ConnectError::Unavailable(
                self.why_plain(protocol, limits).await,
            )),
            Err(error) => Err(ConnectError::Unavailable(trust.why(&error, &self.host))),
        }
    }

    /// A TLS handshake, and what came of it.
    async fn shake_hands(
        &self,
        trust: &Trust,
        tcp: TcpStream,
        limit: Duration,
    ) -> Result<std::io::Result<TlsStream<TcpStream>>, ConnectError> {
        let name = ServerName::try_from(self.host.clone()).map_err(|_| {
            ConnectError::Setup(format!("host {:?} is not the name of a server", self.host))
        })?;
        timeout(limit, trust.connector().connect(name, tcp))
            .await
            .map_err(|_| late("the TLS handshake", limit))
    }

    /// The plain part of STARTTLS.
    async fn ask_for_tls(
        &self,
        trust: &Trust,
        mut tcp: TcpStream,
        protocol: Protocol,
        limits: TimeLimits,
    ) -> Result<(TcpStream, String), ConnectError> {
        let greeting = {
            let reading = timeout(limits.command, dialogue::read_greeting(&mut tcp, protocol));
            tokio::pin!(reading);
            let silence = match TLS_PORTS.contains(&self.port) {
                true => Duration::ZERO,
                false => SILENCE,
            };
            let begins_with_tls = async {
                tokio::time::sleep(silence).await;
                self.begins_with_tls(trust, protocol, limits).await
            };
            // A server that waits for TLS is silent, and so is a slow one: only the first answers TLS.
            tokio::select! {
                greeting = &mut reading => greeting,
                true = begins_with_tls => {
                    return Err(ConnectError::Unavailable(format!(
                        "port {} speaks TLS from the first byte: write security = \"tls\", or use port {}",
                        self.port,
                        protocol.usual_port(Security::StartTls)
                    )));
                }
            }
        };
        let greeting = greeting.map_err(|_| late("the greeting", limits.command))?;
        let greeting = self.understood(greeting, protocol)?;
        let asked = timeout(limits.command, dialogue::ask_for_tls(&mut tcp, protocol))
            .await
            .map_err(|_| late("STARTTLS", limits.command))?;
        match asked {
            Err(error) => Err(ConnectError::Unavailable(closed(&error))),
            Ok(Some(refusal)) => Err(ConnectError::Unavailable(format!(
                "the server does not offer STARTTLS ({refusal}), and nothing is said in the clear; TLS from the \
                 first byte is usually on port {}, with security = \"tls\"",
                protocol.usual_port(Security::Tls)
            ))),
            Ok(None) => Ok((tcp, greeting)),
        }
    }

    /// The greeting, if it is one of a server that wants to talk to us.
    fn understood(
        &self,
        greeting: std::io::Result<Greeting>,
        protocol: Protocol,
    ) -> Result<String, ConnectError> {
        match greeting {
            Err(error) => Err(ConnectError::Unavailable(closed(&error))),
            Ok(Greeting::Welcome(text)) => Ok(text),
            Ok(Greeting::TurnedAway(words)) => Err(ConnectError::Unavailable(format!(
                "the server turned us away: {words}"
            ))),
            Ok(Greeting::Other(other)) => Err(ConnectError::Unavailable(format!(
                "the server does not speak {}{}: {}",
                protocol.name(),
                other
                    .map(|other| format!(", port {} speaks {other}", self.port))
                    .unwrap_or_default(),
                protocol.usual_ports()
            ))),
        }
    }

    /// What speaks without TLS where TLS was expected.
    async fn why_plain(&self, protocol: Protocol, limits: TimeLimits) -> String {
        let greeting = async {
            let mut tcp = self.connect(protocol, limits.connect).await.ok()?;
            dialogue::read_greeting(&mut tcp, protocol).await.ok()
        };
        let greeting = timeout(SILENCE, greeting).await.ok().flatten();
        let begins = format!("port {} does not speak TLS from the first byte", self.port);
        match greeting {
            Some(Greeting::Other(Some(other))) => format!(
                "{begins} but {other}, not {}: {}",
                protocol.name(),
                protocol.usual_ports()
            ),
            _ => format!(
                "{begins}: write security = \"starttls\" if it is a port for that, or use port {}",
                protocol.usual_port(Security::Tls)
            ),
        }
    }

    /// Whether the server answers a TLS handshake, trusted or not. Nothing else is said to it.
    async fn begins_with_tls(&self, trust: &Trust, protocol: Protocol, limits: TimeLimits) -> bool {
        let Ok(tcp) = self.connect(protocol, limits.connect).await else {
            return false;
        };
        match self.shake_hands(trust, tcp, limits.connect).await {
            Ok(Ok(_)) => true,
            Ok(Err(error)) => trust.is_certificate(&error),
            Err(_) => false,
        }
    }
}

fn late(step: &'static str, after: Duration) -> ConnectError {
    ConnectError::TimedOut { step, after }
}

/// A connection that ended before the greeting.
fn closed(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::UnexpectedEof => {
            "the server closed the connection before its greeting was whole".to_owned()
        }
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, protocol: Protocol, usual: Usual<'_>) -> Result<Endpoint, String> {
        let table: toml::Table = text.parse().unwrap();
        let reader = TableReader::new("[account.me]", &table, &Endpoint::KEYS);
        let read = reader.and_then(|reader| {
            Endpoint::read("[account.me]", &reader, Path::new("/etc"), protocol, usual)
        });
        read.map_err(|error| error.to_string())
    }

    #[test]
    fn port_follows_protocol_and_security() {
        let port = |text: &str, protocol| read(text, protocol, Usual::default()).unwrap().port;
        let starttls = "host = 'h'\nsecurity = 'starttls'";
        assert_eq!(port("host = 'h'", Protocol::Imap), 993);
        assert_eq!(port(starttls, Protocol::Imap), 143);
        assert_eq!(port("host = 'h'", Protocol::Smtp), 465);
        assert_eq!(port(starttls, Protocol::Smtp), 587);
    }

    #[test]
    fn port_of_the_other_protocol_is_refused() {
        assert_eq!(
            read("host = 'h'\nport = 465", Protocol::Imap, Usual::default()).unwrap_err(),
            "[account.me]: `port` 465 is a port of SMTP, and this is IMAP: IMAP is usually on port 993 with \
             security = \"tls\", or on 143 with \"starttls\""
        );
        let error = read("host = 'h'\nport = 993", Protocol::Smtp, Usual::default()).unwrap_err();
        assert!(error.contains("993 is a port of IMAP"), "{error}");
    }

    #[test]
    fn usual_values_hold_for_the_usual_host_alone() {
        let text = "host = '127.0.0.1'\nport = 1025\nsecurity = 'starttls'";
        let bridge = read(text, Protocol::Smtp, Usual::default()).unwrap();
        let pin = "ab".repeat(32);
        let beside =
            format!("host = '127.0.0.1'\nca-file = 'ca.pem'\ncertificate-sha256 = '{pin}'");
        let beside = read(&beside, Protocol::Imap, Usual::default()).unwrap();
        let usual = Usual {
            server: Some(&bridge),
            beside: Some(&beside),
        };
        let same = read("", Protocol::Smtp, usual).unwrap();
        assert_eq!((same.port, same.security), (1025, Security::StartTls));
        assert_eq!(same.certificate, beside.certificate);
        let other = read("host = 'other'", Protocol::Smtp, usual).unwrap();
        assert_eq!((other.port, other.security), (465, Security::Tls));
        assert_eq!(other.certificate, None);
        assert_eq!(other.ca_file, beside.ca_file);
        let tls = read("security = 'tls'", Protocol::Smtp, usual).unwrap();
        assert_eq!(tls.port, 465);
    }

    #[test]
    fn fingerprint_that_is_none_is_refused() {
        let error = read(
            "host = 'h'\ncertificate-sha256 = 'abc'",
            Protocol::Imap,
            Usual::default(),
        );
        assert!(error.unwrap_err().contains("64 hexadecimal digits"));
    }
}
