//! Publishing on Bluesky: what is written, and that it is written once.

use platinum_social::Outcome;
use platinum_social::finding::FindArguments;
use platinum_social::key::PostKey;
use platinum_social_client::LinkCard;
use serde_json::{Value, json};

use crate::fake::pds::{DID, FakePds, Fault, cid};
use crate::fixture::{Fixture, creation, draft_id, post, publish};
use crate::scripted::{Reply, lost_answers, ok};

#[tokio::test]
async fn post_is_one_record_of_its_key() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let id = draft_id();
    let mut wanted = post(
        "sky",
        &["👩\u{200d}👧 é @ada.test see https://example.com/ü, #täg"],
    );
    wanted.language = Some("en".into());
    wanted.content_warning = Some("nudity".into());
    wanted.link = Some(LinkCard {
        url: "https://example.com/".into(),
        title: "Title".into(),
        description: "More".into(),
    });
    let answer = publish(&social, &id, &wanted).await;
    let key = PostKey::of_draft(&id).unwrap().record_key(0);
    let address = format!("https://bsky.app/profile/me.test/post/{key}");
    assert_eq!(answer.outcome, Outcome::Done);
    assert_eq!(answer.answer, format!("published at {address}"));
    assert_eq!(answer.parts, [address]);
    let posted = pds.server.posted();
    assert_eq!(
        posted
            .iter()
            .map(|asked| asked.path.as_str())
            .collect::<Vec<_>>(),
        [
            "/xrpc/com.atproto.server.createSession",
            "/xrpc/com.atproto.repo.putRecord"
        ]
    );
    assert_eq!(
        posted[1].json(),
        json!({
            "repo": DID,
            "collection": "app.bsky.feed.post",
            "rkey": key,
            "swapRecord": null,
            "record": {
                "$type": "app.bsky.feed.post",
                "text": wanted.parts[0],
                "createdAt": "2026-05-01T12:00:00Z",
                "langs": ["en"],
                "facets": [
                    {"index": {"byteStart": 15, "byteEnd": 24},
                        "features": [{"$type": "app.bsky.richtext.facet#mention", "did": "did:plc:ada"}]},
                    {"index": {"byteStart": 29, "byteEnd": 51},
                        "features": [{"$type": "app.bsky.richtext.facet#link", "uri": "https://example.com/ü"}]},
                    {"index": {"byteStart": 53, "byteEnd": 58},
                        "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "täg"}]},
                ],
                "labels": {"$type": "com.atproto.label.defs#selfLabels", "values": [{"val": "nudity"}]},
                "embed": {"$type": "app.bsky.embed.external",
                    "external": {"uri": "https://example.com/", "title": "Title", "description": "More"}},
            },
        })
    );
    // The same again, also by another process: it is there.
    let again = publish(&Fixture::bluesky(&pds.server.url()).acting(), &id, &wanted).await;
    assert_eq!(
        (again.outcome, again.answer.as_str()),
        (Outcome::Done, "it was published before")
    );
    assert_eq!(again.parts, answer.parts);
    assert_eq!(pds.server.posted().len(), 2);
}

#[tokio::test]
async fn thread_answers_itself_from_its_root_on() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let old = json!({"text": "old", "createdAt": "2026-01-01T00:00:00Z", "reply": {
        "root": {"uri": "at://did:plc:ada/app.bsky.feed.post/root", "cid": "bafyroot"},
        "parent": {"uri": "at://did:plc:ada/app.bsky.feed.post/root", "cid": "bafyroot"},
    }});
    pds.state.lock().unwrap().records.insert("2old".into(), old);
    let id = draft_id();
    let mut wanted = post("sky", &["one", "two", "three"]);
    wanted.reply_to = Some("https://bsky.app/profile/ada.test/post/2old".into());
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    let key = PostKey::of_draft(&id).unwrap();
    let records = pds.state.lock().unwrap().records.clone();
    let record = |part: usize| &records[&key.record_key(part)];
    let own = |part: usize| {
        let key = key.record_key(part);
        json!({"uri": format!("at://{DID}/app.bsky.feed.post/{key}"), "cid": cid(&key)})
    };
    let root = json!({"uri": "at://did:plc:ada/app.bsky.feed.post/root", "cid": "bafyroot"});
    let old = json!({"uri": "at://did:plc:ada/app.bsky.feed.post/2old", "cid": "bafy2old"});
    assert_eq!(record(0)["reply"], json!({"root": root, "parent": old}));
    assert_eq!(record(1)["reply"], json!({"root": root, "parent": own(0)}));
    assert_eq!(record(2)["reply"], json!({"root": root, "parent": own(1)}));
    assert_eq!(record(2)["createdAt"], "2026-05-01T12:00:00.002Z");
    // A thread of its own begins with itself.
    let id = draft_id();
    publish(&social, &id, &post("sky", &["a", "b"])).await;
    let key = PostKey::of_draft(&id).unwrap();
    let reply = pds.state.lock().unwrap().records[&key.record_key(1)]["reply"].clone();
    assert_eq!(reply["root"], reply["parent"]);
    assert_eq!(reply["root"]["cid"], cid(&key.record_key(0)));
}

