//! [`review`]: what in a draft its owner cannot see, or would not expect, before it may leave by a
//! mere move of its file.
//!
//! Lives here: the one check over every field of an action, whatever its kind; `hidden` knows the
//! characters, `address` the recipients of a mail, `provenance` who they are to the owner, `post` the addresses in a post.
//! Lives elsewhere: what Markdown runs, fetches or hides is `platinum_core::text`'s; whom something
//! reached before is `journal`'s; that a draft with findings waits until `platinum approve`
//! confirmed it is decided in `approvals`.
//! Invariants: pure; every text of the action is read, also of a kind that this code does not
//! know; a finding names its place, and what it shows has nothing hidden left.

mod address;
mod concern;
mod hidden;
mod post;
mod provenance;
mod reader;
#[cfg(test)]
mod tests;

use concern::{Concern, Place};
use jiff::SignedDuration;
use platinum_core::{
    Action, ActionKind, EmailSend, Payment, SocialPublish, WhatsappSend, split_parts,
    text::{MailAddress, is_hidden},
};
use platinum_vault::note::DraftNote;
use reader::Findings;

pub use hidden::escape_hidden;
pub use provenance::Correspondent;
pub(crate) use provenance::task_of;

use crate::approvals::{CheckContext, Finding, Outgoing};

/// How long an approval may count at most, as a drafting skill may ask for it.
const LONGEST_LIFE: SignedDuration = SignedDuration::from_hours(90 * 24);

/// Reads what would leave as the owner would who sees every character. No finding: what is seen is
/// what leaves, and whom it reaches is no surprise.
pub(crate) fn review(outgoing: &Outgoing, context: &CheckContext) -> Vec<Finding> {
    review_draft(&outgoing.note, context)
}

fn review_draft(draft: &DraftNote, context: &CheckContext) -> Vec<Finding> {
    let mut findings = Findings::default();
    for (key, value) in draft.action.fields() {
        if let Some(field) = key.as_str() {
            findings.read_value(&concern::quoted(field), value);
        }
    }
    findings.read_text(draft.action.text());
    // The owner decides by these two as well.
    findings.read_line("summary", &draft.summary);
    findings.read_line("reason", &draft.reason);
    if let Ok(mail) = draft.action.read() {
        address::check_mail(&mail, context, &mut findings);
    }
    if let Ok(post) = draft.action.read() {
        post::check_post(&post, &mut findings);
    }
    if draft.expires > context.now + LONGEST_LIFE {
        findings.add(&Place::of("expires"), &Concern::LongLife(draft.expires));
    }
    findings.into_list()
}

/// Whom an action reaches: addresses without their names, blind copies too; a chat, a payee; the
/// account whose followers read a post; which document in Odoo,
/// whose it is and how much.
pub fn recipients_of(action: &Action) -> Vec<String> {
    if let Some(heading) = action.heading() {
        return vec![heading];
    }
    if let Ok(mail) = action.read::<EmailSend>() {
        let all = mail.to.iter().chain(&mail.cc).chain(&mail.bcc);
        let address = |text: &String| match MailAddress::parse(text) {
            Ok(recipient) => recipient.address(),
            Err(_) => text.clone(),
        };
        return all.map(address).collect();
    }
    if let Ok(message) = action.read::<WhatsappSend>() {
        return vec![message.recipient()];
    }
    if let Ok(post) = action.read::<SocialPublish>() {
        return vec![post.account];
    }
    action
        .read::<Payment>()
        .map_or_else(|_| Vec::new(), |payment| vec![payment.payee])
}

/// Whether an action that has a text by its kind has none: it was emptied.
pub(crate) fn says_nothing(action: &Action) -> bool {
    let is_blank = |text: &str| text.chars().all(|c| c.is_whitespace() || is_hidden(c));
    let has_text = [
        ActionKind::EMAIL_SEND,
        ActionKind::WHATSAPP_SEND,
        ActionKind::ODOO_POST,
        ActionKind::ODOO_PAYMENT,
    ]
    .contains(&action.kind());
    // A picture or another file alone says enough.
    if let Ok(post) = action.read::<SocialPublish>() {
        return post.media.is_empty() && split_parts(&post.text).iter().all(|part| is_blank(part));
    }
    let has_file = action
        .read::<WhatsappSend>()
        .is_ok_and(|message| message.file.is_some());
    has_text && !has_file && is_blank(action.text())
}
