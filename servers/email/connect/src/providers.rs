//! Presets of mail providers: `provider = "gmail"` in a mail file. The data is in `providers.toml`.
//!
//! Nothing here asks anybody: what a provider changes since is for the owner to write into the mail file.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use crate::endpoint::{Endpoint, Security};

/// A provider of mailboxes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Provider {
    /// Its name in a mail file.
    pub id: String,
    /// Other names that are understood.
    #[serde(default)]
    pub names: Vec<String>,
    /// Its name for people.
    pub title: String,
    /// The domains of addresses that are surely its own.
    pub domains: Vec<String>,
    imap: Server,
    smtp: Server,
    /// Whether it files a copy of what its server sends: then nobody else does.
    #[serde(default)]
    pub saves_sent: bool,
    /// Which password it wants, as the end of a sentence.
    pub password: String,
    /// Where it gives tokens, if it does.
    #[serde(default)]
    pub oauth: Option<OAuthEndpoints>,
}

/// Where a provider gives tokens of OAuth 2, and for what.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct OAuthEndpoints {
    /// Gives and renews tokens.
    pub token_url: String,
    /// Gives codes to type on another device; it is used first.
    #[serde(default)]
    pub device_url: Option<String>,
    /// Where a browser begins.
    #[serde(default)]
    pub authorize_url: Option<String>,
    /// What a program asks for that reads mail.
    #[serde(default)]
    pub read_scopes: Vec<String>,
    /// What it asks for besides if it sends.
    #[serde(default)]
    pub send_scopes: Vec<String>,
    /// More parameters for the browser's address.
    #[serde(default)]
    pub authorize_extra: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    host: String,
    port: u16,
    security: Security,
}

impl Server {
    fn endpoint(&self) -> Endpoint {
        Endpoint {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            ca_file: None,
            certificate: None,
        }
    }
}

impl Provider {
    /// Its server for reading.
    #[must_use]
    pub fn imap(&self) -> Endpoint {
        self.imap.endpoint()
    }

    /// Its server for sending.
    #[must_use]
    pub fn smtp(&self) -> Endpoint {
        self.smtp.endpoint()
    }
}

/// All providers there are presets for.
#[must_use]
pub fn providers() -> &'static [Provider] {
    #[derive(Default, Deserialize)]
    struct Table {
        provider: Vec<Provider>,
    }
    // A test reads the table: in a program that was built it is right.
    static TABLE: LazyLock<Table> =
        LazyLock::new(|| toml::from_str(include_str!("providers.toml")).unwrap_or_default());
    &TABLE.provider
}

/// The provider of this name.
#[must_use]
pub fn provider(name: &str) -> Option<&'static Provider> {
    let is_it = |known: &String| known.eq_ignore_ascii_case(name);
    providers()
        .iter()
        .find(|provider| is_it(&provider.id) || provider.names.iter().any(is_it))
}

/// The provider whose domain this surely is.
#[must_use]
pub fn provider_of_domain(domain: &str) -> Option<&'static Provider> {
    let is_it = |known: &String| known.eq_ignore_ascii_case(domain);
    providers()
        .iter()
        .find(|provider| provider.domains.iter().any(is_it))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_of_providers_can_be_read() {
        let read: Result<toml::Table, _> = include_str!("providers.toml").parse();
        let count = read.unwrap()["provider"].as_array().unwrap().len();
        assert_eq!((providers().len(), count), (9, 9));
    }

    #[test]
    fn every_name_and_domain_leads_to_one_provider() {
        let mut names = std::collections::BTreeSet::new();
        for one in providers() {
            for name in one.names.iter().chain([&one.id]) {
                assert!(names.insert(name.to_lowercase()), "{name}");
                assert_eq!(provider(&name.to_uppercase()), Some(one));
            }
            for domain in &one.domains {
                assert!(names.insert(format!("@{domain}")), "{domain}");
                assert_eq!(provider_of_domain(domain), Some(one));
            }
            assert!(
                !one.password.ends_with('.') && one.password.len() < 160,
                "{}",
                one.id
            );
        }
        assert_eq!(provider("nobody"), None);
    }

    #[test]
    fn servers_have_the_port_of_their_security() {
        for one in providers().iter().filter(|one| one.id != "proton-bridge") {
            for (server, ports) in [(one.imap(), [993, 143]), (one.smtp(), [465, 587])] {
                let expected = match server.security {
                    Security::Tls => ports[0],
                    Security::StartTls => ports[1],
                };
                assert_eq!(server.port, expected, "{}", one.id);
                assert!(server.host.contains('.') && !server.host.contains("example"));
            }
        }
    }

    #[test]
    fn oauth_of_a_provider_is_over_tls_and_has_scopes() {
        for one in providers() {
            let Some(oauth) = &one.oauth else { continue };
            let urls = [
                Some(&oauth.token_url),
                oauth.device_url.as_ref(),
                oauth.authorize_url.as_ref(),
            ];
            assert!(
                urls.into_iter()
                    .flatten()
                    .all(|url| url.starts_with("https://")),
                "{}",
                one.id
            );
            assert!(!oauth.read_scopes.is_empty(), "{}", one.id);
        }
        let microsoft = provider("outlook").unwrap().oauth.clone().unwrap();
        assert!(
            microsoft
                .read_scopes
                .iter()
                .all(|scope| !scope.contains("Send"))
        );
    }
}
