//! [`OAuthSettings`]: the table `[account.NAME.oauth]`, and an access token by it.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use oauth2::RefreshToken;
use platinum_kit::Password;
use platinum_kit::config::{ConfigError, TableReader, value_error};
use platinum_kit::secret::Secret;

use super::store::{TokenStore, Tokens};
use super::{OAuthError, check_url, client};
use crate::providers::OAuthEndpoints;

/// A token that ends sooner than this is renewed before it is used: a login takes a while.
const MARGIN: SignedDuration = SignedDuration::from_secs(60);

/// How an account gets its tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthSettings {
    /// The account's name, for messages.
    pub account: String,
    /// The owner's own client, as registered with the provider.
    pub client_id: String,
    /// Its secret, where the provider gives one to programs on a person's machine.
    pub client_secret: Option<Secret>,
    /// The provider's addresses, and what to ask for.
    pub endpoints: OAuthEndpoints,
    /// Whether the account also sends: otherwise what sending takes is not asked for.
    pub sends: bool,
    /// Where the tokens are kept.
    pub store: TokenStore,
}

impl OAuthSettings {
    /// Reads the table `[account.NAME.oauth]`; `usual` is what the provider preset knows.
    ///
    /// # Errors
    /// If a key is missing or unknown, or its value cannot be used.
    pub fn read(
        account: &str,
        table: &toml::Table,
        folder: &Path,
        usual: Option<&OAuthEndpoints>,
        sends: bool,
    ) -> Result<Self, ConfigError> {
        const KEYS: [&str; 7] = [
            "client-id",
            "client-secret",
            "token",
            "token-url",
            "device-url",
            "authorize-url",
            "scopes",
        ];
        let at = format!("[account.{account}.oauth]");
        let reader = TableReader::new(&at, table, &KEYS)?;
        let url = |key: &str| -> Result<Option<String>, ConfigError> {
            let text = reader.text(key)?;
            text.map(|text| match check_url(&text) {
                Ok(()) => Ok(text),
                Err(problem) => Err(value_error(&at, key, problem)),
            })
            .transpose()
        };
        let mut endpoints = match (url("token-url")?, usual) {
            (None, Some(usual)) => usual.clone(),
            (None, None) => {
                let problem =
                    "is missing: this account has no `provider` that is known to have OAuth";
                return Err(value_error(&at, "token-url", problem));
            }
            (Some(token_url), _) => OAuthEndpoints {
                token_url,
                ..OAuthEndpoints::default()
            },
        };
        if let Some(address) = url("device-url")? {
            endpoints.device_url = Some(address);
        }
        if let Some(address) = url("authorize-url")? {
            endpoints.authorize_url = Some(address);
        }
        if let Some(scopes) = reader.text("scopes")? {
            endpoints.read_scopes = scopes.split_whitespace().map(str::to_owned).collect();
            endpoints.send_scopes = Vec::new();
        }
        if endpoints.device_url.is_none() && endpoints.authorize_url.is_none() {
            let problem = "is missing; give it, or `authorize-url`: nobody can log in without";
            return Err(value_error(&at, "device-url", problem));
        }
        let store = match reader.secret("token", folder) {
            Ok(Secret::File(path)) => TokenStore::File(path),
            Ok(Secret::Keyring(name)) => TokenStore::Keyring(name),
            Ok(Secret::Env(_)) | Err(_) => {
                let problem = "must say where `platinum mail login` keeps what it gets: { file = \"NAME.token\" } or \
                               { keyring = \"NAME\" }";
                return Err(value_error(&at, "token", problem));
            }
        };
        Ok(Self {
            account: account.to_owned(),
            client_id: reader.required("client-id")?,
            client_secret: match table.contains_key("client-secret") {
                true => Some(reader.secret("client-secret", folder)?),
                false => None,
            },
            endpoints,
            sends,
            store,
        })
    }

    /// What is asked for.
    pub(crate) fn scopes(&self) -> impl Iterator<Item = &str> {
        let sending = self.endpoints.send_scopes.iter().filter(|_| self.sends);
        self.endpoints
            .read_scopes
            .iter()
            .chain(sending)
            .map(String::as_str)
    }

    /// An access token that is valid for a while; renewed if need be.
    ///
    /// # Errors
    /// If there was no login, if the provider ended it, or if it cannot be reached.
    pub async fn access_token(&self) -> Result<Password, OAuthError> {
        let tokens = self.tokens().await?;
        if tokens.is_fresh(Timestamp::now() + MARGIN) {
            return Ok(Password::new(tokens.access_token));
        }
        self.renew(&tokens.access_token).await
    }

