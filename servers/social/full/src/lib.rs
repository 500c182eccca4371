//! MCP server for social networks that can also publish.
//!
//! # Layout
//! - [`publishing`]: a thread, part by part, and what an attempt comes to; [`finding`]: which parts are there;
//! - [`publisher`]: the trait of a network that publishes; [`bluesky`] and [`mastodon`];
//! - [`key`]: the name that a part has over all attempts; [`media`]: the files of a post;
//! - [`mod@tools`]: the draft server's tools, `publish_post`, `create_post` and `find_post`.
//!
//! Reading and drafting are the crate `platinum-social-draft`; the networks `platinum-social-client`.
//!
//! # Invariants
//! - A part is published at most once, however often it is asked for: Bluesky has one record of its key; Mastodon takes
//!   one post of its key, and the account's own posts are compared before and after every attempt.
//! - Before anything leaves, the network is asked what of it is there; a thread goes on behind the last part that is.
//! - `not_done` is certain; `unknown` is answered as soon as a part may have been published.
//! - Nothing is asked of a server that was not asked for: what a server says leads nowhere else.

pub mod bluesky;
pub mod finding;
pub mod key;
pub mod mastodon;
pub mod media;
pub mod publisher;
pub mod publishing;
pub mod tools;

pub use publishing::{ActingService, Outcome};
pub use tools::tools;
