//! Attempts: their answers, those that are lost, threads that were cut, the end of the process at each call.

use super::*;

/// What leaves is what was approved: its parts, its pictures with their hash and content, the time of the approval.
#[tokio::test]
async fn approved_post_is_published_once() {
    let posts = Posts::new();
    let picture = path("Inbox/attachments/a.jpg");
    posts.fixture.vault.create(&picture, b"foo").unwrap();
    let post = SocialPublish {
        language: Some("en".to_owned()),
        reply_to: Some("https://bsky.test/9".to_owned()),
        content_warning: Some("Food".to_owned()),
        link: Some("https://a.test".to_owned()),
        media: vec![Media {
            path: picture,
            alt: "A desk".to_owned(),
        }],
        ..post("One\r\n---\r\n\r\nTwo 👩\u{200D}👧\n\n")
    };
    posts.fixture.approve(&posting(1, &post));
    posts
        .server
        .answers(Ok(crate::done("published: https://bsky.test/1")));
    let receipt = posts.next().await.unwrap();
    let reference = id(1).to_string().to_lowercase();
    assert_eq!(
        (&*receipt.reference, &*receipt.answer),
        (&*reference, "published: https://bsky.test/1")
    );
    let published = posts.server.published.lock().unwrap().clone();
    assert_eq!(published.len(), 1);
    assert_eq!(
        (&published[0].reference, published[0].at),
        (&reference, NOON.parse().unwrap())
    );
    assert_eq!(
        serde_json::to_value(&published[0].post).unwrap(),
        serde_json::json!({
            "account": "me", "parts": ["One", "Two 👩\u{200D}👧"], "language": "en",
            "reply_to": "https://bsky.test/9", "content_warning": "Food",
            "link": { "url": "https://a.test", "title": "", "description": "" },
            "media": [{ "name": "a.jpg", "type": "image/jpeg", "size": 3, "alt": "A desk", "data": "Zm9v",
                "sha256": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae" }],
        })
    );
    assert_eq!(
        posts.state().await,
        "done at 2026-11-20T12:00:00Z: published: https://bsky.test/1"
    );
    assert!(posts.handed_out().await.is_none());
}

/// Everything that the server may answer to an attempt, and what becomes of the draft.
#[tokio::test]
async fn every_answer_of_an_attempt_has_its_end() {
    for (answer, state, tries) in [
        (
            Ok(crate::done("published")),
            "done at 2026-11-20T12:00:00Z: published",
            1,
        ),
        (
            Err(NotDone::new(
                "bsky.test takes no more requests now; ask again in 60 s",
                true,
            )),
            "tried again at 2026-11-20T12:00:30Z: bsky.test takes no more requests now; ask again in 60 s",
            2,
        ),
        (
            Err(NotDone::new("a.jpg is larger than 1000000 bytes", false)),
            "refused: a.jpg is larger than 1000000 bytes; mend what it says and approve it again, or move it to \
             Rejected",
            1,
        ),
        (lost(), "may have happened: the answer was lost", 1),
    ] {
        let posts = Posts::new();
        posts.fixture.approve(&hello());
        posts.server.answers(answer);
        let _ = posts.next().await;
        assert_eq!(posts.state().await, state);
        posts.fixture.pass(86_400);
        if posts.handed_out().await.is_some() {
            posts.next().await.unwrap();
        }
        assert_eq!(posts.server.count("publish"), tries, "{state}");
    }
}

/// What became of an attempt without an answer is seen on the network; if it is not, its owner is asked.
#[tokio::test]
async fn lost_answer_is_asked_after_and_never_repeated() {
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    posts.server.answers(lost());
    posts.server.happens(|network| network.has(1));
    assert_eq!(
        posts.next().await.unwrap().answer,
        "it is published: https://bsky.test/1"
    );
    // It is not there, or was deleted since: asked, and not published again by itself.
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    posts.server.answers(lost());
    posts.next().await.unwrap_err();
    assert_eq!(
        posts.doubts().await,
        ["It is not on the network now: it was not published, or you deleted it since."]
    );
    assert!(posts.handed_out().await.is_none());
    *posts.server.away.lock().unwrap() = Some("cannot reach bsky.test".to_owned());
    assert_eq!(
        posts.doubts().await,
        ["The other side could not be asked yet."]
    );
    *posts.server.away.lock().unwrap() = None;
    posts.server.has(1);
    assert_eq!(posts.executor.reconcile().await.unwrap().confirmed, 1);
    assert_eq!(
        posts.state().await,
        "done at 2026-11-20T12:00:00Z: it is published: https://bsky.test/1"
    );
    assert_eq!(posts.server.count("publish"), 1);
}

/// A thread that was cut goes on where it stopped, under the same name.
#[tokio::test]
async fn cut_thread_goes_on_under_its_name() {
    let posts = Posts::new();
    posts.fixture.approve(&thread());
    let why = "2 of 3 posts are published; the third: bsky.test takes no more requests now";
    posts.server.answers(Err(NotDone::new(why, true)));
    posts.server.happens(|network| network.has(2));
    posts.next().await.unwrap_err();
    assert_eq!(
        posts.state().await,
        format!("tried again at 2026-11-20T12:00:30Z: {why}")
    );
    posts.fixture.pass(30);
    posts.next().await.unwrap();
    let published = posts.server.published.lock().unwrap().clone();
    assert_eq!(published.len(), 2);
    assert_eq!(published[0].reference, published[1].reference);
    // The time that it bears is that of its approval, whenever it leaves.
    assert_eq!(published[0].at, published[1].at);
    // What is its own beginning is not taken for its owner's.
    assert_eq!(posts.server.count("own"), 1);
}

/// Of a thread whose end is not known, its owner reads how far it came, and decides.
#[tokio::test]
async fn cut_thread_in_doubt_says_how_far_it_came() {
    let posts = Posts::new();
    posts.fixture.approve(&thread());
    posts.server.answers(lost());
    posts.server.happens(|network| network.has(2));
    posts.next().await.unwrap_err();
    let there = "2 of 3 posts are published: https://bsky.test/1, https://bsky.test/2";
    assert_eq!(
        posts.state().await,
        format!("may have happened: the answer was lost; {there}")
    );
    assert_eq!(
        posts.doubts().await,
        [format!(
            "{there}. Sent again, it goes on where it stopped: what is there is not published twice."
        )]
    );
    posts.executor.let_go(id(1)).await.unwrap();
    posts.fixture.confirm(id(1));
    let receipt = posts.next().await.unwrap();
    let reference = id(1).to_string().to_lowercase();
    assert_eq!(receipt.reference, format!("{reference}.2"));
    let published = posts.server.published.lock().unwrap().clone();
    assert!(published.iter().all(|asked| asked.reference == reference));
    assert_eq!(published.len(), 2);
}

/// The process ends while it waits for any of its calls: what is begun again publishes once.
#[tokio::test]
async fn crash_at_any_call_publishes_once() {
    for (call, nth, is_certain) in [
        ("find", 1, true),
        ("find", 2, true),
        ("own", 1, true),
        ("check", 1, true),
        ("publish", 1, false),
    ] {
        let posts = Posts::new();
        posts.fixture.approve(&hello());
        let posts = posts.dies_at(call, nth).await;
        let doubts = posts.doubts().await;
        assert_eq!(doubts.is_empty(), is_certain, "{call} {nth}: {doubts:?}");
        match is_certain {
            true => drop(posts.next().await.unwrap()),
            false => {
                assert!(posts.handed_out().await.is_none());
                posts.server.has(1);
                assert_eq!(posts.executor.reconcile().await.unwrap().confirmed, 1);
            }
        }
        assert!(posts.state().await.starts_with("done at "), "{call} {nth}");
        assert_eq!(posts.server.count("publish"), 1, "{call} {nth}");
    }
}

/// The process ends right before the call, and between the answer and its record.
#[test]
fn crash_at_a_fail_point_of_a_post_publishes_once() {
    for (point, published) in [("social-post-read", 0), ("social-post-answered", 1)] {
        let posts = Posts::new();
        posts.fixture.approve(&hello());
        posts.server.happens(|network| network.has(1));
        let posts = posts.dies_at_point(point);
        posts.comes_to_its_end(published == 1);
        assert_eq!(posts.server.count("publish"), 1, "{point}");
    }
}
