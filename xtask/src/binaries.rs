//! The test programs of the workspace: built in one go, and found in what cargo says of it.

use std::{
    io::BufReader,
    path::{Path, PathBuf},
    process::Stdio,
    time::Instant,
};

use anyhow::{Context, bail};
use cargo_metadata::{Artifact, Message, MetadataCommand, TargetKind};

use crate::{
    lints::{self, Lints},
    steps,
};

/// The guests of the tests are components: they are compiled for WebAssembly by [`skills`](crate::skills), and
/// empty for this machine.
pub(crate) const GUESTS: &str = "guest-*";

/// A program with tests in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Binary {
    /// `repo` for the unit tests of `platinum-repo`, `repo::hooks` for its `tests/hooks`.
    pub(crate) name: String,
    /// The program.
    pub(crate) path: PathBuf,
    /// The name of its package, which cargo tells a test.
    pub(crate) package: String,
    /// The folder of its package: tests are run in it, as cargo does.
    pub(crate) folder: PathBuf,
}

/// Builds all programs, tests and examples, and lints them; answers the programs with tests in them.
///
/// # Errors
/// If something does not build.
pub(crate) fn build(root: &Path) -> anyhow::Result<(Vec<Binary>, Lints)> {
    const NAME: &str = "Building programs and tests";
    eprintln!("… {NAME} (the first time: several minutes)");
    let started = Instant::now();
    let mut command = lints::cargo(root);
    command
        .args(["build", "--locked", "--workspace", "--exclude", GUESTS])
        .args(["--tests", "--bins", "--examples"])
        .arg("--message-format=json-diagnostic-rendered-ansi");
    // It takes longest of all: what is set up meanwhile goes first, so that it is not what is waited for at the end.
    let mut child = steps::nice(&command)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start cargo")?;
    let output = child.stdout.take().context("cargo has no output")?;
    let (mut binaries, mut lints) = (Vec::new(), Lints::new());
    for message in Message::parse_stream(BufReader::new(output)) {
        match message? {
            Message::CompilerArtifact(artifact) => binaries.extend(binary(&artifact)),
            Message::CompilerMessage(message) => lints.add(&message),
            _ => {}
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{NAME} failed ({status})");
    }
    eprintln!("✓ {NAME} ({:.1} s)", started.elapsed().as_secs_f32());
    binaries.sort_by(|one, other| one.name.cmp(&other.name));
    Ok((binaries, lints))
}

fn binary(artifact: &Artifact) -> Option<Binary> {
    if !artifact.profile.test {
        return None;
    }
    let folder = artifact.manifest_path.parent()?;
    let name = folder_name(folder.as_std_path())?;
    let is_integration = artifact.target.kind.contains(&TargetKind::Test);
    Some(Binary {
        name: match is_integration {
            true => format!("{name}::{}", artifact.target.name),
            false => name.clone(),
        },
        path: artifact.executable.clone()?.into(),
        package: package_name(&artifact.package_id.repr, &name).to_owned(),
        folder: folder.into(),
    })
}

/// What a package is called here: `repo` by its folder, and `email-full` in `servers/email/full`, since each kind of
/// server has a `full`.
fn folder_name(folder: &Path) -> Option<String> {
    let name = folder.file_name()?.to_str()?;
    let kind = folder.parent()?;
    let is_server = kind.parent().is_some_and(|it| it.ends_with("servers"));
    let prefix = kind.file_name().filter(|_| is_server);
    Some(match prefix.and_then(|it| it.to_str()) {
        Some(kind) => format!("{kind}-{name}"),
        None => name.to_owned(),
    })
}

/// The name in a package's id: `…/host/repo#platinum-repo@0.1.0`, or `…/xtask#0.1.0` where it is the folder's.
fn package_name<'a>(id: &'a str, folder: &'a str) -> &'a str {
    let last = id.rsplit_once('#').map_or(id, |(_, last)| last);
    last.split_once('@').map_or(folder, |(name, _)| name)
}

/// The packages whose examples in doc comments are tests.
///
/// # Errors
/// If cargo does not know the workspace.
pub(crate) fn with_doctests(root: &Path) -> anyhow::Result<Vec<String>> {
    let metadata = MetadataCommand::new()
        .current_dir(root)
        .no_deps()
        .other_options(["--locked".to_owned()])
        .exec()?;
    let packages = metadata.workspace_packages().into_iter();
    Ok(packages
        .filter(|package| package.targets.iter().any(|target| target.doctest))
        .map(|package| package.name.to_string())
        .collect())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn has_tests(folder: &Path) -> bool {
        fs::read_dir(folder).unwrap().any(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() {
                return has_tests(&path);
            }
            let is_source = path.extension().is_some_and(|end| end == "rs");
            is_source && fs::read_to_string(path).unwrap().contains("#[test]")
        })
    }

    #[test]
    fn folder_name_tells_servers_apart() {
        for (folder, name) in [
            ("/p/host/repo", "repo"),
            ("/p/servers/kit", "kit"),
            ("/p/servers/email/full", "email-full"),
            ("/p/servers/odoo/full", "odoo-full"),
        ] {
            assert_eq!(folder_name(Path::new(folder)).as_deref(), Some(name));
        }
    }

    #[test]
    fn package_name_is_found_in_both_kinds_of_ids() {
        let id = "path+file:///p/host/repo#platinum-repo@0.1.0";
        assert_eq!(package_name(id, "repo"), "platinum-repo");
        assert_eq!(package_name("path+file:///p/xtask#0.1.0", "xtask"), "xtask");
    }

    /// `test = false` in a manifest saves the linking of a program without tests. Where someone writes the
    /// first test, the line has to go.
    #[test]
    fn targets_without_test_programs_have_no_tests() {
        let root = crate::root();
        let metadata = MetadataCommand::new()
            .current_dir(&root)
            .no_deps()
            .exec()
            .unwrap();
        for package in metadata.workspace_packages() {
            let folder = package.manifest_path.parent().unwrap().join("src");
            let is_tested = package.targets.iter().any(|target| {
                let is_library_or_program = !target.is_test() && !target.is_custom_build();
                is_library_or_program && target.test
            });
            assert!(
                is_tested || !has_tests(folder.as_std_path()),
                "{} has tests in src/ and `test = false` in its manifest",
                package.name
            );
        }
    }
}
