//! [`Endpoint`]: one Odoo, asked over HTTP with time-outs and bounded answers.
//!
//! Lives elsewhere: what is asked, in `json2` and `jsonrpc`; whether it is asked again, in `connection`.
//! Invariants: one call is one request; a redirect is not followed; no proxy of the environment gets the key.

use std::time::Duration;

use platinum_kit::client::http_client;
use platinum_text::one_line;
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use crate::error::OdooError;

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a whole call may take. Odoo computes a large document for some seconds.
    pub call: Duration,
    /// The largest answer, in bytes.
    pub answer_bytes: usize,
}

impl Default for CallLimits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(60),
            answer_bytes: 4 * 1024 * 1024,
        }
    }
}

/// One Odoo.
#[derive(Debug, Clone)]
pub struct Endpoint {
    client: reqwest::Client,
    url: Url,
    limits: CallLimits,
}

impl Endpoint {
    /// The Odoo at `url`, whose path may be a folder.
    ///
    /// # Errors
    /// If the system's certificates cannot be read.
    pub fn new(url: &Url, limits: CallLimits) -> Result<Self, OdooError> {
        let client = http_client(url, limits.connect, limits.call)
            .map_err(|error| OdooError::Setup(format!("TLS: {}", chain(&error))))?;
        Ok(Self {
            client,
            url: url.clone(),
            limits,
        })
    }

    /// Its host name.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or("Odoo")
    }

    /// A request for this path below the address.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let url = format!("{}{path}", self.url.as_str().trim_end_matches('/'));
        self.client.request(method, url)
    }

    /// Its answer was lost, or is none of Odoo's.
    pub fn lost(&self, reason: String) -> OdooError {
        OdooError::Lost {
            host: self.host().to_owned(),
            reason,
        }
    }

    /// Sends a request: the status, and the answer's JSON.
    ///
    /// # Errors
    /// If there is no connection, or no whole answer in JSON.
    pub async fn send(&self, request: RequestBuilder) -> Result<(StatusCode, Value), OdooError> {
        let seconds = self.limits.call.as_secs_f32();
        let mut response = match request.send().await {
            Ok(response) => response,
            Err(error) if error.is_connect() => {
                return Err(OdooError::Unreachable {
                    host: self.host().to_owned(),
                    reason: chain(&error),
                });
            }
            Err(error) if error.is_timeout() => {
                return Err(self.lost(format!("no answer within {seconds} s")));
            }
            Err(error) => return Err(self.lost(chain(&error))),
        };
        let status = response.status();
        if status.is_redirection() {
            return Err(OdooError::Setup(format!(
                "{} answers {status}, which is not followed; check `url` in the configuration",
                self.host()
            )));
        }
        let mut bytes = Vec::new();
        loop {
            match response.chunk().await {
                Ok(None) => break,
                Ok(Some(piece)) if bytes.len() + piece.len() > self.limits.answer_bytes => {
                    return Err(self.lost(format!(
                        "it is larger than {} bytes",
                        self.limits.answer_bytes
                    )));
                }
                Ok(Some(piece)) => bytes.extend_from_slice(&piece),
                Err(error) if error.is_timeout() => {
                    return Err(self.lost(format!("it did not end within {seconds} s")));
                }
                Err(error) => return Err(self.lost(chain(&error))),
            }
        }
        serde_json::from_slice(&bytes)
            .map(|answer| (status, answer))
            // Such as a page of the proxy in front of it; which may hold anything.
            .map_err(|_| match status {
                StatusCode::NOT_FOUND => OdooError::Setup(format!(
                    "there is no Odoo at {}; check `url` in the configuration",
                    self.host()
                )),
                status if status.is_success() => self.lost("it is not JSON".to_owned()),
                status => self.lost(format!("it answers {status}")),
            })
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
        false => one_line(&text, 300),
    }
}
