//! [`Intake`]: one mail taken in, exactly once.
//!
//! The order is what makes it so: choose the id and store it with the note (ledger), create the
//! note (vault), store that it was written (ledger). After a crash the first and the last step
//! tell which notes to look after; one that was claimed or finished meanwhile is found
//! by its file name and not created again.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::SignedDuration;
use platinum_core::{TaskId, Timestamp, ZoneId, layout, sha256_hex, text::one_line};
use platinum_mailbox::{
    Account, Backend, Cursor, RawMail,
    message::{self, Parsed},
    returned::{self, Returned},
};
use platinum_vault::{
    Vault, VaultError,
    note::{FILED_BEFORE, TaskNote},
};
use sha2::{Digest as _, Sha256};
use tracing::info;

use super::{
    accounting,
    left_out::{self, LeftOut},
    outline::Outline,
    recipients::{self, Owner, Recipients},
    task::{Ids, MAX_NOTE_BYTES, Origin, task_from_mail},
};
use crate::{
    accounting::{brought::MAX_FILE_BYTES, pdf::PdfReader},
    ledger::{Chosen, Identity, Ledger, LedgerError, Start},
    notes::{UNWRITTEN_AT_ONCE, read_handbook},
};

/// How far the mail server's clock may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(2);
/// So long the note of what was left out can be put back.
const A_MONTH: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Why a mail could not be taken in. It is tried again; no mail is lost by it.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// The record of seen mails failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The note could not be written.
    #[error("cannot write the note of {task}: {source}")]
    Vault {
        /// Which one.
        task: TaskId,
        /// What the vault answered.
        source: VaultError,
    },
    /// The vault could not be searched for a note.
    #[error("cannot look for {task} in the vault: {source}")]
    Search {
        /// Which one.
        task: TaskId,
        /// What the vault answered.
        source: VaultError,
    },
}

/// What became of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is this task now.
    Created(TaskId),
    /// It was this task before, under another name.
    Known(TaskId),
    /// Its name was dealt with before.
    Seen,
    /// The owner wrote it.
    Own,
    /// It was there before the watcher first ran.
    Old,
    /// The owner answered it before we saw it.
    Answered,
    /// It is old, and was read or came with many like it: it is listed, not drafted by itself.
    LeftOut,
}

/// Takes in the mails of one account.
#[derive(Debug)]
pub struct Intake {
    vault: Vault,
    ledger: Mutex<Ledger>,
    source: String,
    /// The owner by the configuration, and by what was learnt since.
    owner: Mutex<Owner>,
    left_out: Mutex<LeftOut>,
    /// Mails of another UIDVALIDITY than this that came before `at` were there already.
    first: Option<(Timestamp, u32)>,
    /// Who reads PDFs, if this host has the zone `accounting`.
    pdfs: Option<PdfReader>,
}

impl Intake {
    /// Of this account, into this vault.
    pub fn new(vault: Vault, ledger: Ledger, account: &Account) -> Self {
        let kind = match account.backend {
            Backend::Maildir(_) => "maildir",
            Backend::Imap(_) => "imap",
        };
        Self {
            vault,
            ledger: Mutex::new(ledger),
            source: format!("{kind}:{}", account.name),
            owner: Mutex::new(Owner::of(account)),
            left_out: Mutex::default(),
            first: None,
            pdfs: None,
        }
    }

    /// Bills and requests for invoices become tasks of the zone `accounting`; PDFs are read by this.
    #[must_use]
    pub fn with_accounting(mut self, pdfs: PdfReader) -> Self {
        self.pdfs = Some(pdfs);
        self
    }

    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        // SQLite keeps its own consistency: a panic elsewhere leaves nothing half done.
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the mailbox was left, or `None` before the first start.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn cursor(&self) -> Result<Option<Cursor>, IntakeError> {
        let start = self.ledger().start()?;
        start.map(|start| read_cursor(&start.cursor)).transpose()
    }