/// The answer is lost after the server took the post, in each way there is, a hundred times: it is there once.
#[tokio::test]
async fn lost_answer_after_acceptance_publishes_once() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let answers: Vec<Reply> = lost_answers()
        .into_iter()
        .filter(|reply| !matches!(reply, Reply::Silent))
        .collect();
    for (number, reply) in answers.iter().cycle().take(100).enumerate() {
        pds.put_faults([Fault::After(reply.clone())]);
        let text = format!("text {number}");
        let id = draft_id();
        let answer = publish(&social, &id, &post("sky", &[&text])).await;
        assert_eq!(answer.outcome, Outcome::Done, "{reply:?}: {answer:?}");
        let again = publish(&social, &id, &post("sky", &[&text])).await;
        assert_eq!(again.answer, "it was published before");
    }
    let mut texts = pds.texts();
    texts.sort();
    texts.dedup();
    assert_eq!(
        (texts.len(), pds.state.lock().unwrap().records.len()),
        (100, 100)
    );
}

#[tokio::test]
async fn late_answer_after_acceptance_is_looked_up() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    pds.put_faults([Fault::After(Reply::Silent)]);
    let answer = publish(&social, &draft_id(), &post("sky", &["x"])).await;
    assert_eq!((answer.outcome, pds.texts().len()), (Outcome::Done, 1));
    assert_eq!(pds.server.count("POST /xrpc/com.atproto.repo.putRecord"), 1);
}

#[tokio::test]
async fn failure_before_acceptance_is_tried_again() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let bare = || Fault::Before(Reply::Text(500, String::new()));
    pds.put_faults([bare(), Fault::Before(Reply::Closed)]);
    let answer = publish(&social, &draft_id(), &post("sky", &["x"])).await;
    assert_eq!((answer.outcome, pds.texts().len()), (Outcome::Done, 1));
    pds.put_faults([bare(), bare(), bare()]);
    let id = draft_id();
    let answer = publish(&social, &id, &post("sky", &["y"])).await;
    assert_eq!(
        (answer.outcome, answer.retry, answer.differs),
        (Outcome::NotDone, true, false)
    );
    assert_eq!(
        answer.answer,
        "127.0.0.1 failed inside: Internal Server Error (HTTP 500); it is not there"
    );
    assert_eq!(pds.server.count("POST /xrpc/com.atproto.repo.putRecord"), 6);
    let answer = publish(&social, &id, &post("sky", &["y"])).await;
    assert_eq!(answer.outcome, Outcome::Done);
}

#[tokio::test]
async fn lost_answer_that_cannot_be_looked_up_is_unknown() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    pds.put_faults([Fault::After(Reply::Closed)]);
    // The first question is whether it is there already.
    pds.get_faults([Fault::None, Fault::Before(Reply::Text(503, String::new()))]);
    let id = draft_id();
    let answer = publish(&social, &id, &post("sky", &["x"])).await;
    assert_eq!(answer.outcome, Outcome::Unknown);
    let words = "whether the post is published is not known: the answer of 127.0.0.1 was lost: ";
    assert!(answer.answer.starts_with(words), "{}", answer.answer);
    assert!(
        answer.answer.ends_with(
            "it could not be looked for: 127.0.0.1 failed inside: Service Unavailable (HTTP 503)"
        ),
        "{}",
        answer.answer
    );
    let found = social
        .find_post(&FindArguments {
            reference: id,
            post: post("sky", &["x"]),
        })
        .await
        .unwrap();
    assert!(found.all && found.parts.len() == 1);
    assert_eq!(found.words, "it is published");
}

