//! Publishing on Mastodon and what is like it: what is sent, and that it is there once, with keys and without.

use platinum_social::Outcome;
use platinum_social::finding::FindArguments;
use serde_json::json;

use crate::fake::mastodon::{FakeMastodon, refused};
use crate::fake::pds::Fault;
use crate::fixture::{Fixture, draft_id, post, publish};
use crate::scripted::{Reply, lost_answers};

#[tokio::test]
async fn post_is_a_form_with_its_key() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let asked = server.add("ada", "a question", "2026-01-01T00:00:00Z");
    let id = draft_id();
    let mut wanted = post(
        "fedi",
        &[
            "Hi @ada & @bob@other.example:\nüber https://example.com/x",
            "second",
        ],
    );
    wanted.language = Some("de".into());
    wanted.content_warning = Some("food".into());
    wanted.reply_to = Some(format!("https://m.example/@ada/{asked}"));
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    assert_eq!(
        answer.answer,
        "2 posts are published, from https://m.example/@me/101 on"
    );
    assert_eq!(
        answer.parts,
        ["https://m.example/@me/101", "https://m.example/@me/102"]
    );
    let posted = server.server.posted();
    assert_eq!(posted.len(), 2);
    let fields = |number: usize| {
        let asked = &posted[number];
        assert_eq!(asked.line(), "POST /api/v1/statuses");
        let names = [
            "status",
            "visibility",
            "in_reply_to_id",
            "spoiler_text",
            "sensitive",
            "language",
        ];
        names.map(|name| asked.form(name).unwrap_or_default())
    };
    assert_eq!(
        fields(0),
        [
            wanted.parts[0].as_str(),
            "public",
            "100",
            "food",
            "true",
            "de"
        ]
    );
    assert_eq!(fields(1), ["second", "public", "101", "food", "true", "de"]);
    for (number, asked) in posted.iter().enumerate() {
        let key = format!("{id}-{}", number + 1);
        assert_eq!(asked.header("Idempotency-Key"), Some(key.as_str()));
    }
    // Again, by another process.
    let social = Fixture::mastodon(&server.server.url()).acting();
    let again = publish(&social, &id, &wanted).await;
    assert_eq!(
        (again.answer.as_str(), again.parts),
        ("it was published before", answer.parts)
    );
    assert_eq!(server.server.posted().len(), 2);
}

#[tokio::test]
async fn visibility_is_that_of_the_account() {
    let server = FakeMastodon::start().await;
    let text = format!(
        "[accounts.fedi]\nnetwork = 'mastodon'\nserver = '{}'\ntoken = {{ file = 'secret' }}\nvisibility = 'private'\n",
        server.server.url()
    );
    let social = Fixture::new(&text).acting();
    publish(&social, &draft_id(), &post("fedi", &["x"])).await;
    let posted = server.server.posted();
    assert_eq!(posted[0].form("visibility").as_deref(), Some("private"));
}

/// The answer is lost after the server took the post, in each way there is, a hundred times: it is there once, also where
/// keys are ignored.
#[tokio::test]
async fn lost_answer_after_acceptance_publishes_once() {
    for server in [
        FakeMastodon::start().await,
        FakeMastodon::ignoring_keys().await,
    ] {
        let social = Fixture::mastodon(&server.server.url()).acting();
        let answers: Vec<Reply> = lost_answers()
            .into_iter()
            .filter(|reply| !matches!(reply, Reply::Silent))
            .collect();
        for (number, reply) in answers.iter().cycle().take(100).enumerate() {
            server.post_faults([Fault::After(reply.clone())]);
            let text = format!("text {number}");
            let id = draft_id();
            let answer = publish(&social, &id, &post("fedi", &[&text])).await;
            assert_eq!(answer.outcome, Outcome::Done, "{reply:?}: {answer:?}");
            let again = publish(&social, &id, &post("fedi", &[&text])).await;
            assert_eq!(again.answer, "it was published before");
        }
        let mut texts = server.texts();
        assert_eq!(texts.len(), 100);
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), 100);
    }
}

