//! The facts of a mail task: fixed names, and values from outside made harmless.
//!
//! A skill reads them from the task's frontmatter, key `facts`. Message-IDs have no angle
//! brackets, and are such as a header can name again. A name without a value is left out.
//! Invariants: a value is one line of at most [`MAX_VALUE_CHARS`] characters and
//! [`MAX_VALUE_BYTES`] bytes; a name has at most [`MAX_VALUES`] values; all facts together leave
//! room in the frontmatter for what is added later.

use platinum_core::{
    DraftId,
    text::{self, MailAddress},
};
use platinum_mailbox::{
    message::{Kind, Method, Parsed, People, Person},
    returned::Returned,
};
/// What is attached: `name (media type, n bytes)`.
pub use platinum_vault::note::{ATTACHMENTS, MESSAGE_ID};
use platinum_vault::note::{AUTO_REPLY_TO, BOUNCE_REASON, BOUNCED_DRAFT, BOUNCED_RECIPIENTS, Fact};

use super::{
    recipients::{self, Answer, Owner, Recipients},
    task::Ids,
};
use crate::text::one_line;

/// Characters of one value.
pub const MAX_VALUE_CHARS: usize = 320;
/// Bytes of one value.
pub const MAX_VALUE_BYTES: usize = 1024;
/// Values of one fact.
pub const MAX_VALUES: usize = 50;

/// Which mails it answers.
pub const IN_REPLY_TO: &str = "in-reply-to";
/// Its thread, oldest first.
pub const REFERENCES: &str = "references";
/// Whom an answer goes to: `Name <address>`.
pub const ANSWER_TO: &str = "answer-to";
/// Who else gets the answer.
pub const ANSWER_CC: &str = "answer-cc";
/// What the owner has to know of the recipients, each a sentence.
pub const ANSWER_NOTE: &str = "answer-note";
/// Why nobody is answered.
pub const NO_ANSWER: &str = "no-answer";
/// The sender's address alone.
pub const FROM_ADDRESS: &str = "from-address";
/// Where answers should go, if not to the sender: `Name <address>`.
pub const REPLY_TO: &str = "reply-to";
/// Whom it was written to.
pub const TO: &str = "to";
/// How many more it was written to.
pub const TO_LEFT_OUT: &str = "to-left-out";
/// Who got a copy.
pub const CC: &str = "cc";
/// How many more got a copy.
pub const CC_LEFT_OUT: &str = "cc-left-out";
/// Its own date, RFC 3339.
pub const DATE: &str = "date";
/// How many more are attached.
pub const ATTACHMENTS_LEFT_OUT: &str = "attachments-left-out";
/// `calendar` for an invitation or its answer, `report` for a bounce or a receipt.
pub const MAIL_KIND: &str = "mail-kind";
/// What is said about an event: `request`, `reply`, `cancel` or `counter`.
pub const EVENT_METHOD: &str = "event-method";
/// The event: title, time and place.
pub const EVENT: &str = "event";
/// A header that marks an automatic answer: `X-Autoreply: yes`.
pub const AUTO_REPLY: &str = "auto-reply";
/// A header by which a filter calls the mail spam.
pub const SPAM: &str = "spam";
/// Headers that are there more often than they may be; the first of each counts.
pub const REPEATED: &str = "repeated";
/// `yes` if the list that it came over is one of the owner's own addresses.
pub const OWN_LIST: &str = "own-list";
/// Auto-Submitted, lower case; never `no`.
pub const AUTO_SUBMITTED: &str = "auto-submitted";
/// Precedence, lower case.
pub const PRECEDENCE: &str = "precedence";
/// List-Id.
pub const LIST_ID: &str = "list-id";
/// List-Unsubscribe.
pub const LIST_UNSUBSCRIBE: &str = "list-unsubscribe";
/// Return-Path; `<>` is the null sender of a bounce.
pub const RETURN_PATH: &str = "return-path";
/// X-Auto-Response-Suppress, lower case.
pub const AUTO_RESPONSE_SUPPRESS: &str = "x-auto-response-suppress";
/// Feedback-ID.
pub const FEEDBACK_ID: &str = "feedback-id";
/// A header that programs for mail to many write: `List-Unsubscribe-Post: …`.
pub const BULK_SENDER: &str = "bulk-sender";
/// How the text was made unreadable here: `encrypted with OpenPGP`.
pub const ENCRYPTED: &str = "encrypted";
/// How the mail says that it is signed; nothing of that is checked: `signed with S/MIME`.
pub const SIGNED: &str = "signed";
/// The task of another mail that came with the same Message-ID and other content.
pub const SAME_MESSAGE_ID_AS: &str = "same-message-id-as";
/// `yes` if the mail brings a one-time code, which the note does not have.
pub const ONE_TIME_CODE: &str = "one-time-code";
/// How many mails were left out, if the note is about them.
pub const LEFT_OUT: &str = "left-out";
/// `yes` if the note does not have all of the mail's text.
pub const CUT: &str = "cut";

