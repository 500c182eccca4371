//! [`check_drafted`]: what an agent that only drafts may put before the owner.
//!
//! Lives elsewhere: who may write where is `policy`'s; judging commits by this, and how many drafts
//! there may be, is `verify`'s; the host refuses what a skill would write by the same rules
//! (`capabilities`), so that no mail makes an honest agent break them.
//! Invariants: pure; each folder holds notes of its own kind, bounded; none has anything that the
//! owner's editor or a plugin of it would run, fetch or hide.

use platinum_core::{
    DraftId, VaultPath, layout,
    text::{Active, find_active, one_line},
};

use super::{DraftNote, Note, NoteError, PlanNote, TaskNote, UpdateNote};

/// Largest draft, in bytes: what the owner's commands show, so that none leaves unseen.
pub const MAX_DRAFT_BYTES: usize = 256 * 1024;
/// Largest plan or update, in bytes.
const MAX_NOTE_BYTES: usize = 64 * 1024;
/// Most drafts of one day that wait for the owner.
pub const MAX_DRAFTS_A_DAY: usize = 200;
/// Most drafts that wait for the owner at all.
pub const MAX_WAITING_DRAFTS: usize = 1000;
/// In the name of a conflict copy.
const CONFLICT: &str = ".conflict-";

/// Why an agent may not put a file before the owner.
#[derive(Debug, thiserror::Error)]
pub enum NoteFault {
    /// It is no note.
    #[error("only notes of the kind `{kind}` may be put there")]
    Name {
        /// The kind of the folder.
        kind: &'static str,
    },
    /// It is larger than one is.
    #[error("it has {bytes} bytes; {max} is the most for a {kind}")]
    TooLarge {
        /// Its kind.
        kind: &'static str,
        /// Its length.
        bytes: usize,
        /// The most.
        max: usize,
    },
    /// It is not UTF-8.
    #[error("it is not UTF-8 text")]
    NotText,
    /// It cannot be read as what it is to be.
    #[error("it is no {kind}: {source}")]
    Unreadable {
        /// Its kind.
        kind: &'static str,
        /// Why.
        source: NoteError,
    },
    /// Markup that does more than show its words.
    #[error("line {line} has {what}")]
    Active {
        /// Where, from 1.
        line: usize,
        /// What.
        what: Active,
    },
}

/// The kinds of notes that an agent which only drafts may create at a path; none where the rule
/// does not apply.
fn kinds_of(path: &VaultPath) -> Option<&'static [&'static str]> {
    let is_copy = path.stem().contains(CONFLICT);
    match path.top() {
        layout::PENDING_APPROVAL => Some(&[DraftNote::KIND]),
        layout::PLANS => Some(&[PlanNote::KIND]),
        // Work on a task that another agent was faster with is kept there.
        layout::UPDATES if is_copy => Some(&[
            UpdateNote::KIND,
            DraftNote::KIND,
            PlanNote::KIND,
            TaskNote::KIND,
        ]),
        layout::UPDATES => Some(&[UpdateNote::KIND]),
        _ => None,
    }
}

/// Whether a file is one that an agent which only drafts may put before the owner. A path outside
/// the folders that the owner reads is not judged.
///
/// # Errors
/// Says in a sentence why not.
pub fn check_drafted(path: &VaultPath, bytes: &[u8]) -> Result<(), NoteFault> {
    let Some(kinds) = kinds_of(path) else {
        return Ok(());
    };
    let kind = kinds.first().copied().unwrap_or_default();
    if path.extension() != Some("md") {
        return Err(NoteFault::Name { kind });
    }
    let max = match kind {
        DraftNote::KIND => MAX_DRAFT_BYTES,
        _ if kinds.len() > 1 => MAX_DRAFT_BYTES,
        _ => MAX_NOTE_BYTES,
    };
    if bytes.len() > max {
        return Err(NoteFault::TooLarge {
            kind,
            bytes: bytes.len(),
            max,
        });
    }
    let text = str::from_utf8(bytes).map_err(|_| NoteFault::NotText)?;
    let unreadable = |source| NoteFault::Unreadable { kind, source };
    let note = Note::parse(text).map_err(unreadable)?;
    let found = note.get_text("kind").unwrap_or_default();
    match kinds.iter().find(|kind| **kind == found) {
        Some(&DraftNote::KIND) => DraftNote::from_note(&note).map(drop).map_err(unreadable)?,
        Some(&PlanNote::KIND) => PlanNote::id_in(text).map(drop).map_err(unreadable)?,
        Some(&UpdateNote::KIND) => UpdateNote::parse(text).map(drop).map_err(unreadable)?,
        Some(_) => TaskNote::from_note(&note).map(drop).map_err(unreadable)?,
        None => {
            return Err(unreadable(NoteError::Kind {
                expected: kind,
                found: one_line(found, 64),
            }));
        }
    }
    let body_at = text.len().saturating_sub(note.body().len());
    // A template is run wherever in a file it is; the rest only where Markdown is.
    let active = find_active(text).find(|(at, what)| *at >= body_at || *what == Active::Template);
    match active {
        None => Ok(()),
        Some((at, what)) => Err(NoteFault::Active {
            line: text[..at].matches('\n').count() + 1,
            what,
        }),
    }
}

/// The day a draft was made on, by its id: days since 1970.
pub fn day_of(draft: DraftId) -> u64 {
    draft.unix_ms() / 86_400_000
}