/// Two machines of one owner at the same moment: both have looked, one writes, the other is refused.
#[tokio::test]
async fn refused_swap_is_looked_up() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let not_yet = || {
        Fault::Before(Reply::Json(
            400,
            json!({"error": "RecordNotFound", "message": "Could not locate record"}),
        ))
    };
    for (text, outcome, differs) in [
        ("x", Outcome::Done, false),
        ("other", Outcome::NotDone, true),
    ] {
        let id = draft_id();
        let key = PostKey::of_draft(&id).unwrap().record_key(0);
        let there = json!({"text": text, "createdAt": "2026-05-01T12:00:00Z"});
        pds.state.lock().unwrap().records.insert(key, there);
        pds.get_faults([not_yet()]);
        let answer = publish(&social, &id, &post("sky", &["x"])).await;
        assert_eq!(
            (answer.outcome, answer.differs),
            (outcome, differs),
            "{answer:?}"
        );
    }
    assert_eq!(pds.texts(), ["x", "other"]);
}

#[tokio::test]
async fn expired_session_is_made_anew() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    publish(&social, &draft_id(), &post("sky", &["a"])).await;
    pds.state.lock().unwrap().expired = 1;
    let answer = publish(&social, &draft_id(), &post("sky", &["b"])).await;
    assert_eq!(answer.outcome, Outcome::Done);
    assert_eq!(
        pds.server
            .count("POST /xrpc/com.atproto.server.refreshSession"),
        1
    );
    {
        let mut state = pds.state.lock().unwrap();
        (state.expired, state.refresh_expired) = (2, true);
    }
    let answer = publish(&social, &draft_id(), &post("sky", &["c"])).await;
    assert_eq!(answer.outcome, Outcome::Done);
    assert_eq!(
        pds.server
            .count("POST /xrpc/com.atproto.server.createSession"),
        2
    );
    // It expires at once, and the password was taken back.
    {
        let mut state = pds.state.lock().unwrap();
        (state.expired, state.is_locked) = (9, true);
    }
    let answer = publish(&social, &draft_id(), &post("sky", &["d"])).await;
    assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, false));
    assert_eq!(
        answer.answer,
        "127.0.0.1 refuses the login: Invalid identifier or password; check `handle` and the app password in the \
         configuration"
    );
    assert_eq!(pds.texts(), ["a", "b", "c"]);
}

#[tokio::test]
async fn too_many_requests_are_told_with_the_wait() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let busy = Reply::Json(429, json!({"error": "RateLimitExceeded"})).with("Retry-After", "30");
    pds.put_faults([Fault::Before(busy)]);
    let answer = publish(&social, &draft_id(), &post("sky", &["x"])).await;
    assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, true));
    assert_eq!(
        answer.answer,
        "127.0.0.1 takes no more requests now; ask again in 30 s"
    );
    assert_eq!(pds.server.count("POST /xrpc/com.atproto.repo.putRecord"), 1);
}

#[tokio::test]
async fn refused_record_is_final() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let refusal =
        json!({"error": "InvalidRequest", "message": "Invalid app.bsky.feed.post record"});
    pds.put_faults([Fault::Before(Reply::Json(400, refusal))]);
    let answer = publish(&social, &draft_id(), &post("sky", &["x"])).await;
    assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, false));
    assert_eq!(
        answer.answer,
        "127.0.0.1 says no: Invalid app.bsky.feed.post record (HTTP 400)"
    );
}

/// A thread of five, cut after the third: it says so, and goes on behind it.
#[tokio::test]
async fn cut_thread_goes_on_where_it_stopped() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let wanted = post("sky", &["1", "2", "3", "4", "5"]);
    let id = draft_id();
    let bare = || Fault::Before(Reply::Text(500, String::new()));
    pds.put_faults([
        Fault::None,
        Fault::None,
        Fault::None,
        bare(),
        bare(),
        bare(),
    ]);
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.retry, answer.parts.len()),
        (Outcome::NotDone, true, 3)
    );
    assert_eq!(
        answer.answer,
        "3 of 5 posts are published; post 4 of 5 is not: 127.0.0.1 failed inside: Internal Server Error (HTTP 500); it is \
         not there"
    );
    let question = FindArguments {
        reference: id.clone(),
        post: wanted.clone(),
    };
    let found = social.find_post(&question).await.unwrap();
    assert!(!found.all);
    assert_eq!(found.words, "3 of 5 posts are published");
    assert_eq!(found.parts.iter().filter(|part| part.is_some()).count(), 3);
    // By another process.
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Done, 5));
    assert_eq!(pds.texts(), ["1", "2", "3", "4", "5"]);
    let key = PostKey::of_draft(&id).unwrap();
    let fourth = pds.state.lock().unwrap().records[&key.record_key(3)].clone();
    assert_eq!(fourth["reply"]["parent"]["cid"], cid(&key.record_key(2)));
    assert_eq!(fourth["reply"]["root"]["cid"], cid(&key.record_key(0)));
}

