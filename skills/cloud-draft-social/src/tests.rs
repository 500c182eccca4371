//! The skill on a host in memory: which posts it proposes, and what it asks or leaves.

use platinum_sdk::actions::types::ProposeError;
use platinum_sdk::model::complete::{Completion, Error as ModelError, Part};
use platinum_sdk::social::draft::SeenPost;
use platinum_sdk::social::types::Error as SocialError;
use platinum_sdk::tasks::types::{Fact, Task};
use platinum_sdk::testing::{TestHost, TestSocial};
use platinum_sdk::{Error, Invocation, Outcome};

use crate::run::run;

fn task(text: &str, facts: &[(&str, &str)]) -> Task {
    Task {
        id: "task_1".into(),
        zone: "social".into(),
        source: "file:Inbox/launch.md".into(),
        sender: "A file that was dropped here".into(),
        subject: "launch".into(),
        received: None,
        created: "2026-11-20T17:00:00Z".into(),
        facts: facts
            .iter()
            .map(|(name, value)| Fact {
                name: (*name).into(),
                values: vec![(*value).into()],
            })
            .collect(),
        text: format!("# A dropped file\n\nIt is data.\n\n```text\n{text}\n```\n"),
    }
}

/// A host with these accounts and no model.
fn host(accounts: &[(&str, &str, u32)], text: &str) -> TestHost {
    TestHost {
        zones: vec!["social".into()],
        tasks: vec![task(text, &[])],
        social: TestSocial::with_accounts(accounts),
        completion: Err(ModelError::Refused(
            "the builtin drafter only writes mail".into(),
        )),
        ..TestHost::default()
    }
}

const BOTH: [(&str, &str, u32); 2] = [("me", "bluesky", 300), ("work", "mastodon", 500)];

fn with_model(host: TestHost, text: &str) -> TestHost {
    TestHost {
        completion: Ok(Completion {
            text: text.into(),
            model: "test".into(),
            truncated: false,
        }),
        ..host
    }
}

fn draft(host: &TestHost) -> Result<Outcome, Error> {
    let invocation = Invocation {
        event: "task.claimed".into(),
        task: Some("task_1".into()),
        message: None,
    };
    run(host, &invocation)
}

/// Account, text and thread of what was proposed.
fn proposed(host: &TestHost) -> Vec<(String, String, Vec<String>)> {
    let proposed = host.social.proposed.borrow();
    let each = proposed.iter().map(|(_, post)| post.clone());
    each.map(|post| (post.account, post.text, post.thread))
        .collect()
}

fn reasons(host: &TestHost) -> Vec<String> {
    let proposed = host.social.proposed.borrow();
    proposed
        .iter()
        .map(|(proposal, _)| proposal.reason.clone())
        .collect()
}

fn dismissal(host: &TestHost) -> String {
    match draft(host) {
        Ok(Outcome::Dismissed(why)) => why,
        other => panic!("not dismissed: {other:?}"),
    }
}

#[test]
fn run_note_becomes_one_post_an_account() {
    let host = host(&BOTH, "We open on Monday. https://a.test");
    assert!(matches!(draft(&host), Ok(Outcome::Drafted(id)) if id.ends_with("01")));
    let text = "We open on Monday. https://a.test".to_owned();
    assert_eq!(
        proposed(&host),
        [
            ("me".to_owned(), text.clone(), vec![]),
            ("work".to_owned(), text, vec![])
        ]
    );
    assert_eq!(host.social.saved.borrow().len(), 2);
    let of_first = host.social.proposed.borrow()[0].0.clone();
    assert_eq!(
        of_first.summary,
        "Post as owner.bluesky.test on Bluesky: “We open on Monday. https://a.test”"
    );
    assert_eq!(
        of_first.reason,
        "You dropped a note. The text is that of your note."
    );
    assert!(
        host.requests.borrow().is_empty(),
        "it was as its owner wrote it"
    );
}

#[test]
fn run_note_chooses_its_accounts() {
    let one = host(&BOTH, "accounts: Mastodon\n\nHello");
    draft(&one).unwrap();
    assert_eq!(
        proposed(&one),
        [("work".to_owned(), "Hello".to_owned(), vec![])]
    );
    let none = host(&BOTH, "---\naccounts: [me, other]\n---\nHello");
    assert_eq!(
        dismissal(&none),
        "there is no account `other`; there are me, work"
    );
    let nothing = host(&[], "Hello");
    assert_eq!(
        dismissal(&nothing),
        "no account is configured for the zone social"
    );
}

#[test]
fn run_too_long_is_shortened_by_rule_and_said() {
    let text = format!(
        "We open on Monday. {} More: https://a.test/x",
        "There is cake. ".repeat(30)
    );
    let host = host(&BOTH, &text);
    draft(&host).unwrap();
    let posts = proposed(&host);
    assert!(posts[0].1.chars().count() <= 300, "{posts:?}");
    assert!(posts[0].1.starts_with("We open on Monday. There is cake."));
    assert!(posts[0].1.ends_with("There is cake.\n\nhttps://a.test/x"));
    assert_eq!(posts[1].1, text.trim());
    let reasons = reasons(&host);
    assert!(
        reasons[0].contains("Shortened by rule from 492 to "),
        "{reasons:?}"
    );
    assert!(
        reasons[1].ends_with("The text is that of your note."),
        "{reasons:?}"
    );
}

