//! [`rename_odd`]: files that a person dropped under a name that no vault has.
//!
//! Invariant: a file gets another name in the same folder and nothing else; none is replaced.

use std::{
    os::unix::ffi::OsStrExt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use platinum_core::VaultPath;
use rustix::fs::{AtFlags, FileType, RenameFlags};

use crate::{
    Vault, VaultError,
    folder::{descend, io_error},
    scan::{instead, state_of},
};

/// The most files that one call renames.
const MAX_RENAMED: usize = 64;

/// Gives every file directly in a folder whose name is no vault path the nearest name that is
/// one, if it has not changed for `quiet`. Hidden files are left alone. Answers the new paths.
///
/// # Errors
/// If the folder cannot be read, or a file cannot be renamed.
pub fn rename_odd(
    vault: &Vault,
    folder: &str,
    quiet: Duration,
) -> Result<Vec<VaultPath>, VaultError> {
    let Some(dir) = descend(vault.dir(), folder, folder, false)? else {
        return Ok(Vec::new());
    };
    let failed = |doing, error: std::io::Error| io_error(doing, folder, error);
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |now| i64::try_from(now.as_nanos()).unwrap_or(i64::MAX));
    let mut renamed = Vec::new();
    for entry in dir.entries().map_err(|error| failed("list", error))? {
        let name = entry.map_err(|error| failed("list", error))?.file_name();
        let shown = name.to_string_lossy();
        let is_odd =
            name.to_str().is_none() || VaultPath::new(format!("{folder}/{shown}")).is_err();
        if !is_odd || name.as_bytes().starts_with(b".") || renamed.len() >= MAX_RENAMED {
            continue;
        }
        let Ok(about) = rustix::fs::statat(&dir, &name, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let is_quiet = u128::try_from(now - state_of(&about).changed)
            .is_ok_and(|past| past >= quiet.as_nanos());
        if FileType::from_raw_mode(about.st_mode) != FileType::RegularFile || !is_quiet {
            continue;
        }
        let Some(to) = instead(folder, &shown) else {
            continue;
        };
        for number in 1..100 {
            let Some(to) = numbered(&to, number) else {
                break;
            };
            let done = rustix::fs::renameat_with(
                &dir,
                &name,
                &dir,
                to.file_name(),
                RenameFlags::NOREPLACE,
            );
            match done {
                Ok(()) => {
                    renamed.push(to);
                    break;
                }
                Err(rustix::io::Errno::EXIST) => {}
                Err(rustix::io::Errno::NOENT) => break,
                Err(error) => return Err(failed("rename a file in", error.into())),
            }
        }
    }
    Ok(renamed)
}

/// The path, or one beside it that tells itself apart by a number.
fn numbered(path: &VaultPath, number: u32) -> Option<VaultPath> {
    if number == 1 {
        return Some(path.clone());
    }
    let end = path
        .extension()
        .map_or(String::new(), |extension| format!(".{extension}"));
    path.parent()?
        .join(&format!("{}-{number}{end}", path.stem()))
        .ok()
}

#[cfg(test)]
mod tests {
    use std::{ffi::OsStr, fs};

    use super::*;

    #[test]
    fn rename_odd_keeps_content_and_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let inbox = folder.path().join("Inbox");
        fs::create_dir(&inbox).unwrap();
        let odd = [
            OsStr::new("what?.md"),
            OsStr::new("what*.md"),
            OsStr::from_bytes(b"caf\xe9.txt"),
        ];
        for (number, name) in odd.iter().enumerate() {
            fs::write(inbox.join(name), number.to_string()).unwrap();
        }
        fs::write(inbox.join("what_.md"), "kept").unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let soon = rename_odd(&vault, "Inbox", Duration::from_secs(60)).unwrap();
        assert_eq!(soon, []);
        let renamed = rename_odd(&vault, "Inbox", Duration::ZERO).unwrap();
        assert_eq!(renamed.len(), 3);
        let mut texts: Vec<String> = renamed
            .iter()
            .map(|path| vault.read_text(path, 10).unwrap())
            .collect();
        texts.sort();
        assert_eq!(texts, ["0", "1", "2"]);
        assert_eq!(fs::read_to_string(inbox.join("what_.md")).unwrap(), "kept");
        assert_eq!(rename_odd(&vault, "Inbox", Duration::ZERO).unwrap(), []);
    }
}
