//! `whatsapp/read` and `whatsapp/propose`, over a server that answers as it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use platinum_core::{Role, TaskId, WhatsappSend, ZoneId, format_minute};
use platinum_mcp::CallError;
use platinum_vault::{
    Vault,
    note::{DraftNote, Fact},
};
use serde_json::{Value, json};

use super::{Tasks, author, note, now, task, vault};
use crate::{
    bindings::platinum::{
        actions::types::{Proposal, ProposeError},
        whatsapp::{
            propose::Host as _,
            read::Host as _,
            types::{Error, FilledTemplate, Outgoing},
        },
    },
    proposals::ProposeCtx,
    server::ToolServer,
    tasks::Owner,
    whatsapp::{WhatsappCtx, WhatsappProposeCtx},
};

/// Answers each tool the same, however often it is asked.
#[derive(Default)]
struct Chats {
    chat: Option<Value>,
    messages: Vec<Value>,
    templates: Vec<Value>,
    /// What checking a message answers.
    checked: Option<Value>,
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl ToolServer for Chats {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        self.asked.lock().unwrap().push((tool, arguments));
        match (tool, &self.chat) {
            ("get_chat", Some(chat)) => Ok(chat.clone()),
            ("get_messages", _) => Ok(json!({ "messages": self.messages })),
            ("list_templates", _) => Ok(json!({ "templates": self.templates })),
            ("check_message", _) => Ok(self.checked.clone().unwrap()),
            _ => Err(CallError::Tool("there is no chat `1650`".to_owned())),
        }
    }
}

fn chat(open_until: &str) -> Value {
    json!({"chat": "1650", "contact": {"number": "16505551234", "id": "US.1"}, "name": "Sheena", "is_group": false,
        "is_known": true, "last_inbound": "2026-11-20T17:00:00Z", "open_until": open_until, "refusal": null})
}

fn server(chat: Value) -> Arc<Chats> {
    Arc::new(Chats {
        chat: Some(chat),
        ..Chats::default()
    })
}

/// Tasks 1, of the chat, and 2, of none.
fn tasks() -> Arc<Tasks> {
    let ids = [task(1), task(2)];
    let mut of_chat = note(task(1), ZoneId::WHATSAPP);
    of_chat.facts.push(Fact {
        name: WhatsappSend::CHAT_FACT.to_owned(),
        values: vec!["1650".to_owned()],
    });
    Arc::new(Tasks {
        owners: ids.map(|task| (task, Owner::ThisAgent)).into(),
        zones: ids.map(|task| (task, ZoneId::WHATSAPP)).into(),
        notes: [(task(1), of_chat)].into(),
        ..Tasks::default()
    })
}

fn reading(server: &Arc<Chats>, task: Option<TaskId>) -> WhatsappCtx {
    WhatsappCtx {
        server: server.clone(),
        store: tasks(),
        task,
    }
}

fn proposing(server: &Arc<Chats>, vault: &Vault) -> WhatsappProposeCtx {
    WhatsappProposeCtx {
        server: server.clone(),
        proposals: ProposeCtx {
            vault: vault.clone(),
            store: tasks(),
            author: author(Role::Local),
            now: now(),
        },
    }
}

fn proposal(of: TaskId) -> Proposal {
    Proposal {
        task: of.to_string(),
        summary: "Answer Sheena".into(),
        reason: "She asked.".into(),
        expires: None,
    }
}

fn outgoing(chat: &str, text: &str) -> Outgoing {
    Outgoing {
        chat: chat.into(),
        text: text.into(),
        quoted_message: Some("wamid.A".into()),
        template: None,
        file: None,
        doubts: vec![],
    }
}

#[tokio::test]
async fn read_finds_the_chat_of_the_task_alone() {
    let server = server(chat("2026-11-21T17:00:00Z"));
    let mut ctx = reading(&server, Some(task(1)));
    let found = ctx.get_chat("1650".into()).await.unwrap().unwrap();
    assert_eq!(found.contact.number.as_deref(), Some("16505551234"));
    assert!(ctx.messages("1650".into(), 10).await.unwrap().is_ok());
    assert_eq!(server.asked.lock().unwrap().len(), 2);
    for (of, chat) in [
        (Some(task(1)), "1651"),
        (Some(task(2)), "1650"),
        (Some(task(3)), "1650"),
        (None, "1650"),
    ] {
        let mut ctx = reading(&server, of);
        let denied = ctx.get_chat(chat.into()).await.unwrap();
        assert!(matches!(denied, Err(Error::NotFound)), "{of:?} {chat}");
        let denied = ctx.messages(chat.into(), 10).await.unwrap();
        assert!(matches!(denied, Err(Error::NotFound)), "{of:?} {chat}");
    }
    // The server was not even asked.
    assert_eq!(server.asked.lock().unwrap().len(), 2);
    for limit in [0, 101] {
        let refused = ctx.messages("1650".into(), limit).await.unwrap();
        assert!(matches!(refused, Err(Error::Invalid(_))));
    }
}

