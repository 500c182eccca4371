//! [`SkillLock`]: the skills that the owner added, each as it was then: `skills.lock` in the folder
//! of installed skills, signed with the key of the owner's machine.
//!
//! Lives here: the file, and the comparison of an installed skill with it.
//! Lives elsewhere: what the owner is told and asked before a skill is added is `platinum skill
//! add`'s; keeping unlocked skills from running is [`Catalog::pin`](super::Catalog::pin)'s.
//! Invariants: nothing of an unsigned, changed or foreign file is used, nor of one that is older than
//! one that this machine used before; an entry binds the bytes of the component and of `SKILL.md`, so
//! what a skill imports and runs on cannot change behind it.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, Read as _},
    path::{Path, PathBuf},
    time::Duration,
};

use platinum_core::{Role, Timestamp, sha256_hex};
use platinum_engine::LoadError;
use platinum_repo::{KeyError, Purpose, Signers, SigningKey, replace_file, signer_of_text};
use serde::{Deserialize, Serialize};

use super::LockMemory;
use crate::{SkillName, skills::InstalledSkill};

/// The lock's file in the folder of installed skills.
pub const LOCK_FILE: &str = "skills.lock";
/// Where the signature begins.
const SIGNATURE: &str = "-----BEGIN SSH SIGNATURE-----";
/// Largest lock, in bytes.
const MAX_LOCK_BYTES: u64 = 1 << 20;
/// So much later than the one before is a lock, if the clock stands still or went back.
const LOCK_STEP: Duration = Duration::from_millis(1);
const HEADER: &str = "# The skills that the owner added, as they were then. `platinum skill add` writes this file;\n\
                      # a change by hand breaks its signature.\n\n";

/// The skills that the owner added, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SkillLock {
    /// When it was written: later than every lock that was known to its writer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    written: Option<Timestamp>,
    #[serde(default, rename = "skill")]
    skills: BTreeMap<String, LockedSkill>,
}

/// A skill as it was when the owner added it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LockedSkill {
    /// The SHA-256 of its component, in hexadecimal digits.
    pub component: String,
    /// The SHA-256 of its `SKILL.md`, in hexadecimal digits.
    pub manifest: String,
    /// The events that it asks for.
    pub on: Vec<String>,
    /// The zones that it works in; none: every zone.
    pub zones: Vec<String>,
    /// What its component imports.
    pub imports: Vec<String>,
    /// The interfaces that each role gave it; a role that is not here refused it.
    pub grants: BTreeMap<String, Vec<String>>,
}

/// Why there is no lock that counts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// There is no file.
    #[error(
        "no skill in {} was added by the owner: it has no {LOCK_FILE}; on the owner's machine, `platinum skill add --all {}` says what each may do and adds them, and a cloud host needs a copy of that folder",
        .folder.display(), .folder.display()
    )]
    Missing {
        /// The folder of installed skills.
        folder: PathBuf,
    },
    /// The file cannot be used.
    #[error(
        "{} cannot be used: {reason}; `platinum skill add --all {}` on the owner's machine writes it anew",
        .folder.join(LOCK_FILE).display(), .folder.display()
    )]
    Broken {
        /// The folder of installed skills.
        folder: PathBuf,
        /// Why.
        reason: String,
    },
    /// The owner signed it, and a newer one later.
    #[error(
        "{} is older than one that was used here before: it was written {}, that one {newest}; put the newer one back with its skills, or see what is new and add it with `platinum skill add --all {}` on the owner's machine",
        .folder.join(LOCK_FILE).display(),
        .written.map_or_else(|| "before locks said when".to_owned(), |at| at.to_string()),
        .folder.display()
    )]
    Older {
        /// The folder of installed skills.
        folder: PathBuf,
        /// When it was written, if it says so.
        written: Option<Timestamp>,
        /// When the newest one was written that was used here.
        newest: Timestamp,
    },
}

