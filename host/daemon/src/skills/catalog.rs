//! [`Catalog`]: the folders of installed skills, each readable or with the reason why not.
//!
//! An installed skill is a folder `<name>/` with `SKILL.md` and `skill.wasm`. Every host gets the
//! same folders: what its role refuses is no defect of the folder.
//!
//! Lives elsewhere: what the owner added is in [`lock`](super::lock).
//! Invariants: of a catalogue that was pinned, only what the owner added is a skill, and the bytes
//! that are read of it are those that were added; one bad folder is one entry with its reason, and no other folder suffers from it.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use platinum_core::{Role, sha256_hex};

use super::{
    lock::{LockError, SkillLock, Unlocked},
    manifest::{Manifest, ManifestError},
};

/// The component's file in a skill's folder.
pub const INSTALLED_WASM: &str = "skill.wasm";
/// The manifest's file in a skill's folder.
const MANIFEST: &str = "SKILL.md";
/// Largest `SKILL.md`, in bytes.
const MAX_MANIFEST_BYTES: u64 = 64 * 1024;
/// Largest component, in bytes.
pub const MAX_COMPONENT_BYTES: u64 = 64 * 1024 * 1024;

/// A skill whose folder is in order.
#[derive(Debug, Clone)]
pub struct InstalledSkill {
    /// What its `SKILL.md` says.
    pub manifest: Manifest,
    /// Its component's file.
    pub component: PathBuf,
    /// The SHA-256 of its `SKILL.md`, in hexadecimal digits.
    pub manifest_digest: String,
    /// The SHA-256 that its component has to have; none if the catalogue was not pinned.
    pin: Option<String>,
}

/// A folder of the catalogue.
#[derive(Debug)]
pub struct CatalogEntry {
    /// The folder's name; what cannot be shown in it is escaped.
    pub folder: String,
    /// The skill in it, or why there is none.
    pub skill: Result<InstalledSkill, SkillDefect>,
}

/// The folders of installed skills, by name.
#[derive(Debug, Default)]
pub struct Catalog {
    /// One for each folder.
    pub entries: Vec<CatalogEntry>,
}

/// There is no folder of skills.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the folder of skills {path}: {source}; `work.skills` names it, and `cargo xtask skills` fills one"
)]
pub struct CatalogError {
    path: PathBuf,
    source: std::io::Error,
}

/// Why a folder is no skill.
#[derive(Debug, thiserror::Error)]
pub enum SkillDefect {
    /// The folder's name cannot be a skill's.
    #[error(
        "the folder's name cannot be a skill's; use 1 to 64 of a-z, 0-9 and single hyphens, as in `draft-email`"
    )]
    Name,
    /// `SKILL.md` is not as it has to be.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A file is not there.
    #[error("{file} is missing")]
    Missing {
        /// Which file.
        file: &'static str,
    },
    /// A file is too large.
    #[error("{file} has {bytes} bytes; {most} is the most")]
    TooLarge {
        /// Which file.
        file: &'static str,
        /// How many it has.
        bytes: u64,
        /// How many it may have.
        most: u64,
    },
    /// A file cannot be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// Which file.
        file: &'static str,
        /// Why.
        reason: String,
    },
    /// It is not what the owner added.
    #[error(transparent)]
    Unlocked(#[from] Unlocked),
    /// What the owner added is not known.
    #[error("{0}")]
    NoLock(LockError),
}

impl Catalog {
    /// Reads the folders of installed skills. Hidden ones are passed over: a copy that is under way
    /// has such a name.
    ///
    /// # Errors
    /// If the folder of the folders cannot be listed. A bad folder in it is an entry.
    pub fn read(folder: &Path) -> Result<Self, CatalogError> {
        let failed = |source| CatalogError {
            path: folder.to_owned(),
            source,
        };
        let mut entries = Vec::new();
        for entry in std::fs::read_dir(folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name();
            if name.as_encoded_bytes().starts_with(b".") || !entry.path().is_dir() {
                continue;
            }
            let skill = InstalledSkill::read(&entry.path());
            let folder = name.to_string_lossy().escape_debug().take(80).collect();
            entries.push(CatalogEntry { folder, skill });
        }
        entries.sort_by(|a, b| a.folder.cmp(&b.folder));
        Ok(Self { entries })
    }

