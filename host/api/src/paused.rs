//! [`Paused`]: whether the owner has stopped everything.

use std::path::Path;

use platinum_core::Timestamp;
use platinum_journal::Journal;
use serde::Serialize;

use crate::{Check, text::plain};

/// Everything is paused: nothing leaves until `platinum resume`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Paused {
    /// Since when.
    pub since: Timestamp,
    /// Why, one line; empty if nobody said.
    pub reason: String,
}

impl Paused {
    /// Reads it from the journal of a state folder; none if nothing is paused. A journal that
    /// cannot be read says so elsewhere, and nothing leaves without it.
    pub fn read(state: &Path) -> Option<Self> {
        let path = state.join("journal.db");
        if !path.exists() {
            return None;
        }
        let pause = Journal::open_copy(&path).ok()?.paused().ok()??;
        Some(Self {
            since: pause.since,
            reason: plain(&pause.reason, 200),
        })
    }

    /// In words.
    pub fn check(&self) -> Check {
        let why = match self.reason.as_str() {
            "" => String::new(),
            reason => format!(" ({reason})"),
        };
        let text = format!("nothing leaves since {:.0}{why}", self.since);
        Check::warn("paused", text).remedy("`platinum resume` lets it go on")
    }
}
