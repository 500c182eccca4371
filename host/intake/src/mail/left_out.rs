//! [`LeftOut`]: old mails that come into the inbox all the same, and the one note that lists them.
//!
//! Who tidies up moves hundreds of mails at once; nobody wants hundreds of drafts for it. An old mail
//! that was read is never drafted by itself, and of those that were not read only so many a day. If
//! the owner puts the note back, the mails that it lists are taken in after all.
//! Invariants: pure but for its counts; the note is as harmless as that of a mail.

use jiff::SignedDuration;
use platinum_core::{TaskId, Timestamp, ZoneId};
use platinum_mailbox::{RawMail, message::Parsed};
use platinum_vault::note::{Fact, TaskNote};

use super::{facts, task::WARNING};
use crate::text::{fenced, lines, one_line};

/// Mail that came before this is old.
const OLD: SignedDuration = SignedDuration::from_hours(3 * 24);
const A_DAY: SignedDuration = SignedDuration::from_hours(24);
/// So many old mails that were not read become tasks in a day.
const MAX_OLD_A_DAY: usize = 30;
/// So many of those left out are listed.
const MAX_LISTED: usize = 200;
const MAX_LIST_BYTES: usize = 32 * 1024;
/// Why the note is not answered.
const REASON: &str =
    "older mails that come into the inbox are not drafted by themselves; its note lists them";

/// What was left out, and how many old mails were not.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    keys: Vec<String>,
    listed: Vec<String>,
    /// Whether the mails of the first start are taken in: its owner chose how many.
    pub(super) is_backlog: bool,
    /// Since when old mails are counted, and how many became tasks since then.
    taken: Option<(Timestamp, usize)>,
}

impl LeftOut {
    /// Whether a mail is left out; if so it is counted and listed.
    pub(super) fn leaves_out(&mut self, mail: &RawMail, parsed: &Parsed, now: Timestamp) -> bool {
        let is_new = mail
            .internal_date
            .is_none_or(|received| received > now - OLD);
        if is_new || self.is_backlog {
            return false;
        }
        let (since, taken) = self
            .taken
            .filter(|(since, _)| *since > now - A_DAY)
            .unwrap_or((now, 0));
        if !mail.is_read && taken < MAX_OLD_A_DAY {
            self.taken = Some((since, taken + 1));
            return false;
        }
        self.keys.push(mail.key.clone());
        if self.listed.len() < MAX_LISTED {
            let from = parsed.from.as_ref().map(facts::person).unwrap_or_default();
            let line = format!(
                "{} | {}",
                one_line(&from, 100),
                one_line(&parsed.subject, 120)
            );
            self.listed.push(line);
        }
        true
    }

    /// The note about what was left out; none if nothing was.
    pub(super) fn report(&self, source: &str, now: Timestamp) -> Option<TaskNote> {
        let count = self.keys.len();
        if count == 0 {
            return None;
        }
        let subject = match count {
            1 => "1 older mail came into the inbox".to_owned(),
            _ => format!("{count} older mails came into the inbox"),
        };
        let (list, _) = lines(&self.listed.join("\n"), MAX_LIST_BYTES);
        let more = count - self.listed.len();
        let mut body = "# Mail\n\n".to_owned();
        if more > 0 {
            body.push_str(&format!("- {more} more are not listed.\n\n"));
        }
        body.push_str(&format!("{WARNING}\n\n{}", fenced(&list)));
        Some(TaskNote {
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
                (facts::LEFT_OUT, count.to_string()),
            ]
            .map(|(name, value)| Fact {
                name: name.to_owned(),
                values: vec![value],
            })
            .into(),
            claim: None,
            body,
        })
    }

    /// Begins to count anew; how many old mails became tasks today stays known.
    pub(super) fn forget(&mut self) {
        self.is_backlog = false;
        self.keys.clear();
        self.listed.clear();
    }

    /// The names of the mails that were left out.
    pub(super) fn keys(&self) -> Vec<String> {
        self.keys.clone()
    }
}
