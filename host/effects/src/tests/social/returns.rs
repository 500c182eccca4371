//! What goes back to its owner, what is held, what is not approved, and what was done already.

use super::*;
use crate::approvals::{MessageError, act::ActError};

/// Whatever its network would not take: nothing leaves, and every fault is said.
#[tokio::test]
async fn post_with_a_fault_goes_back_in_words() {
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    *posts.server.faults.lock().unwrap() = vec![
        "part 1 has 312 of 300 characters".to_owned(),
        "the post that it answers\nis not there any more".to_owned(),
    ];
    posts.next().await.unwrap_err();
    assert_eq!(
        posts.returned().await,
        "it cannot be published as it is: part 1 has 312 of 300 characters; the post that it answers is not there \
         any more; change it, then approve it again"
    );
    assert_eq!(posts.server.count("publish"), 0);
    posts.server.faults.lock().unwrap().clear();
    posts.fixture.approve_waiting(id(1));
    posts.next().await.unwrap();
    assert_eq!(posts.server.count("publish"), 1);

    // What can be seen here is not asked.
    let posts = Posts::new();
    posts
        .fixture
        .approve(&posting(1, &post("One\n---\n\n---\nTwo")));
    posts.next().await.unwrap_err();
    assert_eq!(
        posts.returned().await,
        "it cannot be published as it is: part 2 of the thread is empty; change it, then approve it again"
    );
    assert_eq!(posts.server.count("check"), 0);
}

/// A network that is away: nothing is begun, and it is tried again.
#[tokio::test]
async fn network_that_is_away_lets_nothing_leave() {
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    *posts.server.away.lock().unwrap() = Some("cannot reach bsky.test: refused".to_owned());
    posts.next().await.unwrap_err();
    assert_eq!(
        posts.state().await,
        "tried again at 2026-11-20T12:00:30Z: it cannot be asked whether this left already, so nothing is sent: \
         cannot reach bsky.test: refused"
    );
    *posts.server.away.lock().unwrap() = None;
    posts.fixture.pass(30);
    posts.next().await.unwrap();
}

/// What its owner published meanwhile is not published once more; what they wrote before, or somebody else did, is
/// something else.
#[tokio::test]
async fn what_the_owner_published_is_not_published_again() {
    let own = |text: &str, at: &str, is_own: bool| OwnPost {
        address: "https://bsky.test/own".to_owned(),
        text: text.to_owned(),
        at: at.to_owned(),
        is_own,
    };
    let (before, after) = ("2026-11-20T11:59:59Z", "2026-11-20T12:00:01Z");
    let text = "Hello, world 👩\u{200D}👧";
    for (there, is_done) in [
        (vec![own(text, after, true)], true),
        (vec![own(text, before, true)], false),
        (vec![own(text, after, false)], false),
        (vec![own("Hello", after, true)], false),
        (vec![own(text, "yesterday", true)], false),
        (vec![], false),
    ] {
        let posts = Posts::new();
        posts.fixture.approve(&hello());
        *posts.server.own.lock().unwrap() = there;
        let ended = posts.next().await;
        assert_eq!(ended.is_err(), is_done, "{ended:?}");
        assert_eq!(posts.server.count("publish"), usize::from(!is_done));
        if is_done {
            assert_eq!(
                posts.state().await,
                "you published it at 2026-11-20T12:00:01Z: https://bsky.test/own; nothing leaves, and its task is \
                 finished"
            );
        }
    }
    // Of a thread, all of it.
    for (texts, is_done) in [
        (vec!["One", "Three", "Two"], true),
        (vec!["One", "Two"], false),
    ] {
        let posts = Posts::new();
        posts.fixture.approve(&thread());
        let texts = texts.into_iter();
        *posts.server.own.lock().unwrap() = texts.map(|text| own(text, after, true)).collect();
        assert_eq!(posts.next().await.is_err(), is_done);
    }
    // A receipt that this journal does not have, as a restored machine finds it.
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    posts.server.has(1);
    assert_eq!(
        posts.next().await.unwrap().answer,
        "it is published: https://bsky.test/1"
    );
    assert_eq!(posts.server.count("publish"), 0);
}

/// An approval is for the account that it was given for, as it was then.
#[tokio::test]
async fn approval_is_bound_to_the_account() {
    let posts = Posts::new();
    posts.fixture.approve(&hello());
    let other = "@eve.test at https://bsky.test";
    let fixture = posts
        .fixture
        .restarted_with(with_accounts(accounts_of(other)));
    let posts = Posts::with(fixture, posts.server);
    assert!(posts.handed_out().await.is_none());
    assert_eq!(
        posts.returned().await,
        format!(
            "it was approved at 2026-11-20T12:00:00Z to leave from {ACCOUNT}, and would leave from {other} now; read \
             it, then approve it again"
        )
    );
    // The account is gone, or its file cannot be read: it waits.
    for (accounts, why) in [
        (
            SocialAccounts::new(|| Ok(Some([("you".to_owned(), "x".to_owned())].into()))),
            "waits: the post cannot be published: there is no account `me` on a social network; accounts: you",
        ),
        (
            SocialAccounts::new(|| {
                Err("the file of the social networks x cannot be read".to_owned())
            }),
            "waits: the post cannot be published: the file of the social networks x cannot be read",
        ),
    ] {
        let posts = Posts::new();
        posts.fixture.approve(&hello());
        let fixture = posts.fixture.restarted_with(with_accounts(accounts));
        let posts = Posts::with(fixture, posts.server);
        assert_eq!(posts.state().await, why);
        assert!(posts.handed_out().await.is_none());
    }
}

