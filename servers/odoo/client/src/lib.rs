//! Talking to Odoo: who may be asked what, in which protocol, and what an answer is.
//!
//! # Layout
//! - [`config`]: the configuration file of the servers beside this crate;
//! - [`http`]: one address, with time-outs and bounded answers; [`version`]: what answers there;
//! - [`rpc`]: the trait that both protocols implement, [`json2`] (Odoo 19 and later) and [`jsonrpc`] (14 to 18);
//! - [`connection`]: the protocol chosen at the first use, which calls are repeated, which fields this Odoo has;
//! - [`value`]: what Odoo writes, as data; [`amount`]: decimal numbers;
//! - [`document`]: an invoice, a bill, a credit note or a journal entry: reading it, checking its sums, comparing two.
//!
//! Lives elsewhere: what a person or a model may ask for is in the crates `platinum-odoo-draft` and `platinum-odoo`,
//! and so are the names of the methods that change something: none is in this crate.
//!
//! # Invariants
//! - The key is in no log and no error, follows no redirect, and does not travel in the clear to another machine.
//! - An error says whether the call certainly did nothing ([`OdooError::is_certain`]). A traceback of Odoo's is never
//!   passed on.
//! - Only calls that read are repeated.

pub mod amount;
pub mod config;
pub mod connection;
pub mod document;
pub mod error;
pub mod http;
pub mod json2;
pub mod jsonrpc;
pub mod rpc;
pub mod value;
pub mod version;

pub use amount::Amount;
pub use config::Config;
pub use connection::Connection;
pub use document::{Document, DocumentKind};
pub use error::OdooError;
pub use rpc::{Call, Rpc};