/// Every name there is.
pub const NAMES: [&str; 40] = [
    MESSAGE_ID,
    IN_REPLY_TO,
    REFERENCES,
    ANSWER_TO,
    ANSWER_CC,
    ANSWER_NOTE,
    NO_ANSWER,
    FROM_ADDRESS,
    REPLY_TO,
    TO,
    TO_LEFT_OUT,
    CC,
    CC_LEFT_OUT,
    DATE,
    ATTACHMENTS,
    ATTACHMENTS_LEFT_OUT,
    MAIL_KIND,
    EVENT_METHOD,
    EVENT,
    AUTO_SUBMITTED,
    AUTO_REPLY,
    SPAM,
    REPEATED,
    PRECEDENCE,
    LIST_ID,
    OWN_LIST,
    LIST_UNSUBSCRIBE,
    RETURN_PATH,
    AUTO_RESPONSE_SUPPRESS,
    FEEDBACK_ID,
    ENCRYPTED,
    SIGNED,
    SAME_MESSAGE_ID_AS,
    ONE_TIME_CODE,
    LEFT_OUT,
    CUT,
    BOUNCED_DRAFT,
    BOUNCED_RECIPIENTS,
    BOUNCE_REASON,
    AUTO_REPLY_TO,
];

/// What was found of a mail's text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Findings {
    /// The note does not have all of it.
    pub(super) cut: bool,
    /// It brings a one-time code.
    pub(super) has_code: bool,
}