/// Why a skill is not the one that the owner added.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unlocked {
    /// No skill of this name was added.
    #[error("the owner did not add it; `platinum skill add {0}` says what it may do and adds it")]
    New(String),
    /// A file is another one.
    #[error(
        "its {file} is not the one that the owner added; put the former one back, or see what is new with `platinum skill add {folder}`"
    )]
    Changed {
        /// The folder of the skill.
        folder: String,
        /// Which file.
        file: &'static str,
    },
    /// This version of Platinum gives it more.
    #[error(
        "role {role} gives it {} since the owner added it; `platinum skill add {folder}` says so and adds it again",
        .more.join(", ")
    )]
    MoreGranted {
        /// The folder of the skill.
        folder: String,
        /// The role.
        role: Role,
        /// The interfaces.
        more: Vec<String>,
    },
}

impl LockedSkill {
    /// A skill as it is now. Nothing of it is compiled.
    ///
    /// # Errors
    /// If the bytes are not a component.
    pub fn of(skill: &InstalledSkill, component: &[u8]) -> Result<Self, LoadError> {
        let imports = platinum_engine::imports_of(component)?;
        let manifest = &skill.manifest;
        let grants = Role::ALL.into_iter().filter_map(|role| {
            let granted =
                platinum_policy::decide(imports.iter().map(String::as_str), role, None).ok()?;
            let names = granted.iter().map(|one| one.interface().to_owned());
            Some((role.to_string(), names.collect()))
        });
        Ok(Self {
            component: sha256_hex(component),
            manifest: skill.manifest_digest.clone(),
            on: manifest.events.iter().map(ToString::to_string).collect(),
            zones: manifest.zones.iter().map(ToString::to_string).collect(),
            grants: grants.collect(),
            imports,
        })
    }
}

impl SkillLock {
    /// Reads the lock of a folder of installed skills. It counts if an owner's machine that is
    /// among `signers` signed it, and no newer one was used here. Remembers nothing.
    ///
    /// # Errors
    /// If there is none, or it does not count.
    pub fn read(folder: &Path, signers: &Signers, memory: &LockMemory) -> Result<Self, LockError> {
        let lock = Self::read_signed(folder, signers)?;
        let newest = memory.newest().map_err(|error| LockError::Broken {
            folder: folder.to_owned(),
            reason: format!("which one was used last is not known: {error}"),
        })?;
        match newest {
            Some(newest) if lock.written < Some(newest) => Err(LockError::Older {
                folder: folder.to_owned(),
                written: lock.written,
                newest,
            }),
            _ => Ok(lock),
        }
    }

    /// As [`SkillLock::read`], for the host that runs its skills: no older lock counts here from now on.
    ///
    /// # Errors
    /// As [`SkillLock::read`], and if that cannot be noted.
    pub fn take_up(
        folder: &Path,
        signers: &Signers,
        memory: &LockMemory,
    ) -> Result<Self, LockError> {
        let lock = Self::read(folder, signers, memory)?;
        let noted = lock.written.map_or(Ok(()), |written| memory.raise(written));
        noted.map_err(|error| LockError::Broken {
            folder: folder.to_owned(),
            reason: format!("that it is used cannot be noted: {error}"),
        })?;
        Ok(lock)
    }

