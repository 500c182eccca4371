//! `tasks/*`, `vault/context` and `email/search`.

use std::{fs, sync::Arc};

use platinum_core::{EmailSend, Role, TaskId, Timestamp, VaultPath, ZoneId};

use platinum_vault::note::Fact;

use super::{Tasks, task, vault};
use crate::{
    bindings::platinum::{
        email::{
            draft::Host as Draft,
            people::Host as People,
            search::{self, Host as Search},
            types::{Error as EmailError, Mail as WitMail},
        },
        tasks::{claim::Host as Claim, read::Host as Read, types},
        vault::context::{Error, Host as Context},
    },
    email::{EmailCtx, Mail, MailError, Matches, Person, Query, SearchHit, Style},
    tasks::{NoReceipts, TasksCtx},
    vault::NotesCtx,
};

fn tasks(role: Role, zones: &[ZoneId]) -> (Arc<Tasks>, TasksCtx) {
    let store = Arc::new(Tasks {
        zones: [(task(1), ZoneId::EMAIL), (task(2), ZoneId::PAYMENTS)].into(),
        ..Tasks::default()
    });
    let ctx = TasksCtx {
        store: Arc::clone(&store) as _,
        zones: zones.to_vec(),
        role,
        receipts: Arc::new(NoReceipts),
    };
    (store, ctx)
}

/// A skill sees and claims tasks of its zones alone.
#[tokio::test]
async fn tasks_of_a_zone_not_granted_are_denied() {
    let (store, mut ctx) = tasks(Role::Local, &[ZoneId::EMAIL]);
    let view = &mut ctx;
    assert_eq!(
        view.waiting("email".into()).await.unwrap().unwrap().len(),
        1
    );
    assert!(view.get(task(1).to_string()).await.unwrap().is_ok());
    assert!(view.claim(task(1).to_string()).await.unwrap().is_ok());

    let denied = |error| matches!(error, types::Error::ZoneDenied(zone) if zone == "payments");
    assert!(denied(
        view.waiting("payments".into()).await.unwrap().unwrap_err()
    ));
    assert!(denied(
        view.get(task(2).to_string()).await.unwrap().unwrap_err()
    ));
    assert!(denied(
        view.claim(task(2).to_string()).await.unwrap().unwrap_err()
    ));
    assert_eq!(*store.claims.lock().unwrap(), [task(1)]);
    for nonsense in ["", "task_", "../task", "draft_01M7X6GV1QWKMHJ2VPYYR55MM3"] {
        let missing = view.get(nonsense.to_owned()).await.unwrap().unwrap_err();
        assert!(matches!(missing, types::Error::NotFound), "{nonsense}");
    }
}

/// A cloud host has no way to a zone of the owners machine whatever it was granted.
#[tokio::test]
async fn local_zone_is_denied_to_the_cloud_even_if_granted() {
    let (store, mut ctx) = tasks(
        Role::Cloud,
        &[
            ZoneId::EMAIL,
            ZoneId::WHATSAPP,
            ZoneId::PAYMENTS,
            ZoneId::APPROVALS,
        ],
    );
    let view = &mut ctx;
    let refused = view.claim(task(2).to_string()).await.unwrap().unwrap_err();
    assert!(matches!(refused, types::Error::ZoneDenied(_)));
    assert!(store.claims.lock().unwrap().is_empty());
}

#[tokio::test]
async fn tasks_of_a_malformed_zone_are_invalid() {
    let (_store, mut ctx) = tasks(Role::Local, &[ZoneId::EMAIL]);
    let error = ctx.waiting("My Zone".into()).await.unwrap().unwrap_err();
    let types::Error::Invalid(reason) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        reason,
        "invalid zone id `My Zone`: an id begins with a letter from a to z"
    );
    // A zone that is well-formed exists, and is not granted.
    let error = ctx.waiting("garden".into()).await.unwrap().unwrap_err();
    assert!(matches!(error, types::Error::ZoneDenied(zone) if zone == "garden"));
}

