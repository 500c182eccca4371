//! [`PublishPost`]: the effect that publishes a post, or a thread of them.

use std::sync::Arc;

use async_trait::async_trait;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use platinum_core::{ActionKind, PostRequest, SocialPublish, Timestamp, text::one_line};
use platinum_journal::Outcome;
use platinum_vault::note::DraftNote;

use super::{
    message,
    server::{FoundParts, OwnPost, PublishRequest, SocialServer},
};
use crate::{Attempt, Effect, NotDone, done, executor::first_attempt};

/// Publishes posts this way.
pub struct PublishPost {
    server: Arc<dyn SocialServer>,
}

impl PublishPost {
    /// The effect over a way to ask social networks.
    pub fn new(server: Arc<dyn SocialServer>) -> Self {
        Self { server }
    }

    /// What there is of a draft's post.
    async fn find_posted(&self, reference: &str, draft: &DraftNote) -> Result<FoundParts, String> {
        let post: SocialPublish = draft.action.read().map_err(|error| error.to_string())?;
        // Of its pictures nothing is compared.
        let found = self
            .server
            .find(first_attempt(reference), &post.request(&[]))
            .await;
        found.map_err(|error| error.reason)
    }
}

#[async_trait]
impl Effect for PublishPost {
    fn kind(&self) -> ActionKind {
        ActionKind::SOCIAL_PUBLISH
    }

    /// Whether its network would take it now, and what it answers is still there.
    async fn prepare(&self, attempt: &Attempt) -> Result<(), NotDone> {
        let post: SocialPublish = attempt.outgoing.note.action.read()?;
        let request = message::request(&post, &attempt.outgoing.attachments);
        let fault = match post.faults().as_slice() {
            [] => self.server.check(&request).await?.fault(),
            faults => Some(faults.join("; ")),
        };
        match fault {
            None => Ok(()),
            Some(fault) => {
                let reason = format!(
                    "it cannot be published as it is: {fault}; change it, then approve it again"
                );
                Err(NotDone::differs(reason, None))
            }
        }
    }

    async fn perform(&self, attempt: Attempt) -> Result<Outcome, NotDone> {
        let post: SocialPublish = attempt.outgoing.note.action.read()?;
        let request = PublishRequest {
            // The same for every attempt: "send again" cannot publish a second time what is there.
            reference: first_attempt(&attempt.reference).to_owned(),
            at: attempt.approved_at,
            post: with_data(&post, &attempt),
        };
        fail::fail_point!("social-post-read");
        let outcome = self.server.publish(&request).await;
        fail::fail_point!("social-post-answered");
        let Ok(Outcome::Unknown { reason }) = outcome else {
            return outcome;
        };
        let found = self
            .find_posted(&request.reference, &attempt.outgoing.note)
            .await;
        Ok(match found {
            Ok(found) if found.all => done(published(&found)),
            Ok(found) if found.has_any() => Outcome::Unknown {
                reason: format!("{reason}; {}", partly(&found)),
            },
            Ok(_) | Err(_) => Outcome::Unknown { reason },
        })
    }

    async fn reconcile(
        &self,
        reference: &str,
        draft: Option<&DraftNote>,
    ) -> Result<Option<String>, String> {
        let draft = draft.ok_or("its draft cannot be read, and so not where it is published")?;
        let found = self.find_posted(reference, draft).await?;
        Ok(found.all.then(|| published(&found)))
    }

    /// Whether they published this very text since it was drafted.
    async fn done_by_owner(
        &self,
        draft: &DraftNote,
        finished: Option<Timestamp>,
    ) -> Result<Option<String>, String> {
        let Ok(post) = draft.action.read::<SocialPublish>() else {
            return Ok(None);
        };
        let parts = post.request(&[]).parts;
        // A thread that an earlier attempt began is not theirs, and a picture alone is like any other.
        if parts.iter().any(String::is_empty)
            || self
                .find_posted(&self.reference(draft), draft)
                .await?
                .has_any()
        {
            return Ok(None);
        }
        let since = finished.map_or(draft.created, |at| at.max(draft.created));
        let own = self.server.own_posts(&post.account).await;
        let own = own.map_err(|error| error.reason)?;
        let by_owner = own.iter().filter_map(|post| {
            let at: Timestamp = post.at.parse().ok()?;
            (post.is_own && at > since).then_some((at, post))
        });
        let by_owner: Vec<(Timestamp, &OwnPost)> = by_owner.collect();
        let is_there = |part: &String| {
            let mut texts = by_owner.iter().map(|(_, post)| &post.text);
            texts.any(|text| words_of(text) == words_of(part))
        };
        if !parts.iter().all(is_there) {
            return Ok(None);
        }
        let first = by_owner.iter().find(|(_, post)| {
            let text = words_of(&post.text);
            parts.first().is_some_and(|part| words_of(part) == text)
        });
        Ok(first.map(|(at, post)| {
            let address = one_line(&post.address, 200);
            format!("you published it at {at:.0}: {address}")
        }))
    }

    async fn describe_doubt(&self, reference: &str, draft: Option<&DraftNote>) -> String {
        let found = match draft {
            Some(draft) => self.find_posted(reference, draft).await.ok(),
            None => None,
        };
        match found.filter(FoundParts::has_any) {
            Some(found) => format!(
                "{}. Sent again, it goes on where it stopped: what is there is not published twice.",
                partly(&found)
            ),
            None => self.advice().to_owned(),
        }
    }

    fn advice(&self) -> &'static str {
        "It is not on the network now: it was not published, or you deleted it since."
    }
}

/// The post with the content of its files.
fn with_data(post: &SocialPublish, attempt: &Attempt) -> PostRequest {
    let files = &attempt.outgoing.attachments;
    let mut request = message::request(post, files);
    for (media, file) in request.media.iter_mut().zip(files) {
        media.data = Some(STANDARD.encode(&file.bytes));
    }
    request
}

/// The words of a text: how it is broken into lines is the network's.
fn words_of(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}

/// That all of it is there, in words.
fn published(found: &FoundParts) -> String {
    format!("it is published: {}", found.addresses())
}

/// What of it is there, in the server's words.
fn partly(found: &FoundParts) -> String {
    format!("{}: {}", one_line(&found.words, 200), found.addresses())
}
