//! Real servers of social networks on loopback, with accounts and what an owner does there.
//!
//! - [`Pds`]: Bluesky's own server, with the directory of accounts that it needs. It has no AppView: what is published
//!   is read back from its repository.
//! - [`Snac`]: a small server of the Fediverse. It ignores `Idempotency-Key`, and its tokens have no scopes.
//! - [`MastodonMock`]: Mastodon's API with scopes, `Idempotency-Key` and [faults](MastodonMock::add_fault).
//!
//! Lives elsewhere: `cargo xtask test` (or `cargo xtask social`) gets them; answers that are lost are those of an
//! [`HttpProxy`](crate::http_proxy::HttpProxy) before them.
//! Invariants: nothing of a server outlives it; each is had or not had by itself, and where it is not, its `present`
//! skips the test with the reason.

mod mastodon;
mod mock;
mod pds;
mod snac;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use anyhow::Context as _;
use serde_json::Value;

use crate::{end_of, http, wait_for};

pub use mastodon::{FediverseServer, MastodonAccount};
pub use mock::MastodonMock;
pub use pds::{BlueskyAccount, Pds};
pub use snac::Snac;

/// On two busy cores the PDS needs fifteen seconds to answer first.
const READY: Duration = Duration::from_secs(120);
const COMMAND: &str = "cargo xtask social";

/// What a server answers instead of a result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SocialRefusal {
    /// The HTTP status, 0 if there was no answer.
    pub status: u16,
    /// The body of its answer.
    pub body: String,
}

impl std::fmt::Display for SocialRefusal {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.status, self.body)
    }
}

impl std::error::Error for SocialRefusal {}

/// A call whose body and answer are JSON; `headers` are whole lines, each with its end. With a body it is a POST.
fn call(
    port: u16,
    method: &str,
    path: &str,
    headers: &str,
    body: Option<&Value>,
) -> Result<Value, SocialRefusal> {
    let refusal = |status, body| SocialRefusal { status, body };
    let body = body.map(Value::to_string).unwrap_or_default();
    let headers = match body.as_str() {
        "" => headers.to_owned(),
        _ => format!("{headers}Content-Type: application/json\r\n"),
    };
    let (status, answer) = http::exchange(port, method, path, &headers, &body)
        .map_err(|error| refusal(0, format!("{error:#}")))?;
    if !(200..300).contains(&status) {
        return Err(refusal(status, answer));
    }
    Ok(serde_json::from_str(&answer).unwrap_or(Value::String(answer)))
}

/// The text of a field of an answer.
fn text(answer: &Value, field: &str) -> anyhow::Result<String> {
    let text = answer[field].as_str();
    Ok(text
        .with_context(|| format!("no {field} in {answer}"))?
        .to_owned())
}

/// What a query has to be written as.
fn encoded(text: &str) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let bytes = text.bytes().map(|byte| match is_plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    });
    bytes.collect()
}

/// Waits until a server answers a GET at all.
fn await_answer(name: &str, port: u16, path: &str, log: &Path) -> anyhow::Result<()> {
    wait_for(&format!("{name} to answer"), READY, || {
        Ok(http::exchange(port, "GET", path, "", "").ok().map(drop))
    })
    .with_context(|| end_of(log))
}

/// Writes a secret beside the configuration that names it.
fn write_secret(path: &Path, secret: &str) -> anyhow::Result<()> {
    fs::write(path, secret)?;
    Ok(fs::set_permissions(
        path,
        fs::Permissions::from_mode(0o600),
    )?)
}

/// The server of this test program: started by the first test that asks, ended with the last that holds it.
fn shared<T>(
    place: &Mutex<Weak<T>>,
    start: impl FnOnce() -> anyhow::Result<T>,
) -> anyhow::Result<Arc<T>> {
    let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(server) = place.upgrade() {
        return Ok(server);
    }
    let server = Arc::new(start()?);
    *place = Arc::downgrade(&server);
    Ok(server)
}