#[tokio::test]
async fn read_bounds_what_the_server_answers() {
    let message = json!({"id": "wamid.A", "sender": "She\u{202e}ena\nx", "is_own": false, "is_from_app": false,
        "kind": "text", "text": "é".repeat(20_000), "quoted": null, "at": "2026-11-20T17:00:00Z"});
    let server = Arc::new(Chats {
        messages: vec![message; 5],
        ..Chats::default()
    });
    let mut ctx = reading(&server, Some(task(1)));
    let read = ctx.messages("1650".into(), 3).await.unwrap().unwrap();
    assert_eq!(read.len(), 3);
    assert_eq!(read[0].sender, "Sheena x");
    assert!(read[0].text.len() < 17_000);
    let gone = ctx.get_chat("1650".into()).await.unwrap();
    assert!(matches!(gone, Err(Error::NotFound)));
}

/// The contact is what the server has, the approval ends with the window, and a window that closes soon is said to.
#[tokio::test]
async fn propose_binds_the_contact_and_the_window() {
    let (folder, vault) = vault();
    let server = server(chat("2026-11-20T20:00:00Z"));
    let mut ctx = proposing(&server, &vault);
    let asked = outgoing("1650", "Yes, it does.");
    let id = ctx.propose(proposal(task(1)), asked.clone()).await;
    let id = id.unwrap().unwrap();
    let path = folder.path().join(format!("Pending_Approval/{id}.md"));
    let draft = DraftNote::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let action: WhatsappSend = draft.action.read().unwrap();
    assert_eq!(
        action,
        WhatsappSend {
            chat: "1650".into(),
            contact_number: Some("16505551234".into()),
            contact_id: Some("US.1".into()),
            quoted_message: Some("wamid.A".into()),
            text: "Yes, it does.".into(),
            ..WhatsappSend::default()
        }
    );
    assert_eq!(draft.expires.to_string(), "2026-11-20T20:00:00Z");
    assert_eq!(
        draft.doubts,
        [format!(
            "WhatsApp takes an answer only until {}: approve it before.",
            format_minute("2026-11-20T20:00:00Z".parse().unwrap())
        )]
    );
    let again = ctx.propose(proposal(task(1)), asked).await.unwrap();
    assert!(matches!(again, Err(ProposeError::Duplicate(first)) if first == id));
}

#[tokio::test]
async fn propose_refuses_what_could_not_be_sent() {
    let (_folder, vault) = vault();
    let open = "2026-11-21T17:00:00Z";
    let mut group = chat(open);
    group["refusal"] = json!("it is a group, and groups are only read");
    let long = "é".repeat(4097);
    for (chat, of, asked, words) in [
        (
            chat(open),
            task(1),
            outgoing("1651", "Hi"),
            "`chat` is not the chat that the task is of",
        ),
        (
            chat(open),
            task(2),
            outgoing("1650", "Hi"),
            "`chat` is not the chat that the task is of",
        ),
        (
            chat(open),
            task(1),
            outgoing("1650", " \n"),
            "`text` is empty",
        ),
        (
            chat(open),
            task(1),
            outgoing("1650", &long),
            "`text` has 4097 characters; 4096 is the most",
        ),
        (
            chat("2026-11-20T18:00:00Z"),
            task(1),
            outgoing("1650", "Hi"),
            "the window for an answer closed at 2026-11-20T18:00:00Z; WhatsApp takes only templates now, until they write \
             again",
        ),
        (
            group,
            task(1),
            outgoing("1650", "Hi"),
            "it is a group, and groups are only read",
        ),
    ] {
        let server = server(chat);
        let mut ctx = proposing(&server, &vault);
        let refused = ctx.propose(proposal(of), asked).await.unwrap().unwrap_err();
        let ProposeError::Invalid(why) = refused else {
            panic!("{words}: {refused:?}");
        };
        assert_eq!(why, words);
    }
    // A chat that the server has lost, and one whose window it does not say.
    let lost = Arc::new(Chats::default());
    let refused = proposing(&lost, &vault)
        .propose(proposal(task(1)), outgoing("1650", "Hi"))
        .await;
    let words = "WhatsApp's server has no such chat";
    assert!(matches!(refused.unwrap(), Err(ProposeError::Invalid(why)) if why == words));
    let mut unsaid = chat(open);
    unsaid["open_until"] = Value::Null;
    let refused = proposing(&server(unsaid), &vault)
        .propose(proposal(task(1)), outgoing("1650", "Hi"))
        .await;
    assert!(matches!(
        refused.unwrap(),
        Err(ProposeError::Unavailable(_))
    ));
}

/// A chat that takes templates alone.
fn closed_chat(takes_templates: bool) -> Value {
    let mut closed = chat("2026-11-20T18:00:00Z");
    closed["refusal"] = json!("the window closed; approved are: order_ready (en_US)");
    closed["takes_templates"] = json!(takes_templates);
    closed
}

fn of_template(text: &str, file: Option<&str>) -> Outgoing {
    Outgoing {
        template: Some(FilledTemplate {
            name: "order_ready".into(),
            language: "en_US".into(),
            values: vec!["Sheena".into()],
        }),
        file: file.map(str::to_owned),
        ..outgoing("1650", text)
    }
}