    /// Leaves only the skills that the owner added, as they were then; every other one becomes a
    /// folder with its reason.
    pub fn pin(&mut self, role: Role, lock: &Result<SkillLock, LockError>) {
        for entry in &mut self.entries {
            let Ok(skill) = &mut entry.skill else {
                continue;
            };
            let checked = match lock {
                Ok(lock) => lock.check(role, skill).map_err(SkillDefect::from),
                Err(error) => Err(SkillDefect::NoLock(error.clone())),
            };
            match checked {
                Ok(()) => {
                    let locked = lock.as_ref().ok();
                    let locked = locked.and_then(|lock| lock.get(&skill.manifest.name));
                    skill.pin = locked.map(|locked| locked.component.clone());
                }
                Err(defect) => entry.skill = Err(defect),
            }
        }
    }

    /// The skills whose folders are in order.
    pub fn skills(&self) -> impl Iterator<Item = &InstalledSkill> {
        self.entries
            .iter()
            .filter_map(|entry| entry.skill.as_ref().ok())
    }

    /// The folders that are not, with the reason.
    pub fn defects(&self) -> impl Iterator<Item = (&str, &SkillDefect)> {
        self.entries.iter().filter_map(|entry| {
            let defect = entry.skill.as_ref().err()?;
            Some((entry.folder.as_str(), defect))
        })
    }
}

impl InstalledSkill {
    /// Reads the folder of a skill.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(folder: &Path) -> Result<Self, SkillDefect> {
        let name = folder.file_name().and_then(|name| name.to_str());
        let name = name
            .filter(|name| name.parse::<crate::SkillName>().is_ok())
            .ok_or(SkillDefect::Name)?;
        let bytes = read_file(folder, MANIFEST, MAX_MANIFEST_BYTES)?;
        let manifest_digest = sha256_hex(&bytes);
        let text = String::from_utf8(bytes).map_err(|_| SkillDefect::Unreadable {
            file: MANIFEST,
            reason: "it is not UTF-8".to_owned(),
        })?;
        let manifest = Manifest::parse(name, &text)?;
        check_file(folder, INSTALLED_WASM, MAX_COMPONENT_BYTES)?;
        Ok(Self {
            manifest,
            component: folder.join(INSTALLED_WASM),
            manifest_digest,
            pin: None,
        })
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.component.parent().unwrap_or(Path::new("."))
    }

    /// Reads the component. Of a pinned skill it is the one that the owner added.
    ///
    /// # Errors
    /// If the file is gone, has grown too large or cannot be read, or is not the one that was added.
    pub fn read_component(&self) -> Result<Vec<u8>, SkillDefect> {
        let bytes = read_file(self.folder(), INSTALLED_WASM, MAX_COMPONENT_BYTES)?;
        match &self.pin {
            Some(pin) if *pin != sha256_hex(&bytes) => Err(Unlocked::Changed {
                folder: self.folder().display().to_string(),
                file: INSTALLED_WASM,
            }
            .into()),
            _ => Ok(bytes),
        }
    }

    /// Copies the two files of a skill into a folder of its name below `installed`, as they were
    /// read: `component` has to be what [`InstalledSkill::read_component`] gave.
    ///
    /// # Errors
    /// If `SKILL.md` changed meanwhile, or something cannot be written.
    pub fn install(&self, component: &[u8], installed: &Path) -> std::io::Result<()> {
        let name = self.manifest.name.as_str();
        let target = installed.join(name);
        std::fs::create_dir_all(installed)?;
        if target.canonicalize().ok() == self.folder().canonicalize().ok() && target.exists() {
            return Ok(());
        }
        let manifest = read_file(self.folder(), MANIFEST, MAX_MANIFEST_BYTES)
            .map_err(std::io::Error::other)?;
        if sha256_hex(&manifest) != self.manifest_digest {
            return Err(std::io::Error::other("SKILL.md changed while it was read"));
        }
        // Hidden: half a copy is passed over.
        let new = installed.join(format!(".{name}.new"));
        let former = installed.join(format!(".{name}.former"));
        for left_over in [&new, &former] {
            if left_over.exists() {
                std::fs::remove_dir_all(left_over)?;
            }
        }
        std::fs::create_dir(&new)?;
        std::fs::write(new.join(MANIFEST), manifest)?;
        std::fs::write(new.join(INSTALLED_WASM), component)?;
        if !target.exists() {
            return std::fs::rename(&new, &target);
        }
        replace_folder(&new, &target, &former)?;
        std::fs::remove_dir_all(&former)
    }
}

