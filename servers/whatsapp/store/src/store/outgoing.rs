//! Attempts to send: what was begun, and what became of it.
//!
//! WhatsApp has no way to say that a message is the same as one before. So an attempt is written before the network is
//! used, and its reference comes back with what WhatsApp reports of the message: by that an outcome that was lost is
//! found, here and nowhere else.
//! Invariants: of the attempts of one draft, which share what is before the first point of their references, none is begun
//! after one left; none is begun again under a reference that may have left: another reference is its owner's word that
//! it is to be sent again; a message that left is never said not to have.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Row, Transaction, params};

use super::chat::time;
use super::incoming::{has_left, insert_message};
use super::{Store, StoreError};
use crate::contact::ContactPair;
use crate::event::{Author, ChatMessage, Delivery};

/// What is to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttempt {
    /// The name of the attempt.
    pub reference: String,
    /// The chat.
    pub chat: String,
    /// The text.
    pub text: String,
    /// The message that it answers.
    pub quoted: Option<String>,
}

/// How far an attempt got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptState {
    /// WhatsApp has it.
    Done,
    /// It certainly did not leave.
    NotDone,
    /// It may have left.
    Unknown,
}

/// An attempt to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// How far it got.
    pub state: AttemptState,
    /// When it was begun; when WhatsApp reported it, if that is all that is known.
    pub at: Timestamp,
    /// WhatsApp's id of the message.
    pub message: Option<String>,
    /// What is known of it besides.
    pub words: Option<String>,
}

/// Whether an attempt may be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is written; now it may leave.
    New,
    /// It left before, or may have.
    Before(Attempt),
}

/// What an attempt's references have in common.
const OF_BASE: &str = "(reference = ?1 OR substr(reference, 1, length(?1) + 1) = ?1 || '.')";

/// What all references of a draft begin with.
fn base(reference: &str) -> &str {
    reference.split('.').next().unwrap_or(reference)
}

impl Store {
    /// Writes that something is about to be sent, unless it left before, or may have under this very reference.
    ///
    /// # Errors
    /// If it cannot be written: then nothing may be sent.
    pub fn begin_attempt(&self, new: &NewAttempt, now: Timestamp) -> Result<Begun, StoreError> {
        self.step(|step| {
            if let Some(before) = obstacle(step, &new.reference)? {
                return Ok(Begun::Before(before));
            }
            step.execute(
                "INSERT INTO attempts (reference, chat, text, quoted, begun, state)
                 VALUES (?1, ?2, ?3, ?4, ?5, 'begun')
                 ON CONFLICT (reference) DO UPDATE SET chat = ?2, text = ?3, quoted = ?4, begun = ?5, state = 'begun',
                     message = NULL, words = NULL",
                params![
                    new.reference,
                    new.chat,
                    new.text,
                    new.quoted,
                    now.as_millisecond()
                ],
            )?;
            Ok(Begun::New)
        })
    }

    /// Writes what became of an attempt. What WhatsApp has reported of it in the meantime stands: that it left, and
    /// that it failed against a loss of the answer.
    ///
    /// # Errors
    /// If it cannot be written; it stays one that may have left.
    pub fn end_attempt(
        &self,
        reference: &str,
        state: AttemptState,
        message: Option<&str>,
        words: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.step(|step| {
            step.execute(
                "UPDATE attempts SET state = ?2, message = coalesce(?3, message), words = ?4
                 WHERE reference = ?1 AND state <> 'done' AND (state = 'begun' OR ?2 <> 'unknown')",
                params![reference, word(state), message, words],
            )?;
            match (state, message) {
                (AttemptState::Done, Some(message)) => keep_sent(step, reference, message, now),
                _ => Ok(()),
            }
        })
    }

    /// What keeps something from being sent under this reference: that it left before, or may have.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn attempt_before(&self, reference: &str) -> Result<Option<Attempt>, StoreError> {
        obstacle(&self.lock(), reference)
    }

    /// What is known of the attempts at a draft, by the reference of one of them: that one left, if any did; else that
    /// one may have.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn find_attempt(&self, reference: &str) -> Result<Option<Attempt>, StoreError> {
        find(&self.lock(), reference)
    }
}

