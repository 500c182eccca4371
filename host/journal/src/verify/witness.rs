//! [`Witness`]: what somebody else saw of the log, and the comparison with it.
//!
//! Lives elsewhere: who saw it is found out by whoever asks for the verification.

use crate::JournalError;

/// Somebody saw the log with this many entries, and what the hash of the last one was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// How many entries it had.
    pub entries: u64,
    /// The hash of the last one, in hex.
    pub head: String,
    /// Who saw it, in words that follow "what" and "saw": `commit 1a2b3c by cloud`.
    pub by: String,
}

/// What others saw, in the order of the entries.
pub(super) struct WitnessCursor<'a, I: Iterator<Item = &'a Witness>> {
    pub(super) left: std::iter::Peekable<I>,
    /// Up to which entry all agreed.
    pub(super) agreed: u64,
}

impl<'a, I: Iterator<Item = &'a Witness>> WitnessCursor<'a, I> {
    /// What the entry of this number has come to.
    pub(super) fn at(&mut self, seq: u64, hash: &str) -> Result<(), JournalError> {
        while let Some(witness) = self.left.next_if(|witness| witness.entries <= seq) {
            if witness.head != hash {
                return Err(JournalError::Rewritten {
                    first: (self.agreed + 1).min(seq),
                    last: seq,
                    witness: witness.by.clone(),
                });
            }
            self.agreed = seq;
        }
        Ok(())
    }
}
