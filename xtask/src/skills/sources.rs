//! The folders that become components, and whether they changed since.
//!
//! Lives here: a hash over everything that a component is made of, and the stamp beside it.
//! Invariants: a stamp is written after its component; a component that was touched by anybody
//! else does not fit its stamp.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

/// Changes when components have to be made anew from equal sources.
const GENERATION: &str = "1";

/// What goes into every component, beside its own folder.
const SHARED: [&str; 4] = ["Cargo.toml", "Cargo.lock", "sdk", "wit"];

/// A folder with a `Cargo.toml` that becomes a component.
#[derive(Debug)]
pub(super) struct Source {
    /// The folder's name.
    pub(super) name: String,
    /// The crate's name.
    pub(super) package: String,
    /// The folder.
    pub(super) folder: PathBuf,
    /// Where the component goes.
    pub(super) component: PathBuf,
    /// Whether it is no part of the workspace.
    pub(super) is_outside: bool,
    hash: String,
}

impl Source {
    /// Whether the component that is there was made of exactly these sources.
    pub(super) fn is_built(&self) -> bool {
        let Ok(component) = fs::read(&self.component) else {
            return false;
        };
        fs::read_to_string(self.stamp()).is_ok_and(|stamp| stamp == self.stamp_of(&component))
    }

    /// Puts the component in its place, then the stamp.
    pub(super) fn store(&self, component: &[u8]) -> anyhow::Result<()> {
        replace(&self.component, component)?;
        replace(&self.stamp(), self.stamp_of(component).as_bytes())
    }

    fn stamp(&self) -> PathBuf {
        self.component.with_extension("stamp")
    }

    fn stamp_of(&self, component: &[u8]) -> String {
        format!(
            "{}\n{}\n",
            self.hash,
            hex::encode(Sha256::digest(component))
        )
    }
}

/// All folders of `skills/`, sorted, and those of `tests/guests/` and `tests/outside/` if they are
/// wanted.
pub(super) fn find(root: &Path, with_guests: bool) -> anyhow::Result<Vec<Source>> {
    let mut shared = Sha256::new();
    shared.update(GENERATION);
    for name in SHARED {
        add(&mut shared, root, &root.join(name))?;
    }
    let mut sources = Vec::new();
    let folders = [
        ("skills", "components"),
        ("tests/guests", "guests"),
        ("tests/outside", "outside"),
    ];
    let wanted = if with_guests { folders.len() } else { 1 };
    for (folder, target) in folders.into_iter().take(wanted) {
        let folder = root.join(folder);
        if !folder.is_dir() {
            continue;
        }
        for folder in entries(&folder)? {
            let manifest = folder.join("Cargo.toml");
            let Some(name) = folder.file_name().and_then(|name| name.to_str()) else {
                continue;
            };
            if !manifest.is_file() {
                continue;
            }
            let mut hash = shared.clone();
            add(&mut hash, root, &folder)?;
            sources.push(Source {
                name: name.to_owned(),
                package: package(&manifest)?,
                component: root.join(format!("target/skills/{target}/{name}.wasm")),
                hash: hex::encode(hash.finalize()),
                is_outside: target == "outside",
                folder,
            });
        }
    }
    if sources.is_empty() {
        bail!("no skill was found in {}", root.join("skills").display());
    }
    Ok(sources)
}

/// The name in a manifest's `[package]`.
fn package(manifest: &Path) -> anyhow::Result<String> {
    let text = fs::read_to_string(manifest)
        .with_context(|| format!("{} cannot be read", manifest.display()))?;
    text.lines()
        .skip_while(|line| line.trim() != "[package]")
        .find_map(|line| line.strip_prefix("name")?.trim_start().strip_prefix('='))
        .map(|name| name.trim().trim_matches('"').to_owned())
        .with_context(|| format!("{} names no package", manifest.display()))
}

/// Adds a file, or everything in a folder: names, lengths, bytes.
fn add(hash: &mut Sha256, root: &Path, path: &Path) -> anyhow::Result<()> {
    if path.is_dir() {
        for entry in entries(path)? {
            add(hash, root, &entry)?;
        }
        return Ok(());
    }
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?;
    let name = path
        .strip_prefix(root)
        .unwrap_or(path)
        .to_string_lossy()
        .into_owned();
    hash.update(name.as_bytes());
    hash.update([0]);
    hash.update((bytes.len() as u64).to_le_bytes());
    hash.update(&bytes);
    Ok(())
}

/// What is in a folder, sorted, without hidden files.
fn entries(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    let read =
        fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    for entry in read {
        let path = entry?.path();
        let hidden = |name: &std::ffi::OsStr| name.to_string_lossy().starts_with('.');
        if !path.file_name().is_some_and(hidden) {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Writes beside and renames, so that no one reads half a file.
fn replace(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    let folder = path.parent().context("a component has a folder")?;
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&beside, bytes))
        .and_then(|()| fs::rename(&beside, path))
        .with_context(|| format!("{} cannot be written", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(path: &Path, text: &str) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn tree(name: &str) -> PathBuf {
        let root =
            std::env::temp_dir().join(format!("xtask-sources-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for file in [
            "Cargo.toml",
            "Cargo.lock",
            "sdk/src/lib.rs",
            "wit/skill/types.wit",
        ] {
            write(&root.join(file), file);
        }
        let manifest = "[package]\nname = \"skill-one\"\n";
        write(&root.join("skills/one/Cargo.toml"), manifest);
        write(&root.join("skills/one/src/lib.rs"), "");
        root
    }

    #[test]
    fn component_is_stale_when_a_source_or_itself_changed() {
        let root = tree("stamp");
        let built = || find(&root, true).unwrap()[0].is_built();
        assert!(!built());
        find(&root, true).unwrap()[0].store(b"component").unwrap();
        assert!(built());
        write(&root.join("wit/skill/types.wit"), "other");
        assert!(!built());
        find(&root, true).unwrap()[0].store(b"component").unwrap();
        assert!(built());
        write(&root.join("target/skills/components/one.wasm"), "forged");
        assert!(!built());
        fs::remove_dir_all(root).unwrap();
    }

    #[test]
    fn find_names_a_folder_and_its_crate() {
        let root = tree("found");
        let sources = find(&root, true).unwrap();
        assert_eq!(sources.len(), 1);
        assert_eq!(
            (sources[0].name.as_str(), sources[0].package.as_str()),
            ("one", "skill-one")
        );
        fs::remove_dir_all(root).unwrap();
    }
}
