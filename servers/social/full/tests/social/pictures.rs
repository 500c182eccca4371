//! Pictures: uploaded before anything leaves, exactly those that were approved, and too large ones never.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use platinum_social::Outcome;
use platinum_social_client::Media;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::fake::mastodon::{FakeMastodon, refused};
use crate::fake::pds::{FakePds, Fault};
use crate::fixture::{Fixture, draft_id, post, publish};
use crate::scripted::{Reply, lost_answers};

fn picture(name: &str, bytes: &[u8]) -> Media {
    Media {
        name: name.to_owned(),
        kind: None,
        size: bytes.len() as u64,
        alt: format!("alt of {name}: größer"),
        sha256: hex::encode(Sha256::digest(bytes)),
        data: Some(STANDARD.encode(bytes)),
    }
}

#[tokio::test]
async fn bluesky_pictures_are_of_the_first_post() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    // Some answers are lost: a picture that nobody refers to may be uploaded again.
    pds.state
        .lock()
        .unwrap()
        .blob_faults
        .extend([Fault::Before(Reply::Closed), Fault::None]);
    let mut wanted = post("sky", &["look", "more"]);
    wanted.media = vec![picture("a.png", b"first"), picture("b.jpg", b"second one")];
    let answer = publish(&social, &draft_id(), &wanted).await;
    assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    let posted = pds.server.posted();
    let uploads: Vec<_> = posted
        .iter()
        .filter(|asked| asked.path.ends_with("uploadBlob"))
        .collect();
    assert_eq!(uploads.len(), 3);
    assert_eq!(uploads[1].header("content-type"), Some("image/png"));
    assert_eq!(
        (uploads[1].body.as_slice(), uploads[2].body.as_slice()),
        (&b"first"[..], &b"second one"[..])
    );
    let records: Vec<_> = posted
        .iter()
        .filter(|asked| asked.path.ends_with("putRecord"))
        .map(|asked| asked.json()["record"].clone())
        .collect();
    let image = |name: &str, size: usize, kind: &str| {
        json!({"alt": format!("alt of {name}: größer"), "image": {"$type": "blob",
            "ref": {"$link": format!("bafkrei{size}")}, "mimeType": kind, "size": size}})
    };
    assert_eq!(
        records[0]["embed"],
        json!({"$type": "app.bsky.embed.images",
            "images": [image("a.png", 5, "image/png"), image("b.jpg", 10, "image/jpeg")]})
    );
    assert!(records[1].get("embed").is_none());
}

#[tokio::test]
async fn picture_that_is_too_large_never_leaves() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let mut wanted = post("sky", &["look"]);
    wanted.media = vec![picture("a.png", &vec![7; 2_000_001])];
    let answer = publish(&social, &draft_id(), &wanted).await;
    assert_eq!(
        (answer.outcome, answer.retry, answer.differs),
        (Outcome::NotDone, false, true)
    );
    assert_eq!(
        answer.answer,
        "`a.png` is too large: 2000001 bytes; Bluesky takes 2000000"
    );
    assert!(pds.server.posted().is_empty());
    // The server takes less than the network: final, and nothing is published.
    let too_large = [
        Reply::Text(413, "<html>".into()),
        Reply::Json(
            400,
            json!({"error": "BlobTooLarge", "message": "file too large"}),
        ),
    ];
    for reply in too_large {
        pds.state
            .lock()
            .unwrap()
            .blob_faults
            .push_back(Fault::Before(reply));
        wanted.media = vec![picture("a.png", b"abc")];
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, false));
        assert!(
            answer
                .answer
                .starts_with("`a.png` was not uploaded: 127.0.0.1 says no: "),
            "{}",
            answer.answer
        );
    }
    assert_eq!(pds.server.count("POST /xrpc/com.atproto.repo.putRecord"), 0);

    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let mut wanted = post("fedi", &["look"]);
    wanted.media = vec![picture("a.png", &[7; 1001])];
    let answer = publish(&social, &draft_id(), &wanted).await;
    assert_eq!(
        answer.answer,
        "`a.png` is too large: 1001 bytes; Mastodon takes 1000"
    );
    assert!(server.server.posted().is_empty());
    wanted.media = vec![picture("a.png", b"abc")];
    for (status, retry) in [(413, false), (422, false), (429, true)] {
        let fault = Fault::Before(refused(status, "no"));
        server.state.lock().unwrap().media_faults.push_back(fault);
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, retry));
    }
    assert_eq!(server.server.count("POST /api/v1/statuses"), 0);
}

