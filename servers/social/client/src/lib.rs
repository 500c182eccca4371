//! Social networks as they are read: Bluesky, and the servers that speak Mastodon's API.
//!
//! # Layout
//! - [`config`]: the configuration file of the servers beside this crate, one account a table;
//! - [`http`]: one address, with time-outs and bounded answers; [`error`]: what went wrong with it;
//! - [`post`]: a post as it is asked for, and one as it was seen; [`limits`]: what a network takes;
//! - [`text`]: links, mentions and tags in a text; its length as the network counts; HTML as text;
//! - [`check`]: what is wrong with a post; [`card`]: how it looks to its owner;
//! - [`network`]: the trait of a network; [`bluesky`] (XRPC) and [`mastodon`].
//!
//! Lives elsewhere: what a person or a model may ask for, and the store of drafts, is the crate `platinum-social-draft`;
//! publishing is `platinum-social`. No name of a call that changes something is in this crate.
//!
//! # Invariants
//! - A password or token is in no log and no error, follows no redirect, and does not travel in the clear to another
//!   machine.
//! - Only the configured server is asked, whatever address a post or an answer holds.
//! - What a server answers is bounded, and is data: it is escaped wherever it is shown.

pub mod bluesky;
pub mod card;
pub mod check;
pub mod config;
pub mod error;
pub mod http;
pub mod limits;
pub mod mastodon;
pub mod network;
pub mod post;
pub mod text;

pub use config::{AccountConfig, Config, NetworkKind};
pub use error::SocialError;
pub use limits::{CountedAs, Limits};
pub use network::{Mention, Network};
pub use post::{LinkCard, Media, Post, SeenPost};
