//! [`SkillName`]: how the configuration, the lock and a manifest name a skill.

use std::{fmt, str::FromStr};

/// A skill's name: 1 to 64 of `a-z`, `0-9` and single hyphens, none at an end.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SkillName(String);

impl SkillName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SkillName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for SkillName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// The text cannot name a skill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "invalid skill name `{0}`; use 1 to 64 of a-z, 0-9 and single hyphens, as in `draft-email`"
)]
pub struct SkillNameError(String);

impl FromStr for SkillName {
    type Err = SkillNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=64).contains(&text.len())
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.contains("--")
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(SkillNameError(text.escape_debug().take(80).collect())),
        }
    }
}
