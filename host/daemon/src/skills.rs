//! [`SkillSet`]: the installed skills, each admitted or refused by the role's linker.
//!
//! An installed skill is a folder `<name>/` with `SKILL.md` and `skill.wasm`. Both halves of the
//! house get the same folder: what the role refuses is not an error, it is the point.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use platinum_core::{Clock, SystemClock, ZoneId};
use platinum_engine::{Invocation, InvokeError, Limits, LoadError, Outcome, Skill, SkillHost};
use platinum_vault::note::Note;

/// The component's file in a skill's folder.
pub const INSTALLED_WASM: &str = "skill.wasm";
/// The instructions' file in a skill's folder.
const INSTRUCTIONS: &str = "SKILL.md";
/// Largest SKILL.md, in bytes.
const MAX_INSTRUCTIONS_BYTES: u64 = 64 * 1024;
/// Largest component, in bytes.
const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// A skill as it lies on the disk.
#[derive(Debug, Clone)]
pub struct Installed {
    /// Its folder's name, which is the skill's.
    pub name: String,
    /// One line of what it does.
    pub description: String,
    /// The body of SKILL.md.
    pub instructions: String,
    /// The component.
    pub component: PathBuf,
}

/// Why installed skills cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum SkillsError {
    /// The folder is not there.
    #[error(
        "the folder of skills {path} cannot be read ({why}); `work.skills` names it, and `cargo xtask skills` fills one"
    )]
    Folder {
        /// Which folder.
        path: PathBuf,
        /// Why.
        why: std::io::Error,
    },
    /// A skill's file is missing or too large.
    #[error("the skill {skill}: {path} cannot be read: {what}")]
    File {
        /// Which skill.
        skill: String,
        /// Which file.
        path: PathBuf,
        /// Why.
        what: String,
    },
    /// SKILL.md is not of the Agent Skills format.
    #[error("the skill {skill}: its SKILL.md {what}")]
    Instructions {
        /// Which skill.
        skill: String,
        /// What is wrong with it.
        what: String,
    },
}

/// The skills in a folder, by name.
///
/// # Errors
/// If the folder or a skill in it cannot be read.
pub fn installed(folder: &Path) -> Result<Vec<Installed>, SkillsError> {
    let unreadable = |why| SkillsError::Folder {
        path: folder.to_owned(),
        why,
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let path = entry.path();
        if path.join(INSTRUCTIONS).is_file() && path.join(INSTALLED_WASM).is_file() {
            found.push(read_skill(
                entry.file_name().to_string_lossy().into_owned(),
                &path,
            )?);
        }
    }
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read_skill(name: String, folder: &Path) -> Result<Installed, SkillsError> {
    let path = folder.join(INSTRUCTIONS);
    let text =
        String::from_utf8(read_bounded(&name, &path, MAX_INSTRUCTIONS_BYTES)?).map_err(|_| {
            SkillsError::Instructions {
                skill: name.clone(),
                what: "is not UTF-8".into(),
            }
        })?;
    let wrong = |what: String| SkillsError::Instructions {
        skill: name.clone(),
        what,
    };
    let note =
        Note::parse(&text).map_err(|error| wrong(format!("has broken frontmatter: {error}")))?;
    let field = |key: &str| {
        note.front()
            .get(key)
            .and_then(|value| value.as_str())
            .map(str::to_owned)
    };
    let declared = field("name").ok_or_else(|| wrong("has no `name`".to_owned()))?;
    if declared != name {
        return Err(wrong(format!(
            "names it `{declared}`, but its folder is `{name}`"
        )));
    }
    let description =
        field("description").ok_or_else(|| wrong("has no `description`".to_owned()))?;
    Ok(Installed {
        description,
        instructions: note.body().trim().to_owned(),
        component: folder.join(INSTALLED_WASM),
        name,
    })
}

fn read_bounded(skill: &str, path: &Path, most: u64) -> Result<Vec<u8>, SkillsError> {
    let wrong = |what: String| SkillsError::File {
        skill: skill.to_owned(),
        path: path.to_owned(),
        what,
    };
    let size = std::fs::metadata(path)
        .map_err(|error| wrong(error.to_string()))?
        .len();
    if size > most {
        return Err(wrong(format!("it has {size} bytes; {most} is the most")));
    }
    std::fs::read(path).map_err(|error| wrong(error.to_string()))
}

impl Installed {
    /// Reads the component.
    ///
    /// # Errors
    /// If the file is gone or too large.
    pub fn read_component(&self) -> Result<Vec<u8>, SkillsError> {
        read_bounded(&self.name, &self.component, MAX_COMPONENT_BYTES)
    }
}

/// The skills this host may run.
pub struct SkillSet {
    host: SkillHost,
    skills: BTreeMap<String, Skill>,
    refused: Vec<LoadError>,
    limits: Limits,
}

/// Why a skill did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It is not installed, or this role refuses it.
    #[error("the skill {0} is not installed here, or this role refuses it")]
    Absent(String),
    /// It ran and failed.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
}

impl SkillSet {
    /// Loads the installed skills through the role's linker.
    ///
    /// # Errors
    /// If the folder or a skill's files cannot be read. A refused skill is no error.
    pub fn load(host: SkillHost, folder: &Path, limits: Limits) -> Result<Self, SkillsError> {
        let (mut skills, mut refused) = (BTreeMap::new(), Vec::new());
        for found in installed(folder)? {
            let component = found.read_component()?;
            match host.load(&found.name, &component, &found.instructions) {
                Ok(skill) => {
                    skills.insert(found.name, skill);
                }
                Err(error) => {
                    tracing::info!("{error}");
                    refused.push(error);
                }
            }
        }
        Ok(Self {
            host,
            skills,
            refused,
            limits,
        })
    }

    /// The names of the skills that were admitted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.skills.keys().map(String::as_str)
    }

    /// Why the others were not.
    pub fn refused(&self) -> &[LoadError] {
        &self.refused
    }

    /// Runs a skill once, in a fresh instance.
    ///
    /// # Errors
    /// If it is not here, was stopped at a limit, or says that it failed.
    pub async fn run(
        &self,
        name: &str,
        invocation: Invocation,
        zones: &[ZoneId],
    ) -> Result<Outcome, RunError> {
        let skill = self
            .skills
            .get(name)
            .ok_or_else(|| RunError::Absent(name.to_owned()))?;
        let now = SystemClock.now();
        Ok(self
            .host
            .invoke(skill, invocation, zones.to_vec(), now, &self.limits)
            .await?)
    }
}
