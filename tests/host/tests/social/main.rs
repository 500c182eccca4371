//! Social networks from a dropped note to a published post, on the built programs and real servers: Bluesky's PDS, snac,
//! and mastodon-mock.
//!
//! Lives here: both halves together (`story`), the owner's machine when servers and lines fail (`faults`), and that the
//! cloud's server takes nothing that can publish (`credentials`). Lives elsewhere: mentions are `platinum-intake`'s tests,
//! what a server refuses `platinum-social`'s.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "all of this binary is tests: a panic is a failed test with a line number"
)]

mod credentials;
mod faults;
mod story;

use std::{fs, path::Path};

/// Writes the accounts of a host into its home; the zone's section of its configuration.
fn section(home: &Path, accounts: &str) -> String {
    let config = home.join("social.toml");
    fs::write(&config, accounts).unwrap();
    format!("[zones.social]\nconfig = {config:?}\n")
}