/// All facts of a mail, in the order of [`NAMES`].
pub(super) fn facts(
    mail: &Parsed,
    owner: &Owner,
    ids: &Ids,
    findings: &Findings,
    returned: Option<&Returned>,
) -> Vec<Fact> {
    let mut list = List(Vec::new());
    let received = |ids: &[String]| -> Vec<String> {
        let ids = ids.iter().filter_map(|id| text::message_id(id));
        ids.map(str::to_owned).collect()
    };
    list.add(MESSAGE_ID, received(mail.message_id.as_slice()));
    list.add(IN_REPLY_TO, received(&mail.in_reply_to));
    list.add_thread(&received(&mail.references));
    list.add_recipients(recipients::decide(mail, owner));
    list.add(
        FROM_ADDRESS,
        mail.from.iter().map(|person| address(&person.address)),
    );
    list.add(REPLY_TO, mail.reply_to.listed.iter().map(person));
    list.add_people(TO, TO_LEFT_OUT, &mail.to);
    list.add_people(CC, CC_LEFT_OUT, &mail.cc);
    list.add(DATE, mail.date.iter().map(ToString::to_string));
    let attachments = mail.attachments.iter().map(|attachment| {
        let name = attachment.name.as_deref().unwrap_or("without a name");
        let kind = one_line(&attachment.media_type, 80);
        format!(
            "{} ({kind}, {} bytes)",
            one_line(name, 200),
            attachment.size
        )
    });
    let kept = list.add(ATTACHMENTS, attachments);
    let beyond = mail.attachments.len().saturating_sub(kept);
    list.add_count(ATTACHMENTS_LEFT_OUT, mail.attachments_left_out + beyond);
    list.add(
        MAIL_KIND,
        match mail.kind {
            Kind::Plain => None,
            Kind::Calendar => Some("calendar".to_owned()),
            Kind::Report => Some("report".to_owned()),
        },
    );
    list.add_text(
        EVENT_METHOD,
        mail.event.as_ref().map(|event| match event.method {
            Method::Request => "request",
            Method::Reply => "reply",
            Method::Cancel => "cancel",
            Method::Counter => "counter",
            Method::Publish => "publish",
        }),
    );
    list.add(EVENT, mail.event.iter().map(ToString::to_string));
    list.add_text(AUTO_SUBMITTED, mail.auto_submitted.as_deref());
    list.add_text(AUTO_REPLY, mail.auto_reply.as_deref());
    list.add_text(SPAM, mail.spam.as_deref());
    list.add(REPEATED, mail.repeated.iter().map(|&name| name.to_owned()));
    list.add_text(PRECEDENCE, mail.precedence.as_deref());
    list.add_text(LIST_ID, mail.list_id.as_deref());
    list.add(OWN_LIST, owner.is_own_list(mail).then(|| "yes".to_owned()));
    list.add_text(LIST_UNSUBSCRIBE, mail.list_unsubscribe.as_deref());
    let return_path = mail.return_path.as_deref();
    list.add_text(
        RETURN_PATH,
        return_path.map(|path| if path.is_empty() { "<>" } else { path }),
    );
    list.add_text(
        AUTO_RESPONSE_SUPPRESS,
        mail.auto_response_suppress.as_deref(),
    );
    list.add_text(FEEDBACK_ID, mail.feedback_id.as_deref());
    list.add_text(BULK_SENDER, mail.bulk_sender.as_deref());
    if let Some(protection) = mail.protection {
        let name = match protection.is_unreadable() {
            true => ENCRYPTED,
            false => SIGNED,
        };
        list.add_text(name, Some(protection.describe()));
    }
    list.add(SAME_MESSAGE_ID_AS, ids.twin.iter().map(ToString::to_string));
    list.add(ONE_TIME_CODE, findings.has_code.then(|| "yes".to_owned()));
    list.add(CUT, findings.cut.then(|| "yes".to_owned()));
    match returned {
        Some(Returned::Bounced {
            draft,
            recipients,
            reason,
        }) => {
            list.add(BOUNCED_DRAFT, draft.as_deref().and_then(draft_id));
            list.add(
                BOUNCED_RECIPIENTS,
                recipients.iter().map(|one| address(one)),
            );
            list.add(BOUNCE_REASON, [reason.clone()]);
        }
        Some(Returned::AutoReply { draft }) => {
            list.add(AUTO_REPLY_TO, draft_id(draft));
        }
        None => {}
    }
    list.0
}

/// The id of a draft as notes write it, of one as mails carry it.
fn draft_id(text: &str) -> Option<String> {
    let (prefix, ulid) = text.split_once('_')?;
    let id = format!("{}_{}", prefix.to_lowercase(), ulid.to_uppercase());
    Some(id.parse::<DraftId>().ok()?.to_string())
}

struct List(Vec<Fact>);

impl List {
    /// Adds a fact with as many of the values, from the first on, as there is room for; says how
    /// many.
    fn add(&mut self, name: &str, values: impl IntoIterator<Item = String>) -> usize {
        let mut room = match name {
            REFERENCES => 8 * 1024,
            ATTACHMENTS => 5 * 1024,
            TO | CC => 4 * 1024,
            // More than what is decided can have: a recipient is never cut.
            ANSWER_CC => recipients::MAX_OTHERS_COST + 1024,
            ANSWER_TO => recipients::MAX_DIRECT_COST + 1024,
            IN_REPLY_TO | REPLY_TO | ANSWER_NOTE => 2 * 1024,
            _ => 640,
        };
        let mut kept = Vec::new();
        for value in values {
            let value = bounded(&value, room);
            room = room.saturating_sub(cost(&value));
            if kept.len() == MAX_VALUES || room == 0 {
                break;
            }
            if !value.is_empty() {
                kept.push(value);
            }
        }
        let count = kept.len();
        if count > 0 {
            self.0.push(Fact {
                name: name.to_owned(),
                values: kept,
            });
        }
        count
    }

