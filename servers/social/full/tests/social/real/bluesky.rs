//! Bluesky's own server: it counts as we do, takes what is built, and has each part once.

use platinum_social::Outcome;
use platinum_social_client::LinkCard;
use platinum_testkit::http_proxy::{Fate, HttpProxy};
use platinum_testkit::social::{BlueskyAccount, Pds};
use serde_json::json;

use super::{PAIRS, Settings, picture};
use crate::fixture::{draft_id, post, publish};

/// A server and an account of it, if it is here.
fn open(name: &str) -> Option<(std::sync::Arc<Pds>, BlueskyAccount)> {
    if !Pds::present().unwrap() {
        return None;
    }
    let pds = Pds::shared().unwrap();
    let account = pds.create_account(name).unwrap();
    Some((pds, account))
}

fn settings(account: &BlueskyAccount, url: &str) -> Settings {
    Settings::new(|folder| account.section("sky", url, folder, true))
}

/// The texts of an account, the oldest first.
fn texts(pds: &Pds, account: &BlueskyAccount) -> Vec<String> {
    let mut posts = pds.posts(account).unwrap();
    posts.reverse();
    let texts = posts.iter().map(|post| post["value"]["text"].as_str());
    texts.map(|text| text.unwrap().to_owned()).collect()
}

/// What we call full it takes, and one more it refuses.
#[tokio::test]
async fn pds_counts_as_we_do() {
    let Some((pds, account)) = open("counting") else {
        return;
    };
    let social = settings(&account, &pds.url()).acting();
    let family = "👩\u{200d}👩\u{200d}👧\u{200d}👦";
    let tables = PAIRS.map(|(_, unit)| (unit, (3000 / unit.len()).min(300)));
    for (unit, most) in tables.into_iter().chain([(family, 120)]) {
        let full = post("sky", &[&unit.repeat(most)]);
        let answer = publish(&social, &draft_id(), &full).await;
        assert_eq!(answer.outcome, Outcome::Done, "{unit}: {answer:?}");
        let more = unit.repeat(most + 1);
        let answer = publish(&social, &draft_id(), &post("sky", &[&more])).await;
        assert!(
            answer.differs && answer.answer.ends_with("too many"),
            "{answer:?}"
        );
        let refused = pds.publish(&account, &more, &json!({})).unwrap_err();
        assert!(refused.to_string().contains("400"), "{unit}: {refused}");
    }
    assert_eq!(texts(&pds, &account).len(), PAIRS.len() + 1);
}

#[tokio::test]
async fn pds_takes_all_that_a_post_can_have() {
    let Some((pds, account)) = open("whole") else {
        return;
    };
    let other = pds.create_account("whole-other").unwrap();
    let question = pds.publish(&other, "a question", &json!({})).unwrap();
    let settings = settings(&account, &pds.url());
    let social = settings.acting();
    let mut wanted = post(
        "sky",
        &[
            "hi @whole-other.test, see https://example.com/ü #täg",
            "two",
        ],
    );
    wanted.reply_to = Some(question.clone());
    wanted.language = Some("de".into());
    wanted.content_warning = Some("nudity".into());
    wanted.media = vec![picture()];
    let checked = social.as_ref().check(&wanted).await.unwrap();
    assert!(checked.faults.is_empty(), "{checked:?}");
    assert_eq!(checked.answers.unwrap().author, "whole-other.test");
    let id = draft_id();
    let answer = publish(&social, &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Done, 2),
        "{answer:?}"
    );
    let mut card = post("sky", &["a card"]);
    card.link = Some(LinkCard {
        url: "https://example.com/".into(),
        title: "Title".into(),
        description: "More".into(),
    });
    let answer = publish(&social, &draft_id(), &card).await;
    assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    let posts = pds.posts(&account).unwrap();
    assert_eq!(posts.len(), 3);
    let first = &posts[2]["value"];
    assert_eq!(first["reply"]["root"]["uri"], question.as_str());
    assert_eq!(first["facets"][0]["features"][0]["did"], other.did.as_str());
    assert_eq!(first["embed"]["images"][0]["alt"], "one pixel: größer");
    assert_eq!(posts[1]["value"]["reply"]["parent"]["uri"], posts[2]["uri"]);
    assert_eq!(posts[1]["value"]["reply"]["root"]["uri"], question.as_str());
    // By a process that knows nothing of it, and by two at once.
    let (one, two) = (settings.acting(), settings.acting());
    let (one, two) = tokio::join!(publish(&one, &id, &wanted), publish(&two, &id, &wanted));
    assert_eq!(
        (one.answer, two.answer.as_str()),
        (two.answer.clone(), "it was published before")
    );
    let found = settings.drafting();
    let own = platinum_social_draft::reading::SearchArguments {
        account: "sky".into(),
        query: Some("card".into()),
        limit: 5,
        replies: false,
    };
    let own = found.search_posts(&own).await.unwrap().posts;
    assert_eq!((own.len(), own[0].text.as_str()), (1, "a card"));
}

