//! [`Manifest`]: what a `SKILL.md` says of its skill.
//!
//! Lives here: reading and checking the file, which follows the Agent Skills format; our own keys
//! in its `metadata` begin with `platinum.`.
//! Lives elsewhere: finding the files is in [`catalog`](super::catalog).
//! Invariant: an error names the line and what to write there.

use std::{collections::BTreeSet, fmt};

use platinum_core::ZoneId;
use platinum_vault::note::{Mapping, Note, NoteError, Value};

use super::{event::Event, limits::RequestedLimits};
use crate::SkillName;

const MAX_DESCRIPTION_CHARS: usize = 1024;
const MAX_COMPATIBILITY_CHARS: usize = 500;
/// The keys of the format.
const KEYS: [&str; 6] = [
    "name",
    "description",
    "license",
    "compatibility",
    "metadata",
    "allowed-tools",
];
/// The keys of `metadata` that are ours.
const OUR_KEYS: [&str; 3] = ["platinum.on", "platinum.zones", "platinum.limits"];

/// What a `SKILL.md` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The skill's name, which is its folder's.
    pub name: SkillName,
    /// What it does, in a sentence or two.
    pub description: String,
    /// The events it asks to be run for.
    pub events: Vec<Event>,
    /// The zones it works in; none: every zone.
    pub zones: BTreeSet<ZoneId>,
    /// What one run of it may use at most.
    pub limits: RequestedLimits,
    /// The body: instructions for a model.
    pub instructions: String,
}

/// What is wrong with a `SKILL.md`, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("SKILL.md:{line}: {problem}")]
pub struct ManifestError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong, and what to write.
    pub problem: String,
}

impl ManifestError {
    fn new(line: usize, problem: impl fmt::Display) -> Self {
        Self {
            line,
            problem: problem.to_string(),
        }
    }
}

impl Manifest {
    /// Reads the `SKILL.md` of the skill's folder.
    ///
    /// # Errors
    /// If it is not of the Agent Skills format, names another skill than its folder does, or one
    /// of our keys in its `metadata` cannot be read.
    pub fn parse(folder: &str, text: &str) -> Result<Self, ManifestError> {
        let note = Note::parse(text).map_err(|error| match error {
            NoteError::Yaml { line, reason } => ManifestError::new(line, reason),
            error => {
                let text = error.to_string();
                ManifestError::new(1, text.strip_prefix("line 1: ").unwrap_or(&text))
            }
        })?;
        if !note.has_front() {
            return Err(ManifestError::new(
                1,
                "there is no frontmatter; begin the file with `---`, then `name` and `description`",
            ));
        }
        let fields = Fields { text, note: &note };
        fields.check_keys()?;
        let name = fields.required("name", 64)?;
        let name: SkillName = name.parse().map_err(|error| fields.error("name", error))?;
        if name.as_str() != folder {
            let folder: String = folder.escape_debug().take(80).collect();
            return Err(fields.error(
                "name",
                format!("the name is `{name}`, but the folder is `{folder}`; make them the same"),
            ));
        }
        let description = fields.required("description", MAX_DESCRIPTION_CHARS)?;
        for (key, most) in [
            ("compatibility", MAX_COMPATIBILITY_CHARS),
            ("license", MAX_DESCRIPTION_CHARS),
            ("allowed-tools", MAX_DESCRIPTION_CHARS),
        ] {
            fields.optional(key, most)?;
        }
        let metadata = Metadata::read(&fields)?;
        let events = metadata.parsed("platinum.on", Event::parse_list)?;
        let zones: BTreeSet<ZoneId> = metadata.parsed("platinum.zones", |text| {
            text.split_whitespace().map(str::parse::<ZoneId>).collect()
        })?;
        if events.contains(&Event::TaskClaimed) && zones.is_empty() {
            return Err(fields.error(
                "platinum.on",
                "a skill that runs on task.claimed drafts for certain zones; name them, as in \
                 `platinum.zones: email`",
            ));
        }
        Ok(Self {
            name,
            description,
            events,
            zones,
            limits: metadata.parsed("platinum.limits", RequestedLimits::parse)?,
            instructions: note.body().trim().to_owned(),
        })
    }
}

/// The frontmatter, with the text that it was read from.
struct Fields<'a> {
    text: &'a str,
    note: &'a Note,
}

