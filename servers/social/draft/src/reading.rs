//! `list_accounts`, `search_posts` and `get_post`: what there is, without changing anything.

use platinum_social_client::{Limits, SeenPost, SocialError};
use platinum_text::one_line;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::proof::require_reader;
use crate::service::{OpenAccount, ServiceError, SocialService};

/// The most posts of an answer.
const MAX_POSTS: u32 = 100;
/// So many own posts are searched.
const MAX_SEARCHED: usize = 400;

/// Nothing is asked for.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListArguments {}

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountAnswer {
    /// Its name in the configuration.
    pub name: String,
    /// `bluesky` or `mastodon`.
    pub network: String,
    /// Its server.
    pub server: String,
    /// Its name on the network; empty if that cannot be asked.
    pub handle: String,
    /// What the network takes; none if it cannot be asked.
    pub limits: Option<Limits>,
    /// Why it cannot be used now.
    pub problem: Option<String>,
    /// Whether that is because its token can do more than read, and this server takes none that can.
    pub can_act: bool,
}

/// The accounts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AccountsAnswer {
    /// By their names.
    pub accounts: Vec<AccountAnswer>,
}

/// Which posts to search for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchArguments {
    /// The account, by its name in the configuration.
    pub account: String,
    /// Words that are all in the text; without them, the newest posts.
    #[serde(default)]
    pub query: Option<String>,
    /// At most so many, up to 100.
    #[serde(default = "usual_limit")]
    pub limit: u32,
    /// Whether answers to others are among them.
    #[serde(default)]
    pub replies: bool,
}

fn usual_limit() -> u32 {
    20
}

/// Posts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PostsAnswer {
    /// The newest first.
    pub posts: Vec<SeenPost>,
}

/// Which post.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GetArguments {
    /// The account that looks, by its name in the configuration.
    pub account: String,
    /// The post's id or address.
    pub id: String,
}

impl SocialService {
    /// All accounts. One that cannot be asked is among them, with the reason.
    ///
    /// # Errors
    /// None: an account's error is in its answer.
    pub async fn list_accounts(&self, _: &ListArguments) -> Result<AccountsAnswer, ServiceError> {
        let mut accounts = Vec::new();
        for (name, account) in self.accounts() {
            let config = &account.config;
            let described = self.describe(account).await;
            let problem = described.as_ref().err().map(|error| match error {
                ServiceError::CanAct(what) => one_line(what, 500),
                error => one_line(&error.to_string(), 500),
            });
            let can_act = matches!(described, Err(ServiceError::CanAct(_)));
            let (handle, limits) = match described {
                Ok((handle, limits)) => (handle, Some(limits)),
                Err(_) => (config.handle.clone().unwrap_or_default(), None),
            };
            accounts.push(AccountAnswer {
                name: name.to_owned(),
                network: config.network.id().to_owned(),
                server: config.server.to_string(),
                handle,
                limits,
                problem,
                can_act,
            });
        }
        Ok(AccountsAnswer { accounts })
    }

    async fn describe(&self, account: &OpenAccount) -> Result<(String, Limits), ServiceError> {
        let limits = account.limits().await?;
        require_reader(self, account).await?;
        Ok((account.network.handle().await?, limits))
    }

    /// The account's own posts.
    ///
    /// # Errors
    /// If there is no such account, or its network cannot be asked.
    pub async fn search_posts(
        &self,
        arguments: &SearchArguments,
    ) -> Result<PostsAnswer, ServiceError> {
        let account = self.account(&arguments.account)?;
        let limit = arguments.limit.min(MAX_POSTS) as usize;
        let words: Vec<String> = arguments
            .query
            .iter()
            .flat_map(|query| query.split_whitespace())
            .map(str::to_lowercase)
            .collect();
        let asked = match words.is_empty() {
            true => limit,
            false => MAX_SEARCHED,
        };
        let mut posts = account.network.own_posts(asked, arguments.replies).await?;
        posts.retain(|post| {
            let text = post.text.to_lowercase();
            words.iter().all(|word| text.contains(word.as_str()))
        });
        posts.truncate(limit);
        Ok(PostsAnswer { posts })
    }

    /// One post.
    ///
    /// # Errors
    /// If there is no such account or post, or its network cannot be asked.
    pub async fn get_post(&self, arguments: &GetArguments) -> Result<SeenPost, ServiceError> {
        let account = self.account(&arguments.account)?;
        let post = account.network.get_post(&arguments.id).await;
        match post {
            Ok(Some(post)) => Ok(post),
            Ok(None) => Err(ServiceError::NoPost(one_line(&arguments.id, 200))),
            Err(SocialError::Setup(problem)) => Err(ServiceError::Argument {
                field: "id",
                problem: format!("cannot be used: {problem}"),
            }),
            Err(error) => Err(error.into()),
        }
    }
}
