//! MCP server for Odoo that can read and draft, and cannot post.
//!
//! # Layout
//! - [`service`]: the Odoo, and what went wrong with it;
//! - [`data`]: `get_data` and `get_document`: records of a list of models, documents whole;
//! - [`drafting`]: `create_draft`: what may be asked for, what Odoo is given, what it made of it;
//! - [`proof`]: `prove_rights`: that Odoo refuses this key what it must not do;
//! - [`mod@tools`]: the tools themselves; but for the proof, the server that posts has them, too.
//!
//! Lives elsewhere: talking to Odoo is `platinum-odoo-client`; what all servers share is `platinum-kit`; posting and
//! payments are the crate `platinum-odoo` beside this one. The separation is by crate: no name of a method that posts,
//! pays or sends is in this crate or below it, but for the list of [`proof`], which calls them on an empty draft of its
//! own, with values that Odoo's database cannot take. A test reads the sources and the program for these names.
//!
//! # Invariants
//! - The only method that changes something is `create` of `account.move`, the tries of [`proof`] aside; there is no
//!   tool that writes a field.
//! - Models, fields and keys of the context are fixed in code; what a caller gives are values, each checked.
//! - The same operation saves one draft, and says so if there are two.

pub mod data;
pub mod drafting;
pub mod proof;
pub mod service;
pub mod tools;

pub use service::{OdooService, ServiceError};
pub use tools::{drafter_tools, tools};
