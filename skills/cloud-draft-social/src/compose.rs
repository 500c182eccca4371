//! The text of a post for one account: as the note has it, by a model, or by rule.
//!
//! A text that fits is published as its owner wrote it. A model writes what a note only asks for, and what is too long;
//! without one the note's text is the post, made shorter by rule or parted into a thread if the note asks for one.
//! Invariants: whether a post can be published is asked of its network; what a model wrote brings no address or name of
//! its own; how the text came about is said to the owner.

use platinum_sdk::host::{DraftSocial, Log, Model};
use platinum_sdk::model::complete::{Completion, Error as ModelError};
use platinum_sdk::skill::log::Level;
use platinum_sdk::social::draft::{Account, Checked, Limits};
use platinum_sdk::social::types::Post;
use platinum_sdk::text::{one_line, sanitize};
use platinum_sdk::{Error, social};

use crate::fit::{Limit, shorten, split};
use crate::request::{self, Material};
use crate::strange::without_strange;

/// How often a text is made shorter because the network counts it longer than expected.
const MAX_TRIES: usize = 4;

/// A post that its network takes, and how its text came about.
#[derive(Debug, Clone, PartialEq)]
pub struct Composed {
    /// The post.
    pub post: Post,
    /// For the owner, in sentences.
    pub how: String,
}

/// Why there is no post.
#[derive(Debug)]
pub enum Unfit {
    /// Its network does not take it: why, for the owner.
    Fault(String),
    /// Something is away.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Unfit {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

/// What is to be published.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// The post without its text.
    pub frame: &'a Post,
    /// The posts of a thread as the owner wrote them; of one post, one.
    pub parts: &'a [String],
    /// Whether the text only says what the post is to be about.
    pub is_request: bool,
    /// Whether a text that is too long becomes a thread.
    pub is_thread: bool,
    /// What stands at the beginning of it, whoever writes it: who is answered.
    pub address: &'a str,
    /// Texts whose addresses and names a model may use.
    pub known: &'a [&'a str],
}

/// Writes the post for an account.
///
/// # Errors
/// If the network does not take it, or it or the model are away.
pub fn compose(
    host: &(impl Log + DraftSocial + Model),
    account: &Account,
    limits: &Limits,
    wanted: &Wanted<'_>,
    material: &Material<'_>,
) -> Result<Composed, Unfit> {
    let whole = with_parts(wanted.frame, wanted.parts);
    let first = host.check(&whole)?;
    if !wanted.is_request && !is_too_long(&first, limits) {
        return taken(whole, &first, "The text is that of your note.");
    }
    // The parts of a thread are their owner's own; a model would make one post of them.
    if !(wanted.is_thread && wanted.parts.len() > 1)
        && let Some(composed) = by_model(host, account, limits, wanted, material)?
    {
        return Ok(composed);
    }
    if !is_too_long(&first, limits) {
        return taken(
            whole,
            &first,
            "No model wrote this: it is your note as it stands.",
        );
    }
    by_rule(host, account, limits, wanted, &first)
}

/// A text by a model; none where there is no model, or none that is short enough.
fn by_model(
    host: &(impl Log + DraftSocial + Model),
    account: &Account,
    limits: &Limits,
    wanted: &Wanted<'_>,
    material: &Material<'_>,
) -> Result<Option<Composed>, Unfit> {
    let mut longer: Option<(String, u32)> = None;
    for _ in 0..2 {
        let attempt = longer.as_ref().map(|(text, count)| (text.as_str(), *count));
        let room = u32::try_from(wanted.address.chars().count()).unwrap_or(u32::MAX);
        let max = limits.max_characters.saturating_sub(room);
        let request = request::build(material, &account.network, max, attempt);
        let Some(completion) = ask(host, &request)? else {
            return Ok(None);
        };
        let (text, strange) = without_strange(sanitize(&completion.text).trim(), wanted.known);
        if text.is_empty() {
            return Ok(None);
        }
        let post = with_parts(wanted.frame, &[format!("{}{text}", wanted.address)]);
        let checked = host.check(&post)?;
        if !is_too_long(&checked, limits) {
            let how = written_by(&completion, strange);
            return taken(post, &checked, &how).map(Some);
        }
        let count = checked.parts.first().map_or(0, |part| part.count);
        longer = Some((text, count));
    }
    host.line(
        Level::Warn,
        &format!("the model's text is too long for {}, twice", account.name),
    );
    Ok(None)
}

