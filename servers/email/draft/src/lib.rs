//! MCP server for mail that can search and draft, and cannot send.
//!
//! # Layout
//! - [`shapes`]: what the tools take and answer;
//! - [`desk`]: the accounts, and what the tools do with them;
//! - [`server`]: the MCP server itself;
//! - [`command`]: command line, logs and stdio, the same for the sending server.
//!
//! The server that also sends is the crate `platinum-email` beside this one. The separation is by crate:
//! neither this crate nor anything below it contains an SMTP client.

pub mod command;
pub mod desk;
pub mod server;
pub mod shapes;

pub use desk::{Desk, DeskError};
pub use server::DraftServer;