impl Fields<'_> {
    fn error(&self, key: &str, problem: impl fmt::Display) -> ManifestError {
        ManifestError::new(self.line_of(key), problem)
    }

    /// The line that a key is in; the first one if that cannot be seen.
    fn line_of(&self, key: &str) -> usize {
        let is_key = |line: &str| {
            let line = line.trim_start();
            let line = line.trim_start_matches(['"', '\'']);
            line.strip_prefix(key).is_some_and(|rest| {
                rest.trim_start_matches(['"', '\''])
                    .trim_start()
                    .starts_with(':')
            })
        };
        let body = self.note.body().len();
        let front = &self.text[..self.text.len().saturating_sub(body)];
        front.lines().position(is_key).map_or(1, |at| at + 1)
    }

    fn check_keys(&self) -> Result<(), ManifestError> {
        for key in keys_of(self.note.front()) {
            if !KEYS.contains(&key.as_str()) {
                return Err(self.error(
                    &key,
                    format!(
                        "unknown key `{}`; expected one of {}; put others under `metadata`",
                        shown(&key),
                        KEYS.join(", ")
                    ),
                ));
            }
        }
        Ok(())
    }

    fn optional(&self, key: &str, most: usize) -> Result<Option<String>, ManifestError> {
        let Some(value) = self.note.get(key) else {
            return Ok(None);
        };
        let text = value
            .as_str()
            .ok_or_else(|| self.error(key, format!("`{key}` has to be text")))?
            .trim();
        let length = text.chars().count();
        if length > most {
            let problem = format!("`{key}` has {length} characters; {most} is the most");
            return Err(self.error(key, problem));
        }
        Ok(Some(text.to_owned()))
    }

    fn required(&self, key: &str, most: usize) -> Result<String, ManifestError> {
        self.optional(key, most)?
            .filter(|text| !text.is_empty())
            .ok_or_else(|| self.error(key, format!("`{key}` is missing; write `{key}: …`")))
    }
}

/// The `metadata` of a `SKILL.md`: text by text.
struct Metadata<'a> {
    fields: &'a Fields<'a>,
    values: Option<&'a Mapping>,
}

impl<'a> Metadata<'a> {
    fn read(fields: &'a Fields<'a>) -> Result<Self, ManifestError> {
        let values = match fields.note.get("metadata") {
            None | Some(Value::Null) => None,
            Some(Value::Mapping(values)) => Some(values),
            Some(_) => {
                return Err(fields.error(
                    "metadata",
                    "`metadata` has to be indented `key: value` lines",
                ));
            }
        };
        let this = Self { fields, values };
        for (key, value) in values.into_iter().flatten() {
            let key = key_text(key);
            if matches!(value, Value::Mapping(_) | Value::Sequence(_)) {
                let problem = format!("`{}` in `metadata` has to be text", shown(&key));
                return Err(fields.error(&key, problem));
            }
            if key.starts_with("platinum") && !OUR_KEYS.contains(&key.as_str()) {
                return Err(fields.error(
                    &key,
                    format!(
                        "unknown key `{}` in `metadata`; expected one of {}",
                        shown(&key),
                        OUR_KEYS.join(", ")
                    ),
                ));
            }
        }
        Ok(this)
    }

    /// The value of one of our keys, read; its default if the key is not there.
    fn parsed<T: Default, E: fmt::Display>(
        &self,
        key: &str,
        read: impl FnOnce(&str) -> Result<T, E>,
    ) -> Result<T, ManifestError> {
        let Some(value) = self.values.and_then(|values| values.get(key)) else {
            return Ok(T::default());
        };
        let text = value.as_str().ok_or_else(|| {
            let problem = format!("`{key}` has to be text; put it in quotes");
            self.fields.error(key, problem)
        })?;
        read(text).map_err(|error| self.fields.error(key, error))
    }
}

fn keys_of(mapping: &Mapping) -> impl Iterator<Item = String> + '_ {
    mapping.keys().map(key_text)
}

/// A key as text; YAML allows numbers and more as keys.
fn key_text(key: &Value) -> String {
    key.as_str().map_or_else(|| "?".to_owned(), str::to_owned)
}

