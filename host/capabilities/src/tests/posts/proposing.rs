//! What becomes of a post that is proposed.

use std::sync::Arc;

use platinum_core::{Role, SocialPublish, ZoneId, split_parts};
use platinum_vault::note::{DraftBody, DraftNote, Note};
use serde_json::json;

use super::{Scripted, Tasks, author, checked, failing, now, post, task, vault};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        social::{
            propose::Host as _,
            types::{Media, Post},
        },
    },
    proposals::ProposeCtx,
    social::{Networks, SocialProposeCtx},
    tasks::Owner,
};

fn proposing(server: &Arc<Scripted>, vault: &platinum_vault::Vault) -> SocialProposeCtx {
    let store = Arc::new(Tasks {
        owners: [(task(1), Owner::ThisAgent)].into(),
        zones: [(task(1), ZoneId::SOCIAL)].into(),
        ..Tasks::default()
    });
    SocialProposeCtx {
        networks: Networks::new(server.clone()),
        proposals: ProposeCtx {
            vault: vault.clone(),
            store,
            author: author(Role::Cloud),
            now: now(),
        },
    }
}

fn proposal() -> Proposal {
    Proposal {
        task: task(1).to_string(),
        summary: "Post “Hello” as me".into(),
        reason: "A note asks for it.".into(),
        expires: None,
    }
}

/// The note has the card above the line, and below it what leaves.
#[tokio::test]
async fn propose_writes_the_card_above_the_line() {
    let (folder, vault) = vault();
    let picture = "Inbox/attachments/a.png".parse().unwrap();
    vault.create(&picture, b"foo").unwrap();
    let server = Scripted::with([checked(&[])]);
    let post = Post {
        reply_to: Some("https://bsky.test/1".into()),
        media: vec![Media {
            path: picture.to_string(),
            alt: "A desk".into(),
        }],
        thread: vec!["More\n".into()],
        ..post("Hello\n")
    };
    let proposed = proposing(&server, &vault).propose(proposal(), post).await;
    let id = proposed.unwrap().unwrap();
    let file = folder.path().join(format!("Pending_Approval/{id}.md"));
    let text = std::fs::read_to_string(file).unwrap();
    let note = Note::parse(&text).unwrap();
    let draft = DraftNote::from_note(&note).unwrap();
    let record: SocialPublish = draft.action.read().unwrap();
    assert_eq!(record.account, "me");
    assert_eq!(split_parts(&record.text), ["Hello", "More"]);
    assert!(
        text.contains("media:\n  - \"Inbox/attachments/a.png | A desk\"\n"),
        "{text}"
    );
    let body = DraftBody::of(&note).unwrap();
    let card = "> [!example] As it will look\n> **me** on Bluesky\n>\n> > Hello\n>\n> 5 of 300 characters\n";
    assert!(body.above.contains(card), "{}", body.above);
    assert_eq!(body.text.trim_end(), "Hello\n\n---\n\nMore");
    let (tool, asked) = server.asked().remove(0);
    assert_eq!(tool, "check_post");
    let media = &asked["post"]["media"][0];
    assert_eq!(
        (&media["size"], &media["type"]),
        (&json!(3), &json!("image/png"))
    );
    assert!(media.get("data").is_none());
}

/// What its network would not take is no draft.
#[tokio::test]
async fn propose_refuses_a_post_with_a_fault() {
    let mut unshown = checked(&[]);
    unshown["shown"] = json!(" ");
    let long = "part 1 has 312 of 300 characters";
    for (answer, expected) in [
        (
            checked(&[long, "the picture is too large"]),
            format!("Invalid(\"{long}; the picture is too large\")"),
        ),
        (
            unshown,
            "Unavailable(\"the server for social networks does not show how the post will look; run the one of this \
             version of Platinum\")"
                .to_owned(),
        ),
    ] {
        let (folder, vault) = vault();
        let server = Scripted::with([answer]);
        let mut ctx = proposing(&server, &vault);
        let refused = ctx.propose(proposal(), post("Hello")).await;
        let refused = refused.unwrap().unwrap_err();
        assert_eq!(format!("{refused:?}"), format!("ProposeError::{expected}"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
    // Nothing is asked about what is no post.
    let (_folder, vault) = vault();
    for (wrong, why) in [
        (
            post("a\n---\nb"),
            "part 1 has a line that is only `---`, which would make two posts of it",
        ),
        (
            Post {
                media: vec![Media {
                    path: "Inbox/a.png".into(),
                    alt: "A desk".into(),
                }],
                ..post("Hello")
            },
            "`media`: Inbox/a.png is not in the vault",
        ),
    ] {
        let server = Scripted::with([]);
        let refused = proposing(&server, &vault).propose(proposal(), wrong).await;
        assert!(
            matches!(&refused, Ok(Err(ProposeError::Invalid(text))) if text == why),
            "{refused:?}"
        );
        assert!(server.asked().is_empty());
    }
    let away = failing("cannot reach bsky.test: refused");
    let mut ctx = proposing(&away, &vault);
    let refused = ctx.propose(proposal(), post("Hello")).await;
    assert!(matches!(refused, Ok(Err(ProposeError::Unavailable(_)))));
}

/// One text for each network: a task has a draft for each account, and a second one for none.
#[tokio::test]
async fn propose_makes_one_draft_for_each_account() {
    let (folder, vault) = vault();
    let server = Scripted::with([checked(&[]), checked(&[])]);
    let mut ctx = proposing(&server, &vault);
    let by = |account: &str| Post {
        account: account.into(),
        ..post("Hello")
    };
    let first = ctx.propose(proposal(), by("me")).await.unwrap().unwrap();
    let second = ctx.propose(proposal(), by("fedi")).await.unwrap().unwrap();
    assert_ne!(first, second);
    for (account, id) in [("me", first), ("fedi", second)] {
        let again = ctx.propose(proposal(), by(account)).await.unwrap();
        assert!(
            matches!(&again, Err(ProposeError::Duplicate(known)) if *known == id),
            "{again:?}"
        );
    }
    assert_eq!(server.asked().len(), 2);
    let waiting = std::fs::read_dir(folder.path().join("Pending_Approval")).unwrap();
    assert_eq!(waiting.count(), 2);
}
