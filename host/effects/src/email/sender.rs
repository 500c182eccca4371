//! [`MailSender`]: how a mail leaves. [`McpMailSender`] asks the full mail server to do it.
//!
//! Invariant: an answer that is not understood, or that is lost, is [`Outcome::Unknown`].

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{OwnAnswer, text::one_line};
use platinum_journal::{Outcome, approvals::MessageDigest};
use platinum_mcp::{CallError, Session};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{NotDone, approvals::Attachment, done, executor::first_attempt};

/// A file of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailFile {
    /// The name the recipient sees.
    pub name: String,
    /// Its type, from its extension.
    pub media_type: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl From<Attachment> for MailFile {
    fn from(file: Attachment) -> Self {
        Self {
            name: file.path.file_name().to_owned(),
            media_type: file.path.media_type(),
            bytes: file.bytes,
        }
    }
}

/// A mail to send. The text fields are those of [`platinum_core::EmailSend`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SendRequest {
    /// The account it leaves from.
    pub from_account: String,
    /// Recipients.
    pub to: Vec<String>,
    /// Copies.
    pub cc: Vec<String>,
    /// Blind copies.
    pub bcc: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub body: String,
    /// The Message-ID answered, without angle brackets.
    pub in_reply_to: Option<String>,
    /// The thread's Message-IDs, without angle brackets.
    pub references: Vec<String>,
    /// Its files.
    pub attachments: Vec<MailFile>,
    /// Its own Message-ID, without angle brackets.
    pub message_id: String,
    /// The id of its draft, for the header `X-Platinum-Draft`: some servers give a mail another
    /// Message-ID.
    pub draft: String,
    /// The message that was approved: another one does not leave.
    pub approved: MessageDigest,
}

/// How a mail was found among the sent ones, and in which folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SentMatch {
    /// By its Message-ID.
    ByMessageId(String),
    /// By the id of its draft: under another Message-ID, or as another attempt.
    ByDraft(String),
}

/// What is over in a mailbox.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CloseRequest {
    /// The account; all, if it is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What the drafts in it were saved as.
    pub drafted_as: String,
    /// The Message-ID of the mail that was answered, without angle brackets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answered: Option<String>,
}

/// A way to send mails.
#[async_trait]
pub trait MailSender: Send + Sync {
    /// Does all that comes before the mail itself: connection, login, sender, recipients.
    ///
    /// # Errors
    /// Why it cannot be sent now; nothing was.
    async fn prepare(&self, request: &SendRequest) -> Result<(), NotDone> {
        let _ = request;
        Ok(())
    }

    /// Sends a mail, once.
    ///
    /// # Errors
    /// Why it was not sent; nothing left.
    async fn send(&self, request: SendRequest) -> Result<Outcome, NotDone>;

    /// Whether the mail of this Message-ID, or of another attempt of its draft, is among the sent
    /// ones: of this account, or of all if it is not known from which it left.
    ///
    /// # Errors
    /// If the mailbox cannot be asked.
    async fn was_sent(
        &self,
        message_id: &str,
        account: Option<&str>,
    ) -> Result<Option<SentMatch>, String>;

    /// Whether the owner has answered the mail of this Message-ID themself; `people` are those that
    /// an answer goes to.
    ///
    /// # Errors
    /// If the mailbox cannot be asked.
    async fn own_answer(
        &self,
        account: &str,
        message_id: &str,
        people: &[String],
    ) -> Result<OwnAnswer, String>;

    /// Removes the drafts in the mailbox that were saved for what is over, and marks what was
    /// answered.
    ///
    /// # Errors
    /// Why that is not done.
    async fn close(&self, request: &CloseRequest) -> Result<(), String>;
}

/// Sends by the tool `send_email` of a mail server.
pub struct McpMailSender {
    session: Session,
}

impl McpMailSender {
    /// Sends over this session.
    pub fn new(session: Session) -> Self {
        Self { session }
    }
}

#[async_trait]
impl MailSender for McpMailSender {
    async fn prepare(&self, request: &SendRequest) -> Result<(), NotDone> {
        match self.session.call("prepare_email", arguments(request)).await {
            Ok(answer) => read_prepared(answer),
            Err(error) => not_prepared(&error),
        }
    }

    async fn send(&self, request: SendRequest) -> Result<Outcome, NotDone> {
        match self.session.call("send_email", arguments(&request)).await {
            Ok(answer) => read_answer(answer),
            Err(error) => Ok(failed(&error)),
        }
    }

