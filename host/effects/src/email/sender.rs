//! [`MailSender`]: how a mail leaves. [`McpMailSender`] asks the full mail server to do it.
//!
//! Invariant: an answer that is not understood, or that is lost, is [`Outcome::Unknown`].

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::text::one_line;
use platinum_journal::Outcome;
use platinum_mcp::{CallError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{approvals::Attachment, done};

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
        let extension = file
            .path
            .extension()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let media_type = match extension.as_str() {
            "png" => "image/png",
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "webp" => "image/webp",
            "svg" => "image/svg+xml",
            "pdf" => "application/pdf",
            "txt" => "text/plain",
            "md" => "text/markdown",
            "csv" => "text/csv",
            "eml" => "message/rfc822",
            _ => "application/octet-stream",
        };
        Self {
            name: file.path.file_name().to_owned(),
            media_type,
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
}

/// A way to send mails.
#[async_trait]
pub trait MailSender: Send + Sync {
    /// Sends a mail, once.
    async fn send(&self, request: SendRequest) -> Outcome;

    /// Whether a mail of this Message-ID is in the Sent folder.
    ///
    /// # Errors
    /// If the mailbox cannot be asked.
    async fn was_sent(&self, message_id: &str) -> Result<bool, String>;

    /// The domain of an account's address, if it is known: it ends the Message-ID.
    fn domain(&self, from_account: &str) -> Option<String> {
        let _ = from_account;
        None
    }
}

/// Sends by the tool `send_email` of a mail server.
pub struct McpMailSender {
    session: Session,
    domains: std::collections::BTreeMap<String, String>,
}

impl McpMailSender {
    /// Sends over this session. `domains` has the domain of each account's address, as far as
    /// they are known.
    pub fn new(session: Session, domains: std::collections::BTreeMap<String, String>) -> Self {
        Self { session, domains }
    }
}

#[async_trait]
impl MailSender for McpMailSender {
    async fn send(&self, request: SendRequest) -> Outcome {
        match self.session.call("send_email", arguments(&request)).await {
            Ok(answer) => read_answer(answer),
            Err(error) => failed(&error),
        }
    }

    async fn was_sent(&self, message_id: &str) -> Result<bool, String> {
        let query = json!({ "message_id": message_id, "folder": "Sent", "limit": 5 });
        let answer = self
            .session
            .call("search_emails", query)
            .await
            .map_err(|error| error.to_string())?;
        has_message(answer, message_id)
    }

    fn domain(&self, from_account: &str) -> Option<String> {
        self.domains.get(from_account).cloned()
    }
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
    let mut arguments = json!({
        "from_account": request.from_account,
        "to": request.to,
        "cc": request.cc,
        "bcc": request.bcc,
        "subject": request.subject,
        "body": request.body,
        "references": request.references,
        "attachments": files,
        "message_id": request.message_id,
    });
    if let Some(answered) = &request.in_reply_to {
        arguments["in_reply_to"] = json!(answered);
    }
    arguments
}

/// The answer of `send_email`.
#[derive(Deserialize)]
struct Answer {
    outcome: String,
    #[serde(default)]
    retry: bool,
    #[serde(default)]
    answer: String,
    #[serde(default)]
    sent_copy: String,
}

fn read_answer(answer: Value) -> Outcome {
    match serde_json::from_value::<Answer>(answer) {
        Ok(answer) => match answer.outcome.as_str() {
            "sent" => done(format!(
                "{}; copy in Sent: {}",
                one_line(&answer.answer, 300),
                one_line(&answer.sent_copy, 150)
            )),
            "not_sent" => Outcome::NotSent {
                reason: one_line(&answer.answer, 500),
                retry: answer.retry,
            },
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
    }
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
}

/// Whether the answer has the very mail, not only one that a search took for like it.
fn has_message(answer: Value, message_id: &str) -> Result<bool, String> {
    let found: SearchAnswer = serde_json::from_value(answer)
        .map_err(|error| format!("the answer is not of the agreed form: {error}"))?;
    let is_same = |id: &str| id.trim_matches(['<', '>', ' ']) == message_id;
    Ok(found
        .messages
        .iter()
        .any(|message| is_same(&message.message_id)))
}

fn failed(error: &CallError) -> Outcome {
    let text = one_line(&error.to_string(), 500);
    match error {
        CallError::NotStarted(_) => Outcome::NotSent {
            reason: text,
            retry: true,
        },
        // An attempt is answered by an outcome, never by an error: nothing was tried. Should some
        // server mean something else by it, it is still not tried again.
        CallError::Tool(_) => Outcome::NotSent {
            reason: text,
            retry: false,
        },
        // The tool's arguments or name are not known there: the same next time.
        _ if error.certainly_not_run() => Outcome::NotSent {
            reason: text,
            retry: false,
        },
        _ => unknown(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answer_counts_only_in_the_agreed_form() {
        let sent = json!({"outcome": "sent", "retry": false, "message_id": "x", "answer": "250 ok",
            "sent_copy": "filed"});
        let expected = done("250 ok; copy in Sent: filed");
        assert_eq!(read_answer(sent), expected);
        let not = json!({"outcome": "not_sent", "retry": true, "answer": "451 later"});
        let expected = Outcome::NotSent {
            reason: "451 later".into(),
            retry: true,
        };
        assert_eq!(read_answer(not), expected);
        for odd in [
            json!({"outcome": "unknown", "answer": "lost"}),
            json!({"outcome": "queued"}),
            json!({"ok": true}),
            json!("sent"),
            json!({"outcome": 1}),
        ] {
            assert!(matches!(read_answer(odd), Outcome::Unknown { .. }));
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
        };
        let json = arguments(&request);
        assert_eq!(json["attachments"][0]["base64"], "Zm9v");
        assert_eq!(json["message_id"], "m@x");
        assert!(json.get("in_reply_to").is_none());
    }

    #[test]
    fn only_the_very_message_id_is_found() {
        let answer = |id: &str| json!({"messages": [{"message_id": id, "subject": "x"}]});
        assert_eq!(has_message(answer("a@b"), "a@b"), Ok(true));
        assert_eq!(has_message(answer("<a@b>"), "a@b"), Ok(true));
        assert_eq!(has_message(answer("aa@b"), "a@b"), Ok(false));
        assert_eq!(has_message(json!({"messages": []}), "a@b"), Ok(false));
        assert!(has_message(json!([]), "a@b").is_err());
    }
}