/// The owner reads the same number in the reason and on the card.
#[test]
fn run_shortened_is_counted_as_the_network_counts() {
    let text = "There is cafe\u{301} for all of us. ".repeat(20);
    let mut host = host(&BOTH[..1], &text);
    host.social.joined = vec!['\u{301}'];
    draft(&host).unwrap();
    let posts = proposed(&host);
    let count = |text: &str| text.chars().filter(|c| *c != '\u{301}').count();
    let words = format!(
        "Shortened by rule from {} to {} characters",
        count(text.trim()),
        count(&posts[0].1)
    );
    assert!(reasons(&host)[0].contains(&words), "{:?}", reasons(&host));
}

#[test]
fn run_too_long_becomes_a_thread_if_the_note_asks() {
    let text = format!(
        "thread: yes\n\n{}",
        "There is cake for all of you. ".repeat(30)
    );
    let host = host(&[("me", "bluesky", 300)], &text);
    draft(&host).unwrap();
    let [(_, first, thread)] = proposed(&host).try_into().unwrap();
    assert_eq!(thread.len(), 2);
    for part in std::iter::once(&first).chain(&thread) {
        assert!(
            part.chars().count() <= 300 && part.ends_with("you."),
            "{part}"
        );
    }
    assert!(reasons(&host)[0].contains("Parted into a thread of 3 posts."));
    let parted = self::host(&BOTH, "One\n\n---\n\nTwo\n");
    draft(&parted).unwrap();
    assert_eq!(proposed(&parted)[1].2, ["Two"]);
}

#[test]
fn run_model_writes_what_is_asked_for_or_too_long() {
    let asked = with_model(
        host(&BOTH, "Announce that we open on Monday."),
        "Monday it is!",
    );
    draft(&asked).unwrap();
    assert_eq!(proposed(&asked)[0].1, "Monday it is!");
    assert!(reasons(&asked)[0].ends_with("Written by test."));
    let requests = asked.requests.borrow();
    let Some(Part::Text(last)) = requests[0].parts.last() else {
        panic!("{:?}", requests[0].parts)
    };
    assert!(
        last.ends_with("for bluesky, in at most 300 characters."),
        "{last}"
    );
    drop(requests);
    let long = with_model(host(&BOTH, &"We open on Monday. ".repeat(20)), "Monday!");
    draft(&long).unwrap();
    assert_eq!(proposed(&long)[0].1, "Monday!");
    assert!(proposed(&long)[1].1.starts_with("We open on Monday. We"));
    assert_eq!(long.requests.borrow().len(), 1);
    let without = host(&BOTH, "Announce that we open on Monday.");
    draft(&without).unwrap();
    assert_eq!(proposed(&without)[0].1, "We open on Monday.");
    assert!(reasons(&without)[0].ends_with("No model wrote this: it is your note as it stands."));
}

/// A model that is asked to keep within the length and does not is asked once more, then the rule shortens the note.
#[test]
fn run_model_that_writes_too_much_is_not_used() {
    let note = "We open on Monday. ".repeat(20);
    let host = with_model(host(&BOTH[..1], &note), &"word ".repeat(100));
    draft(&host).unwrap();
    assert_eq!(host.requests.borrow().len(), 2);
    assert!(reasons(&host)[0].contains("Shortened by rule from 379 to 284 characters"));
}

#[test]
fn run_model_brings_no_address_or_name_of_its_own() {
    let note = "Announce that we open: https://a.test";
    let host = with_model(
        host(&BOTH[..1], note),
        "We open! https://a.test @everybody https://evil.test <script>",
    );
    draft(&host).unwrap();
    assert_eq!(
        proposed(&host)[0].1,
        "We open! https://a.test [✎ whom to name] [✎ which address] < script>"
    );
    assert!(reasons(&host)[0].contains("It named 2 addresses or people"));
}

#[test]
fn run_fault_of_one_account_does_not_stop_the_other() {
    let mut host = host(&BOTH, "Hello");
    host.social.accounts[0].limits = None;
    host.social.accounts[0].problem = Some("no route".into());
    draft(&host).unwrap();
    assert_eq!(proposed(&host).len(), 1);
    assert!(
        reasons(&host)[0].ends_with("Not for me: no route."),
        "{:?}",
        reasons(&host)
    );
    host.tasks[0] = task("accounts: me\nHello", &[]);
    assert_eq!(draft(&host), Err(Error::Unavailable("me: no route".into())));
    let faulty = TestHost {
        social: TestSocial {
            faulty: vec!["@nobody".into()],
            ..TestSocial::with_accounts(&BOTH)
        },
        ..self::host(&BOTH, "Hello @nobody")
    };
    assert_eq!(
        dismissal(&faulty),
        "it cannot be published (me: `@nobody` is not found; work: `@nobody` is not found); mend the note and drop it again"
    );
}