async fn proposed(
    server: &Arc<Chats>,
    vault: &Vault,
    asked: Outgoing,
) -> Result<String, ProposeError> {
    let mut ctx = proposing(server, vault);
    ctx.propose(proposal(task(1)), asked).await.unwrap()
}

fn draft_of(folder: &tempfile::TempDir, id: &str) -> (DraftNote, WhatsappSend) {
    let path = folder.path().join(format!("Pending_Approval/{id}.md"));
    let draft = DraftNote::parse(&std::fs::read_to_string(path).unwrap()).unwrap();
    let action = draft.action.read().unwrap();
    (draft, action)
}

/// The text below the line is the server's, and its approval does not end with the window.
#[tokio::test]
async fn propose_shows_a_template_filled() {
    let (folder, vault) = vault();
    let server = Arc::new(Chats {
        chat: Some(closed_chat(true)),
        checked: Some(json!({"text": "Sheena, your desk is ready.", "fault": null})),
        ..Chats::default()
    });
    let id = proposed(&server, &vault, of_template("", None))
        .await
        .unwrap();
    let (draft, action) = draft_of(&folder, &id);
    assert_eq!(
        action,
        WhatsappSend {
            chat: "1650".into(),
            contact_number: Some("16505551234".into()),
            contact_id: Some("US.1".into()),
            template: Some("order_ready".into()),
            template_language: Some("en_US".into()),
            text: "Sheena, your desk is ready.\n".into(),
            ..WhatsappSend::default()
        }
    );
    assert!(draft.expires.to_string().as_str() > "2026-11-30");
    let asked = server.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        asked,
        (
            "check_message",
            json!({"template": {"name": "order_ready", "language": "en_US"}, "values": ["Sheena"]})
        )
    );
}

#[tokio::test]
async fn propose_binds_a_file_of_the_inbox() {
    let (folder, vault) = vault();
    vault
        .create(&"Inbox/offer.pdf".parse().unwrap(), b"offer")
        .unwrap();
    let server = Arc::new(Chats {
        chat: Some(chat("2026-11-21T17:00:00Z")),
        checked: Some(json!({"text": ""})),
        ..Chats::default()
    });
    let with = |path: &str| Outgoing {
        file: Some(path.to_owned()),
        ..outgoing("1650", "")
    };
    for (path, words) in [
        (
            "Inbox/none.pdf",
            "`file`: Inbox/none.pdf is not in the vault",
        ),
        (
            "Done/offer.pdf",
            "`file`: Done/offer.pdf cannot leave from there; files leave from Inbox/",
        ),
        (
            "../offer.pdf",
            "`file`: `../offer.pdf` has the component `..`, which could leave the vault",
        ),
    ] {
        let refused = proposed(&server, &vault, with(path)).await.unwrap_err();
        assert!(
            matches!(&refused, ProposeError::Invalid(why) if why == words),
            "{refused:?}"
        );
    }
    let id = proposed(&server, &vault, with("Inbox/offer.pdf"))
        .await
        .unwrap();
    let (_, action) = draft_of(&folder, &id);
    assert_eq!(action.file, Some("Inbox/offer.pdf".parse().unwrap()));
    let asked = server.asked.lock().unwrap().pop().unwrap();
    assert_eq!(
        asked.1,
        json!({"text": "", "file": {"name": "offer.pdf", "type": "application/pdf", "size": 5}})
    );
}

#[tokio::test]
async fn propose_refuses_a_template_that_cannot_be_sent() {
    let (_folder, vault) = vault();
    let fault =
        json!({"text": "", "fault": "WhatsApp has approved no template order_ready (en_US)"});
    let closed = "the window closed; approved are: order_ready (en_US)";
    for (takes_templates, asked, words) in [
        (false, of_template("", None), closed),
        (true, outgoing("1650", "Hi"), closed),
        (
            true,
            of_template("Hi", None),
            "`text` is given with a template, which has its own",
        ),
        (
            true,
            of_template("", Some("Inbox/a.pdf")),
            "`file` is given with a template, which has none",
        ),
        (
            true,
            of_template("", None),
            "WhatsApp has approved no template order_ready (en_US)",
        ),
    ] {
        let server = Arc::new(Chats {
            chat: Some(closed_chat(takes_templates)),
            checked: Some(fault.clone()),
            ..Chats::default()
        });
        let refused = proposed(&server, &vault, asked).await.unwrap_err();
        assert!(
            matches!(&refused, ProposeError::Invalid(why) if why == words),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn read_lists_templates_where_the_chat_takes_them() {
    let template = json!({"name": "order_ready", "language": "en_US", "text": "{{1}}, it is ready.", "gaps": ["1"]});
    for (takes_templates, of, count) in [
        (true, Some(task(1)), Some(1)),
        (false, Some(task(1)), Some(0)),
        (true, Some(task(2)), None),
        (true, None, None),
    ] {
        let server = Arc::new(Chats {
            chat: Some(closed_chat(takes_templates)),
            templates: vec![template.clone()],
            ..Chats::default()
        });
        let listed = reading(&server, of).templates().await.unwrap();
        assert_eq!(listed.ok().map(|templates| templates.len()), count);
    }
}
