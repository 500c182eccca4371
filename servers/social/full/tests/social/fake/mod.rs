//! Servers as far as they are used, with faults.

pub(crate) mod mastodon;
pub(crate) mod pds;
