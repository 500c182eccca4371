//! Configuration: one TOML file over the defaults in `defaults.toml`.
//!
//! Invariants: a key that is not in the defaults is an error with a suggestion; configuration can
//! only narrow what a role may do; no secret stands in it, only where one is found.
//!
//! Lives elsewhere: the keys are in `sections.rs`, where their paths lead is in `paths.rs`.

mod paths;
mod sections;
mod suggest;
mod zones;

pub use sections::{
    AgentConfig, ApprovalsConfig, Config, IntakeConfig, LimitsConfig, OtherDevices, SecretsConfig,
    SkillConfig, SyncSection, VaultConfig, WorkConfig,
};
pub use zones::Zones;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    time::Duration,
};

use platinum_capabilities::zones::PathBase;
use platinum_core::{AgentName, Capability, Role, VaultPath, ZoneId};
use platinum_engine::Limits;
use platinum_policy::{BUILT_IN_ZONES, FolderAccess, is_local_only};
use serde::Deserialize;

use crate::SkillName;

/// The defaults, which also are the list of keys there are.
pub const DEFAULTS: &str = include_str!("defaults.toml");

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration {path} cannot be read: {why}")]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// It is no TOML, or a key or value is wrong.
    #[error("the configuration {path} is wrong: {what}")]
    Wrong {
        /// Which file.
        path: PathBuf,
        /// What, where, and what to write instead.
        what: String,
    },
}