#[tokio::test]
async fn upload_without_an_answer_publishes_nothing() {
    for reply in lost_answers() {
        let fault = || Fault::Before(reply.clone());
        let pds = FakePds::start().await;
        let social = Fixture::bluesky(&pds.server.url()).acting();
        pds.state
            .lock()
            .unwrap()
            .blob_faults
            .extend([fault(), fault(), fault()]);
        let mut wanted = post("sky", &["look"]);
        wanted.media = vec![picture("a.png", b"abc")];
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!(
            (answer.outcome, answer.retry),
            (Outcome::NotDone, true),
            "{reply:?}"
        );
        assert_eq!(pds.server.count("POST /xrpc/com.atproto.repo.putRecord"), 0);

        let server = FakeMastodon::start().await;
        let social = Fixture::mastodon(&server.server.url()).acting();
        server
            .state
            .lock()
            .unwrap()
            .media_faults
            .extend([fault(), fault(), fault()]);
        wanted.account = "fedi".into();
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!(
            (answer.outcome, answer.retry),
            (Outcome::NotDone, true),
            "{reply:?}"
        );
        assert_eq!(server.server.count("POST /api/v1/statuses"), 0);
    }
}

#[tokio::test]
async fn mastodon_pictures_are_waited_for() {
    for has_media_v2 in [true, false] {
        let server = FakeMastodon::start().await;
        {
            let mut state = server.state.lock().unwrap();
            (state.has_media_v2, state.media_delay) = (has_media_v2, 2);
        }
        let social = Fixture::mastodon(&server.server.url()).acting();
        let mut wanted = post("fedi", &["look", "more"]);
        wanted.media = vec![picture("a.png", b"first"), picture("b.jpg", b"second")];
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
        let posted = server.server.posted();
        let upload = posted
            .iter()
            .find(|asked| asked.path.ends_with("/media") && asked.method == "POST");
        let upload = upload.unwrap();
        let body = String::from_utf8_lossy(&upload.body).into_owned();
        assert!(
            body.contains("alt of a.png: größer") && body.contains("first"),
            "{body}"
        );
        let first = posted
            .iter()
            .find(|asked| asked.path.ends_with("/statuses"))
            .unwrap();
        let form = String::from_utf8_lossy(&first.body).into_owned();
        assert!(
            form.contains("media_ids%5B%5D=m1&media_ids%5B%5D=m2"),
            "{form}"
        );
        let last = String::from_utf8_lossy(&posted.last().unwrap().body).into_owned();
        assert!(!last.contains("media_ids"), "{last}");
    }
    // One that is never prepared.
    let server = FakeMastodon::start().await;
    server.state.lock().unwrap().media_delay = 1000;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let mut wanted = post("fedi", &["look"]);
    wanted.media = vec![picture("a.png", b"first")];
    let answer = publish(&social, &draft_id(), &wanted).await;
    assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, true));
    assert_eq!(answer.answer, "127.0.0.1 has not prepared `a.png` in time");
    assert_eq!(server.server.count("POST /api/v1/statuses"), 0);
}

#[tokio::test]
async fn picture_that_was_not_approved_is_not_uploaded() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let mut wanted = post("sky", &["look"]);
    let other = picture("a.png", b"other");
    wanted.media = vec![Media {
        data: Some(STANDARD.encode(b"evil!")),
        ..other
    }];
    let answer = publish(&social, &draft_id(), &wanted).await;
    assert_eq!((answer.outcome, answer.differs), (Outcome::NotDone, true));
    assert_eq!(answer.answer, "`a.png` is not the file that was approved");
    assert!(pds.server.posted().is_empty());
}
