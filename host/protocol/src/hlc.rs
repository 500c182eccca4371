//! [`Hlc`]: a hybrid logical clock, which says of two versions of a file which one is later.
//!
//! Wall clocks of two machines differ, so a time alone puts an edit before the one it answers. A
//! stamp is never before one that its clock has observed; as long as the machines' clocks agree,
//! it is the wall time, and people can read it.
//!
//! Lives elsewhere: what a stamp decides is in [`crate::merge`]; stamps travel as a trailer of
//! commits, which `repo` reads and writes.
//! Invariants: [`Hlc::tick`] grows strictly; a stamp from too far ahead is not believed, and does
//! not move the clock, so that one wrong clock does not carry the others along. Ownership is never
//! decided by stamps: that is the order of the remote.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// From here on a stamp that is ahead of this machine's clock is worth a warning.
pub const WARN_AHEAD_MS: i64 = 15_000;
/// From here on it is not believed.
pub const TRUST_AHEAD_MS: i64 = 120_000;

/// A moment: milliseconds since 1970, and a counter for several moments of one millisecond.
/// Its text is `<wall_ms>-<count>`.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct Stamp {
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    /// Tells moments of one millisecond apart.
    pub count: u32,
}

/// The text is no stamp.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no stamp; one reads `<milliseconds since 1970>-<count>`")]
pub struct StampError(String);

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.wall_ms, self.count)
    }
}

impl FromStr for Stamp {
    type Err = StampError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let parts = text.rsplit_once('-');
        parts
            .and_then(|(wall_ms, count)| {
                Some(Self {
                    wall_ms: wall_ms.parse().ok()?,
                    count: count.parse().ok()?,
                })
            })
            // The canonical form only: one stamp, one text.
            .filter(|stamp| stamp.to_string() == text)
            .ok_or_else(|| StampError(text.chars().take(64).collect()))
    }
}

impl TryFrom<String> for Stamp {
    type Error = StampError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Stamp> for String {
    fn from(stamp: Stamp) -> Self {
        stamp.to_string()
    }
}

impl Stamp {
    /// How this stamp looks from a machine whose clock says `now_ms`. A stamp of the past is
    /// always fine: a commit may have waited for the network for days.
    pub fn skew(&self, now_ms: i64) -> Skew {
        match self.wall_ms.saturating_sub(now_ms) {
            ahead if ahead > TRUST_AHEAD_MS => Skew::Distrusted(ahead),
            ahead if ahead > WARN_AHEAD_MS => Skew::Warned(ahead),
            _ => Skew::Fine,
        }
    }
}

/// How far a stamp is ahead of this machine's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Skew {
    /// Not at all, or so little that clocks of two machines explain it.
    Fine,
    /// So many milliseconds that a clock should be set; it still counts.
    Warned(i64),
    /// So many milliseconds that the stamp says nothing about the order of two versions.
    Distrusted(i64),
}

impl Skew {
    /// Whether the stamp counts.
    pub fn is_trusted(self) -> bool {
        !matches!(self, Self::Distrusted(_))
    }
}

/// The clock. It holds no time of its own: the driver passes in the machine's time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Hlc {
    last: Stamp,
}

impl Hlc {
    /// A clock that has seen nothing. After a restart, let it [`observe`](Self::observe) the last
    /// stamp that it gave out, and the newest of the history it works on.
    pub fn new() -> Self {
        Self::default()
    }

    /// The latest stamp that it gave out or believed.
    pub fn last(&self) -> Stamp {
        self.last
    }

    /// A stamp later than every one before, for something that happens now.
    pub fn tick(&mut self, now_ms: i64) -> Stamp {
        self.last = if now_ms > self.last.wall_ms {
            Stamp {
                wall_ms: now_ms,
                count: 0,
            }
        } else {
            match self.last.count.checked_add(1) {
                Some(count) => Stamp { count, ..self.last },
                None => Stamp {
                    wall_ms: self.last.wall_ms.saturating_add(1),
                    count: 0,
                },
            }
        };
        self.last
    }

    /// Takes note of a stamp of another agent: what is stamped here from now on is later, unless the stamp
    /// is not to be believed.
    pub fn observe(&mut self, stamp: Stamp, now_ms: i64) -> Skew {
        let skew = stamp.skew(now_ms);
        if skew.is_trusted() {
            self.last = self.last.max(stamp);
        }
        skew
    }
}
