//! The note that lists the files of a mail, saved or not.
//!
//! Invariants: what stands in it from the owner stays: it is only added to; what it says of a mail is escaped; the
//! digests in it say what Platinum wrote, so that nothing else is ever removed.

use platinum_core::{
    TaskId, Timestamp, VaultPath, format_minute, format_time, layout, sha256_hex,
    text::{escape_markdown, one_line},
};
use platinum_vault::note::{Note, NoteError, TaskNote, Value};

/// The key with when all was saved; missing until then.
const SAVED: &str = "saved";
/// The key with the digest of each file that was saved, and of the note's own text.
const DIGESTS: &str = "sha256";

/// What became of one file of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileLine {
    /// What the mail calls it.
    pub(super) given: String,
    /// Its size in bytes.
    pub(super) size: u64,
    /// Where it is, or why it is not saved.
    pub(super) place: Result<VaultPath, String>,
}

/// Whether a note says that all was saved.
pub(super) fn is_saved(note: &Note) -> bool {
    note.get(SAVED).is_some()
}

/// A note that says nothing yet.
///
/// # Errors
/// If it cannot be written, which does not happen.
pub(super) fn begin(task: &TaskNote) -> Result<Note, NoteError> {
    let mut note = Note::parse("")?;
    note.set("kind", "attachments")?;
    note.set("task", format!("[[{}]]", task.id))?;
    note.set_body(format!(
        "# Files of {}\n\n\
         They came with the mail of [[{}]], from outside: open what you expect, and nothing else. They are on this \
         machine alone; nothing in `{}/` is synced. Files of types that could run or be taken for notes end in `.bin`. \
         Once the task is done Platinum removes what it saved here and you did not change: move a file elsewhere to \
         keep it.\n",
        escape_markdown(&one_line(&task.subject, 120), 240),
        task.id,
        layout::MAIL_ATTACHMENTS
    ));
    Ok(note)
}

/// Says that nothing could be saved yet; whether that is new.
///
/// # Errors
/// If it cannot be written.
pub(super) fn add_failure(note: &mut Note, why: &str, at: Timestamp) -> Result<bool, NoteError> {
    let why = escape_markdown(&one_line(why, 300), 600);
    let text = format!("not saved yet: {why}. It is tried again.");
    if note.body().trim_end().ends_with(&text) {
        return Ok(false);
    }
    add(note, &format!("- {}: {text}\n", format_minute(at)), &[])?;
    Ok(true)
}

/// Lists what was saved and what was not; `digests` are those of the files.
///
/// # Errors
/// If it cannot be written.
pub(super) fn add_files(
    note: &mut Note,
    lines: &[FileLine],
    further: Option<&str>,
    digests: &[String],
    at: Timestamp,
) -> Result<(), NoteError> {
    let mut text: String = lines.iter().map(line).collect();
    if let Some(further) = further {
        text.push_str(&format!("- {further}\n"));
    }
    add(note, &text, digests)?;
    note.set(SAVED, format_time(at))
}

/// Whether the note's text is as it was written last.
pub(super) fn is_own(note: &Note) -> bool {
    has_digest(note, &sha256_hex(note.body()))
}

/// Whether bytes with this digest were saved.
pub(super) fn has_digest(note: &Note, sha256: &str) -> bool {
    digests(note).any(|known| known == sha256)
}

fn digests(note: &Note) -> impl Iterator<Item = &str> {
    let list = note.get(DIGESTS).and_then(Value::as_sequence);
    list.into_iter().flatten().filter_map(Value::as_str)
}

/// Adds to the text, and writes down what is ours.
fn add(note: &mut Note, text: &str, files: &[String]) -> Result<(), NoteError> {
    // What the owner wrote into it makes it theirs.
    let was_own = is_own(note) || digests(note).next().is_none();
    note.set_body(format!("{}\n\n{text}", note.body().trim_end()));
    let own = was_own.then(|| sha256_hex(note.body()));
    let all = files.iter().cloned().chain(own).map(Value::String);
    note.set(DIGESTS, Value::Sequence(all.collect()))
}

fn line(line: &FileLine) -> String {
    let given = escape_markdown(&one_line(&line.given, 120), 240);
    let size = size_of(line.size);
    match &line.place {
        Ok(path) => {
            let name = path.file_name();
            let called = match name == line.given {
                true => String::new(),
                false => format!(" · in the mail: {given}"),
            };
            format!("- [[{path}|{name}]] · {size}{called}\n")
        }
        Err(why) => format!(
            "- **Not saved:** {given} · {size}: {}. It is in your mail program.\n",
            escape_markdown(&one_line(why, 200), 400)
        ),
    }
}

/// `1.2 MB`.
fn size_of(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} bytes"),
        1_000..1_000_000 => format!("{} kB", bytes.div_ceil(1_000)),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// The folder of a task's files.
pub(super) fn folder_of(task: TaskId) -> Option<VaultPath> {
    layout::attachments(task).parent()
}