#[tokio::test]
async fn deleted_part_is_not_published_again() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let wanted = post("sky", &["1", "2", "3"]);
    let id = draft_id();
    publish(&social, &id, &wanted).await;
    let key = PostKey::of_draft(&id).unwrap();
    pds.state.lock().unwrap().records.remove(&key.record_key(0));
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Done, 2));
    pds.state.lock().unwrap().records.remove(&key.record_key(2));
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.outcome, Outcome::Done);
    assert_eq!(pds.texts(), ["2", "3"]);
}

/// A draft that was edited after a part of it was published.
#[tokio::test]
async fn edited_part_that_is_published_differs() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let id = draft_id();
    publish(&social, &id, &post("sky", &["1"])).await;
    let answer = publish(&social, &id, &post("sky", &["one", "two"])).await;
    assert_eq!((answer.outcome, answer.differs), (Outcome::NotDone, true));
    assert_eq!(
        answer.answer,
        "1 of 2 posts are published; post 1 of 2 is published already, with another text"
    );
    let question = FindArguments {
        reference: id,
        post: post("sky", &["one"]),
    };
    let found = social.find_post(&question).await.unwrap();
    assert!(!found.all);
    assert_eq!(found.words, "the post is published with another text");
    assert_eq!(pds.texts(), ["1"]);
}

#[tokio::test]
async fn faulty_post_is_not_tried() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let mut answering = post("sky", &["x"]);
    answering.reply_to = Some("at://did:plc:ada/app.bsky.feed.post/none".into());
    for (wanted, words) in [
        (
            post("sky", &[&"x".repeat(301)]),
            "the post has 301 of 300 characters: 1 too many",
        ),
        (
            post("sky", &["hi @nobody.test"]),
            "`@nobody.test` leads to nobody",
        ),
        (answering, "the post that is answered is not there"),
        (post("sky", &[]), "the post has no text"),
    ] {
        let answer = publish(&social, &draft_id(), &wanted).await;
        assert_eq!((answer.outcome, answer.differs), (Outcome::NotDone, true));
        assert_eq!(answer.answer, words);
    }
    assert_eq!(pds.server.posted().len(), 0);
}

#[tokio::test]
async fn create_post_is_once_for_an_operation() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    for _ in 0..3 {
        let answer = social
            .create_post(&creation("news-1", &post("sky", &["x"])))
            .await
            .unwrap();
        assert_eq!(answer.outcome, Outcome::Done);
    }
    social
        .create_post(&creation("news-2", &post("sky", &["x"])))
        .await
        .unwrap();
    assert_eq!(pds.texts(), ["x", "x"]);
    for (operation, at, words) in [
        (
            "a b",
            "2026-05-01T12:00:00Z",
            "`operation` must be 1 to 200 letters, digits and - _ . : /",
        ),
        (
            "a",
            "yesterday",
            "`at` must be a time such as 2026-05-01T12:00:00Z",
        ),
        ("a", "1950-05-01T12:00:00Z", "`at` is before 1970"),
    ] {
        let mut arguments = creation(operation, &post("sky", &["x"]));
        arguments.at = at.to_owned();
        let error = social.create_post(&arguments).await.unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

/// An answer about another record is none: neither when it is written nor when it is looked for.
#[tokio::test]
async fn answers_about_other_records_are_not_believed() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let other: Value = json!({"uri": format!("at://{DID}/app.bsky.feed.post/2other"), "cid": "bafy", "value": {"text": "x"}});
    pds.put_faults([Fault::After(ok(other.clone()))]);
    let answer = publish(&social, &draft_id(), &post("sky", &["x"])).await;
    assert_eq!(answer.outcome, Outcome::Done);
    assert!(!answer.parts[0].contains("2other"), "{answer:?}");
    pds.put_faults([Fault::After(Reply::Closed)]);
    pds.get_faults([Fault::None, Fault::Before(ok(other))]);
    let answer = publish(&social, &draft_id(), &post("sky", &["y"])).await;
    assert_eq!(answer.outcome, Outcome::Unknown, "{answer:?}");
}
