//! [`Journal`]: what may go, and what came of it.
//!
//! Invariant: every decision and the entry that follows from it are one immediate transaction, so of
//! two processes one decides after the other has written. How the file is kept is in `file`,
//! whether the log holds in `verify`.

use std::{
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use platinum_core::{DraftId, IdError, TaskId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Params, Transaction, TransactionBehavior};

use crate::{
    Begin, Closings, HeadSigner, HeadVerifier, Intent, JournalError, Outcome, State, TaskReceipt,
    Verified, Witness,
    chain::{START, append_row, head_of, set_head, sound_head},
    file,
    head::HeadKeeper,
    record::Stored,
    verify,
};

/// The journal. Calls block on the disk: from async code, call them on a thread for blocking work.
#[derive(Debug)]
pub struct Journal(Mutex<Connection>, HeadKeeper);

impl Journal {
    /// Opens the journal in this file, making it if there is none. It holds what was sent to
    /// whom, so only its user may read it.
    ///
    /// # Errors
    /// If the file cannot be opened, is no journal, is of a newer layout, or lies on a file system
    /// that cannot keep it durably.
    pub fn open(path: &Path) -> Result<Self, JournalError> {
        let keeper = HeadKeeper::default();
        Ok(Self(Mutex::new(file::open(path, &keeper)?), keeper))
    }

    /// What is still to be cleared away of tasks that are over.
    #[must_use]
    pub fn closings(&self) -> Closings<'_> {
        Closings(self)
    }

    /// As [`Journal::open`], for the one whose journal it is: from now on its end is signed with every
    /// entry. One that is not as it was left is opened all the same, and nothing is added to it:
    /// [`Journal::distrust`] says why.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn open_signed(path: &Path, signer: Arc<dyn HeadSigner>) -> Result<Self, JournalError> {
        let verifier = Arc::clone(&signer);
        let keeper = HeadKeeper::new(signer);
        let journal = Self(Mutex::new(file::open(path, &keeper)?), keeper);
        match journal.verify_with(&*verifier, &[]) {
            Ok(_) => {
                let mut connection = journal.lock();
                let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                // It was never signed, or by the key that this one replaces.
                let (seq, hash) = sound_head(&write)?;
                set_head(&write, seq, &hash)?;
                write.commit()?;
            }
            Err(error) => journal.1.set_distrust(error.to_string()),
        }
        Ok(journal)
    }

    /// Opens a copy of the journal in this file, which must be there: the file is not written to, and
    /// what is written to the copy is lost.
    ///
    /// # Errors
    /// If there is no such file, it is no journal, or is of a newer layout.
    pub fn open_copy(path: &Path) -> Result<Self, JournalError> {
        let keeper = HeadKeeper::default();
        Ok(Self(Mutex::new(file::open_copy(path, &keeper)?), keeper))
    }

    /// Why nothing is added to this journal, if that is so.
    pub fn distrust(&self) -> Option<String> {
        self.1.distrust()
    }

    /// Says whether an effect may be tried, and if so, writes the intent first. The reference of the
    /// intent is the first attempt's; that of a further one is answered.
    ///
    /// # Errors
    /// If the intent cannot be written: then the effect may not be tried.
    pub fn intend(&self, intent: &Intent) -> Result<Begin, JournalError> {
        self.write(|write| intend_in(write, intent))
    }

    /// Writes that the effect is handed over now: from here on it may have happened.
    ///
    /// # Errors
    /// If no attempt is under way, or it cannot be written: then nothing may be handed over.
    pub fn hand_over(&self, draft: DraftId) -> Result<(), JournalError> {
        self.write(|write| hand_over_in(write, draft))
    }

    /// Writes that the owner does not wait any more for the outcome of an attempt in doubt. Another
    /// attempt gets another reference.
    ///
    /// # Errors
    /// If its outcome is not recorded as unknown, or it cannot be written.
    pub fn let_go(&self, draft: DraftId) -> Result<(), JournalError> {
        self.write(|write| let_go_in(write, draft))
    }

    fn write<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, JournalError>,
    ) -> Result<T, JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let written = work(&write)?;
        write.commit()?;
        Ok(written)
    }

    /// The reference that an attempt of these bytes gets: `first`, if none was made yet.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn reference_for(
        &self,
        draft: DraftId,
        fingerprint: &str,
        first: &str,
    ) -> Result<String, JournalError> {
        reference_in(&self.lock(), draft, fingerprint, first)
    }

    /// Writes what came of an attempt, or what was found out later about one in doubt. The same
    /// receipt twice is no error.
    ///
    /// # Errors
    /// If no attempt is under way or in doubt, or it cannot be written.
    pub fn record(&self, draft: DraftId, outcome: &Outcome) -> Result<(), JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let intent = match state_of(&write, draft)? {
            State::Intended(intent) | State::HandedOver(intent) | State::Unknown { intent, .. } => {
                intent
            }
            State::Done(_, receipt) if *outcome == Outcome::Receipt(receipt.clone()) => {
                return Ok(());
            }
            State::Done(..) => return Err(JournalError::AlreadyDone(draft)),
            State::Absent | State::NotSent { .. } | State::DoneByOwner { .. } | State::LetGo(_) => {
                return Err(JournalError::NoIntent(draft));
            }
        };
        let at = match outcome {
            Outcome::Receipt(receipt) => receipt.at,
            Outcome::NotSent { .. } | Outcome::DoneByOwner { .. } | Outcome::Unknown { .. } => {
                Timestamp::now()
            }
        };
        let stored = Stored::from(outcome);
        let data = serde_json::to_string(&stored).map_err(JournalError::Unwritable)?;
        append(&write, &intent, OUTCOME, data, at)?;
        write.commit()?;
        Ok(())
    }

    /// What the journal knows of a draft.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn state(&self, draft: DraftId) -> Result<State, JournalError> {
        state_of(&self.lock(), draft)
    }

    /// The attempts without a certain outcome, oldest first: those whose host died,
    /// and those whose outcome was recorded as unknown. Before any new effect, these are asked
    /// after; [`Journal::state`] says which of them were handed over.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn open_intents(&self) -> Result<Vec<Intent>, JournalError> {
        let connection = self.lock();
        // One statement reads one state of the file.
        let drafts = drafts_of(
            &connection,
            "SELECT draft FROM entries AS e
             WHERE seq = (SELECT max(seq) FROM entries WHERE draft = e.draft)
               AND (event = 'intent' OR json_extract(data, '$.outcome') IN ('unknown', 'handed-over'))
             ORDER BY seq",
            [],
        )?;
        let mut open = Vec::new();
        for draft in drafts {
            // It may have been recorded between the two statements.
            if let State::Intended(intent)
            | State::HandedOver(intent)
            | State::Unknown { intent, .. } = state_of(&connection, draft)?
            {
                open.push(intent);
            }
        }
        Ok(open)
    }

    /// The attempts whose outcome was recorded as unknown, oldest first: the owner has to decide on them.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn doubts(&self) -> Result<Vec<Intent>, JournalError> {
        let open = self.open_intents()?;
        let connection = self.lock();
        let mut doubts = Vec::new();
        for intent in open {
            if let State::Unknown { .. } = state_of(&connection, intent.draft)? {
                doubts.push(intent);
            }
        }
        Ok(doubts)
    }

    /// The receipts of a task, oldest first.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn receipts_of(&self, task: TaskId) -> Result<Vec<TaskReceipt>, JournalError> {
        let connection = self.lock();
        let drafts = drafts_of(
            &connection,
            "SELECT draft FROM entries WHERE task = ?1 AND event = 'outcome'
               AND json_extract(data, '$.outcome') = 'receipt' ORDER BY seq",
            [task.to_string()],
        )?;
        let mut receipts = Vec::new();
        for draft in drafts {
            if let State::Done(intent, receipt) = state_of(&connection, draft)? {
                receipts.push(TaskReceipt { intent, receipt });
            }
        }
        Ok(receipts)
    }

    /// The drafts that were carried out by entries after this one, oldest first, each with its task;
    /// and the number of the last of these entries, or the given one.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn receipts_after(
        &self,
        entry: u64,
    ) -> Result<(Vec<(DraftId, TaskId)>, u64), JournalError> {
        let connection = self.lock();
        let mut rows = connection.prepare_cached(
            "SELECT seq, draft, task FROM entries WHERE seq > ?1 AND event = 'outcome'
               AND json_extract(data, '$.outcome') = 'receipt' ORDER BY seq",
        )?;
        let rows: Vec<(i64, String, String)> = rows
            .query_map([entry], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?
            .collect::<Result<_, _>>()?;
        let last = rows.last().map_or(entry, |(seq, ..)| seq.unsigned_abs());
        let unreadable = |entry: i64, error: platinum_core::IdError| JournalError::Unreadable {
            entry,
            reason: error.to_string(),
        };
        let mut drafts = Vec::new();
        for (seq, draft, task) in rows {
            let draft = draft.parse().map_err(|error| unreadable(seq, error))?;
            let task = task.parse().map_err(|error| unreadable(seq, error))?;
            drafts.push((draft, task));
        }
        Ok((drafts, last))
    }

    /// The hash of the entry of this number; none if there are fewer.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn hash_of(&self, entry: u64) -> Result<Option<String>, JournalError> {
        if entry == 0 {
            return Ok(Some(START.to_owned()));
        }
        let connection = self.lock();
        let mut hash = connection.prepare_cached("SELECT hash FROM entries WHERE seq = ?1")?;
        Ok(hash.query_row([entry], |row| row.get(0)).optional()?)
    }

    /// Whether anything was carried out by this journal.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn has_receipts(&self) -> Result<bool, JournalError> {
        let connection = self.lock();
        let mut found = connection.prepare_cached(
            "SELECT EXISTS (SELECT 1 FROM entries WHERE event = 'outcome'
               AND json_extract(data, '$.outcome') = 'receipt')",
        )?;
        Ok(found.query_row([], |row| row.get(0))?)
    }

    /// When the owner last said that this log goes on although others saw another one; none if never.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn recovered_at(&self) -> Result<Option<Timestamp>, JournalError> {
        let connection = self.lock();
        let mut found = connection.prepare_cached(
            "SELECT seq, at FROM entries WHERE event = 'audit'
               AND json_extract(data, '$.audit') = 'recovered' ORDER BY seq DESC LIMIT 1",
        )?;
        let found: Option<(i64, String)> = found
            .query_row([], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let parse = |(entry, at): (i64, String)| {
            at.parse().map_err(|error| JournalError::Unreadable {
                entry,
                reason: format!("its time: {error}"),
            })
        };
        found.map(parse).transpose()
    }

    /// Whether the owner accepted that others saw this end, which the log does not have.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub fn has_accepted(&self, head: &str) -> Result<bool, JournalError> {
        Ok(verify::accepted_heads(&self.lock())?.contains(head))
    }

    /// Whether something that was carried out reached this recipient, whatever the case of its
    /// letters.
    ///
    /// # Errors
    /// If the journal cannot be read.
    pub fn has_reached(&self, recipient: &str) -> Result<bool, JournalError> {
        let connection = self.lock();
        let mut reached = connection.prepare_cached(
            "SELECT EXISTS (
                 SELECT 1 FROM entries AS i, json_each(i.data, '$.recipients') AS r
                 WHERE i.event = 'intent' AND lower(r.value) = lower(?1)
                   AND EXISTS (SELECT 1 FROM entries AS o WHERE o.draft = i.draft
                       AND o.event = 'outcome' AND o.seq > i.seq
                       AND json_extract(o.data, '$.outcome') = 'receipt'
                       AND NOT EXISTS (SELECT 1 FROM entries AS n WHERE n.draft = i.draft
                           AND n.event = 'intent' AND n.seq > i.seq AND n.seq < o.seq)))",
        )?;
        Ok(reached.query_row([recipient], |row| row.get(0))?)
    }

    /// Reads every entry and checks that none was changed, moved, added behind the journal's back
    /// or taken out.
    ///
    /// # Errors
    /// [`JournalError::Broken`], with the first entry that is not as it was written.
    pub fn verify(&self) -> Result<Verified, JournalError> {
        verify::verify(&mut self.lock(), None, &[])
    }

    /// As [`Journal::verify`], and that its end is signed, and the entries are those that others saw.
    ///
    /// # Errors
    /// The first thing that is wrong, with the first entry that is not as it was.
    pub fn verify_with(
        &self,
        keys: &dyn HeadVerifier,
        witnesses: &[Witness],
    ) -> Result<Verified, JournalError> {
        verify::verify(&mut self.lock(), Some(keys), witnesses)
    }

    /// How many entries there are, and the hash of the last one: what a witness is shown.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn head(&self) -> Result<(u64, String), JournalError> {
        let head = head_of(&self.lock())?;
        Ok((head.seq.unsigned_abs(), head.hash))
    }

    /// Writes that the owner accepts that others saw ends which this log does not have. How many those
    /// are; of none, nothing is written.
    ///
    /// # Errors
    /// If the log cannot be read, or nothing can be added to it.
    pub fn accept(&self, witnesses: &[Witness], at: Timestamp) -> Result<usize, JournalError> {
        let mut connection = self.lock();
        let write = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let count = verify::accept(&write, witnesses, at)?;
        write.commit()?;
        Ok(count)
    }

    #[cfg(test)]
    pub(crate) fn pragma(&self, name: &str) -> String {
        use rusqlite::types::Value;
        let sql = format!("PRAGMA {name}");
        match self.lock().query_row(&sql, [], |row| row.get(0)).unwrap() {
            Value::Integer(number) => number.to_string(),
            Value::Text(text) => text,
            other => panic!("{other:?}"),
        }
    }

    /// A panic elsewhere leaves no half transaction behind: SQLite rolled it back.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Connection> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const INTENT: &str = "intent";
