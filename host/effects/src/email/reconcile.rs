//! [`reconcile`]: asks the mailbox what became of attempts whose outcome is not known.
//!
//! Invariant: a mail that is found by its Message-ID was sent. One that is not found may have been
//! sent all the same, so it stays in doubt: only the owner can say.

use std::sync::Arc;

use async_trait::async_trait;
use platinum_core::{ActionKind, DraftId, TaskId, Timestamp};
use platinum_journal::{Journal, Outcome, Receipt};
use platinum_mcp::Session;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::writing::blocking;

/// Searches the Sent folder.
#[async_trait]
pub trait SentSearch: Send + Sync {
    /// Whether a mail of this Message-ID is there.
    ///
    /// # Errors
    /// If the mailbox cannot be asked.
    async fn was_sent(&self, message_id: &str) -> Result<bool, String>;
}

/// Searches by the tool `search_emails` of a mail server.
pub struct McpSentSearch {
    session: Session,
}

impl McpSentSearch {
    /// Searches over this session.
    pub fn new(session: Session) -> Self {
        Self { session }
    }
}

#[derive(Deserialize)]
struct Found {
    messages: Vec<FoundMessage>,
}

#[derive(Deserialize)]
struct FoundMessage {
    #[serde(default)]
    message_id: String,
}

#[async_trait]
impl SentSearch for McpSentSearch {
    async fn was_sent(&self, message_id: &str) -> Result<bool, String> {
        let query = json!({ "message_id": message_id, "folder": "Sent", "limit": 5 });
        let answer = self
            .session
            .call("search_emails", query)
            .await
            .map_err(|error| error.to_string())?;
        holds(answer, message_id)
    }
}

/// Whether the answer has the very mail, not only one that a search took for like it.
fn holds(answer: Value, message_id: &str) -> Result<bool, String> {
    let found: Found = serde_json::from_value(answer)
        .map_err(|error| format!("the answer is not of the agreed form: {error}"))?;
    let same = |id: &str| id.trim_matches(['<', '>', ' ']) == message_id;
    Ok(found
        .messages
        .iter()
        .any(|message| same(&message.message_id)))
}

/// An attempt whose outcome is still not known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InDoubt {
    /// The draft.
    pub draft: DraftId,
    /// Its task.
    pub task: TaskId,
    /// The Message-ID to look for.
    pub reference: String,
    /// When it was tried.
    pub at: Timestamp,
    /// One line for the owner.
    pub why: String,
}

/// What came of asking.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Was sent after all; the receipt is in the journal now.
    pub confirmed: Vec<(DraftId, TaskId, Receipt)>,
    /// Still not known: the owner has to look.
    pub in_doubt: Vec<InDoubt>,
}

/// Asks after every mail in doubt. Run it at the start, before anything is sent.
///
/// # Errors
/// If the journal cannot be read or written.
pub async fn reconcile(
    journal: &Arc<Journal>,
    search: &dyn SentSearch,
    now: Timestamp,
) -> Result<Reconciled, String> {
    let open = Arc::clone(journal);
    let intents =
        blocking(move || open.open_intents().map_err(|error| error.to_string())).await??;
    let mut result = Reconciled::default();
    for intent in intents
        .into_iter()
        .filter(|intent| intent.kind == ActionKind::EMAIL_SEND)
    {
        let why = match search.was_sent(&intent.reference).await {
            Ok(true) => {
                let receipt = Receipt {
                    at: now,
                    reference: intent.reference,
                    answer: "found in Sent by its Message-ID".to_owned(),
                };
                let (write, draft) = (Arc::clone(journal), intent.draft);
                let outcome = Outcome::Receipt(receipt.clone());
                blocking(move || {
                    write
                        .record(draft, &outcome)
                        .map_err(|error| error.to_string())
                })
                .await??;
                result.confirmed.push((draft, intent.task, receipt));
                continue;
            }
            Ok(false) => {
                "It is not in Sent: ask the recipient. Moving its file to Rejected/ closes it."
            }
            Err(reason) => {
                tracing::warn!(draft = %intent.draft, reason, "the mailbox could not be asked");
                "The mailbox could not be asked yet."
            }
        };
        result.in_doubt.push(InDoubt {
            draft: intent.draft,
            task: intent.task,
            reference: intent.reference,
            at: intent.at,
            why: why.to_owned(),
        });
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_very_message_id_counts_as_found() {
        let answer = |id: &str| json!({"messages": [{"message_id": id, "subject": "x"}]});
        assert_eq!(holds(answer("a@b"), "a@b"), Ok(true));
        assert_eq!(holds(answer("<a@b>"), "a@b"), Ok(true));
        assert_eq!(holds(answer("aa@b"), "a@b"), Ok(false));
        assert_eq!(holds(json!({"messages": []}), "a@b"), Ok(false));
        assert!(holds(json!([]), "a@b").is_err());
    }
}
