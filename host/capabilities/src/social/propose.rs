//! The host side of `social/propose`: the post is checked by its network's server, and what its owner sees of how it
//! will look is that server's.
//!
//! Invariants: a post with a fault is not proposed; a skill writes not a word of the card; a task has one draft for
//! each account.

use serde_json::json;

use super::{SocialProposeCtx, answers::Checked, record};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        social::{
            propose,
            types::{Error, Post},
        },
    },
    blocking::in_background,
};

impl From<Error> for ProposeError {
    fn from(error: Error) -> Self {
        match error {
            Error::Invalid(what) | Error::Refused(what) => Self::Invalid(what),
            Error::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl propose::Host for SocialProposeCtx {
    async fn propose(
        &mut self,
        proposal: Proposal,
        post: Post,
    ) -> wasmtime::Result<Result<String, ProposeError>> {
        let proposed = async {
            let record = record::post(post).map_err(ProposeError::Invalid)?;
            self.proposals
                .check_ready(&proposal.task, Some(&record.account))
                .await?;
            let (vault, post) = (self.proposals.vault.clone(), record.clone());
            let request = in_background(move || record::request(&vault, &post)).await;
            let question = json!({ "post": request.map_err(Error::from)? });
            let checked: Checked = self.networks.call("check_post", question).await?;
            let faults = checked.faults();
            if !faults.is_empty() {
                return Err(ProposeError::Invalid(faults.join("; ")));
            }
            if checked.shown.trim().is_empty() {
                let what = "the server for social networks does not show how the post will look; run the one of this \
                            version of Platinum";
                return Err(ProposeError::Unavailable(what.to_owned()));
            }
            let card = Some(checked.shown);
            self.proposals
                .propose_shown(proposal, Ok(record), Vec::new(), card)
                .await
        };
        Ok(proposed.await)
    }
}
