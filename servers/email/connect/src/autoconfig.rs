//! The well-known files in which a domain says where its mail servers are (Mozilla's autoconfig), for an owner who asks.
//!
//! Nothing is asked unless a person gives the command, and what is found is only shown: it is the owner who writes it
//! into the mail file.

use oauth2::HttpRequest;

use crate::dialogue::Protocol;
use crate::endpoint::{Endpoint, Security};
use crate::oauth::{call, check_url};
use crate::providers::{Provider, provider_of_domain};

/// What is known of the mailbox of an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Suggestion {
    /// A preset knows it.
    Preset(&'static Provider),
    /// The domain says so.
    Servers(Box<Servers>),
}

/// What a domain says of its servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Servers {
    /// Where it says so.
    pub source: String,
    /// For reading.
    pub imap: Endpoint,
    /// The login there.
    pub user: String,
    /// For sending.
    pub smtp: Option<Endpoint>,
}

/// Why there is no suggestion.
#[derive(Debug, thiserror::Error)]
pub enum AutoconfigError {
    /// It is no address.
    #[error("{0:?} is not a mail address")]
    Address(String),
    /// The domain says nothing.
    #[error(
        "{domain} does not say where its mail servers are ({asked}); ask your provider for host, port and security"
    )]
    Nothing {
        /// The domain.
        domain: String,
        /// What was asked, and what came of it.
        asked: String,
    },
}

/// The places of a domain's file, in the order in which they are asked.
#[must_use]
pub fn places(domain: &str) -> [String; 2] {
    [
        format!("https://autoconfig.{domain}/mail/config-v1.1.xml"),
        format!("https://{domain}/.well-known/autoconfig/mail/config-v1.1.xml"),
    ]
}

/// Looks for the servers of an address: among the presets, then at `places` of its domain.
///
/// # Errors
/// If it is no address, or nothing is found.
pub async fn look_up(
    address: &str,
    places: impl Fn(&str) -> Vec<String>,
) -> Result<Suggestion, AutoconfigError> {
    let no_address = || AutoconfigError::Address(platinum_text::one_line(address, 100));
    let (local, domain) = address.rsplit_once('@').ok_or_else(no_address)?;
    if local.is_empty() || !is_host(domain) {
        return Err(no_address());
    }
    if let Some(provider) = provider_of_domain(domain) {
        return Ok(Suggestion::Preset(provider));
    }
    let mut asked = Vec::new();
    for place in places(domain) {
        let outcome = match fetch(&place).await {
            Ok(text) => match read(&text, &place, address) {
                Some(servers) => return Ok(Suggestion::Servers(Box::new(servers))),
                None => "has no IMAP server with TLS".to_owned(),
            },
            Err(reason) => reason,
        };
        asked.push(format!(
            "{place}: {}",
            platinum_text::one_line(&outcome, 100)
        ));
    }
    Err(AutoconfigError::Nothing {
        domain: domain.to_owned(),
        asked: asked.join("; "),
    })
}

async fn fetch(place: &str) -> Result<String, String> {
    check_url(place).map_err(str::to_owned)?;
    let mut request = HttpRequest::new(Vec::new());
    *request.uri_mut() = place.parse().map_err(|_| "is not a URL".to_owned())?;
    let answer = call(request).await.map_err(|error| error.to_string())?;
    match answer.status().is_success() {
        true => String::from_utf8(answer.into_body()).map_err(|_| "is not UTF-8".to_owned()),
        false => Err(format!("answers {}", answer.status())),
    }
}

/// Reads a file; nothing if it names no IMAP server that encrypts.
fn read(text: &str, source: &str, address: &str) -> Option<Servers> {
    let document = roxmltree::Document::parse(text).ok()?;
    let servers = |element: &str, kind: &str, protocol: Protocol| {
        document
            .descendants()
            .filter(|node| node.has_tag_name(element) && node.attribute("type") == Some(kind))
            .find_map(|node| server(node, protocol, address))
    };
    let (imap, user) = servers("incomingServer", "imap", Protocol::Imap)?;
    Some(Servers {
        source: source.to_owned(),
        imap,
        user,
        smtp: servers("outgoingServer", "smtp", Protocol::Smtp).map(|(smtp, _)| smtp),
    })
}

/// One server, if it encrypts.
fn server(
    node: roxmltree::Node<'_, '_>,
    protocol: Protocol,
    address: &str,
) -> Option<(Endpoint, String)> {
    let (local, domain) = address.rsplit_once('@')?;
    let filled = |text: &str| {
        text.replace("%EMAILADDRESS%", address)
            .replace("%EMAILLOCALPART%", local)
            .replace("%EMAILDOMAIN%", domain)
    };
    let value = |name: &str| {
        let child = node.children().find(|child| child.has_tag_name(name))?;
        child.text().map(|text| filled(text.trim()))
    };
    let security = match value("socketType")?.as_str() {
        "SSL" => Security::Tls,
        "STARTTLS" => Security::StartTls,
        _ => return None,
    };
    let host = value("hostname").filter(|host| is_host(host))?;
    let port = match value("port") {
        Some(port) => port.parse().ok()?,
        None => protocol.usual_port(security),
    };
    let user = value("username").unwrap_or_else(|| address.to_owned());
    let is_plain = |c: char| !c.is_control() && !matches!(c, '"' | '\\');
    let endpoint = Endpoint {
        host,
        port,
        security,
        ca_file: None,
        certificate: None,
    };
    (user.len() <= 320 && user.chars().all(is_plain)).then_some((endpoint, user))
}

