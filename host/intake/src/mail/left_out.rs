//! [`LeftOut`]: old mails that come into the inbox all the same, and the one note that lists them.
//!
//! Who tidies up moves hundreds of mails at once; nobody wants hundreds of drafts for it. An old mail
//! that was read is never drafted by itself, of those that were not read only so many a day, and of
//! all mails only so many an hour. If the owner puts the note back, the mails that it lists are taken
//! in after all.
//! Lives elsewhere: what was left out and is in no note yet is in the ledger.
//! Invariants: pure but for its counts; the note is as harmless as that of a mail.

use jiff::SignedDuration;
use platinum_core::{TaskId, Timestamp, ZoneId};
use platinum_mailbox::{RawMail, message::Parsed};
use platinum_vault::note::{Fact, TaskNote};

use super::{facts, task::WARNING};
use crate::{
    ledger::Pending,
    text::{fenced, lines, one_line},
};

/// Mail that came before this is old.
const OLD: SignedDuration = SignedDuration::from_hours(3 * 24);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// So many old mails that were not read become tasks in a day.
const MAX_OLD_A_DAY: usize = 30;
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// So many mails become tasks in an hour, however new they are.
const MAX_AN_HOUR: usize = 200;
/// They are listed after so long without one more, or after an hour.
const QUIET: SignedDuration = SignedDuration::from_mins(5);
/// So many of those left out are listed.
pub(super) const MAX_LISTED: usize = 200;
const MAX_LIST_BYTES: usize = 32 * 1024;
/// Why the note is not answered.
const REASON: &str =
    "older mails, and hundreds at once, are not drafted by themselves; its note lists them";

/// What was not left out lately: what comes in its wake is judged by that.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Whether the mails of the first start are taken in: its owner chose how many.
    pub(super) is_backlog: bool,
    /// Old mails that became tasks.
    old: Count,
    /// Mails that became tasks.
    all: Count,
}

/// How many there were since when.
#[derive(Debug, Default)]
struct Count(Option<(Timestamp, usize)>);

impl Count {
    /// Counts one more, unless there were so many within that time; whether it did.
    fn add(&mut self, now: Timestamp, within: SignedDuration, max: usize) -> bool {
        let current = self.0.filter(|(since, _)| *since > now - within);
        let (since, count) = current.unwrap_or((now, 0));
        self.0 = Some((since, count + usize::from(count < max)));
        count < max
    }
}

impl LeftOut {
    /// Whether a mail is left out, and whether because it is old.
    pub(super) fn leaves_out(
        &mut self,
        mail: &RawMail,
        parsed: &Parsed,
        now: Timestamp,
    ) -> Option<bool> {
        if self.is_backlog {
            return None;
        }
        // One that was copied has the time of that for the mailbox.
        let came = mail.internal_date.into_iter().chain(parsed.date).min();
        let is_old = came.is_some_and(|came| came <= now - OLD);
        if is_old && (mail.is_read || !self.old.add(now, A_DAY, MAX_OLD_A_DAY)) {
            return Some(true);
        }
        (!self.all.add(now, AN_HOUR, MAX_AN_HOUR)).then_some(is_old)
    }
}

/// What a note says of a mail that was left out.
pub(super) fn line(parsed: &Parsed) -> String {
    let from = parsed.from.as_ref().map(facts::person).unwrap_or_default();
    let subject = one_line(&parsed.subject, 120);
    format!("{} | {subject}", one_line(&from, 100))
}

/// Whether more of them are waited for.
pub(super) fn is_going_on(pending: &Pending, now: Timestamp) -> bool {
    pending.last > now - QUIET && pending.first > now - AN_HOUR
}

/// The note about what was left out.
pub(super) fn report(pending: &Pending, source: &str, now: Timestamp) -> TaskNote {
    let subject = match (pending.count, pending.are_old) {
        (1, true) => "1 older mail came into the inbox".to_owned(),
        (count, true) => format!("{count} older mails came into the inbox"),
        (count, false) => format!("{count} more mails came into the inbox at once"),
    };
    let (list, _) = lines(&pending.lines.join("\n"), MAX_LIST_BYTES);
    let more = pending.count.saturating_sub(pending.lines.len());
    let mut body = "# Mail\n\n".to_owned();
    if more > 0 {
        body.push_str(&format!("- {more} more are not listed.\n\n"));
    }
    body.push_str(&format!("{WARNING}\n\n{}", fenced(&list)));
    TaskNote {
        id: TaskId::generate(),
        zone: ZoneId::EMAIL,
        source: one_line(source, 100),
        from: "Your mailbox".to_owned(),
        subject,
        received: None,
        created: now,
        by: "intake/mail".to_owned(),
        facts: [
            (facts::NO_ANSWER, REASON.to_owned()),
            (facts::LEFT_OUT, pending.count.to_string()),
        ]
        .map(|(name, value)| Fact {
            name: name.to_owned(),
            values: vec![value],
        })
        .into(),
        claim: None,
        body,
    }
}
