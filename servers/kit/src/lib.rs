//! What every MCP server of Platinum shares.
//!
//! # Layout
//! - [`server`]: a service and its tools as an MCP server; annotations, bounded errors;
//! - [`command`]: the command line, logs on standard error, the session on standard input and output, or sessions over
//!   [`http`];
//! - [`client`]: how a server asks another one over HTTP;
//! - [`schema`]: the schemas of what tools take and answer, as all clients read them;
//! - [`config`]: TOML tables whose keys are all known; [`secret`]: where a password is kept.
//!
//! Lives elsewhere: what a server does, in its own crates (`servers/<zone>`).
//!
//! # Invariants
//! - A password is in no configuration file, log or error.
//! - A server's tools are what its program adds: a draft-only program has no code of the others.

pub mod client;
pub mod command;
pub mod config;
pub mod http;
pub mod schema;
pub mod secret;
pub mod server;

pub use config::{ConfigError, TableReader};
pub use secret::{Password, Secret, SecretError};
pub use server::{Access, Server, ToolSpec, Tools};
