//! [`MastodonPublisher`]: publishing on a server with Mastodon's API.
//!
//! Mastodon itself takes a second post with the same key for the first one, for an hour; other servers ignore the key.
//! So the account's own posts are compared before an attempt and after one whose answer is no clear one. Where the key
//! counts, or the server has answered that it failed, a part that is not among them is asked for again; else it may still
//! appear, and is unknown.
//!
//! Lives elsewhere: the comparison, in [`compare`]; files, in [`upload`].

mod compare;
mod publisher;
mod upload;

pub use publisher::MastodonPublisher;
