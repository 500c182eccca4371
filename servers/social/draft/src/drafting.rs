//! `draft_post`: one draft an operation, in the store of this machine.

use platinum_social_client::Post;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::checking::{Answered, Checked, CheckedPart};
use crate::proof::require_reader;
use crate::service::{ServiceError, SocialService};

/// What to draft.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DraftArguments {
    /// The post.
    pub post: Post,
    /// The name of the work that it is for: a second call with it finds the first draft.
    pub operation: String,
}

/// The draft of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DraftAnswer {
    /// The texts.
    pub parts: Vec<CheckedPart>,
    /// Nothing: a post with faults is not drafted.
    pub faults: Vec<String>,
    /// How it looks to its owner, as Markdown.
    pub shown: String,
    /// What it answers.
    pub answers: Option<Answered>,
    /// The draft's name.
    pub draft: String,
    /// Whether the operation had its draft before.
    pub existing: bool,
    /// Whether the draft that was there is not of this post. It stays as it was.
    pub differs: bool,
}

impl SocialService {
    /// Saves a draft, or finds the one of the same operation.
    ///
    /// # Errors
    /// If the post has faults, its network cannot be asked, or the draft cannot be saved; and, where that is asked for,
    /// if the account's token is not proven to be one that can only read.
    pub async fn draft_post(
        &self,
        arguments: &DraftArguments,
    ) -> Result<DraftAnswer, ServiceError> {
        let operation = arguments.operation.trim();
        if operation.is_empty() || operation.len() > 200 {
            return Err(ServiceError::Argument {
                field: "operation",
                problem: "must be a text of 1 to 200 bytes".to_owned(),
            });
        }
        let mut post = arguments.post.clone();
        require_reader(self, self.account(&post.account)?).await?;
        let Checked {
            parts,
            faults,
            shown,
            answers,
        } = self.check(&post).await?;
        if !faults.is_empty() {
            return Err(ServiceError::Faults(faults.join("; ")));
        }
        // A draft is words; the files are where they were.
        for media in &mut post.media {
            media.data = None;
        }
        let saved = self.store.save(operation, &post)?;
        if saved.differs {
            tracing::warn!(
                draft = saved.name,
                "the operation has a draft of another post"
            );
        }
        Ok(DraftAnswer {
            parts,
            faults,
            shown,
            answers,
            draft: saved.name,
            existing: saved.existing,
            differs: saved.differs,
        })
    }
}
