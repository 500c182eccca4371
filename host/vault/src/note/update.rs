//! [`UpdateNote`], one line from an agent to the owner, and [`PlanNote`], steps that one action
//! cannot hold.

use std::fmt::Write as _;

use platinum_core::{
    PlanId, TaskId, Timestamp, UpdateId,
    text::{escape_markdown, one_line},
};

use super::{Note, NoteError, emit::Front, read::Reader};

/// A status note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpdateNote {
    /// Its identity.
    pub id: UpdateId,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it: agent and skill.
    pub by: String,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// What happened. Text from outside may be in it.
    pub headline: String,
}

impl UpdateNote {
    /// The word in the key `kind`.
    pub const KIND: &'static str = "update";

    /// Reads an update.
    ///
    /// # Errors
    /// If it is no update, or a key is missing or cannot be read.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let note = Note::parse(text)?;
        let read = Reader::of(&note, Self::KIND)?;
        Ok(Self {
            id: read.word("id")?,
            created: read.time("created")?,
            by: read.text("by")?,
            task: read.optional_link("task")?,
            headline: read.text("headline")?,
        })
    }

    /// The text of a new note.
    pub fn render(&self) -> String {
        let mut front = Front::new();
        front
            .word("id", self.id)
            .word("kind", Self::KIND)
            .time("created", self.created)
            .text("by", &self.by);
        if let Some(task) = self.task {
            front.link("task", task);
        }
        front.text("headline", &self.headline).finish("")
    }
}

/// A plan. It is for people: nothing reads it back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanNote {
    /// Its identity.
    pub id: PlanId,
    /// When it was made.
    pub created: Timestamp,
    /// Who made it: agent and skill.
    pub by: String,
    /// The task it is for.
    pub task: TaskId,
    /// What it is for, one line.
    pub title: String,
    /// In order, one line each.
    pub steps: Vec<String>,
}

impl PlanNote {
    /// The word in the key `kind`.
    pub const KIND: &'static str = "plan";

    /// The id of a plan, in the text of its note.
    ///
    /// # Errors
    /// If it is no plan, or a key is missing or cannot be read.
    pub fn id_in(text: &str) -> Result<PlanId, NoteError> {
        let note = Note::parse(text)?;
        let read = Reader::of(&note, Self::KIND)?;
        read.time("created")?;
        let _: TaskId = read.link("task")?;
        read.text("by").and_then(|_| read.text("title"))?;
        read.word("id")
    }

    /// The text of a new note: a heading and a list to tick off, and no other markup, whatever
    /// title and steps hold.
    pub fn render(&self) -> String {
        let mut body = format!("# {}\n\n", escape_markdown(&self.title, 300));
        for step in &self.steps {
            // Writing to a string does not fail.
            let _ = writeln!(body, "- [ ] {}", escape_markdown(step, 1000));
        }
        Front::new()
            .word("id", self.id)
            .word("kind", Self::KIND)
            .time("created", self.created)
            .text("by", &self.by)
            .link("task", self.task)
            .text("title", &self.title)
            .owned("aliases", &[one_line(&self.title, 140)])
            .finish(&body)
    }
}
