//! What is brought: messages, what became of ours, other numbers and ids.
//!
//! Invariants: the id of a message is taken before anything else is looked at, in the same step; an older number or id
//! is never brought back by a message that comes late.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, params};

use super::chat::{Chat, author_word, chat, find_chat};
use super::{StoreBounds, StoreError};
use crate::contact::ContactPair;
use crate::event::{Author, ChatEvent, ChatMessage, ContactChange, Delivery, Progress};

/// After so many messages, old ones are cleared away.
const PRUNE_EVERY: i64 = 200;

/// What became of what was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Recorded {
    /// So much is new.
    pub new: usize,
    /// So much was there already.
    pub known: usize,
}

/// Records what was brought, and clears away what is beyond the bounds.
pub(super) fn record(
    step: &Transaction<'_>,
    events: &[ChatEvent],
    now: Timestamp,
    bounds: StoreBounds,
) -> Result<Recorded, StoreError> {
    let mut recorded = Recorded::default();
    for event in events {
        let is_new = match event {
            ChatEvent::Message(message) => record_message(step, message, now)?,
            ChatEvent::Delivery(delivery) => record_delivery(step, delivery)?,
            ChatEvent::ContactChange(change) => record_change(step, change, now)?,
        };
        match is_new {
            true => recorded.new += 1,
            false => recorded.known += 1,
        }
    }
    let last: i64 = step.query_row("SELECT coalesce(max(seq), 0) FROM arrivals", [], |row| {
        row.get(0)
    })?;
    if recorded.new > 0 && (last % PRUNE_EVERY < 1 || recorded.new > 1) {
        prune(step, bounds)?;
    }
    Ok(recorded)
}

/// Takes an id; whether it is the first time.
fn is_first(step: &Transaction<'_>, id: &str) -> Result<bool, StoreError> {
    let mut insert = step.prepare_cached("INSERT OR IGNORE INTO arrivals (id) VALUES (?1)")?;
    Ok(insert.execute([id])? == 1)
}

fn record_message(
    step: &Transaction<'_>,
    message: &ChatMessage,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !is_first(step, &message.id)? {
        return Ok(false);
    }
    let chat = match &message.group {
        Some(group) => group_chat(step, group)?,
        None => person_chat(step, message, now)?,
    };
    let is_inbound = message.author == Author::Other;
    if is_inbound && !chat.is_group {
        step.execute(
            "UPDATE chats SET last_inbound = max(coalesce(last_inbound, 0), ?2), name = coalesce(?3, name) WHERE id = ?1",
            params![chat.id, message.at.as_millisecond(), message.name],
        )?;
    }
    let sender = match (is_inbound, &message.name) {
        (false, _) => "you".to_owned(),
        (true, Some(name)) => format!("{name}, {}", message.contact.title()),
        (true, None) => message.contact.title(),
    };
    insert_message(step, &chat.id, message, &sender, now)?;
    Ok(true)
}

/// Keeps a message of a chat.
pub(super) fn insert_message(
    step: &Connection,
    chat: &str,
    message: &ChatMessage,
    sender: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    step.execute(
        "INSERT OR IGNORE INTO messages (id, chat, author, sender, kind, text, quoted, at, arrived)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            message.id,
            chat,
            author_word(message.author),
            sender,
            message.kind,
            message.text,
            message.quoted,
            message.at.as_millisecond(),
            now.as_millisecond(),
        ],
    )?;
    if matches!(message.author, Author::OwnerInApp | Author::Platinum) {
        step.execute("UPDATE chats SET has_own = 1 WHERE id = ?1", [chat])?;
    }
    Ok(())
}

fn group_chat(step: &Transaction<'_>, group: &str) -> Result<Chat, StoreError> {
    let id = format!("group:{group}");
    step.execute(
        "INSERT OR IGNORE INTO chats (id, is_group) VALUES (?1, 1)",
        [&id],
    )?;
    Ok(chat(step, &id)?.unwrap_or(Chat {
        id,
        contact: ContactPair::default(),
        name: None,
        is_group: true,
        last_inbound: None,
        is_known: false,
    }))
}

/// The chat of the other side of a message; its number and id are as the newest message has them.
fn person_chat(
    step: &Transaction<'_>,
    message: &ChatMessage,
    now: Timestamp,
) -> Result<Chat, StoreError> {
    let contact = &message.contact;
    let by_id = find_chat(step, "user_id", contact.id.as_deref())?;
    let found = match by_id {
        Some(found) => Some(found),
        None => find_chat(step, "number", contact.number.as_deref())?,
    };
    let Some(mut found) = found else {
        return new_chat(step, contact);
    };
    let is_late = found.last_inbound.is_some_and(|last| message.at < last);
    let merged = ContactPair {
        number: contact.number.clone().or(found.contact.number.clone()),
        id: contact.id.clone().or(found.contact.id.clone()),
    };
    if !is_late && merged != found.contact {
        if let Some(words) = found.contact.change_to(&merged) {
            let id = format!("{}#contact", message.id);
            note_change(step, &found.id, &id, &words, now)?;
        }
        set_contact(step, &found.id, &merged)?;
        found.contact = merged;
    }
    Ok(found)
}

