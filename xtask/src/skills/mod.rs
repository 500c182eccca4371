//! Builds every skill, and every guest of the tests, as a WebAssembly component.
//!
//! Lives here: the order of things. Lives elsewhere: which folders there are and whether they
//! changed in [`sources`], a compiler for the target in [`toolchain`], the compilation in
//! [`compile`], the component and the look at its imports in [`component`].
//! Invariants: a component imports nothing that its `wit/world.wit` does not name; what did not
//! change is not built again, and no toolchain is looked for.

mod compile;
mod component;
mod sources;
mod toolchain;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::steps::Step;

/// The target: no system interface at all.
const TARGET: &str = "wasm32-unknown-unknown";

/// A built component.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    /// The folder's name: `claim-task`.
    pub(crate) name: String,
    /// Where the component is: `target/skills/components/<name>.wasm`, or for a guest of the
    /// tests `target/skills/guests/<name>.wasm`, for a skill that is no part of the workspace
    /// `target/skills/outside/<name>.wasm`.
    pub(crate) component_path: PathBuf,
}

/// Builds what changed; answers all skills, sorted, and all guests of the tests if they are wanted.
///
/// # Errors
/// If there is no toolchain for WebAssembly and none can be had, a skill does not compile, or
/// imports something that it does not ask for.
pub(crate) fn build(root: &Path, with_guests: bool) -> anyhow::Result<Vec<Built>> {
    let sources = sources::find(root, with_guests)?;
    let stale: Vec<_> = sources.iter().filter(|source| !source.is_built()).collect();
    if !stale.is_empty() {
        let target = root.join("target/skills");
        std::fs::create_dir_all(&target)
            .with_context(|| format!("{} cannot be made", target.display()))?;
        let toolchain = toolchain::find(&target)?;
        let inside = stale.iter().filter(|source| !source.is_outside);
        let packages: Vec<&str> = inside.map(|source| source.package.as_str()).collect();
        let mut modules = match packages.as_slice() {
            [] => BTreeMap::new(),
            some => compile::run(root, &target, &toolchain, some)?,
        };
        for source in stale.iter().filter(|source| source.is_outside) {
            let module = compile::run_outside(root, &target, &toolchain, source)?;
            modules.insert(source.package.clone(), module);
        }
        let step = Step::start(format!("Making {} components", stale.len()));
        let contract = component::Contract::read(&root.join("wit"))?;
        for source in &stale {
            let module = modules.get(&source.package).with_context(|| {
                format!(
                    "cargo built no .wasm of {}; is its crate-type cdylib?",
                    source.package
                )
            })?;
            let bytes = component::encode(module, source, &contract)
                .with_context(|| format!("{} cannot be made a component", source.name))?;
            source.store(&bytes)?;
        }
        step.done();
    }
    let built = |source: &sources::Source| Built {
        name: source.name.clone(),
        component_path: source.component.clone(),
    };
    Ok(sources.iter().map(built).collect())
}
