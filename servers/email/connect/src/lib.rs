//! Reaching a mail server: where it is, how it is trusted, and how an account proves who it is.
//!
//! # Layout
//! - [`endpoint`]: host, port and security, and the connection up to the server's greeting;
//! - [`tls`]: which certificates are trusted, and what to do about one that is not;
//! - [`dialogue`]: the few lines before and around TLS, of IMAP and of SMTP;
//! - [`providers`]: presets of mail providers;
//! - [`credential`]: a password, or a token of OAuth 2; [`oauth`]: where tokens come from;
//! - [`autoconfig`]: what a domain says of its servers, for an owner who asks;
//! - [`error`]: why there is no connection, in words for a person.
//!
//! What is said after the greeting is elsewhere: IMAP in `platinum-mailbox`, SMTP in `platinum-email`, which alone
//! can send.
//!
//! # Invariants
//! - Nothing but a greeting and the request for TLS goes over a connection that is not encrypted.
//! - A certificate is verified before anything is said to the server, by its authority or by its fingerprint.

pub mod autoconfig;
pub mod credential;
pub mod dialogue;
pub mod endpoint;
pub mod error;
pub mod oauth;
pub mod providers;
pub mod tls;

pub use credential::{Credential, CredentialError, Login};
pub use dialogue::Protocol;
pub use endpoint::{Connection, Endpoint, Security, TimeLimits, Usual};
pub use error::ConnectError;
pub use providers::Provider;
pub use tls::Fingerprint;
