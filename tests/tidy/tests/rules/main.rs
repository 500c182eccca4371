//! One binary for all rules, and what they share: the tree, its files, and what cargo knows of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "all of this binary is tests: a panic is a failed test with a line number"
)]

mod acting;
mod contract;
mod files;
mod floors;
mod items;
mod licences;
mod security;
mod words;

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use cargo_metadata::{CargoOpt, DependencyKind, Metadata, MetadataCommand, Package};

/// The top of the repository.
fn root() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2);
    top.expect("tests/tidy is two folders below the top")
        .to_owned()
}

/// Every file that is tracked, or would be by the next `git add`, relative to the top.
fn files() -> Vec<String> {
    let listed = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .expect("git lists the files of this clone");
    assert!(
        listed.status.success(),
        "{}",
        String::from_utf8_lossy(&listed.stderr)
    );
    let names = String::from_utf8(listed.stdout).expect("file names are UTF-8");
    let mut files: Vec<String> = names
        .split('\0')
        .filter(|name| !name.is_empty() && root().join(name).is_file())
        .map(str::to_owned)
        .collect();
    files.sort();
    files.dedup();
    files
}

fn read(file: &str) -> String {
    std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

/// Whether a source file holds nothing but tests and what they share.
fn is_test(file: &str) -> bool {
    file.starts_with("tests/") || file.contains("/tests/") || file.ends_with("/tests.rs")
}

/// The workspace with all features and for all systems, as cargo resolves it; read once.
fn metadata() -> &'static Metadata {
    static METADATA: OnceLock<Metadata> = OnceLock::new();
    METADATA.get_or_init(|| {
        let command = |options: &[&str]| {
            MetadataCommand::new()
                .manifest_path(root().join("Cargo.toml"))
                .features(CargoOpt::AllFeatures)
                .other_options(options.iter().map(ToString::to_string).collect::<Vec<_>>())
                .exec()
        };
        // Not every platform's packages need to be on this machine: ask the registry only then.
        command(&["--offline"])
            .or_else(|_| command(&[]))
            .expect("cargo metadata reads this workspace")
    })
}

/// Names of what `package` uses outside its tests.
fn uses(package: &Package) -> impl Iterator<Item = &str> {
    package
        .dependencies
        .iter()
        .filter(|dependency| dependency.kind != DependencyKind::Development)
        .map(|dependency| dependency.name.as_str())
}

/// The folder of a package, relative to the top.
fn folder_of(package: &Package) -> &str {
    let folder = package.manifest_path.parent().and_then(|folder| {
        let top = root();
        folder.strip_prefix(top).ok()
    });
    folder.expect("inside the tree").as_str()
}

/// Fails with every complaint, one a line.
fn agree(rule: &str, complaints: &[String]) {
    assert!(
        complaints.is_empty(),
        "{rule}\n  {}\n",
        complaints.join("\n  ")
    );
}
