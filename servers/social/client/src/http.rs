//! [`Endpoint`]: one server, asked over HTTP with time-outs and bounded answers.
//!
//! Invariants: one call is one request; a redirect is not followed; no proxy of the environment gets a token; what a
//! server says in an error is one short line, without the secrets of the call.

use platinum_kit::client::{CallFailure, call, causes_of, http_client};
use platinum_text::one_line;
use reqwest::header::{CONNECTION, HeaderMap, RETRY_AFTER};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use crate::error::SocialError;

pub use platinum_kit::client::CallLimits;

/// The longest text of a server's error that is passed on, in characters.
const MAX_TEXT: usize = 300;
/// The longest wait that is passed on, in seconds.
const MAX_WAIT: i64 = 86_400;

/// One server.
#[derive(Debug, Clone)]
pub struct Endpoint {
    client: reqwest::Client,
    url: Url,
    limits: CallLimits,
}

/// An answer that is no error.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// Its status, 200 to 299.
    pub status: u16,
    /// Its JSON; null if it is empty.
    pub body: Value,
}

impl Endpoint {
    /// The server at `url`, whose path may be a folder.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn new(url: &Url, limits: CallLimits) -> Result<Self, SocialError> {
        let client = http_client(url, limits.connect, limits.call)
            .map_err(|error| SocialError::Setup(format!("TLS: {}", causes_of(&error))))?;
        Ok(Self {
            client,
            url: url.clone(),
            limits,
        })
    }

    /// Its host name.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("the server")
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// A request for this path below the address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.request_with(method, path, &[])
    }

    /// The same, with what stands behind the `?`.
    pub fn request_with(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
    ) -> RequestBuilder {
        let mut url = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        if !query.is_empty() {
            url = format!("{url}?{}", encode_form(query));
        }
        // A connection that the server has given up meanwhile would be an answer that is lost.
        self.client.request(method, url).header(CONNECTION, "close")
    }

    /// Sends a request that shows these secrets, and reads its answer.
    ///
    /// # Errors
    /// If there is no connection, no whole answer in JSON, or the answer is an error.
    pub async fn send(
        &self,
        request: RequestBuilder,
        secrets: &[&str],
    ) -> Result<Answer, SocialError> {
        let answer = call(request, &self.limits)
            .await
            .map_err(|failure| match failure {
                CallFailure::Unreachable(reason) => SocialError::Unreachable {
                    host: self.host().to_owned(),
                    reason,
                },
                CallFailure::Lost(reason) => self.lost(reason),
            })?;
        let status = answer.status;
        if status.is_redirection() {
            return Err(SocialError::Setup(format!(
                "{} answers {status}, which is not followed; check `server` in the configuration",
                self.host()
            )));
        }
        // An error is one by its status, whatever becomes of its words.
        if !status.is_success() {
            let body = answer.body.unwrap_or_default();
            let body = serde_json::from_slice(&body).unwrap_or_default();
            let wait = wait_of(&answer.headers);
            return Err(self.error(status, &body, wait, secrets));
        }
        let bytes = answer.body.map_err(|reason| self.lost(reason))?;
        let body = match bytes.trim_ascii() {
            [] => Value::Null,
            bytes => {
                serde_json::from_slice(bytes).map_err(|_| self.lost("it is not JSON".to_owned()))?
            }
        };
        Ok(Answer {
            status: status.as_u16(),
            body,
        })
    }

    /// Its answer was lost, or is none of its.
    #[must_use]
    pub fn lost(&self, reason: String) -> SocialError {
        SocialError::Lost {
            host: self.host().to_owned(),
            reason,
        }
    }

    fn error(
        &self,
        status: StatusCode,
        body: &Value,
        wait: Option<u64>,
        secrets: &[&str],
    ) -> SocialError {
        let host = self.host().to_owned();
        let text = |field: &str| body.get(field).and_then(Value::as_str);
        let code = text("error").unwrap_or_default();
        let words = text("message")
            .or(text("error_description"))
            .filter(|words| !words.trim().is_empty())
            .unwrap_or(code);
        let message = match words.trim() {
            "" => status.canonical_reason().unwrap_or("without a reason"),
            words => words,
        };
        let message = one_line(&without(message, secrets), MAX_TEXT);
        let number = status.as_u16();
        match number {
            429 => SocialError::Busy { host, wait },
            400..=499 => SocialError::Refused {
                host,
                status: number,
                code: one_line(&without(code, secrets), 60),
                message,
            },
            _ => SocialError::Failed {
                host,
                status: number,
                message,
            },
        }
    }
}

