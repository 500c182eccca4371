//! Servers that answer anything: nothing is asked that was not to be asked, nothing leads elsewhere, and no secret is in
//! an answer.

use platinum_social::ActingService;
use platinum_social::finding::FindArguments;
use platinum_social::publishing::PublishArguments;
use platinum_social_client::Post;
use platinum_social_draft::drafting::DraftArguments;
use platinum_social_draft::reading::{GetArguments, ListArguments, SearchArguments};
use serde_json::json;

use crate::fake::mastodon::FakeMastodon;
use crate::fake::pds::FakePds;
use crate::fixture::{AT, Fixture, SECRET, draft_id, post};
use crate::scripted::{Asked, Reply, Scripted, lost_answers};

/// Calls every tool; what they answer, or which errors.
async fn call_all(social: &ActingService, post: &Post) -> Vec<String> {
    let reading = social.as_ref();
    let account = post.account.clone();
    let reference = draft_id();
    let search = SearchArguments {
        account: account.clone(),
        query: Some("x".into()),
        limit: 5,
        replies: true,
    };
    let get = GetArguments {
        account,
        id: post.reply_to.clone().unwrap_or_default(),
    };
    let draft = DraftArguments {
        post: post.clone(),
        operation: reference.clone(),
    };
    let publish = PublishArguments {
        reference: reference.clone(),
        at: AT.to_owned(),
        post: post.clone(),
    };
    let find = FindArguments {
        reference,
        post: post.clone(),
    };
    vec![
        format!("{:?}", reading.list_accounts(&ListArguments {}).await),
        format!("{:?}", reading.search_posts(&search).await),
        format!("{:?}", reading.get_post(&get).await),
        format!("{:?}", reading.check(post).await),
        format!("{:?}", reading.draft_post(&draft).await),
        format!("{:?}", social.publish_post(&publish).await),
        format!("{:?}", social.find_post(&find).await),
    ]
}

/// Every request that may be made, and nothing else.
fn is_allowed(asked: &Asked) -> bool {
    const POSTS: [&str; 7] = [
        "/xrpc/com.atproto.server.createSession",
        "/xrpc/com.atproto.server.refreshSession",
        "/xrpc/com.atproto.repo.putRecord",
        "/xrpc/com.atproto.repo.uploadBlob",
        "/api/v1/statuses",
        "/api/v1/media",
        "/api/v2/media",
    ];
    match asked.method.as_str() {
        "GET" => true,
        "POST" => POSTS.contains(&asked.path.as_str()),
        _ => false,
    }
}

fn accounts(url: &str) -> Vec<(Fixture, Post)> {
    let mut sky = post("sky", &["hi @ada.test https://example.com/", "two"]);
    sky.reply_to = Some("at://did:plc:ada/app.bsky.feed.post/2x".into());
    let mut fedi = post("fedi", &["hi @ada @bob@other.example", "two"]);
    fedi.reply_to = Some("https://elsewhere.example/@ada/7".into());
    vec![(Fixture::bluesky(url), sky), (Fixture::mastodon(url), fedi)]
}

#[tokio::test]
async fn odd_answers_end_every_tool_with_words() {
    let mut replies = lost_answers();
    replies.retain(|reply| !matches!(reply, Reply::Silent));
    replies.extend([
        Reply::Redirect("http://127.0.0.1:9/elsewhere".into()),
        Reply::Json(401, json!({"error": "x"})),
        Reply::Json(403, json!({"error": {"deep": [1]}})),
        Reply::Json(404, json!(null)),
        Reply::Json(429, json!(["x"])),
        Reply::Json(200, json!({"did": "../..", "id": "../x", "version": 7, "records": [{}], "accessJwt": 1})),
        Reply::Json(200, json!({"did": "did:plc:x", "id": "1", "version": "4.3.1", "records": [null], "cursor": "c"})),
    ]);
    for reply in replies {
        let answered = reply.clone();
        let server = Scripted::start(move |_| answered.clone()).unwrap();
        for (fixture, post) in accounts(&server.url()) {
            for answer in call_all(&fixture.acting(), &post).await {
                assert!(answer.len() < 5_000, "{reply:?}: {answer}");
                assert!(!answer.contains(SECRET), "{reply:?}: {answer}");
                assert!(!answer.contains("outcome: Done"), "{reply:?}: {answer}");
            }
        }
        let asked = server.asked();
        assert!(!asked.is_empty());
        for asked in asked {
            assert!(is_allowed(&asked), "{}", asked.line());
            // Reading Bluesky shows nobody anything secret.
            let is_xrpc_read = asked.method == "GET" && asked.path.starts_with("/xrpc/");
            assert!(!is_xrpc_read || asked.header("authorization").is_none());
        }
    }
}

/// A server that says back all that it was sent.
#[tokio::test]
async fn echoing_server_gets_no_secret_into_an_answer() {
    for status in [400, 401, 403, 404, 422, 500, 503] {
        let server = Scripted::start(move |asked: &Asked| {
            let body = String::from_utf8_lossy(&asked.body).into_owned();
            let words = format!("{} {body}", asked.head);
            Reply::Json(status, json!({"error": words, "message": words}))
        })
        .unwrap();
        for (fixture, post) in accounts(&server.url()) {
            for answer in call_all(&fixture.acting(), &post).await {
                assert!(!answer.contains(SECRET), "{answer}");
            }
        }
    }
}

/// The server redirects at each step to another one, which records what reaches it: nothing.
#[tokio::test]
async fn redirects_reach_nobody() {
    let elsewhere = Scripted::start(|_| Reply::Json(200, json!({}))).unwrap();
    for step in 0..12 {
        let pds = FakePds::start().await;
        pds.state.lock().unwrap().redirect = Some((step, format!("{}/x", elsewhere.url())));
        let social = Fixture::bluesky(&pds.server.url()).acting();
        let arguments = PublishArguments {
            reference: draft_id(),
            at: AT.to_owned(),
            post: post("sky", &["hi @ada.test", "two"]),
        };
        // Whatever comes of it.
        let answer = format!("{:?}", social.publish_post(&arguments).await);
        let is_redirected = pds.state.lock().unwrap().redirect.is_none();
        assert!(is_redirected || step > 8, "{step}: {answer}");
        assert_eq!(
            answer.contains("which is not followed"),
            is_redirected,
            "{step}: {answer}"
        );
    }
    assert!(elsewhere.asked().is_empty());
}

/// A post that names other places reaches only its server.
#[tokio::test]
async fn addresses_in_a_post_are_not_visited() {
    let elsewhere = Scripted::start(|_| Reply::Json(200, json!({}))).unwrap();
    let place = elsewhere.url();
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let mut fedi = post("fedi", &["see https://example.com/"]);
    for reference in [
        format!("{place}/@ada/1"),
        "file:///etc/passwd".into(),
        "../../x".into(),
    ] {
        fedi.reply_to = Some(reference);
        call_all(&social, &fedi).await;
    }
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).acting();
    let mut sky = post("sky", &["x"]);
    for reference in [
        format!("{place}/profile/ada.test/post/1"),
        "at://../x".into(),
    ] {
        sky.reply_to = Some(reference);
        call_all(&social, &sky).await;
    }
    assert!(elsewhere.asked().is_empty());
    assert!(server.server.posted().is_empty() && pds.server.posted().is_empty());
}
