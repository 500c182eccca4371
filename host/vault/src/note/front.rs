//! Finding the frontmatter of a note and reading it within bounds.
//!
//! Invariants: no frontmatter makes the reader take more than [`MAX_NODES`] values or nest deeper
//! than [`MAX_DEPTH`], whatever it refers to; that holds by counting, and the scan for anchors,
//! aliases and tags before it is for a clear message.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde_norway::{Mapping, Value};

use super::NoteError;

/// The longest frontmatter, in bytes.
pub const MAX_FRONT_BYTES: usize = 64 * 1024;
/// How deep lists and mappings may nest.
pub(super) const MAX_DEPTH: usize = 16;
/// How many values there may be in all.
const MAX_NODES: usize = 20_000;

/// The four parts of a note; together they are its text.
pub(super) struct Split<'a> {
    /// The first line, with a byte order mark if there is one.
    pub(super) open: &'a str,
    /// What is between the fences: empty, or whole lines.
    pub(super) yaml: &'a str,
    /// The closing line.
    pub(super) close: &'a str,
    /// Everything after it.
    pub(super) body: &'a str,
}

/// Splits a note; `None` if it has no frontmatter.
pub(super) fn split(text: &str) -> Result<Option<Split<'_>>, NoteError> {
    let mark = if text.starts_with('\u{FEFF}') {
        '\u{FEFF}'.len_utf8()
    } else {
        0
    };
    let first = text[mark..]
        .split_inclusive('\n')
        .next()
        .unwrap_or_default();
    if !is_fence(first) {
        return Ok(None);
    }
    let start = mark + first.len();
    let mut end = start;
    for line in text[start..].split_inclusive('\n') {
        if is_fence(line) {
            let after = end + line.len();
            return Ok(Some(Split {
                open: &text[..start],
                yaml: &text[start..end],
                close: &text[end..after],
                body: &text[after..],
            }));
        }
        end += line.len();
        if end - start > MAX_FRONT_BYTES {
            return Err(NoteError::TooLong(end - start));
        }
    }
    Err(NoteError::Unclosed)
}

fn is_fence(line: &str) -> bool {
    line.trim_end_matches(['\n', '\r', ' ', '\t']) == "---"
}

/// Reads the YAML between the fences.
pub(super) fn parse(yaml: &str) -> Result<Mapping, NoteError> {
    if yaml.len() > MAX_FRONT_BYTES {
        return Err(NoteError::TooLong(yaml.len()));
    }
    scan(yaml)?;
    read_bounded(yaml)
}

/// Reads YAML, counting every value that it stands for.
pub(super) fn read_bounded(yaml: &str) -> Result<Mapping, NoteError> {
    let (nodes, is_refused) = (Cell::new(0), Cell::new(false));
    let value = Bounded {
        nodes: &nodes,
        is_refused: &is_refused,
        depth: 0,
    }
    .deserialize(serde_norway::Deserializer::from_str(yaml))
    .map_err(|error| {
        let line = error.location().map_or(1, |at| at.line());
        // A parser's own words name what it came upon, not what the person wrote; ours do not.
        let repair = repair(yaml, line).filter(|_| !is_refused.get());
        let (line, reason) = repair.unwrap_or_else(|| (line, reason(&error)));
        NoteError::Yaml {
            line: line + 1,
            reason,
        }
    })?;
    match value {
        Value::Mapping(mapping) => Ok(mapping),
        Value::Null => Ok(Mapping::new()),
        _ => Err(NoteError::NotKeys),
    }
}

/// The message without the position, which counts from the wrong line, and bounded.
fn reason(error: &serde_norway::Error) -> String {
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    super::one_line(text, 200)
}

