//! [`Session`]: logged in with an app password: tokens in memory alone, made anew when they have expired.
//!
//! Invariant: what fails while logging in is certain: nothing was published by it.

use platinum_kit::Secret;
use platinum_social_client::SocialError;
use platinum_social_client::bluesky::Bluesky;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::Mutex;

/// What a login answers. Not `Debug`.
#[derive(Clone)]
struct Tokens {
    access: String,
    refresh: String,
}

/// An account that is logged in when it needs to be.
pub(super) struct Session {
    network: Bluesky,
    password: Option<Secret>,
    tokens: Mutex<Option<Tokens>>,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Session")
            .field("network", &self.network)
            .finish_non_exhaustive()
    }
}

impl Session {
    pub(super) fn new(network: Bluesky, password: Option<Secret>) -> Self {
        Self {
            network,
            password,
            tokens: Mutex::default(),
        }
    }

    pub(super) fn network(&self) -> &Bluesky {
        &self.network
    }

    /// Calls a procedure with this JSON.
    pub(super) async fn call(&self, name: &str, body: &Value) -> Result<Value, SocialError> {
        let path = format!("/xrpc/{name}");
        self.send(|| self.post(&path).json(body)).await
    }

    /// Uploads bytes.
    pub(super) async fn upload(&self, kind: &str, bytes: &[u8]) -> Result<Value, SocialError> {
        let request = || {
            self.post("/xrpc/com.atproto.repo.uploadBlob")
                .header(CONTENT_TYPE, kind)
                .body(bytes.to_vec())
        };
        self.send(request).await
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.network.endpoint().request(Method::POST, path)
    }

    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, SocialError> {
        let tokens = self.tokens().await?;
        let endpoint = self.network.endpoint();
        let access = tokens.access.as_str();
        let answer = endpoint
            .send(request().bearer_auth(access), &[access])
            .await;
        match answer {
            Ok(answer) => Ok(answer.body),
            Err(error) if is_expired(&error) => {
                let tokens = self.renew(&tokens).await?;
                let access = tokens.access.as_str();
                let answer = endpoint
                    .send(request().bearer_auth(access), &[access])
                    .await?;
                Ok(answer.body)
            }
            Err(error) => Err(error),
        }
    }

    async fn tokens(&self) -> Result<Tokens, SocialError> {
        let mut tokens = self.tokens.lock().await;
        if let Some(tokens) = &*tokens {
            return Ok(tokens.clone());
        }
        let fresh = self.log_in().await.map_err(certain)?;
        *tokens = Some(fresh.clone());
        Ok(fresh)
    }

    /// Tokens for those that have expired, unless another call has made them already.
    async fn renew(&self, expired: &Tokens) -> Result<Tokens, SocialError> {
        let mut tokens = self.tokens.lock().await;
        if let Some(tokens) = tokens
            .as_ref()
            .filter(|tokens| tokens.access != expired.access)
        {
            return Ok(tokens.clone());
        }
        *tokens = None;
        let refresh = expired.refresh.as_str();
        let request = self
            .post("/xrpc/com.atproto.server.refreshSession")
            .bearer_auth(refresh);
        let fresh = match self.network.endpoint().send(request, &[refresh]).await {
            Ok(answer) => self.read(&answer.body).await,
            // It has expired, too.
            Err(SocialError::Refused { .. }) => self.log_in().await,
            Err(error) => Err(error),
        };
        let fresh = fresh.map_err(certain)?;
        *tokens = Some(fresh.clone());
        Ok(fresh)
    }

    async fn log_in(&self) -> Result<Tokens, SocialError> {
        let Some(password) = &self.password else {
            return Err(SocialError::Setup(
                "the account has no `password` in the configuration, and cannot publish".to_owned(),
            ));
        };
        let password = password.fetch().await?;
        let handle = self.network.configured_handle();
        let request = self
            .post("/xrpc/com.atproto.server.createSession")
            .json(&json!({ "identifier": handle, "password": password.expose() }));
        let answer = self
            .network
            .endpoint()
            .send(request, &[password.expose()])
            .await;
        match answer {
            Ok(answer) => self.read(&answer.body).await,
            Err(SocialError::Refused {
                host,
                status: 400 | 401,
                message,
                ..
            }) => Err(SocialError::Setup(format!(
                "{host} refuses the login: {message}; check `handle` and the app password in the configuration"
            ))),
            Err(error) => Err(error),
        }
    }

    async fn read(&self, answer: &Value) -> Result<Tokens, SocialError> {
        let text = |field: &str| answer.get(field).and_then(Value::as_str);
        let (Some(access), Some(refresh), Some(did)) =
            (text("accessJwt"), text("refreshJwt"), text("did"))
        else {
            return Err(self.network.endpoint().lost("it is no session".to_owned()));
        };
        if did != self.network.did().await? {
            return Err(SocialError::Setup(format!(
                "the app password is of another account than `{}`",
                self.network.configured_handle()
            )));
        }
        Ok(Tokens {
            access: access.to_owned(),
            refresh: refresh.to_owned(),
        })
    }
}

/// Whether a call was refused because its token has expired.
fn is_expired(error: &SocialError) -> bool {
    error.refusal_status() == Some(401)
        || error.has_code("ExpiredToken")
        || error.has_code("InvalidToken")
}

/// The error of a call that publishes nothing: a lost answer left nothing done either.
fn certain(error: SocialError) -> SocialError {
    match error {
        SocialError::Lost { host, reason } => SocialError::Unreachable {
            host,
            reason: format!("the login was lost: {reason}"),
        },
        SocialError::Failed {
            host,
            status,
            message,
        } => SocialError::Unreachable {
            host,
            reason: format!("the login failed: {message} (HTTP {status})"),
        },
        error => error,
    }
}
