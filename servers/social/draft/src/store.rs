//! [`DraftStore`]: drafts as files of this machine, since the networks have none: one an operation, create-once.
//!
//! Invariants: a file is whole or not there; none is overwritten; the folder is its owner's alone (0700), and holds at
//! most [`MAX_DRAFTS`]: the oldest make room, which is logged. What an agent proposes is in the vault, not here.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use platinum_social_client::Post;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The most drafts that are kept.
pub const MAX_DRAFTS: usize = 1_000;
/// How the files of drafts end.
const END: &str = ".json";

/// A draft cannot be saved or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder or a file of it cannot be used.
    #[error("cannot keep drafts in {folder}: {source}", folder = .folder.display())]
    Io {
        /// The folder.
        folder: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// Others may read the folder.
    #[error("the folder of drafts {folder} can be read by others; run: chmod 700 {folder}", folder = .0.display())]
    Open(PathBuf),
}

/// A saved draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedDraft {
    /// Its name.
    pub name: String,
    /// Whether it was there before.
    pub existing: bool,
    /// Whether the one that was there is of another post.
    pub differs: bool,
}

/// What a file holds.
#[derive(Debug, Serialize, Deserialize)]
struct DraftFile {
    operation: String,
    post: Post,
}

/// The drafts in a folder.
#[derive(Debug)]
pub struct DraftStore {
    folder: PathBuf,
    /// Held while a draft is saved, so that counting and making room are one step.
    saving: Mutex<()>,
}

impl DraftStore {
    /// The drafts in this folder, which is made at the first draft.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_path_buf(),
            saving: Mutex::default(),
        }
    }

    /// Saves the draft of an operation, or finds the one that there is.
    ///
    /// # Errors
    /// If the folder cannot be made, read or written, or is open to others.
    pub fn save(&self, operation: &str, post: &Post) -> Result<SavedDraft, StoreError> {
        // A panic elsewhere left nothing half done: a file is whole or not there.
        let _saving = self
            .saving
            .lock()
            .unwrap_or_else(|broken| broken.into_inner());
        self.save_file(operation, post)
            .map_err(|error| match error {
                SaveError::Io(source) => StoreError::Io {
                    folder: self.folder.clone(),
                    source,
                },
                SaveError::Open => StoreError::Open(self.folder.clone()),
            })
    }

    fn save_file(&self, operation: &str, post: &Post) -> Result<SavedDraft, SaveError> {
        self.open_folder()?;
        let digest = hex::encode(Sha256::digest(operation));
        let name = format!("draft-{}", digest.get(..20).unwrap_or_default());
        let path = self.folder.join(format!("{name}{END}"));
        if let Some(existing) = existing(&path, &name, post)? {
            return Ok(existing);
        }
        self.make_room()?;
        let draft = DraftFile {
            operation: operation.to_owned(),
            post: post.clone(),
        };
        let temporary = self
            .folder
            .join(format!("{name}.{}.new", std::process::id()));
        let bytes = serde_json::to_vec(&draft).map_err(io::Error::other)?;
        let written = write_new(&temporary, &bytes).and_then(|()| fs::hard_link(&temporary, &path));
        let removed = fs::remove_file(&temporary);
        match written {
            Ok(()) => {}
            // Another server over the same folder was faster.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                if let Some(existing) = existing(&path, &name, post)? {
                    return Ok(existing);
                }
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        }
        removed?;
        Ok(SavedDraft {
            name,
            existing: false,
            differs: false,
        })
    }

    fn open_folder(&self) -> Result<(), SaveError> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
            builder.mode(0o700).create(&self.folder)?;
            if fs::metadata(&self.folder)?.permissions().mode() & 0o077 != 0 {
                return Err(SaveError::Open);
            }
        }
        #[cfg(not(unix))]
        builder.create(&self.folder)?;
        Ok(())
    }

    /// Removes the oldest drafts until one more fits, and what a save left that did not come to its end.
    fn make_room(&self) -> Result<(), SaveError> {
        let mut drafts: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("draft-") && name.ends_with(".new") {
                fs::remove_file(entry.path())?;
            } else if name.starts_with("draft-") && name.ends_with(END) {
                drafts.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        drafts.sort();
        let surplus = (drafts.len() + 1).saturating_sub(MAX_DRAFTS);
        for (_, path) in drafts.iter().take(surplus) {
            tracing::info!(draft = %path.display(), "removed an old draft to make room");
            fs::remove_file(path)?;
        }
        Ok(())
    }
}

/// Why a draft was not saved.
enum SaveError {
    Io(io::Error),
    Open,
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// The draft at this path, if it is there.
fn existing(path: &Path, name: &str, post: &Post) -> Result<Option<SavedDraft>, io::Error> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    // One that cannot be read, such as of a later version, is another one.
    let is_same =
        serde_json::from_slice::<DraftFile>(&bytes).is_ok_and(|draft| draft.post == *post);
    Ok(Some(SavedDraft {
        name: name.to_owned(),
        existing: true,
        differs: !is_same,
    }))
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    fn post(text: &str) -> Post {
        Post {
            account: "a".into(),
            parts: vec![text.to_owned()],
            ..Post::default()
        }
    }

    #[test]
    fn store_keeps_the_first_draft_of_an_operation() {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path().join("below/drafts");
        let store = DraftStore::new(&at);
        let first = store.save("task_1", &post("x")).unwrap();
        assert!(!first.existing && !first.differs);
        let again = store.save("task_1", &post("x")).unwrap();
        assert_eq!(
            (again.name.as_str(), again.existing, again.differs),
            (first.name.as_str(), true, false)
        );
        // Another process, and another text: the first one stays.
        let other = DraftStore::new(&at).save("task_1", &post("y")).unwrap();
        assert!(other.existing && other.differs);
        assert_ne!(store.save("task_2", &post("x")).unwrap().name, first.name);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&at), 0o700);
        assert_eq!(mode(&at.join(format!("{}.json", first.name))), 0o600);
        let text = fs::read_to_string(at.join(format!("{}.json", first.name))).unwrap();
        assert!(text.contains("\"x\""), "{text}");
    }

    #[test]
    fn store_refuses_a_folder_that_others_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let refusal = DraftStore::new(folder.path())
            .save("x", &post("x"))
            .unwrap_err();
        assert!(refusal.to_string().contains("chmod 700"), "{refusal}");
    }

    #[test]
    fn store_makes_room_and_removes_what_a_crash_left() {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).unwrap();
        for number in 0..=MAX_DRAFTS {
            fs::write(folder.path().join(format!("draft-{number:05}.json")), "{}").unwrap();
        }
        fs::write(folder.path().join("draft-x.7.new"), "half").unwrap();
        fs::write(folder.path().join("notes.txt"), "mine").unwrap();
        let store = DraftStore::new(folder.path());
        store.save("x", &post("x")).unwrap();
        let mut names: Vec<String> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), MAX_DRAFTS + 1);
        assert!(names.contains(&"notes.txt".to_owned()));
        assert!(!names.iter().any(|name| name.ends_with(".new")));
    }
}