    /// Another access token than `refused`, which the mail server did not take.
    ///
    /// # Errors
    /// As [`OAuthSettings::access_token`].
    pub async fn renew(&self, refused: &str) -> Result<Password, OAuthError> {
        let _lock = self.store.lock().await?;
        // Another process may have renewed it meanwhile: its old one may be worth nothing by now.
        let tokens = self.tokens().await?;
        if tokens.access_token != refused && tokens.is_fresh(Timestamp::now() + MARGIN) {
            return Ok(Password::new(tokens.access_token));
        }
        let Some(refresh_token) = tokens.refresh_token.clone() else {
            return Err(OAuthError::Ended {
                provider: "the provider".to_owned(),
                account: self.account.clone(),
                reason: "it gave no token to renew this login with".to_owned(),
            });
        };
        let renewed = client::refresh(self, &RefreshToken::new(refresh_token.clone())).await?;
        let renewed = Tokens {
            // A provider that keeps the old one does not send it again.
            refresh_token: renewed.refresh_token.clone().or(Some(refresh_token)),
            ..renewed
        };
        tracing::debug!(account = self.account, "renewed the access token");
        let token = Password::new(renewed.access_token.clone());
        self.store.write(renewed).await?;
        Ok(token)
    }

    async fn tokens(&self) -> Result<Tokens, OAuthError> {
        self.store.read().await?.ok_or_else(|| OAuthError::NoLogin {
            account: self.account.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "client-id = 'c'\ntoken = { file = 't' }\ntoken-url = 'https://p.test/token'\n\
                       device-url = 'https://p.test/device'\nscopes = 'read write'\n";

    fn read(text: &str) -> Result<OAuthSettings, String> {
        let table: toml::Table = text.parse().unwrap();
        OAuthSettings::read("me", &table, Path::new("/etc"), None, true)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn own_endpoints_are_read_and_must_be_encrypted() {
        let settings = read(OWN).unwrap();
        assert_eq!(settings.store, TokenStore::File("/etc/t".into()));
        assert_eq!(settings.scopes().collect::<Vec<_>>(), ["read", "write"]);
        let plain = read(&OWN.replace("https://p.test/token", "http://p.test/token"));
        assert_eq!(
            plain.unwrap_err(),
            "[account.me.oauth]: `token-url` must begin with https://: tokens do not travel in the clear"
        );
        for here in [
            "http://127.0.0.1:8/t",
            "http://localhost/t",
            "http://[::1]/t",
        ] {
            read(&OWN.replace("https://p.test/token", here)).unwrap();
        }
        for away in [
            "http://127.0.0.1.evil.test/t",
            "ftp://127.0.0.1/t",
            "nothing",
        ] {
            assert!(
                read(&OWN.replace("https://p.test/token", away)).is_err(),
                "{away}"
            );
        }
    }

    #[test]
    fn missing_keys_say_what_to_write() {
        let without = |line: &str| {
            let lines: Vec<_> = OWN.lines().filter(|l| !l.starts_with(line)).collect();
            read(&lines.join("\n")).unwrap_err()
        };
        assert!(without("client-id").contains("`client-id` is missing"));
        assert!(without("token =").contains("{ file = \"NAME.token\" }"));
        assert!(without("token-url").contains("no `provider`"));
        assert!(without("device-url").contains("`authorize-url`"));
        let shown = read(&OWN.replace("{ file = 't' }", "'ya29.secret'")).unwrap_err();
        assert!(!shown.contains("ya29"), "{shown}");
    }

    #[test]
    fn sending_is_asked_for_only_where_the_account_sends() {
        let usual = OAuthEndpoints {
            token_url: "https://p.test/t".to_owned(),
            device_url: Some("https://p.test/d".to_owned()),
            read_scopes: vec!["read".to_owned()],
            send_scopes: vec!["send".to_owned()],
            ..OAuthEndpoints::default()
        };
        let table: toml::Table = "client-id = 'c'\ntoken = { file = 't' }".parse().unwrap();
        for (sends, expected) in [(true, vec!["read", "send"]), (false, vec!["read"])] {
            let settings =
                OAuthSettings::read("me", &table, Path::new("/"), Some(&usual), sends).unwrap();
            assert_eq!(settings.scopes().collect::<Vec<_>>(), expected);
        }
    }
}
