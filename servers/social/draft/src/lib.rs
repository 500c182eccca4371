//! MCP server for social networks that can read and draft, and cannot publish.
//!
//! # Layout
//! - [`service`]: the accounts, and what went wrong with them; [`reading`]: accounts, posts, the search;
//! - [`checking`]: `check_post`: what is wrong with a post, and how it looks; [`drafting`]: `draft_post`;
//! - [`store`]: the drafts, in files of this machine: the networks have none;
//! - [`proof`]: that a token of Mastodon's can only read, where that is asked for;
//! - [`mod@tools`]: the tools themselves; the server that publishes has them, too.
//!
//! Lives elsewhere: the networks are `platinum-social-client`; what all servers share is `platinum-kit`; publishing is the
//! crate `platinum-social` beside this one. The separation is by crate: no call that publishes is in this crate or below
//! it, but for the one of [`proof`], which asks for a post without a text that no server can publish.
//!
//! # Invariants
//! - A file with an app password is refused, because each of them can post.
//! - Nothing is changed on a network; a draft is a file of this machine.
//! - The same operation saves one draft.

pub mod checking;
pub mod drafting;
pub mod proof;
pub mod reading;
pub mod service;
pub mod store;
pub mod tools;

pub use checking::Checked;
pub use service::{ServiceError, SocialService};
pub use tools::tools;