impl Config {
    /// Reads a file over the defaults and checks it for a role.
    ///
    /// # Errors
    /// If the file cannot be read, has a key that does not exist, or a value that cannot be.
    pub fn load(path: &Path, role: Role) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|why| ConfigError::Read {
            path: path.to_owned(),
            why,
        })?;
        Self::of_text(&text, path, role)
    }

    /// The configuration that a file at this path would be, had it this text.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn of_text(text: &str, path: &Path, role: Role) -> Result<Self, ConfigError> {
        let mut config = Self::parse(text)
            .and_then(|config| config.checked(role))
            .map_err(|what| ConfigError::Wrong {
                path: path.to_owned(),
                what,
            })?;
        let base = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        let base = std::path::absolute(base).map_err(|why| ConfigError::Read {
            path: path.to_owned(),
            why,
        })?;
        let base = PathBase {
            folder: base,
            home: std::env::var_os("HOME").map(PathBuf::from),
        };
        paths::resolve(&mut config, &base)
            .and_then(|()| config.zones.configure(&base))
            .and_then(|()| config.check_zones(role))
            .map_err(|what| ConfigError::Wrong {
                path: path.to_owned(),
                what,
            })?;
        Ok(config)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let given: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
        zones::refuse_old_mail(text, &given)?;
        let mut merged: toml::Table =
            toml::from_str(DEFAULTS).map_err(|error| format!("the defaults: {error}"))?;
        let work = given.get("work").and_then(toml::Value::as_table);
        let is_zones_given = work.is_some_and(|work| work.contains_key("zones"));
        overlay(&mut merged, given);
        let mut config =
            Config::deserialize(merged).map_err(|error| suggest::explain(&error.to_string()))?;
        config.work.is_zones_given = is_zones_given;
        Ok(config)
    }

    fn checked(self, role: Role) -> Result<Self, String> {
        for (key, empty) in [
            ("vault.path", self.vault.path.as_os_str().is_empty()),
            ("vault.state", self.vault.state.as_os_str().is_empty()),
        ] {
            if empty {
                return Err(format!(
                    "`{key}` is missing; `platinum init` writes a file that has it"
                ));
            }
        }
        for (key, value) in [
            ("sync.every-seconds", self.sync.every_seconds),
            ("sync.timeout-seconds", self.sync.timeout_seconds),
            ("sync.lease-seconds", self.sync.lease_seconds),
            ("approvals.retry-seconds", self.approvals.retry_seconds),
            ("work.every-seconds", self.work.every_seconds),
            ("limits.cpu-seconds", self.limits.cpu_seconds),
            ("limits.whole-seconds", self.limits.whole_seconds),
            ("limits.host-calls", self.limits.host_calls),
            ("limits.memory-mib", self.limits.memory_mib.into()),
        ] {
            if !(1..=1_000_000).contains(&value) {
                return Err(format!("`{key}` is {value}; 1 to 1000000"));
            }
        }
        if self.approvals.hold_seconds > 86_400 {
            return Err(format!(
                "`approvals.hold-seconds` is {}; 0 to 86400",
                self.approvals.hold_seconds
            ));
        }
        if let Some(zone) = self
            .work
            .zones
            .iter()
            .find(|zone| role == Role::Cloud && is_local_only(**zone))
        {
            return Err(format!(
                "`work.zones` has `{zone}`, which belongs to the owner's machine alone"
            ));
        }
        self.agent(role)?;
        self.narrowed()?;
        self.folders()?;
        self.sync.choice()?;
        Ok(self)
    }

    /// The name of this host.
    ///
    /// # Errors
    /// If the configured name cannot name an agent.
    pub fn agent(&self, role: Role) -> Result<AgentName, String> {
        let name = if self.agent.name.is_empty() {
            role.as_str()
        } else {
            &self.agent.name
        };
        name.parse()
            .map_err(|error| format!("`agent.name`: {error}"))
    }

    /// The folder of compiled skills.
    pub fn compiled_skills(&self) -> PathBuf {
        match self.work.compiled.as_os_str().is_empty() {
            true => self.vault.state.join("compiled"),
            false => self.work.compiled.clone(),
        }
    }

    /// What is left of the role's capabilities; `None` if all of them.
    ///
    /// # Errors
    /// If a name is no capability.
    pub fn narrowed(&self) -> Result<Option<BTreeSet<Capability>>, String> {
        if self.work.capabilities.is_empty() {
            return Ok(None);
        }
        self.work
            .capabilities
            .iter()
            .map(|name| {
                name.parse()
                    .map_err(|error| format!("`work.capabilities`: {error}"))
            })
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A zone that gets into the list by its section belongs to this role.
    fn check_zones(&self, role: Role) -> Result<(), String> {
        let zones = self.work_zones().into_iter();
        let mut foreign = zones.filter(|zone| role == Role::Cloud && is_local_only(*zone));
        foreign.next().map_or(Ok(()), |zone| {
            Err(format!(
                "[zones.{zone}] is a section of a zone that belongs to the owner's machine alone"
            ))
        })
    }

    /// The zones in which this host claims tasks: those of `work.zones`, and those that have a section
    /// and are not built in. Where the owner wrote no `work.zones`, every zone that has a section is one: the
    /// section of a built-in zone may also only say how to send for it, so a list that is there decides.
    pub fn work_zones(&self) -> Vec<ZoneId> {
        let is_built_in = |id: &ZoneId| BUILT_IN_ZONES.iter().any(|zone| zone.id == *id);
        let is_added = |id: &&ZoneId| !self.work.is_zones_given || !is_built_in(id);
        let added = self.zones.ids().iter().filter(is_added);
        let zones: BTreeSet<ZoneId> = self.work.zones.iter().chain(added).copied().collect();
        zones.into_iter().collect()
    }

    /// The folders that single skills may open, by the skills' names.
    ///
    /// # Errors
    /// If a name is no skill's, or a word is neither `read` nor `write`.
    pub fn folders(&self) -> Result<BTreeMap<SkillName, Vec<(VaultPath, FolderAccess)>>, String> {
        let folders = self.skills.iter().map(|(skill, section)| {
            let name = skill
                .parse()
                .map_err(|error| format!("`skills.{skill}`: {error}"))?;
            let folders = section.folders.iter().map(|(folder, access)| {
                let access = access
                    .parse()
                    .map_err(|error| format!("`skills.{skill}.folders`: `{folder}`: {error}"))?;
                Ok((folder.clone(), access))
            });
            Ok((name, folders.collect::<Result<_, String>>()?))
        });
        folders.collect()
    }

    /// The limits of one run.
    pub fn limits(&self) -> Limits {
        Limits {
            memory_bytes: self.limits.memory_mib as usize * 1024 * 1024,
            cpu: Duration::from_secs(self.limits.cpu_seconds),
            wall_clock: Duration::from_secs(self.limits.whole_seconds),
            host_calls: self.limits.host_calls,
            table_elements: 20_000,
            instances: 20,
            memories: 8,
            tables: 16,
            handles: 1_000,
            boundary_bytes: 4 * 1024 * 1024,
            outcome_bytes: 1_024,
        }
    }
}

