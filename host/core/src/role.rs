//! [`Role`], cloud or local, [`AgentName`], one host of a role, and [`Member`], who signs commits.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Which half of Platinum a host is. The ceiling of what it may link follows from this alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs day and night on a server and can only draft.
    Cloud,
    /// Runs on the owner's machine and is the only one that acts.
    Local,
}

impl Role {
    /// Both roles, in the order tables show them.
    pub const ALL: [Role; 2] = [Role::Cloud, Role::Local];

    /// The word used in configuration, notes and messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Role::Cloud => "cloud",
            Role::Local => "local",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text is not a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown role `{0}`; expected `cloud` or `local`")]
pub struct UnknownRole(String);

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Role::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.chars().take(64).collect()))
    }
}

/// As what somebody signs commits of the vault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Member {
    /// A host of a role.
    Host(Role),
    /// A device of the owner's without a host, such as a phone with a Git client.
    Device,
}

impl Member {
    /// The word used in the list of keys and in messages.
    pub const fn as_str(self) -> &'static str {
        match self {
            Member::Host(role) => role.as_str(),
            Member::Device => "device",
        }
    }

    /// How a message calls a member of this name.
    pub fn describe(self, name: &AgentName) -> String {
        match self {
            Member::Host(role) => format!("{role} agent {name}"),
            Member::Device => format!("device {name}"),
        }
    }
}

impl From<Role> for Member {
    fn from(role: Role) -> Self {
        Member::Host(role)
    }
}

impl PartialEq<Role> for Member {
    fn eq(&self, role: &Role) -> bool {
        *self == Member::Host(*role)
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Member {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "device" => Ok(Member::Device),
            role => role.parse().map(Member::Host),
        }
    }
}

/// The name of one host: `cloud`, `local`, `cloud-2`. It is a folder name in the vault
/// (`In_Progress/<agent>/`), so it is 1 to 32 of `a-z`, `0-9` and `-`, and starts with a letter.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AgentName(String);

impl AgentName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The text cannot name an agent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an agent name: use 1 to 32 of a-z, 0-9 and `-`, starting with a letter, for example `cloud-2`"
)]
pub struct AgentNameError(String);

impl FromStr for AgentName {
    type Err = AgentNameError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=32).contains(&text.len())
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if fits {
            Ok(Self(text.to_owned()))
        } else {
            Err(AgentNameError(text.chars().take(64).collect()))
        }
    }
}

impl TryFrom<String> for AgentName {
    type Error = AgentNameError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<AgentName> for String {
    fn from(name: AgentName) -> Self {
        name.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agent_name_unsafe_text_is_refused() {
        for good in ["cloud", "local", "cloud-2", "a"] {
            assert_eq!(good.parse::<AgentName>().unwrap().as_str(), good);
        }
        let long = "a".repeat(33);
        for bad in [
            "",
            "..",
            "Cloud",
            "a/b",
            "-a",
            "2cloud",
            "a b",
            "é",
            long.as_str(),
        ] {
            assert!(bad.parse::<AgentName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn role_unknown_text_names_both_roles() {
        assert_eq!(
            "server".parse::<Role>().unwrap_err().to_string(),
            "unknown role `server`; expected `cloud` or `local`"
        );
    }
}
