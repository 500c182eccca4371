//! Saving the files of one mail, and removing them again.
//!
//! Invariants: every count and size is bounded; a file is written once, under a name that is free, and never over
//! another; the same bytes are saved once; the note comes last, so that what was cut short is done again; only what
//! still is as Platinum saved it is removed.

use std::collections::{BTreeMap, BTreeSet};

use platinum_capabilities::in_background;
use platinum_core::{TaskId, Timestamp, VaultPath, layout, sha256_hex};
use platinum_effects::email::{MailFiles, ReceivedFile};
use platinum_vault::{
    Vault, VaultError,
    note::{MESSAGE_ID, Note, TaskNote},
};

use super::{
    names::{free_name, key, name_of},
    note::{self, FileLine},
};

/// Files of one mail that are saved.
pub(super) const MAX_FILES: usize = 50;
/// Bytes of one file, of those of one mail, and of all that are saved.
pub(super) const MAX_FILE_BYTES: u64 = 25 * 1024 * 1024;
const MAX_MAIL_BYTES: u64 = 50 * 1024 * 1024;
const MAX_ALL_BYTES: u64 = 1024 * 1024 * 1024;
/// The longest note that is read.
const MAX_NOTE_BYTES: u64 = 256 * 1024;

/// The note of a task's files, with its text; none if there is none.
///
/// # Errors
/// If it cannot be read. Blocks on the disk.
pub(super) fn read_note(vault: &Vault, task: TaskId) -> Result<Option<(Note, String)>, String> {
    match vault.read_text(&layout::attachments(task), MAX_NOTE_BYTES) {
        // A link that was followed before the note was there makes an empty one.
        Ok(text) if text.trim().is_empty() => Ok(None),
        Ok(text) => Note::parse(&text)
            .map(|note| Some((note, text)))
            .map_err(|error| error.to_string()),
        Err(VaultError::NotFound(_)) => Ok(None),
        Err(error) => Err(error.to_string()),
    }
}

/// Saves the files of a task's mail and lists them in its note.
///
/// # Errors
/// Why that is not done now; it may be tried again.
pub(super) async fn save(
    vault: &Vault,
    task: &TaskNote,
    mail: &dyn MailFiles,
    now: Timestamp,
) -> Result<(), String> {
    let Some(message_id) = task.fact(MESSAGE_ID).first() else {
        return Err("the mail has no Message-ID by which it could be found again".to_owned());
    };
    let from = task.from_address();
    let listed = mail.list(message_id, from.as_deref()).await?;
    let folder = note::folder_of(task.id).ok_or("its folder has no name")?;
    let (store, within) = (vault.clone(), folder.clone());
    let used = in_background(move || used_by_others(&store, &within)).await;
    let mut room = Room {
        of_mail: MAX_MAIL_BYTES,
        of_all: MAX_ALL_BYTES.saturating_sub(used.map_err(|error| error.to_string())?),
    };
    let mut lines = Vec::new();
    let mut saved: BTreeMap<String, VaultPath> = BTreeMap::new();
    let mut taken = BTreeSet::new();
    for (at, file) in listed.files.iter().enumerate() {
        let place = match room.refusal(at, file) {
            Some(why) => Err(why),
            None => {
                let content = mail.read(message_id, at, file.size).await?;
                let sha256 = sha256_hex(&content);
                let path = match saved.get(&sha256) {
                    Some(path) => path.clone(),
                    None => {
                        room.take(content.len() as u64);
                        let name = name_of(file.name.as_deref(), &file.media_type);
                        let (store, within) = (vault.clone(), folder.clone());
                        let known = std::mem::take(&mut taken);
                        let written =
                            in_background(move || write(&store, &within, &name, &content, known));
                        let (path, known) = written.await?;
                        taken = known;
                        saved.insert(sha256, path.clone());
                        path
                    }
                };
                Ok(path)
            }
        };
        let given = file.name.clone();
        lines.push(FileLine {
            given: given.unwrap_or_else(|| "without a name".to_owned()),
            size: file.size,
            place,
        });
    }
    let further = match (listed.more, listed.is_cut) {
        (0, false) => None,
        (0, true) => Some("The mail is too large to be read whole: there may be more.".to_owned()),
        (more, _) => Some(format!(
            "{more} more are attached. They are in your mail program."
        )),
    };
    let digests: Vec<String> = saved.into_keys().collect();
    edit_note(vault, task, move |note| {
        note::add_files(note, &lines, further.as_deref(), &digests, now).map(|()| true)
    })
    .await
}

/// Says in the note why nothing is saved yet.
///
/// # Errors
/// If the note cannot be written.
pub(super) async fn note_failure(
    vault: &Vault,
    task: &TaskNote,
    why: String,
    now: Timestamp,
) -> Result<(), String> {
    edit_note(vault, task, move |note| note::add_failure(note, &why, now)).await
}

