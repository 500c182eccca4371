//! [`find_answer`]: whether the owner has answered a mail themself, from another program or device.
//!
//! One implementation for all backends, over [`Mailbox::search`].
//! Lives elsewhere: what follows from it is the host's.
//! Invariants: an answer is a mail of the folder of sent mails that names the mail in its headers and goes to one of
//! the people it is with, so that a mail which was only forwarded is not answered; what Platinum sent is no answer
//! of the owner's, and the mark that it left says nothing; an automatic answer is none.

use jiff::Timestamp;
use platinum_text::bare_address;

use crate::error::MailboxError;
use crate::mailbox::{Mailbox, Query};
use crate::message::{self, Parsed, Person};

/// The most sent mails of one thread that are looked through, newest first.
const MAX_SENT: usize = 20;
/// The most copies of a mail that are looked at in the inbox.
const MAX_COPIES: usize = 3;
/// How the id of a draft begins, in the header of what Platinum sent.
pub(crate) const DRAFT_PREFIX: &str = "draft_";

/// An answer of the owner's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnAnswer {
    /// When it was sent; none if that is not known.
    pub at: Option<Timestamp>,
    /// The folder that has it; none if only the mark on the mail tells of it.
    pub folder: Option<String>,
}

/// The answer of the owner's own to the mail with this Message-ID (without angle brackets): the newest one. `people`
/// are the addresses that an answer would go to; those that the mail itself names are added.
///
/// # Errors
/// If the mailbox cannot be asked, or `message_id` is nothing that can be asked for.
pub async fn find_answer(
    mailbox: &mut dyn Mailbox,
    message_id: &str,
    people: &[String],
) -> Result<Option<OwnAnswer>, MailboxError> {
    let mut people: Vec<String> = people.iter().map(|one| bare_address(one)).collect();
    let mut is_marked = false;
    for copy in mailbox.search(&copies_of(message_id)).await? {
        is_marked |= copy.mail.answered;
        let parsed = message::parse_cut(&copy.mail.bytes, copy.mail.truncated);
        people.extend(senders(&parsed).map(|one| bare_address(&one.address)));
    }
    let mut is_marked_by_us = false;
    for hit in mailbox.search(&sent_in_thread_of(message_id)).await? {
        let parsed = message::parse_cut(&hit.mail.bytes, hit.mail.truncated);
        // IMAP finds a part of a header, too; and a mail to oneself is not an answer to itself.
        let mut answered = parsed.in_reply_to.iter().chain(&parsed.references);
        if !answered.any(|id| id == message_id) || parsed.auto_submitted.is_some() {
            continue;
        }
        if is_ours(&parsed) {
            is_marked_by_us = true;
            continue;
        }
        if people.is_empty() || goes_to(&parsed, &people) {
            return Ok(Some(OwnAnswer {
                at: parsed.date.or(hit.mail.internal_date),
                folder: Some(hit.folder),
            }));
        }
    }
    Ok((is_marked && !is_marked_by_us).then_some(OwnAnswer {
        at: None,
        folder: None,
    }))
}

/// Asks for the copies of a mail in the inbox.
#[must_use]
pub fn copies_of(message_id: &str) -> Query {
    Query {
        message_id: Some(message_id.to_owned()),
        folder: Some("INBOX".to_owned()),
        limit: MAX_COPIES,
        ..Query::default()
    }
}

/// Asks for the sent mails of the thread of a mail.
#[must_use]
pub fn sent_in_thread_of(message_id: &str) -> Query {
    Query {
        thread: vec![message_id.to_owned()],
        is_sent: true,
        limit: MAX_SENT,
        ..Query::default()
    }
}

/// Whether Platinum sent a mail.
#[must_use]
pub fn is_ours(mail: &Parsed) -> bool {
    let draft = mail.draft.as_deref();
    draft.is_some_and(|draft| draft.starts_with(DRAFT_PREFIX))
}

/// Whom an answer to a mail goes to.
fn senders(mail: &Parsed) -> impl Iterator<Item = &Person> {
    mail.from.iter().chain(&mail.reply_to.listed)
}

