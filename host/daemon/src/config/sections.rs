//! The sections of a configuration, as `defaults.toml` has them.

use std::{collections::BTreeMap, path::PathBuf};

use platinum_core::{VaultPath, ZoneId};
use platinum_llm::LlmConfig;
use platinum_policy::{ChoiceError, SyncChoice};
use serde::Deserialize;

use super::zones::Zones;

/// A host's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Config {
    /// Who this host is.
    pub agent: AgentConfig,
    /// Where the vault and the host's own folder are.
    pub vault: VaultConfig,
    /// The way to the remote.
    pub sync: SyncSection,
    /// What may not leave this machine.
    pub secrets: SecretsConfig,
    /// What this host works on.
    pub work: WorkConfig,
    /// What counts as the owner's yes, and how long it is held.
    pub approvals: ApprovalsConfig,
    /// What one run of a skill may use.
    pub limits: LimitsConfig,
    /// What single skills may open, by their names.
    pub skills: BTreeMap<String, SkillConfig>,
    /// Files that are dropped into the vault.
    pub intake: IntakeConfig,
    /// The zones, each with a section of its own.
    pub zones: Zones,
    /// Who writes drafts.
    pub model: LlmConfig,
}

/// Who this host is.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct AgentConfig {
    pub(super) name: String,
}

/// Where the vault and the host's own folder are.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct VaultConfig {
    /// The vault's folder.
    pub path: PathBuf,
    /// The host's private folder.
    pub state: PathBuf,
    /// What drafting skills may read.
    pub read: Vec<VaultPath>,
}

/// The way to the remote.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SyncSection {
    /// Its address; empty if there is none.
    pub remote: String,
    /// Seconds between two syncs without a reason.
    pub every_seconds: u64,
    /// Seconds that one call of git may take.
    pub timeout_seconds: u64,
    /// Seconds without a sign of life after which an owner's tasks are taken over.
    pub lease_seconds: u64,
    /// Environment variables that git's credential helpers may see.
    pub env: Vec<String>,
    /// The owner's folders that are synced.
    pub(super) folders: Vec<String>,
    /// The types of attachments that are synced.
    pub(super) types: Vec<String>,
}

impl SyncSection {
    /// Which files the owner lets leave.
    ///
    /// # Errors
    /// If a folder or a type is none that may be synced.
    pub fn choice(&self) -> Result<SyncChoice, String> {
        SyncChoice::new(&self.folders, &self.types).map_err(|error| {
            let key = match error {
                ChoiceError::Folder(_) => "folders",
                ChoiceError::Type(_) => "types",
            };
            format!("`sync.{key}`: {error}")
        })
    }
}

/// What may not leave this machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SecretsConfig {
    /// Kinds of secrets, and bank accounts, that may be synced.
    pub allow: Vec<String>,
}

/// What this host works on.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct WorkConfig {
    /// The zones in which it claims tasks.
    pub zones: Vec<ZoneId>,
    /// Whether the owner wrote that list.
    #[serde(skip)]
    pub(super) is_zones_given: bool,
    /// The folder of installed skills.
    pub skills: PathBuf,
    pub(super) compiled: PathBuf,
    pub(super) capabilities: Vec<String>,
    /// Seconds between two looks at the vault without a wake-up.
    pub every_seconds: u64,
}

/// What counts as the owner's yes, and how long it is held.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ApprovalsConfig {
    /// Seconds between an approval and its effect.
    pub hold_seconds: u64,
    /// Seconds between the first attempt that certainly did nothing and the next.
    pub retry_seconds: u64,
    /// What a move by another device or program counts for.
    pub other_devices: OtherDevices,
}

/// What a move to `Approved/` by another device or program counts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OtherDevices {
    /// Nothing, until it is confirmed on this machine.
    Hold,
    /// It is the owner's yes.
    Accept,
}

/// What one run of a skill may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LimitsConfig {
    pub(super) memory_mib: u32,
    pub(super) cpu_seconds: u64,
    pub(super) whole_seconds: u64,
    pub(super) host_calls: u64,
}

/// What one skill may open.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SkillConfig {
    /// Folders of the vault, with `read` or `write`.
    #[serde(default)]
    pub folders: BTreeMap<VaultPath, String>,
}

/// Files that are dropped into the vault.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct IntakeConfig {
    /// The zone of a file that says none.
    pub default_zone: ZoneId,
}
