//! [`synchronizer_of`]: whether another program keeps the vault in step with other devices, so that a
//! file that moves here may have been moved there.
//!
//! Lives elsewhere: what a move counts for then is decided in `inspect`.
//! Invariants: only names are looked at, of the vault's folder and those above it. A synchronizer
//! that leaves no mark, as Obsidian Sync and Unison leave none, is not found.

use std::{fs, path::Path};

/// A name that a synchronizer leaves in the folder that it keeps in step, and whose it is.
const MARKS: &[(&str, &str)] = &[
    (".stfolder", "Syncthing"),
    (".sync/ID", "Resilio Sync"),
    (".dropbox.cache", "Dropbox"),
    (".nextcloudsync.log", "Nextcloud"),
    (".owncloudsync.log", "ownCloud"),
    (".849C9593-D756-4E56-8D6E-42412F2A707B", "OneDrive"),
];

/// A folder in whose name a system keeps the folders of its synchronizers.
const PLACES: &[(&str, &str)] = &[
    ("Mobile Documents", "iCloud Drive"),
    ("CloudStorage", "a cloud drive"),
];

/// The synchronizer of a folder, if it or a folder above it has a mark of one.
pub(super) fn synchronizer_of(folder: &Path) -> Option<&'static str> {
    folder.ancestors().find_map(|folder| {
        let marked = MARKS
            .iter()
            .find(|(mark, _)| fs::symlink_metadata(folder.join(mark)).is_ok());
        let placed = PLACES
            .iter()
            .find(|(place, _)| folder.file_name().is_some_and(|name| name == *place));
        let found = marked.or(placed).map(|(_, synchronizer)| *synchronizer);
        found.or_else(|| has_database(folder).then_some("Nextcloud or ownCloud"))
    })
}

/// Whether a folder holds the database of a client of Nextcloud or ownCloud: `.sync_<digits>.db`.
fn has_database(folder: &Path) -> bool {
    let Ok(entries) = fs::read_dir(folder) else {
        return false;
    };
    entries.flatten().any(|entry| {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        (name.starts_with(".sync_") || name.starts_with("._sync_")) && name.ends_with(".db")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn synchronizer_is_found_by_its_mark_above_the_vault() {
        let folder = tempfile::tempdir().unwrap();
        let vault = folder.path().join("Mobile Documents/notes/vault");
        fs::create_dir_all(&vault).unwrap();
        assert_eq!(synchronizer_of(&vault), Some("iCloud Drive"));
        let vault = folder.path().join("notes/vault");
        fs::create_dir_all(&vault).unwrap();
        assert_eq!(synchronizer_of(&vault), None);
        // What is no mark: a folder of that name with something else in it.
        fs::create_dir(vault.join(".sync")).unwrap();
        assert_eq!(synchronizer_of(&vault), None);
        fs::write(folder.path().join(".sync_0a1b2c.db"), "").unwrap();
        assert_eq!(synchronizer_of(&vault), Some("Nextcloud or ownCloud"));
        for (mark, synchronizer) in MARKS {
            let notes = tempfile::tempdir().unwrap();
            let mark = notes.path().join(mark);
            fs::create_dir_all(mark.parent().unwrap()).unwrap();
            fs::write(&mark, "").unwrap();
            let vault = notes.path().join("vault");
            assert_eq!(synchronizer_of(&vault), Some(*synchronizer));
        }
    }
}
