//! [`AllowedPlaces`]: places of notes that their owner looked at and lets pass, and what a [`Scanner`] finds beside them.
//!
//! Lives elsewhere: which kinds may be allowed at all is `finding`'s; the file of the list is `verify`'s.
//! Invariants: a place is bound to a path and to a text, so what is moved or changed is held again; the list has
//! digests, never a text.

use std::{collections::BTreeSet, fmt, str::FromStr, sync::PoisonError};

use sha2::{Digest as _, Sha256};

use crate::{Finding, Place, Scanner};

/// How each entry of a list begins.
const MARK: &str = "place:";
/// Larger files are allowed as a whole or not at all.
const MAX_BYTES: usize = 4 * 1024 * 1024;
/// More lines than this are allowed with their whole note.
const MAX_PLACE_LINES: usize = 64;
/// More findings of one file are not listed.
const MAX_FINDINGS: usize = 100;

/// Some lines of one note, or all of it. Displays as an entry of a list, without the path and the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct AllowedPlace {
    /// How many lines follow each other; 0 is the whole file.
    lines: usize,
    digest: [u8; 32],
}

impl AllowedPlace {
    /// These lines, without the end of the last, of the note at a path.
    pub(crate) fn of_lines(path: &str, lines: usize, text: &[u8]) -> Self {
        let mut hash = Sha256::new();
        hash.update(path.as_bytes());
        hash.update([0]);
        hash.update(text);
        Self {
            lines,
            digest: hash.finalize().into(),
        }
    }

    /// The whole file at a path.
    pub(crate) fn of_file(path: &str, bytes: &[u8]) -> Self {
        Self::of_lines(path, 0, bytes)
    }

    /// Whether it is a whole file.
    pub const fn is_whole(&self) -> bool {
        self.lines == 0
    }
}

impl fmt::Display for AllowedPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MARK}{}:", self.lines)?;
        self.digest.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

/// A text that is no entry of such a list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not an allowed place: it has the form `place:<lines>:<64 hexadecimal digits>`")]
pub struct PlaceError;

impl FromStr for AllowedPlace {
    type Err = PlaceError;

    /// Reads an entry; what follows it after a blank is for people.
    fn from_str(text: &str) -> Result<Self, PlaceError> {
        let entry = text.split_whitespace().next().ok_or(PlaceError)?;
        let (lines, hex) = entry
            .strip_prefix(MARK)
            .and_then(|rest| rest.split_once(':'))
            .ok_or(PlaceError)?;
        let mut digest = [0; 32];
        if hex.len() != 2 * digest.len() {
            return Err(PlaceError);
        }
        for (n, byte) in digest.iter_mut().enumerate() {
            let pair = hex.get(2 * n..2 * n + 2).ok_or(PlaceError)?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| PlaceError)?;
        }
        Ok(Self {
            lines: lines.parse().map_err(|_| PlaceError)?,
            digest,
        })
    }
}

/// The places that are let pass.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedPlaces(BTreeSet<AllowedPlace>);

impl AllowedPlaces {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds one; whether it is new.
    pub(crate) fn insert(&mut self, place: AllowedPlace) -> bool {
        self.0.insert(place)
    }

    /// Adds those of another list.
    pub(crate) fn extend(&mut self, more: &Self) {
        self.0.extend(&more.0);
    }

    /// A file without what is allowed in it; nothing if that is nothing. Signs stay, as the rows of a table are told
    /// by them; of several lines, which hold something only together, the last goes.
    pub(crate) fn without(&self, path: &str, bytes: &[u8]) -> Option<Vec<u8>> {
        if self.0.contains(&AllowedPlace::of_file(path, bytes)) {
            return Some(Vec::new());
        }
        if bytes.len() > MAX_BYTES {
            return None;
        }
        let counts: BTreeSet<usize> = self.0.iter().map(|place| place.lines).collect();
        let ends = line_ends(bytes);
        let mut rest: Option<Vec<u8>> = None;
        for count in counts.into_iter().filter(|count| *count > 0) {
            for first in 0..(ends.len() + 1).saturating_sub(count) {
                let text = window(bytes, &ends, first, count);
                if !self.0.contains(&AllowedPlace::of_lines(path, count, text)) {
                    continue;
                }
                let last = first + count - 1;
                let start = last.checked_sub(1).and_then(|n| ends.get(n));
                let start = start.map_or(0, |end| end + 1);
                let rest = rest.get_or_insert_with(|| bytes.to_vec());
                let end = ends.get(last).copied().unwrap_or(rest.len());
                for byte in rest.get_mut(start..end).unwrap_or_default() {
                    if !byte.is_ascii_punctuation() && !byte.is_ascii_whitespace() {
                        *byte = b' ';
                    }
                }
            }
        }
        rest
    }
}