/// Removes what was saved for a task and is as it was saved; whether nothing is left.
///
/// # Errors
/// If the folder cannot be read or written. Blocks on the disk.
pub(super) fn remove(vault: &Vault, task: TaskId) -> Result<bool, String> {
    let folder = note::folder_of(task).ok_or("its folder has no name")?;
    let failed = |error: VaultError| error.to_string();
    let list = layout::attachments(task);
    let note = read_note(vault, task)?.map(|(note, _)| note);
    let mut is_empty = true;
    for entry in vault.list(folder.as_str()).map_err(failed)? {
        let is_ours = match &note {
            // It goes last: it says what is ours.
            Some(_) if entry.path == list => continue,
            Some(note) if entry.len <= MAX_FILE_BYTES => {
                let content = vault.read(&entry.path, MAX_FILE_BYTES).map_err(failed)?;
                note::has_digest(note, &sha256_hex(content))
            }
            _ => false,
        };
        match is_ours {
            true => vault.remove(&entry.path).map_err(failed)?,
            false => is_empty = false,
        }
    }
    match note {
        Some(note) if is_empty && note::is_own(&note) => vault.remove(&list).map_err(failed)?,
        Some(_) => is_empty = false,
        None => {}
    }
    vault.remove_empty_folders(&folder).map_err(failed)?;
    Ok(is_empty)
}

/// What may still be saved, in bytes.
pub(super) struct Room {
    pub(super) of_mail: u64,
    pub(super) of_all: u64,
}

impl Room {
    /// Why a file is not saved, if it is not.
    pub(super) fn refusal(&self, at: usize, file: &ReceivedFile) -> Option<String> {
        let mib = |bytes: u64| bytes / (1024 * 1024);
        if let Some(why) = &file.left_out {
            return Some(why.clone());
        }
        if at >= MAX_FILES {
            return Some(format!("more than {MAX_FILES} files are attached"));
        }
        let limits = [
            (MAX_FILE_BYTES, MAX_FILE_BYTES, "one file"),
            (self.of_mail, MAX_MAIL_BYTES, "the files of one mail"),
            (self.of_all, MAX_ALL_BYTES, "all saved files together"),
        ];
        let over = limits.iter().find(|(room, ..)| file.size > *room);
        over.map(|(_, most, of)| format!("{} MiB is the most for {of}", mib(*most)))
    }

    fn take(&mut self, bytes: u64) {
        self.of_mail = self.of_mail.saturating_sub(bytes);
        self.of_all = self.of_all.saturating_sub(bytes);
    }
}

/// How much is saved for other tasks, in bytes. Blocks on the disk.
fn used_by_others(vault: &Vault, own: &VaultPath) -> Result<u64, VaultError> {
    let mut used = 0_u64;
    for folder in vault.folders(layout::MAIL_ATTACHMENTS)? {
        if folder != *own {
            let files = vault.list(folder.as_str())?;
            used += files.iter().map(|entry| entry.len).sum::<u64>();
        }
    }
    Ok(used)
}

/// Writes a file under the first name that is free, or finds it there from an earlier try; adds its name to the
/// taken ones. Blocks on the disk.
fn write(
    vault: &Vault,
    folder: &VaultPath,
    name: &str,
    content: &[u8],
    mut taken: BTreeSet<String>,
) -> Result<(VaultPath, BTreeSet<String>), String> {
    // The owner may have put as many files there.
    for _ in 0..1000 {
        let name = free_name(name, &taken);
        taken.insert(key(&name));
        let path = folder.join(&name).map_err(|error| error.to_string())?;
        match vault.create(&path, content) {
            Ok(()) => return Ok((path, taken)),
            Err(VaultError::Exists(_)) => {
                let there = vault.read(&path, content.len() as u64);
                if there.is_ok_and(|there| there == content) {
                    return Ok((path, taken));
                }
            }
            Err(error) => return Err(error.to_string()),
        }
    }
    Err(format!("no name like `{name}` is free in {folder}"))
}

/// Changes the note of a task's files, or begins it. `change` says whether there is anything to write.
async fn edit_note(
    vault: &Vault,
    task: &TaskNote,
    change: impl FnOnce(&mut Note) -> Result<bool, platinum_vault::note::NoteError> + Send + 'static,
) -> Result<(), String> {
    let (vault, task) = (vault.clone(), task.clone());
    let edit = move || {
        let path = layout::attachments(task.id);
        let (mut note, old) = match read_note(&vault, task.id)? {
            Some((note, old)) => (note, Some(old)),
            None => {
                let fresh = note::begin(&task).map_err(|error| error.to_string())?;
                let blank = vault.read_text(&path, MAX_NOTE_BYTES).ok();
                (fresh, blank)
            }
        };
        if !change(&mut note).map_err(|error| error.to_string())? {
            return Ok(());
        }
        let text = note.to_text();
        let written = match old {
            Some(old) => vault.replace(&path, text.as_bytes(), Some(old.as_bytes())),
            None => vault.create(&path, text.as_bytes()),
        };
        written.map_err(|error| error.to_string())
    };
    in_background(edit).await
}
