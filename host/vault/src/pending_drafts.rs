//! [`PendingDrafts`]: which files wait for the owner in `Pending_Approval/`, noted for whoever has to
//! know that a file which is found in `Approved/` is the very one that waited; and which file is at a
//! path.
//!
//! Lives elsewhere: what a move means is decided by the host's approvals; where it is kept, too.
//! Invariants: what is noted was seen in `Pending_Approval/` under that draft's name, or takes its
//! place there in this moment; what is written there through a [`Vault`] is noted by that write.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use platinum_core::{DraftId, FileIdentity, VaultPath, layout, sha256_hex};
use platinum_policy::MAX_FILE_BYTES;
use rustix::fs::Mode;

use crate::{
    FileState, PathEntry, Vault, VaultError,
    folder::{Place, io_error},
    note::{self, DraftNote},
    scan::state_of,
    temp::{Temp, identity_of},
};

/// In the name of a conflict copy.
const CONFLICT: &str = ".conflict-";

/// Where it is kept which files waited for the owner.
pub trait PendingDrafts: Send + Sync {
    /// This file waits under this draft's name, or is about to; `sha256` is that of its content, in
    /// hex.
    ///
    /// # Errors
    /// If it cannot be kept.
    fn note(
        &self,
        draft: DraftId,
        file: FileIdentity,
        sha256: &str,
        is_placed: bool,
    ) -> Result<(), String>;

    /// Whether a file has ever waited under this draft's name.
    ///
    /// # Errors
    /// If that cannot be found out.
    fn has_waited(&self, draft: DraftId) -> Result<bool, String>;
}

/// What a vault knows of the files in `Pending_Approval/`.
#[derive(Default)]
pub(crate) struct PendingFolder {
    kept_by: Mutex<Option<Arc<dyn PendingDrafts>>>,
    /// The files as they were when they were last noted.
    noted: Mutex<HashMap<VaultPath, FileState>>,
}

impl fmt::Debug for PendingFolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PendingFolder").finish_non_exhaustive()
    }
}

