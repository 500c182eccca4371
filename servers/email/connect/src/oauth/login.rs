//! How a person grants access, once: by a code that is typed on any device, or in a browser that comes back here.
//!
//! Lives elsewhere: what is printed and read is the program's ([`Person`]).

use jiff::Timestamp;
use oauth2::{
    AuthUrl, AuthorizationCode, CsrfToken, DeviceAuthorizationUrl, PkceCodeChallenge, RedirectUrl,
    RequestTokenError, Scope, StandardDeviceAuthorizationResponse,
};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use super::client::{call, client_of, provider, tokens, unavailable, words};
use super::store::Tokens;
use super::{OAuthError, OAuthSettings};

/// The longest first line of a browser's request that is read.
const REQUEST_BYTES: u64 = 16 * 1024;

/// Who is at the terminal.
pub trait Person {
    /// Shows where to go, and the code to type there.
    fn show_code(&mut self, url: &str, code: &str);
    /// Shows the address to open in a browser.
    fn show_address(&mut self, url: &str);
    /// The address that the browser ended at, if the person enters it: where the browser is on another machine.
    fn entered_address(&mut self) -> impl Future<Output = Option<String>> + Send;
}

/// Logs an account in and keeps its tokens.
///
/// # Errors
/// If the provider refuses, or cannot be reached, or the tokens cannot be stored.
pub async fn log_in(
    settings: &OAuthSettings,
    user: &str,
    person: &mut impl Person,
) -> Result<(), OAuthError> {
    let new = match (
        &settings.endpoints.device_url,
        &settings.endpoints.authorize_url,
    ) {
        (Some(device_url), _) => by_code(settings, device_url, person).await?,
        (None, Some(authorize_url)) => by_browser(settings, authorize_url, user, person).await?,
        (None, None) => {
            let text = "neither `device-url` nor `authorize-url` is known".to_owned();
            return Err(OAuthError::Setup(text));
        }
    };
    if new.refresh_token.is_none() {
        tracing::warn!("the provider gave no token to renew this login with; it will end soon");
    }
    let _lock = settings.store.lock().await?;
    settings.store.write(new).await
}

/// RFC 8628.
async fn by_code(
    settings: &OAuthSettings,
    device_url: &str,
    person: &mut impl Person,
) -> Result<Tokens, OAuthError> {
    let device_url = DeviceAuthorizationUrl::new(device_url.to_owned())
        .map_err(|error| OAuthError::Setup(format!("device-url: {error}")))?;
    let client = client_of(settings)
        .await?
        .set_device_authorization_url(device_url);
    let scopes = settings.scopes().map(|scope| Scope::new(scope.to_owned()));
    let asked = client
        .exchange_device_code()
        .add_scopes(scopes)
        .request_async(&call)
        .await;
    let details: StandardDeviceAuthorizationResponse =
        asked.map_err(|error| refused(settings, &error))?;
    person.show_code(
        &platinum_text::one_line(details.verification_uri().as_str(), 500),
        &platinum_text::one_line(details.user_code().secret(), 100),
    );
    let asked_at = Timestamp::now();
    let answer = client
        .exchange_device_access_token(&details)
        .request_async(&call, tokio::time::sleep, None)
        .await;
    match answer {
        Ok(answer) => Ok(tokens(&answer, asked_at.max(Timestamp::now()))),
        Err(error) => Err(refused(settings, &error)),
    }
}

/// RFC 8252: the browser comes back to a port of this machine, and what it brings is worth nothing without the secret
/// that stays here (PKCE).
async fn by_browser(
    settings: &OAuthSettings,
    authorize_url: &str,
    user: &str,
    person: &mut impl Person,
) -> Result<Tokens, OAuthError> {
    let setup = |error: &dyn std::fmt::Display| OAuthError::Setup(error.to_string());
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .await
        .map_err(|error| setup(&error))?;
    let port = listener.local_addr().map_err(|error| setup(&error))?.port();
    let redirect =
        RedirectUrl::new(format!("http://127.0.0.1:{port}/")).map_err(|error| setup(&error))?;
    let authorize_url = AuthUrl::new(authorize_url.to_owned()).map_err(|error| setup(&error))?;
    let client = client_of(settings)
        .await?
        .set_auth_uri(authorize_url)
        .set_redirect_uri(redirect);
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let scopes = settings.scopes().map(|scope| Scope::new(scope.to_owned()));
    let mut request = client
        .authorize_url(CsrfToken::new_random)
        .add_scopes(scopes)
        .set_pkce_challenge(challenge)
        .add_extra_param("login_hint", user);
    for (name, value) in &settings.endpoints.authorize_extra {
        request = request.add_extra_param(name, value);
    }
    let (url, state) = request.url();
    person.show_address(url.as_str());
    let code = loop {
        let brought = tokio::select! {
            brought = redirected(&listener) => brought,
            Some(entered) = person.entered_address() => brought_by(&entered),
        };
        match brought {
            // Anybody on this machine can knock: only who has the state was sent by the provider.
            Some(brought) if brought.state == *state.secret() => match brought.outcome {
                Ok(code) => break code,
                Err(reason) => {
                    return Err(OAuthError::Refused {
                        provider: provider(settings),
                        reason: platinum_text::one_line(&reason, 300),
                    });
                }
            },
            _ => tracing::warn!("that is not the address that the provider led to; still waiting"),
        }
    };
    let asked_at = Timestamp::now();
    let answer = client
        .exchange_code(AuthorizationCode::new(code))
        .set_pkce_verifier(verifier)
        .request_async(&call)
        .await;
    answer
        .map(|answer| tokens(&answer, asked_at))
        .map_err(|error| refused(settings, &error))
}

fn refused<T: oauth2::ErrorResponse>(
    settings: &OAuthSettings,
    error: &RequestTokenError<super::client::CallError, T>,
) -> OAuthError {
    match error {
        RequestTokenError::ServerResponse(refusal) => OAuthError::Refused {
            provider: provider(settings),
            reason: words(refusal),
        },
        error => unavailable(settings, error),
    }
}

/// What the browser brought: a code, or why there is none.
struct Brought {
    state: String,
    outcome: Result<String, String>,
}

/// Waits for the browser, and answers it.
async fn redirected(listener: &TcpListener) -> Option<Brought> {
    let (stream, _) = listener.accept().await.ok()?;
    let request = tokio::time::timeout(std::time::Duration::from_secs(5), answer(stream));
    brought_by(&request.await.ok()?.ok()?)
}

/// Reads the first line of a request and answers it; gives its address.
async fn answer(stream: TcpStream) -> std::io::Result<String> {
    const PAGE: &str = "Platinum has what it needs. You can close this page.";
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    (&mut reader)
        .take(REQUEST_BYTES)
        .read_line(&mut line)
        .await?;
    let mut stream = reader.into_inner();
    let text = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{PAGE}",
        PAGE.len()
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await?;
    let path = line.split(' ').nth(1).unwrap_or_default();
    Ok(format!("http://127.0.0.1{path}"))
}

/// The code in an address.
fn brought_by(address: &str) -> Option<Brought> {
    let url = reqwest::Url::parse(address.trim()).ok()?;
    let value = |name: &str| {
        url.query_pairs()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.into_owned())
    };
    let outcome = match (value("code"), value("error")) {
        (Some(code), None) => Ok(code),
        (_, Some(error)) => {
            let more = value("error_description");
            Err(more.map_or(error.clone(), |more| format!("{error}: {more}")))
        }
        (None, None) => return None,
    };
    Some(Brought {
        state: value("state")?,
        outcome,
    })
}
