//! `email/propose`, `plans/write`, `updates/publish` and `updates/collect`.

use std::sync::Arc;

use platinum_core::{Role, ZoneId};
use platinum_vault::note::{DraftNote, UpdateNote};

use super::{Tasks, author, now, task, vault};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        email::{propose::Host as Propose, types::Mail},
        plans::write::{Error as PlanError, Host as Write, Plan},
        updates::{collect::Host as Collect, publish::Host as Publish, types},
    },
    proposals::ProposeCtx,
    tasks::Owner,
    updates::UpdatesCtx,
};

fn context() -> (tempfile::TempDir, ProposeCtx) {
    let (folder, vault) = vault();
    let owners = [
        (task(1), Owner::ThisAgent),
        (task(2), Owner::Other("cloud-2".parse().unwrap())),
        (task(3), Owner::Unowned),
        (task(4), Owner::Finished),
        (task(6), Owner::ThisAgent),
    ];
    let zones = [
        (task(1), ZoneId::EMAIL),
        (task(6), "notes".parse().unwrap()),
    ];
    let store = Arc::new(Tasks {
        owners: owners.into(),
        zones: zones.into(),
        ..Tasks::default()
    });
    (
        folder,
        ProposeCtx {
            vault,
            store,
            author: author(Role::Cloud),
            now: now(),
        },
    )
}

fn proposal(of: u64) -> Proposal {
    Proposal {
        task: task(of).to_string(),
        summary: "Answer Ada".into(),
        reason: "She asked.".into(),
        expires: None,
    }
}

