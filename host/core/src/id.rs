//! Typed ids: a ULID behind a prefix that says what it names (`task_01J…`).

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use ulid::Ulid;

/// The text is not an id of the kind asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid {kind} id `{text}`; one reads `{prefix}_` and 26 characters of Crockford base 32")]
pub struct IdError {
    kind: &'static str,
    prefix: &'static str,
    text: String,
}

macro_rules! id_type {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Ulid);

        impl $name {
            /// What stands before the `_`.
            pub const PREFIX: &'static str = $prefix;

            /// A new id from the clock and the system's random source.
            pub fn generate() -> Self {
                Self(Ulid::new())
            }

            /// The id of this time (milliseconds since 1970, 48 bits kept) and these random bits
            /// (80 kept): for ids that must come out the same again, and for tests.
            pub fn from_parts(unix_ms: u64, random: u128) -> Self {
                Self(Ulid::from_parts(unix_ms, random))
            }

            /// Milliseconds since 1970 at which the id was made, as it claims.
            pub fn unix_ms(&self) -> u64 {
                self.0.timestamp_ms()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.strip_prefix(concat!($prefix, "_"))
                    .and_then(|rest| Ulid::from_string(rest).ok())
                    .map(Self)
                    // The canonical form only: one id, one file name.
                    .filter(|id| id.to_string() == text)
                    .ok_or_else(|| IdError {
                        kind: $prefix,
                        prefix: $prefix,
                        text: text.chars().take(64).collect(),
                    })
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, Self::Error> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

id_type!(
    /// A note in `Needs_Action/`, wherever it goes afterwards. Identity is the id, not the path.
    TaskId,
    "task"
);
id_type!(
    /// A proposed action in `Pending_Approval/`.
    DraftId,
    "draft"
);
id_type!(
    /// One attempt to own a task: random, so that two equal attempts never look like one.
    ClaimId,
    "claim"
);
id_type!(
    /// A status note in `Updates/<agent>/`.
    UpdateId,
    "update"
);
id_type!(
    /// A note in `Plans/`.
    PlanId,
    "plan"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_text_round_trips() {
        let id = TaskId::generate();
        assert_eq!(id.to_string().parse::<TaskId>(), Ok(id));
    }

    #[test]
    fn id_other_form_is_refused() {
        let text = TaskId::from_parts(u64::MAX >> 16, u128::MAX >> 48).to_string();
        for bad in [
            text.to_lowercase(),
            text.replace("task_", "draft_"),
            format!("{text} "),
            "task_".to_owned(),
            String::new(),
        ] {
            assert!(bad.parse::<TaskId>().is_err(), "{bad:?}");
        }
    }
}