/// Where keys count, a part that is not there is asked for again; else it may still appear.
#[tokio::test]
async fn lost_answer_without_a_post_depends_on_the_keys() {
    for reply in [
        Reply::Closed,
        Reply::Silent,
        Reply::Text(502, String::new()),
    ] {
        let server = FakeMastodon::start().await;
        let social = Fixture::mastodon(&server.server.url()).acting();
        server.post_faults([Fault::Before(reply.clone())]);
        let answer = publish(&social, &draft_id(), &post("fedi", &["x"])).await;
        assert_eq!((answer.outcome, server.texts().len()), (Outcome::Done, 1));
        // Always: the last one may still appear.
        server.post_faults([0; 3].map(|_| Fault::Before(reply.clone())));
        let answer = publish(&social, &draft_id(), &post("fedi", &["y"])).await;
        assert_eq!(answer.outcome, Outcome::Unknown, "{answer:?}");

        let server = FakeMastodon::ignoring_keys().await;
        let social = Fixture::mastodon(&server.server.url()).acting();
        server.post_faults([Fault::Before(reply)]);
        let answer = publish(&social, &draft_id(), &post("fedi", &["x"])).await;
        assert_eq!(answer.outcome, Outcome::Unknown);
        assert!(
            answer
                .answer
                .ends_with("; it is not among the account's posts now, and may still appear"),
            "{}",
            answer.answer
        );
        assert_eq!(server.server.posted().len(), 1);
    }
}

#[tokio::test]
async fn bare_failure_without_a_post_is_tried_again() {
    for server in [
        FakeMastodon::start().await,
        FakeMastodon::ignoring_keys().await,
    ] {
        let social = Fixture::mastodon(&server.server.url()).acting();
        let bare = || Fault::Before(Reply::Text(500, String::new()));
        server.post_faults([bare(), bare()]);
        let answer = publish(&social, &draft_id(), &post("fedi", &["x"])).await;
        assert_eq!((answer.outcome, server.texts().len()), (Outcome::Done, 1));
        server.post_faults([bare(), bare(), bare()]);
        let answer = publish(&social, &draft_id(), &post("fedi", &["y"])).await;
        assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, true));
        assert_eq!(
            answer.answer,
            "127.0.0.1 failed inside: Internal Server Error (HTTP 500); it is not among the account's posts"
        );
    }
}

#[tokio::test]
async fn lost_answer_that_cannot_be_looked_up_is_unknown() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    server.post_faults([Fault::After(Reply::Closed)]);
    let away = Fault::Before(Reply::Text(503, String::new()));
    server
        .state
        .lock()
        .unwrap()
        .list_faults
        .extend([Fault::None, away]);
    let id = draft_id();
    let wanted = post("fedi", &["x"]);
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.outcome, Outcome::Unknown);
    assert!(
        answer.answer.contains("; it could not be looked for: "),
        "{}",
        answer.answer
    );
    let question = FindArguments {
        reference: id,
        post: wanted,
    };
    assert!(social.find_post(&question).await.unwrap().all);
}

/// The owner edited the draft after an attempt that came to nothing known: for its key the server answers the post of then.
#[tokio::test]
async fn edited_post_of_a_known_key_differs() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    server.post_faults([Fault::After(Reply::Closed)]);
    let away = Fault::Before(Reply::Text(503, String::new()));
    server
        .state
        .lock()
        .unwrap()
        .list_faults
        .extend([Fault::None, away]);
    let id = draft_id();
    let answer = publish(&social, &id, &post("fedi", &["one"])).await;
    assert_eq!(answer.outcome, Outcome::Unknown);
    let answer = publish(&social, &id, &post("fedi", &["another one"])).await;
    assert_eq!(
        (answer.outcome, answer.differs),
        (Outcome::NotDone, true),
        "{answer:?}"
    );
    assert_eq!(
        answer.answer,
        "the post is published already, with another text"
    );
    assert_eq!(server.texts(), ["one"]);
}