/// A picture that was changed, a body that was edited, words of a picture: each is another post.
#[tokio::test]
async fn change_after_the_approval_sends_it_back() {
    let picture = path("Inbox/attachments/a.png");
    let with_picture = posting(
        1,
        &SocialPublish {
            media: vec![Media {
                path: picture.clone(),
                alt: "A desk".to_owned(),
            }],
            ..post("Hello\n")
        },
    );
    let edit = |fixture: &Fixture, from: &str, to: &str| {
        let path = layout::approved(id(1));
        let text = fixture.vault.read_text(&path, 100_000).unwrap();
        assert!(text.contains(from), "{text}");
        let new = text.replace(from, to);
        fixture
            .vault
            .replace(&path, new.as_bytes(), Some(text.as_bytes()))
            .unwrap();
    };
    let changes: [&dyn Fn(&Fixture); 4] = [
        &|fixture| {
            fixture
                .vault
                .replace(&picture, b"bar", Some(b"foo"))
                .unwrap();
        },
        &|fixture| edit(fixture, "A desk", "A lamp"),
        &|fixture| edit(fixture, "Hello", "Hello\n---\nagain"),
        &|fixture| edit(fixture, "account: \"me\"", "account: \"you\""),
    ];
    for change in changes {
        let posts = Posts::new();
        posts.fixture.vault.create(&picture, b"foo").unwrap();
        posts.fixture.approve(&with_picture);
        assert!(posts.handed_out().await.is_some());
        change(&posts.fixture);
        assert!(posts.handed_out().await.is_none());
        assert_eq!(
            posts.returned().await,
            "it, or a file that it attaches, was changed after it was approved at 2026-11-20T12:00:00Z; read it, then \
             approve it again"
        );
        assert_eq!(posts.server.count(""), 0);
    }
}

/// Where no social network is set up no post is approved, by no act.
#[tokio::test]
async fn nothing_is_approved_where_no_network_is() {
    let fixture = Fixture::new([]);
    let waiting = layout::pending(id(1));
    fixture.wait(id(1), &hello().render());
    let outgoing = Outgoing::read(&fixture.vault, &waiting).unwrap();
    let error = fixture.approve_as_shown(&waiting, &outgoing).unwrap_err();
    assert!(
        matches!(error, ActError::Message(MessageError::NoSocialNetwork)),
        "{error}"
    );
    fixture.move_to_approved(id(1));
    assert_eq!(fixture.approvals.admit().await.unwrap().recorded, 0);
    assert_eq!(
        fixture.states().await,
        [
            "waits: it is not approved yet: no social network is set up on this machine: it needs `[zones.social]` in \
             the configuration"
        ]
    );
}

/// What holds a mail holds a post, too.
#[tokio::test]
async fn post_is_held_by_what_holds_a_mail() {
    for (from, to, state) in [
        (
            "Hello",
            "He\u{202E}llo",
            "held; read it and confirm with `platinum approve`: text, line 1, column 3: a character that is not seen, \
             U+202E (turns the direction of writing)",
        ),
        (
            "Hello",
            "<b>Hello</b>",
            "held; read it and confirm with `platinum approve`: text, line 1, column 1: HTML",
        ),
        (
            "Hello",
            "https://ex\u{430}mple.test",
            "held; read it and confirm with `platinum approve`: text, line 1, column 1: the domain `ex\u{430}mple.test` \
             has letters that look like those of another one",
        ),
        (
            "account: \"me\"",
            "account: \"me\"\nmedia:\n- \"Inbox/a.png | A\u{200B} desk\"",
            "cannot be used: the attachment Inbox/a.png is not in the vault",
        ),
        (
            "account: \"me\"",
            "account: \"me\"\nmedia:\n- Inbox/a.png",
            "cannot be used: line 9: the key `media` cannot be read: as social-publish: ",
        ),
        (
            "Hello",
            "[✎ what]",
            "goes back to Pending_Approval: its text still has gaps",
        ),
        (
            "Hello",
            " \u{200B}\n---\n",
            "cannot be used: it has no text",
        ),
        ("expires: 2026-11-27", "expires: 2026-11-19", "expired at "),
    ] {
        let posts = Posts::new();
        let text = posting(1, &post("Hello\n")).render();
        assert!(text.contains(from), "{text}");
        posts.fixture.wait(id(1), &text.replace(from, to));
        posts.fixture.move_to_approved(id(1));
        let now = posts.state().await;
        assert!(now.starts_with(state), "{now}");
    }
    // What is not seen in the words of a picture is found, too.
    let posts = Posts::new();
    let picture = path("Inbox/a.png");
    posts.fixture.vault.create(&picture, b"foo").unwrap();
    let post = SocialPublish {
        media: vec![Media {
            path: picture,
            alt: "A\u{202E} desk".to_owned(),
        }],
        ..post("Hello\n")
    };
    posts.fixture.wait(id(1), &posting(1, &post).render());
    posts.fixture.move_to_approved(id(1));
    let now = posts.state().await;
    let expected = "held; read it and confirm with `platinum approve`: media, column 16: a character that is not seen";
    assert!(now.starts_with(expected), "{now}");
}