    fn read_signed(folder: &Path, signers: &Signers) -> Result<Self, LockError> {
        let broken = |reason: String| LockError::Broken {
            folder: folder.to_owned(),
            reason,
        };
        let file = match fs::File::open(folder.join(LOCK_FILE)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(LockError::Missing {
                    folder: folder.to_owned(),
                });
            }
            opened => opened.map_err(|error| broken(error.to_string()))?,
        };
        let mut text = String::new();
        file.take(MAX_LOCK_BYTES + 1)
            .read_to_string(&mut text)
            .map_err(|error| broken(error.to_string()))?;
        if text.len() as u64 > MAX_LOCK_BYTES {
            return Err(broken(format!("it has more than {MAX_LOCK_BYTES} bytes")));
        }
        let start = text
            .find(SIGNATURE)
            .ok_or_else(|| broken("it is not signed".to_owned()))?;
        let (body, signature) = text.split_at(start);
        let key = signer_of_text(Purpose::SkillLock, body, signature).map_err(broken)?;
        if signers
            .of(&key)
            .is_none_or(|signer| signer.role != Role::Local)
        {
            return Err(broken(format!(
                "it is signed by the key {}, which is not that of an owner's machine trusted here",
                key.fingerprint()
            )));
        }
        toml::from_str(body).map_err(|error| broken(error.message().to_owned()))
    }

    /// Writes the lock, signed; the former one is replaced as a whole, and does not count here any more.
    /// It is newer than every lock that is known here, and, as clocks go, than those that this machine has
    /// forgotten since it was restored from a backup.
    ///
    /// # Errors
    /// If the key cannot sign or a file cannot be written.
    pub fn write(
        &mut self,
        folder: &Path,
        key: &SigningKey,
        memory: &LockMemory,
        now: Timestamp,
    ) -> io::Result<()> {
        let newest = memory.newest()?.max(self.written);
        let after = newest.and_then(|newest| newest.checked_add(LOCK_STEP).ok());
        let written = after.map_or(now, |after| after.max(now));
        self.written = Some(written);
        let body = toml::to_string(self).map_err(io::Error::other)?;
        let body = format!("{HEADER}{body}\n");
        let signature = key
            .sign_text(Purpose::SkillLock, &body)
            .map_err(|error: KeyError| io::Error::other(error.to_string()))?;
        let text = format!("{body}{signature}");
        replace_file(&folder.join(LOCK_FILE), text.as_bytes())?;
        memory.raise(written)
    }

    /// What the owner added under a name.
    pub fn get(&self, name: &SkillName) -> Option<&LockedSkill> {
        self.skills.get(name.as_str())
    }

    /// Takes a skill in, in the place of the former one of its name.
    pub fn put(&mut self, name: &SkillName, skill: LockedSkill) {
        self.skills.insert(name.to_string(), skill);
    }

    /// Whether an installed skill is the one that the owner added, as far as its component was not
    /// read; that follows when it is.
    pub(in crate::skills) fn check(
        &self,
        role: Role,
        skill: &InstalledSkill,
    ) -> Result<(), Unlocked> {
        let folder = || skill.folder().display().to_string();
        let Some(locked) = self.get(&skill.manifest.name) else {
            return Err(Unlocked::New(folder()));
        };
        if locked.manifest != skill.manifest_digest {
            return Err(Unlocked::Changed {
                folder: folder(),
                file: "SKILL.md",
            });
        }
        let imports = locked.imports.iter().map(String::as_str);
        let Ok(now) = platinum_policy::decide(imports, role, None) else {
            // The role refuses it, in its own words.
            return Ok(());
        };
        let then = locked.grants.get(role.as_str());
        let is_new = |name: &String| then.is_none_or(|then| !then.contains(name));
        let more: Vec<String> = now
            .iter()
            .map(|one| one.interface().to_owned())
            .filter(is_new)
            .collect();
        match more.is_empty() {
            true => Ok(()),
            false => Err(Unlocked::MoreGranted {
                folder: folder(),
                role,
                more,
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use platinum_repo::Signer;

    use super::*;
    use crate::skills::Catalog;

    const COMPONENT: &[u8] = b"\0asm\x0d\0\x01\0";

    fn signed_by(seed: u8, role: Role) -> (SigningKey, Signers) {
        let key = SigningKey::from_seed([seed; 32]).unwrap();
        let mut signers = Signers::default();
        let signer = Signer {
            agent: role.as_str().parse().unwrap(),
            role: role.into(),
            key: key.public(),
        };
        signers.add(signer).unwrap();
        (key, signers)
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    /// A folder with the skill `one`, and a lock that has it as it is.
    fn installed() -> (tempfile::TempDir, SkillLock) {
        let folder = tempfile::tempdir().unwrap();
        let one = folder.path().join("one");
        fs::create_dir(&one).unwrap();
        fs::write(
            one.join("SKILL.md"),
            "---\nname: one\ndescription: x\n---\nx\n",
        )
        .unwrap();
        fs::write(one.join("skill.wasm"), COMPONENT).unwrap();
        let skill = InstalledSkill::read(&one).unwrap();
        let mut lock = SkillLock::default();
        let locked = LockedSkill::of(&skill, COMPONENT).unwrap();
        lock.put(&skill.manifest.name, locked);
        (folder, lock)
    }

    #[test]
    fn lock_counts_if_an_owners_machine_signed_it() {
        let (folder, mut lock) = installed();
        let memory = LockMemory::of(folder.path());
        let (key, signers) = signed_by(1, Role::Local);
        let missing = SkillLock::read(folder.path(), &signers, &memory).unwrap_err();
        assert!(matches!(missing, LockError::Missing { .. }), "{missing}");
        lock.write(folder.path(), &key, &memory, at(10)).unwrap();
        assert_eq!(
            SkillLock::read(folder.path(), &signers, &memory).unwrap(),
            lock
        );

        // Neither a stranger's nor a cloud host's key counts.
        let why = |signers: &Signers| SkillLock::read(folder.path(), signers, &memory).unwrap_err();
        let stranger = why(&signed_by(2, Role::Local).1).to_string();
        let foreign = format!(
            "is signed by the key {}, which is not that of an owner's machine trusted here",
            key.public().fingerprint()
        );
        assert!(stranger.contains(&foreign), "{stranger}");
        assert!(
            why(&signed_by(1, Role::Cloud).1)
                .to_string()
                .contains(&foreign)
        );

        let path = folder.path().join(LOCK_FILE);
        let text = fs::read_to_string(&path).unwrap();
        for (edited, expected) in [
            (
                text.replacen("zones", "zoned", 1),
                "its contents are not those that were signed",
            ),
            (text.replace(SIGNATURE, ""), "it is not signed"),
            (String::new(), "it is not signed"),
        ] {
            fs::write(&path, edited).unwrap();
            let why = why(&signers).to_string();
            assert!(why.contains(expected), "{why}");
        }
    }

    /// A lock that the owner signed before, put back with the skills of then.
    #[test]
    fn lock_older_than_one_that_was_used_is_refused() {
        let (folder, mut lock) = installed();
        let (key, signers) = signed_by(1, Role::Local);
        let path = folder.path().join(LOCK_FILE);
        let state = tempfile::tempdir().unwrap();
        let memory = LockMemory::of(state.path());
        let take_up = || SkillLock::take_up(folder.path(), &signers, &memory);
        let elsewhere = tempfile::tempdir().unwrap();
        let owners = LockMemory::of(elsewhere.path());

        lock.write(folder.path(), &key, &owners, at(10)).unwrap();
        let first = fs::read_to_string(&path).unwrap();
        take_up().unwrap();
        lock.write(folder.path(), &key, &owners, at(20)).unwrap();
        let second = fs::read_to_string(&path).unwrap();
        // Only looking at it forgets nothing of the first.
        SkillLock::read(folder.path(), &signers, &memory).unwrap();
        assert_eq!(memory.newest().unwrap(), Some(at(10)));
        take_up().unwrap();
        take_up().unwrap();
        fs::write(&path, first).unwrap();
        let refused = take_up().unwrap_err();
        let folder_name = folder.path().display();
        assert_eq!(
            refused.to_string(),
            format!(
                "{folder_name}/skills.lock is older than one that was used here before: it was written \
                 1970-01-01T00:00:10Z, that one 1970-01-01T00:00:20Z; put the newer one back with its \
                 skills, or see what is new and add it with `platinum skill add --all {folder_name}` on \
                 the owner's machine"
            )
        );
        // The owner's machine has forgotten both, from a backup; what it writes then is newer all the same.
        fs::write(&path, second).unwrap();
        take_up().unwrap();
        fs::remove_file(elsewhere.path().join("skills-lock-seen")).unwrap();
        SkillLock::default()
            .write(folder.path(), &key, &owners, at(30))
            .unwrap();
        take_up().unwrap();
        assert_eq!(memory.newest().unwrap(), Some(at(30)));
    }

    /// A clock that went back makes no lock older; one that says no time is older than all that do.
    #[test]
    fn lock_is_newer_than_the_one_before_whatever_the_clock_says() {
        let (folder, mut lock) = installed();
        let (key, signers) = signed_by(1, Role::Local);
        let memory = LockMemory::of(folder.path());
        let undated = toml::to_string(&lock).unwrap();
        lock.write(folder.path(), &key, &memory, at(20)).unwrap();
        let mut newer = SkillLock::default();
        newer.write(folder.path(), &key, &memory, at(5)).unwrap();
        assert!(newer.written > lock.written, "{newer:?}");
        SkillLock::take_up(folder.path(), &signers, &memory).unwrap();

        let body = format!("{HEADER}{undated}\n");
        let signature = key.sign_text(Purpose::SkillLock, &body).unwrap();
        fs::write(folder.path().join(LOCK_FILE), format!("{body}{signature}")).unwrap();
        let refused = SkillLock::take_up(folder.path(), &signers, &memory).unwrap_err();
        let why = refused.to_string();
        assert!(
            why.contains("it was written before locks said when"),
            "{why}"
        );
    }

    #[test]
    fn lock_memory_that_cannot_be_read_lets_no_lock_count() {
        let (folder, mut lock) = installed();
        let (key, signers) = signed_by(1, Role::Local);
        let memory = LockMemory::of(folder.path());
        lock.write(folder.path(), &key, &memory, at(10)).unwrap();
        fs::write(folder.path().join("skills-lock-seen"), "yesterday\n").unwrap();
        let refused = SkillLock::take_up(folder.path(), &signers, &memory).unwrap_err();
        let why = refused.to_string();
        assert!(
            why.contains("which one was used last is not known"),
            "{why}"
        );
        lock.write(folder.path(), &key, &memory, at(20))
            .unwrap_err();
    }

    /// The component that is read is the one that was added, also if it changed a moment ago.
    #[test]
    fn pinned_skill_reads_the_component_that_was_added() {
        let (folder, lock) = installed();
        let mut catalog = Catalog::read(folder.path()).unwrap();
        catalog.pin(Role::Cloud, &Ok(lock));
        let skill = catalog.skills().next().unwrap();
        assert_eq!(skill.read_component().unwrap(), COMPONENT);
        fs::write(
            folder.path().join("one/skill.wasm"),
            b"\0asm\x0d\0\x01\0 and more",
        )
        .unwrap();
        let refused = skill.read_component().unwrap_err().to_string();
        assert!(
            refused.starts_with("its skill.wasm is not the one that the owner added"),
            "{refused}"
        );
    }

    /// A version of Platinum that grants a role more does not grant it to skills that were added
    /// before.
    #[test]
    fn lock_refuses_grants_that_are_new_since() {
        let (folder, mut lock) = installed();
        let skill = InstalledSkill::read(&folder.path().join("one")).unwrap();
        let import = "platinum:email/send@0.1.0".to_owned();
        if let Some(locked) = lock.skills.get_mut("one") {
            locked.imports = vec![import];
        }
        assert_eq!(
            lock.check(Role::Cloud, &skill),
            Ok(()),
            "the cloud refuses it by itself"
        );
        let refused = lock.check(Role::Local, &skill).unwrap_err().to_string();
        let expected = "role local gives it platinum:email/send@0.1.0 since the owner added it; \
                        `platinum skill add ";
        assert!(refused.starts_with(expected), "{refused}");
    }

    #[test]
    fn pin_without_a_lock_leaves_no_skill() {
        let (folder, _) = installed();
        let memory = LockMemory::of(folder.path());
        let lock = SkillLock::read(folder.path(), &Signers::default(), &memory);
        let mut catalog = Catalog::read(folder.path()).unwrap();
        catalog.pin(Role::Local, &lock);
        assert_eq!(catalog.skills().count(), 0);
        let (_, defect) = catalog.defects().next().unwrap();
        assert_eq!(defect.to_string(), lock.unwrap_err().to_string());
    }
}