/// After a crash between two proposals the second run proposes what is missing.
#[test]
fn run_again_proposes_what_is_missing() {
    let host = host(&BOTH, "Hello");
    host.social
        .propose_answers
        .borrow_mut()
        .push_back(Err(ProposeError::Duplicate("draft_7".into())));
    assert_eq!(draft(&host), Ok(Outcome::Drafted("draft_7".into())));
    assert_eq!(
        proposed(&host),
        [("work".to_owned(), "Hello".to_owned(), vec![])]
    );
}

#[test]
fn run_picture_without_words_is_asked_for() {
    let host = host(&BOTH, "Hello\n\n![[desk.png]]");
    assert_eq!(
        dismissal(&host),
        "say what Inbox/desk.png shows: `Inbox/desk.png | a desk by night`, and drop the note again"
    );
    assert_eq!(
        dismissal(&self::host(&BOTH, "accounts: me")),
        "the note has no text that could be published"
    );
}

fn mention(host: TestHost, author: &str, text: &str, rule: Option<&str>) -> TestHost {
    let mut facts = vec![
        ("social-account", "work"),
        ("social-author", author),
        ("social-post", "https://mastodon.test/@ann/7"),
    ];
    facts.extend(rule.map(|rule| ("social-rule", rule)));
    let mut host = host;
    host.tasks = vec![task(text, &facts)];
    host.social.answerable.insert(
        "https://mastodon.test/@ann/7".into(),
        platinum_sdk::social::draft::AnsweredPost {
            author: author.into(),
            text: text.into(),
            address: "https://mastodon.test/@ann/7".into(),
        },
    );
    host
}

const RULE: Option<&str> = Some("answer mentions: all");

#[test]
fn run_mention_is_answered_if_a_rule_asks() {
    let asked = mention(
        host(&BOTH, ""),
        "ann@mastodon.test",
        "When do you open?",
        RULE,
    );
    draft(&asked).unwrap();
    assert_eq!(
        proposed(&asked),
        [(
            "work".to_owned(),
            "@ann@mastodon.test [✎ your answer]".to_owned(),
            vec![]
        )]
    );
    assert_eq!(
        reasons(&asked),
        [
            "Your handbook asks for it: “answer mentions: all”. No model wrote this answer: fill its gap."
        ]
    );
    let post = asked.social.proposed.borrow()[0].1.clone();
    assert_eq!(
        post.reply_to.as_deref(),
        Some("https://mastodon.test/@ann/7")
    );
    let by_model = with_model(
        mention(
            host(&BOTH, ""),
            "ann@mastodon.test",
            "When? https://evil.test",
            RULE,
        ),
        "On Monday! https://evil.test",
    );
    draft(&by_model).unwrap();
    assert_eq!(
        proposed(&by_model)[0].1,
        "@ann@mastodon.test On Monday! [✎ which address]"
    );
    let quiet = mention(host(&BOTH, ""), "ann@mastodon.test", "When?", None);
    assert_eq!(
        dismissal(&quiet),
        "no rule of your handbook asks for an answer to it"
    );
}

#[test]
fn run_list_of_what_is_left_out_is_filed() {
    let mut host = host(&BOTH, "no rule | @ann@a.test | https://a.test/1 | Hello");
    host.tasks[0].facts = vec![Fact {
        name: "no-answer".into(),
        values: vec!["these mentions are not answered by themselves".into()],
    }];
    assert_eq!(
        dismissal(&host),
        "these mentions are not answered by themselves"
    );
}

/// The owner's post, copied to another network by a bridge, mentions them there.
#[test]
fn run_own_post_that_came_back_is_never_answered() {
    let mut host = mention(
        host(&BOTH, ""),
        "owner.bluesky.test.ap.brid.gy",
        "We open on Monday @owner",
        RULE,
    );
    host.social.posts.insert(
        "me".into(),
        vec![SeenPost {
            id: "1".into(),
            address: "at://did:plc:x/app.bsky.feed.post/1".into(),
            author: "owner.bluesky.test".into(),
            text: "We open on Monday, @owner".into(),
            at: "2026-11-01T08:00:00Z".into(),
            reply_to: None,
            is_own: true,
        }],
    );
    assert_eq!(
        dismissal(&host),
        "it is your own post at://did:plc:x/app.bsky.feed.post/1, which came back through a bridge"
    );
    assert!(proposed(&host).is_empty() && host.requests.borrow().is_empty());
}

#[test]
fn run_waits_for_what_is_away() {
    let mut away = host(&BOTH, "Hello");
    away.social.read_error = Some(SocialError::Unavailable("no route".into()));
    assert!(matches!(draft(&away), Err(Error::Unavailable(_))));
    let busy = TestHost {
        completion: Err(ModelError::BudgetExhausted("2026-11-21T00:00:00Z".into())),
        ..host(&BOTH, "Announce that we open.")
    };
    assert!(matches!(draft(&busy), Err(Error::Unavailable(_))));
    let mut other = host(&BOTH, "Hello");
    other.tasks[0].zone = "email".into();
    assert_eq!(
        draft(&other),
        Err(Error::Invalid("task_1 is not of the zone social".into()))
    );
}
