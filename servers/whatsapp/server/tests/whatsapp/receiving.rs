//! The webhook: whose it is, how often it counts, what is bounded.

use std::net::SocketAddr;
use std::sync::{Arc, Barrier};

use jiff::Timestamp;
use platinum_testkit::whatsapp::{
    Signing, VERIFY_TOKEN, request, send_webhook, status_webhook, text_webhook, webhook,
};
use platinum_whatsapp_store::event::Author;
use platinum_whatsapp_store::receiver::Receiver;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{Fixture, NUMBER, REFERENCE, USER};

/// A receiver that ends with the test.
struct Receiving {
    fixture: Fixture,
    address: SocketAddr,
    arrived: Arc<Notify>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Receiving {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Receiving {
    async fn start() -> Self {
        let fixture = Fixture::new();
        let arrived = Arc::new(Notify::new());
        let store = fixture.store.clone();
        let receiver = Receiver::bind(&fixture.config, store, Arc::clone(&arrived));
        let receiver = receiver.await.unwrap();
        Self {
            address: receiver.address(),
            task: tokio::spawn(receiver.serve()),
            fixture,
            arrived,
        }
    }

    /// Sends a webhook; answers the status, 0 if the connection was broken off.
    async fn send(&self, payload: Value, signing: Signing) -> u16 {
        let address = self.address;
        let sent = tokio::task::spawn_blocking(move || send_webhook(address, &payload, signing));
        sent.await.unwrap().unwrap_or_default()
    }

    async fn raw(&self, text: String) -> (u16, String) {
        let address = self.address;
        let sent = tokio::task::spawn_blocking(move || request(address, &text));
        sent.await.unwrap().unwrap()
    }

    fn count(&self) -> usize {
        self.fixture.store.messages(NUMBER, 100).unwrap().len()
    }
}

fn question(id: &str) -> Value {
    let now = Timestamp::now().as_second();
    text_webhook(id, NUMBER, USER, "Does it come in blue?", now)
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_counts_only_with_metas_signature() {
    let receiving = Receiving::start().await;
    for signing in [
        Signing::OtherSecret,
        Signing::OtherBody,
        Signing::Sha1Header,
        Signing::None,
    ] {
        assert_eq!(
            receiving.send(question("wamid.A"), signing).await,
            403,
            "{signing:?}"
        );
    }
    assert_eq!(receiving.count(), 0);
    assert_eq!(
        receiving.send(question("wamid.A"), Signing::Right).await,
        200
    );
    assert_eq!(receiving.count(), 1);
    receiving.arrived.notified().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_16_times_in_parallel_is_one_message() {
    let receiving = Receiving::start().await;
    let barrier = Arc::new(Barrier::new(16));
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (address, barrier) = (receiving.address, Arc::clone(&barrier));
            let payload = question("wamid.A");
            std::thread::spawn(move || {
                barrier.wait();
                send_webhook(address, &payload, Signing::Right).unwrap()
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.join().unwrap(), 200);
    }
    assert_eq!(receiving.count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_is_set_up_by_the_owners_word_alone() {
    let receiving = Receiving::start().await;
    let get = |query: String| {
        format!("GET /webhook?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    };
    let right =
        format!("hub.mode=subscribe&hub.verify_token={VERIFY_TOKEN}&hub.challenge=1158201444");
    assert_eq!(
        receiving.raw(get(right.clone())).await,
        (200, "1158201444".to_owned())
    );
    for wrong in [
        right.replace("owner", "stranger"),
        right.replace("subscribe", "unsubscribe"),
        right.replace("1158201444", ""),
        right.replace("1158201444", "%3Cscript%3E"),
        right.replace("1158201444", &"1".repeat(300)),
        "hub.challenge=1158201444".to_owned(),
        String::new(),
    ] {
        let (status, body) = receiving.raw(get(wrong.clone())).await;
        assert_eq!((status, body.contains("1158")), (403, false), "{wrong}");
    }
    let other = "GET /other HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(receiving.raw(other.to_owned()).await.0, 404);
    let put = "PUT /webhook HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(receiving.raw(put.to_owned()).await.0, 405);
}

/// What is signed and of no use is taken, so that it is not brought for days; and stops nothing beside it.
#[tokio::test(flavor = "multi_thread")]
async fn webhook_of_no_use_is_taken_and_stops_nothing() {
    let receiving = Receiving::start().await;
    for payload in [
        json!([]),
        json!("text"),
        json!({"object": "page", "entry": []}),
        webhook(json!({"messages": [7, {"id": "wamid.X"}], "statuses": "none"})),
        status_webhook("wamid.OUT", REFERENCE, "delivered", 1_800_000_000),
    ] {
        assert_eq!(receiving.send(payload, Signing::Right).await, 200);
    }
    assert_eq!(receiving.count(), 0);
    // A file with a name that would be a path, a reaction, the owner's own word from the phone.
    let now = Timestamp::now().as_second().to_string();
    let mixed = webhook(json!({
        "messages": [
            {"from": NUMBER, "id": "wamid.D", "timestamp": now, "type": "document",
                "document": {"id": "1", "filename": "../../.ssh/id_ed25519", "mime_type": "application/pdf"}},
            {"from": NUMBER, "id": "wamid.R", "timestamp": now, "type": "reaction",
                "reaction": {"message_id": "wamid.D", "emoji": "👍"}},
        ],
        "message_echoes": [{"from": "15550783881", "to": NUMBER, "id": "wamid.E", "timestamp": now, "type": "text",
            "text": {"body": "On my way"}}],
    }));
    assert_eq!(receiving.send(mixed, Signing::Right).await, 200);
    let kept = receiving.fixture.store.messages(NUMBER, 10).unwrap();
    let shown: Vec<(Author, &str)> = kept
        .iter()
        .map(|message| (message.author, message.text.as_str()))
        .collect();
    assert_eq!(
        shown,
        [
            (Author::OwnerInApp, "On my way"),
            (Author::Other, "[reaction 👍 to an earlier message]"),
            (
                Author::Other,
                "[document “../../.ssh/id_ed25519”, application/pdf]"
            ),
        ]
    );
    // Nothing was fetched or answered.
    assert!(receiving.fixture.api.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn webhook_larger_than_its_bound_is_refused() {
    let receiving = Receiving::start().await;
    let huge = text_webhook("wamid.A", NUMBER, USER, &"x".repeat(5 * 1024 * 1024), 1);
    let status = receiving.send(huge, Signing::Right).await;
    // It closes before it has read all of it.
    assert!(matches!(status, 413 | 0), "{status}");
    assert_eq!(
        receiving.send(question("wamid.B"), Signing::Right).await,
        200
    );
    assert_eq!(receiving.count(), 1);
}

/// The address is one of this machine, and taken once.
#[tokio::test]
async fn receiver_says_which_address_is_taken() {
    let receiving = Receiving::start().await;
    let mut config = receiving.fixture.config.clone();
    config.listen = receiving.address;
    let second = Receiver::bind(&config, receiving.fixture.store.clone(), Arc::default());
    let refused = second.await.unwrap_err().to_string();
    let expected = format!(
        "cannot listen at {} for WhatsApp's webhook: ",
        receiving.address
    );
    assert!(refused.starts_with(&expected), "{refused}");
    std::fs::remove_file(receiving.fixture.folder.path().join("whatsapp.app-secret")).unwrap();
    config.listen.set_port(0);
    let without = Receiver::bind(&config, receiving.fixture.store.clone(), Arc::default());
    let refused = without.await.unwrap_err().to_string();
    assert!(
        refused.starts_with("`app_secret` of WhatsApp: cannot read the password file "),
        "{refused}"
    );
}
