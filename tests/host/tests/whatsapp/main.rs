//! WhatsApp on the built daemon of the owner's machine: from a webhook to a draft, from an approval to a message.
//!
//! Lives elsewhere: the server alone is `servers/whatsapp`'s tests; the Cloud API is a copy of the documented one, since
//! none can be had.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "all of this binary is tests: a panic is a failed test with a line number"
)]

mod templates_and_files;

use std::{
    fs,
    net::{SocketAddr, TcpStream},
    sync::{Arc, Barrier},
};

use platinum_core::{DraftId, WhatsappSend, layout};
use platinum_host_tests::hosts::Host;
use platinum_testkit::{
    Child, free_ports,
    whatsapp::{CloudApi, Reply, Signing, send_webhook, status_webhook, text_webhook, webhook},
};
use platinum_vault::note::DraftNote;
use serde_json::{Value, json};

const NUMBER: &str = "16505551234";
const OTHER_NUMBER: &str = "16505550000";
const USER: &str = "US.13491208655302741918";
const GAP: &str = "[✎ your answer]";

/// An owner's machine whose daemon runs.
struct Owner {
    host: Host,
    api: CloudApi,
    address: SocketAddr,
    daemon: Option<Child>,
}

impl Owner {
    fn start() -> Self {
        let api = CloudApi::start().unwrap();
        let [port] = free_ports().unwrap();
        let host = Host::local_only(&["platinum-intake", "platinum-whatsapp"], |home| {
            api.configure(home, port).unwrap();
            let config = home.join("whatsapp.toml");
            format!(
                "[zones.whatsapp]\nconfig = {config:?}\nquiet-seconds = 1\ncontacts = [\"+{NUMBER}\", \"+{OTHER_NUMBER}\"]\n"
            )
        });
        let mut owner = Self {
            host,
            api,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            daemon: None,
        };
        owner.run_daemon();
        owner
    }

    fn run_daemon(&mut self) {
        self.daemon = Some(self.host.start(""));
        self.host.wait("the webhook to be received", || {
            Ok(TcpStream::connect(self.address).ok().map(drop))
        });
    }

    fn brings(&self, payload: &Value) {
        let status = send_webhook(self.address, payload, Signing::Right);
        assert_eq!(status.unwrap(), 200);
    }

    /// Somebody writes now.
    fn writes(&self, id: &str, text: &str) {
        self.brings(&text_webhook(id, NUMBER, USER, text, seconds()));
    }

    /// The draft that waits, once there is one with this in it.
    fn draft_with(&self, part: &str) -> (DraftNote, String) {
        self.host.wait("a draft", || {
            let mut drafts = self.host.drafts().into_iter();
            Ok(drafts.find(|(_, text)| text.contains(part)))
        })
    }

    /// The owner writes the answer into the gap.
    fn fills(&self, draft: DraftId, answer: &str) {
        let path = self.host.vault().join(layout::pending(draft).as_str());
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(GAP), "{text}");
        fs::write(path, text.replace(GAP, answer)).unwrap();
    }

    /// Every request that reached WhatsApp was one for a message.
    fn assert_only_messages_left(&self, count: usize) {
        let requests = self.api.requests();
        let lines: Vec<&str> = requests.iter().map(|one| one.line.as_str()).collect();
        assert_eq!(lines.len(), count, "{lines:?}");
        assert!(
            lines.iter().all(|line| line.contains("/messages ")),
            "{lines:?}"
        );
    }
}

fn seconds() -> i64 {
    platinum_core::Timestamp::now().as_second()
}

/// The same webhook 16 times at once is one draft; approved, one message; and the owner's log has it.
#[test]
fn conversation_becomes_a_draft_and_one_message() {
    let owner = Owner::start();
    let payload = text_webhook(
        "wamid.IN1",
        NUMBER,
        USER,
        "Does it come in blue?",
        seconds(),
    );
    let barrier = Arc::new(Barrier::new(16));
    let calls: Vec<_> = (0..16)
        .map(|_| {
            let (address, payload, barrier) = (owner.address, payload.clone(), barrier.clone());
            std::thread::spawn(move || {
                barrier.wait();
                send_webhook(address, &payload, Signing::Right).unwrap()
            })
        })
        .collect();
    for call in calls {
        assert_eq!(call.join().unwrap(), 200);
    }
    let forged = text_webhook("wamid.EVIL", NUMBER, USER, "Send me all", seconds());
    let status = send_webhook(owner.address, &forged, Signing::OtherSecret);
    assert_eq!(status.unwrap(), 403);
    let (draft, text) = owner.draft_with("in blue?");
    for shown in [
        "Does it come in blue?",
        "WhatsApp takes an answer until ",
        "With +16505551234 (US.13491208655302741918)",
        "No language model wrote this",
    ] {
        assert!(text.contains(shown), "{shown} is not in {text}");
    }
    assert!(!text.contains("Send me all"));
    println!("{}", owner.host.shows(&["approvals", "--full"]));
    // With its gap nothing leaves.
    assert!(
        !owner
            .host
            .run(&["approve", &draft.id.to_string()])
            .status
            .success()
    );
    owner.fills(draft.id, "Yes, in blue, too.");
    owner.host.approve(draft.id);
    owner.host.await_done(draft.id);
    let taken = owner.api.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].1["to"], NUMBER);
    assert_eq!(taken[0].1["text"]["body"], "Yes, in blue, too.");
    let reference = draft.id.to_string().to_lowercase();
    assert_eq!(taken[0].1["biz_opaque_callback_data"], *reference);
    assert_eq!(owner.host.drafts().len(), 0);
    let log = owner.host.shows(&["log"]);
    assert!(log.contains("sent to Sheena Nelson, +16505551234"), "{log}");
    owner.assert_only_messages_left(1);
    println!("{log}\n{}", owner.host.shows(&["doctor"]));
}

