//! [`Vault::create_many`]: many new files that wait for the disk together, instead of one after the other.
//!
//! Lives elsewhere: how one file is written beside its place and put there is `temp`'s.
//! Invariants: as of one file, the bytes are on the disk before it takes its place, and nothing that
//! is there is replaced; one that fails keeps no other away.

use std::collections::BTreeMap;

use platinum_core::VaultPath;
use rustix::fs::Mode;

use crate::{
    Vault, VaultError,
    folder::{Place, io_error},
    name_key,
    pending_drafts::draft_at,
    temp::Temp,
};

/// The names in some folders, by what they are compared by.
type Names = BTreeMap<String, BTreeMap<String, String>>;

impl Vault {
    /// Writes new files, each as [`Vault::create`] does, but none beside another spelling of its
    /// name ([`VaultError::Twin`]); what came of each, in their order. All folders are open at once.
    pub fn create_many(&self, files: &[(&VaultPath, Vec<u8>)]) -> Vec<Result<(), VaultError>> {
        let mut results: Vec<_> = files.iter().map(|_| Ok(())).collect();
        let (mut names, mut places, mut temps) = (Names::new(), Vec::new(), Vec::new());
        for ((path, bytes), result) in files.iter().zip(&mut results) {
            match self.free_place(path, &mut names) {
                // Whoever keeps the drafts is told of each.
                Ok(_) if draft_at(path).is_some() => *result = self.create(path, bytes),
                Ok(place) => places.push((place, bytes, result)),
                Err(error) => *result = Err(error),
            }
        }
        for (place, bytes, result) in &mut places {
            match Temp::written(place, bytes, Mode::from_raw_mode(0o600)) {
                Ok((temp, file)) => temps.push((temp, file, result)),
                Err(error) => **result = Err(error),
            }
        }
        // All are written by now: the first wait brings most of the others to the disk as well.
        let mut folders = BTreeMap::new();
        for (temp, file, result) in temps {
            let place = temp.place();
            let written = file.sync_all();
            let taken = written.map_err(|error| io_error("write", place.path.as_str(), error));
            match taken.and_then(|()| temp.take_free_place_unsynced()) {
                Ok(()) => {
                    let same: &mut Vec<_> = folders.entry(place.path.parent()).or_default();
                    same.push((place, result));
                }
                Err(error) => **result = Err(error),
            }
        }
        for placed in folders.into_values() {
            if let Some((place, _)) = placed.first()
                && place.fsync().is_err()
            {
                for (place, result) in placed {
                    **result = place.fsync();
                }
            }
        }
        results
    }

    /// The place of a new file that has no twin, among these files either.
    fn free_place<'a>(
        &self,
        path: &'a VaultPath,
        names: &mut Names,
    ) -> Result<Place<'a>, VaultError> {
        let parent = path.parent();
        let folder = parent.as_ref().map_or("", VaultPath::as_str);
        let twin = |twin| VaultError::Twin {
            path: path.clone(),
            twin,
        };
        if let Some(parent) = &parent
            && !names.contains_key(folder)
            && let Some(other) = self.other_spelling(parent)?
        {
            return Err(twin(other));
        }
        let place = Place::open(self.dir(), path, true)?;
        if !names.contains_key(folder) {
            names.insert(folder.to_owned(), names_in(&place)?);
        }
        let is_there = place.is_there()?;
        let here = names.entry(folder.to_owned()).or_default();
        let other = here
            .entry(name_key(place.name))
            .or_insert_with(|| place.name.to_owned());
        if other.as_str() != place.name && (!is_there || self.ignores_case()) {
            return Err(twin(match folder {
                "" => other.clone(),
                folder => format!("{folder}/{other}"),
            }));
        }
        match is_there {
            true => Err(VaultError::Exists(path.clone())),
            false => Ok(place),
        }
    }
}

/// The names in the folder of a place, by what they are compared by.
fn names_in(place: &Place<'_>) -> Result<BTreeMap<String, String>, VaultError> {
    let failed = |error| io_error("list the folder of", place.path.as_str(), error);
    let mut names = BTreeMap::new();
    for entry in place.dir.entries().map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        if let Some(name) = name.to_str().filter(|name| !name.starts_with('.')) {
            names.insert(name_key(name), name.to_owned());
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn create_many_writes_all_but_what_has_a_twin_or_is_there() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        fs::create_dir(folder.path().join("Inbox")).unwrap();
        fs::write(folder.path().join("Inbox/there.md"), "old").unwrap();
        let names = [
            "Inbox/a.md",
            "Inbox/A.md",
            "Inbox/there.md",
            "Inbox/THERE.md",
            "Plans/new/b.md",
            "plans/new/c.md",
            "Inbox/a.md",
            "d.md",
        ];
        let paths: Vec<VaultPath> = names.map(|name| VaultPath::new(name).unwrap()).into();
        let files: Vec<_> = paths
            .iter()
            .map(|path| (path, path.as_str().as_bytes().to_vec()))
            .collect();
        let results = vault.create_many(&files);
        let is_twin = |at: usize| matches!(results[at], Err(VaultError::Twin { .. }));
        let exists = |at: usize| matches!(results[at], Err(VaultError::Exists(_)));
        assert!(results[0].is_ok() && is_twin(1) && exists(2) && is_twin(3));
        assert!(results[4].is_ok() && is_twin(5) && exists(6) && results[7].is_ok());
        for (at, text) in [
            (0, "Inbox/a.md"),
            (2, "old"),
            (4, "Plans/new/b.md"),
            (7, "d.md"),
        ] {
            let bytes = fs::read(folder.path().join(names[at])).unwrap();
            assert_eq!(bytes, text.as_bytes());
        }
        for (below, count) in [("Inbox", 2), ("Plans/new", 1)] {
            let left = fs::read_dir(folder.path().join(below)).unwrap();
            assert_eq!(left.count(), count, "{below}");
        }
    }
}