const OUTCOME: &str = "outcome";

/// The drafts that a statement selects, in its order.
fn drafts_of(
    connection: &Connection,
    select: &str,
    params: impl Params,
) -> Result<Vec<DraftId>, JournalError> {
    let mut drafts = connection.prepare_cached(select)?;
    let drafts: Vec<String> = drafts
        .query_map(params, |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let read = |draft: String| {
        draft
            .parse()
            .map_err(|error: IdError| JournalError::Unreadable {
                entry: 0,
                reason: error.to_string(),
            })
    };
    drafts.into_iter().map(read).collect()
}

fn append(
    write: &Transaction<'_>,
    intent: &Intent,
    event: &str,
    data: String,
    at: Timestamp,
) -> Result<(), JournalError> {
    append_row(
        write,
        &intent.draft.to_string(),
        &intent.task.to_string(),
        event,
        data,
        at,
    )
}

/// [`Journal::let_go`] as a part of a greater transaction.
pub(crate) fn let_go_in(write: &Transaction<'_>, draft: DraftId) -> Result<(), JournalError> {
    append_if(write, draft, &Stored::LetGo, |state| match state {
        State::Unknown { intent, .. } => Some(intent),
        _ => None,
    })
}

fn append_if(
    write: &Transaction<'_>,
    draft: DraftId,
    entry: &Stored,
    fits: impl FnOnce(State) -> Option<Intent>,
) -> Result<(), JournalError> {
    let intent = fits(state_of(write, draft)?).ok_or(JournalError::NoIntent(draft))?;
    let data = serde_json::to_string(entry).map_err(JournalError::Unwritable)?;
    append(write, &intent, OUTCOME, data, Timestamp::now())
}

/// [`Journal::reference_for`] as a part of a greater transaction.
pub(crate) fn reference_in(
    connection: &Connection,
    draft: DraftId,
    fingerprint: &str,
    first: &str,
) -> Result<String, JournalError> {
    Ok(match state_of(connection, draft)? {
        State::Absent => first.to_owned(),
        State::NotSent { intent, .. } | State::DoneByOwner { intent, .. }
            if intent.fingerprint == fingerprint =>
        {
            intent.reference
        }
        // A reference is never used for other bytes, nor again while the first mail may arrive.
        State::NotSent { .. } | State::DoneByOwner { .. } | State::LetGo(_) => {
            let used = references_of(connection, draft)?;
            numbered(first, used.saturating_add(1))
        }
        State::Intended(intent)
        | State::HandedOver(intent)
        | State::Unknown { intent, .. }
        | State::Done(intent, _) => intent.reference,
    })
}

/// [`Journal::hand_over`] as a part of a greater transaction.
pub(crate) fn hand_over_in(write: &Transaction<'_>, draft: DraftId) -> Result<(), JournalError> {
    append_if(write, draft, &Stored::HandedOver, |state| match state {
        State::Intended(intent) => Some(intent),
        _ => None,
    })
}

/// [`Journal::intend`] as a part of a greater transaction.
pub(crate) fn intend_in(write: &Transaction<'_>, intent: &Intent) -> Result<Begin, JournalError> {
    match state_of(write, intent.draft)? {
        State::Absent | State::NotSent { .. } | State::DoneByOwner { .. } | State::LetGo(_) => {}
        State::Done(_, receipt) => return Ok(Begin::AlreadyDone(receipt)),
        State::Intended(before)
        | State::HandedOver(before)
        | State::Unknown { intent: before, .. } => return Ok(Begin::InDoubt(before)),
    }
    let reference = reference_in(write, intent.draft, &intent.fingerprint, &intent.reference)?;
    let intent = Intent {
        reference: reference.clone(),
        ..intent.clone()
    };
    let data = serde_json::to_string(&intent).map_err(JournalError::Unwritable)?;
    append(write, &intent, INTENT, data, intent.at)?;
    Ok(Begin::Go { reference })
}

/// The last attempt of a draft and what came of it.
pub(crate) fn state_of(connection: &Connection, draft: DraftId) -> Result<State, JournalError> {
    let mut last = connection.prepare_cached(
        "SELECT i.seq, i.data, o.seq, o.data
         FROM (SELECT seq, data FROM entries WHERE draft = ?1 AND event = 'intent'
               ORDER BY seq DESC LIMIT 1) AS i
         LEFT JOIN entries AS o ON o.draft = ?1 AND o.event = 'outcome' AND o.seq > i.seq
         ORDER BY o.seq DESC LIMIT 1",
    )?;
    type Columns = (i64, String, Option<i64>, Option<String>);
    let found: Option<Columns> = last
        .query_row([draft.to_string()], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })
        .optional()?;
    let Some((seq, intent, outcome_seq, outcome)) = found else {
        return Ok(State::Absent);
    };
    let intent: Intent = read_back(seq, &intent)?;
    let Some(outcome) = outcome else {
        return Ok(match intent.notes_hand_over {
            true => State::Intended(intent),
            false => State::HandedOver(intent),
        });
    };
    Ok(match read_back(outcome_seq.unwrap_or(seq), &outcome)? {
        Stored::Receipt(receipt) => State::Done(intent, receipt),
        Stored::NotSent {
            reason,
            retry,
            differs,
        } => State::NotSent {
            intent,
            reason,
            retry,
            differs,
        },
        Stored::DoneByOwner { reason } => State::DoneByOwner { intent, reason },
        Stored::Unknown { reason } => State::Unknown { intent, reason },
        Stored::HandedOver => State::HandedOver(intent),
        Stored::LetGo => State::LetGo(intent),
    })
}

/// How many references a draft was tried under.
fn references_of(connection: &Connection, draft: DraftId) -> rusqlite::Result<u32> {
    let mut count = connection.prepare_cached(
        "SELECT count(DISTINCT json_extract(data, '$.reference')) FROM entries
         WHERE draft = ?1 AND event = 'intent'",
    )?;
    count.query_row([draft.to_string()], |row| row.get(0))
}

/// The reference of a further attempt: `left.2@right`, or `reference.2` without an `@`.
fn numbered(reference: &str, number: u32) -> String {
    match reference.split_once('@') {
        Some((left, right)) => format!("{left}.{number}@{right}"),
        None => format!("{reference}.{number}"),
    }
}

pub(crate) fn read_back<T: serde::de::DeserializeOwned>(
    entry: i64,
    data: &str,
) -> Result<T, JournalError> {
    serde_json::from_str(data).map_err(|error| JournalError::Unreadable {
        entry,
        reason: error.to_string(),
    })
}