/// The key has expired, or was never kept: the account's own posts are compared.
#[tokio::test]
async fn retry_after_the_key_expired_finds_the_post() {
    let server = FakeMastodon::ignoring_keys().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let id = draft_id();
    let wanted = post("fedi", &["one & <two>", "one & <two>", "three"]);
    publish(&social, &id, &wanted).await;
    // Much was written since.
    for number in 0..60 {
        server.add(
            "me",
            &format!("other {number}"),
            &jiff::Timestamp::now().to_string(),
        );
    }
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.answer, "it was published before");
    assert_eq!(server.server.posted().len(), 3);
}

/// Another thread whose last post has the same text is not it, and one in the middle that was deleted is not missed.
#[tokio::test]
async fn parts_are_those_of_their_own_thread() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    publish(
        &social,
        &draft_id(),
        &post("fedi", &["one", "middle", "#tags"]),
    )
    .await;
    let id = draft_id();
    let wanted = post("fedi", &["two", "middle", "#tags"]);
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Done, 3));
    assert_eq!(
        server.texts(),
        ["one", "middle", "#tags", "two", "middle", "#tags"]
    );
    // The server takes the middle one out of the thread.
    {
        let mut state = server.state.lock().unwrap();
        state.statuses[4]["source"] = json!("gone");
        state.statuses[4]["content"] = json!("gone");
        state.statuses[5]["in_reply_to_id"] = json!(null);
    }
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(
        (answer.answer.as_str(), answer.parts.len()),
        ("it was published before", 2)
    );
    assert_eq!(server.server.posted().len(), 6);
}

/// snac gives all posts whatever is asked for, and its HTML has no tag that it was not given; at some number it is not known
/// whether it gives all.
#[tokio::test]
async fn whole_lists_and_raw_tags_are_compared() {
    let server = FakeMastodon::snac().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let id = draft_id();
    let wanted = post("fedi", &["Hi <you>, *there*", "second"]);
    publish(&social, &id, &wanted).await;
    let now = || jiff::Timestamp::now().to_string();
    for number in 0..60 {
        server.add("me", &format!("other {number}"), &now());
    }
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(answer.answer, "it was published before");
    assert_eq!(server.server.posted().len(), 2);
    for number in 0..200 {
        server.add("me", &format!("more {number}"), &now());
    }
    let arguments = FindArguments {
        reference: id,
        post: wanted,
    };
    let error = social.find_post(&arguments).await.unwrap_err().to_string();
    assert!(error.contains("too many posts"), "{error}");
}

/// What was written before the draft was made is not it, though the text is the same; nor is another's.
#[tokio::test]
async fn older_post_of_the_same_text_is_not_it() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    server.add("me", "good morning", "2026-01-01T08:00:00Z");
    server.add("ada", "good morning", &jiff::Timestamp::now().to_string());
    let answer = publish(&social, &draft_id(), &post("fedi", &["good morning"])).await;
    assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Done, 1));
    assert_eq!(server.server.posted().len(), 1);
}

/// What the owner has written by hand since the draft was made is it.
#[tokio::test]
async fn post_by_hand_is_found() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    let id = draft_id();
    server.add("me", "good  morning\n", &jiff::Timestamp::now().to_string());
    let answer = publish(&social, &id, &post("fedi", &["good morning"])).await;
    assert_eq!(answer.answer, "it was published before");
    let mut warned = post("fedi", &["good morning"]);
    warned.content_warning = Some("early".into());
    let question = FindArguments {
        reference: id,
        post: warned,
    };
    let found = social.find_post(&question).await.unwrap();
    assert_eq!(
        (found.all, found.words.as_str()),
        (false, "nothing of it is published")
    );
}

/// A server that makes something else of the text is asked for its source; one without it is not believed to have it.
#[tokio::test]
async fn changed_text_is_found_by_its_source() {
    for (has_sources, posts) in [(true, 1), (false, 2)] {
        let server = FakeMastodon::ignoring_keys().await;
        {
            let mut state = server.state.lock().unwrap();
            (state.reads_markdown, state.has_sources) = (true, has_sources);
        }
        let social = Fixture::mastodon(&server.server.url()).acting();
        let id = draft_id();
        publish(&social, &id, &post("fedi", &["a **bold** word"])).await;
        publish(&social, &id, &post("fedi", &["a **bold** word"])).await;
        assert_eq!(server.server.posted().len(), posts);
    }
}