fn new_chat(step: &Transaction<'_>, contact: &ContactPair) -> Result<Chat, StoreError> {
    let name = contact.number.clone().or(contact.id.clone());
    let name = name.unwrap_or_default();
    // What it is called may be taken by a chat that has moved on to another number.
    let mut id = name.clone();
    let mut number = 1;
    while chat(step, &id)?.is_some() {
        number += 1;
        id = format!("{name}~{number}");
    }
    step.execute(
        "INSERT INTO chats (id, number, user_id, is_group) VALUES (?1, ?2, ?3, 0)",
        params![id, contact.number, contact.id],
    )?;
    Ok(Chat {
        id,
        contact: contact.clone(),
        name: None,
        is_group: false,
        last_inbound: None,
        is_known: false,
    })
}

/// Writes who a chat is with. No other chat keeps a part of that: a number or an id is somebody's alone.
fn set_contact(step: &Transaction<'_>, chat: &str, pair: &ContactPair) -> Result<(), StoreError> {
    step.execute(
        "UPDATE chats SET number = NULL WHERE number = ?2 AND id <> ?1",
        params![chat, pair.number],
    )?;
    step.execute(
        "UPDATE chats SET user_id = NULL WHERE user_id = ?2 AND id <> ?1",
        params![chat, pair.id],
    )?;
    step.execute(
        "UPDATE chats SET number = ?2, user_id = ?3 WHERE id = ?1",
        params![chat, pair.number, pair.id],
    )?;
    Ok(())
}

/// Says in a chat that the other side is known by something else now.
fn note_change(
    step: &Transaction<'_>,
    chat: &str,
    id: &str,
    words: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let message = ChatMessage {
        id: id.to_owned(),
        contact: ContactPair::default(),
        group: None,
        name: None,
        author: Author::System,
        kind: "system".to_owned(),
        text: format!("[{words}]"),
        quoted: None,
        at: now,
    };
    insert_message(step, chat, &message, "WhatsApp", now)
}

fn record_change(
    step: &Transaction<'_>,
    change: &ContactChange,
    now: Timestamp,
) -> Result<bool, StoreError> {
    if !is_first(step, &change.id)? {
        return Ok(false);
    }
    let by_id = find_chat(step, "user_id", change.before.id.as_deref())?;
    let found = match by_id {
        Some(found) => Some(found),
        None => find_chat(step, "number", change.before.number.as_deref())?,
    };
    // Of nobody who ever wrote.
    let Some(found) = found else {
        return Ok(true);
    };
    if let Some(words) = found.contact.change_to(&change.after) {
        note_change(step, &found.id, &change.id, &words, now)?;
    }
    set_contact(step, &found.id, &change.after)?;
    Ok(true)
}

fn record_delivery(step: &Transaction<'_>, delivery: &Delivery) -> Result<bool, StoreError> {
    let inserted = step.execute(
        "INSERT OR IGNORE INTO deliveries (message, progress, reference, at, code, words)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![
            delivery.message,
            delivery.progress.as_str(),
            delivery.reference,
            delivery.at.as_millisecond(),
            delivery.code,
            delivery.words,
        ],
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    if let Some(reference) = &delivery.reference {
        super::outgoing::note_delivery(step, reference, delivery)?;
    }
    Ok(true)
}

/// Whether a message got anywhere.
pub(super) fn has_left(progress: Progress) -> bool {
    progress > Progress::Failed
}

