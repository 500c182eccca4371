//! What people wrote on WhatsApp, as the store has it, becomes tasks: one a burst, once, and not of everybody.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

use platinum_core::{Timestamp, WhatsappSend};
use platinum_intake::whatsapp::MAX_WAITING;
use platinum_vault::note::{TaskNote, UpdateNote, check_drafted};
use platinum_whatsapp_store::{
    ContactPair, Store,
    event::{Author, ChatEvent, ChatMessage, Delivery, Progress},
};

use crate::accounting::notes_in;

const PROGRAM: &str = env!("CARGO_BIN_EXE_platinum-intake");
const CONFIG: &str = "[whatsapp]\nphone_number_id = '1'\ntoken = { file = 't' }\napp_secret = { file = 's' }\n\
                      verify_token = { file = 'v' }\nlisten = '127.0.0.1:0'\n";

/// A store with what people wrote, and a vault beside it.
struct ChatFixture {
    dir: tempfile::TempDir,
    store: Store,
}

impl ChatFixture {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("vault/Needs_Action")).unwrap();
        fs::write(dir.path().join("whatsapp.toml"), CONFIG).unwrap();
        let store = Store::open(&dir.path().join("whatsapp-state")).unwrap();
        Self { dir, store }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Somebody wrote so many minutes ago, or the owner did with the app.
    fn wrote(&self, id: &str, number: &str, author: Author, text: &str, minutes: i64) {
        let at = Timestamp::now() - jiff::SignedDuration::from_mins(minutes);
        let message = ChatMessage {
            id: id.to_owned(),
            contact: ContactPair::new(Some(number), None),
            group: number.strip_prefix("group").map(str::to_owned),
            name: Some("Sheena".to_owned()),
            author,
            kind: "text".to_owned(),
            text: text.to_owned(),
            quoted: None,
            at,
        };
        self.store
            .record(&[ChatEvent::Message(message)], at)
            .unwrap();
    }

    fn run(&self, more: &[&str]) -> Output {
        Command::new(PROGRAM)
            .args(["whatsapp", "--once", "--agent", "local", "--config"])
            .arg(self.path("whatsapp.toml"))
            .arg("--vault")
            .arg(self.path("vault"))
            .arg("--state")
            .arg(self.path("state"))
            .args(more)
            .output()
            .unwrap()
    }

    fn poll(&self, more: &[&str]) -> Vec<TaskNote> {
        let output = self.run(more);
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        notes_in(&self.path("vault/Needs_Action/whatsapp"))
    }

    /// What the owner was told.
    fn headlines(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path("vault/Updates/local"))
            .into_iter()
            .flatten();
        let texts = entries.map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        texts
            .map(|text| UpdateNote::parse(&text).unwrap().headline)
            .collect()
    }
}

#[test]
fn burst_becomes_one_task_with_its_conversation() {
    let chats = ChatFixture::new();
    chats.wrote(
        "wamid.0",
        "1650",
        Author::OwnerInApp,
        "We have it in red.",
        60,
    );
    chats.wrote(
        "wamid.1",
        "1650",
        Author::Other,
        "And in blue?\n---\n# x",
        5,
    );
    chats.wrote(
        "wamid.2",
        "1650",
        Author::Other,
        "[[Passwords]] <% tp %>",
        4,
    );
    let tasks = chats.poll(&[]);
    let [task] = &tasks[..] else {
        panic!("{tasks:?}");
    };
    assert_eq!(task.fact(WhatsappSend::CHAT_FACT), ["1650"]);
    assert_eq!(
        task.fact(WhatsappSend::MESSAGE_FACT),
        ["wamid.1", "wamid.2"]
    );
    assert!(
        task.body.contains("you: We have it in red."),
        "{}",
        task.body
    );
    assert!(!task.body.contains("<%"), "{}", task.body);
    let path = platinum_core::layout::waiting(task.zone, task.id);
    check_drafted(&path, task.render().as_bytes()).unwrap();
    // The same once more; and after the loss of the record, a task of the same id.
    assert_eq!(chats.poll(&[]).len(), 1);
    fs::remove_dir_all(chats.path("state")).unwrap();
    assert_eq!(chats.poll(&[]), tasks);
    // What they write next is the next task.
    chats.wrote("wamid.3", "1650", Author::Other, "Hello?", 2);
    assert_eq!(chats.poll(&[]).len(), 2);
    assert!(chats.headlines().is_empty());
}

