//! The tool `close_email`: what is left to do in the mailbox once a draft was sent, or is not wanted.
//!
//! Invariants: of the drafts only those are removed that were saved for this task; a mail is marked as answered only if
//! an answer of ours is in Sent, so that the mark is never mistaken for the owner's own.

use std::any::Any;

use platinum_email_draft::{MailService, ServiceError};
use platinum_mailbox::answer::{copies_of, is_ours, sent_in_thread_of};
use platinum_mailbox::compose::bare;
use platinum_mailbox::imap::Imap;
use platinum_mailbox::maildir::Maildir;
use platinum_mailbox::{Mailbox, MailboxError, SearchHit, message};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is over.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CloseArguments {
    /// The account; all without it.
    #[serde(default)]
    account: Option<String>,
    /// The X-Platinum-Draft of the drafts that were saved for it.
    drafted_as: String,
    /// The Message-ID of the mail that was answered.
    #[serde(default)]
    answered: Option<String>,
}

/// What was done.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CloseAnswer {
    /// How many drafts were removed.
    pub removed: usize,
    /// Whether the mail is marked as answered now.
    pub marked: bool,
}

/// Removes the drafts, and marks the mail that was answered.
pub(crate) async fn close(
    mail: &MailService,
    arguments: &CloseArguments,
) -> Result<CloseAnswer, ServiceError> {
    let accounts = match &arguments.account {
        Some(account) => vec![account.clone()],
        None => mail.account_names().map(str::to_owned).collect(),
    };
    let mut answer = CloseAnswer::default();
    for account in accounts {
        let mut mailbox = mail.mailbox(&account).await?;
        let failed = |source| ServiceError::of_account(&account, source);
        if let Some(answered) = &arguments.answered {
            let marked = mark_answered(&mut **mailbox, &bare(answered)).await;
            answer.marked |= marked.map_err(failed)?;
        }
        let removed = mailbox.remove_drafts(&arguments.drafted_as).await;
        answer.removed += removed.map_err(failed)?;
    }
    Ok(answer)
}

/// Marks the mail with this Message-ID in the inbox, if an answer of ours is in Sent; whether it did.
async fn mark_answered(mailbox: &mut dyn Mailbox, message_id: &str) -> Result<bool, MailboxError> {
    let is_our_answer = |hit: &SearchHit| {
        let parsed = message::parse_cut(&hit.mail.bytes, hit.mail.truncated);
        is_ours(&parsed) && parsed.in_reply_to.iter().any(|id| id == message_id)
    };
    let sent = mailbox.search(&sent_in_thread_of(message_id)).await?;
    if !sent.iter().any(is_our_answer) {
        return Ok(false);
    }
    let found = mailbox.search(&copies_of(message_id)).await?;
    let keys: Vec<String> = found.into_iter().map(|hit| hit.mail.key).collect();
    if keys.is_empty() {
        return Ok(false);
    }
    let mailbox: &mut dyn Any = mailbox;
    if let Some(imap) = mailbox.downcast_mut::<Imap>() {
        imap.mark("INBOX", &keys, "\\Answered").await?;
    } else if let Some(maildir) = mailbox.downcast_ref::<Maildir>() {
        for key in &keys {
            maildir.mark_answered(key).await?;
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use platinum_mailbox::Config;

    use super::*;

    const MAIL: &str = "From: Ann <ann@x.test>\r\nMessage-ID: <q@x.test>\r\n\r\nTomorrow?\r\n";

    fn service() -> (tempfile::TempDir, MailService) {
        let folder = platinum_testkit::mail_folder().unwrap();
        for part in [".Sent/cur", ".Drafts/cur"] {
            std::fs::create_dir_all(folder.path().join("Mail").join(part)).unwrap();
        }
        std::fs::write(folder.path().join("Mail/new/1.q"), MAIL).unwrap();
        let config = Config::load(&folder.path().join("mail.toml")).unwrap();
        let service = MailService::open(config).unwrap();
        (folder, service)
    }

    fn names(folder: &std::path::Path) -> Vec<String> {
        let entries = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[tokio::test]
    async fn close_removes_the_drafts_of_one_task_alone() {
        let (folder, service) = service();
        let drafts = folder.path().join("Mail/.Drafts/cur");
        for (name, header) in [
            ("a", "X-Platinum-Draft: task_1\r\n"),
            ("b", "X-Platinum-Draft: task_12\r\n"),
            ("c", ""),
        ] {
            std::fs::write(drafts.join(format!("{name}:2,D")), format!("{header}\r\nx")).unwrap();
        }
        let arguments = CloseArguments {
            account: None,
            drafted_as: "task_1".to_owned(),
            answered: None,
        };
        let answer = close(&service, &arguments).await.unwrap();
        assert_eq!((answer.removed, answer.marked), (1, false));
        assert_eq!(names(&drafts), ["b:2,D", "c:2,D"]);
    }

    /// The mark is ours to set only where Sent says why.
    #[tokio::test]
    async fn close_marks_what_a_sent_mail_of_ours_answers() {
        let (folder, service) = service();
        let mail = folder.path().join("Mail");
        let arguments = CloseArguments {
            account: Some("owner".to_owned()),
            drafted_as: "task_1".to_owned(),
            answered: Some("<q@x.test>".to_owned()),
        };
        assert!(!close(&service, &arguments).await.unwrap().marked);
        let sent = "X-Platinum-Draft: draft_1\r\nIn-Reply-To: <q@x.test>\r\n\r\nYes.\r\n";
        std::fs::write(mail.join(".Sent/cur/s:2,S"), sent).unwrap();
        for _ in 0..2 {
            assert!(close(&service, &arguments).await.unwrap().marked);
            assert_eq!(names(&mail.join("cur")), ["1.q:2,R"]);
        }
        assert!(names(&mail.join("new")).is_empty());
    }
}