/// Clears away what is beyond the bounds: the oldest first, and the chats of which nothing is left.
fn prune(step: &Transaction<'_>, bounds: StoreBounds) -> Result<(), StoreError> {
    for (table, kept) in [
        ("arrivals", bounds.arrivals),
        ("messages", bounds.messages),
        ("deliveries", bounds.records),
        ("attempts", bounds.records),
    ] {
        step.execute(
            &format!("DELETE FROM {table} WHERE seq <= (SELECT max(seq) FROM {table}) - ?1"),
            [kept],
        )?;
    }
    step.execute(
        "DELETE FROM chats WHERE id NOT IN (SELECT chat FROM messages)",
        [],
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::super::Store;
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("state")).unwrap();
        (folder, store)
    }

    fn message(id: &str, number: &str, user: &str, second: i64) -> ChatMessage {
        ChatMessage {
            id: id.into(),
            contact: ContactPair::new(Some(number), Some(user)),
            group: None,
            name: Some("Ann".into()),
            author: Author::Other,
            kind: "text".into(),
            text: format!("text of {id}"),
            quoted: None,
            at: at(second),
        }
    }

    fn record(store: &Store, message: ChatMessage) -> Recorded {
        let now = message.at;
        store.record(&[ChatEvent::Message(message)], now).unwrap()
    }

    /// The same webhook by 16 at a time, each with a connection of its own, as processes have them.
    #[test]
    fn message_brought_16_times_at_once_counts_once() {
        let (folder, store) = store();
        let barrier = Barrier::new(16);
        let state = folder.path().join("state");
        let new: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..16)
                .map(|_| {
                    scope.spawn(|| {
                        let store = Store::open(&state).unwrap();
                        barrier.wait();
                        record(&store, message("wamid.A", "1650", "US.1", 0)).new
                    })
                })
                .collect();
            threads.into_iter().map(|one| one.join().unwrap()).sum()
        });
        assert_eq!(new, 1);
        assert_eq!(store.messages("1650", 10).unwrap().len(), 1);
    }

    #[test]
    fn chat_is_one_whatever_its_messages_name() {
        let (_folder, store) = store();
        record(&store, message("wamid.A", "1650", "", 0));
        record(&store, message("wamid.B", "1650", "US.1", 1));
        record(&store, message("wamid.C", "", "US.1", 2));
        let chat = store.chat("1650").unwrap().unwrap();
        assert_eq!(chat.contact, ContactPair::new(Some("1650"), Some("US.1")));
        assert_eq!(chat.title(), "Ann, +1650");
        assert_eq!(chat.last_inbound, Some(at(2)));
        assert!(!chat.is_known);
        let texts = store.messages("1650", 10).unwrap();
        assert_eq!(texts.len(), 3, "{texts:?}");
    }

    /// A number that moves to another id is a change that is seen in the chat; a late message changes nothing.
    #[test]
    fn changed_contact_is_kept_and_shown() {
        let (_folder, store) = store();
        record(&store, message("wamid.A", "1650", "US.1", 10));
        record(&store, message("wamid.B", "1650", "US.2", 20));
        record(&store, message("wamid.C", "1650", "US.1", 15));
        // The last one is late: it changes nothing.
        let chat = store.chat("1650").unwrap().unwrap();
        assert_eq!(chat.contact, ContactPair::new(Some("1650"), Some("US.2")));
        let shown = store.messages("1650", 10).unwrap();
        let system: Vec<&str> = shown
            .iter()
            .filter(|message| message.author == Author::System)
            .map(|message| message.text.as_str())
            .collect();
        assert_eq!(
            system,
            ["[the contact was +1650 (US.1) and is +1650 (US.2) now]"]
        );
    }

    #[test]
    fn contact_change_moves_the_chat_and_no_other_keeps_the_number() {
        let (_folder, store) = store();
        record(&store, message("wamid.A", "1650", "US.1", 0));
        record(&store, message("wamid.B", "1219", "US.9", 1));
        let change = ContactChange {
            id: "wamid.S".into(),
            before: ContactPair::new(Some("1650"), Some("US.1")),
            after: ContactPair::new(Some("1219"), Some("US.2")),
            at: at(2),
        };
        let events = [ChatEvent::ContactChange(change)];
        assert_eq!(store.record(&events, at(2)).unwrap().new, 1);
        assert_eq!(store.record(&events, at(3)).unwrap().known, 1);
        let moved = store.chat("1650").unwrap().unwrap();
        assert_eq!(moved.contact.to_string(), "+1219 (US.2)");
        let other = store.chat("1219").unwrap().unwrap();
        assert_eq!(other.contact, ContactPair::new(None, Some("US.9")));
        record(&store, message("wamid.C", "1219", "US.2", 4));
        assert_eq!(store.messages("1650", 10).unwrap().len(), 3);
    }

    #[test]
    fn own_message_makes_a_chat_known_and_opens_no_window() {
        let (_folder, store) = store();
        let mut own = message("wamid.A", "1650", "", 0);
        own.author = Author::OwnerInApp;
        record(&store, own);
        let chat = store.chat("1650").unwrap().unwrap();
        assert!(chat.is_known && chat.open_until().is_none());
        assert_eq!(store.messages("1650", 1).unwrap()[0].sender, "you");
    }

    #[test]
    fn group_is_a_chat_without_a_window() {
        let (_folder, store) = store();
        let mut one = message("wamid.A", "1650", "US.1", 0);
        one.group = Some("G1".into());
        record(&store, one);
        let chat = store.chat("group:G1").unwrap().unwrap();
        assert!(chat.is_group && chat.open_until().is_none() && chat.contact.is_empty());
        assert!(store.chat("1650").unwrap().is_none());
    }

    #[test]
    fn store_is_bounded_and_still_knows_old_ids() {
        let folder = tempfile::tempdir().unwrap();
        let bounds = StoreBounds {
            messages: 10,
            arrivals: 1000,
            records: 10,
        };
        let store = Store::open_with(&folder.path().join("state"), bounds).unwrap();
        let flood: Vec<ChatEvent> = (0..400)
            .map(|n| {
                ChatEvent::Message(message(
                    &format!("wamid.{n}"),
                    &format!("{}", 1000 + n),
                    "",
                    n,
                ))
            })
            .collect();
        assert_eq!(store.record(&flood, at(500)).unwrap().new, 400);
        let chats: usize = (0..400)
            .filter(|n| store.chat(&format!("{}", 1000 + n)).unwrap().is_some())
            .count();
        assert_eq!(chats, 10);
        assert_eq!(store.record(&flood, at(501)).unwrap().known, 400);
    }
}
