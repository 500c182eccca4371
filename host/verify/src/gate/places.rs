//! The places of notes that the owner allowed, as a file beside the objects: an entry a line, each followed by where it
//! was, for people.
//!
//! Lives elsewhere: what a place is bound to is `secrets`'.
//! Invariant: a line that cannot be read allows nothing.

use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::SystemTime,
};

use platinum_repo::replace_file;
use platinum_secrets::{AllowedPlace, AllowedPlaces, Scanner};

fn file(git_dir: &Path) -> PathBuf {
    git_dir.join("platinum-allowed-places")
}

/// The entries of the list beside a repository.
///
/// # Errors
/// If it cannot be read; that there is none is no error.
pub fn allowed_places(git_dir: &Path) -> io::Result<Vec<AllowedPlace>> {
    match fs::read_to_string(file(git_dir)) {
        Ok(text) => Ok(text.lines().filter_map(|line| line.parse().ok()).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Has a scanner let the places of the list beside a repository pass.
///
/// # Errors
/// If the list cannot be read.
pub fn load_places(git_dir: &Path, scanner: &Scanner) -> io::Result<()> {
    let places = AllowedPlaces::from_iter(allowed_places(git_dir)?);
    scanner.allow_places(&places);
    Ok(())
}

/// Adds a place to the list beside a repository; a daemon takes it up with its next scan. `shown` is one line for
/// people.
///
/// # Errors
/// If the list cannot be written.
pub fn allow_place(git_dir: &Path, place: &AllowedPlace, shown: &str) -> io::Result<()> {
    let path = file(git_dir);
    let before = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    replace_file(&path, format!("{before}{place} {shown}\n").as_bytes())
}

/// When and how long the list was that the scanner has.
#[derive(Default)]
pub(super) struct PlacesFile(Mutex<Option<(SystemTime, u64)>>);

impl PlacesFile {
    /// Reads the list again if it changed.
    pub(super) fn refresh(&self, git_dir: &Path, scanner: &Scanner) {
        let about = fs::metadata(file(git_dir));
        let stamp = about
            .and_then(|about| Ok((about.modified()?, about.len())))
            .ok();
        let mut read = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if *read == stamp {
            return;
        }
        match load_places(git_dir, scanner) {
            Ok(()) => *read = stamp,
            Err(error) => tracing::debug!(%error, "Cannot read what the owner allowed."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_place_is_taken_up_without_a_new_scanner() {
        let folder = tempfile::tempdir().unwrap();
        let (scanner, file) = (Scanner::default(), PlacesFile::default());
        let (path, text) = ("Inbox/a.md", b"# A\n\nPassword: Tr0ub4dor&3x\n".as_slice());
        file.refresh(folder.path(), &scanner);
        let found = scanner.findings(path, text);
        assert_eq!(found[0].0.line(), Some(3));
        allow_place(folder.path(), &found[0].1.unwrap(), "Inbox/a.md:3").unwrap();
        assert!(scanner.content_at(path, text).is_some());
        file.refresh(folder.path(), &scanner);
        assert_eq!(scanner.content_at(path, text), None);
        // A line that cannot be read allows nothing, and keeps the others.
        let list = super::file(folder.path());
        let before = fs::read_to_string(&list).unwrap();
        assert!(before.ends_with(" Inbox/a.md:3\n"), "{before}");
        fs::write(&list, format!("place:1:ff Inbox/b.md:1\n{before}")).unwrap();
        file.refresh(folder.path(), &scanner);
        assert_eq!(allowed_places(folder.path()).unwrap().len(), 1);
        assert_eq!(scanner.content_at(path, text), None);
        fs::remove_file(list).unwrap();
        file.refresh(folder.path(), &scanner);
        assert!(scanner.content_at(path, text).is_some());
    }
}