/// They may still be writing.
#[test]
fn burst_that_goes_on_is_no_task_yet() {
    let chats = ChatFixture::new();
    chats.wrote("wamid.0", "1650", Author::OwnerInApp, "Yes?", 60);
    chats.wrote("wamid.1", "1650", Author::Other, "Hi", 0);
    assert!(chats.poll(&["--quiet=600"]).is_empty());
    chats.wrote("wamid.2", "1650", Author::Other, "Is it there in blue?", 0);
    let tasks = chats.poll(&["--quiet=0"]);
    assert_eq!(tasks.len(), 1);
    assert_eq!(tasks[0].fact(WhatsappSend::MESSAGE_FACT).len(), 2);
}

#[test]
fn answered_chat_and_old_messages_are_no_task() {
    let chats = ChatFixture::new();
    chats.wrote("wamid.1", "1650", Author::Other, "Hi", 30 * 60);
    chats.wrote("wamid.2", "1219", Author::Other, "Are you there?", 10);
    chats.wrote("wamid.3", "1219", Author::OwnerInApp, "Yes", 9);
    assert!(
        chats
            .poll(&["--contact=+1650", "--contact=+1219"])
            .is_empty()
    );
}

/// Quiet by default: the owner is told, once, and nothing becomes a task.
#[test]
fn unknown_senders_and_groups_are_listed() {
    let chats = ChatFixture::new();
    chats.wrote("wamid.1", "1650", Author::Other, "Buy now", 5);
    chats.wrote("wamid.2", "group7", Author::Other, "Good morning", 4);
    for _ in 0..2 {
        assert!(chats.poll(&[]).is_empty());
    }
    assert_eq!(
        chats.headlines(),
        [
            "WhatsApp: 2 messages of people to whom you have never written, or in groups; nothing is drafted for them: \
          Sheena, +1650; a group"
        ]
    );
    let other = ChatFixture::new();
    other.wrote("wamid.1", "1650", Author::Other, "Is it there in blue?", 5);
    other.wrote("wamid.2", "group7", Author::Other, "Good morning", 4);
    let tasks = other.poll(&["--unknown-senders=draft", "--groups=ignore"]);
    assert_eq!(tasks.len(), 1);
    assert!(other.headlines().is_empty());
}

#[test]
fn flood_of_chats_is_bounded_and_told() {
    let chats = ChatFixture::new();
    let count = MAX_WAITING + 3;
    for n in 0..count {
        let number = format!("1650{n:04}");
        chats.wrote(&format!("wamid.{n}"), &number, Author::Other, "Hi", 5);
    }
    let draft = ["--unknown-senders=draft"];
    assert_eq!(chats.poll(&draft).len(), MAX_WAITING);
    let told = chats.headlines();
    assert!(
        told[0].starts_with("3 more conversations on WhatsApp wait. 30 tasks"),
        "{told:?}"
    );
    // As if all were done.
    let folder = chats.path("vault/Needs_Action/whatsapp");
    let done = chats.path("vault/Done/2026/11");
    fs::create_dir_all(done.parent().unwrap()).unwrap();
    fs::rename(&folder, &done).unwrap();
    assert_eq!(chats.poll(&draft).len(), 3);
}

/// What was not delivered is told, once; what was not long ago is not.
#[test]
fn message_that_was_not_delivered_is_told_once() {
    let chats = ChatFixture::new();
    let fail = |id: &str| {
        let now = Timestamp::now();
        let delivery = Delivery {
            message: id.to_owned(),
            reference: Some("draft_1".to_owned()),
            progress: Progress::Failed,
            at: now,
            code: Some(131_026),
            words: Some("Message undeliverable (error 131026)".to_owned()),
        };
        chats
            .store
            .record(&[ChatEvent::Delivery(delivery)], now)
            .unwrap();
    };
    fail("wamid.OLD");
    chats.poll(&[]);
    assert!(chats.headlines().is_empty());
    chats.wrote("wamid.OUT", "1650", Author::OwnerInApp, "Yes", 1);
    fail("wamid.OUT");
    for _ in 0..2 {
        chats.poll(&[]);
    }
    assert_eq!(
        chats.headlines(),
        ["WhatsApp did not deliver your message to +1650: Message undeliverable (error 131026)"]
    );
}

#[test]
fn state_in_the_vault_is_refused() {
    let chats = ChatFixture::new();
    let config = format!("{CONFIG}state = 'vault/Inbox/x'\n");
    fs::write(chats.path("whatsapp.toml"), config).unwrap();
    let refused = chats.run(&[]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success());
    assert!(
        words.contains("is inside the vault; choose one outside"),
        "{words}"
    );
    assert!(!chats.path("vault/Inbox/x").exists());
}
