//! `check_post`: what is wrong with a post, and how it looks to its owner.

use std::collections::BTreeMap;

use platinum_social_client::card::{Card, ShownEntity, render_card};
use platinum_social_client::check::{find_faults, lengths, refuse_size};
use platinum_social_client::text::EntityKind;
use platinum_social_client::{Mention, Network, Post, SeenPost, SocialError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::service::{OpenAccount, ServiceError};

/// The most accounts that a post mentions.
const MAX_MENTIONS: usize = 30;

/// Which post to check.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckArguments {
    /// The post.
    pub post: Post,
}

/// A text, and how long it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckedPart {
    /// The text.
    pub text: String,
    /// Its length, as the network counts it.
    pub count: u32,
    /// The most that it may be.
    pub max: u32,
    /// Its length in bytes, where they are limited, too.
    pub bytes: Option<u32>,
}

/// The post that is answered. Texts in it are from outside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Answered {
    /// Who wrote it.
    pub author: String,
    /// Its text.
    pub text: String,
    /// Where a person sees it.
    pub address: String,
}

/// What became of the check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Checked {
    /// The texts.
    pub parts: Vec<CheckedPart>,
    /// What is wrong, in words; nothing if it can be published.
    pub faults: Vec<String>,
    /// How it looks to its owner, as Markdown.
    pub shown: String,
    /// What it answers.
    pub answers: Option<Answered>,
}

impl Checked {
    /// A post that was not looked at for this fault.
    pub(crate) fn refused(fault: String) -> Self {
        Self {
            parts: vec![],
            shown: String::new(),
            faults: vec![fault],
            answers: None,
        }
    }
}

/// Checks a post of an account against its network.
///
/// # Errors
/// If the network cannot be asked.
pub(crate) async fn check(account: &OpenAccount, post: &Post) -> Result<Checked, ServiceError> {
    if let Some(fault) = refuse_size(post) {
        return Ok(Checked::refused(fault));
    }
    let limits = account.limits().await?;
    let handle = account.network.handle().await?;
    let mut faults = find_faults(post, account.config.network, &limits);
    let answers = find_answered(account, post, &mut faults).await?;
    let entities = find_entities(account, post, &mut faults).await?;
    let lengths = lengths(post, &limits);
    let shown = render_card(&Card {
        post,
        network: account.config.network,
        handle: &handle,
        visibility: account.config.visibility,
        limits: &limits,
        lengths: &lengths,
        entities: &entities,
        answers: answers.as_ref(),
        faults: &faults,
    });
    let small = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let parts = post
        .parts
        .iter()
        .zip(&lengths)
        .map(|(text, length)| CheckedPart {
            text: text.clone(),
            count: small(length.count),
            max: limits.max_characters,
            bytes: limits.max_bytes.map(|_| small(length.bytes)),
        });
    Ok(Checked {
        parts: parts.collect(),
        faults,
        shown,
        answers: answers.map(|post| Answered {
            author: post.author,
            text: post.text,
            address: post.address,
        }),
    })
}

async fn find_answered(
    account: &OpenAccount,
    post: &Post,
    faults: &mut Vec<String>,
) -> Result<Option<SeenPost>, ServiceError> {
    let Some(reference) = &post.reply_to else {
        return Ok(None);
    };
    match account.network.get_post(reference).await {
        Ok(Some(post)) => Ok(Some(post)),
        Ok(None) => {
            faults.push("the post that is answered is not there".to_owned());
            Ok(None)
        }
        Err(SocialError::Setup(problem)) => {
            faults.push(problem);
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

/// What becomes a link in each text; each account is asked for once.
async fn find_entities(
    account: &OpenAccount,
    post: &Post,
    faults: &mut Vec<String>,
) -> Result<Vec<Vec<ShownEntity>>, ServiceError> {
    let mut known: BTreeMap<String, Mention> = BTreeMap::new();
    let mut all = Vec::new();
    for text in &post.parts {
        let mut shown = Vec::new();
        for entity in account.network.entities(text) {
            let words = entity.text(text).to_owned();
            let mention = match entity.kind {
                EntityKind::Mention => {
                    Some(find_mention(&*account.network, &words, &mut known, faults).await?)
                }
                _ => None,
            };
            shown.push(ShownEntity {
                kind: entity.kind,
                text: words,
                account: mention,
            });
        }
        all.push(shown);
    }
    Ok(all)
}

async fn find_mention(
    network: &dyn Network,
    words: &str,
    known: &mut BTreeMap<String, Mention>,
    faults: &mut Vec<String>,
) -> Result<Mention, ServiceError> {
    if let Some(mention) = known.get(words) {
        return Ok(mention.clone());
    }
    if known.len() == MAX_MENTIONS {
        let fault = format!("the post mentions more than {MAX_MENTIONS} accounts");
        if !faults.contains(&fault) {
            faults.push(fault);
        }
        return Ok(Mention::NotAsked);
    }
    let mention = network.find_account(words).await?;
    if mention == Mention::Nobody {
        faults.push(format!("`{words}` leads to nobody"));
    }
    known.insert(words.to_owned(), mention.clone());
    Ok(mention)
}
