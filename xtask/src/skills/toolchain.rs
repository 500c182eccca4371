//! A Rust toolchain that can compile for WebAssembly, found in one of three ways.
//!
//! 1. The toolchain in use has the target's standard library.
//! 2. rustup adds it.
//! 3. The distribution's compiler builds it from the distribution's source (`rustc-web`,
//!    `cargo-web`, `rust-web-src`, `lld-19` of Debian; installed if that is permitted).
//!
//! The environment variable `PLATINUM_WASM_TOOLCHAIN` (`installed`, `rustup`, `distribution`)
//! allows one way alone. Invariants: nothing is downloaded or installed without saying so; way 2
//! is tried once per target folder, since where it fails it fails slowly.

use std::{
    ffi::OsString,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::bail;

use super::TARGET;
use crate::steps::{self, Step};

/// How long rustup may take to add the target.
const RUSTUP_TIME: Duration = Duration::from_secs(90);

/// What Debian calls its newest compiler, and its source.
const PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "lld-19"];

/// The oldest compiler that takes this workspace, as 1.minor.
const OLDEST_MINOR: u32 = 95;

/// A way to compile for WebAssembly.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Toolchain {
    /// The toolchain in use has the target.
    Installed,
    /// The distribution's compiler, with the standard library built from source.
    Distribution {
        /// The linker, where `rust-lld` is not on the compiler's own path.
        linker: PathBuf,
    },
}

impl Toolchain {
    /// For the person who waits.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Installed => "the toolchain in use",
            Self::Distribution { .. } => "the distribution's Rust (and its standard library)",
        }
    }

    /// Its cargo, with the environment it needs.
    pub(super) fn cargo(&self) -> Command {
        // What an outer cargo or a person set for the host must not reach the guest.
        let foreign = [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_BUILD_TARGET",
            "CARGO_TARGET_DIR",
        ];
        let mut command = match self {
            Self::Installed => {
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            }
            Self::Distribution { linker } => {
                let mut command = Command::new("/usr/bin/cargo");
                command
                    .env("PATH", path_from_usr_bin())
                    .env("RUSTC", "/usr/bin/rustc")
                    .env("RUSTC_BOOTSTRAP", "1")
                    .env("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")
                    .env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER", linker);
                for name in ["CARGO", "RUSTUP_TOOLCHAIN", "RUSTC_WRAPPER", "RUSTDOC"] {
                    command.env_remove(name);
                }
                command
            }
        };
        for name in foreign {
            command.env_remove(name);
        }
        command
    }
}

/// Finds one, in the three ways' order.
pub(super) fn find(target: &Path) -> anyhow::Result<Toolchain> {
    let wanted = std::env::var("PLATINUM_WASM_TOOLCHAIN").ok();
    let may = |way: &str| wanted.as_deref().is_none_or(|wanted| wanted == way);
    let mut tried = Vec::new();
    if may("installed") {
        if has_target() {
            return Ok(Toolchain::Installed);
        }
        tried.push(format!(
            "the toolchain in use has no standard library for {TARGET}"
        ));
    }
    if may("rustup") {
        match add_with_rustup(target) {
            Ok(()) => return Ok(Toolchain::Installed),
            Err(reason) => tried.push(reason),
        }
    }
    if may("distribution") {
        match of_distribution() {
            Ok(toolchain) => return Ok(toolchain),
            Err(reason) => tried.push(reason),
        }
    }
    bail!(
        "no Rust toolchain here can compile for {TARGET}:\n  - {}\nDo one of these and try again:\n  \
         - rustup target add {TARGET}\n  \
         - sudo apt-get install --no-install-recommends {} (Debian 12 and newer)",
        tried.join("\n  - "),
        PACKAGES.join(" ")
    )
}

/// Whether the compiler in use has the target's standard library.
fn has_target() -> bool {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output();
    let Ok(output) = output else { return false };
    let folder = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    let is_std = |name: &str| name.starts_with("libstd-") && name.ends_with(".rlib");
    entries
        .flatten()
        .any(|entry| is_std(&entry.file_name().to_string_lossy()))
}