/// The line in which a person most likely made the mistake that a reader came upon in this one, and
/// what to write there; lines count from 1.
fn repair(yaml: &str, found: usize) -> Option<(usize, String)> {
    let lines = || (1..).zip(yaml.lines());
    // A quotation without an end goes on to wherever the next one begins.
    let open = lines()
        .take(found)
        .find_map(|(line, text)| Some((line, unclosed(text)?)));
    if let Some((line, quote)) = open {
        return Some((line, format!("end the text in this line with `{quote}`")));
    }
    let (_, text) = lines().nth(found.checked_sub(1)?)?;
    let indent = &text[..text.len() - text.trim_start().len()];
    if indent.contains('\t') {
        return Some((found, "indent with blanks, not with tabs".to_owned()));
    }
    let text = text.trim();
    // A line that is no key is missed in the one after it.
    let is_no_key = |text: &str| {
        let begins_as_key = !text.starts_with([' ', '\t', '-', '#']);
        begins_as_key && !text.trim().is_empty() && !text.contains(':')
    };
    let no_key = lines()
        .filter(|(line, _)| (found.saturating_sub(1)..=found).contains(line))
        .find(|(_, text)| is_no_key(text));
    if let Some((line, _)) = no_key {
        let repair = "write this line as `key: value`, or remove it";
        return Some((line, repair.to_owned()));
    }
    let (key, value) = text.split_once(':')?;
    let (key, value) = (super::one_line(key, 64), value.trim());
    let is_quoted = value.starts_with(['"', '\'']);
    if is_quoted && !value.ends_with(['"', '\'']) {
        let repair = format!("put all that follows `{key}:` between one pair of quotation marks");
        return Some((found, repair));
    }
    let is_odd = value.contains(": ")
        || value.ends_with(':')
        || value.starts_with(|c: char| "@`%[]{},&*!|>?#".contains(c));
    is_odd.then(|| (found, format!("put what follows `{key}:` in double quotes")))
}

/// The sign that ends the quotation with which the value of a line begins, if it is missing.
fn unclosed(line: &str) -> Option<char> {
    let line = line.trim_end();
    let (_, value) = line.split_once(": ").or(line.split_once("- "))?;
    let value = value.trim();
    let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let inner = &value[1..];
    let is_closed = match quote {
        '"' => inner.replace("\\\\", "").replace("\\\"", "").contains('"'),
        _ => inner.replace("''", "").contains('\''),
    };
    (!is_closed).then_some(quote)
}

/// Reads any value, counting.
struct Bounded<'a> {
    nodes: &'a Cell<usize>,
    /// Whether it was read, and is refused here.
    is_refused: &'a Cell<bool>,
    depth: usize,
}

impl Bounded<'_> {
    fn inner(&self) -> Self {
        Bounded {
            nodes: self.nodes,
            is_refused: self.is_refused,
            depth: self.depth + 1,
        }
    }

    fn refuse<E: serde::de::Error>(&self, why: impl fmt::Display) -> E {
        self.is_refused.set(true);
        E::custom(why)
    }
}

