//! Mastodon, and the servers that speak its API.
//!
//! [`Mastodon`] is asked with a token or without, in [`server`]; what kind of server it is and what it takes is in
//! [`instance`], its posts as data in [`status`]. Lives elsewhere: publishing, in `platinum-social`.

pub mod instance;
pub mod server;
pub mod status;

pub use server::{Mastodon, Me, PAGE};
