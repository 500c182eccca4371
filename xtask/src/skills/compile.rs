//! One cargo run that compiles crates for WebAssembly into a target folder of its own.
//!
//! Lives elsewhere: which cargo, in [`toolchain`](super::toolchain).
//! Invariants: the run never waits for the lock of the workspace's own target folder; its output
//! is shown only if it fails.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::BufReader,
    path::{Path, PathBuf},
    process::Stdio,
};

use anyhow::{Context, bail};
use cargo_metadata::Message;

use super::{TARGET, sources::Source, toolchain::Toolchain};
use crate::steps::{Step, nice};

/// Compiles a skill whose folder is no part of the workspace: copies it out of the repository, so
/// that nothing around it can help, and answers its module. What the skills of the workspace are
/// made of is not compiled again: the versions are those of the workspace's lock file.
pub(super) fn run_outside(
    root: &Path,
    target: &Path,
    toolchain: &Toolchain,
    source: &Source,
) -> anyhow::Result<PathBuf> {
    let copy = tempfile::tempdir().context("cannot make a temporary folder")?;
    copy_folder(&source.folder, copy.path())
        .and_then(|()| fs::copy(root.join("Cargo.lock"), copy.path().join("Cargo.lock")))
        .with_context(|| format!("{} cannot be copied", source.folder.display()))?;
    let manifest = copy.path().join("Cargo.toml");
    let text = fs::read_to_string(&manifest)?;
    let sdk = format!("path = {:?}", root.join("sdk"));
    fs::write(&manifest, text.replace("path = \"../../../sdk\"", &sdk))?;
    let mut modules = run(copy.path(), target, toolchain, &[&source.package])?;
    modules
        .remove(&source.package)
        .with_context(|| format!("cargo built no .wasm of {}", source.package))
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, to) = {
            let entry = entry?;
            (entry.path(), to.join(entry.file_name()))
        };
        if path.is_dir() {
            copy_folder(&path, &to)?;
        } else {
            fs::copy(path, to)?;
        }
    }
    Ok(())
}

/// How many lines of a failed run are shown.
const SHOWN_LINES: usize = 80;

/// Compiles the packages with the profile `skill`; answers each one's module.
pub(super) fn run(
    root: &Path,
    target: &Path,
    toolchain: &Toolchain,
    packages: &[&str],
) -> anyhow::Result<BTreeMap<String, PathBuf>> {
    let log = target.join("build.log");
    let errors = File::create(&log).with_context(|| format!("{} cannot be made", log.display()))?;
    let mut command = toolchain.cargo();
    command
        .current_dir(root)
        .args([
            "build",
            "--profile",
            "skill",
            "--target",
            TARGET,
            "--target-dir",
        ])
        .arg(target)
        .arg("--message-format=json-render-diagnostics");
    for package in packages {
        command.args(["-p", package]);
    }
    let step = Step::start(format!(
        "Compiling {} skills and guests for {TARGET} with {}",
        packages.len(),
        toolchain.name()
    ));
    // As the programs, which it is built beside: what is set up meanwhile goes first.
    let mut child = nice(&command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(errors)
        .spawn()
        .with_context(|| format!("{:?} cannot be started", command.get_program()))?;
    let mut modules = BTreeMap::new();
    if let Some(output) = child.stdout.take() {
        for message in Message::parse_stream(BufReader::new(output)) {
            if let Message::CompilerArtifact(artifact) = message? {
                let module = artifact
                    .filenames
                    .iter()
                    .find(|file| file.extension() == Some("wasm"));
                if let Some(module) = module {
                    let package = packages.iter().find(|package| {
                        package.replace('-', "_") == artifact.target.name.replace('-', "_")
                    });
                    if let Some(package) = package {
                        modules.insert((*package).to_owned(), module.clone().into_std_path_buf());
                    }
                }
            }
        }
    }
    let status = child.wait()?;
    if status.success() {
        step.done();
        return Ok(modules);
    }
    step.failed();
    let text = fs::read_to_string(&log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    for line in &lines[lines.len().saturating_sub(SHOWN_LINES)..] {
        eprintln!("{line}");
    }
    bail!(
        "the skills do not compile ({status}); all of cargo's output is in {}",
        log.display()
    )
}
