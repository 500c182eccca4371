//! [`OwnPosts`]: which posts are the owner's, whoever brings them.
//!
//! A post that a bridge copied to another network comes back as one of somebody else, and mentions whom it mentioned
//! there. It is known by the name that the bridge gives its writer, or by being the same text.
//! Invariant: pure.

use platinum_core::text::is_copy;

/// The servers of Bridgy Fed: on the Fediverse it writes for accounts of Bluesky, and below a domain of Bluesky's for
/// accounts of the Fediverse.
const TO_FEDIVERSE: &str = "bsky.brid.gy";
const TO_BLUESKY: &str = ".ap.brid.gy";

/// What is known of the owner's own posts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OwnPosts {
    /// The owner's accounts: `name@server`, or the whole name where that is a domain.
    pub accounts: Vec<String>,
    /// Their newest posts: address and text.
    pub posts: Vec<(String, String)>,
}

impl OwnPosts {
    /// Why a text by somebody is the owner's own, if it is.
    pub fn reason(&self, author: &str, text: &str) -> Option<String> {
        let author = author.trim_start_matches('@');
        let is_own = |own: &&String| author.eq_ignore_ascii_case(own);
        if let Some(own) = self.accounts.iter().find(is_own) {
            return Some(format!("your own post, by {own}"));
        }
        let is_copied = |own: &&String| {
            let bridged = match own.contains('@') {
                true => format!("{}{TO_BLUESKY}", own.replace('@', ".")),
                false => format!("{own}@{TO_FEDIVERSE}"),
            };
            author.eq_ignore_ascii_case(&bridged)
        };
        if let Some(own) = self.accounts.iter().find(is_copied) {
            return Some(format!("a bridge's copy of a post by {own}"));
        }
        let original = self.posts.iter().find(|(_, own)| is_copy(text, own));
        original.map(|(address, _)| format!("a copy of your post {address}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_posts_are_known_whoever_copied_them() {
        let own = OwnPosts {
            accounts: vec!["ann.example".to_owned(), "ann@social.example".to_owned()],
            posts: vec![(
                "https://social.example/@ann/1".to_owned(),
                "We open on Monday, @bo! https://a.test".to_owned(),
            )],
        };
        let copy = "We open on Monday, @bo! https://a.test";
        for (author, text, expected) in [
            ("@Ann.example", "x", Some("your own post, by ann.example")),
            (
                "ann@social.example",
                "x",
                Some("your own post, by ann@social.example"),
            ),
            ("ann@other.example", "x", None),
            (
                "ann.example@bsky.brid.gy",
                "x",
                Some("a bridge's copy of a post by ann.example"),
            ),
            (
                "ann.social.example.ap.brid.gy",
                "x",
                Some("a bridge's copy of a post by ann@social.example"),
            ),
            (
                "news@mirror.example",
                copy,
                Some("a copy of your post https://social.example/@ann/1"),
            ),
            ("bo@social.example", "When do you open?", None),
        ] {
            assert_eq!(own.reason(author, text).as_deref(), expected, "{author}");
        }
    }
}
