//! The servers of social networks of the test kit, used as a program would that posts there.

use platinum_testkit::{
    http_proxy::{Fate, HttpProxy},
    social::{FediverseServer, MastodonMock, Pds, Snac},
};
use serde_json::json;

/// A record that is there is not made again, with a bare 500: whoever tries it has to look.
#[test]
fn pds_refuses_a_second_record_of_one_key() {
    if !Pds::present().unwrap() {
        return;
    }
    let pds = Pds::shared().unwrap();
    let ann = pds.create_account("ann").unwrap();
    let login = json!({"identifier": ann.handle, "password": ann.app_password});
    let session = pds.call("com.atproto.server.createSession", None, Some(&login));
    let session = session.unwrap();
    let token = session["accessJwt"].as_str();
    let post = json!({
        "repo": ann.did, "collection": "app.bsky.feed.post", "rkey": "3mfabcdefg222",
        "record": {"$type": "app.bsky.feed.post", "text": "hello", "createdAt": "2026-11-29T00:00:00Z"},
    });
    let create = || pds.call("com.atproto.repo.createRecord", token, Some(&post));
    create().unwrap();
    assert_eq!(create().unwrap_err().status, 500);
    let posts = pds.posts(&ann).unwrap();
    assert_eq!(
        (posts.len(), &posts[0]["value"]["text"]),
        (1, &json!("hello"))
    );
    let other = pds.publish(&ann, "by hand", &json!({"langs": ["en"]}));
    assert_eq!(pds.posts(&ann).unwrap().len(), 2);
    pds.delete(&ann, &other.unwrap()).unwrap();
    assert_eq!(pds.posts(&ann).unwrap().len(), 1);
}

/// It does not know the header by which others know a post that was sent twice.
#[test]
fn snac_publishes_one_key_twice() {
    if !Snac::present().unwrap() {
        return;
    }
    let snac = Snac::shared().unwrap();
    let ann = snac.create_account("ann").unwrap();
    for _ in 0..2 {
        snac.publish(&ann, "hello", None).unwrap();
    }
    let posts = snac.posts(&ann).unwrap();
    assert_eq!(posts.len(), 2, "{posts:?}");
    let refused = snac.call("GET", "/api/v1/notifications", Some("none"), None);
    assert!(refused.is_err());
}

#[test]
fn mock_keeps_to_scopes_faults_and_keys() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::start().unwrap();
    let ann = mock.create_account("ann").unwrap();
    mock.publish(&ann, "hello", None).unwrap();
    let reader = mock.token_for(&ann, "read").unwrap();
    let wanted = json!({"status": "by a reader"});
    let refused = mock.call("POST", "/api/v1/statuses", Some(&reader), Some(&wanted));
    assert_eq!(refused.unwrap_err().status, 403);
    let writer = mock.token_for(&ann, "read write").unwrap();
    let written = mock.call("POST", "/api/v1/statuses", Some(&writer), Some(&wanted));
    written.unwrap();
    let path = "/api/v1/statuses";
    let fault = json!({"match": {"methods": ["POST"], "path": path}, "effect": {"type": "status", "status": 503}, "count": 1});
    mock.add_fault(&fault).unwrap();
    assert_eq!(mock.publish(&ann, "again", None).unwrap_err().status, 503);
    mock.publish(&ann, "again", None).unwrap();
    mock.expire_keys().unwrap();
    let posts = mock.posts(&ann).unwrap();
    assert_eq!(posts.len(), 3);
    mock.delete(&ann, posts[0]["id"].as_str().unwrap()).unwrap();
    assert_eq!(mock.posts(&ann).unwrap().len(), 2);
}

#[test]
fn http_proxy_loses_a_request_or_its_answer() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let mock = MastodonMock::shared().unwrap();
    let ann = mock.create_account("proxied").unwrap();
    let proxy = HttpProxy::start(&mock.url()).unwrap();
    let publish = |text: &str| {
        let output = std::process::Command::new("curl")
            .args(["--silent", "--fail", "--data", &format!("status={text}")])
            .args(["--header", &format!("Authorization: Bearer {}", ann.token)])
            .arg(format!("{}/api/v1/statuses", proxy.url()))
            .output();
        output.unwrap().status.success()
    };
    assert!(publish("one"));
    proxy.lose("two", Fate::LostBefore);
    assert!(!publish("two"));
    proxy.lose("three", Fate::LostAfter);
    assert!(!publish("three"));
    assert!(publish("four"));
    proxy.drain().unwrap();
    assert_eq!(mock.posts(&ann).unwrap().len(), 3);
}
