//! What the server answers, read strictly, and as the contract has it: bounded.
//!
//! Invariant: what is missing that a record cannot be without makes the whole answer one that is not of the agreed form.

use platinum_core::text::one_line;
use serde::Deserialize;

use crate::{bindings::platinum::social::draft as wit, text::cut};

/// Longest name, in characters.
const MAX_NAME: usize = 300;
/// Longest address, in characters.
const MAX_ADDRESS: usize = 2000;
/// Longest text of a post, in bytes.
const MAX_TEXT_BYTES: usize = 16 * 1024;
/// Most accounts.
const MAX_ACCOUNTS: usize = 50;
/// Most posts of a thread.
const MAX_PARTS: usize = 50;
/// Most faults of a post.
const MAX_FAULTS: usize = 50;
/// Longest fault, in characters.
const MAX_FAULT: usize = 400;
/// Most media types of an account.
const MAX_TYPES: usize = 50;

/// `list_accounts`.
#[derive(Debug, Deserialize)]
pub(super) struct AccountList {
    pub(super) accounts: Vec<Account>,
}

/// An account.
#[derive(Debug, Deserialize)]
pub(super) struct Account {
    pub(super) name: String,
    pub(super) network: String,
    pub(super) server: String,
    #[serde(default)]
    pub(super) handle: Option<String>,
    #[serde(default)]
    limits: Option<Limits>,
    #[serde(default)]
    pub(super) problem: Option<String>,
    /// Whether that is that its credential can do more than read.
    #[serde(default)]
    pub(super) can_act: bool,
}

#[derive(Debug, Deserialize)]
struct Limits {
    max_characters: u32,
    counted_as: String,
    #[serde(default)]
    max_bytes: Option<u32>,
    #[serde(default)]
    characters_per_url: Option<u32>,
    max_media: u32,
    max_media_bytes: u64,
    #[serde(default)]
    max_alt: Option<u32>,
    #[serde(default)]
    media_types: Vec<String>,
    #[serde(default)]
    has_content_warnings: bool,
    #[serde(default)]
    has_link_cards: bool,
}

/// `search_posts`.
#[derive(Debug, Deserialize)]
pub(super) struct Posts {
    posts: Vec<Post>,
}

#[derive(Debug, Deserialize)]
struct Post {
    id: String,
    address: String,
    author: String,
    text: String,
    at: String,
    #[serde(default)]
    reply_to: Option<String>,
    #[serde(default)]
    is_own: bool,
}

/// `check_post`.
#[derive(Debug, Deserialize)]
pub(super) struct Checked {
    parts: Vec<Part>,
    faults: Vec<String>,
    /// How it will look, in Markdown.
    #[serde(default)]
    pub(super) shown: String,
    #[serde(default)]
    answers: Option<Answered>,
}

#[derive(Debug, Deserialize)]
struct Part {
    text: String,
    count: u32,
    max: u32,
    #[serde(default)]
    bytes: Option<u32>,
}

#[derive(Debug, Deserialize)]
struct Answered {
    author: String,
    text: String,
    address: String,
}

/// `draft_post`.
#[derive(Debug, Deserialize)]
pub(super) struct SavedPost {
    draft: String,
    #[serde(default)]
    existing: bool,
}

fn line(text: &str) -> String {
    one_line(text, MAX_NAME)
}

fn address(text: &str) -> String {
    one_line(text, MAX_ADDRESS)
}

/// A text of several lines that somebody wrote.
fn words(text: &str) -> String {
    cut(text, MAX_TEXT_BYTES)
}

impl AccountList {
    pub(super) fn into_wit(self) -> Vec<wit::Account> {
        let accounts = self.accounts.into_iter().take(MAX_ACCOUNTS);
        accounts.map(Account::into_wit).collect()
    }
}

impl Account {
    fn into_wit(self) -> wit::Account {
        wit::Account {
            name: line(&self.name),
            network: line(&self.network),
            server: address(&self.server),
            handle: self.known_handle().map(line),
            limits: self.limits.map(Limits::into_wit),
            problem: self.problem.map(|problem| one_line(&problem, MAX_FAULT)),
        }
    }

    fn known_handle(&self) -> Option<&str> {
        self.handle.as_deref().filter(|handle| !handle.is_empty())
    }

    /// How its owner knows it: `me (@ada.example at https://bsky.social)`.
    pub(super) fn title(&self) -> String {
        let handle = self.known_handle().map(|handle| format!("@{handle} at "));
        let handle = handle.unwrap_or_default();
        one_line(
            &format!("{} ({handle}{})", self.name, self.server),
            MAX_NAME,
        )
    }
}

impl Limits {
    fn into_wit(self) -> wit::Limits {
        let types = self.media_types.iter().take(MAX_TYPES);
        wit::Limits {
            max_characters: self.max_characters,
            counted_as: line(&self.counted_as),
            max_bytes: self.max_bytes,
            characters_per_url: self.characters_per_url,
            max_media: self.max_media,
            max_media_bytes: self.max_media_bytes,
            max_alt: self.max_alt,
            media_types: types.map(|one| line(one)).collect(),
            has_content_warnings: self.has_content_warnings,
            has_link_cards: self.has_link_cards,
        }
    }
}

impl Posts {
    /// At most so many.
    pub(super) fn into_wit(self, limit: usize) -> Vec<wit::SeenPost> {
        let posts = self.posts.into_iter().take(limit);
        posts
            .map(|post| wit::SeenPost {
                id: address(&post.id),
                address: address(&post.address),
                author: line(&post.author),
                text: words(&post.text),
                at: line(&post.at),
                reply_to: post.reply_to.as_deref().map(address),
                is_own: post.is_own,
            })
            .collect()
    }
}

impl Checked {
    /// What is wrong with it, each one line.
    pub(super) fn faults(&self) -> Vec<String> {
        let faults = self.faults.iter().take(MAX_FAULTS);
        faults.map(|fault| one_line(fault, MAX_FAULT)).collect()
    }

    pub(super) fn into_wit(self) -> wit::Checked {
        let faults = self.faults();
        let parts = self.parts.into_iter().take(MAX_PARTS);
        wit::Checked {
            faults,
            parts: parts
                .map(|part| wit::CountedPart {
                    text: words(&part.text),
                    count: part.count,
                    max: part.max,
                    bytes: part.bytes,
                })
                .collect(),
            answers: self.answers.map(|answered| wit::AnsweredPost {
                author: line(&answered.author),
                text: words(&answered.text),
                address: address(&answered.address),
            }),
        }
    }
}

impl SavedPost {
    pub(super) fn into_wit(self) -> wit::Saved {
        wit::Saved {
            name: line(&self.draft),
            is_new: !self.existing,
        }
    }
}
