//! The hash chain over the journal's entries.
//!
//! Invariant: an entry's hash covers the hash before it and every column, each with its length, so
//! no two different entries have the same input.

use sha2::{Digest, Sha256};

/// What stands before the first entry.
pub(crate) const START: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// What is wrong where the head names another entry than the last one.
pub(crate) const ENDS_ELSEWHERE: &str = "the entries end elsewhere than they did";

/// One entry as the table has it.
pub(crate) struct Row {
    pub(crate) seq: i64,
    pub(crate) draft: String,
    pub(crate) task: String,
    pub(crate) event: String,
    pub(crate) data: String,
    pub(crate) at: String,
}

impl Row {
    /// An entry of a query for these columns, in this order, before all others.
    pub(crate) fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            seq: row.get(0)?,
            draft: row.get(1)?,
            task: row.get(2)?,
            event: row.get(3)?,
            data: row.get(4)?,
            at: row.get(5)?,
        })
    }

    /// The hash of this entry after the one whose hash is `before`.
    pub(crate) fn hash(&self, before: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(b"platinum-journal-1\n");
        let seq = self.seq.to_string();
        for part in [
            before,
            &seq,
            &self.draft,
            &self.task,
            &self.event,
            &self.data,
            &self.at,
        ] {
            hasher.update((part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        hex::encode(hasher.finalize())
    }
}
