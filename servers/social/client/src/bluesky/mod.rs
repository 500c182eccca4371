//! Bluesky: posts are records in a repository, which anybody may read.
//!
//! [`Bluesky`] is asked over XRPC, in [`server`]; its posts as data are in [`record`]. Lives elsewhere: logging in and
//! publishing, in `platinum-social`.

pub mod record;
pub mod server;

pub use server::{Bluesky, limits};
