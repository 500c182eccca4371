//! Accounts, posts, the search, and the check of a post.

use platinum_social_client::Post;
use platinum_social_draft::Checked;
use platinum_social_draft::SocialService;
use platinum_social_draft::reading::{GetArguments, ListArguments, SearchArguments};
use serde_json::json;

use crate::fake::mastodon::FakeMastodon;
use crate::fake::pds::FakePds;
use crate::fixture::{Fixture, SECRET, post};
use crate::scripted::{Reply, Scripted};

async fn check(social: &SocialService, post: &Post) -> Checked {
    social.check(post).await.unwrap()
}

#[tokio::test]
async fn accounts_are_listed_with_limits_or_their_problem() {
    let (pds, server) = (FakePds::start().await, FakeMastodon::start().await);
    let social = Fixture::new(&format!(
        "[accounts.sky]\nnetwork = 'bluesky'\nserver = '{}'\nhandle = 'me.test'\n[accounts.fedi]\nnetwork = 'mastodon'\n\
         server = '{}'\ntoken = {{ file = 'secret' }}\n[accounts.gone]\nnetwork = 'bluesky'\nserver = 'http://127.0.0.1:1'\n\
         handle = 'x.test'\n",
        pds.server.url(),
        server.server.url()
    ))
    .drafting();
    let accounts = social
        .list_accounts(&ListArguments {})
        .await
        .unwrap()
        .accounts;
    let names: Vec<_> = accounts
        .iter()
        .map(|account| account.name.as_str())
        .collect();
    assert_eq!(names, ["fedi", "gone", "sky"]);
    let domain = server.server.url().replace("http://", "");
    assert_eq!(accounts[0].handle, format!("me@{domain}"));
    let limits = accounts[0].limits.as_ref().unwrap();
    assert_eq!(
        (limits.max_characters, limits.characters_per_url),
        (500, Some(23))
    );
    let problem = accounts[1].problem.as_ref().unwrap();
    assert!(problem.starts_with("cannot reach 127.0.0.1: "), "{problem}");
    assert_eq!(
        (accounts[1].handle.as_str(), &accounts[1].limits),
        ("x.test", &None)
    );
    assert_eq!(accounts[2].network, "bluesky");
    let shown = serde_json::to_value(&accounts[2]).unwrap();
    assert_eq!(shown["limits"]["counted_as"], "graphemes");
    assert_eq!(shown["limits"]["max_bytes"], 3000);
    assert!(!format!("{accounts:?}").contains(SECRET));
    // Once an hour.
    social.list_accounts(&ListArguments {}).await.unwrap();
    assert_eq!(server.server.count("GET /api/v2/instance"), 1);
}