/// Notes outside the grant cannot be read by any spelling.
#[tokio::test]
async fn notes_outside_the_grant_are_denied() {
    let (folder, vault) = vault();
    for (path, text) in [
        ("Company_Handbook.md", "rules"),
        ("Offers/a.md", "a"),
        ("Offers_secret.md", "no"),
        ("Inbox/b.md", "no"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let granted = ["Company_Handbook.md", "Offers"].map(|path| VaultPath::new(path).unwrap());
    let mut ctx = NotesCtx {
        vault,
        granted: granted.to_vec().into(),
    };
    let view = &mut ctx;
    assert_eq!(
        view.read("Company_Handbook.md".into())
            .await
            .unwrap()
            .unwrap(),
        "rules"
    );
    assert_eq!(
        view.list("Offers".into()).await.unwrap().unwrap(),
        ["Offers/a.md"]
    );
    for path in [
        "Inbox/b.md",
        "Offers_secret.md",
        "Offers/../Inbox/b.md",
        "/etc/passwd",
        "Offers/./a.md",
        "Company_Handbook.md/../Inbox/b.md",
        "",
    ] {
        let refused = view.read(path.to_owned()).await.unwrap().unwrap_err();
        assert!(matches!(refused, Error::Denied), "{path}: {refused:?}");
    }
    assert!(matches!(
        view.read("Offers/none.md".into()).await.unwrap(),
        Err(Error::NotFound)
    ));
}

/// A mailbox that finds everything, whatever it is asked for.
struct Mailbox(Vec<SearchHit>);

#[async_trait::async_trait]
impl Mail for Mailbox {
    async fn search(&self, _: &Query) -> Result<Vec<SearchHit>, MailError> {
        Ok(self.0.clone())
    }

    async fn find_people(&self, account: &str, name: &str) -> Result<Matches, MailError> {
        let bob = Person {
            name: format!("{name} of {account}"),
            address: "bob@rival.test".to_owned(),
        };
        Ok(Matches {
            people: vec![bob],
            clear: true,
        })
    }

    async fn style(
        &self,
        account: &str,
        recipients: &[String],
        _: Option<Timestamp>,
    ) -> Result<Style, MailError> {
        Ok(Style {
            signature: Some("Me".to_owned()),
            texts: vec!["x".repeat(10_000); 9],
            sources: vec![format!("{account}: {}", recipients.join(", "))],
            ..Style::default()
        })
    }

    async fn save_draft(
        &self,
        mail: &EmailSend,
        drafted_as: Option<&str>,
    ) -> Result<String, MailError> {
        let drafted_as = drafted_as.unwrap_or_default();
        Err(MailError::Refused(format!("{drafted_as}: {}", mail.body)))
    }
}

fn mailbox(task: Option<TaskId>) -> EmailCtx {
    let mail = |id: &str, sender: &str, to: &str| SearchHit {
        message_id: id.to_owned(),
        sender: sender.to_owned(),
        to: vec![to.to_owned()],
        cc: Vec::new(),
        subject: "Offer".to_owned(),
        date: None,
        folder: "INBOX".to_owned(),
        text: "Our price is 100.".to_owned(),
    };
    let me = "Me <me@example.test>";
    EmailCtx {
        mail: Arc::new(Mailbox(vec![
            mail("asked", "Ada <ada@example.test>", me),
            mail("answered", me, "Ada <ada@example.test>"),
            mail("of-another", "Bob <bob@rival.test>", me),
            mail("to-another", me, "bob@rival.test"),
        ])),
        store: tasks(Role::Cloud, &[]).0,
        task,
        zones: vec![ZoneId::EMAIL],
    }
}

fn query() -> search::Query {
    search::Query {
        text: None,
        sender: None,
        thread: vec!["of-another".to_owned(), "asked".to_owned()],
        limit: 10,
    }
}

/// The attack: a stranger's `References` name the conversation with somebody else. The mailbox
/// finds it, and the host gives the skill only what the task's correspondent took part in.
#[tokio::test]
async fn search_shows_no_mail_of_another_correspondent() {
    let found = mailbox(Some(task(1)))
        .search(query())
        .await
        .unwrap()
        .unwrap();
    let ids: Vec<_> = found.iter().map(|mail| mail.message_id.as_str()).collect();
    assert_eq!(ids, ["asked", "answered"]);
}

#[tokio::test]
async fn search_without_a_task_of_the_zone_is_refused() {
    for (task, expected) in [
        (
            None,
            "the mailbox is searched for a task, and this run is for none",
        ),
        (
            Some(task(2)),
            "the zone payments is not granted to this agent",
        ),
        (Some(task(9)), "no task has this id"),
    ] {
        let refused = mailbox(task).search(query()).await.unwrap().unwrap_err();
        let EmailError::Refused(why) = refused else {
            panic!("{refused:?}")
        };
        assert_eq!(why, expected);
    }
}

/// The copy in Drafts is known by its task.
#[tokio::test]
async fn saved_draft_names_its_task() {
    let mut ctx = mailbox(Some(task(1)));
    let mail = WitMail {
        from_account: "owner".into(),
        to: vec!["Ada <ada@example.test>".into()],
        cc: vec![],
        bcc: vec![],
        subject: "Re: Offer".into(),
        body: "On [✎ which day]\n".into(),
        in_reply_to: None,
        references: vec![],
        attachments: vec![],
    };
    let saved = Draft::save(&mut ctx, mail).await.unwrap();
    let expected = format!("{}: On [✎ which day]\n", task(1).to_string().to_lowercase());
    assert!(
        matches!(&saved, Err(EmailError::Refused(said)) if *said == expected),
        "{saved:?}"
    );
}

fn mailbox_of(source: &str, facts: &[(&str, &str)]) -> EmailCtx {
    let mut note = super::note(task(1), ZoneId::EMAIL);
    note.source = source.to_owned();
    note.facts = facts
        .iter()
        .map(|&(name, value)| Fact {
            name: name.to_owned(),
            values: vec![value.to_owned()],
        })
        .collect();
    if source.starts_with("file:") {
        note.from = "A file that was dropped here".to_owned();
    }
    EmailCtx {
        store: Arc::new(Tasks {
            notes: [(task(1), note)].into(),
            ..Tasks::default()
        }),
        ..mailbox(Some(task(1)))
    }
}

/// A mail that asks "who is Bob?" is not answered: the address book is the owner's.
#[tokio::test]
async fn people_are_found_for_the_owners_note_alone() {
    let mut note = mailbox_of("file:Inbox/idea.md", &[("account", "me")]);
    let found = note.find("Bob".into()).await.unwrap().unwrap();
    assert!(found.clear);
    assert_eq!(found.people[0].name, "Bob of me");
    assert_eq!(found.people[0].address, "bob@rival.test");
    let mut mail = mailbox_of("imap:me", &[]);
    let EmailError::Refused(why) = mail.find("Bob".into()).await.unwrap().unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(
        why,
        "people are looked up for the owner's own notes, and this task is a mail"
    );
    let mut nowhere = mailbox_of("file:Inbox/idea.md", &[]);
    let EmailError::Refused(why) = nowhere.find("Bob".into()).await.unwrap().unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(why, "the task does not say which account it belongs to");
    for name in ["", "Bob\nEve", &"x".repeat(101)] {
        let refused = note.find(name.to_owned()).await.unwrap().unwrap_err();
        assert!(matches!(refused, EmailError::Invalid(_)), "{name}");
    }
}

#[tokio::test]
async fn style_is_shown_for_those_the_task_is_with() {
    let mut mail = mailbox_of("imap:me", &[]);
    let ask = |one: &str| vec![one.to_owned()];
    let style = mail.style_for(ask("Ada@example.test")).await.unwrap();
    let style = style.unwrap();
    assert_eq!(style.sources, ["me: ada@example.test"]);
    assert_eq!(style.texts.len(), 3);
    assert!(style.texts.iter().all(|text| text.len() <= 2 * 1024 + 3));
    // Who is left out gets the answer, too.
    let mut all = mailbox_of("imap:me", &[("answer-cc", "Aaron <aaron@x.test>")]);
    let style = all.style_for(ask("ada@example.test")).await.unwrap();
    let everybody = "me: ada@example.test, aaron@x.test";
    assert_eq!(style.unwrap().sources, [everybody]);
    let refused = mail.style_for(ask("bob@rival.test")).await.unwrap();
    let EmailError::Refused(why) = refused.unwrap_err() else {
        panic!("not refused")
    };
    assert_eq!(why, "the task is not with bob@rival.test");
    let mut note = mailbox_of("file:Inbox/idea.md", &[("account", "me")]);
    let style = note.style_for(ask("bob@rival.test")).await.unwrap();
    assert_eq!(style.unwrap().sources, ["me: bob@rival.test"]);
    let many = vec!["a@b.test".to_owned(); 51];
    let refused = note.style_for(many).await.unwrap().unwrap_err();
    assert!(matches!(refused, EmailError::Invalid(_)));
}