/// Puts `new` in the place of `target`, which becomes `former`. There is always a whole folder at `target`: a
/// program that is killed here leaves the former skill or the new one, never none.
fn replace_folder(new: &Path, target: &Path, former: &Path) -> std::io::Result<()> {
    use rustix::{
        fs::{CWD, RenameFlags, renameat_with},
        io::Errno,
    };
    match renameat_with(CWD, new, CWD, target, RenameFlags::EXCHANGE) {
        Ok(()) => std::fs::rename(new, former),
        // A file system that cannot exchange two names.
        Err(Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
            std::fs::rename(target, former)?;
            std::fs::rename(new, target)
        }
        Err(error) => Err(error.into()),
    }
}

/// Checks that a file is there, is a file, and is not too large.
fn check_file(folder: &Path, file: &'static str, most: u64) -> Result<(), SkillDefect> {
    let unreadable = |reason: String| SkillDefect::Unreadable { file, reason };
    let data = match std::fs::metadata(folder.join(file)) {
        Ok(data) => data,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(SkillDefect::Missing { file });
        }
        Err(error) => return Err(unreadable(error.to_string())),
    };
    // Opening a pipe would wait for its other end.
    if !data.is_file() {
        return Err(unreadable("it is not a regular file".to_owned()));
    }
    let bytes = data.len();
    match bytes > most {
        true => Err(SkillDefect::TooLarge { file, bytes, most }),
        false => Ok(()),
    }
}