impl FromIterator<AllowedPlace> for AllowedPlaces {
    fn from_iter<T: IntoIterator<Item = AllowedPlace>>(places: T) -> Self {
        Self(places.into_iter().collect())
    }
}

impl Scanner {
    /// Checks the bytes of the file at a path: as [`Scanner::content`], but for what is allowed at its place.
    pub fn content_at(&self, path: &str, bytes: &[u8]) -> Option<Finding> {
        let found = self.content(bytes)?;
        let places = self.places.read().unwrap_or_else(PoisonError::into_inner);
        self.beside(&places, (path, bytes), found)
    }

    /// Everything that is held in the file at a path, and the place that would let it pass; nothing for what is never
    /// allowed, which is the last.
    pub fn findings(&self, path: &str, bytes: &[u8]) -> Vec<(Finding, Option<AllowedPlace>)> {
        let mut places = self
            .places
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let mut findings: Vec<(Finding, Option<AllowedPlace>)> = Vec::new();
        while findings.len() < MAX_FINDINGS
            && let Some(first) = self.content(bytes)
            && let Some(found) = self.beside(&places, (path, bytes), first)
        {
            let whole = AllowedPlace::of_file(path, bytes);
            let place = match findings.last_mut() {
                // Its lines alone are not what holds it.
                Some((last, place)) if *last == found => {
                    *place = Some(whole);
                    break;
                }
                _ if !found.kind.is_allowable() => None,
                _ => Some(self.place(path, bytes, found).unwrap_or(whole)),
            };
            findings.push((found, place));
            let is_last = place.is_none_or(|place| place.is_whole() || !places.insert(place));
            if is_last {
                break;
            }
        }
        findings
    }

    /// The fewest lines from a finding on that hold it by themselves.
    fn place(&self, path: &str, bytes: &[u8], found: Finding) -> Option<AllowedPlace> {
        let Place::Line(line) = found.place else {
            return None;
        };
        let ends = line_ends(bytes);
        let first = line.checked_sub(1)?;
        let most = ends.len().checked_sub(first)?.min(MAX_PLACE_LINES);
        (1..=most).find_map(|count| {
            let text = window(bytes, &ends, first, count);
            let alone = self.content(text)?;
            let is_it = alone.kind == found.kind && alone.place == Place::Line(1);
            is_it.then(|| AllowedPlace::of_lines(path, count, text))
        })
    }

    /// What is found beside these places; `found` is what is found if there is none.
    fn beside(
        &self,
        places: &AllowedPlaces,
        (path, bytes): (&str, &[u8]),
        found: Finding,
    ) -> Option<Finding> {
        if places.is_empty() || !found.kind.is_allowable() {
            return Some(found);
        }
        let Some(rest) = places.without(path, bytes) else {
            return Some(found);
        };
        self.first(bytes, &self.for_places)
            .or_else(|| self.content(&rest))
    }
}

/// Where each line ends, the last at the end of all.
fn line_ends(bytes: &[u8]) -> Vec<usize> {
    let ends = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n');
    let ends = ends.map(|(at, _)| at);
    ends.chain([bytes.len()]).collect()
}

/// So many lines from one on, the first being 0; those that there are.
fn window<'a>(bytes: &'a [u8], ends: &[usize], first: usize, count: usize) -> &'a [u8] {
    let start = first.checked_sub(1).and_then(|before| ends.get(before));
    let end = ends.get(first + count - 1).copied();
    bytes
        .get(start.map_or(0, |end| end + 1)..end.unwrap_or(bytes.len()))
        .unwrap_or_default()
}