/// They write again before the owner has decided: the newer draft takes the place of the one that waits, and says so; an
/// edited one stays, and the owner is told.
#[test]
fn newer_burst_replaces_the_waiting_draft() {
    let owner = Owner::start();
    owner.writes("wamid.IN1", "Does it come in blue?");
    let (first, _) = owner.draft_with("in blue?");
    owner.writes("wamid.IN2", "Or in green?");
    let (second, text) = owner.draft_with("Or in green?");
    assert!(
        text.contains("It replaces the draft for earlier messages of this chat"),
        "{text}"
    );
    let aside = owner.host.vault().join(format!("Rejected/{}.md", first.id));
    let text = owner.host.wait("the first draft in Rejected/", || {
        Ok(fs::read_to_string(&aside).ok())
    });
    assert!(text.contains("a newer message of this chat came"), "{text}");
    assert_eq!(owner.host.drafts().len(), 1);
    owner.fills(second.id, "In green, too.");
    owner.writes("wamid.IN3", "And in red?");
    let (third, _) = owner.draft_with("And in red?");
    assert_ne!(third.id, second.id);
    owner.host.wait("the owner to be told", || {
        let dashboard = fs::read_to_string(owner.host.vault().join("Dashboard.md"));
        let told = "A newer message of this chat came";
        Ok(dashboard
            .is_ok_and(|text| text.contains(told))
            .then_some(()))
    });
    assert_eq!(owner.host.drafts().len(), 2);
    owner.assert_only_messages_left(0);
}

/// The number moves between the approval and the sending: the draft waits again, with the reason, and nothing leaves.
#[test]
fn number_changed_after_the_draft_is_back_to_pending() {
    let owner = Owner::start();
    owner.writes("wamid.IN1", "Where are you?");
    let (draft, _) = owner.draft_with("Where are you?");
    owner.fills(draft.id, "On my way.");
    owner.brings(&webhook(
        json!({"messages": [{"from": NUMBER, "id": "wamid.S", "timestamp": seconds().to_string(),
        "type": "system", "system": {"body": "changed", "wa_id": "12195555358", "user_id": "US.2",
            "previous_user_id": USER, "type": "user_changed_number"}}]}),
    ));
    owner.host.approve(draft.id);
    let (back, text) = owner.draft_with("the contact of this chat is not the one you approved");
    assert_eq!(back.id, draft.id);
    let action: WhatsappSend = back.action.read().unwrap();
    assert_eq!(action.contact_number.as_deref(), Some("12195555358"));
    assert!(text.contains("returned: "), "{text}");
    owner.assert_only_messages_left(0);
    // The owner looks who it is, and approves it again.
    owner.host.approve(draft.id);
    owner.host.await_done(draft.id);
    assert_eq!(owner.api.taken()[0].1["to"], "12195555358");
    owner.assert_only_messages_left(1);
}

/// The answer is lost after WhatsApp took the message; its report comes by the webhook, while the call waits for it, or
/// to a daemon that was started again in between.
#[test]
fn lost_answer_is_found_by_whatsapps_own_report() {
    let mut owner = Owner::start();
    for (n, restarts) in [(1, false), (2, true)] {
        owner.api.reply([Reply::AcceptAndClose]);
        let question = format!("Is number {n} ready?");
        owner.writes(&format!("wamid.IN{n}"), &question);
        let (draft, _) = owner.draft_with(&question);
        owner.fills(draft.id, "Yes.");
        owner.host.approve(draft.id);
        let (id, body) = owner.host.wait("the message to leave", || {
            Ok(owner.api.taken().get(n - 1).cloned())
        });
        if restarts {
            owner.daemon = None;
            owner.run_daemon();
        }
        let reference = body["biz_opaque_callback_data"].as_str().unwrap();
        owner.brings(&status_webhook(&id, reference, "delivered", seconds()));
        if restarts {
            // What is in doubt is asked after at the start, then every few minutes.
            owner.daemon = None;
            owner.run_daemon();
        }
        owner.host.await_done(draft.id);
        owner.assert_only_messages_left(n);
    }
}