    /// Stores the first start: mails before `cursor` and those named `before` are none of ours.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn begin(
        &self,
        cursor: &Cursor,
        before: &[String],
        at: Timestamp,
    ) -> Result<(), IntakeError> {
        let first = write_cursor(cursor);
        let start = Start {
            at,
            cursor: first.clone(),
            first,
        };
        self.ledger().begin(&start, before)?;
        self.left_out().is_backlog = true;
        Ok(())
    }

    /// Reads when the first start was. Call it once, before the first mail.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn read_start(&mut self) -> Result<(), IntakeError> {
        let start = self.ledger().start()?;
        self.first = match start {
            Some(start) => Some((start.at, read_cursor(&start.first)?.uid_validity)),
            None => None,
        };
        Ok(())
    }

    /// Stores how far the mailbox was read, once all mails before are taken in.
    ///
    /// # Errors
    /// If it cannot be stored.
    pub fn advance(&self, cursor: &Cursor) -> Result<(), IntakeError> {
        self.ledger().advance(&write_cursor(cursor))?;
        Ok(())
    }

    /// Whether a mail of this name was dealt with. A record that cannot be read knows nothing:
    /// the mail is looked at again, and [`Intake::take`] says what is wrong.
    pub fn knows(&self, key: &str) -> bool {
        self.ledger().knows(key).unwrap_or(false)
    }

    /// Takes these for the owner's addresses from now on, beside those that the account's configuration says.
    pub fn learn_addresses(&self, account: &Account, addresses: &[String]) {
        let owner = Owner::of(account).with_learnt(addresses);
        *self.owner.lock().unwrap_or_else(PoisonError::into_inner) = owner;
    }

    fn owner(&self) -> Owner {
        let owner = self.owner.lock();
        owner.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes in one mail.
    ///
    /// # Errors
    /// If a step failed. Take the mail in again later: the steps that were done stay done.
    pub fn take(&self, mail: &RawMail, now: Timestamp) -> Result<Taken, IntakeError> {
        if self.ledger().knows(&mail.key)? {
            return Ok(Taken::Seen);
        }
        let parsed = message::parse_cut(&mail.bytes, mail.truncated);
        let identity = identity(mail, &parsed);
        let before = self.ledger().known(&identity)?;
        let owner = self.owner();
        let returned = returned::read(&mail.bytes);
        // What is about a mail of ours counts whoever wrote it, and however old it is.
        let is_of_draft = returned.as_ref().is_some_and(Returned::is_of_draft);
        if before.is_none() && !is_of_draft {
            if recipients::decide(&parsed, &owner) == Recipients::Own {
                self.ledger().skip(&mail.key)?;
                let subject = one_line(&parsed.subject, 80);
                info!(
                    subject,
                    "a mail from one of your own addresses is no task; to try it out, write from another"
                );
                return Ok(Taken::Own);
            }
            if self.is_old(mail) {
                self.ledger().skip(&mail.key)?;
                return Ok(Taken::Old);
            }
            if mail.answered {
                self.ledger().skip(&mail.key)?;
                return Ok(Taken::Answered);
            }
            let is_wanted = self.ledger().is_wanted(&mail.key)?;
            let leaves_out = || self.left_out().leaves_out(mail, &parsed, now);
            if !is_wanted && let Some(is_old) = leaves_out() {
                let line = left_out::line(&parsed);
                self.ledger().leave_out(&mail.key, &line, is_old, now)?;
                return Ok(Taken::LeftOut);
            }
        }
        let outline = Outline::of(&parsed);
        if let Some((task, false)) = before {
            let known = self.ledger().outline(task)?;
            let is_copy = |known: Vec<u8>| outline.is_copy_of(&Outline::from_bytes(&known));
            if known.is_some_and(is_copy) {
                self.ledger().skip(&mail.key)?;
                return Ok(Taken::Known(task));
            }
        }
        let ids = Ids {
            task: TaskId::generate(),
            twin: before.map(|(task, _)| task),
        };
        let origin = Origin {
            source: self.source.clone(),
            received: mail.internal_date,
            size: mail.size,
            truncated: mail.truncated,
            returned,
        };
        let mut note = task_from_mail(&parsed, &owner, &origin, &ids, now);
        if let Some(pdfs) = self.pdfs.as_ref().filter(|_| !is_of_draft) {
            // Only now: of a mail that becomes no task, no file is decoded.
            let files = match parsed.attachments.is_empty() {
                true => Vec::new(),
                false => message::parse_with_files(&mail.bytes, mail.truncated, MAX_FILE_BYTES).1,
            };
            let others = accounting::add(
                &mut note,
                &parsed,
                &files,
                &read_handbook(&self.vault),
                pdfs,
            );
            // The mail itself is the last: it counts as taken in when all that it brings is.
            for (at, note) in others.into_iter().enumerate() {
                self.store(&identity_of_another(&identity, at + 2), &note)?;
            }
        }
        self.ledger().keep_outline(ids.task, &outline.to_bytes())?;
        self.store(&identity, &note)
    }

    /// Stores a task with its note and writes the note, unless what it is of is a task already.
    fn store(&self, identity: &Identity, note: &TaskNote) -> Result<Taken, IntakeError> {
        let text = note.render();
        let chosen = self.ledger().choose(identity, note.id, &text)?;
        match chosen {
            Chosen::Known(task) => Ok(Taken::Known(task)),
            Chosen::New => {
                self.create(note.id, note.zone, &text)?;
                Ok(Taken::Created(note.id))
            }
        }
    }

    /// Makes one note of the mails that were left out and are in none, if there are any: once no more
    /// of them come, or `at_once`.
    ///
    /// # Errors
    /// If a step failed. Call it again later.
    pub fn report_left_out(
        &self,
        now: Timestamp,
        at_once: bool,
    ) -> Result<Option<TaskId>, IntakeError> {
        self.left_out().is_backlog = false;
        let pending = self.ledger().pending_left_out(left_out::MAX_LISTED)?;
        let is_due = |pending: &_| at_once || !left_out::is_going_on(pending, now);
        let Some(pending) = pending.filter(is_due) else {
            return Ok(None);
        };
        let report = left_out::report(&pending, &self.source, now);
        let identity = sha256_hex(format!("left-out {}", report.id));
        let note = report.render();
        self.ledger().list_left_out(report.id, &identity, &note)?;
        self.create(report.id, report.zone, &note)?;
        Ok(Some(report.id))
    }

    /// Makes the mails wanted that were left out and whose note the owner put back within a month; they
    /// are not known any more. Answers how many they are.
    ///
    /// # Errors
    /// If a step failed. Call it again later.
    pub fn take_up_left_out(&self, now: Timestamp) -> Result<usize, IntakeError> {
        let tasks = self.ledger().left_out(now - A_MONTH)?;
        let mut taken_up = 0;
        for task in self.put_back(tasks, now)? {
            taken_up += self.ledger().take_up(task)?;
        }
        Ok(taken_up)
    }

    /// The cursor, moved back to the first mail that the owner wants and that is not taken in yet. What
    /// follows it is known.
    ///
    /// # Errors
    /// If the record cannot be read.
    pub fn rewound(&self, cursor: &Cursor) -> Result<Cursor, IntakeError> {
        let wanted = self.ledger().wanted()?;
        let uids = wanted.iter().filter_map(|key| uid_of(key));
        let uids = uids.filter(|(validity, _)| *validity == cursor.uid_validity);
        let first = uids.map(|(_, uid)| uid).min();
        let mut rewound = cursor.clone();
        rewound.next_uid = first.map_or(cursor.next_uid, |uid| uid.min(cursor.next_uid));
        Ok(rewound)
    }

    /// Those tasks whose notes were filed, and were taken out of `Done/` since; they may be there again. Of
    /// each the first note counts, in the order of the folders, which are walked once for all.
    fn put_back(&self, tasks: Vec<TaskId>, now: Timestamp) -> Result<Vec<TaskId>, IntakeError> {
        let named = |task: TaskId| (format!("{task}.md"), task);
        let mut sought: BTreeMap<String, TaskId> = tasks.into_iter().map(named).collect();
        let mut put_back = Vec::new();
        let waiting = [layout::NEEDS_ACTION, layout::IN_PROGRESS].map(str::to_owned);
        // One that was put back is filed anew.
        let done = [layout::done_month(now), layout::last_done_month(now)];
        for folder in waiting.iter().chain(&done) {
            let Some(task) = sought.values().next().copied() else {
                break;
            };
            let entries = self.vault.walk_in(folder);
            for entry in entries.map_err(|source| IntakeError::Search { task, source })? {
                let Some(task) = sought.remove(entry.path.file_name()) else {
                    continue;
                };
                let text = self.vault.read_text(&entry.path, MAX_NOTE_BYTES as u64 * 2);
                let text = text.map_err(|source| IntakeError::Search { task, source })?;
                let Ok(note) = TaskNote::parse(&text) else {
                    continue;
                };
                if note.fact(FILED_BEFORE).is_empty() {
                    continue;
                }
                let claims = note.claim.as_ref().map_or(0, |claim| claim.epoch);
                if waiting.contains(folder) || claims > self.ledger().first_filed(task, claims)? {
                    put_back.push(task);
                }
            }
        }
        Ok(put_back)
    }

    fn left_out(&self) -> MutexGuard<'_, LeftOut> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the notes whose writing was cut short, and says how many it looked after.
    ///
    /// # Errors
    /// If a step failed. Call it again later.
    pub fn finish(&self) -> Result<usize, IntakeError> {
        let mut finished = 0;
        loop {
            let unwritten = self.ledger().unwritten(UNWRITTEN_AT_ONCE)?;
            if unwritten.is_empty() {
                return Ok(finished);
            }
            for (task, note) in unwritten {
                if self.is_in_vault(task)? {
                    self.ledger().written(task)?;
                } else {
                    let zone = TaskNote::parse(&note).map_or(ZoneId::EMAIL, |note| note.zone);
                    self.create(task, zone, &note)?;
                }
                finished += 1;
            }
        }
    }

    fn create(&self, task: TaskId, zone: ZoneId, note: &str) -> Result<(), IntakeError> {
        let path = layout::waiting(zone, task);
        if let Err(source) = self.vault.create(&path, note.as_bytes()) {
            // The id is ours alone, so what is there is this note.
            if !self.vault.exists(&path).unwrap_or(false) {
                return Err(IntakeError::Vault { task, source });
            }
        }
        self.ledger().written(task)?;
        Ok(())
    }

    /// Whether the note is anywhere: it may have been claimed or finished since it was written.
    fn is_in_vault(&self, task: TaskId) -> Result<bool, IntakeError> {
        let name = task.to_string();
        // Twice, because it can move from a folder not yet walked to one already walked.
        for _ in 0..2 {
            let entries = self
                .vault
                .walk()
                .map_err(|source| IntakeError::Search { task, source })?;
            if entries
                .iter()
                .any(|entry| entry.path.file_name().starts_with(&name))
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn is_old(&self, mail: &RawMail) -> bool {
        let Some((at, validity)) = self.first else {
            return false;
        };
        let (Some(received), Some(now)) = (mail.internal_date, uid_of(&mail.key)) else {
            return false;
        };
        validity != 0 && now.0 != validity && received < at - CLOCKS_DIFFER
    }
}

/// UIDVALIDITY and UID of an IMAP mail's name; `None` for a Maildir's.
pub(super) fn uid_of(key: &str) -> Option<(u32, u32)> {
    let (validity, uid) = key.split_once('/')?;
    Some((validity.parse().ok()?, uid.parse().ok()?))
}

/// The mail's names: Message-ID, and content. The content is what a person would call so (sender,
/// subject, date and everything after the headers); trace headers differ from copy to copy.
fn identity(mail: &RawMail, parsed: &Parsed) -> Identity {
    let mut hash = Sha256::new();
    let from = parsed
        .from
        .as_ref()
        .map(ToString::to_string)
        .unwrap_or_default();
    let date = parsed.date.map(|date| date.to_string()).unwrap_or_default();
    for part in [
        from.as_bytes(),
        parsed.subject.as_bytes(),
        date.as_bytes(),
        body_of(&mail.bytes),
    ] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let content = hex::encode(hash.finalize());
    let identity = match &parsed.message_id {
        Some(id) => sha256_hex(format!("message-id {id}")),
        None => sha256_hex(format!("content {content}")),
    };
    Identity {
        key: mail.key.clone(),
        identity,
        content,
    }
}

/// The names of one more e-invoice of a mail: the second, the third.
fn identity_of_another(mail: &Identity, number: usize) -> Identity {
    Identity {
        key: format!("{}#{number}", mail.key),
        identity: sha256_hex(format!("{}#{number}", mail.identity)),
        content: mail.content.clone(),
    }
}

/// What follows the first empty line; everything, if there is none.
fn body_of(bytes: &[u8]) -> &[u8] {
    let mut line_starts = 0;
    while let Some(length) = bytes[line_starts..].iter().position(|&byte| byte == b'\n') {
        let line = &bytes[line_starts..line_starts + length];
        line_starts += length + 1;
        if line.is_empty() || line == b"\r" {
            return &bytes[line_starts..];
        }
    }
    bytes
}

fn write_cursor(cursor: &Cursor) -> String {
    format!("{}/{}", cursor.uid_validity, cursor.next_uid)
}

fn read_cursor(text: &str) -> Result<Cursor, IntakeError> {
    let (uid_validity, next_uid) =
        uid_of(text).ok_or_else(|| LedgerError::Damaged(format!("`{text}` is no cursor")))?;
    Ok(Cursor {
        uid_validity,
        next_uid,
    })
}
