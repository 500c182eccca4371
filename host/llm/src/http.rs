//! [`Endpoint`]: one address of a provider, asked with time-outs, retries and a bounded answer.
//!
//! Lives elsewhere: what is asked and how an answer reads, in `anthropic` and `openai`.
//! Invariants: a request is repeated only when the provider reported or showed that it did not answer
//! it (429, 5xx, no connection), never after a time-out; a key is not sent in the clear to another
//! machine, and never follows a redirect.

use std::time::Duration;

use jiff::Timestamp;
use platinum_core::{Backoff, text::one_line};
use reqwest::{StatusCode, Url, header};
use serde_json::Value;

use crate::{ConfigError, LlmError, Secret};

/// The largest answer read.
const MAX_ANSWER_BYTES: usize = 1024 * 1024;
/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(10);

/// How a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// Attempts in all, the first one included.
    pub attempts: u32,
    /// Pause before the second attempt; doubled for each further one, with jitter.
    pub first_pause: Duration,
    /// The longest pause, also when the provider asks for more: then it counts as away.
    pub longest_pause: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            attempts: 4,
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(20),
        }
    }
}

/// How a provider wants to be shown the key.
#[derive(Debug, Clone, Copy)]
pub(crate) enum KeyHeader {
    /// `x-api-key: KEY`
    ApiKey,
    /// `Authorization: Bearer KEY`
    Bearer,
}

/// One address of a provider.
#[derive(Debug)]
pub(crate) struct Endpoint {
    client: reqwest::Client,
    url: Url,
    headers: header::HeaderMap,
    retry: Retry,
}

impl Endpoint {
    /// The endpoint `path` under `base`.
    pub(crate) fn new(
        base: &str,
        path: &str,
        key: Option<(&Secret, KeyHeader)>,
        timeout: Duration,
        retry: Retry,
    ) -> Result<Self, ConfigError> {
        let url = address(base, path, key.is_some())?;
        let mut headers = header::HeaderMap::new();
        if let Some((key, place)) = key {
            let (name, text) = match place {
                KeyHeader::ApiKey => (
                    header::HeaderName::from_static("x-api-key"),
                    key.reveal().to_owned(),
                ),
                KeyHeader::Bearer => (header::AUTHORIZATION, format!("Bearer {}", key.reveal())),
            };
            let mut value = header::HeaderValue::from_str(&text).map_err(|_| ConfigError::Key)?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        // One provider for the whole program; a second caller finds it installed.
        tokio_rustls::rustls::crypto::ring::default_provider()
            .install_default()
            .ok();
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("platinum/", env!("CARGO_PKG_VERSION")));
        if url.scheme() == "http" {
            // Without this the client wants the system's certificates, and fails on a machine that
            // has none, though it will never use them.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|error| ConfigError::Client(chain(&error)))?;
        Ok(Self {
            client,
            url,
            headers,
            retry,
        })
    }

    /// Adds a header that goes with every request.
    pub(crate) fn with_header(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers
            .insert(name, header::HeaderValue::from_static(value));
        self
    }

    /// Posts `body` and gives the answer's JSON.
    pub(crate) async fn post(&self, body: &Value) -> Result<Value, LlmError> {
        let mut attempt = 1;
        loop {
            let (error, asked) = match self.attempt(body).await {
                Attempt::Answer(answer) => return Ok(answer),
                Attempt::Final(error) => return Err(error),
                Attempt::Again { reason, after } => (reason, after),
            };
            let away = |text: String| Err(LlmError::Unavailable(text));
            if attempt >= self.retry.attempts {
                return away(format!("{error}; gave up after {attempt} attempts"));
            }
            if let Some(asked) = asked.filter(|asked| *asked > self.retry.longest_pause) {
                return away(format!("{error}; it asks to wait {} s", asked.as_secs()));
            }
            let backoff = Backoff::new(self.retry.first_pause, self.retry.longest_pause);
            let pause = asked.unwrap_or_default().max(backoff.jittered(attempt - 1));
            tracing::debug!(attempt, ?pause, error, "asking the provider again");
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    async fn attempt(&self, body: &Value) -> Attempt {
        let again = |reason, after| Attempt::Again { reason, after };
        let away = |text: String| Attempt::Final(LlmError::Unavailable(text));
        let sent = self
            .client
            .post(self.url.clone())
            .headers(self.headers.clone())
            .json(body)
            .send()
            .await;
        let mut response = match sent {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return again(
                    format!("no connection to {}: {}", self.host(), chain(&error)),
                    None,
                );
            }
            Err(error) if error.is_timeout() => {
                return away(format!("{} did not answer in time", self.host()));
            }
            Err(error) => return away(chain(&error)),
        };
        let status = response.status();
        let after = retry_after(response.headers(), Timestamp::now());
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(chunk)) if bytes.len() + chunk.len() > MAX_ANSWER_BYTES => {
                    return away(format!(
                        "the answer is larger than {MAX_ANSWER_BYTES} bytes"
                    ));
                }
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Err(error) if error.is_timeout() => {
                    return away(format!("{} did not finish its answer in time", self.host()));
                }
                Err(error) => return away(format!("the answer broke off: {}", chain(&error))),
            }
        }
        let answer = serde_json::from_slice::<Value>(&bytes);
        if status.is_success() {
            return match answer {
                Ok(answer) => Attempt::Answer(answer),
                Err(error) => away(format!("the answer is not JSON: {error}")),
            };
        }
        let detail = answer.ok().as_ref().and_then(message).unwrap_or_default();
        let reason = match detail.as_str() {
            "" => format!("{} answers {status}", self.host()),
            detail => format!("{} answers {status}: {detail}", self.host()),
        };
        match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => again(reason, after),
            status if status.is_server_error() => again(reason, after),
            // These depend on no request: the caller waits on, until
            // the configuration is mended.
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                away(format!("{reason}; check `key` in the configuration"))
            }
            StatusCode::PAYMENT_REQUIRED => away(reason),
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => away(format!(
                "{reason}; check `model` and `base-url` in the configuration"
            )),
            status if status.is_redirection() => away(format!(
                "{reason}, which is not followed; check `base-url` in the configuration"
            )),
            _ => Attempt::Final(LlmError::Refused(reason)),
        }
    }

    fn host(&self) -> &str {
        self.url.host_str().unwrap_or("the provider")
    }
}

