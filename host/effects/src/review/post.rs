//! The addresses in a post: that each leads where its reader thinks.

use platinum_core::SocialPublish;

use super::{
    address::has_lookalikes,
    concern::{Concern, Place, quoted},
    reader::{Findings, TEXT},
};

/// How an address begins that readers make a link of.
const SCHEMES: [&str; 2] = ["https://", "http://"];

/// Looks at the addresses in the text, of the card, and of the post that is answered.
pub(super) fn check_post(post: &SocialPublish, findings: &mut Findings) {
    for (field, url) in [("link", &post.link), ("reply-to", &post.reply_to)] {
        if let Some(domain) = url.as_deref().and_then(domain_of)
            && has_lookalikes(domain)
        {
            findings.add(&Place::of(field), &Concern::MixedScripts(quoted(domain)));
        }
    }
    let text = &post.text;
    for (at, domain) in domains_in(text) {
        if has_lookalikes(domain) {
            findings.add_at(TEXT, text, at, &Concern::MixedScripts(quoted(domain)));
        }
    }
}

/// The domains of the addresses in a text, each with its byte.
fn domains_in(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let starts = SCHEMES.iter().flat_map(|scheme| text.match_indices(scheme));
    let mut starts: Vec<usize> = starts.map(|(at, _)| at).collect();
    starts.sort_unstable();
    starts
        .into_iter()
        .filter_map(|at| Some((at, domain_of(&text[at..])?)))
}

/// The domain of the address that a text begins with.
fn domain_of(url: &str) -> Option<&str> {
    let rest = SCHEMES.iter().find_map(|scheme| url.strip_prefix(scheme))?;
    let end = rest
        .find(|c: char| c.is_whitespace() || "/?#:)\"'<>".contains(c))
        .unwrap_or(rest.len());
    Some(&rest[..end]).filter(|domain| !domain.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_a_text_are_found() {
        let text = "see https://a.test/x, (http://b.test) https:// https://c.test:80";
        let found: Vec<&str> = domains_in(text).map(|(_, domain)| domain).collect();
        assert_eq!(found, ["a.test", "b.test", "c.test"]);
        assert_eq!(
            text.find("http://b"),
            domains_in(text).nth(1).map(|(at, _)| at)
        );
    }

    #[test]
    fn foreign_letters_of_an_address_are_named() {
        let post = SocialPublish {
            text: "Read\nhttps://ex\u{430}mple.test/a and https://example.test".to_owned(),
            link: Some("https://ex\u{251}mple.test".to_owned()),
            reply_to: Some("at://did:plc:x/app.bsky.feed.post/1".to_owned()),
            ..SocialPublish::default()
        };
        let mut findings = Findings::default();
        check_post(&post, &mut findings);
        let found: Vec<String> = findings
            .into_list()
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            found,
            [
                "link: the domain `ex\u{251}mple.test` has letters that look like those of another one",
                "text, line 2, column 1: the domain `ex\u{430}mple.test` has letters that look like those of another one",
            ]
        );
    }
}
