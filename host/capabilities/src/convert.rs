//! What several interfaces read of a skill's text: a zone, a time.
//!
//! Lives elsewhere: the record of a zone's action is checked in the zone's folder.

use platinum_core::{Timestamp, ZoneId};

/// Reads a zone that a skill names.
pub(crate) fn zone(text: &str) -> Result<ZoneId, String> {
    text.parse()
        .map_err(|error: platinum_core::TextIdError| error.to_string())
}

/// Reads a time that a skill gave.
pub(crate) fn time(name: &str, text: &str) -> Result<Timestamp, String> {
    text.parse()
        .map_err(|_| format!("`{name}` is not an RFC 3339 time, for example 2026-11-20T18:00:00Z"))
}