    async fn was_sent(
        &self,
        message_id: &str,
        account: Option<&str>,
    ) -> Result<Option<SentMatch>, String> {
        let mut query = json!({ "sent_as": draft_of(message_id), "limit": 5 });
        if let Some(account) = account {
            query["account"] = json!(account);
        }
        let answer = self
            .session
            .call("search_emails", query)
            .await
            .map_err(|error| error.to_string())?;
        find_message(answer, message_id)
    }

    async fn own_answer(
        &self,
        account: &str,
        message_id: &str,
        people: &[String],
    ) -> Result<OwnAnswer, String> {
        let asked = json!({ "account": account, "message_id": message_id, "people": people });
        let answer = self
            .session
            .call("get_answer", asked)
            .await
            .map_err(|error| error.to_string())?;
        serde_json::from_value(answer)
            .map_err(|error| format!("the answer is not of the agreed form: {error}"))
    }

    async fn close(&self, request: &CloseRequest) -> Result<(), String> {
        let asked = json!(request);
        match self.session.call("close_email", asked).await {
            Ok(_) => Ok(()),
            // A build of the server without it leaves them.
            Err(error) if is_unknown_tool(&error) => Ok(()),
            Err(error) => Err(one_line(&error.to_string(), 500)),
        }
    }
}

/// Whether the server does not have the tool.
fn is_unknown_tool(error: &CallError) -> bool {
    error.certainly_not_run() && !matches!(error, CallError::NotStarted(_) | CallError::Tool(_))
}

fn arguments(request: &SendRequest) -> Value {
    let files: Vec<_> = request
        .attachments
        .iter()
        .map(|file| {
            json!({
                "name": file.name,
                "media_type": file.media_type,
                "base64": STANDARD.encode(&file.bytes),
            })
        })
        .collect();
    let mut mail = json!({
        "from_account": request.from_account,
        "to": request.to,
        "cc": request.cc,
        "bcc": request.bcc,
        "subject": request.subject,
        "body": request.body,
        "references": request.references,
        "attachments": files,
        "message_id": request.message_id,
        "draft": request.draft,
    });
    if let Some(answered) = &request.in_reply_to {
        mail["in_reply_to"] = json!(answered);
    }
    json!({ "mail": mail, "approved": request.approved })
}

/// The answer of `prepare_email`.
#[derive(Deserialize)]
struct Prepared {
    ready: bool,
    #[serde(default)]
    retry: bool,
    #[serde(default)]
    differs: bool,
    #[serde(default)]
    answer: String,
}

fn read_prepared(answer: Value) -> Result<(), NotDone> {
    match serde_json::from_value::<Prepared>(answer) {
        Ok(Prepared { ready: true, .. }) => Ok(()),
        Ok(Prepared {
            retry,
            differs,
            answer,
            ..
        }) => Err(not_done(&answer, retry, differs)),
        Err(error) => {
            let error = one_line(&error.to_string(), 200);
            let reason = format!("the mail server's answer is not of the agreed form: {error}");
            Err(NotDone::new(reason, true))
        }
    }
}

/// What the mail server says about a mail that it did not send.
fn not_done(answer: &str, retry: bool, differs: bool) -> NotDone {
    let answer = one_line(answer, 350);
    if !differs {
        return NotDone::new(answer, retry);
    }
    let reason = format!(
        "{answer}; restart the daemon if its mail file or its programs were changed, read it, then \
         approve it again"
    );
    NotDone::differs(reason, None)
}

/// What a failed preparation means: whatever became of it, nothing was sent.
fn not_prepared(error: &CallError) -> Result<(), NotDone> {
    let retry = match error {
        CallError::Tool(_) => false,
        // A server that does not know the tool has nothing to prepare.
        _ if is_unknown_tool(error) => return Ok(()),
        _ => true,
    };
    Err(NotDone::new(one_line(&error.to_string(), 500), retry))
}

/// The answer of `send_email`.
#[derive(Deserialize)]
struct Answer {
    outcome: String,
    #[serde(default)]
    retry: bool,
    #[serde(default)]
    differs: bool,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    sent_copy: String,
}

