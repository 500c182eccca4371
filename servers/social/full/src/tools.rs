//! The tools of the server that publishes: those of the draft-only one, those that act, and what finds out what they did.

use std::sync::Arc;

use platinum_kit::server::{Access, ToolError, ToolSpec, Tools};

use crate::finding::FindArguments;
use crate::publishing::{ActingService, CreateArguments, PublishArguments};

const PUBLISH: ToolSpec = ToolSpec {
    name: "publish_post",
    title: "Publish a post",
    description: "Publish a post, or a thread, that was approved. The same reference publishes each text once, and goes on \
                  behind those that are there. outcome `done`: it is published. `not_done`: it certainly is not, or not \
                  whole, and the answer says why. `unknown`: it may be; find_post finds out. After an error nothing was \
                  tried, and what an earlier call did is not known.",
    access: Access::Acts,
};

const CREATE: ToolSpec = ToolSpec {
    name: "create_post",
    title: "Publish a post without a draft",
    description: "As publish_post, for a post that has no draft: the operation is a name that the client chooses, and `at` \
                  the time of it; both stay the same over all calls for one post.",
    access: Access::Acts,
};

const FIND: ToolSpec = ToolSpec {
    name: "find_post",
    title: "Find a published post",
    description: "Which texts of a post that publish_post was asked for are there. Changes nothing.",
    access: Access::Reads,
};

/// All tools.
///
/// # Errors
/// If there is no schema of what a tool takes.
pub fn tools() -> Result<Tools<ActingService>, ToolError> {
    platinum_social_draft::tools()?
        .with(
            PUBLISH,
            |social: Arc<ActingService>, arguments: PublishArguments| async move {
                social.publish_post(&arguments).await
            },
        )?
        .with(
            CREATE,
            |social: Arc<ActingService>, arguments: CreateArguments| async move {
                social.create_post(&arguments).await
            },
        )?
        .with(
            FIND,
            |social: Arc<ActingService>, arguments: FindArguments| async move {
                social.find_post(&arguments).await
            },
        )
}
