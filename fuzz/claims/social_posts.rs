//! Any JSON as what a social network answers: as its own description, as a record of Bluesky or as a status of Mastodon's
//! API. It is read in bounds or not at all; and the draft of an answer to it is one that may be put before its owner,
//! with the text that they approve, whatever the card above that quotes.

use platinum_core::{Action, DraftId, SocialPublish, TaskId, Timestamp, ZoneId, layout};
use platinum_social_client::bluesky::record::Record;
use platinum_social_client::card::{Card, ShownEntity, render_card};
use platinum_social_client::check::{find_faults, lengths};
use platinum_social_client::config::{NetworkKind, Visibility};
use platinum_social_client::mastodon::instance::Instance;
use platinum_social_client::mastodon::status::Status;
use platinum_social_client::text::{self, Entity};
use platinum_social_client::{Limits, Post, SeenPost, bluesky};
use platinum_vault::note::{DraftNote, TaskNote, check_drafted};

/// The most characters of a post that are read.
const MAX_TEXT: usize = 50_000;
const ANSWER: &str = "Yes, on Monday. https://example.test @ann@example.test";

/// The claim, of these bytes.
pub(super) fn check(input: &[u8]) {
    let Ok(answer) = serde_json::from_slice::<serde_json::Value>(input) else {
        return;
    };
    let instance = Instance::read(&answer).map(|instance| instance.limits);
    if let Some(record) = Record::read(&answer) {
        let limits = instance.clone().unwrap_or_else(bluesky::limits);
        check_post(
            NetworkKind::Bluesky,
            &record.seen("ann.test", "did:plc:own"),
            &limits,
        );
    }
    if let Some(status) = Status::read(&answer) {
        let limits = instance.unwrap_or_else(bluesky::limits);
        check_post(NetworkKind::Mastodon, &status.seen(None), &limits);
    }
}

fn check_post(network: NetworkKind, seen: &SeenPost, limits: &Limits) {
    assert!(seen.text.chars().count() <= MAX_TEXT);
    // What somebody else wrote is read as a post of one's own is, when those are compared.
    let _ = entities(network, &seen.text);
    let _ = limits.count(&seen.text, Some(&seen.author));
    let post = Post {
        account: "own".to_owned(),
        parts: vec![ANSWER.to_owned()],
        reply_to: Some(seen.id.clone()),
        ..Post::default()
    };
    let shown = entities(network, ANSWER).into_iter();
    let shown: Vec<ShownEntity> = shown
        .map(|entity| ShownEntity {
            kind: entity.kind,
            text: entity.text(ANSWER).to_owned(),
            account: None,
        })
        .collect();
    let card = render_card(&Card {
        post: &post,
        network,
        handle: &seen.author,
        visibility: Visibility::Public,
        limits,
        lengths: &lengths(&post, limits),
        entities: &[shown],
        answers: Some(seen),
        faults: &find_faults(&post, network, limits),
    });
    check_note(&card);
}

fn entities(network: NetworkKind, text: &str) -> Vec<Entity> {
    let found = match network {
        NetworkKind::Bluesky => text::bluesky::entities(text),
        NetworkKind::Mastodon => text::mastodon::entities(text),
    };
    for entity in &found {
        assert!(
            text.get(entity.range.clone()).is_some(),
            "{entity:?} of {text:?}"
        );
    }
    found
}

/// The card stands in a note, above what leaves.
fn check_note(card: &str) {
    let now = Timestamp::UNIX_EPOCH;
    let task = TaskNote {
        id: TaskId::from_parts(1, 1),
        zone: ZoneId::SOCIAL,
        source: "social".to_owned(),
        from: "@ann@example.test".to_owned(),
        subject: "A mention".to_owned(),
        received: None,
        created: now,
        by: "intake/social".to_owned(),
        facts: vec![],
        claim: None,
        body: "When?\n".to_owned(),
    };
    let draft = DraftNote {
        id: DraftId::from_parts(1, 1),
        created: now,
        by: "cloud/cloud-draft-social".to_owned(),
        task: task.id,
        epoch: Some(1),
        action: Action::new(&SocialPublish {
            account: "own".to_owned(),
            text: ANSWER.to_owned(),
            ..SocialPublish::default()
        }),
        summary: "Answer Ann".to_owned(),
        reason: "She asks".to_owned(),
        expires: now,
        doubts: vec![],
    };
    let text = draft.render_shown(&task, Some(card));
    let path = layout::pending(draft.id);
    if let Err(fault) = check_drafted(&path, text.as_bytes()) {
        panic!("{fault}: {text:?}");
    }
    let again = DraftNote::parse(&text).expect("what is written is read");
    assert_eq!(again.action.text().trim_end(), ANSWER, "{text:?}");
}