fn mail(body: &str) -> Mail {
    Mail {
        from_account: "owner".into(),
        to: vec!["Ada <ada@example.test>".into()],
        cc: vec![],
        bcc: vec![],
        subject: "Re: A question".into(),
        body: body.into(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
    }
}

/// A draft becomes one note that says what will happen.
#[tokio::test]
async fn propose_writes_one_note() {
    let (folder, mut ctx) = context();
    let view = &mut ctx;
    let id = view
        .propose(proposal(1), mail("Hello\n---\nkind: x\n"))
        .await
        .unwrap()
        .unwrap();
    let path = folder.path().join(format!("Pending_Approval/{id}.md"));
    let note = DraftNote::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((note.task, note.epoch), (task(1), Some(7)));
    assert_eq!(note.action.text(), "Hello\n---\nkind: x\n");
    assert_eq!(note.by, "cloud/test");
    assert_eq!(note.expires.to_string(), "2026-12-04T18:00:00Z");
}

/// One claim has one draft, whatever the second one says.
#[tokio::test]
async fn propose_second_draft_of_a_claim_is_a_duplicate() {
    let (folder, mut ctx) = context();
    let view = &mut ctx;
    let id = view
        .propose(proposal(1), mail("Hello"))
        .await
        .unwrap()
        .unwrap();
    for text in ["Hello", "Another text"] {
        let again = view
            .propose(proposal(1), mail(text))
            .await
            .unwrap()
            .unwrap_err();
        assert!(matches!(again, ProposeError::Duplicate(first) if first == id));
    }
    // Nor does one count that was made under an earlier claim.
    let path = folder.path().join(format!("Pending_Approval/{id}.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("epoch: 7\n", "epoch: 6\n")).unwrap();
    assert!(
        view.propose(proposal(1), mail("Hello"))
            .await
            .unwrap()
            .is_ok()
    );
}

/// What the owner's editor would run, fetch or hide is not written at all.
#[tokio::test]
async fn propose_active_markup_is_invalid() {
    // The line in which the text begins.
    let (folder, mut ctx) = context();
    let plain = ctx.propose(proposal(1), mail("Yes.")).await.unwrap();
    let path = format!("Pending_Approval/{}.md", plain.unwrap());
    let note = std::fs::read_to_string(folder.path().join(path)).unwrap();
    let line = note.lines().position(|line| line == "Yes.").unwrap() + 1;
    let (folder, mut ctx) = context();
    for (body, what) in [
        ("Yes <%* tp.x() %>", "has a template"),
        (
            "```dataviewjs\ndv.x()\n```",
            "has a code block that a plugin may run",
        ),
        ("<!-- and pay -->", "has a comment, which is not shown"),
    ] {
        let error = ctx
            .propose(proposal(1), mail(body))
            .await
            .unwrap()
            .unwrap_err();
        let ProposeError::Invalid(why) = error else {
            panic!("{error:?}");
        };
        assert_eq!(why, format!("line {line} {what}"));
    }
    // In a header it is written so that no plugin finds it.
    let mut odd = mail("Yes.");
    odd.subject = "Re: <%* tp.x() %> <b> ![[x]]".into();
    let id = ctx.propose(proposal(1), odd).await.unwrap().unwrap();
    let path = folder.path().join(format!("Pending_Approval/{id}.md"));
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains("<%"), "{text}");
    let draft = DraftNote::parse(&text).unwrap();
    let subject = draft
        .action
        .fields()
        .get("subject")
        .and_then(|subject| subject.as_str());
    assert_eq!(subject, Some("Re: <%* tp.x() %> <b> ![[x]]"));
}

/// Its note shows the message, and no text can move the line between the two.
#[tokio::test]
async fn propose_shows_the_message_above_the_text() {
    let (folder, mut ctx) = context();
    let twice = format!("Hello\n\n{}\n\nBye\n", platinum_core::text::BOUNDARY);
    let refused = ctx.propose(proposal(1), mail(&twice)).await.unwrap();
    let Err(ProposeError::Invalid(why)) = refused else {
        panic!("{refused:?}");
    };
    assert!(
        why.contains("a second time where your text begins"),
        "{why}"
    );
    let id = ctx.propose(proposal(1), mail("Hello\n")).await.unwrap();
    let path = format!("Pending_Approval/{}.md", id.unwrap());
    let text = std::fs::read_to_string(folder.path().join(path)).unwrap();
    let note = platinum_vault::note::Note::parse(&text).unwrap();
    let body = platinum_vault::note::DraftBody::of(&note).unwrap();
    assert_eq!(body.text, "Hello\n");
    assert!(body.above.contains("> [!quote] From "), "{}", body.above);
}

/// A day has so many drafts, and no more.
#[tokio::test]
async fn propose_too_many_drafts_of_a_day_is_unavailable() {
    let (folder, mut ctx) = context();
    let waiting = folder.path().join("Pending_Approval");
    std::fs::create_dir_all(&waiting).unwrap();
    for _ in 0..platinum_vault::note::MAX_DRAFTS_A_DAY {
        let id = platinum_core::DraftId::generate();
        std::fs::write(waiting.join(format!("{id}.md")), "").unwrap();
    }
    let error = ctx
        .propose(proposal(1), mail("Yes."))
        .await
        .unwrap()
        .unwrap_err();
    assert!(
        matches!(&error, ProposeError::Unavailable(why)
            if why == "200 drafts of today wait for the owner, and no more are made"),
        "{error:?}"
    );
}

/// Only the owner of a task drafts for it.
#[tokio::test]
async fn propose_for_a_task_of_another_is_refused() {
    let (folder, mut ctx) = context();
    let view = &mut ctx;
    for other in [2, 3, 4, 5] {
        let refused = view
            .propose(proposal(other), mail("Hello"))
            .await
            .unwrap()
            .unwrap_err();
        assert!(
            matches!(refused, ProposeError::NotOwner),
            "task {other}: {refused:?}"
        );
    }
    let plan = Plan {
        task: task(2).to_string(),
        title: "Plan".into(),
        steps: vec!["One".into()],
    };
    assert!(matches!(
        view.write(plan).await.unwrap(),
        Err(PlanError::NotOwner)
    ));
    assert_eq!(
        std::fs::read_dir(folder.path()).unwrap().count(),
        0,
        "nothing was written"
    );
}

/// The same plan twice is one plan, also where the owner has worked on it since.
#[tokio::test]
async fn write_equal_plan_is_the_one_that_is_there() {
    let (folder, mut ctx) = context();
    let plan = |step: &str| Plan {
        task: task(1).to_string(),
        title: "Plan".into(),
        steps: vec!["One".into(), step.into()],
    };
    let id = ctx.write(plan("Two")).await.unwrap().unwrap();
    let path = folder.path().join(format!("Plans/{id}.md"));
    let text = std::fs::read_to_string(&path).unwrap();
    let ticked = text.replace("- [ ] One", "- [x] One");
    assert_ne!(ticked, text);
    std::fs::write(&path, &ticked).unwrap();
    assert_eq!(ctx.write(plan("Two")).await.unwrap().unwrap(), id);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), ticked);
    assert_ne!(ctx.write(plan("Three")).await.unwrap().unwrap(), id);
}