impl PendingFolder {
    fn kept_by(&self) -> Option<Arc<dyn PendingDrafts>> {
        self.kept_by
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Vault {
    /// From now on it is kept here which files wait for the owner. So do all clones of this vault.
    pub fn remember_drafts(&self, drafts: Arc<dyn PendingDrafts>) {
        let kept_by = &self.pending().kept_by;
        *kept_by.lock().unwrap_or_else(PoisonError::into_inner) = Some(drafts);
    }

    /// Whether a file that is to be in `Pending_Approval/` has waited there already.
    pub fn has_waited(&self, path: &VaultPath) -> bool {
        let (Some(drafts), Some(draft)) = (self.pending().kept_by(), draft_at(path)) else {
            return false;
        };
        drafts.has_waited(draft).unwrap_or_else(|error| {
            tracing::warn!("Cannot find out whether {draft} has waited: {error}.");
            false
        })
    }

    /// Notes every file that waits and is not as it was the last time. What cannot be noted now is
    /// tried again the next time: its move is held until it is confirmed.
    pub fn note_drafts(&self) {
        let Some(drafts) = self.pending().kept_by() else {
            return;
        };
        let listing = match self.list_folder(layout::PENDING_APPROVAL) {
            Ok(listing) => listing.unwrap_or_default(),
            Err(error) => {
                tracing::warn!("Cannot list {}: {error}.", layout::PENDING_APPROVAL);
                return;
            }
        };
        let noted = &self.pending().noted;
        let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
        noted.retain(|path, _| listing.files.iter().any(|(there, _)| there == path));
        for (path, state) in listing.files {
            let Some(draft) = draft_at(&path) else {
                continue;
            };
            if noted.get(&path) == Some(&state) {
                continue;
            }
            match self.note_draft(&*drafts, draft, &path) {
                Ok(true) => drop(noted.insert(path, state)),
                Ok(false) => {}
                Err(error) => tracing::warn!("Cannot note that {path} waits: {error}."),
            }
        }
    }

    /// Writes a file, and has it noted before it has its place, if that is a draft's: whoever moves it
    /// in this very moment, and whenever this process dies, moves a known one.
    pub(crate) fn note_draft_of(
        &self,
        path: &VaultPath,
        bytes: &[u8],
        is_placed: bool,
        write: impl FnOnce(&mut dyn FnMut(FileIdentity)) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let (Some(drafts), Some(draft)) = (self.pending().kept_by(), draft_at(path)) else {
            return write(&mut |_| {});
        };
        let warn = |error: String| tracing::warn!("Cannot note that {path} waits: {error}.");
        let mut is_announced = false;
        let written = write(&mut |file| {
            is_announced = true;
            let noted = drafts.note(draft, file, &sha256_hex(bytes), is_placed);
            noted.unwrap_or_else(warn);
        });
        if written.is_err() && is_announced {
            // It did not get there: what is there waits.
            if let Err(error) = self.note_draft(&*drafts, draft, path) {
                warn(error);
            }
        }
        written
    }

    /// Notes one file; whether it was there, and the same file all the while.
    fn note_draft(
        &self,
        drafts: &dyn PendingDrafts,
        draft: DraftId,
        path: &VaultPath,
    ) -> Result<bool, String> {
        let failed = |error: VaultError| error.to_string();
        let Some(before) = self.identity(path).map_err(failed)? else {
            return Ok(false);
        };
        let bytes = match self.read(path, MAX_FILE_BYTES as u64) {
            Err(VaultError::NotFound(_) | VaultError::Changed(_)) => return Ok(false),
            bytes => bytes.map_err(failed)?,
        };
        if self.identity(path).map_err(failed)? != Some(before) {
            return Ok(false);
        }
        drafts.note(draft, before, &sha256_hex(&bytes), true)?;
        Ok(true)
    }

    /// The draft in a note of `Pending_Approval/` that has another name than a draft's: its owner renamed
    /// it. None if it is no draft, or that draft's own file is there, of which it is a copy then.
    pub fn renamed_draft(&self, path: &VaultPath) -> Option<DraftNote> {
        let is_copy = path.stem().contains(CONFLICT);
        if path.extension() != Some("md") || is_copy || draft_at(path).is_some() {
            return None;
        }
        let text = self.read_text(path, note::MAX_DRAFT_BYTES as u64).ok()?;
        let draft = DraftNote::parse(&text).ok()?;
        let is_there = self.exists(&layout::pending(draft.id)).unwrap_or(true);
        (!is_there).then_some(draft)
    }

    /// Which file is at a path; none if no file is there.
    ///
    /// # Errors
    /// If it is no regular file, or the way there is refused.
    pub fn identity(&self, path: &VaultPath) -> Result<Option<FileIdentity>, VaultError> {
        let opened = Place::open(self.dir(), path, false).and_then(|place| place.open_file());
        let file = match opened {
            Err(VaultError::NotFound(_)) => return Ok(None),
            opened => opened?,
        };
        let identity =
            identity_of(&file).map_err(|error| io_error("stat", path.as_str(), error))?;
        Ok(Some(identity))
    }

    /// Whether a file was written after it was moved to where it is: a move changes what the file
    /// system knows of a file and of its folder, and not what is in it. What is written and moved in
    /// one moment was written first. True only if it is certain: another move into the folder since,
    /// or a program that sets the time of what it wrote, makes it false.
    ///
    /// # Errors
    /// As [`Vault::stat`].
    pub fn was_written_after_move(&self, path: &VaultPath) -> Result<bool, VaultError> {
        let PathEntry::File(file) = self.stat(path)? else {
            return Ok(false);
        };
        let place = Place::open(self.dir(), path, false)?;
        let folder = rustix::fs::fstat(&place.dir);
        let folder = state_of(&folder.map_err(|error| place.io("stat", error))?);
        // A move takes place in the folder no earlier than what was written before it.
        Ok(file.modified >= file.changed && file.modified > folder.modified)
    }

    /// [`Vault::create`] of a file that is announced before anyone can see it at its path: whoever
    /// has to know it again misses no moment of it.
    ///
    /// # Errors
    /// As [`Vault::create`].
    pub fn create_announced(
        &self,
        path: &VaultPath,
        bytes: &[u8],
        announce: &mut dyn FnMut(FileIdentity),
    ) -> Result<(), VaultError> {
        let place = Place::open(self.dir(), path, true)?;
        if place.is_there()? {
            return Err(VaultError::Exists(path.clone()));
        }
        let temp = Temp::write(&place, bytes, Mode::from_raw_mode(0o600))?;
        announce(temp.identity()?);
        temp.take_free_place()
    }
}

/// The draft whose place in `Pending_Approval/` this is.
pub(crate) fn draft_at(path: &VaultPath) -> Option<DraftId> {
    let draft = path.stem().parse().ok()?;
    (*path == layout::pending(draft)).then_some(draft)
}

#[cfg(test)]
mod tests {
    use std::{fs, path::PathBuf};

    use super::*;

    /// Keeps the last that was noted; edits a file at the next note, if one is given.
    #[derive(Default)]
    struct LastNoted {
        file: Mutex<Option<(FileIdentity, String)>>,
        edits: Mutex<Option<PathBuf>>,
    }

    impl PendingDrafts for LastNoted {
        fn note(
            &self,
            _: DraftId,
            file: FileIdentity,
            sha256: &str,
            _: bool,
        ) -> Result<(), String> {
            *self.file.lock().unwrap() = Some((file, sha256.to_owned()));
            if let Some(path) = self.edits.lock().unwrap().take() {
                fs::write(path, "an edit").unwrap();
            }
            Ok(())
        }

        fn has_waited(&self, _: DraftId) -> Result<bool, String> {
            Ok(self.file.lock().unwrap().is_some())
        }
    }

    fn vault() -> (tempfile::TempDir, Vault, Arc<LastNoted>, VaultPath) {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let noted = Arc::new(LastNoted::default());
        vault.remember_drafts(Arc::clone(&noted) as Arc<dyn PendingDrafts>);
        let path = layout::pending(DraftId::from_parts(1, 1));
        (folder, vault, noted, path)
    }

    fn is_noted(vault: &Vault, noted: &LastNoted, path: &VaultPath) -> bool {
        let bytes = vault.read(path, 100).unwrap();
        let now = (vault.identity(path).unwrap().unwrap(), sha256_hex(&bytes));
        noted.file.lock().unwrap().as_ref() == Some(&now)
    }

    #[test]
    fn every_write_of_a_draft_notes_its_file() {
        let (folder, vault, noted, path) = vault();
        assert!(!vault.has_waited(&path));
        vault.create(&path, b"one").unwrap();
        assert!(is_noted(&vault, &noted, &path) && vault.has_waited(&path));
        vault.replace(&path, b"two", Some(b"one")).unwrap();
        assert!(is_noted(&vault, &noted, &path));
        // An editor saves by a new file.
        let saved = folder.path().join("saved");
        fs::write(&saved, "three").unwrap();
        fs::rename(saved, folder.path().join(path.as_str())).unwrap();
        assert!(!is_noted(&vault, &noted, &path));
        vault.note_drafts();
        assert!(is_noted(&vault, &noted, &path));
        // What is no draft in its own place is not.
        let elsewhere = layout::approved(DraftId::from_parts(1, 1));
        vault.create(&elsewhere, b"four").unwrap();
        assert!(!is_noted(&vault, &noted, &elsewhere));
    }

    #[test]
    fn renamed_draft_is_known_by_its_content() {
        let (folder, vault, _, path) = vault();
        let draft = "---\nid: draft_00000000010000000000000001\nkind: draft\ncreated: 2026-11-20T12:00:00Z\n\
             by: me\ntask: task_00000000010000000000000001\naction: email-send\nfrom-account: owner\n\
             to: [a@x.test]\nsubject: x\nsummary: s\nreason: r\nexpires: 2026-11-27T12:00:00Z\n---\nYes.\n";
        let note = DraftNote::parse(draft).unwrap();
        let renamed = VaultPath::new("Pending_Approval/My answer.md").unwrap();
        vault.create(&renamed, draft.as_bytes()).unwrap();
        assert_eq!(vault.renamed_draft(&renamed), Some(note.clone()));
        // A copy of one that is there, and a note of the owner's own.
        vault
            .create(&layout::pending(note.id), draft.as_bytes())
            .unwrap();
        assert_eq!(vault.renamed_draft(&renamed), None);
        let own = VaultPath::new("Pending_Approval/todo.md").unwrap();
        vault.create(&own, b"- [ ] tea\n").unwrap();
        assert_eq!(vault.renamed_draft(&own), None);
        assert_eq!(vault.renamed_draft(&path), None);
        drop(folder);
    }

    /// The times of a file and its folder tell what came last.
    #[test]
    fn write_after_a_move_is_distinguished_from_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let path = VaultPath::new("Approved/a.md").unwrap();
        let file = folder.path().join("Approved/a.md");
        let set_time = |path: &std::path::Path| {
            let an_hour_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
            fs::File::open(path)
                .unwrap()
                .set_modified(an_hour_ago)
                .unwrap();
        };
        // In one moment, as a script does.
        fs::create_dir(folder.path().join("Approved")).unwrap();
        fs::write(folder.path().join("a.md"), "one").unwrap();
        fs::rename(folder.path().join("a.md"), &file).unwrap();
        assert!(!vault.was_written_after_move(&path).unwrap());
        // Written long before it was moved.
        set_time(&file);
        assert!(!vault.was_written_after_move(&path).unwrap());
        // Moved long before it was written.
        set_time(file.parent().unwrap());
        fs::write(&file, "two").unwrap();
        assert!(vault.was_written_after_move(&path).unwrap());
    }

    /// What was announced and did not get its place is not what waits.
    #[test]
    fn write_that_fails_leaves_the_file_that_waits_noted() {
        let (folder, vault, noted, path) = vault();
        vault.create(&path, b"one").unwrap();
        *noted.edits.lock().unwrap() = Some(folder.path().join(path.as_str()));
        let replaced = vault.replace(&path, b"two", Some(b"one"));
        assert!(
            matches!(replaced, Err(VaultError::Changed(_))),
            "{replaced:?}"
        );
        assert_eq!(vault.read(&path, 100).unwrap(), b"an edit");
        assert!(is_noted(&vault, &noted, &path));
    }
}
