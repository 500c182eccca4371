//! [`Finding`]: what is in a draft that its owner may not have seen, and has to confirm.
//!
//! Lives here: the list of checks, which are pure. To add one: a function from what would leave and
//! a [`CheckContext`] to findings, and its line in [`CHECKS`].
//! Lives elsewhere: what becomes of a draft with findings is decided in `inspect`: moved to
//! `Approved/`, it is held; `platinum approve` shows them, and confirms the very bytes shown.

use std::{collections::BTreeSet, fmt};

use platinum_core::{
    Timestamp,
    text::{GAP_FORM, has_gaps},
};
use platinum_journal::Journal;
use platinum_vault::Vault;
use serde::{Deserialize, Serialize};

use super::{GAPS, Outgoing, SEND_AT};
use crate::review::{Correspondent, recipients_of, review, task_of};

/// Something in a draft that has to be confirmed before it leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Finding {
    /// Where: a field's name, `text, line 3`.
    pub place: String,
    /// What is there, in a sentence without its full stop; what cannot be seen is escaped.
    pub text: String,
}

impl Finding {
    /// What was found where.
    pub fn new(place: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            place: place.into(),
            text: text.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

/// What a check knows besides the draft.
#[derive(Debug, Clone)]
pub struct CheckContext {
    /// The time.
    pub now: Timestamp,
    /// Who wrote what is answered; none if that is not known.
    pub correspondent: Option<Correspondent>,
    /// Recipients of the draft, in lower case, whom something reached before.
    pub reached: BTreeSet<String>,
}

impl CheckContext {
    /// What is known around a draft. Blocks on the disk.
    ///
    /// # Errors
    /// If the vault or the journal cannot be read.
    pub fn of(
        vault: &Vault,
        journal: &Journal,
        outgoing: &Outgoing,
        now: Timestamp,
    ) -> Result<Self, String> {
        let mut reached = BTreeSet::new();
        for recipient in recipients_of(&outgoing.note.action) {
            let is_known = journal.has_reached(&recipient);
            if is_known.map_err(|error| error.to_string())? {
                reached.insert(recipient.to_lowercase());
            }
        }
        let task = task_of(vault, outgoing.note.task).map_err(|error| error.to_string())?;
        Ok(Self {
            now,
            correspondent: task.as_ref().and_then(Correspondent::of),
            reached,
        })
    }
}

/// A check of what would leave.
type ContentCheck = fn(&Outgoing, &CheckContext) -> Vec<Finding>;

/// Every check, in the order in which their findings are shown.
const CHECKS: &[ContentCheck] = &[late_send_at, kept_gaps, review];

/// Everything that the owner has to confirm of what would leave.
pub fn findings(outgoing: &Outgoing, context: &CheckContext) -> Vec<Finding> {
    CHECKS
        .iter()
        .flat_map(|check| check(outgoing, context))
        .collect()
}

/// What is to leave after it expired never leaves.
fn late_send_at(outgoing: &Outgoing, _: &CheckContext) -> Vec<Finding> {
    let expires = outgoing.note.expires;
    let late = outgoing.send_at.filter(|at| *at >= expires);
    let found = late.map(|at| {
        let text = format!(
            "it is to leave at {at:.0}, and expires before, at {expires:.0}: it would never leave"
        );
        Finding::new(SEND_AT, text)
    });
    found.into_iter().collect()
}

/// Whoever drafted it may have said that the gaps are meant: the owner's move does not.
fn kept_gaps(outgoing: &Outgoing, _: &CheckContext) -> Vec<Finding> {
    if !(outgoing.keeps_gaps && has_gaps(outgoing.note.action.text())) {
        return Vec::new();
    }
    let (key, value) = GAPS;
    let text =
        format!("it has gaps, marked {GAP_FORM}, and `{key}: {value}` sends them as they are");
    vec![Finding::new("text", text)]
}
