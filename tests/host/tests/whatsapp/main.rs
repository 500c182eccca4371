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
    net::SocketAddr,
    path::PathBuf,
    process::{Command, Output},
    sync::{Arc, Barrier},
    time::Duration,
};

use platinum_core::{DraftId, WhatsappSend};
use platinum_testkit::{
    Child, add_skills, compiled_skills, free_ports, program, wait_for,
    whatsapp::{CloudApi, Reply, Signing, send_webhook, status_webhook, text_webhook, webhook},
};
use platinum_vault::note::DraftNote;
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(90);
const NUMBER: &str = "16505551234";
const OTHER_NUMBER: &str = "16505550000";
const USER: &str = "US.13491208655302741918";
const GAP: &str = "[✎ your answer]";

/// An owner's machine whose daemon runs.
struct Owner {
    folder: tempfile::TempDir,
    api: CloudApi,
    address: SocketAddr,
    daemon: Option<Child>,
}

impl Owner {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = CloudApi::start().unwrap();
        let [port] = free_ports().unwrap();
        api.configure(folder.path(), port).unwrap();
        let mut owner = Self {
            folder,
            api,
            address: SocketAddr::from(([127, 0, 0, 1], port)),
            daemon: None,
        };
        let config = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = \"\"\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
             [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\n\n\
             [zones.whatsapp]\nconfig = \"whatsapp.toml\"\nquiet-seconds = 1\ncontacts = [\"+{NUMBER}\", \
             \"+{OTHER_NUMBER}\"]\n",
            compiled_skills()
        );
        fs::write(owner.config(), config).unwrap();
        fs::create_dir_all(owner.vault().join("Inbox")).unwrap();
        add_skills(&owner.config()).unwrap();
        for name in ["platinum-intake", "platinum-whatsapp"] {
            program(name, name).unwrap();
        }
        owner.run_daemon();
        owner
    }

    fn run_daemon(&mut self) {
        let program = program("platinum-local", "platinum").unwrap();
        let folder = self.folder.path();
        let (log, pid_file) = (folder.join("log"), folder.join("pid"));
        let daemon = Child::start_daemon(&program, &self.config(), &log, &pid_file, "");
        self.daemon = Some(daemon.unwrap());
        self.wait("the webhook to be received", || {
            Ok(std::net::TcpStream::connect(self.address).ok().map(drop))
        });
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn wait<T>(&self, what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> T {
        wait_for(what, SOON, look).unwrap_or_else(|error| {
            let log = fs::read_to_string(self.folder.path().join("log"));
            panic!("{error:#}\n{}", log.unwrap_or_default())
        })
    }

    fn platinum(&self, arguments: &[&str]) -> Output {
        let program = program("platinum-local", "platinum").unwrap();
        let mut command = Command::new(program);
        command.args(arguments).arg("--config").arg(self.config());
        command.output().unwrap()
    }

    fn shows(&self, arguments: &[&str]) -> String {
        let output = self.platinum(arguments);
        let printed = String::from_utf8_lossy(&output.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{arguments:?}: {printed}{complaint}"
        );
        printed
    }

    fn brings(&self, payload: &Value) {
        let status = send_webhook(self.address, payload, Signing::Right);
        assert_eq!(status.unwrap(), 200);
    }

    /// Somebody writes now.
    fn writes(&self, id: &str, text: &str) {
        self.brings(&text_webhook(id, NUMBER, USER, text, seconds()));
    }

    /// The texts of the drafts that wait.
    fn waiting(&self) -> Vec<String> {
        let entries = fs::read_dir(self.vault().join("Pending_Approval"));
        let entries = entries.into_iter().flatten().flatten();
        // A note that is still written has another name.
        let is_note = |path: &PathBuf| path.extension().is_some_and(|end| end == "md");
        entries
            .map(|entry| entry.path())
            .filter(is_note)
            .filter_map(|path| fs::read_to_string(path).ok())
            .collect()
    }

    /// The draft that waits, once there is one with this in it.
    fn draft_with(&self, part: &str) -> (DraftNote, String) {
        self.wait("a draft", || {
            let found = self.waiting().into_iter().find(|text| text.contains(part));
            Ok(found.and_then(|text| Some((DraftNote::parse(&text).ok()?, text))))
        })
    }

    /// The owner writes the answer into the gap.
    fn fills(&self, draft: DraftId, answer: &str) {
        let path = self.vault().join(format!("Pending_Approval/{draft}.md"));
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(GAP), "{text}");
        fs::write(path, text.replace(GAP, answer)).unwrap();
    }

    fn await_done(&self, draft: DraftId) {
        self.wait("the draft in Done/", || {
            let found = Command::new("find")
                .arg(self.vault().join("Done"))
                .args(["-name", &format!("{draft}.md")])
                .output()?;
            Ok((!found.stdout.is_empty()).then_some(()))
        });
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
    println!("{}", owner.shows(&["approvals", "--full"]));
    // With its gap nothing leaves.
    assert!(
        !owner
            .platinum(&["approve", &draft.id.to_string()])
            .status
            .success()
    );
    owner.fills(draft.id, "Yes, in blue, too.");
    owner.shows(&["approve", &draft.id.to_string()]);
    owner.await_done(draft.id);
    let taken = owner.api.taken();
    assert_eq!(taken.len(), 1, "{taken:?}");
    assert_eq!(taken[0].1["to"], NUMBER);
    assert_eq!(taken[0].1["text"]["body"], "Yes, in blue, too.");
    let reference = draft.id.to_string().to_lowercase();
    assert_eq!(taken[0].1["biz_opaque_callback_data"], *reference);
    assert_eq!(owner.waiting().len(), 0);
    let log = owner.shows(&["log"]);
    assert!(log.contains("sent to Sheena Nelson, +16505551234"), "{log}");
    owner.assert_only_messages_left(1);
    println!("{log}\n{}", owner.shows(&["doctor"]));
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
    owner.shows(&["approve", &draft.id.to_string()]);
    let (back, text) = owner.draft_with("the contact of this chat is not the one you approved");
    assert_eq!(back.id, draft.id);
    let action: WhatsappSend = back.action.read().unwrap();
    assert_eq!(action.contact_number.as_deref(), Some("12195555358"));
    assert!(text.contains("returned: "), "{text}");
    owner.assert_only_messages_left(0);
    // The owner looks who it is, and approves it again.
    owner.shows(&["approve", &draft.id.to_string()]);
    owner.await_done(draft.id);
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
        owner.shows(&["approve", &draft.id.to_string()]);
        let (id, body) = owner.wait("the message to leave", || {
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
        owner.await_done(draft.id);
        owner.assert_only_messages_left(n);
    }
}