/// Text from the file, short and visible.
fn shown(text: &str) -> String {
    text.escape_debug().take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "---\nname: draft-notes\ndescription: Drafts notes.\nlicense: MIT\n\
        compatibility: needs a model\nallowed-tools: none\nmetadata:\n  author: me\n  \
        version: 1.0\n  platinum.on: task.claimed work.done\n  platinum.zones: email social\n  \
        platinum.limits: time=30s\n---\n\n# Draft\n\nDo it.\n";

    fn error(text: &str) -> String {
        Manifest::parse("a", text).unwrap_err().to_string()
    }

    /// A `SKILL.md` named `a` with further lines in its frontmatter.
    fn with(lines: &str) -> String {
        format!("---\nname: a\ndescription: Does it.\n{lines}---\nbody\n")
    }

    #[test]
    fn manifest_whole_is_read() {
        let manifest = Manifest::parse("draft-notes", WHOLE).unwrap();
        assert_eq!(manifest.name.as_str(), "draft-notes");
        assert_eq!(manifest.description, "Drafts notes.");
        assert_eq!(manifest.events, [Event::TaskClaimed, Event::WorkDone]);
        let zones: Vec<&str> = manifest.zones.iter().map(|zone| zone.as_str()).collect();
        assert_eq!(zones, ["email", "social"]);
        assert_eq!(manifest.limits, RequestedLimits::parse("time=30s").unwrap());
        assert_eq!(manifest.instructions, "# Draft\n\nDo it.");
    }

    #[test]
    fn manifest_without_our_keys_runs_on_nothing() {
        let manifest = Manifest::parse("a", &with("")).unwrap();
        assert!(manifest.events.is_empty() && manifest.zones.is_empty());
        assert_eq!(manifest.limits, RequestedLimits::default());
    }

    /// The rules of the Agent Skills format, each with the line of what breaks it.
    #[test]
    fn manifest_outside_the_format_is_refused() {
        let long = "x".repeat(1025);
        for (text, expected) in [
            (
                "# No front\n".to_owned(),
                "SKILL.md:1: there is no frontmatter",
            ),
            ("---\nname: a\n".to_owned(), "SKILL.md:1: "),
            ("---\nname: [\n---\n".to_owned(), "SKILL.md:3: "),
            (
                "---\ndescription: x\n---\n".to_owned(),
                "SKILL.md:1: `name` is missing",
            ),
            (
                "---\nname: a\n---\n".to_owned(),
                "SKILL.md:1: `description` is missing",
            ),
            (
                "---\nname: a\ndescription: \"\"\n---\n".to_owned(),
                "SKILL.md:3: `description` is missing",
            ),
            (
                format!("---\nname: a\ndescription: {long}\n---\n"),
                "SKILL.md:3: `description` has 1025 characters; 1024 is the most",
            ),
            (
                "---\nname: b\ndescription: x\n---\n".to_owned(),
                "SKILL.md:2: the name is `b`, but the folder is `a`; make them the same",
            ),
            (
                "---\nname: 7\ndescription: x\n---\n".to_owned(),
                "SKILL.md:2: `name` has to be text",
            ),
            (
                with("version: 1\n"),
                "SKILL.md:4: unknown key `version`; expected one of name,",
            ),
            (
                with("license: [MIT]\n"),
                "SKILL.md:4: `license` has to be text",
            ),
            (
                with(&format!("compatibility: {}\n", "x".repeat(501))),
                "SKILL.md:4: `compatibility` has 501 characters",
            ),
            (
                with("metadata: x\n"),
                "SKILL.md:4: `metadata` has to be indented",
            ),
            (
                with("metadata:\n  tags: [a]\n"),
                "SKILL.md:5: `tags` in `metadata` has to be text",
            ),
        ] {
            assert!(error(&text).starts_with(expected), "{}", error(&text));
        }
    }

    #[test]
    fn manifest_bad_key_of_ours_names_its_line() {
        for (lines, expected) in [
            (
                "metadata:\n  platinum.on: task.clamed\n",
                "SKILL.md:5: unknown event `task.clamed`; did you mean `task.claimed`?",
            ),
            (
                "metadata:\n  x: y\n  platinum.zone: email\n",
                "SKILL.md:6: unknown key `platinum.zone` in `metadata`; expected one of",
            ),
            (
                "metadata:\n  platinum.limits: time=30\n",
                "SKILL.md:5: invalid value `30` of the limit `time`",
            ),
            (
                "metadata:\n  platinum.on: work.done\n  platinum.zones: E-Mail\n",
                "SKILL.md:6: ",
            ),
            (
                "metadata:\n  \"platinum.on\": 7\n",
                "SKILL.md:5: `platinum.on` has to be text; put it in quotes",
            ),
            (
                "metadata:\n  platinum.on: task.claimed\n",
                "SKILL.md:5: a skill that runs on task.claimed drafts for certain zones",
            ),
        ] {
            let error = error(&with(lines));
            assert!(error.starts_with(expected), "{error}");
        }
    }

    #[test]
    fn skill_name_of_other_characters_is_refused() {
        let long = "a".repeat(65);
        for bad in [
            "",
            "-a",
            "a-",
            "a--b",
            "A",
            "a_b",
            "a b",
            "é",
            "../a",
            "a\u{202E}",
            &long,
        ] {
            assert!(bad.parse::<SkillName>().is_err(), "{bad}");
        }
        for good in ["a", "7", "draft-email-2", &"a".repeat(64)] {
            assert!(good.parse::<SkillName>().is_ok(), "{good}");
        }
    }
}
