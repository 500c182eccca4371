//! [`TaskNote`]: a note in `Needs_Action/` and wherever it goes afterwards.

use platinum_core::{DraftId, TaskId, Timestamp, ZoneId, text::bare_address};
use platinum_protocol::ClaimRecord;
use serde_norway::{Mapping, Value};

use super::{Note, NoteError, claim::read_claim, draft::title, emit::Front, read::Reader};

/// A named fact about a task's source, for example `message-id`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// Its name: the host's word.
    pub name: String,
    /// Its values: text from outside.
    pub values: Vec<String>,
}

/// The outcome of a task that ended without an answer.
pub const FILED: &str = "filed";

/// The fact of a task that was filed without an answer: why. One that waits again was put back by its
/// owner, who wants an answer after all: no agent takes a task out of `Done/`.
pub const FILED_BEFORE: &str = "filed-before";

/// The fact with the address of who wrote it.
const FROM_ADDRESS: &str = "from-address";
/// The fact that names the draft which came back.
pub const BOUNCED_DRAFT: &str = "bounced-draft";
/// The fact with those whom it did not reach.
pub const BOUNCED_RECIPIENTS: &str = "bounced-recipients";
/// The fact that says why.
pub const BOUNCE_REASON: &str = "bounce-reason";
/// The fact that names the draft which a program answered.
pub const AUTO_REPLY_TO: &str = "auto-reply-to";
/// The fact with the Message-ID of the mail of a task, if it can be used in a header.
pub const MESSAGE_ID: &str = "message-id";
/// The fact that names what is attached to the mail of a task.
pub const ATTACHMENTS: &str = "attachments";
/// The fact of an open task that says why what was sent for it came back.
pub const CAME_BACK: &str = "came-back";
/// Between the name of a fact and one of its values, where a note has them as lines.
const SEPARATOR: &str = ": ";

/// What a note says of a draft that was carried out: it is no work of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Returned {
    /// It did not reach those it was for.
    Bounced(DraftId),
    /// A program answered it.
    AutoReply(DraftId),
}

impl Fact {
    fn lines(&self) -> impl Iterator<Item = String> + '_ {
        let line = |value| format!("{}{SEPARATOR}{value}", self.name);
        self.values.iter().map(line)
    }
}

/// A task. `source`, `from`, `subject`, `facts`' values and `body` are text from outside and can
/// be anything; who makes one bounds them (see [`platinum_core::text::one_line`]).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskNote {
    /// Its identity, whatever its path.
    pub id: TaskId,
    /// Its domain.
    pub zone: ZoneId,
    /// Where it came from, for example `maildir:owner`.
    pub source: String,
    /// Who it is from.
    pub from: String,
    /// What it is about.
    pub subject: String,
    /// When it reached the source.
    pub received: Option<Timestamp>,
    /// When the note was made.
    pub created: Timestamp,
    /// Who made it: agent and skill.
    pub by: String,
    /// What else is known of the source; one fact a name.
    pub facts: Vec<Fact>,
    /// Who owns it, if anybody does.
    pub claim: Option<ClaimRecord>,
    /// The text.
    pub body: String,
}

impl TaskNote {
    /// The word in the key `kind`.
    pub const KIND: &'static str = "task";

    /// Reads a task. Keys that are not a task's are passed over.
    ///
    /// # Errors
    /// If it is no task, or a key is missing or cannot be read.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        Self::from_note(&Note::parse(text)?)
    }

    /// The task in a note that was read already.
    ///
    /// # Errors
    /// As [`TaskNote::parse`].
    pub fn from_note(note: &Note) -> Result<Self, NoteError> {
        let read = Reader::of(note, Self::KIND)?;
        Ok(Self {
            id: read.word("id")?,
            zone: read.word("zone")?,
            source: read.text("source")?,
            from: read.text("from")?,
            subject: read.text("subject")?,
            received: read.optional_time("received")?,
            created: read.time("created")?,
            by: read.text("by")?,
            facts: facts(&read, note)?,
            claim: read_claim(note, &read)?,
            body: note.body().to_owned(),
        })
    }

    /// The text of a new note. Who makes the task keeps its frontmatter below
    /// [`super::MAX_FRONT_BYTES`] (a hidden character takes up to ten bytes), or it cannot be read.
    pub fn render(&self) -> String {
        let mut front = Front::new();
        front
            .word("id", self.id)
            .word("kind", Self::KIND)
            .word("zone", self.zone)
            .text("source", &self.source)
            .text("from", &self.from)
            .text("subject", &self.subject);
        if let Some(received) = self.received {
            front.time("received", received);
        }
        front
            .time("created", self.created)
            .text("by", &self.by)
            .owned("aliases", &[title(&self.subject, &self.from)]);
        if !self.facts.is_empty() {
            front.owned("facts", &facts_value(&self.facts));
        }
        if let Some(claim) = &self.claim {
            front.claim(claim);
        }
        front.finish(&self.body)
    }

    /// The address of who wrote it, in lower case: the host's fact, or that in `from`.
    pub fn from_address(&self) -> Option<String> {
        let from = self.fact(FROM_ADDRESS).first().unwrap_or(&self.from);
        Some(bare_address(from)).filter(|address| address.contains('@'))
    }

    /// What it says of a draft that was carried out, if it is about that alone. Whether that draft
    /// was is for the local half to find out; no agent works on such a note, unless its owner put it back.
    pub fn returned(&self) -> Option<Returned> {
        if !self.fact(FILED_BEFORE).is_empty() {
            return None;
        }
        let draft = |name: &str| self.fact(name).first()?.parse().ok();
        let bounced = draft(BOUNCED_DRAFT).map(Returned::Bounced);
        bounced.or_else(|| draft(AUTO_REPLY_TO).map(Returned::AutoReply))
    }

    /// A fact's values; empty if there is no such fact.
    pub fn fact(&self, name: &str) -> &[String] {
        self.facts
            .iter()
            .find(|fact| fact.name == name)
            .map_or(&[], |fact| &fact.values)
    }
}

