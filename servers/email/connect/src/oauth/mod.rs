//! OAuth 2 for an account: its settings, and an access token that is valid now.
//!
//! - here: why there is no token; - [`settings`]: [`OAuthSettings`], and tokens renewed when they have to be; - [`store`]: where tokens are kept;
//! - [`client`]: the calls to the provider; - [`login`]: how a person grants access, once.
//!
//! Invariants: tokens are neither in a log nor in an error; they go to the provider over TLS, or to this machine; one
//! process at a time renews a token of a file, and the others take what it got.

mod client;
pub mod login;
mod settings;
mod store;

use platinum_kit::client::is_loopback;
use platinum_kit::secret::SecretError;

pub(crate) use client::call;
pub use settings::OAuthSettings;
pub use store::TokenStore;

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// Nobody granted access yet.
    #[error(
        "there is no login of {account} yet: run `platinum mail login {account}`, or `platinum-cloud mail login` on a cloud host"
    )]
    NoLogin {
        /// The account.
        account: String,
    },
    /// The provider does not renew the token any more.
    #[error(
        "{provider} ended the login of {account} ({reason}): run `platinum mail login {account}`, or `platinum-cloud mail login` on a cloud host"
    )]
    Ended {
        /// The host that was asked.
        provider: String,
        /// The account.
        account: String,
        /// Its words.
        reason: String,
    },
    /// The provider refused a login.
    #[error("{provider} refused the login: {reason}")]
    Refused {
        /// The host that was asked.
        provider: String,
        /// Its words.
        reason: String,
    },
    /// The provider cannot be reached, or does not answer as one.
    #[error("no token from {provider}: {reason}")]
    Unavailable {
        /// The host that was asked.
        provider: String,
        /// What went wrong.
        reason: String,
    },
    /// The tokens cannot be read or stored.
    #[error("cannot {action} the tokens in {place}: {reason}")]
    Store {
        /// What was tried.
        action: &'static str,
        /// Where.
        place: String,
        /// What went wrong.
        reason: String,
    },
    /// The client's secret cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// The settings cannot work.
    #[error("{0}")]
    Setup(String),
}

impl OAuthError {
    /// Whether the same call may succeed later with nothing changed on our side.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// Whether tokens may go to this address.
pub(crate) fn check_url(text: &str) -> Result<(), &'static str> {
    let url = reqwest::Url::parse(text).map_err(|_| "is not a URL")?;
    match url.scheme() {
        "https" => Ok(()),
        "http" if is_loopback(&url) => Ok(()),
        _ => Err("must begin with https://: tokens do not travel in the clear"),
    }
}
