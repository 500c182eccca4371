//! The installed skills as a configuration has them: which were added, and what becomes of each.

use std::path::Path;

use platinum_core::Role;
use platinum_daemon::{
    Config,
    skills::{
        Catalog, FolderGrants, KnownZones, LockError, LockMemory, SkillLock, SkillRow, Survey,
    },
};
use platinum_repo::Signers;
use platinum_verify::identity::KEY_FILE;

use super::{
    super::{CommandError, Kind, keys::identity},
    Checker,
};

/// The folders of installed skills.
pub(super) fn read_catalog(folder: &Path) -> Result<Catalog, CommandError> {
    Catalog::read(folder).map_err(|error| CommandError::new(Kind::NotFound, error.to_string()))
}

/// What becomes of every installed skill on a host of a role, with this configuration.
pub(in super::super) fn skill_rows(
    checker: &Checker,
    folder: &Path,
    config: Option<&Config>,
    role: Role,
) -> Result<Vec<SkillRow>, CommandError> {
    let mut catalog = read_catalog(folder)?;
    // Without a configuration there is no owner who could have added one.
    if let Some(config) = config {
        catalog.pin(role, &read_lock(folder, config)?);
    }
    let mut zones = match config {
        Some(config) => KnownZones::of(role, config),
        None => KnownZones::built_in(role),
    };
    if role == Role::Cloud {
        // Which sources run there is in the configuration there.
        zones.sources = None;
    }
    let survey = Survey::of(&catalog, &zones, |skill, component| {
        checker.check(skill.manifest.name.as_str(), component, role)
    });
    let mut rows = survey.rows();
    let configured = config.map(|config| (config, config.folders()));
    if let Some((config, Ok(folders))) = configured {
        let agent = config
            .agent(role)
            .map_err(|what| CommandError::new(Kind::Config, what))?;
        let grants = FolderGrants::decide(role, &agent, folders);
        rows.extend(survey.folder_rows(&grants));
    }
    Ok(rows)
}

/// The lock of a folder as the daemon finds it. Nobody's counts as long as this machine has no key: showing makes
/// none.
pub(super) fn read_lock(
    folder: &Path,
    config: &Config,
) -> Result<Result<SkillLock, LockError>, CommandError> {
    let state = &config.vault.state;
    let signers = match state.join(KEY_FILE).exists() {
        true => identity(config)?.signers()?,
        false => Signers::default(),
    };
    Ok(SkillLock::read(folder, &signers, &LockMemory::of(state)))
}