/// What a model answers; none if there is none, or it refuses.
fn ask(
    host: &(impl Log + Model),
    request: &platinum_sdk::model::complete::Request,
) -> Result<Option<Completion>, Error> {
    match host.complete(request) {
        Ok(completion) if completion.model == "builtin" => Ok(None),
        Ok(completion) => Ok(Some(completion)),
        Err(ModelError::Refused(why)) => {
            host.line(
                Level::Info,
                &format!("no model writes it: {}", one_line(&why, 200)),
            );
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

fn written_by(completion: &Completion, strange: usize) -> String {
    let mut how = format!("Written by {}.", one_line(&completion.model, 60));
    if completion.truncated {
        how.push_str(" The text was cut at its bound: read its end.");
    }
    match strange {
        0 => {}
        1 => how.push_str(" It named an address or somebody that your note does not: a gap is in its place."),
        count => how.push_str(&format!(
            " It named {count} addresses or people that your note does not: gaps are in their places."
        )),
    }
    how
}

/// The owner's text made to fit; `whole` is what the network says of all of it.
fn by_rule(
    host: &impl DraftSocial,
    account: &Account,
    limits: &Limits,
    wanted: &Wanted<'_>,
    whole: &Checked,
) -> Result<Composed, Unfit> {
    let unfit = |what: &str| Unfit::Fault(format!("{what} for {}", account.name));
    let mut limit = Limit::of(limits);
    for _ in 0..MAX_TRIES {
        let parts = if wanted.is_thread {
            let split: Option<Vec<Vec<String>>> =
                wanted.parts.iter().map(|part| split(part, limit)).collect();
            let parts = split
                .ok_or_else(|| unfit("it cannot be parted into posts that are short enough"))?;
            parts.concat()
        } else {
            let text = wanted.parts.join("\n\n");
            let short =
                shorten(&text, limit).ok_or_else(|| unfit("it cannot be made short enough"))?;
            vec![short]
        };
        let post = with_parts(wanted.frame, &parts);
        let checked = host.check(&post)?;
        match excess(&checked, limits) {
            0 if wanted.is_thread => {
                let how = format!("Parted into a thread of {} posts.", parts.len());
                return taken(post, &checked, &how);
            }
            0 => return taken(post, &checked, &shortened(whole, &checked, account)),
            more => limit = limit.less(more),
        }
    }
    Err(unfit("it cannot be made short enough"))
}

/// From which count to which, as the network counts.
fn shortened(whole: &Checked, short: &Checked, account: &Account) -> String {
    let count = |checked: &Checked| checked.parts.iter().map(|part| part.count).sum::<u32>();
    format!(
        "Shortened by rule from {} to {} characters for {}: read what is left. A line `thread: yes` in the note makes a \
         thread of it instead.",
        count(whole),
        count(short),
        network_name(account)
    )
}

/// The account's network as it writes its own name: its id with a capital letter.
pub(crate) fn network_name(account: &Account) -> String {
    let id = one_line(&account.network, 40);
    let mut rest = id.chars();
    let first = rest.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(rest).collect()
}

/// How much the longest part is too long, as the network counts.
fn excess(checked: &Checked, limits: &Limits) -> usize {
    let parts = checked.parts.iter().map(|part| {
        let over_bytes = match (part.bytes, limits.max_bytes) {
            (Some(bytes), Some(most)) => bytes.saturating_sub(most),
            _ => 0,
        };
        part.count.saturating_sub(part.max).max(over_bytes)
    });
    usize::try_from(parts.max().unwrap_or(0)).unwrap_or(usize::MAX)
}

fn is_too_long(checked: &Checked, limits: &Limits) -> bool {
    excess(checked, limits) > 0
}

/// The post, unless its network has something against it.
fn taken(post: Post, checked: &Checked, how: &str) -> Result<Composed, Unfit> {
    match checked.faults.as_slice() {
        [] => Ok(Composed {
            post,
            how: how.to_owned(),
        }),
        faults => Err(Unfit::Fault(faults.join("; "))),
    }
}

/// The post with these texts.
#[must_use]
pub fn with_parts(frame: &Post, parts: &[String]) -> Post {
    let mut parts = parts.iter().cloned();
    Post {
        text: parts.next().unwrap_or_default(),
        thread: parts.collect(),
        ..frame.clone()
    }
}

/// A post by an account, without its text.
#[must_use]
pub fn frame(account: &Account) -> Post {
    social::types::Post {
        account: account.name.clone(),
        text: String::new(),
        language: None,
        reply_to: None,
        content_warning: None,
        link: None,
        media: Vec::new(),
        thread: Vec::new(),
    }
}