#[tokio::test]
async fn cut_thread_goes_on_where_it_stopped() {
    for server in [
        FakeMastodon::start().await,
        FakeMastodon::ignoring_keys().await,
    ] {
        let social = Fixture::mastodon(&server.server.url()).acting();
        let wanted = post("fedi", &["1", "2", "3", "4", "5"]);
        let id = draft_id();
        let busy = Reply::Json(429, json!({"error": "Too many requests"})).with("Retry-After", "9");
        server.post_faults([Fault::None, Fault::None, Fault::None, Fault::Before(busy)]);
        let answer = publish(&social, &id, &wanted).await;
        assert_eq!(
            (answer.outcome, answer.retry, answer.parts.len()),
            (Outcome::NotDone, true, 3)
        );
        assert_eq!(
            answer.answer,
            "3 of 5 posts are published; post 4 of 5 is not: 127.0.0.1 takes no more requests now; ask again in 9 s"
        );
        let answer = publish(&social, &id, &wanted).await;
        assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Done, 5));
        assert_eq!(server.texts(), ["1", "2", "3", "4", "5"]);
        let replies: Vec<String> = server
            .state
            .lock()
            .unwrap()
            .statuses
            .iter()
            .map(|status| status["in_reply_to_id"].as_str().unwrap_or("-").to_owned())
            .collect();
        assert_eq!(replies, ["-", "100", "101", "102", "103"]);
    }
}

#[tokio::test]
async fn thread_in_doubt_says_which_part() {
    let server = FakeMastodon::ignoring_keys().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    server.post_faults([Fault::None, Fault::Before(Reply::Closed)]);
    let answer = publish(&social, &draft_id(), &post("fedi", &["1", "2", "3"])).await;
    assert_eq!((answer.outcome, answer.parts.len()), (Outcome::Unknown, 1));
    let words = "1 of 3 posts are published; whether post 2 of 3 is published is not known: ";
    assert!(answer.answer.starts_with(words), "{}", answer.answer);
}

#[tokio::test]
async fn refusal_is_final_and_told() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    for (status, words) in [
        (422, "Validation failed: Text is too long"),
        (403, "This action is outside the authorized scopes"),
        (401, "The access token is invalid"),
    ] {
        server.post_faults([Fault::Before(refused(status, words))]);
        let answer = publish(&social, &draft_id(), &post("fedi", &["x"])).await;
        assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, false));
        assert_eq!(
            answer.answer,
            format!("127.0.0.1 says no: {words} (HTTP {status})")
        );
    }
    assert!(server.texts().is_empty());
}

#[tokio::test]
async fn account_without_a_token_publishes_nothing() {
    let server = FakeMastodon::start().await;
    let text = format!(
        "[accounts.fedi]\nnetwork = 'mastodon'\nserver = '{}'\nhandle = 'me'\n",
        server.server.url()
    );
    let social = Fixture::new(&text).acting();
    let answer = publish(&social, &draft_id(), &post("fedi", &["x"])).await;
    assert_eq!((answer.outcome, answer.retry), (Outcome::NotDone, false));
    assert_eq!(
        answer.answer,
        "the account has no `token` in the configuration, and cannot publish"
    );
    assert_eq!(server.server.posted().len(), 0);
}

#[tokio::test]
async fn flood_of_posts_since_the_draft_is_not_guessed_at() {
    let server = FakeMastodon::start().await;
    let social = Fixture::mastodon(&server.server.url()).acting();
    for number in 0..450 {
        server.add(
            "me",
            &format!("{number}"),
            &jiff::Timestamp::now().to_string(),
        );
    }
    let arguments = FindArguments {
        reference: draft_id(),
        post: post("fedi", &["x"]),
    };
    let error = social.find_post(&arguments).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the account has too many posts since the draft was made to compare it with them"
    );
}
