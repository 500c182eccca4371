//! The record of a part: its text with facets, what it answers, its pictures or its card, its language and labels.

use jiff::SignedDuration;
use platinum_social_client::SocialError;
use platinum_social_client::bluesky::Bluesky;
use platinum_social_client::bluesky::record::POSTS;
use platinum_social_client::text::bluesky::{entities, handle_of};
use platinum_social_client::text::{Entity, EntityKind};
use serde_json::{Value, json};

use crate::publisher::Part;

/// The record of a part.
///
/// # Errors
/// If whom it mentions or what it answers cannot be asked for, or is not there.
pub(super) async fn build(network: &Bluesky, part: &Part<'_>) -> Result<Value, SocialError> {
    let text = part.text();
    // One after the other in a reader that sorts by it, and the same in every attempt.
    let later = SignedDuration::from_millis(i64::try_from(part.index).unwrap_or_default());
    let at = part.at.checked_add(later).unwrap_or(part.at);
    let mut record = json!({
        "$type": POSTS,
        "text": text,
        "createdAt": at.to_string(),
    });
    let mut set = |field: &str, value: Value| record[field] = value;
    if let Some(language) = &part.post.language {
        set("langs", json!([language]));
    }
    let facets = facets(network, text).await?;
    if !facets.is_empty() {
        set("facets", Value::Array(facets));
    }
    if let Some(reply) = reply(network, part).await? {
        set("reply", reply);
    }
    if let Some(warning) = &part.post.content_warning {
        let labels = json!({
            "$type": "com.atproto.label.defs#selfLabels",
            "values": [{ "val": warning }],
        });
        set("labels", labels);
    }
    if !part.media.is_empty() {
        set(
            "embed",
            json!({ "$type": "app.bsky.embed.images", "images": part.media }),
        );
    } else if let Some(link) = part.post.link.as_ref().filter(|_| part.index == 0) {
        let external = json!({
            "uri": link.url,
            "title": link.title,
            "description": link.description,
        });
        set(
            "embed",
            json!({ "$type": "app.bsky.embed.external", "external": external }),
        );
    }
    Ok(record)
}

async fn facets(network: &Bluesky, text: &str) -> Result<Vec<Value>, SocialError> {
    let mut facets = Vec::new();
    for entity in entities(text) {
        let words = entity.text(text);
        let feature = match entity.kind {
            EntityKind::Link => json!({ "$type": "app.bsky.richtext.facet#link", "uri": words }),
            EntityKind::Tag => json!({
                "$type": "app.bsky.richtext.facet#tag",
                "tag": words.trim_start_matches(['#', '＃']),
            }),
            EntityKind::Mention => match network.resolve(handle_of(words)).await? {
                Some(did) => json!({ "$type": "app.bsky.richtext.facet#mention", "did": did }),
                None => return Err(SocialError::Setup(format!("`{words}` leads to nobody"))),
            },
        };
        facets.push(facet(&entity, &feature));
    }
    Ok(facets)
}

/// A facet: where it is, in bytes of UTF-8, and what it is.
fn facet(entity: &Entity, feature: &Value) -> Value {
    json!({
        "index": { "byteStart": entity.range.start, "byteEnd": entity.range.end },
        "features": [feature],
    })
}

/// What a part answers: the one before it, or the post that the whole answers; and where that began.
async fn reply(network: &Bluesky, part: &Part<'_>) -> Result<Option<Value>, SocialError> {
    if let Some(previous) = part.previous {
        return Ok(Some(previous.reference.clone()));
    }
    let Some(reference) = &part.post.reply_to else {
        return Ok(None);
    };
    let record = match network.locate(reference).await? {
        Some(uri) => network.record(&uri).await?,
        None => None,
    };
    match record {
        Some(record) => Ok(Some(
            json!({ "parent": record.reference(), "root": record.root() }),
        )),
        None => Err(SocialError::Setup(
            "the post that is answered is not there".to_owned(),
        )),
    }
}
