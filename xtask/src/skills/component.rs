//! From a core module to a component, and what the component imports.
//!
//! Lives elsewhere: the same question at run time, of any component, is the engine's.
//! Invariants: a component is stored only if it imports a part of what its world names.

use std::{collections::BTreeSet, fs, path::Path};

use anyhow::{Context, anyhow, bail};
use wit_component::{ComponentEncoder, DecodedWasm};
use wit_parser::{Resolve, UnresolvedPackageGroup, WorldId};

use super::sources::Source;

/// The folders of `wit/`, each one a package.
#[derive(Debug)]
pub(super) struct Contract(Vec<UnresolvedPackageGroup>);

impl Contract {
    /// Parses every package.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let mut packages = Vec::new();
        for entry in
            fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                let package = UnresolvedPackageGroup::parse_dir(&path)
                    .with_context(|| format!("{} is no WIT package", path.display()))?;
                packages.push(package);
            }
        }
        Ok(Self(packages))
    }

    /// What the world in a folder imports and exports, in full.
    fn asked(&self, folder: &Path) -> anyhow::Result<Names> {
        let own = UnresolvedPackageGroup::parse_dir(folder)
            .with_context(|| format!("{} is no WIT package", folder.display()))?;
        let mut resolve = Resolve::default();
        let package = resolve
            .push_groups(own, self.0.clone())
            .map_err(|error| anyhow!("{}: {error}", folder.display()))?;
        let world = resolve.select_world(&[package], None)?;
        Ok(Names::of(&resolve, world))
    }
}

/// What a world imports and exports.
struct Names {
    imports: BTreeSet<String>,
    exports: BTreeSet<String>,
}

impl Names {
    fn of(resolve: &Resolve, world: WorldId) -> Self {
        let world = &resolve.worlds[world];
        let name = |key| resolve.name_world_key(key);
        Self {
            imports: world.imports.keys().map(name).collect(),
            exports: world.exports.keys().map(name).collect(),
        }
    }
}

/// Makes the component and compares its imports with `wit/world.wit`.
pub(super) fn encode(
    module: &Path,
    source: &Source,
    contract: &Contract,
) -> anyhow::Result<Vec<u8>> {
    let module =
        fs::read(module).with_context(|| format!("{} cannot be read", module.display()))?;
    let component = ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .encode()?;
    let used = match wit_component::decode(&component)? {
        DecodedWasm::Component(resolve, world) => Names::of(&resolve, world),
        DecodedWasm::WitPackage(..) => bail!("it is an interface, not a component"),
    };
    let asked = contract.asked(&source.folder.join("wit"))?;
    let unasked: Vec<&str> = used
        .imports
        .difference(&asked.imports)
        .map(String::as_str)
        .collect();
    if !unasked.is_empty() {
        bail!(
            "it uses {}, which its wit/world.wit does not ask for",
            unasked.join(", ")
        );
    }
    if used.exports != asked.exports {
        bail!(
            "it exports {:?}, and its wit/world.wit {:?}",
            used.exports,
            asked.exports
        );
    }
    Ok(component)
}