fn goes_to(mail: &Parsed, people: &[String]) -> bool {
    mail.recipients()
        .map(|one| bare_address(&one.address))
        .any(|address| people.contains(&address))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::maildir::Maildir;

    const QUESTION: &str = "Message-ID: <q@x.test>\r\nFrom: Ann <ann@x.test>\r\nReply-To: office@x.test\r\n\
        To: me@x.test\r\nSubject: Lunch?\r\n\r\nTomorrow?\r\n";

    fn mailbox() -> (tempfile::TempDir, Maildir) {
        let folder = tempfile::tempdir().unwrap();
        let maildir = Maildir::create(folder.path()).unwrap();
        std::fs::write(folder.path().join("cur/1.q:2,S"), QUESTION).unwrap();
        (folder, maildir)
    }

    fn file_sent(folder: &Path, name: &str, headers: &str) {
        let sent = folder.join(".Sent/cur");
        std::fs::create_dir_all(&sent).unwrap();
        let mail = format!(
            "Message-ID: <{name}@x.test>\r\nFrom: me@x.test\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n{headers}\r\nYes.\r\n"
        );
        std::fs::write(sent.join(format!("{name}:2,S")), mail).unwrap();
    }

    async fn found(maildir: &mut Maildir, people: &[&str]) -> Option<OwnAnswer> {
        let people: Vec<String> = people.iter().map(|&one| one.to_owned()).collect();
        find_answer(maildir, "q@x.test", &people).await.unwrap()
    }

    fn in_sent() -> Option<OwnAnswer> {
        Some(OwnAnswer {
            at: Some("2026-11-20T10:00:00Z".parse().unwrap()),
            folder: Some("Sent".to_owned()),
        })
    }

    #[tokio::test]
    async fn answer_in_sent_is_found_by_either_header() {
        for header in [
            "In-Reply-To: <q@x.test>",
            "References: <p@x.test> <q@x.test>",
        ] {
            for to in ["Ann <ANN@x.test>", "office@x.test", "other@x.test"] {
                let (folder, mut maildir) = mailbox();
                assert_eq!(found(&mut maildir, &[]).await, None);
                file_sent(folder.path(), "a", &format!("To: {to}\r\n{header}\r\n"));
                let answer = found(&mut maildir, &["Ann <other@x.test>"]).await;
                assert_eq!(answer, in_sent(), "{header}, {to}");
            }
        }
    }

    /// Neither a mail that was passed on, nor an automatic answer, nor a mail of the thread that answers another.
    #[tokio::test]
    async fn other_mails_of_the_thread_are_no_answer() {
        let (folder, mut maildir) = mailbox();
        let reply = "In-Reply-To: <q@x.test>\r\n";
        file_sent(folder.path(), "a", &format!("To: bob@y.test\r\n{reply}"));
        file_sent(
            folder.path(),
            "b",
            &format!("To: ann@x.test\r\nAuto-Submitted: auto-replied\r\n{reply}"),
        );
        file_sent(
            folder.path(),
            "c",
            "To: ann@x.test\r\nIn-Reply-To: <qq@x.test>\r\n",
        );
        assert_eq!(found(&mut maildir, &["ann@x.test"]).await, None);
        file_sent(folder.path(), "d", &format!("To: ann@x.test\r\n{reply}"));
        assert_eq!(found(&mut maildir, &["ann@x.test"]).await, in_sent());
    }

    #[tokio::test]
    async fn mark_counts_unless_platinum_left_it() {
        let (folder, mut maildir) = mailbox();
        let inbox = folder.path().join("cur");
        std::fs::rename(inbox.join("1.q:2,S"), inbox.join("1.q:2,RS")).unwrap();
        let marked = Some(OwnAnswer {
            at: None,
            folder: None,
        });
        assert_eq!(found(&mut maildir, &[]).await, marked);
        file_sent(
            folder.path(),
            "a",
            "X-Platinum-Draft: draft_01a\r\nTo: ann@x.test\r\nIn-Reply-To: <q@x.test>\r\n",
        );
        assert_eq!(found(&mut maildir, &[]).await, None);
        // The owner sent the copy in Drafts with their own program.
        file_sent(
            folder.path(),
            "b",
            "X-Platinum-Draft: task_01a\r\nTo: ann@x.test\r\nIn-Reply-To: <q@x.test>\r\n",
        );
        assert_eq!(found(&mut maildir, &[]).await, in_sent());
    }
}
