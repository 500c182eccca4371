//! Finding what is installed beside this program.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use platinum_capabilities::zones::ZoneCapabilities;
use platinum_core::Role;

use crate::zone_server;

/// Where the skills are if nothing else is configured: `skills/installed` beside the folder of programs.
const SKILLS: &str = "../skills/installed";

/// The path of a program installed beside this one; its bare name, to be looked up in `PATH`, if
/// there is none.
pub fn beside(program: &str) -> PathBuf {
    find(program).unwrap_or_else(|| PathBuf::from(program))
}

/// The folder of installed skills: the one that was configured, or else the one beside the folder
/// of programs.
pub fn skills_folder(configured: &Path) -> PathBuf {
    if configured.as_os_str().is_empty() {
        let found = find(SKILLS).unwrap_or_else(|| PathBuf::from(SKILLS));
        // Without the `..`, for the people who read it.
        found.canonicalize().unwrap_or(found)
    } else {
        configured.to_owned()
    }
}

/// Runs a command of the program that serves a zone, with its configuration file, on this terminal.
///
/// # Errors
/// If the zone is not set up, or the program cannot be started or fails.
pub fn run_zone_program(
    zone: &dyn ZoneCapabilities,
    role: Role,
    command: &str,
    arguments: &[String],
) -> Result<(), String> {
    let server = zone_server(zone, role)
        .ok_or("the zone has no account: name it under its section, with `account` and `config`")?;
    let program = server.command.display().to_string();
    let ended = Command::new(&server.command)
        .arg(command)
        .args(&server.args)
        .args(arguments)
        .status()
        .map_err(|error| format!("cannot start {program}: {error}"))?;
    match ended.success() {
        true => Ok(()),
        // It has printed why.
        false => Err(format!("{program} {command} did not succeed ({ended})")),
    }
}

fn find(name: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    // Test programs are one folder further down.
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}
