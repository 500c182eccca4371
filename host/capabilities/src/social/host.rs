//! The host side of `social/draft`: a post checked here, then by its network's server.
//!
//! Invariant: what a draft in the server's store is called is decided here, by the run's task and the post: the same
//! post of a task is saved once, another one beside it.

use platinum_core::{PostRequest, sha256_hex, task_operation};
use serde_json::{Value, json};

use super::{
    SocialCtx,
    answers::{AccountList, Checked, Posts, SavedPost},
    record,
};
use crate::{
    bindings::platinum::social::{
        draft::{self, Account, Checked as WitChecked, Saved, SeenPost},
        types::{Error, Post},
    },
    blocking::in_background,
    files::FileError,
    text::checked_line,
};

/// Most posts in one answer.
const MAX_POSTS: u32 = 50;
/// How much of a post's hash is in the name of its draft, in hexadecimal digits.
const DIGITS: usize = 16;

impl From<FileError> for Error {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Invalid(what) => Self::Invalid(what),
            FileError::Unavailable(what) => Self::Unavailable(what),
        }
    }
}

impl SocialCtx {
    /// A post as the server takes it.
    async fn request(&self, post: Post) -> Result<PostRequest, Error> {
        let post = record::post(post).map_err(Error::Invalid)?;
        let vault = self.vault.clone();
        let request = in_background(move || record::request(&vault, &post)).await;
        Ok(request?)
    }

    /// What the draft of a post is called.
    fn operation(&self, post: &Value) -> Result<String, Error> {
        let task = self.task.ok_or_else(|| {
            let what = "a draft is saved for a task, and this run is for none";
            Error::Refused(what.to_owned())
        })?;
        let hash = sha256_hex(post.to_string());
        Ok(format!("{}-{}", task_operation(task), &hash[..DIGITS]))
    }
}

impl draft::Host for SocialCtx {
    async fn accounts(&mut self) -> wasmtime::Result<Result<Vec<Account>, Error>> {
        let answer = self
            .networks
            .call::<AccountList>("list_accounts", json!({}));
        Ok(answer.await.map(AccountList::into_wit))
    }

    async fn recent(
        &mut self,
        account: String,
        limit: u32,
    ) -> wasmtime::Result<Result<Vec<SeenPost>, Error>> {
        let found = async {
            if !(1..=MAX_POSTS).contains(&limit) {
                let what = format!("`limit` is {limit}; 1 to {MAX_POSTS}");
                return Err(Error::Invalid(what));
            }
            let account = checked_line("account", &account, 64).map_err(Error::Invalid)?;
            let question = json!({ "account": account, "limit": limit, "replies": false });
            let answer: Posts = self.networks.call("search_posts", question).await?;
            Ok(answer.into_wit(limit as usize))
        };
        Ok(found.await)
    }

    async fn check(&mut self, post: Post) -> wasmtime::Result<Result<WitChecked, Error>> {
        let checked = async {
            let request = self.request(post).await?;
            let question = json!({ "post": request });
            let answer: Checked = self.networks.call("check_post", question).await?;
            Ok(answer.into_wit())
        };
        Ok(checked.await)
    }

    async fn save(&mut self, post: Post) -> wasmtime::Result<Result<Saved, Error>> {
        let saved = async {
            let post = json!(self.request(post).await?);
            let operation = self.operation(&post)?;
            let asked = json!({ "post": post, "operation": operation });
            let answer = self.networks.call::<SavedPost>("draft_post", asked).await;
            // What the server does not take is the post's fault, and its skill can mend that.
            answer
                .map(SavedPost::into_wit)
                .map_err(|error| match error {
                    Error::Refused(what) => Error::Invalid(what),
                    other => other,
                })
        };
        Ok(saved.await)
    }
}
