//! Clippy as the compiler of the workspace's own crates, so that linting them costs no second look at
//! all that they depend on.
//!
//! `clippy-driver` compiles as rustc does and lints on the way; cargo keeps what it compiles apart from
//! what rustc compiles, shares the dependencies, and repeats the warnings of a crate that it does not
//! compile again. Beside it, `cargo clippy` would check every dependency anew, for its metadata.
//! Invariant: a warning fails the run, and no test is left out for it.

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

use cargo_metadata::{CompilerMessage, diagnostic::DiagnosticLevel};

use crate::steps;

/// What is said where clippy is missing.
const MISSING: &str = "clippy is not installed; do `rustup component add clippy`";

/// Cargo in the workspace, with clippy as the compiler of the workspace's own crates where it is
/// installed.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = steps::cargo(root);
    if let Some(driver) = driver() {
        command.env("RUSTC_WORKSPACE_WRAPPER", driver);
    }
    command
}

/// The driver of the toolchain in use.
fn driver() -> Option<PathBuf> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "sysroot"])
        .output()
        .ok()?;
    let sysroot = String::from_utf8(output.stdout).ok()?;
    let name = format!("clippy-driver{}", std::env::consts::EXE_SUFFIX);
    let driver = Path::new(sysroot.trim()).join("bin").join(name);
    driver.is_file().then_some(driver)
}

/// The warnings of a build.
#[derive(Debug)]
pub(crate) struct Lints {
    is_installed: bool,
    /// As the compiler words them; one that several targets of a crate have counts once.
    warnings: BTreeSet<String>,
}

impl Lints {
    /// No warning yet.
    pub(crate) fn new() -> Self {
        Self {
            is_installed: driver().is_some(),
            warnings: BTreeSet::new(),
        }
    }

    /// Shows what the compiler says, and keeps the warnings. Warnings of dependencies never come.
    pub(crate) fn add(&mut self, message: &CompilerMessage) {
        let diagnostic = &message.message;
        let text = diagnostic
            .rendered
            .as_deref()
            .unwrap_or(&diagnostic.message);
        // The count at the end of each target is no warning of its own.
        if diagnostic.spans.is_empty() && diagnostic.message.ends_with(" emitted") {
            return;
        }
        let is_warning = diagnostic.level == DiagnosticLevel::Warning;
        if !is_warning || self.warnings.insert(text.to_owned()) {
            eprint!("{text}");
        }
    }

    /// Why the lints failed, in a sentence.
    pub(crate) fn failure(&self) -> Option<String> {
        match (self.is_installed, self.warnings.len()) {
            (false, _) => Some(MISSING.to_owned()),
            (true, 0) => None,
            (true, 1) => Some("there is one warning; see above".to_owned()),
            (true, count) => Some(format!("there are {count} warnings; see above")),
        }
    }
}

#[cfg(test)]
mod tests {
    use cargo_metadata::Message;

    use super::*;

    /// A message as cargo writes it.
    fn message(level: &str, text: &str, spans: &str) -> CompilerMessage {
        let target = r#""kind":["lib"],"crate_types":["lib"],"name":"a","src_path":"/p/src/lib.rs","edition":"2024""#;
        let line = format!(
            r#"{{"reason":"compiler-message","package_id":"path+file:///p#a@0.1.0","manifest_path":"/p/Cargo.toml","target":{{{target}}},"message":{{"message":"{text}","code":null,"level":"{level}","spans":[{spans}],"children":[],"rendered":"{text}\n"}}}}"#
        );
        match Message::parse_stream(line.as_bytes()).next() {
            Some(Ok(Message::CompilerMessage(message))) => message,
            other => panic!("{other:?}"),
        }
    }

    const SPAN: &str = r#"{"file_name":"src/lib.rs","byte_start":0,"byte_end":1,"line_start":1,"line_end":1,"column_start":1,"column_end":2,"is_primary":true,"text":[]}"#;

    fn none() -> Lints {
        Lints {
            is_installed: true,
            warnings: BTreeSet::new(),
        }
    }

    #[test]
    fn lints_count_a_warning_of_two_targets_once() {
        let mut lints = none();
        assert_eq!(lints.failure(), None);
        for _ in 0..2 {
            lints.add(&message("warning", "unused variable", SPAN));
            lints.add(&message("warning", "1 warning emitted", ""));
        }
        assert_eq!(lints.failure().unwrap(), "there is one warning; see above");
        lints.add(&message("warning", "used `unwrap()`", SPAN));
        assert_eq!(lints.failure().unwrap(), "there are 2 warnings; see above");
    }

    #[test]
    fn lints_without_clippy_fail_and_say_what_to_do() {
        let lints = Lints {
            is_installed: false,
            ..none()
        };
        assert_eq!(lints.failure().unwrap(), MISSING);
    }
}