fn read_file(folder: &Path, file: &'static str, most: u64) -> Result<Vec<u8>, SkillDefect> {
    check_file(folder, file, most)?;
    let mut bytes = Vec::new();
    // It may grow while it is read.
    std::fs::File::open(folder.join(file))
        .and_then(|open| open.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| SkillDefect::Unreadable {
            file,
            reason: error.to_string(),
        })?;
    let length = bytes.len() as u64;
    match length > most {
        true => Err(SkillDefect::TooLarge {
            file,
            bytes: length,
            most,
        }),
        false => Ok(bytes),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        sync::atomic::{AtomicBool, Ordering},
    };

    use super::*;

    fn skill(root: &Path, name: &str, manifest: &str) {
        let folder = root.join(name);
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("SKILL.md"), manifest).unwrap();
        fs::write(folder.join("skill.wasm"), b"\0asm").unwrap();
    }

    fn manifest(name: &str) -> String {
        format!("---\nname: {name}\ndescription: Does it.\n---\nbody\n")
    }

    /// A host that starts, or a kill, at any moment of a replacement finds a skill there.
    #[test]
    fn install_never_leaves_a_moment_without_the_skill() {
        let root = tempfile::tempdir().unwrap();
        let installed = root.path().join("installed");
        let versions = ["One", "Two"].map(|version| {
            let folder = root.path().join(version);
            fs::create_dir(&folder).unwrap();
            let text = manifest("swap").replace("Does it", version);
            skill(&folder, "swap", &text);
            (InstalledSkill::read(&folder.join("swap")).unwrap(), text)
        });
        versions[0].0.install(b"\0asm", &installed).unwrap();
        let is_done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_done.load(Ordering::Relaxed) {
                    assert!(installed.join("swap").is_dir(), "no skill");
                }
            });
            for turn in 0..300 {
                let (version, text) = &versions[turn % 2];
                version.install(b"\0asm", &installed).unwrap();
                let there = fs::read_to_string(installed.join("swap/SKILL.md")).unwrap();
                assert_eq!(there, *text);
            }
            is_done.store(true, Ordering::Relaxed);
        });
        let names: Vec<_> = fs::read_dir(&installed).unwrap().collect();
        assert_eq!(names.len(), 1, "{names:?}");
    }

    /// Each folder that is bad in its own way is one entry, between two good ones.
    #[test]
    fn catalog_bad_folder_is_one_entry_with_its_reason() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path();
        let folder = |name: &str| {
            fs::create_dir(root.join(name)).unwrap();
            root.join(name)
        };
        skill(root, "a-good", &manifest("a-good"));
        skill(root, "z-good", &manifest("z-good"));
        skill(root, "broken", "---\nname: [\n---\n");
        skill(root, "other", &manifest("another"));
        skill(
            root,
            "large",
            &format!("{}{}", manifest("large"), "x".repeat(65 * 1024)),
        );
        skill(root, "Odd Näme\n", &manifest("odd"));
        fs::write(folder("no-wasm").join("SKILL.md"), manifest("no-wasm")).unwrap();
        fs::write(folder("no-manifest").join("skill.wasm"), b"\0asm").unwrap();
        symlink("/nowhere", folder("dangling").join("SKILL.md")).unwrap();
        fs::create_dir(folder("a-folder").join("SKILL.md")).unwrap();
        skill(root, "not-text", &manifest("not-text"));
        fs::write(root.join("not-text/SKILL.md"), b"---\nname: \xff\n---\n").unwrap();
        skill(root, "too-large", &manifest("too-large"));
        let wasm = fs::File::create(root.join("too-large/skill.wasm")).unwrap();
        wasm.set_len(MAX_COMPONENT_BYTES + 1).unwrap();
        // Passed over: a copy under way, and what is no folder.
        skill(root, ".a-copy", "half");
        fs::write(root.join("README.md"), "mine").unwrap();

        let catalog = Catalog::read(root).unwrap();
        let good: Vec<&str> = catalog
            .skills()
            .map(|skill| skill.manifest.name.as_str())
            .collect();
        assert_eq!(good, ["a-good", "z-good"]);
        let defects: Vec<String> = catalog
            .defects()
            .map(|(folder, defect)| format!("{folder}: {defect}"))
            .collect();
        let expected = [
            "Odd Näme\\n: the folder's name cannot be a skill's",
            "a-folder: cannot read SKILL.md: it is not a regular file",
            "broken: SKILL.md:",
            "dangling: SKILL.md is missing",
            "large: SKILL.md has 66",
            "no-manifest: SKILL.md is missing",
            "no-wasm: skill.wasm is missing",
            "not-text: cannot read SKILL.md: it is not UTF-8",
            "other: SKILL.md:2: the name is `another`, but the folder is `other`",
            "too-large: skill.wasm has 67108865 bytes; 67108864 is the most",
        ];
        assert_eq!(defects.len(), expected.len(), "{defects:#?}");
        for (defect, expected) in defects.iter().zip(expected) {
            assert!(defect.starts_with(expected), "{defect}");
        }
    }

    #[test]
    fn catalog_pipe_for_a_file_is_not_waited_for() {
        let root = tempfile::tempdir().unwrap();
        skill(root.path(), "piped", &manifest("piped"));
        let wasm = root.path().join("piped/skill.wasm");
        fs::remove_file(&wasm).unwrap();
        let made = std::process::Command::new("mkfifo").arg(&wasm).status();
        assert!(made.unwrap().success());
        let catalog = Catalog::read(root.path()).unwrap();
        let (_, defect) = catalog.defects().next().unwrap();
        assert_eq!(
            defect.to_string(),
            "cannot read skill.wasm: it is not a regular file"
        );
    }

    #[test]
    fn catalog_missing_folder_says_what_names_it() {
        let error = Catalog::read(Path::new("/nowhere/skills")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("cannot read the folder of skills /nowhere/skills: "),
            "{error}"
        );
    }

    /// The skills of this repository follow the format and say when they run.
    #[test]
    fn catalog_skills_of_this_repository_are_in_order() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../skills");
        let mut names = Vec::new();
        for entry in fs::read_dir(root).unwrap() {
            let folder = entry.unwrap().path();
            let Ok(text) = fs::read_to_string(folder.join("SKILL.md")) else {
                continue;
            };
            let name = folder.file_name().unwrap().to_str().unwrap();
            let manifest = Manifest::parse(name, &text)
                .unwrap_or_else(|error| panic!("skills/{name}/{error}"));
            assert!(!manifest.events.is_empty(), "{name} runs on no event");
            assert!(
                !manifest.instructions.is_empty(),
                "{name} has no instructions"
            );
            names.push(name.to_owned());
        }
        assert!(names.len() >= 7, "{names:?}");
    }
}
