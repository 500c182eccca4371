//! Which of the account's own posts are the parts of a post: by text, content warning and what they answer, of those
//! since the draft was made.
//!
//! A server gives its posts as HTML; where that does not have the text as it was written, it is asked for the source.

use jiff::{SignedDuration, Timestamp};
use platinum_social_client::mastodon::status::{Status, comparable, may_show};
use platinum_social_client::mastodon::{Mastodon, PAGE};
use platinum_social_client::{Post, SocialError};
use reqwest::Method;
use serde_json::Value;

use crate::key::PostKey;

/// How far a server's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(2);
/// So many pages of posts are compared.
const MAX_PAGES: usize = 10;
/// So many posts are asked for their source.
const MAX_SOURCES: usize = 40;

/// The posts that are the parts; none where one is not there.
///
/// # Errors
/// If the server cannot be asked, or there are too many posts since the draft was made.
pub(super) async fn find_parts(
    network: &Mastodon,
    key: &PostKey,
    post: &Post,
) -> Result<Vec<Option<Status>>, SocialError> {
    let made = i64::try_from(key.millis()).ok();
    let made = made.and_then(|millis| Timestamp::from_millisecond(millis).ok());
    let since = made.and_then(|made| made.checked_sub(SKEW).ok());
    let mut candidates = posts_since(network, since.unwrap_or(Timestamp::MIN)).await?;
    let warning = post.content_warning.as_deref().unwrap_or_default().trim();
    candidates.retain(|status| status.warning == warning);
    let mut found: Vec<Option<Status>> = Vec::new();
    // Nothing to compare with: what is answered need not be asked for.
    if candidates.is_empty() {
        found.resize(post.parts.len(), None);
        return Ok(found);
    }
    let answered = match &post.reply_to {
        Some(reference) => Some(network.locate(reference).await?.map(|status| status.id)),
        None => None,
    };
    let own: Vec<String> = candidates.iter().map(|status| status.id.clone()).collect();
    let mut sources = MAX_SOURCES;
    for (index, text) in post.parts.iter().enumerate() {
        let previous = match index {
            0 => None,
            index => found.get(index - 1).and_then(Option::as_ref),
        };
        let answers = |status: &Status| match (index, previous, &answered) {
            (0, _, None) => status.reply_to.is_none(),
            (0, _, Some(Some(id))) => status.reply_to.as_ref() == Some(id),
            // What it answered was deleted since.
            (0, _, Some(None)) => true,
            (_, Some(previous), _) => status.reply_to.as_ref() == Some(&previous.id),
            // The one before it was deleted since: it answers none that is there. Without an earlier part it is another
            // thread's, whose text may be the same.
            (_, None, _) => {
                found.iter().any(Option::is_some)
                    && status.reply_to.as_ref().is_none_or(|id| !own.contains(id))
            }
        };
        let mut place = None;
        for (at, status) in candidates.iter().enumerate() {
            if answers(status) && is_text(network, status, text, &mut sources).await? {
                place = Some(at);
                break;
            }
        }
        // One post is one part: a text that is there twice needs two.
        found.push(place.map(|at| candidates.remove(at)));
    }
    Ok(found)
}

/// Whether a page of so many posts may have left out others.
fn is_cut(posts: usize) -> bool {
    posts == PAGE || posts >= 200
}

/// The account's posts since then, the oldest first.
async fn posts_since(network: &Mastodon, since: Timestamp) -> Result<Vec<Status>, SocialError> {
    let is_before = |status: &Status| {
        // One whose time cannot be read is compared.
        status.at.parse::<Timestamp>().is_ok_and(|at| at < since)
    };
    let mut all: Vec<Status> = Vec::new();
    let mut before: Option<String> = None;
    for _ in 0..MAX_PAGES {
        let page = network.page(before.as_deref()).await?;
        let next = page.last().map(|status| status.id.clone());
        let is_old = page.last().is_some_and(is_before);
        // A server that ignores `max_id` answers its first page again: all that there is, or all that it gives.
        let is_again = next == before;
        if is_again && !is_old && is_cut(page.len()) {
            break;
        }
        if !is_again {
            all.extend(page.into_iter().filter(|status| !is_before(status)));
        }
        if is_again || is_old || next.is_none() {
            all.reverse();
            return Ok(all);
        }
        before = next;
    }
    Err(SocialError::Setup(
        "the account has too many posts since the draft was made to compare it with them"
            .to_owned(),
    ))
}

/// Whether a post is of this text; at most so many are asked for their source.
///
/// # Errors
/// If the server cannot be asked.
pub(super) async fn is_text(
    network: &Mastodon,
    status: &Status,
    text: &str,
    sources: &mut usize,
) -> Result<bool, SocialError> {
    let wanted = comparable(text);
    if comparable(&status.text) == wanted {
        return Ok(true);
    }
    if let Some(source) = &status.source {
        return Ok(comparable(source) == wanted);
    }
    if *sources == 0 || !may_show(&status.text, text) {
        return Ok(false);
    }
    *sources -= 1;
    let path = format!("/api/v1/statuses/{}/source", status.id);
    match network.send(network.request(Method::GET, &path, &[])).await {
        Ok(answer) => {
            let source = answer.body.get("text").and_then(Value::as_str);
            Ok(source.is_some_and(|source| comparable(source) == wanted))
        }
        // A server without it, or without a right to it.
        Err(SocialError::Refused { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
