//! [`Credential`]: how an account proves to a mail server who it is: with a password, or with a token of OAuth 2.

use platinum_kit::Password;
use platinum_kit::secret::{Secret, SecretError};

use crate::oauth::{OAuthError, OAuthSettings};

/// How an account proves who it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// With a password.
    Password(Secret),
    /// With tokens that a person granted once.
    OAuth(Box<OAuthSettings>),
}

/// What is shown to the mail server now.
#[derive(Debug, Clone)]
pub enum Login {
    /// A password.
    Password(Password),
    /// An access token.
    Token(Password),
}

/// Why there is nothing to show.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The password cannot be had.
    #[error(transparent)]
    Secret(#[from] SecretError),
    /// There is no token.
    #[error(transparent)]
    OAuth(#[from] OAuthError),
}

impl CredentialError {
    /// Whether the same call may succeed later with nothing changed on our side.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::OAuth(error) if error.is_passing())
    }
}

impl Login {
    /// The password or the token.
    #[must_use]
    pub fn secret(&self) -> &Password {
        match self {
            Self::Password(secret) | Self::Token(secret) => secret,
        }
    }
}

impl Credential {
    /// What to show now.
    ///
    /// # Errors
    /// If it cannot be had.
    pub async fn login(&self) -> Result<Login, CredentialError> {
        Ok(match self {
            Self::Password(secret) => Login::Password(secret.fetch().await?),
            Self::OAuth(settings) => Login::Token(settings.access_token().await?),
        })
    }

    /// What to show after the server refused `refused`: a new token. A password has nothing to follow it.
    ///
    /// # Errors
    /// If a new token cannot be had.
    pub async fn renew(&self, refused: &Login) -> Result<Option<Login>, CredentialError> {
        match (self, refused) {
            (Self::OAuth(settings), Login::Token(token)) => {
                let renewed = settings.renew(token.expose()).await?;
                Ok((renewed.expose() != token.expose()).then_some(Login::Token(renewed)))
            }
            _ => Ok(None),
        }
    }

    /// What a person checks when the server refuses the login.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match self {
            Self::Password(_) => "check `user` and `password` of the account",
            Self::OAuth(_) => {
                "check that `user` is the one who granted access, and that IMAP and SMTP are allowed for the account"
            }
        }
    }
}

/// The answer of XOAUTH2, before Base64.
#[must_use]
pub fn xoauth2(user: &str, token: &str) -> String {
    format!("user={user}\x01auth=Bearer {token}\x01\x01")
}

/// The answer of OAUTHBEARER (RFC 7628), before Base64.
#[must_use]
pub fn oauthbearer(user: &str, host: &str, port: u16, token: &str) -> String {
    let user = user.replace('=', "=3D").replace(',', "=2C");
    format!("n,a={user},\x01host={host}\x01port={port}\x01auth=Bearer {token}\x01\x01")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of Google's description and of RFC 7628, 4.1.
    #[test]
    fn sasl_answers_are_those_of_their_descriptions() {
        assert_eq!(
            xoauth2(
                "someuser@example.com",
                "vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg=="
            ),
            "user=someuser@example.com\u{1}auth=Bearer vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg==\u{1}\u{1}"
        );
        assert_eq!(
            oauthbearer("user@example.com", "server.example.com", 143, "vF9d"),
            "n,a=user@example.com,\u{1}host=server.example.com\u{1}port=143\u{1}auth=Bearer vF9d\u{1}\u{1}"
        );
        assert!(oauthbearer("a,b=c", "h", 1, "t").starts_with("n,a=a=2Cb=3Dc,"));
    }
}
