//! A post of somebody else that mentions the owner, as intake made a task of it.
//!
//! It is answered only if a rule of the handbook asks for it, which intake has found and left in the task. The owner's
//! own post that comes back through a bridge is never answered: intake leaves it out, and what slipped through, or came
//! before its account was known, is found here again.
//! Invariant: pure.

use platinum_sdk::social::draft::{Account, SeenPost};
use platinum_sdk::tasks::types::Task;
use platinum_sdk::text::{is_copy, unfenced};

/// A mention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'a> {
    /// The account that is mentioned, by its name.
    pub account: &'a str,
    /// Who wrote it, without an `@`.
    pub author: &'a str,
    /// What an answer answers.
    pub post: &'a str,
    /// The rule of the handbook that asks for an answer.
    pub rule: Option<&'a str>,
    /// What it says.
    pub text: &'a str,
}

impl<'a> Mention<'a> {
    /// Of a task, if it is one.
    #[must_use]
    pub fn of(task: &'a Task) -> Option<Self> {
        let fact = |name: &str| {
            let fact = task.facts.iter().find(|fact| fact.name == name)?;
            let value = fact.values.first()?.trim();
            Some(value).filter(|value| !value.is_empty())
        };
        Some(Self {
            account: fact("social-account")?,
            author: fact("social-author")?.trim_start_matches('@'),
            post: fact("social-post")?,
            rule: fact("social-rule"),
            text: unfenced(&task.text),
        })
    }

    /// Why it gets no answer, if it gets none. `own` are posts that the owner published lately, of all accounts.
    #[must_use]
    pub fn refusal(&self, accounts: &[Account], own: &[SeenPost]) -> Option<String> {
        let of_account = |account: &&Account| {
            let handle = account.handle.as_deref().unwrap_or_default();
            is_same_name(self.author, handle, &account.server)
        };
        if let Some(account) = accounts.iter().find(of_account) {
            return Some(format!(
                "it is your own post, by your account {}",
                account.name
            ));
        }
        if let Some(post) = own.iter().find(|post| is_copy(self.text, &post.text)) {
            return Some(format!(
                "it is your own post {}, which came back through a bridge",
                post.address
            ));
        }
        match self.rule {
            Some(_) => None,
            None => Some("no rule of your handbook asks for an answer to it".to_owned()),
        }
    }
}

/// Whether a name is an account's: `ann` at `https://a.test` is `ann@a.test`, too.
fn is_same_name(author: &str, handle: &str, server: &str) -> bool {
    let handle = handle.trim_start_matches('@');
    let host = server.split_once("://").map_or(server, |(_, host)| host);
    let host = host.trim_end_matches('/');
    let whole = match handle.contains('@') {
        true => handle.to_owned(),
        false => format!("{handle}@{host}"),
    };
    !handle.is_empty()
        && (author.eq_ignore_ascii_case(handle) || author.eq_ignore_ascii_case(&whole))
}

#[cfg(test)]
mod tests {
    use super::*;
    use platinum_sdk::testing::TestSocial;

    fn mention<'a>(author: &'a str, text: &'a str) -> Mention<'a> {
        Mention {
            account: "me",
            author,
            post: "at://did:plc:x/app.bsky.feed.post/1",
            rule: Some("answer mentions: all"),
            text,
        }
    }

    #[test]
    fn own_post_is_never_answered_whoever_copied_it() {
        let accounts =
            TestSocial::with_accounts(&[("me", "bluesky", 300), ("work", "mastodon", 500)]);
        let own = [SeenPost {
            id: "1".into(),
            address: "https://mastodon.test/@owner/1".into(),
            author: "owner".into(),
            text: "We open on Monday! https://a.test".into(),
            at: "2026-11-01T08:00:00Z".into(),
            reply_to: None,
            is_own: true,
        }];
        let refusal = |author, text| mention(author, text).refusal(&accounts.accounts, &own);
        for author in [
            "owner.bluesky.test",
            "OWNER.mastodon.test",
            "owner.mastodon.test@mastodon.test",
        ] {
            let why = refusal(author, "anything").unwrap();
            assert!(
                why.starts_with("it is your own post, by your account"),
                "{why}"
            );
        }
        let copied = "We open on Monday!\n\nhttps://a.test";
        assert_eq!(
            refusal("owner.mastodon.test.ap.brid.gy", copied).unwrap(),
            "it is your own post https://mastodon.test/@owner/1, which came back through a bridge"
        );
        assert_eq!(refusal("ann.bluesky.test", "When do you open?"), None);
        let no_rule = Mention {
            rule: None,
            ..mention("ann.bluesky.test", "When do you open?")
        };
        assert_eq!(
            no_rule.refusal(&accounts.accounts, &own).unwrap(),
            "no rule of your handbook asks for an answer to it"
        );
    }
}