fn is_host(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    (1..=253).contains(&text.len())
        && text.contains('.')
        && text.chars().all(fits)
        && !text.starts_with(['.', '-'])
}

impl Suggestion {
    /// The mail file of the address with this.
    #[must_use]
    pub fn mail_file(&self, address: &str) -> String {
        let head = format!("[account.me]\naddress = \"{address}\"\n");
        match self {
            Self::Preset(provider) => format!(
                "{head}provider = \"{}\"\npassword = {{ file = \"mail.password\" }}\n\n[account.me.smtp]\n\n# {}: the password \
                 is {}.\n",
                provider.id, provider.title, provider.password
            ),
            Self::Servers(servers) => {
                let lines = |endpoint: &Endpoint| {
                    format!(
                        "host = \"{}\"\nport = {}\nsecurity = \"{}\"\n",
                        endpoint.host,
                        endpoint.port,
                        match endpoint.security {
                            Security::Tls => "tls",
                            Security::StartTls => "starttls",
                        }
                    )
                };
                let smtp = match &servers.smtp {
                    Some(smtp) => format!("\n[account.me.smtp]\n{}", lines(smtp)),
                    None => String::new(),
                };
                format!(
                    "# As {} says.\n{head}backend = \"imap\"\n{}user = \"{}\"\npassword = {{ file = \"mail.password\" }}\n{smtp}",
                    servers.source,
                    lines(&servers.imap),
                    servers.user
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"<?xml version="1.0"?>
<clientConfig version="1.1"><emailProvider id="x.test"><domain>x.test</domain>
<incomingServer type="pop3"><hostname>pop.x.test</hostname><port>995</port><socketType>SSL</socketType></incomingServer>
<incomingServer type="imap"><hostname>old.x.test</hostname><port>143</port><socketType>plain</socketType></incomingServer>
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port><socketType>SSL</socketType>
<username>%EMAILLOCALPART%</username><authentication>password-cleartext</authentication></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.x.test</hostname><port>587</port><socketType>STARTTLS</socketType>
<username>%EMAILADDRESS%</username></outgoingServer></emailProvider></clientConfig>"#;

    #[test]
    fn autoconfig_takes_the_first_server_that_encrypts() {
        let servers = read(FILE, "here", "me@x.test").unwrap();
        assert_eq!(servers.imap.address(), "imap.x.test:993");
        assert_eq!(servers.user, "me");
        let smtp = servers.smtp.clone().unwrap();
        assert_eq!(
            (smtp.address(), smtp.security),
            ("smtp.x.test:587".to_owned(), Security::StartTls)
        );
        let file = Suggestion::Servers(Box::new(servers)).mail_file("me@x.test");
        let table: toml::Table = file.parse().unwrap();
        let smtp = &table["account"]["me"]["smtp"];
        assert_eq!(smtp["security"].as_str(), Some("starttls"));
    }

    #[test]
    fn autoconfig_that_could_write_lines_of_its_own_is_not_used() {
        for (from, to) in [
            ("imap.%EMAILDOMAIN%", "a\"\nhost = \"evil.test"),
            ("%EMAILLOCALPART%", "a\"\npassword = \"x"),
            (
                "<clientConfig",
                "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><clientConfig",
            ),
            ("</clientConfig>", ""),
        ] {
            assert_eq!(
                read(&FILE.replace(from, to), "here", "me@x.test"),
                None,
                "{to}"
            );
        }
    }

    #[tokio::test]
    async fn autoconfig_asks_one_place_after_the_other() {
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            use std::io::{Read as _, Write as _};
            for (stream, answer) in listener.incoming().zip(["404 no", "200 ok"]) {
                let mut stream = stream.unwrap();
                let mut request = [0; 4096];
                let _ = stream.read(&mut request).unwrap();
                let length = FILE.len();
                write!(
                    stream,
                    "HTTP/1.1 {answer}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{FILE}"
                )
                .unwrap();
            }
        });
        let places = |_: &str| -> Vec<String> {
            ["a", "b"]
                .map(|path| format!("http://127.0.0.1:{port}/{path}"))
                .into()
        };
        let found = look_up("me@x.test", places).await.unwrap();
        let Suggestion::Servers(servers) = found else {
            panic!("servers expected")
        };
        assert!(servers.source.ends_with("/b"), "{}", servers.source);
        let nothing = look_up("me@x.test", |_| vec!["http://x.test/a".to_owned()]).await;
        let nothing = nothing.unwrap_err().to_string();
        assert!(nothing.contains("must begin with https://"), "{nothing}");
    }

    #[tokio::test]
    async fn preset_is_found_without_asking_anybody() {
        let nobody = |_: &str| -> Vec<String> { panic!("asked") };
        let found = look_up("Me@GMAIL.com", nobody).await.unwrap();
        let file = found.mail_file("me@gmail.com");
        let table: toml::Table = file.parse().unwrap();
        assert_eq!(table["account"]["me"]["provider"].as_str(), Some("gmail"));
        for wrong in ["me", "@x.test", "me@", "me@local host", "me@x\".test"] {
            assert!(look_up(wrong, nobody).await.is_err(), "{wrong}");
        }
    }
}
