//! What the model is given: the skill's instructions and the owner's handbook, and everything from outside as quotes.
//!
//! Invariants: the text of a note or a mention is never in a part of the skill's own words; all parts together stay
//! below the interface's bound.

use platinum_sdk::model::complete::{Part, Quoted, Request};
use platinum_sdk::social::draft::SeenPost;
use platinum_sdk::text::{bounded, one_line};

const MAX_INSTRUCTIONS: usize = 24 * 1024;
const MAX_HANDBOOK: usize = 16 * 1024;
const MAX_TEXT: usize = 32 * 1024;
const MAX_OWN: usize = 12 * 1024;
/// Room for a long post, and for the thoughts of a model that thinks first.
const MAX_TOKENS: u32 = 4_000;

/// What a post is written from.
#[derive(Debug, Clone, Copy)]
pub struct Material<'a> {
    /// The SKILL.md's body.
    pub instructions: &'a str,
    /// `Company_Handbook.md`, if there is one.
    pub handbook: Option<&'a str>,
    /// What the text is: `note` or `mention`.
    pub label: &'static str,
    /// What it says.
    pub text: &'a str,
    /// The owner's own posts on this account, newest first.
    pub own: &'a [SeenPost],
    /// The time.
    pub now: &'a str,
}

/// The request for the text of a post on a network; of at most so many characters, after an attempt that was longer.
#[must_use]
pub fn build(
    material: &Material<'_>,
    network: &str,
    max: u32,
    longer: Option<(&str, u32)>,
) -> Request {
    let mut parts = Vec::new();
    if let Some(handbook) = material.handbook.map(str::trim)
        && !handbook.is_empty()
    {
        parts.push(Part::Text(format!(
            "The owner's handbook:\n\n{}",
            bounded(handbook, MAX_HANDBOOK)
        )));
    }
    let mut quote = |label: &str, text: &str, most: usize| {
        if !text.trim().is_empty() {
            parts.push(Part::Quote(Quoted {
                label: label.into(),
                text: bounded(text, most).to_owned(),
            }));
        }
    };
    let own: Vec<&str> = material.own.iter().map(|post| post.text.as_str()).collect();
    quote("own-posts", &own.join("\n---\n"), MAX_OWN);
    quote(material.label, material.text, MAX_TEXT);
    if let Some((text, _)) = longer {
        quote("attempt", text, MAX_TEXT);
    }
    let what = match material.label {
        "mention" => "the answer to the post quoted as `mention`",
        _ => "the post that the note quoted as `note` asks for or holds",
    };
    let again = longer.map_or_else(String::new, |(_, count)| {
        format!(" What is quoted as `attempt` has {count} characters, which is too long: say it in fewer.")
    });
    parts.push(Part::Text(format!(
        "It is {}. Write the text of {what}, for {}, in at most {max} characters.{again}",
        one_line(material.now, 40),
        one_line(network, 40),
    )));
    Request {
        instructions: bounded(material.instructions, MAX_INSTRUCTIONS).to_owned(),
        parts,
        max_tokens: MAX_TOKENS,
    }
}
