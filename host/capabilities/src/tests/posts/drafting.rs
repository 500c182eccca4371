//! What a skill is told of accounts and posts, and what is saved.

use platinum_core::task_operation;
use serde_json::json;

use super::{Scripted, checked, failing, post, task, vault};
use crate::{
    bindings::platinum::social::{draft::Host as _, types::Error},
    server::ToolServer as _,
    social::read_only,
};

#[tokio::test]
async fn accounts_have_their_limits_or_a_problem() {
    let (_folder, vault) = vault();
    let server = Scripted::with([json!({ "accounts": [
        { "name": "sky", "network": "bluesky", "server": "https://bsky.test", "handle": "ada.test",
          "limits": { "max_characters": 300, "counted_as": "graphemes", "max_bytes": 3000, "max_media": 4,
            "max_media_bytes": 1_000_000, "media_types": ["image/png"], "has_content_warnings": false,
            "has_link_cards": true, "a_further_one": 1 } },
        { "name": "fedi", "network": "mastodon", "server": "https://m.test", "problem": "cannot reach\nm.test" },
    ] })]);
    let accounts = server.posting(&vault).accounts().await.unwrap().unwrap();
    let limits = accounts[0].limits.as_ref().unwrap();
    assert_eq!(
        (
            limits.max_characters,
            limits.max_bytes,
            limits.characters_per_url,
            limits.max_alt
        ),
        (300, Some(3000), None, None)
    );
    assert!(limits.has_link_cards && !limits.has_content_warnings);
    assert_eq!(accounts[1].problem.as_deref(), Some("cannot reach m.test"));
    assert!(accounts[1].limits.is_none() && accounts[1].handle.is_none());
    assert_eq!(server.asked(), [("list_accounts", json!({}))]);
    // A limit that is missing makes the answer one that is not understood.
    let odd = json!({ "accounts": [{ "name": "sky", "network": "bluesky", "server": "https://bsky.test",
        "limits": { "max_characters": 300 } }] });
    let refused = Scripted::with([odd])
        .posting(&vault)
        .accounts()
        .await
        .unwrap();
    assert!(
        matches!(&refused, Err(Error::Unavailable(why))
            if why.starts_with("its answer to `list_accounts` is not of the agreed form: ")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn recent_asks_for_own_posts_within_bounds() {
    let (_folder, vault) = vault();
    let one = json!({ "id": "at://1", "address": "https://bsky.test/1", "author": "ada.test\n", "text": "a\nb",
        "at": "2026-11-20T12:00:00Z", "is_own": true });
    let server = Scripted::with([json!({ "posts": [one, one, one] })]);
    let found = server.posting(&vault).recent("sky".into(), 2).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(
        (found[0].author.as_str(), found[0].text.as_str()),
        ("ada.test", "a\nb")
    );
    assert_eq!(
        server.asked(),
        [(
            "search_posts",
            json!({ "account": "sky", "limit": 2, "replies": false })
        )]
    );
    for limit in [0, 51] {
        let server = Scripted::with([]);
        let refused = server.posting(&vault).recent("sky".into(), limit).await;
        let why = format!("`limit` is {limit}; 1 to 50");
        assert!(matches!(refused.unwrap(), Err(Error::Invalid(text)) if text == why));
        assert!(server.asked().is_empty());
    }
}

/// What is too long is an answer: the skill shortens it.
#[tokio::test]
async fn check_answers_faults_and_counts() {
    let (_folder, vault) = vault();
    let fault = "part 1 has 312 of 300\ncharacters";
    let server = Scripted::with([checked(&[fault])]);
    let found = server.posting(&vault).check(post("Hello\n")).await;
    let found = found.unwrap().unwrap();
    assert_eq!(found.faults, ["part 1 has 312 of 300 characters"]);
    assert_eq!((found.parts[0].count, found.parts[0].max), (5, 300));
    let answers = found.answers.unwrap();
    assert_eq!(
        (answers.author.as_str(), answers.text.as_str()),
        ("Ann", "Tea?\n")
    );
    assert_eq!(
        server.asked(),
        [(
            "check_post",
            json!({ "post": { "account": "me", "parts": ["Hello"], "media": [] } })
        )]
    );
}

/// The same post of a task is saved under the same name, another one beside it.
#[tokio::test]
async fn save_names_the_draft_by_task_and_post() {
    let (_folder, vault) = vault();
    let saved = |existing: bool| json!({ "draft": "d-1", "existing": existing, "parts": [], "faults": [], "shown": "" });
    let server = Scripted::with([saved(false), saved(true), saved(false)]);
    let mut ctx = server.posting(&vault);
    for (text, is_new) in [("Hello", true), ("Hello\n", false), ("Hello!", true)] {
        let saved = ctx.save(post(text)).await.unwrap().unwrap();
        assert_eq!((saved.name.as_str(), saved.is_new), ("d-1", is_new));
    }
    let asked = server.asked();
    let operation = |nth: usize| asked[nth].1["operation"].as_str().unwrap().to_owned();
    assert!(operation(0).starts_with(&format!("{}-", task_operation(task(1)))));
    assert_eq!(operation(0), operation(1));
    assert_ne!(operation(0), operation(2));
    // A fault is the skill's to mend, a network that is away is not.
    let faulty = failing("part 1 has 312 of 300 characters");
    let refused = faulty.posting(&vault).save(post("Hello")).await.unwrap();
    assert!(
        matches!(&refused, Err(Error::Invalid(why)) if why == "part 1 has 312 of 300 characters"),
        "{refused:?}"
    );
    let away = failing("cannot reach bsky.test: refused");
    let refused = away.posting(&vault).save(post("Hello")).await.unwrap();
    assert!(matches!(refused, Err(Error::Unavailable(_))));
    let mut without_task = Scripted::with([]).posting(&vault);
    without_task.task = None;
    let refused = without_task.save(post("Hello")).await.unwrap();
    assert!(
        matches!(&refused, Err(Error::Refused(why))
            if why == "a draft is saved for a task, and this run is for none"),
        "{refused:?}"
    );
}

#[tokio::test]
async fn trial_reads_and_saves_nothing() {
    let asked = Scripted::with([]);
    let server = read_only(asked.clone());
    for tool in ["draft_post", "publish_post", "create_post"] {
        let refused = server.call(tool, json!({})).await.unwrap_err();
        assert_eq!(
            refused.into_words(),
            "this is a trial, and a trial saves no draft of a post"
        );
    }
    assert!(asked.asked().is_empty());
    let _ = server.call("check_post", json!({})).await;
    assert_eq!(asked.asked().len(), 1);
}