/// Puts a fact into a task's note, in the place of the one of that name. The note is changed wholly or
/// not at all.
///
/// # Errors
/// If the note is no task, has something that is no facts, or cannot take it.
pub fn set_fact(note: &mut Note, name: &str, value: &str) -> Result<(), NoteError> {
    let mut facts = facts_of(&Reader::of(note, TaskNote::KIND)?)?;
    facts.retain(|fact| fact.name != name);
    add_value(&mut facts, name, value);
    note.set("facts", facts_value(&facts))
}

fn add_value(facts: &mut Vec<Fact>, name: &str, value: &str) {
    match facts.iter_mut().find(|fact| fact.name == name) {
        Some(fact) => fact.values.push(value.to_owned()),
        None => facts.push(Fact {
            name: name.to_owned(),
            values: vec![value.to_owned()],
        }),
    }
}

/// The facts as a note has them: lines, unless one cannot be a line.
fn facts_value(facts: &[Fact]) -> Value {
    if facts.iter().all(is_flat) {
        let lines = facts.iter().flat_map(Fact::lines);
        return Value::Sequence(lines.map(Value::String).collect());
    }
    let mut mapping = Mapping::new();
    for fact in facts {
        let values = fact.values.iter().cloned().map(Value::String);
        match mapping.get_mut(fact.name.as_str()) {
            Some(Value::Sequence(before)) => before.extend(values),
            _ => {
                let name = Value::String(fact.name.clone());
                mapping.insert(name, Value::Sequence(values.collect()));
            }
        }
    }
    Value::Mapping(mapping)
}

/// Whether a fact can be written in lines: each says its name, so it has at least one, and the name
/// ends at the first colon.
fn is_flat(fact: &Fact) -> bool {
    !fact.values.is_empty() && !fact.name.is_empty() && !fact.name.contains(SEPARATOR)
}

/// The facts in lines. Those of one name are one fact, wherever they are.
fn facts_in(lines: &[Value]) -> Option<Vec<Fact>> {
    let mut facts: Vec<Fact> = Vec::new();
    for line in lines {
        let (name, value) = line.as_str()?.split_once(SEPARATOR)?;
        add_value(&mut facts, name, value);
    }
    Some(facts)
}

/// The facts in the note; of a task that was filed without an answer, the reason for that as well.
fn facts(read: &Reader<'_>, note: &Note) -> Result<Vec<Fact>, NoteError> {
    let mut facts = facts_of(read)?;
    if note.get_text("outcome") == Some(FILED) {
        facts.retain(|fact| fact.name != FILED_BEFORE);
        facts.push(Fact {
            name: FILED_BEFORE.to_owned(),
            values: vec![note.get_text("summary").unwrap_or_default().to_owned()],
        });
    }
    Ok(facts)
}

fn facts_of(read: &Reader<'_>) -> Result<Vec<Fact>, NoteError> {
    const SHAPE: &str = "facts are lines, each a name, a colon, a blank and a text";
    let mapping = match read.value("facts") {
        None => return Ok(Vec::new()),
        Some(Value::Sequence(lines)) => {
            return facts_in(lines).ok_or_else(|| read.invalid("facts", SHAPE));
        }
        // The form of older notes.
        Some(Value::Mapping(mapping)) => mapping,
        Some(_) => return Err(read.invalid("facts", SHAPE)),
    };
    let wrong = || read.invalid("facts", SHAPE);
    mapping
        .iter()
        .map(|(name, values)| {
            let name = name.as_str().ok_or_else(wrong)?.to_owned();
            let values = values.as_sequence().ok_or_else(wrong)?;
            let values = values.iter().map(|value| value.as_str().map(str::to_owned));
            let values = values.collect::<Option<_>>().ok_or_else(wrong)?;
            Ok(Fact { name, values })
        })
        .collect()
}