/// The pairs as a form or a query holds them.
#[must_use]
pub fn encode_form(pairs: &[(&str, &str)]) -> String {
    let Ok(mut url) = Url::parse("http://localhost/") else {
        return String::new();
    };
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

/// For how many seconds nothing should be asked: `Retry-After`, or the time at which the server counts anew.
fn wait_of(headers: &HeaderMap) -> Option<u64> {
    let text = |value: Option<&reqwest::header::HeaderValue>| {
        value
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned)
    };
    let now = jiff::Timestamp::now().as_second();
    let after = || text(headers.get(RETRY_AFTER))?.trim().parse::<i64>().ok();
    let seconds = || {
        let at: i64 = text(headers.get("ratelimit-reset"))?.trim().parse().ok()?;
        at.checked_sub(now)
    };
    let moment = || {
        let at: jiff::Timestamp = text(headers.get("x-ratelimit-reset"))?
            .trim()
            .parse()
            .ok()?;
        at.as_second().checked_sub(now)
    };
    let wait = after().or_else(seconds).or_else(moment)?;
    u64::try_from(wait.clamp(0, MAX_WAIT)).ok()
}

/// The text with the secrets taken out: a server may say back what it was shown.
fn without(text: &str, secrets: &[&str]) -> String {
    secrets
        .iter()
        .filter(|secret| secret.len() > 3)
        .fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn endpoint() -> Endpoint {
        let url = Url::parse("http://127.0.0.1:1/below/").unwrap();
        Endpoint::new(&url, CallLimits::default()).unwrap()
    }

    #[test]
    fn query_is_encoded_below_the_folder_of_the_address() {
        let request = endpoint().request_with(Method::GET, "/a", &[("q", "a b&c=d"), ("r", "ü")]);
        assert_eq!(
            request.build().unwrap().url().as_str(),
            "http://127.0.0.1:1/below/a?q=a+b%26c%3Dd&r=%C3%BC"
        );
    }

    #[test]
    fn error_of_a_server_is_one_line_without_the_secret() {
        let body = json!({"error": "InvalidToken", "message": "token\n token-123 is no good"});
        let error = |status, body: &Value| {
            let status = StatusCode::from_u16(status).unwrap();
            endpoint().error(status, body, Some(7), &["token-123"])
        };
        let refused = error(401, &body);
        assert_eq!(
            refused.to_string(),
            "127.0.0.1 says no: token … is no good (HTTP 401)"
        );
        assert!(refused.has_code("InvalidToken") && refused.is_certain() && !refused.is_passing());
        assert_eq!(
            error(429, &Value::Null).to_string(),
            "127.0.0.1 takes no more requests now; ask again in 7 s"
        );
        let failed = error(500, &json!({"error": "x".repeat(100_000)}));
        assert!(failed.to_string().chars().count() < 400, "{failed}");
        assert!(!failed.is_certain() && failed.is_over());
        assert!(!error(502, &Value::Null).is_over());
        assert_eq!(
            error(413, &json!("<html>")).to_string(),
            "127.0.0.1 says no: Payload Too Large (HTTP 413)"
        );
    }

    #[test]
    fn wait_is_read_of_each_network_and_bounded() {
        let headers = |name: &'static str, value: String| {
            HeaderMap::from_iter([(
                name.parse::<reqwest::header::HeaderName>().unwrap(),
                value.parse::<reqwest::header::HeaderValue>().unwrap(),
            )])
        };
        let now = jiff::Timestamp::now();
        assert_eq!(wait_of(&headers("retry-after", "12".into())), Some(12));
        assert_eq!(
            wait_of(&headers("retry-after", "999999999".into())),
            Some(86_400)
        );
        let at = now.as_second() + 50;
        let wait = wait_of(&headers("ratelimit-reset", at.to_string())).unwrap();
        assert!((45..=50).contains(&wait), "{wait}");
        let at = jiff::Timestamp::from_second(at).unwrap().to_string();
        assert!(wait_of(&headers("x-ratelimit-reset", at)).is_some());
        for odd in ["", "soon", "-5x", "2026"] {
            assert_eq!(
                wait_of(&headers("x-ratelimit-reset", odd.into())),
                None,
                "{odd}"
            );
        }
    }
}
