//! `whatsapp/read` and `whatsapp/propose`, over a server that answers as it is told.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use platinum_core::{Role, TaskId, WhatsappSend, ZoneId};
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
            types::{Error, Outgoing},
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
    asked: Mutex<Vec<(&'static str, Value)>>,
}

#[async_trait]
impl ToolServer for Chats {
    async fn call(&self, tool: &'static str, arguments: Value) -> Result<Value, CallError> {
        self.asked.lock().unwrap().push((tool, arguments));
        match (tool, &self.chat) {
            ("get_chat", Some(chat)) => Ok(chat.clone()),
            ("get_messages", _) => Ok(json!({ "messages": self.messages })),
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
        }
    );
    assert_eq!(draft.expires.to_string(), "2026-11-20T20:00:00Z");
    assert_eq!(
        draft.doubts,
        ["WhatsApp takes an answer only until 2026-11-20T20:00:00Z: approve it before."]
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