/// What keeps an attempt from being made: one of its draft that left, or its own that may have.
fn obstacle(connection: &Connection, reference: &str) -> Result<Option<Attempt>, StoreError> {
    let found = find(connection, reference)?;
    let is_done = |found: &Attempt| found.state == AttemptState::Done;
    if found.as_ref().is_some_and(is_done) {
        return Ok(found);
    }
    let own = connection
        .prepare_cached("SELECT state, begun, message, words FROM attempts WHERE reference = ?1")?
        .query_row([reference], read_attempt)
        .optional()?;
    Ok(own.filter(|own| own.state != AttemptState::NotDone))
}

fn word(state: AttemptState) -> &'static str {
    match state {
        AttemptState::Done => "done",
        AttemptState::NotDone => "not_done",
        AttemptState::Unknown => "unknown",
    }
}

fn read_attempt(row: &Row<'_>) -> rusqlite::Result<Attempt> {
    let state: String = row.get(0)?;
    Ok(Attempt {
        state: match state.as_str() {
            "done" => AttemptState::Done,
            "not_done" => AttemptState::NotDone,
            // What was begun and never ended, too.
            _ => AttemptState::Unknown,
        },
        at: time(row.get(1)?),
        message: row.get(2)?,
        words: row.get(3)?,
    })
}

fn find(connection: &Connection, reference: &str) -> Result<Option<Attempt>, StoreError> {
    let query = format!(
        "SELECT state, begun, message, words FROM attempts WHERE {OF_BASE}
         ORDER BY CASE state WHEN 'done' THEN 0 WHEN 'not_done' THEN 2 ELSE 1 END, seq DESC LIMIT 1"
    );
    let base = base(reference);
    let written = connection
        .prepare_cached(&query)?
        .query_row([base], read_attempt)
        .optional()?;
    if let Some(Attempt {
        state: AttemptState::Done,
        ..
    }) = written
    {
        return Ok(written);
    }
    // This store may know less than WhatsApp: it was restored, say.
    let query = format!(
        "SELECT 'done', at, message, NULL FROM deliveries WHERE {OF_BASE} AND progress <> 'failed' LIMIT 1"
    );
    let reported = connection
        .prepare_cached(&query)?
        .query_row([base], read_attempt)
        .optional()?;
    Ok(reported.or(written))
}

/// What WhatsApp reports of one of ours.
pub(super) fn note_delivery(
    step: &Transaction<'_>,
    reference: &str,
    delivery: &Delivery,
) -> Result<(), StoreError> {
    if has_left(delivery.progress) {
        step.execute(
            "UPDATE attempts SET state = 'done', message = ?2 WHERE reference = ?1",
            params![reference, delivery.message],
        )?;
        return keep_sent(step, reference, &delivery.message, delivery.at);
    }
    step.execute(
        "UPDATE attempts SET state = 'not_done', message = ?2, words = ?3 WHERE reference = ?1 AND state <> 'done'",
        params![reference, delivery.message, delivery.words],
    )?;
    Ok(())
}

