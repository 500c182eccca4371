//! Finding what is installed beside this program.

use std::path::{Path, PathBuf};

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

fn find(name: &str) -> Option<PathBuf> {
    let here = std::env::current_exe().ok()?;
    // Test programs are one folder further down.
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(name))
        .find(|path| path.exists())
}