/// Puts `over` on top of `under`, table by table.
fn overlay(under: &mut toml::Table, over: toml::Table) {
    for (key, value) in over {
        match (under.get_mut(&key), value) {
            (Some(toml::Value::Table(under)), toml::Value::Table(over)) => overlay(under, over),
            (_, value) => {
                under.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use platinum_core::ZoneId;

    const LEAST: &str = "[vault]\npath = \"v\"\nstate = \"s\"\n";

    fn wrong(text: &str, role: Role) -> String {
        Config::parse(text)
            .and_then(|config| config.checked(role))
            .unwrap_err()
    }

    #[test]
    fn config_of_two_paths_is_enough() {
        let config = Config::parse(LEAST).unwrap().checked(Role::Cloud).unwrap();
        assert_eq!(config.agent(Role::Cloud).unwrap().as_str(), "cloud");
        assert_eq!(config.work.zones, [ZoneId::EMAIL]);
        assert_eq!(config.narrowed(), Ok(None));
    }

    #[test]
    fn defaults_of_the_file_are_those_of_the_code() {
        let config = Config::parse("").unwrap();
        assert_eq!(config.model, platinum_llm::LlmConfig::default());
    }

    #[test]
    fn unknown_key_gets_a_suggestion() {
        let text = format!("{LEAST}[sync]\nremotes = \"x\"\n");
        assert_eq!(
            wrong(&text, Role::Local),
            "there is no key `remotes`; did you mean `remote`?"
        );
        let text = format!("{LEAST}[zone.email]\naccount = \"x\"\n");
        assert_eq!(
            wrong(&text, Role::Local),
            "there is no key `zone`; did you mean `zones`?"
        );
    }

    #[test]
    fn cloud_config_with_a_local_zone_is_refused() {
        let text = format!("{LEAST}[work]\nzones = [\"email\", \"payments\"]\n");
        assert_eq!(
            wrong(&text, Role::Cloud),
            "`work.zones` has `payments`, which belongs to the owner's machine alone"
        );
    }

    #[test]
    fn missing_vault_is_named() {
        assert_eq!(
            wrong("", Role::Local),
            "`vault.path` is missing; `platinum init` writes a file that has it"
        );
    }

    /// A zone is worked in as soon as it has a section, unless there is a list without it. A zone that an author
    /// adds needs no line in the list.
    #[test]
    fn config_work_zones_are_those_named_and_those_added() {
        let configured = |lines: &str| {
            let text = format!("{LEAST}{lines}[zones.notes]\n[zones.social]\n");
            let mut config = Config::parse(&text).unwrap();
            let base = PathBase {
                folder: "/etc/p".into(),
                home: None,
            };
            config.zones.configure(&base).unwrap();
            config
        };
        let zones = |lines: &str| -> Vec<String> {
            let zones = configured(lines).work_zones();
            zones.iter().map(ToString::to_string).collect()
        };
        assert_eq!(zones(""), ["email", "notes", "social"]);
        assert_eq!(zones("[work]\nzones = []\n"), ["notes"]);
        assert_eq!(zones("[work]\nzones = [\"email\"]\n"), ["email", "notes"]);

        let payments = "[zones.payments]\n";
        assert_eq!(configured(payments).check_zones(Role::Local), Ok(()));
        assert_eq!(
            configured(payments).check_zones(Role::Cloud).unwrap_err(),
            "[zones.payments] is a section of a zone that belongs to the owner's machine alone"
        );
    }

    #[test]
    fn config_folders_of_a_skill_are_read() {
        let text = |access: &str| {
            format!("{LEAST}[skills.draft-notes]\nfolders = {{ \"Projects/A\" = \"{access}\" }}\n")
        };
        let config = Config::parse(&text("write")).unwrap().checked(Role::Local);
        let folders = config.unwrap().folders().unwrap();
        let (skill, folders) = folders.first_key_value().unwrap();
        assert_eq!(skill.as_str(), "draft-notes");
        assert_eq!(folders[0].0.as_str(), "Projects/A");
        assert_eq!(folders[0].1, FolderAccess::Write);
        assert_eq!(
            wrong(&text("rw"), Role::Local),
            "`skills.draft-notes.folders`: `Projects/A`: unknown access `rw`; expected `read` or \
             `write`"
        );
        let outside = text("read").replace("Projects/A", "../Projects");
        assert!(Config::parse(&outside).is_err());
    }

    #[test]
    fn config_of_approvals_is_read() {
        let config = Config::parse(LEAST).unwrap().approvals;
        assert_eq!(config.hold_seconds, 10);
        assert_eq!(config.other_devices, OtherDevices::Hold);
        let with = |line: &str| Config::parse(&format!("{LEAST}[approvals]\n{line}\n"));
        let config = with("hold-seconds = 0\nother-devices = \"accept\"");
        let config = config.unwrap().approvals;
        assert_eq!(config.hold_seconds, 0);
        assert_eq!(config.other_devices, OtherDevices::Accept);
        assert!(with("other-devices = \"maybe\"").is_err());
        let text = format!("{LEAST}[approvals]\nhold-seconds = 86401\n");
        assert_eq!(
            wrong(&text, Role::Local),
            "`approvals.hold-seconds` is 86401; 0 to 86400"
        );
    }

    #[test]
    fn config_unknown_capability_is_named() {
        let text = format!("{LEAST}[work]\ncapabilities = [\"email/sned\"]\n");
        assert!(wrong(&text, Role::Local).contains("unknown capability `email/sned`"));
    }
}