/// Puts what was sent into its chat.
fn keep_sent(
    step: &Transaction<'_>,
    reference: &str,
    id: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let row = |row: &Row<'_>| {
        Ok((
            row.get::<_, String>(0)?,
            row.get::<_, String>(1)?,
            row.get::<_, Option<String>>(2)?,
        ))
    };
    let query = "SELECT chat, text, quoted FROM attempts WHERE reference = ?1";
    let Some((chat, text, quoted)) = step.query_row(query, [reference], row).optional()? else {
        return Ok(());
    };
    // The app's own word of it, if it comes, is the same message.
    step.execute("INSERT OR IGNORE INTO arrivals (id) VALUES (?1)", [id])?;
    let message = ChatMessage {
        id: id.to_owned(),
        contact: ContactPair::default(),
        group: None,
        name: None,
        author: Author::Platinum,
        kind: "text".to_owned(),
        text,
        quoted,
        at,
    };
    insert_message(step, &chat, &message, "you", at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{ChatEvent, Progress};

    fn now() -> Timestamp {
        "2026-11-30T12:00:00Z".parse().unwrap()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state")).unwrap();
        (folder, store)
    }

    fn attempt(reference: &str) -> NewAttempt {
        NewAttempt {
            reference: reference.into(),
            chat: "1650".into(),
            text: "Yes".into(),
            quoted: None,
        }
    }

    fn report(store: &Store, reference: &str, progress: Progress) {
        let delivery = Delivery {
            message: "wamid.OUT".into(),
            reference: Some(reference.into()),
            progress,
            at: now(),
            code: None,
            words: Some("cannot be delivered (error 131026)".into()),
        };
        store
            .record(&[ChatEvent::Delivery(delivery)], now())
            .unwrap();
    }

    fn state(store: &Store, reference: &str) -> Option<AttemptState> {
        store
            .find_attempt(reference)
            .unwrap()
            .map(|found| found.state)
    }

    /// After a crash at any moment, what was begun may have left; only another reference is a new attempt.
    #[test]
    fn begun_attempt_may_have_left_until_it_is_known() {
        let (_folder, store) = store();
        let begin = |reference: &str| store.begin_attempt(&attempt(reference), now()).unwrap();
        assert_eq!(begin("draft_1"), Begun::New);
        let unknown = |begun: Begun| match begun {
            Begun::Before(before) => before.state == AttemptState::Unknown,
            Begun::New => false,
        };
        assert!(unknown(begin("draft_1")));
        assert_eq!(state(&store, "draft_1.2"), Some(AttemptState::Unknown));
        // Its owner says that it is to be sent again; and another draft, whose name only begins alike.
        assert_eq!(begin("draft_1.2"), Begun::New);
        assert_eq!(begin("draft_12"), Begun::New);
        assert_eq!(state(&store, "draft_3"), None);
        report(&store, "draft_1", Progress::Sent);
        assert_eq!(state(&store, "draft_1.2"), Some(AttemptState::Done));
        for reference in ["draft_1", "draft_1.2", "draft_1.3"] {
            assert!(matches!(begin(reference), Begun::Before(_)), "{reference}");
        }
        let sent = store.messages("1650", 5).unwrap();
        assert_eq!((sent.len(), sent[0].author), (1, Author::Platinum));
    }

    #[test]
    fn attempt_that_did_not_leave_may_be_made_again() {
        let (_folder, store) = store();
        for _ in 0..2 {
            assert_eq!(
                store.begin_attempt(&attempt("draft_1"), now()).unwrap(),
                Begun::New
            );
            store
                .end_attempt("draft_1", AttemptState::NotDone, None, "too fast", now())
                .unwrap();
            assert_eq!(state(&store, "draft_1"), Some(AttemptState::NotDone));
        }
        assert_eq!(
            store.begin_attempt(&attempt("draft_1.1"), now()).unwrap(),
            Begun::New
        );
        report(&store, "draft_1.1", Progress::Failed);
        let found = store.find_attempt("draft_1").unwrap().unwrap();
        assert_eq!(found.state, AttemptState::NotDone);
    }

    /// Whatever comes in whatever order, what left is never said not to have.
    #[test]
    fn attempt_that_left_stays_done() {
        let (_folder, store) = store();
        store.begin_attempt(&attempt("draft_1"), now()).unwrap();
        store
            .end_attempt(
                "draft_1",
                AttemptState::Done,
                Some("wamid.OUT"),
                "accepted",
                now(),
            )
            .unwrap();
        report(&store, "draft_1", Progress::Failed);
        store
            .end_attempt("draft_1", AttemptState::Unknown, None, "lost", now())
            .unwrap();
        let found = store.find_attempt("draft_1").unwrap().unwrap();
        assert_eq!(
            (found.state, found.message.as_deref()),
            (AttemptState::Done, Some("wamid.OUT"))
        );
        assert_eq!(store.messages("1650", 5).unwrap().len(), 1);
    }

    /// The report of a failure may be here before the loss of the answer is noticed.
    #[test]
    fn reported_failure_stands_when_the_answer_is_lost() {
        let (_folder, store) = store();
        store.begin_attempt(&attempt("draft_1"), now()).unwrap();
        report(&store, "draft_1", Progress::Failed);
        store
            .end_attempt("draft_1", AttemptState::Unknown, None, "lost", now())
            .unwrap();
        assert_eq!(state(&store, "draft_1"), Some(AttemptState::NotDone));
    }

    /// A store that was restored knows of no attempt; WhatsApp reported one.
    #[test]
    fn reported_message_is_found_without_its_attempt() {
        let (_folder, store) = store();
        report(&store, "draft_7", Progress::Failed);
        assert_eq!(state(&store, "draft_7"), None);
        report(&store, "draft_7", Progress::Read);
        assert_eq!(state(&store, "draft_7"), Some(AttemptState::Done));
        let before = store.begin_attempt(&attempt("draft_7"), now()).unwrap();
        assert!(matches!(before, Begun::Before(_)));
    }
}
