//! [`compose_names`]: names whose letters and accents are written apart, as macOS writes them, found and renamed.
//!
//! Invariants: a name is changed into the one that looks the same, in the same folder, and nothing else of it; nothing
//! is replaced, and no link is followed.

use cap_std::fs::Dir;
use platinum_core::{PathError, VaultPath, layout};
use platinum_policy::is_synced;
use rustix::{
    fs::{AtFlags, FileType, FlockOperation},
    io::Errno,
};
use unicode_normalization::UnicodeNormalization;

use crate::{
    Vault, VaultError,
    folder::{descend, io_error, open_folder},
    temp::leftover::{Kind, unused_name},
    temp::move_to_free,
};

/// More entries of one folder are not read.
const MAX_ENTRIES: usize = 1_000_000;

/// A name in the form that most systems read as another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameForm {
    /// The path with the marks of its letters escaped, so that they can be told from the letters.
    pub shown: String,
    /// The path in the form that a vault has.
    pub composed: VaultPath,
    /// Why it could not be renamed, if that was asked for.
    pub failed: Option<String>,
}

/// Finds the files that would be synced, and the folders of such, whose names are not in Unicode's composed form, and
/// renames them if that is asked for. What a name refuses for another reason is left alone.
///
/// # Errors
/// If a synced folder cannot be read. A name that cannot be changed is no error.
pub fn compose_names(vault: &Vault, rename: bool) -> Result<Vec<NameForm>, VaultError> {
    let mut found = Vec::new();
    for folder in layout::FOLDERS {
        if let Some(dir) = descend(vault.dir(), folder, folder, false)? {
            let mut walk = FormWalk {
                vault,
                rename,
                found: &mut found,
            };
            walk.folder(&dir, folder)?;
        }
    }
    Ok(found)
}

struct FormWalk<'a> {
    vault: &'a Vault,
    rename: bool,
    found: &'a mut Vec<NameForm>,
}

impl FormWalk<'_> {
    /// A folder, by its composed path.
    fn folder(&mut self, dir: &Dir, folder: &str) -> Result<(), VaultError> {
        let failed = |error| io_error("list", folder, error);
        let mut names = Vec::new();
        for entry in dir.entries().map_err(failed)?.take(MAX_ENTRIES) {
            let name = entry.map_err(failed)?.file_name();
            names.extend(
                name.into_string()
                    .ok()
                    .filter(|name| !name.starts_with('.')),
            );
        }
        names.sort_unstable();
        for name in names {
            let composed: String = name.nfc().collect();
            let Ok(path) = VaultPath::new(format!("{folder}/{composed}")) else {
                continue;
            };
            let Ok(about) = rustix::fs::statat(dir, &name, AtFlags::SYMLINK_NOFOLLOW) else {
                continue;
            };
            let is_folder = match FileType::from_raw_mode(about.st_mode) {
                FileType::Directory => true,
                FileType::RegularFile if is_synced(&path) => false,
                _ => continue,
            };
            let now = match name == composed {
                true => name,
                false => self.name(dir, folder, (&name, &composed), path.clone()),
            };
            if is_folder {
                let below = open_folder(dir, now.as_str());
                let below = below.map_err(|error| io_error("open", path.as_str(), error.into()))?;
                self.folder(&below, path.as_str())?;
            }
        }
        Ok(())
    }

    /// Notes a name, and changes it if that is asked for; the name it has then.
    fn name(
        &mut self,
        dir: &Dir,
        folder: &str,
        (name, composed): (&str, &str),
        path: VaultPath,
    ) -> String {
        let whole = format!("{folder}/{name}");
        let shown = match VaultPath::new(whole.as_str()) {
            Err(PathError::NotNfc(shown)) => shown,
            _ => whole,
        };
        let renamed = match self.rename {
            true => self.recompose(dir, name, composed),
            false => Ok(()),
        };
        let failed = renamed.err().map(|error| match error {
            Errno::EXIST => {
                "another file has that name already; give one of them another name".to_owned()
            }
            error => std::io::Error::from(error).to_string(),
        });
        let has_new = self.rename && failed.is_none();
        self.found.push(NameForm {
            shown,
            composed: path,
            failed,
        });
        if has_new { composed } else { name }.to_owned()
    }

    fn recompose(&self, dir: &Dir, name: &str, composed: &str) -> Result<(), Errno> {
        // Keeps Platinum's other writers out; where there are no locks, that nothing is replaced has to do.
        rustix::fs::flock(dir, FlockOperation::LockExclusive).ok();
        let renamed = match self.vault.ignores_case() {
            // Both may be one name there.
            true => {
                let hidden = unused_name(Kind::Gone, composed);
                move_to_free(dir, name, dir, &hidden)?;
                move_to_free(dir, &hidden, dir, composed).inspect_err(|_| {
                    move_to_free(dir, &hidden, dir, name).ok();
                })
            }
            false => move_to_free(dir, name, dir, composed),
        };
        rustix::fs::flock(dir, FlockOperation::Unlock).ok();
        renamed?;
        rustix::fs::fsync(dir)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn compose_names_renames_files_and_folders_alone() {
        let root = tempfile::tempdir().unwrap();
        let inbox = root.path().join("Inbox/Re\u{301}sume\u{301}s");
        fs::create_dir_all(&inbox).unwrap();
        for n in 0..3 {
            fs::write(inbox.join(format!("Cafe\u{301} {n}.md")), n.to_string()).unwrap();
        }
        // Not synced, refused for more than that, outside of the synced folders, composed.
        fs::write(inbox.join("u\u{308}ber.canvas"), "").unwrap();
        fs::write(inbox.join("u\u{308}?.md"), "").unwrap();
        fs::create_dir(root.path().join("Journe\u{301}e")).unwrap();
        fs::write(inbox.join("Büro.md"), "").unwrap();
        // Two files of which one would take the other's place.
        fs::write(root.path().join("Inbox/e\u{301}.md"), "apart").unwrap();
        fs::write(root.path().join("Inbox/\u{e9}.md"), "composed").unwrap();
        let vault = Vault::open(root.path()).unwrap();

        let found = compose_names(&vault, false).unwrap();
        let shown: Vec<&str> = found.iter().map(|form| form.shown.as_str()).collect();
        assert_eq!(
            shown,
            [
                r"Inbox/Re\u{301}sume\u{301}s",
                r"Inbox/Résumés/Cafe\u{301} 0.md",
                r"Inbox/Résumés/Cafe\u{301} 1.md",
                r"Inbox/Résumés/Cafe\u{301} 2.md",
                r"Inbox/e\u{301}.md",
            ]
        );
        assert!(inbox.is_dir() && found.iter().all(|form| form.failed.is_none()));

        let renamed = compose_names(&vault, true).unwrap();
        let failed: Vec<_> = renamed
            .iter()
            .filter_map(|form| form.failed.as_deref())
            .collect();
        assert_eq!(
            failed,
            ["another file has that name already; give one of them another name"]
        );
        assert_eq!(renamed.len(), 5);
        let path = VaultPath::new("Inbox/Résumés/Café 1.md").unwrap();
        assert_eq!(vault.read_text(&path, 10).unwrap(), "1");
        let read = |name: &str| fs::read_to_string(root.path().join("Inbox").join(name)).unwrap();
        assert_eq!(
            (read("e\u{301}.md"), read("\u{e9}.md")),
            ("apart".into(), "composed".into())
        );
        assert_eq!(compose_names(&vault, true).unwrap().len(), 1);
    }
}
