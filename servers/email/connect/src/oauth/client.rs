//! The calls to a provider: over TLS or to this machine, with a time-out, without redirects, and bounded.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AuthType, ClientId, ClientSecret, EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest,
    HttpResponse, RefreshToken, RequestTokenError, TokenResponse as _, TokenUrl,
};
use platinum_kit::client::http_client;

use super::store::Tokens;
use super::{OAuthError, OAuthSettings, check_url};

/// The largest answer that is read.
const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a connection, and a whole call, may take.
const CONNECT_TIME: Duration = Duration::from_secs(15);
const CALL_TIME: Duration = Duration::from_secs(30);
/// The longest that a token is believed to hold.
const LONGEST: SignedDuration = SignedDuration::from_hours(24 * 365);

/// A client that knows the provider's token endpoint.
pub(super) type Client =
    BasicClient<EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointSet>;

/// Why a call failed before there was an answer.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct CallError(String);

/// The client of these settings.
pub(super) async fn client_of(settings: &OAuthSettings) -> Result<Client, OAuthError> {
    let token_url = TokenUrl::new(settings.endpoints.token_url.clone())
        .map_err(|error| OAuthError::Setup(format!("token-url: {error}")))?;
    let client = BasicClient::new(ClientId::new(settings.client_id.clone()))
        .set_auth_type(AuthType::RequestBody)
        .set_token_uri(token_url);
    Ok(match &settings.client_secret {
        None => client,
        Some(secret) => {
            let secret = secret.fetch().await?;
            client.set_client_secret(ClientSecret::new(secret.expose().to_owned()))
        }
    })
}

/// Gets new tokens for an old refresh token.
pub(super) async fn refresh(
    settings: &OAuthSettings,
    refresh_token: &RefreshToken,
) -> Result<Tokens, OAuthError> {
    let client = client_of(settings).await?;
    let asked_at = Timestamp::now();
    let answer = client
        .exchange_refresh_token(refresh_token)
        .request_async(&call)
        .await;
    match answer {
        Ok(answer) => Ok(tokens(&answer, asked_at)),
        Err(RequestTokenError::ServerResponse(refusal)) if !is_passing(&refusal) => {
            Err(OAuthError::Ended {
                provider: provider(settings),
                account: settings.account.clone(),
                reason: words(&refusal),
            })
        }
        Err(error) => Err(unavailable(settings, &error)),
    }
}

/// Whether a refusal speaks of the provider's own state, and not of the login.
fn is_passing(refusal: &BasicErrorResponse) -> bool {
    const PASSING: &[&str] = &[
        "temporarily_unavailable",
        "server_error",
        "internal_failure",
        "internal_error",
        "slow_down",
        "rate_limit_exceeded",
        "too_many_requests",
    ];
    PASSING.contains(&refusal.error().as_ref())
}

/// What an answer says, asked for at this time.
pub(super) fn tokens(answer: &BasicTokenResponse, asked_at: Timestamp) -> Tokens {
    let holds = answer
        .expires_in()
        .map(|holds| SignedDuration::try_from(holds).map_or(LONGEST, |holds| holds.min(LONGEST)));
    Tokens {
        access_token: answer.access_token().secret().clone(),
        refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
        expires_at: holds.and_then(|holds| asked_at.checked_add(holds).ok()),
    }
}

/// The host that is asked for tokens.
pub(super) fn provider(settings: &OAuthSettings) -> String {
    reqwest::Url::parse(&settings.endpoints.token_url)
        .ok()
        .and_then(|url| url.host_str().map(str::to_owned))
        .unwrap_or_else(|| "the provider".to_owned())
}

/// A refusal in the provider's words.
pub(super) fn words(refusal: &impl ErrorResponse) -> String {
    platinum_text::one_line(&refusal.to_string(), 300)
}

/// A call that brought neither tokens nor a refusal.
pub(super) fn unavailable<T: ErrorResponse>(
    settings: &OAuthSettings,
    error: &RequestTokenError<CallError, T>,
) -> OAuthError {
    let reason = match error {
        RequestTokenError::Request(error) => error.to_string(),
        RequestTokenError::ServerResponse(refusal) => words(refusal),
        // What could not be read may be a token.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => {
            "its answer is not one of OAuth 2".to_owned()
        }
    };
    OAuthError::Unavailable {
        provider: provider(settings),
        reason: platinum_text::one_line(&reason, 300),
    }
}

/// One call.
pub(crate) async fn call(request: HttpRequest) -> Result<HttpResponse, CallError> {
    let failed = |error: reqwest::Error| {
        let error = error.without_url();
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text = format!("{text}: {cause}");
            source = cause.source();
        }
        CallError(text)
    };
    check_url(&request.uri().to_string())
        .map_err(|problem| CallError(format!("its URL {problem}")))?;
    let request = reqwest::Request::try_from(request).map_err(failed)?;
    let client = http_client(request.url(), CONNECT_TIME, CALL_TIME).map_err(failed)?;
    let mut response = client.execute(request).await.map_err(failed)?;
    let mut answer = HttpResponse::new(Vec::new());
    *answer.status_mut() = response.status();
    *answer.headers_mut() = std::mem::take(response.headers_mut());
    while let Some(piece) = response.chunk().await.map_err(failed)? {
        if answer.body().len() + piece.len() > MAX_ANSWER_BYTES {
            return Err(CallError("its answer is too large".to_owned()));
        }
        answer.body_mut().extend_from_slice(&piece);
    }
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use oauth2::basic::BasicErrorResponseType;

    use super::*;

    #[test]
    fn refusal_ends_a_login_unless_the_provider_is_in_trouble() {
        for (error, passes) in [
            ("temporarily_unavailable", true),
            ("server_error", true),
            ("slow_down", true),
            ("invalid_grant", false),
            ("invalid_client", false),
            ("unauthorized_client", false),
            ("interaction_required", false),
        ] {
            let kind = BasicErrorResponseType::Extension(error.to_owned());
            let refusal = BasicErrorResponse::new(kind, None, None);
            assert_eq!(is_passing(&refusal), passes, "{error}");
        }
    }
}
