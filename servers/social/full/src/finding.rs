//! `find_post`: which parts of a post are there.

use platinum_social_client::Post;
use platinum_social_client::check::part_name;
use platinum_social_draft::ServiceError;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::key::PostKey;
use crate::publishing::ActingService;

/// Which post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FindArguments {
    /// The id of the draft that it was published by: `draft_<ULID>`.
    pub reference: String,
    /// The post, as it was to be published; without the data of its files.
    pub post: Post,
}

/// A part that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FoundPart {
    /// Which one, from 0.
    pub part: u32,
    /// By which the network knows it.
    pub id: String,
    /// Where a person sees it.
    pub address: String,
}

/// What there is of a post.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FindAnswer {
    /// The parts in their order; none where one is not there.
    pub parts: Vec<Option<FoundPart>>,
    /// Whether all are there, as they were to be.
    pub all: bool,
    /// In words.
    pub words: String,
}

impl ActingService {
    /// Which parts of a post are there.
    ///
    /// # Errors
    /// If an argument cannot be used, or the network cannot be asked.
    pub async fn find_post(&self, arguments: &FindArguments) -> Result<FindAnswer, ServiceError> {
        let key =
            PostKey::of_draft(&arguments.reference).map_err(|problem| ServiceError::Argument {
                field: "reference",
                problem: problem.to_owned(),
            })?;
        let post = &arguments.post;
        if let Some(fault) = platinum_social_client::check::refuse_size(post) {
            return Err(ServiceError::Argument {
                field: "post",
                problem: format!("cannot be looked for: {fault}"),
            });
        }
        let found = self.publisher(post)?.find(&key, post).await?;
        let other = found
            .iter()
            .position(|part| part.as_ref().is_some_and(|part| !part.is_same));
        let count = found.iter().flatten().count();
        let words = match (count, other) {
            (_, Some(index)) => {
                let name = part_name(index, found.len());
                format!("{name} is published with another text")
            }
            (0, None) => "nothing of it is published".to_owned(),
            (count, None) if count == found.len() => "it is published".to_owned(),
            (count, None) => format!("{count} of {} posts are published", found.len()),
        };
        let all = count == found.len() && count > 0 && other.is_none();
        let parts = found.into_iter().enumerate().map(|(index, part)| {
            part.map(|part| FoundPart {
                part: u32::try_from(index).unwrap_or(u32::MAX),
                id: part.id,
                address: part.address,
            })
        });
        Ok(FindAnswer {
            parts: parts.collect(),
            all,
            words,
        })
    }
}