impl<'de> DeserializeSeed<'de> for Bounded<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MAX_NODES {
            return Err(self.refuse(format!("it has more than {MAX_NODES} values")));
        }
        if self.depth > MAX_DEPTH {
            return Err(self.refuse(format!("it nests deeper than {MAX_DEPTH}")));
        }
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Bounded<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("text, a number, a list or a mapping")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(value.to_string().into())
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(value.to_string().into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = from.next_element_seed(self.inner())? {
            items.push(item);
        }
        Ok(Value::Sequence(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<Value, A::Error> {
        let mut mapping = Mapping::new();
        while let Some(key) = from.next_key_seed(self.inner())? {
            if matches!(key, Value::Sequence(_) | Value::Mapping(_)) {
                return Err(self.refuse("a list or a mapping is no key"));
            }
            let value = from.next_value_seed(self.inner())?;
            if let Some(shown) = mapping.contains_key(&key).then(|| shown(&key)) {
                return Err(self.refuse(format!("the key `{shown}` stands there twice")));
            }
            mapping.insert(key, value);
        }
        Ok(Value::Mapping(mapping))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, _: A) -> Result<Value, A::Error> {
        Err(self.refuse(TAG))
    }
}

fn shown(key: &Value) -> String {
    match key {
        Value::String(text) => super::one_line(text, 64),
        Value::Number(number) => number.to_string(),
        Value::Bool(truth) => truth.to_string(),
        _ => "null".to_owned(),
    }
}

const ANCHOR: &str =
    "anchors and aliases (`&name`, `*name`) are not used in notes; put the text in quotes";
const TAG: &str = "tags (`!name`) are not used in notes; put the text in quotes";

/// Where in a value the scan is.
#[derive(Default)]
struct Scan {
    /// Inside a quoted scalar, which this character ends.
    quote: Option<char>,
    /// How many `[` and `{` are open.
    flow: usize,
    /// Inside a block scalar, of a node that starts in this column.
    block: Option<usize>,
    /// The column of the innermost node so far.
    column: usize,
    /// The last line ended inside a plain scalar.
    plain: bool,
    /// A value may begin here.
    fresh: bool,
    /// A `:` stands before this on the line, so what follows is no key.
    valued: bool,
}

/// Refuses anchors, aliases, tags and deep `[[[…`, as far as they can be seen without a parser.
fn scan(yaml: &str) -> Result<(), NoteError> {
    let mut scan = Scan::default();
    for (number, line) in yaml.split('\n').enumerate() {
        let line = line.trim_end_matches('\r');
        scan.line(line).map_err(|reason| NoteError::Yaml {
            // The fence is line 1.
            line: number + 2,
            reason: reason.to_owned(),
        })?;
    }
    Ok(())
}

impl Scan {
    fn line(&mut self, line: &str) -> Result<(), &'static str> {
        let indent = line.len() - line.trim_start_matches(' ').len();
        let blank = line.trim().is_empty();
        if let Some(column) = self.block {
            if blank || indent > column {
                return Ok(());
            }
            self.block = None;
            self.plain = false;
        }
        if self.quote.is_none() && self.flow == 0 && !blank {
            self.fresh = !(self.plain && indent > self.column);
            self.plain = false;
        }
        self.valued = false;
        let mut before = ' ';
        let mut chars = line.char_indices().peekable();
        while let Some((at, c)) = chars.next() {
            let next = chars.peek().map(|&(_, next)| next);
            let ends = next.is_none_or(|next| next == ' ' || next == '\t');
            if let Some(quote) = self.quote {
                match c {
                    '\\' if quote == '"' => drop(chars.next()),
                    '\'' if quote == '\'' && next == Some('\'') => drop(chars.next()),
                    _ if c == quote => self.quote = None,
                    _ => {}
                }
                before = c;
                continue;
            }
            match c {
                ' ' | '\t' => {}
                '#' if before == ' ' || before == '\t' => break,
                '&' | '*' if self.fresh => return Err(ANCHOR),
                '!' if self.fresh => return Err(TAG),
                '|' | '>' if self.fresh && self.flow == 0 => {
                    self.block = Some(self.column);
                    self.fresh = false;
                    return Ok(());
                }
                '[' | '{' if self.fresh || self.flow > 0 => {
                    self.flow += 1;
                    self.fresh = true;
                    if self.flow > MAX_DEPTH {
                        return Err("it nests too deep");
                    }
                }
                ']' | '}' if self.flow > 0 => {
                    self.flow -= 1;
                    self.fresh = false;
                }
                ',' if self.flow > 0 => self.fresh = true,
                ':' if ends || self.flow > 0 => {
                    self.fresh = true;
                    self.valued = true;
                    self.plain = false;
                }
                '-' | '?' if self.fresh && self.flow == 0 && ends => self.column = at,
                '"' | '\'' if self.fresh => {
                    self.quote = Some(c);
                    self.begin(at);
                    self.plain = false;
                }
                _ => {
                    if self.fresh {
                        self.begin(at);
                        self.plain = true;
                    }
                }
            }
            before = c;
        }
        Ok(())
    }

    /// A scalar begins. If nothing stands before it but dashes, it may be a key.
    fn begin(&mut self, at: usize) {
        self.fresh = false;
        if self.flow == 0 && !self.valued {
            self.column = at;
        }
    }
}
