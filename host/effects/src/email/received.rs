//! [`MailFiles`]: the files of a mail that came. [`McpMailFiles`] asks the full mail server for them.
//!
//! Lives elsewhere: what is saved of them, and where, is `platinum-local`'s.

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::text::one_line;
use platinum_mcp::{CallError, Session};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};

/// The files of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ReceivedFiles {
    /// Those that are listed.
    pub files: Vec<ReceivedFile>,
    /// How many more there are.
    pub more: usize,
    /// Whether the mail is too large to be read whole.
    pub is_cut: bool,
}

/// A file of a mail.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct ReceivedFile {
    /// The name that the mail gives it: any text.
    pub name: Option<String>,
    /// Its media type, as the mail says it.
    pub media_type: String,
    /// Its size in bytes.
    pub size: u64,
    /// Why it cannot be read, if it cannot.
    pub left_out: Option<String>,
}

/// Where the files of mails are.
#[async_trait]
pub trait MailFiles: Send + Sync {
    /// What is attached to the mail with this Message-ID from this address.
    ///
    /// # Errors
    /// Why that is not known now.
    async fn list(&self, message_id: &str, from: Option<&str>) -> Result<ReceivedFiles, String>;

    /// The content of a file of the mail that was listed last, by its place in the list.
    ///
    /// # Errors
    /// Why it cannot be read now, or if it is longer than `size` bytes.
    async fn read(&self, message_id: &str, file: usize, size: u64) -> Result<Vec<u8>, String>;
}

/// Asks by the tools `list_attachments` and `read_attachment` of a mail server.
pub struct McpMailFiles {
    session: Session,
}

/// The answer of `read_attachment`.
#[derive(Deserialize)]
struct Piece {
    base64: String,
    is_end: bool,
}

impl McpMailFiles {
    /// Asks over this session.
    pub fn new(session: Session) -> Self {
        Self { session }
    }

    async fn ask<T: DeserializeOwned>(&self, tool: &str, arguments: Value) -> Result<T, String> {
        let answer = self.session.call(tool, arguments).await;
        let answer = answer.map_err(|error| match error {
            // What the server says is for its owner as it stands.
            CallError::Tool(text) => text,
            error => one_line(&error.to_string(), 300),
        })?;
        serde_json::from_value(answer)
            .map_err(|error| format!("the answer of {tool} is not of the agreed form: {error}"))
    }
}

#[async_trait]
impl MailFiles for McpMailFiles {
    async fn list(&self, message_id: &str, from: Option<&str>) -> Result<ReceivedFiles, String> {
        let mut asked = json!({ "message_id": message_id });
        if let Some(from) = from {
            asked["from"] = json!(from);
        }
        self.ask("list_attachments", asked).await
    }

    async fn read(&self, message_id: &str, file: usize, size: u64) -> Result<Vec<u8>, String> {
        let mut content = Vec::new();
        loop {
            let asked = json!({ "message_id": message_id, "file": file, "offset": content.len() });
            let piece: Piece = self.ask("read_attachment", asked).await?;
            let bytes = STANDARD
                .decode(piece.base64)
                .map_err(|error| format!("a piece of a file cannot be read: {error}"))?;
            let is_end = piece.is_end || bytes.is_empty();
            content.extend(bytes);
            if content.len() as u64 > size {
                return Err(format!("it is longer than the {size} bytes that were said"));
            }
            if is_end {
                return Ok(content);
            }
        }
    }
}