#[tokio::test]
async fn check_shows_the_post_and_what_it_answers() {
    let pds = FakePds::start().await;
    let social = Fixture::bluesky(&pds.server.url()).drafting();
    let record =
        json!({"text": "What is\n[this](https://evil.test)?", "createdAt": "2026-01-01T00:00:00Z"});
    pds.state
        .lock()
        .unwrap()
        .records
        .insert("2q".into(), record);
    let mut wanted = post("sky", &["@ada.test: a cat", "👩\u{200d}👧"]);
    wanted.reply_to = Some("at://did:plc:ada/app.bsky.feed.post/2q".into());
    let checked = check(&social, &wanted).await;
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert_eq!((checked.parts[0].count, checked.parts[0].max), (16, 300));
    assert_eq!(
        (checked.parts[1].count, checked.parts[1].bytes),
        (1, Some(11))
    );
    let answers = checked.answers.unwrap();
    assert_eq!(answers.author, "ada.test");
    assert_eq!(answers.address, "https://bsky.app/profile/ada.test/post/2q");
    assert_eq!(
        checked.shown,
        "\
**Bluesky** · me.test · seen by everybody

Answers ada.test (https:\\//bsky.app/profile/ada.test/post/2q):
> What is
> \\[this\\]\\(https:\\//evil.test\\)?

- Post 1 of 2: 16 of 300 characters: \\@ada.test: a cat
    - mention \\@ada.test, account did:plc:ada
- Post 2 of 2: 1 of 300 characters: 👩\u{200d}👧
"
    );
    assert!(pds.server.posted().is_empty());
}

#[tokio::test]
async fn check_says_what_is_wrong_in_words() {
    let (pds, server) = (FakePds::start().await, FakeMastodon::start().await);
    let social = Fixture::new(&format!(
        "[accounts.sky]\nnetwork = 'bluesky'\nserver = '{}'\nhandle = 'me.test'\n[accounts.fedi]\nnetwork = 'mastodon'\n\
         server = '{}'\ntoken = {{ file = 'secret' }}\n",
        pds.server.url(),
        server.server.url()
    ))
    .drafting();
    for (wanted, faults) in [
        (
            post("other", &["x"]),
            vec!["there is no account `other`; the accounts are fedi, sky"],
        ),
        (
            post("sky", &[&"a".repeat(301), "@nobody.test @nobody.test"]),
            vec![
                "post 1 of 2 has 301 of 300 characters: 1 too many",
                "`@nobody.test` leads to nobody",
            ],
        ),
        (
            post(
                "fedi",
                &["@ada @nobody @bob@other.example @eve@other.example"],
            ),
            vec![
                "`@nobody` leads to nobody",
                "`@eve@other.example` leads to nobody",
            ],
        ),
    ] {
        let checked = check(&social, &wanted).await;
        assert_eq!(checked.faults, faults);
    }
    let mut answering = post("fedi", &["x"]);
    for reference in ["999", "https://m.example/@ada/999", "../../x", "https://"] {
        answering.reply_to = Some(reference.into());
        let checked = check(&social, &answering).await;
        assert_eq!(
            checked.faults,
            ["the post that is answered is not there"],
            "{reference}"
        );
        assert!(checked.shown.contains("It cannot be published like this:"));
    }
    let mut answering = post("sky", &["x"]);
    answering.reply_to = Some("https://evil.test/x".into());
    assert_eq!(
        check(&social, &answering).await.faults,
        [
            "`https://evil.test/x` is no post of Bluesky: give at://… or https://bsky.app/profile/…/post/…"
        ]
    );
}

/// Without a token nobody can be asked whom a mention on another server leads to: it is said, and is no fault.
#[tokio::test]
async fn mention_that_cannot_be_asked_for_is_said() {
    let server = FakeMastodon::start().await;
    let social = Fixture::new(&format!(
        "[accounts.fedi]\nnetwork = 'mastodon'\nserver = '{}'\nhandle = 'me'\n",
        server.server.url()
    ))
    .drafting();
    let checked = check(&social, &post("fedi", &["@bob@other.example @ada"])).await;
    assert!(checked.faults.is_empty(), "{checked:?}");
    let words = "mention \\@bob\\@other.example; whether there is such an account was not asked";
    assert!(checked.shown.contains(words), "{}", checked.shown);
    assert!(checked.shown.contains("mention \\@ada, account 2"));
}

#[tokio::test]
async fn own_posts_are_searched_newest_first() {
    let pds = FakePds::start().await;
    for number in 0..5 {
        let mut record =
            json!({"text": format!("Number {number} of TEN"), "createdAt": "2026-01-01T00:00:00Z"});
        if number == 3 {
            let other = json!({"uri": "at://did:plc:ada/app.bsky.feed.post/2q", "cid": "bafyq"});
            record["reply"] = json!({"root": other, "parent": other});
        }
        pds.state
            .lock()
            .unwrap()
            .records
            .insert(format!("2k{number}"), record);
    }
    let server = FakeMastodon::start().await;
    for number in 0..90 {
        server.add(
            "me",
            &format!("Number {number} of TEN"),
            "2026-01-01T00:00:00Z",
        );
    }
    server.add("ada", "Number 1 of others", "2026-01-01T00:00:00Z");
    let social = Fixture::new(&format!(
        "[accounts.sky]\nnetwork = 'bluesky'\nserver = '{}'\nhandle = 'me.test'\n[accounts.fedi]\nnetwork = 'mastodon'\n\
         server = '{}'\ntoken = {{ file = 'secret' }}\n",
        pds.server.url(),
        server.server.url()
    ))
    .drafting();
    let search = async |account: &str, query: Option<&str>, limit, replies| {
        let arguments = SearchArguments {
            account: account.to_owned(),
            query: query.map(str::to_owned),
            limit,
            replies,
        };
        let posts = social.search_posts(&arguments).await.unwrap().posts;
        assert!(posts.iter().all(|post| post.is_own));
        posts.into_iter().map(|post| post.text).collect::<Vec<_>>()
    };
    assert_eq!(
        search("sky", None, 2, true).await,
        ["Number 4 of TEN", "Number 3 of TEN"]
    );
    assert_eq!(
        search("sky", None, 2, false).await,
        ["Number 4 of TEN", "Number 2 of TEN"]
    );
    assert_eq!(
        search("sky", Some("ten 2"), 9, false).await,
        ["Number 2 of TEN"]
    );
    assert_eq!(search("fedi", Some("number 7 ten"), 3, true).await.len(), 3);
    assert_eq!(search("fedi", None, 500, true).await.len(), 90);
    let get = |account: &str, id: &str| GetArguments {
        account: account.to_owned(),
        id: id.to_owned(),
    };
    let post = social.get_post(&get("fedi", "190")).await.unwrap();
    assert_eq!((post.author.as_str(), post.is_own), ("ada", false));
    for (account, id, words) in [
        (
            "fedi",
            "999",
            "there is no post `999` that this account may see",
        ),
        (
            "fedi",
            "a/b",
            "there is no post `a/b` that this account may see",
        ),
        (
            "sky",
            "x",
            "`id` cannot be used: `x` is no post of Bluesky: give at://… or https://bsky.app/profile/…/post/…",
        ),
        (
            "other",
            "x",
            "there is no account `other`; the accounts are fedi, sky",
        ),
    ] {
        let error = social.get_post(&get(account, id)).await.unwrap_err();
        assert_eq!(error.to_string(), words);
    }
}

/// An old server has only the first version of its description.
#[tokio::test]
async fn old_description_is_read() {
    let server = Scripted::start(|asked| match asked.path.as_str() {
        "/api/v2/instance" => Reply::Json(404, json!({"error": "Not found"})),
        "/api/v1/instance" => Reply::Json(200, json!({"version": "3.1.0", "max_toot_chars": 700})),
        _ => Reply::Json(200, json!({"id": "1", "username": "me"})),
    })
    .unwrap();
    let social = Fixture::mastodon(&server.url()).drafting();
    let accounts = social
        .list_accounts(&ListArguments {})
        .await
        .unwrap()
        .accounts;
    assert_eq!(accounts[0].limits.as_ref().unwrap().max_characters, 700);
}