/// What may be proposed is a matter of the task's zone, whatever the skill imports.
#[tokio::test]
async fn propose_an_action_of_another_zone_is_invalid() {
    let (folder, mut ctx) = context();
    let refused = ctx.propose(proposal(6), mail("Hello")).await.unwrap();
    assert!(matches!(
        refused,
        Err(ProposeError::Invalid(why))
            if why == "`email-send` is no action of the zone `notes`, which has none"
    ));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// A draft may not count for ever or lie in the past.
#[tokio::test]
async fn propose_with_a_bad_expiry_is_invalid() {
    let (_folder, mut ctx) = context();
    let view = &mut ctx;
    for wrong in ["2026-11-20T17:59:59Z", "2027-03-01T00:00:00Z", "tomorrow"] {
        let mut proposal = proposal(1);
        proposal.expires = Some(wrong.into());
        let refused = view.propose(proposal, mail("Hello")).await.unwrap();
        assert!(matches!(refused, Err(ProposeError::Invalid(_))), "{wrong}");
    }
}

/// Updates are published taken oldest first and removed once merged.
#[tokio::test]
async fn updates_published_are_taken_and_removed() {
    let (folder, vault) = vault();
    let mut ctx = UpdatesCtx {
        vault,
        author: author(Role::Cloud),
        now: now(),
        logged: Arc::default(),
    };
    let view = &mut ctx;
    let first = view
        .publish(Some(task(1).to_string()), "One".into())
        .await
        .unwrap()
        .unwrap();
    let path = folder.path().join(format!("Updates/cloud/{first}.md"));
    let note = UpdateNote::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((note.headline.as_str(), note.task), ("One", Some(task(1))));

    let refused = view
        .publish(None, "One\nkind: approved".into())
        .await
        .unwrap();
    assert!(matches!(refused, Err(types::Error::Invalid(_))));

    let taken = view.take(10).await.unwrap().unwrap();
    assert_eq!(taken.len(), 1);
    assert_eq!(
        (taken[0].agent.as_str(), taken[0].id.as_str()),
        ("cloud", first.as_str())
    );
    for _ in 0..2 {
        view.remove(vec![first.clone()]).await.unwrap().unwrap();
        assert!(view.take(10).await.unwrap().unwrap().is_empty());
    }
    assert!(matches!(
        view.take(0).await.unwrap(),
        Err(types::Error::Invalid(_))
    ));
}

/// What the owner keeps in `Updates/` is one line in the log, once.
#[tokio::test]
async fn notes_of_the_owner_in_updates_are_logged_once() {
    let (folder, vault) = vault();
    let ctx = UpdatesCtx {
        vault,
        author: author(Role::Local),
        now: now(),
        logged: Arc::default(),
    };
    let note = |n: usize| {
        let path = folder.path().join(format!("Updates/Note {n:03}.md"));
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "# A note\n").unwrap();
    };
    (0..300).for_each(note);
    assert_eq!(
        ctx.new_others().as_deref(),
        Some(
            "300 files in Updates/ are left alone, as they are no updates of Platinum's, such as Updates/Note 000.md: \
             line 1: the note has no frontmatter; its first line has to be `---`. Notes of your own are better off in another folder."
        )
    );
    assert_eq!(ctx.new_others(), None);
    note(300);
    assert_eq!(
        ctx.new_others().as_deref(),
        Some(
            "Updates/Note 300.md is left alone, as it is no update of Platinum's: \
             line 1: the note has no frontmatter; its first line has to be `---`."
        )
    );
    // One that is taken away and comes back is new again.
    std::fs::remove_file(folder.path().join("Updates/Note 007.md")).unwrap();
    assert_eq!(ctx.new_others(), None);
    note(7);
    assert!(ctx.new_others().is_some());
}
