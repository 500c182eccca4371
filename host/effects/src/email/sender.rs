//! [`MailSender`]: how a mail leaves. [`McpMailSender`] asks the full mail server to do it.
//!
//! Invariant: an answer that is not understood, or that is lost, is [`SendOutcome::Unknown`].

use async_trait::async_trait;
use platinum_mcp::{CallError, Session};
use serde::Deserialize;
use serde_json::{Value, json};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::text::one_line;

use crate::approvals::Attachment;

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

/// What came of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendOutcome {
    /// The server took it.
    Sent {
        /// What the server said.
        answer: String,
        /// Whether a copy is in the Sent folder: `filed`, or `missing: why`.
        sent_copy: String,
    },
    /// It certainly was not sent.
    NotSent {
        /// Why.
        reason: String,
        /// Whether trying again later may help.
        retry: bool,
    },
    /// It may have been sent; why that cannot be told.
    Unknown(String),
}

/// A way to send mails.
#[async_trait]
pub trait MailSender: Send + Sync {
    /// Sends a mail, once.
    async fn send(&self, request: SendRequest) -> SendOutcome;

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
    async fn send(&self, request: SendRequest) -> SendOutcome {
        match self.session.call("send_email", arguments(&request)).await {
            Ok(answer) => read_answer(answer),
            Err(error) => failed(&error),
        }
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

fn read_answer(answer: Value) -> SendOutcome {
    match serde_json::from_value::<Answer>(answer) {
        Ok(said) => match said.outcome.as_str() {
            "sent" => SendOutcome::Sent {
                answer: one_line(&said.answer, 300),
                sent_copy: one_line(&said.sent_copy, 150),
            },
            "not_sent" => SendOutcome::NotSent {
                reason: one_line(&said.answer, 500),
                retry: said.retry,
            },
            "unknown" => SendOutcome::Unknown(one_line(&said.answer, 500)),
            other => SendOutcome::Unknown(format!(
                "the mail server answered an outcome that is none: {}",
                one_line(other, 40)
            )),
        },
        Err(error) => SendOutcome::Unknown(format!(
            "the mail server's answer is not of the agreed form: {}",
            one_line(&error.to_string(), 200)
        )),
    }
}

fn failed(error: &CallError) -> SendOutcome {
    let told = one_line(&error.to_string(), 500);
    match error {
        CallError::NotStarted(_) => SendOutcome::NotSent {
            reason: told,
            retry: true,
        },
        // An attempt is answered by an outcome, never by an error: nothing was tried. Should some
        // server mean something else by it, it is still not tried again.
        CallError::Tool(_) => SendOutcome::NotSent {
            reason: told,
            retry: false,
        },
        // The tool's arguments or name are not known there: the same next time.
        _ if error.certainly_not_run() => SendOutcome::NotSent {
            reason: told,
            retry: false,
        },
        _ => SendOutcome::Unknown(told),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_believed_only_in_the_agreed_form() {
        let sent = json!({"outcome": "sent", "retry": false, "message_id": "x", "answer": "250 ok",
            "sent_copy": "filed"});
        let expected = SendOutcome::Sent {
            answer: "250 ok".into(),
            sent_copy: "filed".into(),
        };
        assert_eq!(read_answer(sent), expected);
        let not = json!({"outcome": "not_sent", "retry": true, "answer": "451 later"});
        let expected = SendOutcome::NotSent {
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
            assert!(matches!(read_answer(odd), SendOutcome::Unknown(_)));
        }
    }

    #[test]
    fn a_call_that_may_have_run_is_unknown_and_one_that_did_not_is_not_sent() {
        let protocol = |code| CallError::Protocol {
            text: "x".into(),
            code,
        };
        for (error, retry) in [
            (CallError::NotStarted("x".into()), true),
            (protocol(Some(-32601)), false),
            (CallError::Tool("no such account".into()), false),
        ] {
            assert!(matches!(failed(&error), SendOutcome::NotSent { retry: r, .. } if r == retry));
        }
        for error in [
            CallError::Lost("x".into()),
            protocol(None),
            protocol(Some(-32603)),
        ] {
            assert!(
                matches!(failed(&error), SendOutcome::Unknown(_)),
                "{error:?}"
            );
        }
    }

    #[test]
    fn a_request_becomes_the_arguments_of_the_tool() {
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
}