fn add_with_rustup(target: &Path) -> Result<(), String> {
    let failed = target.join("rustup-failed");
    let forced = std::env::var("PLATINUM_WASM_TOOLCHAIN").is_ok();
    if failed.exists() && !forced {
        return Err(format!(
            "rustup could not add it before ({} says why; `rustup target add {TARGET}` tries again)",
            failed.display()
        ));
    }
    if !answers("rustup", &["--version"]) {
        return Err("there is no rustup".into());
    }
    let step = Step::start(format!("rustup target add {TARGET}"));
    let reason = match within(
        Command::new("rustup")
            .args(["target", "add", TARGET])
            .env("RUSTUP_MAX_RETRIES", "1"),
        RUSTUP_TIME,
    ) {
        Ok(()) if has_target() => {
            step.done();
            let _ = fs::remove_file(failed);
            return Ok(());
        }
        Ok(()) => "rustup added it to another toolchain than the one in use".into(),
        Err(reason) => format!("rustup could not add it: {reason}"),
    };
    step.failed();
    // Best effort: without the mark it is only tried again.
    let _ = fs::write(failed, &reason);
    Err(reason)
}

/// Runs a program to its end, or ends it.
fn within(command: &mut Command, time: Duration) -> Result<(), String> {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let mut child = child.map_err(|error| error.to_string())?;
    let deadline = Instant::now() + time;
    loop {
        match child.try_wait() {
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(status)) => return Err(status.to_string()),
            Ok(None) if Instant::now() < deadline => {
                std::thread::park_timeout(Duration::from_millis(50));
            }
            Ok(None) => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("no end after {} s", time.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn of_distribution() -> Result<Toolchain, String> {
    if let Some(toolchain) = installed_of_distribution() {
        return Ok(toolchain);
    }
    let Some(mut prefix) = package_manager() else {
        return Err(format!(
            "the distribution's {} are not installed, and this account may not install them",
            PACKAGES.join(", ")
        ));
    };
    eprintln!(
        "Installing {} with apt-get, to build the skills",
        PACKAGES.join(" ")
    );
    let program = prefix.remove(0);
    let apt = |arguments: &[&str]| {
        let mut command = Command::new(&program);
        command
            .args(&prefix)
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    };
    let install = || {
        let mut arguments = vec!["install", "--yes", "--no-install-recommends"];
        arguments.extend(PACKAGES);
        steps::run_quiet("apt-get install", &mut apt(&arguments))
    };
    let installed = install().or_else(|_| {
        steps::run_quiet("apt-get update", &mut apt(&["update"]))?;
        install()
    });
    installed.map_err(|error| format!("apt-get could not install them: {error:#}"))?;
    installed_of_distribution().ok_or_else(|| {
        format!("the distribution's Rust is older than 1.{OLDEST_MINOR}, or not complete")
    })
}

/// The distribution's compiler, if it is new enough and its source and a linker are there.
fn installed_of_distribution() -> Option<Toolchain> {
    let output = Command::new("/usr/bin/rustc")
        .arg("--version")
        .output()
        .ok()?;
    let minor = minor_version(&String::from_utf8_lossy(&output.stdout))?;
    let source = Path::new("/usr/lib/rustlib/src/rust/library/std/src/lib.rs").is_file();
    if minor < OLDEST_MINOR || !source || !Path::new("/usr/bin/cargo").is_file() {
        return None;
    }
    let linkers = ["/usr/bin/wasm-ld-19", "/usr/bin/wasm-ld"];
    let linker = linkers
        .into_iter()
        .map(PathBuf::from)
        .find(|linker| linker.is_file())?;
    Some(Toolchain::Distribution { linker })
}

/// `rustc 1.96.0 (…)` is 96.
fn minor_version(text: &str) -> Option<u32> {
    text.split_whitespace()
        .nth(1)?
        .strip_prefix("1.")?
        .split('.')
        .next()?
        .parse()
        .ok()
}

/// apt-get as root, directly or by sudo without a question.
fn package_manager() -> Option<Vec<String>> {
    if !Path::new("/usr/bin/apt-get").is_file() {
        return None;
    }
    let is_root = Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|id| id.stdout == b"0\n");
    if is_root {
        return Some(vec!["apt-get".into()]);
    }
    let with_sudo = answers("sudo", &["-n", "true"]);
    with_sudo.then(|| ["sudo", "-n", "apt-get"].map(String::from).to_vec())
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn path_from_usr_bin() -> OsString {
    let mut path = OsString::from("/usr/bin:/bin");
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minor_version_reads_what_the_compiler_prints() {
        assert_eq!(
            minor_version("rustc 1.96.0 (ac68faa20 2026-05-25)"),
            Some(96)
        );
        assert_eq!(minor_version("something else"), None);
    }

    #[test]
    fn within_kills_a_program_that_does_not_end() {
        let started = Instant::now();
        let ended = within(Command::new("sleep").arg("60"), Duration::from_millis(100));
        assert!(ended.is_err_and(|reason| reason.contains("no end")));
        assert!(started.elapsed() < Duration::from_secs(30));
    }
}
