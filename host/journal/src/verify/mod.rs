//! Whether the log is as it was written: its chain, the signature of its end, and what others saw of it.
//!
//! A chain alone finds an entry that was changed; the signature finds one that was rewritten with its
//! chain, or cut; a [`Witness`] finds a log that was rewritten with the machine's own key, emptied, or
//! taken from a backup.

mod witness;

use std::collections::HashSet;

use platinum_core::{Timestamp, sha256_hex};
use rusqlite::{Connection, Transaction, params};

use crate::{
    AuditEvent, HeadVerifier, JournalError,
    audit::note_in,
    chain::{ENDS_ELSEWHERE, Row, START, head_of},
    head::signed_text,
};
pub use witness::Witness;
use witness::WitnessCursor;

/// What a verification found: all in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// How many entries there are.
    pub entries: u64,
    /// The hash of the last one, in hex. Kept elsewhere, it proves later that nothing before it
    /// was changed.
    pub head: String,
    /// Whether its end is signed. A log that was never signed is in order, too, unless somebody saw it
    /// signed.
    pub is_signed: bool,
    /// Up to which entry others saw the same entries; 0 if nobody did.
    pub witnessed: u64,
    /// How many ends others saw that are not in it, which the owner accepted.
    pub accepted: usize,
}

/// Reads every entry and checks that none was changed, moved, added behind the journal's back or
/// taken out; with `keys`, that its end is signed; and that the entries are those that others saw.
pub(crate) fn verify(
    connection: &mut Connection,
    keys: Option<&dyn HeadVerifier>,
    witnesses: &[Witness],
) -> Result<Verified, JournalError> {
    let read = connection.transaction()?;
    let accepted = accepted_heads(&read)?;
    let all = witnesses.len();
    let is_open = |witness: &&Witness| !accepted.contains(&witness.head);
    let mut witnesses: Vec<&Witness> = witnesses.iter().filter(is_open).collect();
    let accepted = all - witnesses.len();
    witnesses.sort_by_key(|witness| witness.entries);
    let mut seen = WitnessCursor {
        left: witnesses.iter().copied().peekable(),
        agreed: 0,
    };
    seen.at(0, START)?;
    let (last, head) = follow_chain(&read, |seq, hash| seen.at(seq.unsigned_abs(), hash))?;
    let end = head_of(&read)?;
    if (end.seq, &end.hash) != (last, &head) {
        return Err(JournalError::Broken {
            entry: last,
            reason: ENDS_ELSEWHERE,
        });
    }
    let entries = last.unsigned_abs();
    if let Some(witness) = seen.left.last() {
        return Err(JournalError::Cut {
            first: entries + 1,
            entries,
            seen: witness.entries,
            witness: witness.by.clone(),
        });
    }
    if let Some(keys) = keys {
        let not_signed = |reason: String| JournalError::NotSigned {
            entry: last,
            reason,
        };
        match &end.signature {
            Some(signature) => keys
                .check(&signed_text(last, &head), signature)
                .map_err(not_signed)?,
            None if witnesses.is_empty() => {}
            None => {
                let by = &witnesses[witnesses.len() - 1].by;
                return Err(not_signed(format!("{by} saw it signed")));
            }
        }
    }
    check_approvals(&read)?;
    Ok(Verified {
        entries,
        head,
        is_signed: end.signature.is_some(),
        witnessed: seen.agreed,
        accepted,
    })
}

/// Writes that the owner accepts the ends that others saw and this log does not have; how many
/// those are.
pub(crate) fn accept(
    write: &Transaction<'_>,
    witnesses: &[Witness],
    at: Timestamp,
) -> Result<usize, JournalError> {
    let mut heads = Vec::new();
    let accepted = accepted_heads(write)?;
    let mut entry = write.prepare("SELECT count(*) FROM entries WHERE seq = ?1 AND hash = ?2")?;
    for witness in witnesses.iter().filter(|witness| witness.entries > 0) {
        let seq = i64::try_from(witness.entries).unwrap_or(i64::MAX);
        let here: i64 = entry.query_row(params![seq, witness.head], |row| row.get(0))?;
        if here == 0 && !accepted.contains(&witness.head) {
            heads.push(witness.head.clone());
        }
    }
    if heads.is_empty() {
        return Ok(0);
    }
    let count = heads.len();
    let event = AuditEvent::Recovered {
        subject: "machine".to_owned(),
        heads,
    };
    note_in(write, &event, at)?;
    Ok(count)
}

/// The ends that the owner accepted although they are not in this log. A row that cannot be read is for
/// the chain to find.
pub(crate) fn accepted_heads(read: &Connection) -> Result<HashSet<String>, JournalError> {
    let mut rows = read.prepare("SELECT data FROM entries WHERE event = 'audit'")?;
    let mut rows = rows.query([])?;
    let mut accepted = HashSet::new();
    while let Some(row) = rows.next()? {
        let data: String = row.get(0)?;
        if let Ok(AuditEvent::Recovered { heads, .. }) = serde_json::from_str(&data) {
            accepted.extend(heads);
        }
    }
    Ok(accepted)
}

/// Reads all entries; the number and the hash of the last one.
fn follow_chain(
    read: &Connection,
    mut at: impl FnMut(i64, &str) -> Result<(), JournalError>,
) -> Result<(i64, String), JournalError> {
    let mut rows =
        read.prepare("SELECT seq, draft, task, event, data, at, hash FROM entries ORDER BY seq")?;
    let mut rows = rows.query([])?;
    let (mut last, mut head) = (0_i64, START.to_owned());
    while let Some(row) = rows.next()? {
        let hash: String = row.get(6)?;
        let row = Row::read(row)?;
        let broken = |reason| JournalError::Broken {
            entry: row.seq,
            reason,
        };
        if row.seq != last + 1 {
            return Err(broken("the entry before it is missing"));
        }
        if row.hash(&head) != hash {
            return Err(broken("its text is not the one that was written"));
        }
        at(row.seq, &hash)?;
        (last, head) = (row.seq, hash);
    }
    Ok((last, head))
}

/// Checks that each row about an approval is in the log, too.
fn check_approvals(read: &Connection) -> Result<(), JournalError> {
    let mut logged = read.prepare(
        "SELECT json_extract(data, '$.audit'), json_extract(data, '$.subject'),
                json_extract(data, '$.record') FROM entries
         WHERE event = 'audit' AND json_extract(data, '$.record') IS NOT NULL",
    )?;
    let logged = logged.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
    let logged: HashSet<(String, String, String)> = logged.collect::<Result<_, _>>()?;
    let mut rows = read.prepare("SELECT seq, event, draft, data FROM approvals ORDER BY seq")?;
    let mut rows = rows.query([])?;
    while let Some(row) = rows.next()? {
        let (event, draft, data): (String, String, String) =
            (row.get(1)?, row.get(2)?, row.get(3)?);
        if !logged.contains(&(event, draft.clone(), sha256_hex(&data))) {
            return Err(JournalError::NotInLog {
                draft,
                row: row.get(0)?,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
