//! A claim in a task's note: flat keys, `claim` with its id and one `claim-…` for each other part.
//!
//! Lives elsewhere: what a claim means is `protocol`'s.
//! Invariants: whoever reads a claim reads it here, so that all hosts read the same; a mapping under
//! `claim`, as older notes have it, is read as long as it is there and then nothing else is; the epoch
//! of a note is the highest that it speaks of in either form.

use platinum_protocol::ClaimRecord;
use serde_norway::{Mapping, Value};

use super::{Note, NoteError, read::Reader};

/// The key with the id, and what the others begin with.
const CLAIM: &str = "claim";
/// The other parts, as the record names them.
const PARTS: [&str; 5] = ["agent", "epoch", "at", "base", "beat"];

fn key_of(part: &str) -> String {
    format!("{CLAIM}-{part}")
}

/// The value of the record in a note, if it has one.
fn value_of(note: &Note) -> Option<Value> {
    let id = match note.get(CLAIM)? {
        Value::Null => return None,
        Value::String(id) => Value::String(id.clone()),
        // The form of older notes, or no claim at all.
        other => return Some(other.clone()),
    };
    let mut record = Mapping::new();
    record.insert("id".into(), id);
    for part in PARTS {
        if let Some(value) = note.get(&key_of(part)).filter(|value| !value.is_null()) {
            record.insert(part.into(), value.clone());
        }
    }
    Some(Value::Mapping(record))
}

/// The entries of a record, in the order in which a note has them.
pub(super) fn entries(record: &ClaimRecord) -> Result<Vec<(String, Value)>, NoteError> {
    let unwritable = || NoteError::Unwritable {
        key: CLAIM.to_owned(),
        reason: "no YAML",
    };
    let Ok(Value::Mapping(parts)) = serde_norway::to_value(record) else {
        return Err(unwritable());
    };
    let entry = |(part, value): (Value, Value)| match part.as_str() {
        Some("id") => Ok((CLAIM.to_owned(), value)),
        Some(part) => Ok((key_of(part), value)),
        None => Err(unwritable()),
    };
    parts.into_iter().map(entry).collect()
}

/// The claim in a task's note.
///
/// # Errors
/// If there is something in its place that is none.
pub(super) fn read_claim(
    note: &Note,
    reader: &Reader<'_>,
) -> Result<Option<ClaimRecord>, NoteError> {
    let record = value_of(note).map(serde_norway::from_value).transpose();
    record.map_err(|error| reader.invalid(CLAIM, error))
}

impl Note {
    /// The claim in the note, if there is one that can be read.
    pub fn claim(&self) -> Option<ClaimRecord> {
        serde_norway::from_value(value_of(self)?).ok()
    }

    /// The highest epoch that its claim speaks of.
    pub fn claim_epoch(&self) -> Option<u64> {
        let flat = self.get(&key_of("epoch")).and_then(Value::as_u64);
        let nested = self
            .get(CLAIM)
            .and_then(|claim| claim.get("epoch")?.as_u64());
        flat.max(nested)
    }

    /// Puts a claim into the note, in the place of the one that is there. The note is changed wholly
    /// or not at all.
    ///
    /// # Errors
    /// If the frontmatter cannot take the keys.
    pub fn set_claim(&mut self, record: &ClaimRecord) -> Result<(), NoteError> {
        let entries = entries(record)?;
        let mut edited = self.clone();
        for part in PARTS {
            let key = key_of(part);
            if entries.iter().all(|(new, _)| *new != key) {
                edited.remove(&key)?;
            }
        }
        for (key, value) in entries {
            edited.set(&key, value)?;
        }
        *self = edited;
        Ok(())
    }

    /// Takes the claim out of the note, wholly or not at all.
    ///
    /// # Errors
    /// If the frontmatter's layout does not let its keys be taken out.
    pub fn remove_claim(&mut self) -> Result<(), NoteError> {
        let mut edited = self.clone();
        edited.remove(CLAIM)?;
        for part in PARTS {
            edited.remove(&key_of(part))?;
        }
        *self = edited;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "---\nid: x\nclaim:\n  id: \"claim_00000000000000000000000001\"\n  agent: \"cloud\"\n  epoch: 3\n  at: \"2026-11-30T07:56:42.037818471Z\"\n  base: \"ff\"\nnext: y\n---\nBody\n";
    const FLAT: &str = "---\nid: x\nclaim: \"claim_00000000000000000000000001\"\nclaim-agent: cloud\nclaim-epoch: 3\nclaim-at: 2026-11-30T07:56:42.037818471Z\nclaim-base: \"ff\"\nnext: y\n---\nBody\n";

    #[test]
    fn claim_reads_alike_in_both_forms() {
        let (old, flat) = (Note::parse(OLD).unwrap(), Note::parse(FLAT).unwrap());
        assert_eq!(old.claim(), flat.claim());
        let claim = flat.claim().unwrap();
        assert_eq!((claim.agent.as_str(), claim.epoch), ("cloud", 3));
        assert_eq!((old.claim_epoch(), flat.claim_epoch()), (Some(3), Some(3)));
    }

    /// A claim of the older form becomes a flat one, and nothing else of the note changes.
    #[test]
    fn set_claim_replaces_the_older_form() {
        let mut note = Note::parse(OLD).unwrap();
        let claim = ClaimRecord {
            heartbeats: 2,
            epoch: 4,
            ..note.claim().unwrap()
        };
        note.set_claim(&claim).unwrap();
        assert_eq!(note.claim(), Some(claim.clone()));
        assert!(note.front().values().all(|value| !value.is_mapping()));
        // One without heartbeats leaves none of another's.
        let first = ClaimRecord {
            heartbeats: 0,
            ..claim
        };
        note.set_claim(&first).unwrap();
        assert_eq!(note.claim(), Some(first));
        note.remove_claim().unwrap();
        assert_eq!(note.to_text(), "---\nid: x\nnext: y\n---\nBody\n");
        assert_eq!((note.claim(), note.claim_epoch()), (None, None));
    }

    /// A note that has both forms says one claim, and no epoch of it is hidden by the other.
    #[test]
    fn claim_in_both_forms_counts_the_highest_epoch() {
        let both = OLD.replace("next: y\n", "claim-agent: \"x\"\nclaim-epoch: 9\n");
        let note = Note::parse(&both).unwrap();
        assert_eq!(note.claim(), Note::parse(OLD).unwrap().claim());
        assert_eq!(note.claim_epoch(), Some(9));
    }

    #[test]
    fn claim_with_missing_parts_is_none() {
        for gone in [
            "claim-agent: cloud\n",
            "claim-epoch: 3\n",
            "claim: \"claim_00000000000000000000000001\"\n",
        ] {
            let note = Note::parse(&FLAT.replace(gone, "")).unwrap();
            assert_eq!(note.claim(), None, "{gone}");
        }
    }
}