/// Two processes at the same moment: one record.
#[tokio::test]
async fn pds_has_one_record_of_two_attempts_at_once() {
    let Some((pds, account)) = open("twice") else {
        return;
    };
    let settings = settings(&account, &pds.url());
    let (one, two) = (settings.acting(), settings.acting());
    for _ in 0..5 {
        let id = draft_id();
        let wanted = post("sky", &["first", "second"]);
        let (one, two) = tokio::join!(publish(&one, &id, &wanted), publish(&two, &id, &wanted));
        assert_eq!(
            (one.outcome, two.outcome),
            (Outcome::Done, Outcome::Done),
            "{one:?} {two:?}"
        );
        assert_eq!(one.parts, two.parts);
    }
    assert_eq!(texts(&pds, &account).len(), 10);
}

#[tokio::test]
async fn pds_has_a_post_once_after_a_hundred_lost_answers() {
    let Some((pds, account)) = open("losing") else {
        return;
    };
    let proxy = HttpProxy::start(&pds.url()).unwrap();
    let social = settings(&account, &proxy.url()).acting();
    for number in 0..100 {
        proxy.lose("putRecord", Fate::LostAfter);
        let text = format!("text {number}");
        let answer = publish(&social, &draft_id(), &post("sky", &[&text])).await;
        assert_eq!(answer.outcome, Outcome::Done, "{answer:?}");
    }
    let mut cursor = texts(&pds, &account);
    cursor.sort();
    cursor.dedup();
    assert_eq!(cursor.len(), 100);
}

#[tokio::test]
async fn pds_thread_goes_on_where_it_was_cut() {
    let Some((pds, account)) = open("cutting") else {
        return;
    };
    let proxy = HttpProxy::start(&pds.url()).unwrap();
    let settings = settings(&account, &proxy.url());
    let wanted = post("sky", &["1", "2", "3", "4", "5"]);
    let id = draft_id();
    proxy.set(|request| {
        match request.contains("putRecord") && request.contains("\"text\":\"4\"") {
            true => Fate::LostBefore,
            false => Fate::Passed,
        }
    });
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.retry),
        (Outcome::NotDone, true),
        "{answer:?}"
    );
    assert!(
        answer
            .answer
            .starts_with("3 of 5 posts are published; post 4 of 5 is not: "),
        "{}",
        answer.answer
    );
    proxy.set(|_| Fate::Passed);
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Done, 5),
        "{answer:?}"
    );
    assert_eq!(texts(&pds, &account), ["1", "2", "3", "4", "5"]);
    // One that its owner deleted is not published again.
    let posts = pds.posts(&account).unwrap();
    pds.delete(&account, posts[3]["uri"].as_str().unwrap())
        .unwrap();
    let answer = publish(&settings.acting(), &id, &wanted).await;
    assert_eq!(
        (answer.outcome, answer.parts.len()),
        (Outcome::Done, 4),
        "{answer:?}"
    );
    assert_eq!(texts(&pds, &account), ["1", "3", "4", "5"]);
}
