//! [`http_client`] and [`call`]: how a server asks another one over HTTP: with time-outs, bounded answers, without
//! redirects and proxies.
//!
//! Lives elsewhere: what is asked, and what an answer means, in the crate that asks.
//! Invariants: a key or token follows no redirect, and goes through no proxy of the environment; one call is one
//! request.

use std::time::Duration;

use platinum_text::one_line;
use reqwest::{Client, RequestBuilder, StatusCode, Url, header::HeaderMap};
use tokio_rustls::rustls::crypto::ring;

/// The longest text about a failed connection, in characters.
const MAX_CAUSES: usize = 300;

/// What a call may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallLimits {
    /// How long a connection may take to come about.
    pub connect: Duration,
    /// How long a whole call may take: Odoo computes a large document for some seconds, and a large picture over a thin
    /// line takes its time.
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

/// An answer, an error or a redirect too.
#[derive(Debug)]
pub struct HttpAnswer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body, or why that did not come whole.
    pub body: Result<Vec<u8>, String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallFailure {
    /// Nothing was asked: there is no connection.
    Unreachable(String),
    /// What became of the request is not known.
    Lost(String),
}

/// Sends a request of [`http_client`], and reads its answer.
///
/// # Errors
/// If there is none.
pub async fn call(request: RequestBuilder, limits: &CallLimits) -> Result<HttpAnswer, CallFailure> {
    let seconds = limits.call.as_secs_f32();
    let mut response = request.send().await.map_err(|error| match error {
        error if error.is_connect() || error.is_builder() => {
            CallFailure::Unreachable(causes_of(&error))
        }
        error if error.is_timeout() => CallFailure::Lost(format!("no answer within {seconds} s")),
        error => CallFailure::Lost(causes_of(&error)),
    })?;
    let mut bytes = Vec::new();
    let body = loop {
        match response.chunk().await {
            Ok(None) => break Ok(bytes),
            Ok(Some(piece)) if bytes.len() + piece.len() > limits.answer_bytes => {
                break Err(format!("it is larger than {} bytes", limits.answer_bytes));
            }
            Ok(Some(piece)) => bytes.extend_from_slice(&piece),
            Err(error) if error.is_timeout() => {
                break Err(format!("it did not end within {seconds} s"));
            }
            Err(error) => break Err(causes_of(&error)),
        }
    };
    Ok(HttpAnswer {
        status: response.status(),
        headers: response.headers().clone(),
        body,
    })
}

/// The causes of an error, without the address: it may have a secret.
#[must_use]
pub fn causes_of(error: &reqwest::Error) -> String {
    let mut causes = Vec::new();
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(next) = cause {
        causes.push(next.to_string());
        cause = next.source();
    }
    match causes.is_empty() {
        true => "the connection failed".to_owned(),
        false => one_line(&causes.join(": "), MAX_CAUSES),
    }
}

/// A client for requests to this address: how long a connection may take to come about, and a whole call.
///
/// # Errors
/// If the system's certificates cannot be read.
pub fn http_client(url: &Url, connect: Duration, call: Duration) -> reqwest::Result<Client> {
    // One provider for the whole program; a second caller finds it installed.
    ring::default_provider().install_default().ok();
    let mut builder = Client::builder()
        .connect_timeout(connect)
        .timeout(call)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("platinum/", env!("CARGO_PKG_VERSION")));
    if url.scheme() == "http" {
        // Without this the client wants the system's certificates, which it will not use.
        builder = builder.tls_certs_only([]);
    }
    builder.build()
}

/// Whether an address is of this machine.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    host == "localhost"
        || host
            .trim_matches(['[', ']'])
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}
