//! [`Mail`]: a mailbox that can be searched and take drafts; [`McpMail`] reaches one through its
//! MCP server.

use async_trait::async_trait;
use platinum_core::{EmailSend, Timestamp};
use platinum_mcp::Session;
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::server::{AskError, ask};

/// What to look for; fields that are set must all match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Query {
    /// Words in subject or text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Part of the sender's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// Mails of the threads of these Message-IDs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub thread: Vec<String>,
    /// At most this many, newest first.
    pub limit: u32,
}

/// A mail that was found. Untrusted text.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct SearchHit {
    /// Without angle brackets; may be empty.
    #[serde(default)]
    pub message_id: String,
    /// `Name <local@domain>`.
    #[serde(default)]
    pub sender: String,
    /// Recipients.
    #[serde(default)]
    pub to: Vec<String>,
    /// Recipients of a copy.
    #[serde(default)]
    pub cc: Vec<String>,
    /// One line.
    #[serde(default)]
    pub subject: String,
    /// RFC 3339.
    #[serde(default)]
    pub date: Option<String>,
    /// The folder it is in.
    #[serde(default)]
    pub folder: String,
    /// Plain text.
    #[serde(default)]
    pub text: String,
}

/// Somebody the owner wrote to, or got mail from. Untrusted text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Person {
    /// May be empty.
    #[serde(default)]
    pub name: String,
    /// `local@domain`.
    #[serde(default)]
    pub address: String,
}

/// Who is meant by a name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Matches {
    /// Those who may be.
    pub people: Vec<Person>,
    /// Whether it is clear.
    #[serde(default)]
    pub clear: bool,
}

/// How the owner writes. Untrusted text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct Style {
    /// What stands below the closing.
    #[serde(default)]
    pub signature: Option<String>,
    /// The first line.
    #[serde(default)]
    pub greeting: Option<String>,
    /// The line with which a mail ends.
    #[serde(default)]
    pub closing: Option<String>,
    /// Mails of the owner to the same people, newest first.
    #[serde(default)]
    pub texts: Vec<String>,
    /// What was read, for people.
    #[serde(default)]
    pub sources: Vec<String>,
}

/// Why the mailbox did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It refused.
    #[error("the mail server refused: {0}")]
    Refused(String),
    /// It is away.
    #[error("the mail server is away: {0}")]
    Unavailable(String),
}

/// A mailbox that can be searched and take drafts.
#[async_trait]
pub trait Mail: Send + Sync {
    /// Whether it shows how it was: for a task of the past, nothing that came later is to be seen.
    fn is_of_the_past(&self) -> bool {
        false
    }
    /// Searches.
    async fn search(&self, query: &Query) -> Result<Vec<SearchHit>, MailError>;
    /// Who is meant by a name in an account.
    async fn find_people(&self, account: &str, name: &str) -> Result<Matches, MailError>;
    /// How the owner of an account writes to these addresses; or wrote, until a moment.
    async fn style(
        &self,
        account: &str,
        recipients: &[String],
        until: Option<Timestamp>,
    ) -> Result<Style, MailError>;
    /// Saves a draft; answers its Message-ID. With `drafted_as`, it takes the place of an earlier
    /// one that was saved as the same.
    async fn save_draft(
        &self,
        mail: &EmailSend,
        drafted_as: Option<&str>,
    ) -> Result<String, MailError>;
}

/// A mailbox behind an MCP server.
#[derive(Clone)]
pub struct McpMail {
    session: Session,
}

impl McpMail {
    /// Takes the session with the mail server.
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    async fn call<T: DeserializeOwned>(
        &self,
        tool: &'static str,
        arguments: serde_json::Value,
    ) -> Result<T, MailError> {
        ask(&self.session, tool, arguments)
            .await
            .map_err(|error| match error {
                AskError::Tool(words) => MailError::Refused(words),
                AskError::Unavailable(words) => MailError::Unavailable(words),
            })
    }
}

/// The answer of `search_emails`.
#[derive(Deserialize)]
struct SearchAnswer {
    messages: Vec<SearchHit>,
}

/// The answer of `draft_email`.
#[derive(Deserialize)]
struct DraftAnswer {
    message_id: String,
}

#[async_trait]
impl Mail for McpMail {
    async fn search(&self, query: &Query) -> Result<Vec<SearchHit>, MailError> {
        let arguments =
            serde_json::to_value(query).map_err(|error| MailError::Refused(error.to_string()))?;
        let answer: SearchAnswer = self.call("search_emails", arguments).await?;
        Ok(answer.messages)
    }

    async fn find_people(&self, account: &str, name: &str) -> Result<Matches, MailError> {
        let arguments = serde_json::json!({ "account": account, "name": name });
        self.call("search_people", arguments).await
    }

    async fn style(
        &self,
        account: &str,
        recipients: &[String],
        until: Option<Timestamp>,
    ) -> Result<Style, MailError> {
        let mut arguments = serde_json::json!({ "account": account, "recipients": recipients });
        if let Some(until) = until {
            arguments["until"] = until.to_string().into();
        }
        self.call("read_style", arguments).await
    }

    async fn save_draft(
        &self,
        mail: &EmailSend,
        drafted_as: Option<&str>,
    ) -> Result<String, MailError> {
        let mut arguments = serde_json::json!({
            "from_account": mail.from_account,
            "to": mail.to,
            "cc": mail.cc,
            "bcc": mail.bcc,
            "subject": mail.subject,
            "body": mail.body,
            "in_reply_to": mail.in_reply_to,
            "references": mail.references,
        });
        if let Some(drafted_as) = drafted_as {
            arguments["draft"] = drafted_as.into();
        }
        let answer: DraftAnswer = self.call("draft_email", arguments).await?;
        Ok(answer.message_id)
    }
}

/// A mailbox that is only read: for a trial.
#[derive(Clone)]
pub(super) struct ReadOnlyMail(pub(super) McpMail);

#[async_trait]
impl Mail for ReadOnlyMail {
    fn is_of_the_past(&self) -> bool {
        true
    }

    async fn search(&self, query: &Query) -> Result<Vec<SearchHit>, MailError> {
        self.0.search(query).await
    }

    async fn find_people(&self, account: &str, name: &str) -> Result<Matches, MailError> {
        self.0.find_people(account, name).await
    }

    async fn style(
        &self,
        account: &str,
        recipients: &[String],
        until: Option<Timestamp>,
    ) -> Result<Style, MailError> {
        self.0.style(account, recipients, until).await
    }

    async fn save_draft(&self, _: &EmailSend, _: Option<&str>) -> Result<String, MailError> {
        let what = "this is a trial, and a trial puts nothing into the mailbox";
        Err(MailError::Refused(what.to_owned()))
    }
}
