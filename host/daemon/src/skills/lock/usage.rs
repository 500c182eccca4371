//! [`GrantUsage`]: which of its grants each skill has used on this machine, so that the owner sees
//! those that it does not need.
//!
//! Lives elsewhere: that a skill called an interface is noted by the engine.
//! Invariants: it only ever grows, and is written when it does; it decides nothing: a file that
//! cannot be read or written costs the marks in `platinum skill list`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, io,
    path::{Path, PathBuf},
};

use platinum_core::Capability;

use crate::SkillName;

/// The file in the state folder.
const USAGE_FILE: &str = "grants-used.json";

/// By skill, the interfaces that it has called; a skill is here once it was run.
#[derive(Debug, Default)]
pub struct GrantUsage {
    path: PathBuf,
    used: BTreeMap<String, BTreeSet<String>>,
}

impl GrantUsage {
    /// Reads what is known in a state folder; nothing, if there is no file or it is broken.
    pub fn read(state: &Path) -> Self {
        let path = state.join(USAGE_FILE);
        let read = fs::read(&path).and_then(|bytes| Ok(serde_json::from_slice(&bytes)?));
        let used = read.unwrap_or_else(|error: io::Error| {
            if error.kind() != io::ErrorKind::NotFound {
                tracing::warn!(
                    "Which grants were used is not known: {}: {error}.",
                    path.display()
                );
            }
            BTreeMap::new()
        });
        Self { path, used }
    }

    /// The interfaces that a skill has called; none if it was never run here.
    pub fn of(&self, skill: &str) -> Option<&BTreeSet<String>> {
        self.used.get(skill)
    }

    /// Notes what a skill that was run has called so far.
    pub(in crate::skills) fn record(
        &mut self,
        skill: &SkillName,
        called: impl Iterator<Item = Capability>,
    ) {
        let known = self.used.entry(skill.to_string());
        let is_first = matches!(known, std::collections::btree_map::Entry::Vacant(_));
        let known = known.or_default();
        let before = known.len();
        known.extend(called.map(|capability| capability.interface().to_owned()));
        if (is_first || known.len() > before)
            && let Err(error) = self.write()
        {
            tracing::warn!(
                "Which grants are used is not noted: {}: {error}.",
                self.path.display()
            );
        }
    }

    fn write(&self) -> io::Result<()> {
        let new = self.path.with_extension("new");
        fs::write(&new, serde_json::to_vec(&self.used)?)?;
        fs::rename(new, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_grows_and_is_read_again() {
        let state = tempfile::tempdir().unwrap();
        let skill: SkillName = "one".parse().unwrap();
        let mut usage = GrantUsage::read(state.path());
        assert_eq!(usage.of("one"), None);
        usage.record(&skill, std::iter::empty());
        assert!(GrantUsage::read(state.path()).of("one").unwrap().is_empty());
        usage.record(&skill, [Capability::SkillLog].into_iter());
        usage.record(&skill, [Capability::TasksRead].into_iter());
        usage.record(&skill, std::iter::empty());
        let again = GrantUsage::read(state.path());
        let called: Vec<_> = again
            .of("one")
            .unwrap()
            .iter()
            .map(String::as_str)
            .collect();
        assert_eq!(
            called,
            ["platinum:skill/log@0.1.0", "platinum:tasks/read@0.1.0"]
        );
    }

    #[test]
    fn usage_that_cannot_be_read_is_empty() {
        let state = tempfile::tempdir().unwrap();
        fs::write(state.path().join(USAGE_FILE), "[").unwrap();
        assert_eq!(GrantUsage::read(state.path()).of("one"), None);
    }
}
