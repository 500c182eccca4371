//! [`check_drafted`]: what an agent that only drafts may put before the owner; [`check_carried`]: what
//! it may make of a task that was there before.
//!
//! Lives elsewhere: who may write where is `policy`'s; judging commits by this, and how many drafts
//! there may be, is `verify`'s; the host refuses what a skill would write by the same rules
//! (`capabilities`), so that no mail makes an honest agent break them.
//! Invariants: pure; each folder holds notes of its own kind, bounded; none has anything that the
//! owner's editor or a plugin of it would run, fetch or hide. What the owner wrote into a task stays
//! as it is, whatever it holds.

use platinum_core::{
    DraftId, VaultPath, layout,
    text::{Active, find_active, one_line},
};

use super::{DraftNote, Note, NoteError, PlanNote, TaskNote, UpdateNote};

/// Largest draft, in bytes: what the owner's commands show, so that none leaves unseen.
pub const MAX_DRAFT_BYTES: usize = 256 * 1024;
/// Largest task that is made, in bytes: the text of a mail, and what is said of it.
const MAX_TASK_BYTES: usize = 256 * 1024;
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
pub fn kinds_of(path: &VaultPath) -> Option<&'static [&'static str]> {
    let is_copy = path.stem().contains(CONFLICT);
    match path.top() {
        layout::PENDING_APPROVAL => Some(&[DraftNote::KIND]),
        layout::PLANS => Some(&[PlanNote::KIND]),
        layout::NEEDS_ACTION => Some(&[TaskNote::KIND]),
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
        TaskNote::KIND => MAX_TASK_BYTES,
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
    check_active(text, body_at)
}

/// Whether an agent which only drafts may make `after` of a task whose note was `before`: by a
/// claim, its end, or a change of its own folder. Its words are the owner's, or were judged when
/// they came: nothing active is added to them.
///
/// # Errors
/// Says in a sentence why not.
pub fn check_carried(before: &[u8], after: &[u8]) -> Result<(), NoteFault> {
    let after = str::from_utf8(after).map_err(|_| NoteFault::NotText)?;
    // What is no text is no Markdown either.
    let before = str::from_utf8(before).unwrap_or_default();
    let body_at = body_at(after);
    if after[body_at..] != before[self::body_at(before)..] {
        return check_active(after, body_at);
    }
    // All that is new is frontmatter.
    let front = &before[..self::body_at(before)];
    if find_active(front).any(|(_, what)| what == Active::Template) {
        return Ok(());
    }
    check_active(&after[..body_at], body_at)
}

/// The byte at which the Markdown of a file begins; of one that is no note the first.
fn body_at(text: &str) -> usize {
    Note::parse(text).map_or(0, |note| text.len().saturating_sub(note.body().len()))
}

/// A template is run wherever in a file it is; the rest only where Markdown is.
fn check_active(text: &str, body_at: usize) -> Result<(), NoteFault> {
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