fn read_answer(answer: Value) -> Result<Outcome, NotDone> {
    Ok(match serde_json::from_value::<Answer>(answer) {
        Ok(answer) => match answer.outcome.as_str() {
            "sent" => done(format!(
                "{}; copy in Sent: {}",
                one_line(&answer.answer, 300),
                one_line(&answer.sent_copy, 150)
            )),
            "not_sent" => return Err(not_done(&answer.answer, answer.retry, answer.differs)),
            "unknown" => unknown(one_line(&answer.answer, 500)),
            other => unknown(format!(
                "the mail server answered an outcome that is none: {}",
                one_line(other, 40)
            )),
        },
        Err(error) => unknown(format!(
            "the mail server's answer is not of the agreed form: {}",
            one_line(&error.to_string(), 200)
        )),
    })
}

fn unknown(reason: String) -> Outcome {
    Outcome::Unknown { reason }
}

/// The answer of `search_emails`, as far as it is needed.
#[derive(Deserialize)]
struct SearchAnswer {
    messages: Vec<FoundMessage>,
}

#[derive(Deserialize)]
struct FoundMessage {
    #[serde(default)]
    message_id: String,
    #[serde(default)]
    draft: String,
    /// A server that does not say searched its folder of sent mails.
    #[serde(default = "sent")]
    folder: String,
}

fn sent() -> String {
    "Sent".to_owned()
}

/// The draft of a Message-ID: its left part, without the number of the attempt.
fn draft_of(message_id: &str) -> &str {
    let left = message_id.split('@').next().unwrap_or(message_id);
    first_attempt(left)
}

/// How the answer has the very mail, not only one that a search took for like it.
fn find_message(answer: Value, message_id: &str) -> Result<Option<SentMatch>, String> {
    let found: SearchAnswer = serde_json::from_value(answer)
        .map_err(|error| format!("the answer is not of the agreed form: {error}"))?;
    let draft = draft_of(message_id);
    let mut by_draft = None;
    for message in found.messages {
        let id = message.message_id.trim_matches(['<', '>', ' ']);
        if id == message_id {
            return Ok(Some(SentMatch::ByMessageId(message.folder)));
        }
        if message.draft == draft || draft_of(id) == draft {
            by_draft = Some(SentMatch::ByDraft(message.folder));
        }
    }
    Ok(by_draft)
}

