//! snac, which ignores keys, and mastodon-mock, which keeps them: each part once.

use platinum_social::Outcome;
use platinum_social_draft::drafting::DraftArguments;
use platinum_testkit::http_proxy::{Fate, HttpProxy};
use platinum_testkit::social::{FediverseServer, MastodonAccount, MastodonMock, Snac};

use super::{PAIRS, Settings, picture};
use crate::fixture::{draft_id, post, publish};

fn settings(account: &MastodonAccount, url: &str) -> Settings {
    Settings::new(|folder| account.section("fedi", url, folder, Some(&account.token)))
}

/// How many posts an account has.
fn count(server: &impl FediverseServer, account: &MastodonAccount) -> usize {
    server.posts(account).unwrap().len()
}

async fn publish_all_and_again(server: &impl FediverseServer) {
    let account = server.create_account("whole").unwrap();
    let settings = settings(&account, &server.url());
    let social = settings.acting();
    let question = server.publish(&account, "a question", None).unwrap();
    let mut wanted = post(
        "fedi",
        &[
            "Hi *there* & <you>, see https://example.com/x_y\n\nnew **line** é 漢字",
            "two",
        ],
    );
    wanted.reply_to = Some(question["id"].as_str().unwrap().to_owned());
    wanted.language = Some("en".into());
    wanted.content_warning = Some("food".into());
    wanted.media = vec![picture()];
    let checked = social.as_ref().check(&wanted).await.unwrap();
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert!(checked.answers.unwrap().text.contains("a question"));
    let id = draft_id();
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Done, 2),
        "{answer:?}"
    );
    assert_eq!(count(server, &account), 3);
    // By a process that knows nothing of it, again and again.
    for _ in 0..3 {
        let again = publish(&settings.acting(), &id, &wanted).await;
        assert_eq!(
            (again.outcome, again.answer.as_str()),
            (Outcome::Done, "it was published before")
        );
    }
    let posts = server.posts(&account).unwrap();
    assert_eq!(posts.len(), 3);
    let with_picture = posts.iter().find(|post| {
        post["media_attachments"]
            .as_array()
            .is_some_and(|all| !all.is_empty())
    });
    let attachment = &with_picture.unwrap()["media_attachments"][0];
    assert_eq!(attachment["description"], "one pixel: größer");
    let second = &posts[0];
    assert_eq!(second["in_reply_to_id"], with_picture.unwrap()["id"]);
    assert_eq!(second["spoiler_text"], "food");
}

async fn publish_over_lost_answers(server: &impl FediverseServer, name: &str, times: usize) {
    let account = server.create_account(name).unwrap();
    let proxy = HttpProxy::start(&server.url()).unwrap();
    let social = settings(&account, &proxy.url()).acting();
    for number in 0..times {
        proxy.lose("POST /api/v1/statuses", Fate::LostAfter);
        let text = format!("text {number}");
        let answer = publish(&social, &draft_id(), &post("fedi", &[&text])).await;
        assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    }
    let own = social.as_ref().account("fedi").unwrap();
    let posts = own.network.own_posts(500, true).await.unwrap();
    let mut texts: Vec<_> = posts.into_iter().map(|post| post.text).collect();
    assert_eq!(texts.len(), times);
    texts.sort();
    texts.dedup();
    assert_eq!(texts.len(), times);
}

/// The server is away from the fourth post on, and then is not.
async fn go_on_with_a_cut_thread(server: &impl FediverseServer) {
    let account = server.create_account("cutting").unwrap();
    let proxy = HttpProxy::start(&server.url()).unwrap();
    let settings = settings(&account, &proxy.url());
    let wanted = post("fedi", &["1", "2", "3", "4", "5"]);
    let id = draft_id();
    let mut posted = 0;
    proxy.set(move |request| {
        posted += usize::from(request.starts_with("POST /api/v1/statuses"));
        match posted > 3 {
            true => Fate::LostBefore,
            false => Fate::Passed,
        }
    });
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Unknown, 3),
        "{answer:?}"
    );
    let words = "3 of 5 posts are published; whether post 4 of 5 is published is not known: ";
    assert!(answer.answer.starts_with(words), "{}", answer.answer);
    proxy.set(|_| Fate::Passed);
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Done, 5),
        "{answer:?}"
    );
    assert_eq!(count(server, &account), 5);
}

#[tokio::test]
async fn snac_has_each_part_once() {
    if Snac::present().unwrap() {
        publish_all_and_again(&Snac::start().unwrap()).await;
    }
}