    fn add_text(&mut self, name: &str, value: Option<&str>) {
        self.add(name, value.map(str::to_owned));
    }

    fn add_count(&mut self, name: &str, count: usize) {
        self.add(name, (count > 0).then(|| count.to_string()));
    }

    fn add_people(&mut self, name: &str, left_out_name: &str, people: &People) {
        let kept = self.add(name, people.listed.iter().map(person));
        self.add_count(
            left_out_name,
            people.left_out + people.listed.len().saturating_sub(kept),
        );
    }

    /// Of a long thread its root and its newest mails tell most.
    fn add_thread(&mut self, references: &[String]) {
        let (root, newer) = references.split_at(references.len().min(1));
        self.add(REFERENCES, root.iter().chain(newer.iter().rev()).cloned());
        if let Some(fact) = self.0.last_mut().filter(|fact| fact.name == REFERENCES) {
            fact.values[1..].reverse();
        }
    }

    fn add_recipients(&mut self, recipients: Recipients) {
        let line = |one: &MailAddress| one.with_plain_name();
        match recipients {
            Recipients::Answer(Answer {
                to,
                cc,
                notes,
                unasked,
            }) => {
                self.add(NO_ANSWER, unasked);
                self.add(ANSWER_TO, to.iter().map(line));
                self.add(ANSWER_CC, cc.iter().map(line));
                self.add(ANSWER_NOTE, notes);
            }
            Recipients::Nobody(why) => {
                self.add(NO_ANSWER, [why]);
            }
            Recipients::Own => {
                self.add(NO_ANSWER, ["you wrote it yourself".to_owned()]);
            }
        }
    }
}

/// What a value costs in frontmatter at most, quoted and escaped.
pub(super) fn cost(value: &str) -> usize {
    let each = value.chars().map(|c| match c {
        '"' | '\\' => 2,
        c if c.is_ascii() => 1,
        _ => 10,
    });
    each.sum::<usize>() + 10
}

/// One line, within all bounds.
fn bounded(value: &str, room: usize) -> String {
    let mut line = one_line(value, MAX_VALUE_CHARS);
    let mut over = cost(&line).saturating_sub(room.saturating_sub(1));
    while over > 0 || line.len() > MAX_VALUE_BYTES {
        let Some(last) = line.pop() else { break };
        over = over.saturating_sub(if last.is_ascii() { 1 } else { 10 });
    }
    line
}

/// `Name <address>`, or the address alone. A name cannot look like an address in brackets.
pub(super) fn person(person: &Person) -> String {
    let address = address(&person.address);
    let name = person.name.as_deref().unwrap_or_default();
    let name = one_line(&name.replace(['<', '>', '"'], " "), 100);
    match (name.is_empty(), address.is_empty()) {
        (true, _) => address,
        (false, true) => name,
        (false, false) => format!("{name} <{address}>"),
    }
}

/// The address if a mail can go to it, else nothing.
pub(super) fn address(text: &str) -> String {
    MailAddress::parse(text).map_or_else(|_| String::new(), |address| address.address())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_cannot_pose_as_an_address() {
        let posing = Person {
            name: Some("\"Boss\" <boss@corp.test>".to_owned()),
            address: "evil@else.test".to_owned(),
        };
        assert_eq!(person(&posing), "Boss boss@corp.test <evil@else.test>");
        let broken = Person {
            name: None,
            address: "a@b\r\nBcc: all@corp.test".to_owned(),
        };
        assert_eq!(person(&broken), "");
    }
}
