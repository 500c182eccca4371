//! [`DraftNote`]: a proposed action that waits for the owner.
//!
//! Lives here: what of a draft's note leaves (`body`), its fields (`fields`), and what it shows above that (`above`).
//! Invariants: what is below the boundary in the body of the note is the text that leaves, byte for
//! byte, and nothing above it ever is; a note that says it has a boundary ([`LEAVES`]) and has none is
//! refused; one that does not is all text, as notes were before there was one. Every other field of
//! the action is a key of the frontmatter. Keys that are no field are the owner's and passed over,
//! unless they look so much like one (`Cc`, `in_reply_to`) that passing over would change what is
//! sent.

mod above;
mod body;
mod fields;

use super::{Note, NoteError, TaskNote, emit::Front, read::Reader};
use platinum_core::{Action, DraftId, TaskId, Timestamp, text::BOUNDARY};

pub(super) use above::title;
pub use body::DraftBody;
use fields::action;
pub use fields::set_action;

/// The property that says that a draft's note has a boundary: without the line nothing leaves.
pub const LEAVES: (&str, &str) = ("leaves", "below the line");

/// The property with what its owner has to look at first.
const DOUBTS: &str = "doubts";

/// A draft.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftNote {
    /// Its identity.
    pub id: DraftId,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it: agent and skill.
    pub by: String,
    /// The task it answers.
    pub task: TaskId,
    /// The epoch of the claim under which it was made; 0 while that claim is not confirmed.
    /// None if it does not say.
    pub epoch: Option<u64>,
    /// What to do.
    pub action: Action,
    /// What will happen if the owner says yes.
    pub summary: String,
    /// Why.
    pub reason: String,
    /// After this an approval no longer counts.
    pub expires: Timestamp,
    /// What its owner has to look at first, each in a sentence; shown at the very top.
    pub doubts: Vec<String>,
}

impl DraftNote {
    /// The word in the key `kind`.
    pub const KIND: &'static str = "draft";

    /// Reads a draft, as its author wrote it or the owner edited it.
    ///
    /// # Errors
    /// If it is no draft, or a key is missing or cannot be read.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::from_note(&Note::parse(text)?)
    }

    /// The draft in a note that was read already.
    ///
    /// # Errors
    /// As [`DraftNote::parse`].
    pub fn from_note(note: &Note) -> Result<Self, NoteError> {
        let read = Reader::of(note, Self::KIND)?;
        let mut draft = Self {
            id: read.word("id")?,
            created: read.time("created")?,
            by: read.text("by")?,
            task: read.link("task")?,
            epoch: read.optional("epoch")?,
            action: action(note, &read)?,
            summary: read.text("summary")?,
            reason: read.text("reason")?,
            expires: read.time("expires")?,
            doubts: read.list(DOUBTS)?,
        };
        // Where the text says by itself what it is about, nobody's words stand for it.
        if let Some(heading) = draft.action.heading() {
            draft.summary = heading;
        }
        Ok(draft)
    }

    /// The task that a draft is for, and the epoch that it says, whatever else of it cannot be read:
    /// none if the note is no draft.
    pub fn made_for(note: &Note) -> Option<(TaskId, Option<u64>)> {
        let read = Reader::of(note, Self::KIND).ok()?;
        Some((read.link("task").ok()?, read.optional("epoch").ok()?))
    }

    /// Whether a draft that says this epoch was made under the claim of that one. One that says
    /// none may have been; a task that was moved by hand has the epoch 0, and all of its drafts
    /// count.
    pub fn is_under(made: Option<u64>, claim: u64) -> bool {
        claim == 0 || made.is_none_or(|made| made == claim)
    }

    /// The text of a new note that shows what it answers.
    pub fn render_answering(&self, task: &TaskNote) -> String {
        self.render_shown(task, None)
    }

    /// As [`DraftNote::render_answering`], with how what leaves will look, as a server shows it in Markdown.
    pub fn render_shown(&self, task: &TaskNote, card: Option<&str>) -> String {
        let mut front = self.front(Some(&title(&task.subject, &task.from)));
        front.text(LEAVES.0, LEAVES.1);
        let above = format!("{}{}", above::doubts(&self.doubts), above::above(task));
        let card = card.map(above::card).unwrap_or_default();
        front.finish(&format!(
            "{above}\n{card}{BOUNDARY}\n\n{}",
            self.action.text()
        ))
    }

    /// The text of a new note that has nothing but what leaves, and the doubts if there are some.
    pub fn render(&self) -> String {
        let mut front = self.front(None);
        if self.doubts.is_empty() {
            return front.finish(self.action.text());
        }
        front.text(LEAVES.0, LEAVES.1);
        let above = above::doubts(&self.doubts);
        front.finish(&format!("{above}{BOUNDARY}\n\n{}", self.action.text()))
    }

    fn front(&self, alias: Option<&str>) -> Front {
        let mut front = Front::new();
        front
            .word("id", self.id)
            .word("kind", Self::KIND)
            .time("created", self.created)
            .text("by", &self.by)
            .link("task", self.task);
        if let Some(alias) = alias {
            front.owned("aliases", &[alias]);
        }
        if let Some(epoch) = self.epoch {
            front.word("epoch", epoch);
        }
        front
            .fields(&self.action)
            .text("summary", &self.summary)
            .text("reason", &self.reason)
            .time("expires", self.expires);
        if !self.doubts.is_empty() {
            front.owned(DOUBTS, &self.doubts);
        }
        front
    }
}
