//! [`http_client`]: how a server asks another one over HTTP: with time-outs, without redirects and proxies.
//!
//! Lives elsewhere: what is asked, and how large an answer may be, in the crate that asks.
//! Invariants: a key or token follows no redirect, and goes through no proxy of the environment.

use std::time::Duration;

use reqwest::{Client, Url};
use tokio_rustls::rustls::crypto::ring;

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
