//! Finding the programs that stand beside this one.

use std::path::PathBuf;

/// The path of a program installed beside this one; its bare name, to be looked up in `PATH`, if
/// there is none.
pub fn beside(program: &str) -> PathBuf {
    let Ok(here) = std::env::current_exe() else {
        return PathBuf::from(program);
    };
    // Test programs are one folder further down.
    here.ancestors()
        .skip(1)
        .take(2)
        .map(|folder| folder.join(program))
        .find(|path| path.is_file())
        .unwrap_or_else(|| PathBuf::from(program))
}
