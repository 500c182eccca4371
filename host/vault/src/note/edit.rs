//! [`Note`]: any note, edited one key at a time.
//!
//! Invariant: an edit either changes the meaning of exactly the key asked for and no byte outside
//! its lines, or is refused. That holds by reading the result and comparing, not by trust in how
//! the lines were found.

use serde_norway::{Mapping, Value};

use super::{NoteError, emit, front, keys};

/// A Markdown note: frontmatter, which may be missing, and a body.
#[derive(Debug, Clone, PartialEq)]
pub struct Note {
    /// The first fence with its line end; empty if there is no frontmatter.
    open: String,
    /// Whole lines between the fences.
    yaml: String,
    /// The last fence, with its line end if it has one.
    close: String,
    body: String,
    front: Mapping,
}

impl Note {
    /// Reads a note. One without frontmatter is a body alone.
    ///
    /// # Errors
    /// If there is frontmatter that cannot be read, with the line.
    pub fn parse(text: &str) -> Result<Self, NoteError> {
        let note = match front::split(text)? {
            None => Self {
                open: String::new(),
                yaml: String::new(),
                close: String::new(),
                body: text.to_owned(),
                front: Mapping::new(),
            },
            Some(split) => Self {
                front: front::parse(split.yaml)?,
                open: split.open.to_owned(),
                yaml: split.yaml.to_owned(),
                close: split.close.to_owned(),
                body: split.body.to_owned(),
            },
        };
        Ok(note)
    }

    /// Whether the note has frontmatter.
    pub fn has_front(&self) -> bool {
        !self.open.is_empty()
    }

    /// The keys and values of the frontmatter, in their order.
    pub fn front(&self) -> &Mapping {
        &self.front
    }

    /// One key's value.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.front.get(key)
    }

    /// One key's value, if it is text.
    pub fn get_text(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// Everything after the frontmatter, byte for byte.
    pub fn body(&self) -> &str {
        &self.body
    }

    /// The line of the file in which the body begins.
    pub(super) fn body_line(&self) -> usize {
        let before = [&self.open, &self.yaml, &self.close];
        let lines = before.iter().map(|part| part.matches('\n').count());
        lines.sum::<usize>() + 1
    }

    /// Puts another body in its place.
    pub fn set_body(&mut self, body: impl Into<String>) {
        self.body = body.into();
        if self.has_front() && !self.close.ends_with('\n') {
            self.close.push_str(self.newline());
        }
        if !self.has_front() && matches!(front::split(&self.body), Ok(Some(_)) | Err(_)) {
            // Without frontmatter of its own, the body would be read as having some.
            self.fence();
        }
    }

    /// Sets a key. Its lines alone change; a comment on its line stays. A new key comes last.
    ///
    /// # Errors
    /// If the value cannot be written, the frontmatter would become too long, or its layout does
    /// not let the key be changed by itself. The note is then as it was.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) -> Result<(), NoteError> {
        let value = value.into();
        let old = self.front.get(key);
        if old == Some(&value) {
            return Ok(());
        }
        let lines = emit::entry(key, &value, self.newline())?;
        let old = old.cloned();
        let mut expected = self.front.clone();
        expected.insert(Value::String(key.to_owned()), value);

        let Some(old) = old else {
            let yaml = format!("{}{lines}", self.yaml);
            self.take(key, yaml, expected)?;
            if !self.has_front() {
                self.fence();
            }
            return Ok(());
        };
        let mut refused = NoteError::Layout(key.to_owned());
        for range in keys::candidates(&self.yaml, key) {
            let (before, rest) = self.yaml.split_at(range.start);
            let (was, after) = rest.split_at(range.len());
            let comment = comment(was, key, &old).filter(|_| lines.matches('\n').count() == 1);
            let yaml = match comment {
                Some(comment) => {
                    let newline = self.newline();
                    format!("{before}{}{comment}{newline}{after}", lines.trim_end())
                }
                None => format!("{before}{lines}{after}"),
            };
            match self.take(key, yaml, expected.clone()) {
                Ok(()) => return Ok(()),
                Err(error @ NoteError::TooLong(_)) => refused = error,
                Err(_) => {}
            }
        }
        Err(refused)
    }

    /// Takes a key out, with its lines; says whether it was there.
    ///
    /// # Errors
    /// If the frontmatter's layout does not let the key be taken out by itself.
    pub fn remove(&mut self, key: &str) -> Result<bool, NoteError> {
        let mut expected = self.front.clone();
        if expected.shift_remove(key).is_none() {
            return Ok(false);
        }
        for range in keys::candidates(&self.yaml, key) {
            let yaml = format!("{}{}", &self.yaml[..range.start], &self.yaml[range.end..]);
            if self.take(key, yaml, expected.clone()).is_ok() {
                return Ok(true);
            }
        }
        Err(NoteError::Layout(key.to_owned()))
    }

    /// The note as text. Unedited, it is the text that was read.
    pub fn to_text(&self) -> String {
        [self.open.as_str(), &self.yaml, &self.close, &self.body].concat()
    }

    /// The line of the file in which a key seems to begin; 1 if that is not known.
    pub(super) fn line_of(&self, key: &str) -> usize {
        keys::line_of(&self.yaml, key).map_or(1, |line| line + 1)
    }

    /// Takes the edited lines if they mean what they should.
    fn take(&mut self, key: &str, yaml: String, expected: Mapping) -> Result<(), NoteError> {
        if yaml.len() > front::MAX_FRONT_BYTES {
            return Err(NoteError::TooLong(yaml.len()));
        }
        // A line `---` in the middle would end the frontmatter there.
        let whole = front::split(&format!("---\n{yaml}---\n"))?
            .is_some_and(|split| split.yaml.len() == yaml.len());
        if !whole || front::parse(&yaml)? != expected {
            return Err(NoteError::Layout(key.to_owned()));
        }
        self.yaml = yaml;
        self.front = expected;
        Ok(())
    }

    fn fence(&mut self) {
        let newline = self.newline();
        self.open = format!("---{newline}");
        self.close = self.open.clone();
    }

    /// The line end that the note uses.
    fn newline(&self) -> &'static str {
        let first = if self.has_front() {
            &self.open
        } else {
            &self.body
        };
        let first = first.split_inclusive('\n').next().unwrap_or_default();
        if first.ends_with("\r\n") {
            "\r\n"
        } else {
            "\n"
        }
    }
}

/// The comment after a value that stands on one line, from the white space before its `#`.
fn comment<'a>(line: &'a str, key: &str, value: &Value) -> Option<&'a str> {
    let line = line.trim_end_matches(['\n', '\r']);
    if line.contains('\n') {
        return None;
    }
    // No note has more; each try reads the line once.
    for (at, _) in line.match_indices(" #").take(8) {
        let front = front::parse(&line[..at]).ok();
        if front.is_some_and(|front| front.len() == 1 && front.get(key) == Some(value)) {
            let start = line[..at].trim_end().len();
            return Some(&line[start..]);
        }
    }
    None
}
