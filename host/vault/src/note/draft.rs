//! [`DraftNote`]: a proposed action that waits for the owner.
//!
//! Invariants: the body of the note is the text that leaves, byte for byte; every other field of
//! the action is a key of the frontmatter. Keys that are no field are the owner's and passed over,
//! unless they look so much like one (`Cc`, `in_reply_to`) that passing over would change what is
//! sent.

use platinum_core::{Action, ActionKind, ActionSpec, DraftId, TaskId, Timestamp};
use serde_norway::{Mapping, Value};

use super::{Note, NoteError, emit::Front, read::Reader};

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
        Ok(Self {
            id: read.word("id")?,
            created: read.word("created")?,
            by: read.text("by")?,
            task: read.word("task")?,
            epoch: read.optional("epoch")?,
            action: action(note, &read)?,
            summary: read.text("summary")?,
            reason: read.text("reason")?,
            expires: read.word("expires")?,
        })
    }

    /// Whether a draft that says this epoch was made under the claim of that one. One that says
    /// none may have been; a task that was moved by hand has the epoch 0, and all of its drafts
    /// count.
    pub fn is_under(made: Option<u64>, claim: u64) -> bool {
        claim == 0 || made.is_none_or(|made| made == claim)
    }

    /// The text of a new note.
    pub fn render(&self) -> String {
        let mut front = Front::new();
        front
            .word("id", self.id)
            .word("kind", Self::KIND)
            .word("created", self.created)
            .text("by", &self.by)
            .word("task", self.task);
        if let Some(epoch) = self.epoch {
            front.word("epoch", epoch);
        }
        front
            .fields(&self.action)
            .text("summary", &self.summary)
            .text("reason", &self.reason)
            .word("expires", self.expires)
            .finish(self.action.text())
    }
}

fn action(note: &Note, read: &Reader<'_>) -> Result<Action, NoteError> {
    let kind: ActionKind = read.word("action")?;
    let spec = ActionSpec::find(kind).map_err(|error| read.invalid("action", error.to_string()))?;
    let (single, lists) = (spec.fields, spec.lists);
    let mut known = Mapping::new();
    for (key, value) in note.front() {
        let Some(key) = key.as_str() else { continue };
        let is_list = lists.contains(&key);
        if !is_list && !single.contains(&key) {
            let meant = key.to_lowercase().replace(['_', ' '], "-");
            if let Some(field) = single.iter().chain(lists).find(|field| **field == meant) {
                return Err(read.invalid(key, format!("the field is written `{field}`")));
            }
            continue;
        }
        match value {
            // A property that was emptied in an editor.
            Value::Null => {}
            // A list of one, as a person writes it.
            Value::String(_) if is_list => {
                known.insert(key.into(), Value::Sequence(vec![value.clone()]));
            }
            _ => {
                known.insert(key.into(), value.clone());
            }
        }
    }
    spec.action(known, note.body().to_owned())
        .map_err(|error| read.invalid("action", error.to_string()))
}
