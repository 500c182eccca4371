//! One call of the Cloud API: one request with the token, and its whole answer.
//!
//! Invariants: no redirect and no proxy gets the token; an answer is bounded; what may have arrived is
//! [`Called::Lost`].

use std::time::Duration;

use platinum_text::one_line;
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::CloudApi;

/// The largest answer, in bytes.
const MAX_ANSWER: usize = 256 * 1024;
/// The header that says by which version a call was answered.
const VERSION_HEADER: &str = "facebook-api-version";

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a whole call may take.
    pub call: Duration,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
        }
    }
}

/// What came of a request.
pub(super) enum Called {
    /// A whole answer in JSON.
    Answer {
        status: StatusCode,
        body: Value,
        version: Option<String>,
        retry_after: Option<String>,
    },
    /// The request never went out.
    NotStarted(String),
    /// It did, and the answer is lost or none of WhatsApp's.
    Lost(String),
}

impl CloudApi {
    /// Sends a request with the token, which is fetched anew each time: it may have been renewed.
    pub(super) async fn call(&self, request: RequestBuilder) -> Called {
        let token = match self.config.token.fetch().await {
            Ok(token) => token,
            Err(error) => return Called::NotStarted(format!("`token` of WhatsApp: {error}")),
        };
        let host = self.config.base.host_str().unwrap_or("WhatsApp");
        let answered = request.bearer_auth(token.expose()).send().await;
        let mut response = match answered {
            Ok(response) => response,
            Err(error) if error.is_connect() || error.is_builder() => {
                return Called::NotStarted(format!("cannot reach {host}: {}", chain(&error)));
            }
            Err(error) if error.is_timeout() => {
                let seconds = self.limits.call.as_secs_f32();
                return Called::Lost(format!("{host} gave no answer within {seconds} s"));
            }
            Err(error) => {
                return Called::Lost(format!("the answer of {host} was lost: {}", chain(&error)));
            }
        };
        let status = response.status();
        if status.is_redirection() {
            return Called::NotStarted(format!(
                "{host} answers {status}, which is not followed; check `base` in the configuration"
            ));
        }
        let header = |response: &Response, name: &str| {
            let value = response.headers().get(name)?.to_str().ok()?;
            Some(one_line(value, 40))
        };
        let version = header(&response, VERSION_HEADER);
        let retry_after = header(&response, "retry-after");
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(piece)) if bytes.len() + piece.len() > MAX_ANSWER => {
                    return Called::Lost(format!("the answer of {host} is too large"));
                }
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Err(error) => {
                    return Called::Lost(format!(
                        "the answer of {host} broke off: {}",
                        chain(&error)
                    ));
                }
            }
        }
        match serde_json::from_slice(&bytes) {
            Ok(body) => Called::Answer {
                status,
                body,
                version,
                retry_after,
            },
            Err(_) => Called::Lost(format!("{host} answers {status} and no JSON")),
        }
    }
}

/// An error and its causes, without the address.
fn chain(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(next) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&next.to_string());
        cause = next.source();
    }
    match text.is_empty() {
        true => "the connection failed".to_owned(),
        false => one_line(&text, 200),
    }
}
