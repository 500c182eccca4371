//! The accounts of a [`TestHost`]: [`TestSocial`] answers what it is told, counts characters, and keeps what was drafted
//! and proposed.
//!
//! Invariant: nothing that is asked for changes what is answered later, but that a post is saved once.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::TestHost;
use crate::actions::types::{EffectError, Proposal, ProposeError, Receipt};
use crate::host::{DraftSocial, ProposeSocial, PublishSocial};
use crate::social::draft::{Account, AnsweredPost, Checked, CountedPart, Limits, Saved, SeenPost};
use crate::social::types::{Error, Post};
use crate::testing::TestApproval;

/// The most characters of a post, of an account without limits.
const MAX_CHARACTERS: u32 = 300;

/// Accounts in memory.
#[derive(Debug, Default)]
pub struct TestSocial {
    /// The accounts.
    pub accounts: Vec<Account>,
    /// The posts of each account, newest first.
    pub posts: BTreeMap<String, Vec<SeenPost>>,
    /// What can be answered, by what `reply-to` names.
    pub answerable: BTreeMap<String, AnsweredPost>,
    /// Texts that are a fault wherever a post has them: a mention of nobody.
    pub faulty: Vec<String>,
    /// Characters that are counted with the one before them.
    pub joined: Vec<char>,
    /// What every call answers that reads or checks, if not success.
    pub read_error: Option<Error>,
    /// What was checked.
    pub checked: RefCell<Vec<Post>>,
    /// What was saved.
    pub saved: RefCell<Vec<Post>>,
    /// Proposed posts.
    pub proposed: RefCell<Vec<(Proposal, Post)>>,
    /// What the next proposals answer; when empty, they are taken.
    pub propose_answers: RefCell<VecDeque<Result<String, ProposeError>>>,
    /// What was handed to `publish`.
    pub published: RefCell<Vec<TestApproval>>,
}

impl TestSocial {
    /// Accounts of these names and networks, which take posts of so many characters.
    #[must_use]
    pub fn with_accounts(accounts: &[(&str, &str, u32)]) -> Self {
        let accounts = accounts.iter().map(|(name, network, max)| Account {
            name: (*name).into(),
            network: (*network).into(),
            server: format!("https://{network}.test"),
            handle: Some(format!("owner.{network}.test")),
            limits: Some(Limits {
                max_characters: *max,
                counted_as: "characters".into(),
                max_bytes: None,
                characters_per_url: None,
                max_media: 4,
                max_media_bytes: 1_000_000,
                max_alt: Some(1000),
                media_types: vec!["image/png".into(), "image/jpeg".into()],
                has_content_warnings: *network == "mastodon",
                has_link_cards: *network == "bluesky",
            }),
            problem: None,
        });
        Self {
            accounts: accounts.collect(),
            ..Self::default()
        }
    }

    fn check_read(&self) -> Result<(), Error> {
        self.read_error.clone().map_or(Ok(()), Err)
    }

    /// What the network says to a post.
    #[must_use]
    pub fn judge(&self, post: &Post) -> Checked {
        let account = self.accounts.iter().find(|it| it.name == post.account);
        let limits = account.and_then(|account| account.limits.as_ref());
        let max = limits.map_or(MAX_CHARACTERS, |limits| limits.max_characters);
        let mut faults = Vec::new();
        if account.is_none() {
            faults.push(format!("there is no account `{}`", post.account));
        }
        let texts: Vec<&String> = std::iter::once(&post.text).chain(&post.thread).collect();
        let parts = texts.iter().map(|text| CountedPart {
            text: (*text).clone(),
            count: u32::try_from(text.chars().filter(|c| !self.joined.contains(c)).count())
                .unwrap_or(u32::MAX),
            max,
            bytes: None,
        });
        let parts: Vec<CountedPart> = parts.collect();
        for (number, part) in (1..).zip(&parts) {
            if part.count > max {
                faults.push(format!(
                    "part {number} has {} of {max} characters",
                    part.count
                ));
            }
        }
        for text in &self.faulty {
            if texts.iter().any(|part| part.contains(text)) {
                faults.push(format!("`{text}` is not found"));
            }
        }
        let answers = post
            .reply_to
            .as_ref()
            .map(|of| (of, self.answerable.get(of)));
        if let Some((of, None)) = answers {
            faults.push(format!("the post {of} is not found"));
        }
        Checked {
            parts,
            faults,
            answers: answers.and_then(|(_, answered)| answered.cloned()),
        }
    }
}

impl DraftSocial for TestHost {
    fn accounts(&self) -> Result<Vec<Account>, Error> {
        self.social.check_read()?;
        Ok(self.social.accounts.clone())
    }

    fn recent(&self, account: &str, limit: u32) -> Result<Vec<SeenPost>, Error> {
        self.social.check_read()?;
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let posts = self.social.posts.get(account).into_iter().flatten();
        Ok(posts.take(limit).cloned().collect())
    }

    fn check(&self, post: &Post) -> Result<Checked, Error> {
        self.social.check_read()?;
        self.social.checked.borrow_mut().push(post.clone());
        Ok(self.social.judge(post))
    }

    fn save(&self, post: &Post) -> Result<Saved, Error> {
        self.social.check_read()?;
        let faults = self.social.judge(post).faults;
        if !faults.is_empty() {
            return Err(Error::Invalid(faults.join("; ")));
        }
        let mut saved = self.social.saved.borrow_mut();
        let before = saved.iter().position(|one| one == post);
        if before.is_none() {
            saved.push(post.clone());
        }
        Ok(Saved {
            name: format!("saved-{}", before.unwrap_or(saved.len() - 1)),
            is_new: before.is_none(),
        })
    }
}

impl ProposeSocial for TestHost {
    fn propose(&self, proposal: &Proposal, post: &Post) -> Result<String, ProposeError> {
        if let Some(answer) = self.social.propose_answers.borrow_mut().pop_front() {
            return answer;
        }
        let faults = self.social.judge(post).faults;
        if !faults.is_empty() {
            return Err(ProposeError::Invalid(faults.join("; ")));
        }
        let mut proposed = self.social.proposed.borrow_mut();
        proposed.push((proposal.clone(), post.clone()));
        Ok(format!("draft_{:026}", proposed.len()))
    }
}

impl PublishSocial for TestHost {
    fn publish(&self, approved: TestApproval) -> Result<Receipt, EffectError> {
        let reference = format!("post/{}", approved.draft);
        self.social.published.borrow_mut().push(approved);
        self.answers.borrow_mut().pop_front().unwrap_or_else(|| {
            Ok(Receipt {
                at: self.now.clone(),
                reference,
                answer: "published".into(),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn post(text: &str) -> Post {
        Post {
            account: "me".into(),
            text: text.into(),
            language: None,
            reply_to: None,
            content_warning: None,
            link: None,
            media: Vec::new(),
            thread: Vec::new(),
        }
    }

    #[test]
    fn judge_names_every_fault() {
        let social = TestSocial {
            faulty: vec!["@nobody".into()],
            ..TestSocial::with_accounts(&[("me", "bluesky", 10)])
        };
        assert_eq!(social.judge(&post("Hello")).faults, [""; 0]);
        let long = Post {
            reply_to: Some("at://x".into()),
            thread: vec!["Thank you, @nobody".into()],
            ..post("Hello")
        };
        assert_eq!(
            social.judge(&long).faults,
            [
                "part 2 has 18 of 10 characters",
                "`@nobody` is not found",
                "the post at://x is not found"
            ]
        );
    }
}