#[tokio::test]
async fn mock_has_each_part_once() {
    if MastodonMock::present().unwrap() {
        publish_all_and_again(&*MastodonMock::shared().unwrap()).await;
    }
}

#[tokio::test]
async fn snac_has_a_post_once_after_a_hundred_lost_answers() {
    if Snac::present().unwrap() {
        let server = Snac::start().unwrap();
        // With forty posts at once it is not known whether snac gives all of them.
        for (name, times) in [("losinga", 34), ("losingb", 33), ("losingc", 33)] {
            publish_over_lost_answers(&server, name, times).await;
        }
    }
}

#[tokio::test]
async fn mock_has_a_post_once_after_a_hundred_lost_answers() {
    if MastodonMock::present().unwrap() {
        publish_over_lost_answers(&*MastodonMock::shared().unwrap(), "losing", 100).await;
    }
}

#[tokio::test]
async fn snac_thread_goes_on_where_it_was_cut() {
    if Snac::present().unwrap() {
        go_on_with_a_cut_thread(&Snac::start().unwrap()).await;
    }
}

#[tokio::test]
async fn mock_thread_goes_on_where_it_was_cut() {
    if MastodonMock::present().unwrap() {
        go_on_with_a_cut_thread(&*MastodonMock::shared().unwrap()).await;
    }
}

#[tokio::test]
async fn mock_retry_after_the_key_expired_finds_the_post() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let server = MastodonMock::shared().unwrap();
    let account = server.create_account("expiring").unwrap();
    let settings = settings(&account, &server.url());
    let id = draft_id();
    let wanted = post("fedi", &["good morning", "good night"]);
    publish(&settings.acting(), &id, &wanted).await;
    server.expire_keys().unwrap();
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(answer.answer, "it was published before");
    assert_eq!(count(&*server, &account), 2);
}

/// The mock counts code points: what is one of them each, it takes as we do.
#[tokio::test]
async fn mock_counts_as_we_do() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let server = MastodonMock::shared().unwrap();
    let account = server.create_account("counting").unwrap();
    let social = settings(&account, &server.url()).acting();
    for (_, unit) in PAIRS.iter().filter(|(_, unit)| unit.chars().count() == 1) {
        let full = post("fedi", &[&unit.repeat(500)]);
        let answer = publish(&social, &draft_id(), &full).await;
        assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
        let more = unit.repeat(501);
        let answer = publish(&social, &draft_id(), &post("fedi", &[&more])).await;
        assert!(
            answer.differs && answer.answer.ends_with("1 too many"),
            "{answer:?}"
        );
        let refused = server.publish(&account, &more, None).unwrap_err();
        assert_eq!(refused.status, 422, "{refused}");
    }
}

/// A token of the scope `read` drafts; one that can post does not.
#[tokio::test]
async fn mock_token_is_proven_to_be_a_readers() {
    if !MastodonMock::present().unwrap() {
        return;
    }
    let server = MastodonMock::shared().unwrap();
    let account = server.create_account("proving").unwrap();
    let reading = server.token_for(&account, "read").unwrap();
    let arguments = DraftArguments {
        post: post("fedi", &["x"]),
        operation: "task_1".into(),
    };
    for (token, is_taken) in [(reading, true), (account.token.clone(), false)] {
        let settings =
            Settings::new(|folder| account.section("fedi", &server.url(), folder, Some(&token)));
        let drafted = settings.drafter_only().draft_post(&arguments).await;
        assert_eq!(drafted.is_ok(), is_taken, "{drafted:?}");
        if let Err(error) = drafted {
            let words = error.to_string();
            let makes_another = "make one with the scope `read` alone";
            assert!(
                words.contains("the token of `fedi` ") && words.contains(makes_another),
                "{words}"
            );
        }
    }
    assert_eq!(count(&*server, &account), 0);
}

/// snac has no token that only reads: the cloud gets none.
#[tokio::test]
async fn snac_token_is_refused_without_a_try() {
    if !Snac::present().unwrap() {
        return;
    }
    let server = Snac::start().unwrap();
    let account = server.create_account("proving").unwrap();
    let settings = settings(&account, &server.url());
    let arguments = DraftArguments {
        post: post("fedi", &["x"]),
        operation: "task_1".into(),
    };
    let refused = settings.drafter_only().draft_post(&arguments).await;
    let words = refused.unwrap_err().to_string();
    assert!(words.contains("can all post"), "{words}");
    assert_eq!(count(&server, &account), 0);
}
