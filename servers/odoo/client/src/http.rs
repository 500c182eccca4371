//! [`Endpoint`]: one Odoo, asked over HTTP with time-outs and bounded answers.
//!
//! Lives elsewhere: what is asked, in `json2` and `jsonrpc`; whether it is asked again, in `connection`.
//! Invariants: one call is one request; a redirect is not followed; no proxy of the environment gets the key.

use platinum_kit::client::{CallFailure, call, causes_of, http_client};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde_json::Value;

use crate::error::OdooError;

pub use platinum_kit::client::CallLimits;

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
            .map_err(|error| OdooError::Setup(format!("TLS: {}", causes_of(&error))))?;
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
        let answer = call(request, &self.limits)
            .await
            .map_err(|failure| match failure {
                CallFailure::Unreachable(reason) => OdooError::Unreachable {
                    host: self.host().to_owned(),
                    reason,
                },
                CallFailure::Lost(reason) => self.lost(reason),
            })?;
        let status = answer.status;
        if status.is_redirection() {
            return Err(OdooError::Setup(format!(
                "{} answers {status}, which is not followed; check `url` in the configuration",
                self.host()
            )));
        }
        let bytes = answer.body.map_err(|reason| self.lost(reason))?;
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