fn failed(error: &CallError) -> Outcome {
    let text = one_line(&error.to_string(), 500);
    match error {
        CallError::NotStarted(_) => Outcome::NotSent {
            reason: text,
            retry: true,
            differs: false,
        },
        // An attempt is answered by an outcome, never by an error: nothing was tried. Should some
        // server mean something else by it, it is still not tried again.
        CallError::Tool(_) => Outcome::NotSent {
            reason: text,
            retry: false,
            differs: false,
        },
        // The tool's arguments or name are not known there: the same next time.
        _ if error.certainly_not_run() => Outcome::NotSent {
            reason: text,
            retry: false,
            differs: false,
        },
        _ => unknown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Recovery;

    #[test]
    fn answer_counts_only_in_the_agreed_form() {
        let sent = json!({"outcome": "sent", "retry": false, "message_id": "x", "answer": "250 ok",
            "sent_copy": "filed"});
        let expected = done("250 ok; copy in Sent: filed");
        assert_eq!(read_answer(sent), Ok(expected));
        let not = json!({"outcome": "not_sent", "retry": true, "answer": "451 later"});
        assert_eq!(read_answer(not), Err(NotDone::new("451 later", true)));
        let differs = json!({"outcome": "not_sent", "differs": true, "answer": "another"});
        let why = "another; restart the daemon if its mail file or its programs were changed, \
                   read it, then approve it again";
        let expected = NotDone::differs(why, None);
        assert_eq!(read_answer(differs), Err(expected.clone()));
        let differs = json!({"ready": false, "differs": true, "answer": "another"});
        assert_eq!(read_prepared(differs), Err(expected));
        for odd in [
            json!({"outcome": "unknown", "answer": "lost"}),
            json!({"outcome": "queued"}),
            json!({"ok": true}),
            json!("sent"),
            json!({"outcome": 1}),
        ] {
            assert!(matches!(read_answer(odd), Ok(Outcome::Unknown { .. })));
        }
    }

    #[test]
    fn call_that_may_have_run_has_an_unknown_outcome() {
        let protocol = |code| CallError::Protocol {
            text: "x".into(),
            code,
        };
        for (error, retry) in [
            (CallError::NotStarted("x".into()), true),
            (protocol(Some(-32601)), false),
            (CallError::Tool("no such account".into()), false),
        ] {
            assert!(matches!(failed(&error), Outcome::NotSent { retry: r, .. } if r == retry));
        }
        for error in [
            CallError::Lost("x".into()),
            protocol(None),
            protocol(Some(-32603)),
        ] {
            assert!(
                matches!(failed(&error), Outcome::Unknown { .. }),
                "{error:?}"
            );
        }
    }

    #[test]
    fn request_becomes_the_arguments_of_the_tool() {
        let request = SendRequest {
            from_account: "owner".into(),
            to: vec!["a@example.test".into()],
            cc: vec![],
            bcc: vec![],
            subject: "Re: x".into(),
            body: "Hello\n".into(),
            in_reply_to: None,
            references: vec!["r@x".into()],
            attachments: vec![MailFile {
                name: "a.pdf".into(),
                media_type: "application/pdf",
                bytes: b"foo".to_vec(),
            }],
            message_id: "m@x".into(),
            draft: "m".into(),
            approved: MessageDigest {
                sha256: "ab".into(),
                from: "me@x".into(),
                recipients: vec!["a@example.test".into()],
            },
        };
        let json = arguments(&request);
        assert_eq!(json["mail"]["attachments"][0]["base64"], "Zm9v");
        assert_eq!(json["mail"]["message_id"], "m@x");
        assert!(json["mail"].get("in_reply_to").is_none());
        let approved = json!({"sha256": "ab", "from": "me@x", "recipients": ["a@example.test"]});
        assert_eq!(json["approved"], approved);
    }

    /// No mail server encodes a `message/*`, and ours takes none.
    #[test]
    fn attached_mail_leaves_as_bytes() {
        let file = MailFile::from(Attachment::new(
            "Inbox/old.eml".parse().unwrap(),
            b"From: a@b.test".to_vec(),
        ));
        assert_eq!(file.media_type, "application/octet-stream");
    }

    #[test]
    fn only_the_very_message_id_is_found() {
        let answer = |id: &str| json!({"messages": [{"message_id": id, "subject": "x"}]});
        let found = Ok(Some(SentMatch::ByMessageId("Sent".into())));
        assert_eq!(find_message(answer("a@b"), "a@b"), found);
        assert_eq!(find_message(answer("<a@b>"), "a@b"), found);
        assert_eq!(find_message(answer("aa@b"), "a@b"), Ok(None));
        assert_eq!(find_message(json!({"messages": []}), "a@b"), Ok(None));
        let outbox = json!({"messages": [{"message_id": "a@b", "folder": "Outbox"}]});
        let found = Ok(Some(SentMatch::ByMessageId("Outbox".into())));
        assert_eq!(find_message(outbox, "a@b"), found);
        assert!(find_message(json!([]), "a@b").is_err());
    }

    #[test]
    fn other_attempt_of_the_draft_is_found() {
        let found = Ok(Some(SentMatch::ByDraft("Sent".into())));
        let answer = |id: &str| json!({"messages": [{"message_id": id}]});
        for (there, asked) in [
            ("draft_01a.2@b", "draft_01a@b"),
            ("draft_01a@b", "draft_01a.2@b"),
        ] {
            assert_eq!(find_message(answer(there), asked), found);
        }
        // Under a Message-ID that the server made, by the header.
        let renamed =
            |draft: &str| json!({"messages": [{"message_id": "0102@ses.test", "draft": draft}]});
        assert_eq!(find_message(renamed("draft_01a"), "draft_01a@b"), found);
        assert_eq!(find_message(renamed("draft_01ab"), "draft_01a@b"), Ok(None));
    }

    /// Nothing that becomes of a preparation can have sent a mail.
    #[test]
    fn preparation_that_is_lost_is_tried_again() {
        for (error, retry) in [
            (CallError::NotStarted("x".into()), true),
            (CallError::Lost("x".into()), true),
            (CallError::Tool("no such account".into()), false),
        ] {
            let not_done = not_prepared(&error).unwrap_err();
            assert_eq!(not_done.recovery == Recovery::Retry, retry, "{error:?}");
        }
        let unknown_tool = CallError::Protocol {
            text: "x".into(),
            code: Some(-32601),
        };
        assert_eq!(not_prepared(&unknown_tool), Ok(()));
        assert_eq!(read_prepared(json!({"ready": true})), Ok(()));
        let refused = json!({"ready": false, "retry": true, "answer": "454 later"});
        assert_eq!(
            read_prepared(refused).unwrap_err(),
            NotDone::new("454 later", true)
        );
        let odd = read_prepared(json!("ready")).unwrap_err();
        assert_eq!(odd.recovery, Recovery::Retry);
    }
}
