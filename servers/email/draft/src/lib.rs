//! MCP server for mail that can search and draft, and cannot send.
//!
//! # Layout
//! - [`shapes`]: what the tools take and answer;
//! - [`service`]: the accounts, and what the tools do with them; [`correspondence`]: what it knows of people, who is
//!   meant by a name in [`people`], how the owner writes in [`style`];
//! - [`login`]: the command by which a person grants access to an account;
//! - [`mod@tools`]: the tools themselves, which the sending server has, too.
//!
//! What all servers share is `platinum-kit`. The server that also sends is the crate `platinum-email`
//! beside this one. The separation is by crate: neither this crate nor anything below it contains an
//! SMTP client.

pub mod correspondence;
pub mod login;
pub mod people;
pub mod service;
pub mod shapes;
pub mod style;
pub mod tools;

pub use service::{MailService, ServiceError};
pub use tools::tools;