enum Attempt {
    Answer(Value),
    Again {
        reason: String,
        after: Option<Duration>,
    },
    Final(LlmError),
}

fn address(base: &str, path: &str, has_key: bool) -> Result<Url, ConfigError> {
    let bad = |why: String| ConfigError::BaseUrl {
        url: one_line(base, 200),
        why,
    };
    let url = Url::parse(&format!("{}{path}", base.trim_end_matches('/')))
        .map_err(|error| bad(error.to_string()))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad(
            "it holds a password; keys belong under `key`".to_owned()
        ));
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if !has_key || is_loopback(&url) => Ok(url),
        "http" => Err(bad(
            "it would send the key unencrypted to another machine; use https, or leave out `key`"
                .to_owned(),
        )),
        other => Err(bad(format!("`{other}` is not http or https"))),
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost"
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|ip| ip.is_loopback())
}

/// `Retry-After`: seconds, or a date.
fn retry_after(headers: &header::HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    let seconds = at.as_second().saturating_sub(now.as_second());
    Some(Duration::from_secs(u64::try_from(seconds).unwrap_or(0)))
}

/// The text of an error answer: `error.message` of both APIs, or `error` as a text.
fn message(answer: &Value) -> Option<String> {
    let error = answer.get("error")?;
    let text = error.get("message").unwrap_or(error).as_str()?;
    Some(one_line(text, 300))
}

/// An error and its causes, without the address, which may be long.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    one_line(&text, 400)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_refused_over_plain_http() {
        assert!(address("http://models.example", "/v1", true).is_err());
        assert!(address("http://models.example", "/v1", false).is_ok());
        assert!(address("http://127.0.0.1:11434/", "/v1", true).is_ok());
        assert!(address("http://[::1]:1", "/v1", true).is_ok());
        assert!(address("https://models.example", "/v1", true).is_ok());
        for bad in [
            "ftp://x",
            "https://u:p@x",
            "nonsense",
            "http://127.0.0.1.example.test",
        ] {
            assert!(address(bad, "/v1", true).is_err(), "{bad}");
        }
    }

    #[test]
    fn retry_after_reads_seconds_and_dates() {
        let now: Timestamp = "2026-11-20T18:00:00Z".parse().unwrap();
        let read = |text: &str| {
            let mut headers = header::HeaderMap::new();
            headers.insert(header::RETRY_AFTER, text.parse().unwrap());
            retry_after(&headers, now)
        };
        assert_eq!(read("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            read("Fri, 20 Nov 2026 18:00:30 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(read("Fri, 20 Nov 2026 17:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read("soon"), None);
    }
}
