//! The built daemon of the owner's machine: a note that is approved becomes a posted document and a recorded payment,
//! and what the owner's commands show of it.
//!
//! Lives elsewhere: faults between the program and Odoo are `platinum-effects`' tests.

use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
    time::Duration,
};

use platinum_core::{
    Action, Clock as _, DraftId, Money, OdooPayment, OdooPost, Role, SystemClock, TaskId, layout,
};
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_testkit::{
    Child, add_skills, compiled_skills, is_dead,
    odoo::{OdooServer, OdooUser},
    program, wait_for,
};
use platinum_vault::note::{DraftNote, TaskNote};
use serde_json::{Value, json};

/// How long anything may take on a busy machine.
const SOON: Duration = Duration::from_secs(90);

struct Owner {
    folder: tempfile::TempDir,
    odoo: std::sync::Arc<OdooServer>,
}

impl Owner {
    fn set() -> Self {
        let owner = Self {
            folder: tempfile::tempdir().unwrap(),
            odoo: OdooServer::shared().unwrap(),
        };
        let folder = owner.folder.path();
        let configured = owner.odoo.configure(folder, OdooUser::Owner, "auto");
        configured.unwrap();
        let config = format!(
            "[vault]\npath = \"vault\"\nstate = \"state\"\n\n[sync]\nremote = \"\"\nevery-seconds = 1\n\n\
             [approvals]\nhold-seconds = 0\nretry-seconds = 1\n\n\
             [work]\ncompiled = {:?}\nskills = \"skills\"\nevery-seconds = 1\n\n\
             [zones.accounting]\nconfig = \"odoo.toml\"\n",
            compiled_skills()
        );
        fs::write(owner.config(), config).unwrap();
        for folder in ["In_Progress/local", "Pending_Approval", "Approved"] {
            fs::create_dir_all(owner.vault().join(folder)).unwrap();
        }
        add_skills(&owner.config()).unwrap();
        for name in ["platinum-intake", "platinum-odoo"] {
            program(name, name).unwrap();
        }
        owner
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("local.toml")
    }

    fn vault(&self) -> PathBuf {
        self.folder.path().join("vault")
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn start(&self, fail_points: &str) -> Child {
        let program = program("platinum-local", "platinum").unwrap();
        let (pid_file, config) = (self.pid_file(), self.config());
        let log = self.folder.path().join("log");
        Child::start_daemon(&program, &config, &log, &pid_file, fail_points).unwrap()
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    /// Waits until the daemon has died by itself.
    fn await_death(&self) {
        wait_for("the daemon to die", SOON, || {
            Ok(is_dead(&self.pid_file()).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()));
        fs::remove_file(self.pid_file()).unwrap();
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

    /// A session with the program that acts, as the drafting half would have one.
    fn session(&self) -> Session {
        let tools = [
            "get_data",
            "get_document",
            "preview_payment",
            "create_draft",
            "post_invoice",
            "record_payment",
            "find_payment",
            "prove_rights",
        ];
        let config = self.folder.path().join("odoo.toml");
        Session::lazy(ServerSpec {
            name: "odoo".to_owned(),
            command: program("platinum-odoo", "platinum-odoo").unwrap(),
            args: vec!["--config".to_owned(), config.display().to_string()],
            env: [].into(),
            call_timeout: SOON,
            gate: Gate::new(Role::Local, &tools[1..2], &tools),
        })
    }

    fn call(&self, model: &str, method: &str, arguments: &Value) -> Value {
        self.odoo
            .call(OdooUser::Owner, model, method, arguments)
            .unwrap()
    }

    fn read(&self, id: i64, field: &str) -> Value {
        let arguments = json!({"ids": [id], "fields": [field]});
        self.call("account.move", "read", &arguments)[0][field].take()
    }

    /// A draft invoice of 3 × 99.99 dollars; its id.
    async fn invoice(&self, session: &Session) -> i64 {
        let partner = json!({"vals_list": [{"name": "Ann & Sons", "vat": "DE136695976", "is_company": true}]});
        let journal = json!({"domain": [["type", "=", "sale"], ["company_id", "=", 1]], "fields": ["id"], "limit": 1});
        let asked = json!({"operation": TaskId::generate().to_string(), "kind": "customer_invoice", "company": 1,
            "journal": self.call("account.journal", "search_read", &journal)[0]["id"], "currency": "USD",
            "partner": self.call("res.partner", "create", &partner)[0], "date": "2026-11-20",
            "due_date": "2026-12-04", "lines": [
                {"name": "Work", "quantity": "3", "unit_price": "99.99", "taxes": []}]});
        let drafted = session.call("create_draft", asked).await.unwrap();
        drafted["document"]["id"].as_i64().unwrap()
    }

    /// Puts an action before the owner, for a task of the zone.
    fn propose(&self, action: Action) -> DraftId {
        let (now, task) = (SystemClock.now(), TaskId::generate());
        let note = TaskNote {
            id: task,
            zone: "accounting".parse().unwrap(),
            source: "folder".to_owned(),
            from: "Ann & Sons".to_owned(),
            subject: "An invoice".to_owned(),
            received: None,
            created: now,
            by: "local/test".to_owned(),
            facts: Vec::new(),
            claim: None,
            body: "Please invoice us.\n".to_owned(),
        };
        let path = format!("In_Progress/local/{task}.md");
        fs::write(self.vault().join(path), note.render()).unwrap();
        let draft = DraftNote {
            id: DraftId::generate(),
            created: now,
            by: "local/test".to_owned(),
            task,
            epoch: None,
            action,
            summary: "Words of the drafter's".to_owned(),
            reason: "An invoice was asked for".to_owned(),
            expires: now.checked_add(Duration::from_secs(86_400)).unwrap(),
            doubts: vec!["The day is not in the request".to_owned()],
        };
        let path = layout::pending(draft.id).to_string();
        fs::write(self.vault().join(path), draft.render_answering(&note)).unwrap();
        draft.id
    }

    async fn propose_posting(&self, session: &Session, id: i64) -> DraftId {
        let read = session
            .call("get_document", json!({ "id": id }))
            .await
            .unwrap();
        self.propose(Action::new(&OdooPost {
            document: u64::try_from(id).unwrap(),
            total: dollars(29_997),
            due: Some("2026-12-04".parse().unwrap()),
            shown: read["shown"].as_str().unwrap().to_owned(),
        }))
    }

    async fn propose_payment(&self, session: &Session, id: i64) -> DraftId {
        let asked = json!({"document": id, "amount": "299.97", "currency": "USD", "date": "2026-11-25",
            "journal": "BNK1"});
        let read = session.call("preview_payment", asked).await.unwrap();
        self.propose(Action::new(&OdooPayment {
            invoice: u64::try_from(id).unwrap(),
            amount: dollars(29_997),
            date: "2026-11-25".parse().unwrap(),
            journal: "BNK1".to_owned(),
            shown: read["shown"].as_str().unwrap().to_owned(),
        }))
    }

    /// Waits for a draft's file in `Done/`.
    fn await_done(&self, draft: DraftId) {
        let month = self.vault().join("Done");
        wait_for("the draft in Done/", SOON, || {
            let found = Command::new("find")
                .arg(&month)
                .args(["-name", &format!("{draft}.md")])
                .output()?;
            Ok((!found.stdout.is_empty()).then_some(()))
        })
        .unwrap_or_else(|error| panic!("{error:#}\n{}", self.log()));
    }
}

fn dollars(minor: i64) -> Money {
    Money {
        minor,
        currency: "USD".parse().unwrap(),
    }
}

/// From the note to the paid invoice, by the owner's commands.
#[tokio::test(flavor = "multi_thread")]
async fn approved_notes_become_a_posted_and_paid_invoice() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let owner = Owner::set();
    let session = owner.session();
    let id = owner.invoice(&session).await;
    let _daemon = owner.start("");
    let draft = owner.propose_posting(&session, id).await;
    let listed = owner.shows(&["approvals"]);
    println!("{listed}");
    for line in [
        "  look first: The day is not in the request\n",
        &format!("  summary   Draft customer invoice {id} · Ann & Sons · 299.97 USD\n"),
        "  total     USD 299.97\n",
        "  │ | Total   | 299.97 |\n",
        "VAT DE136695976",
    ] {
        assert!(listed.contains(line), "{line}\nnot in\n{listed}");
    }
    println!("{}", owner.shows(&["approve", &draft.to_string()]));
    owner.await_done(draft);
    assert_eq!(owner.read(id, "state"), "posted");
    let number = owner.read(id, "name");
    let draft = owner.propose_payment(&session, id).await;
    println!("{}", owner.shows(&["approvals", "--full"]));
    owner.shows(&["approve", &draft.to_string()]);
    owner.await_done(draft);
    assert_eq!(owner.read(id, "payment_state"), "paid");
    let log = owner.shows(&["log"]);
    println!("{log}\n{}", owner.shows(&["log", "entries"]));
    let posted = format!("customer invoice {} is posted", number.as_str().unwrap());
    assert!(
        log.contains(&posted) && log.contains("is recorded"),
        "{log}"
    );
    Ok(())
}

/// The daemon dies before the hand-over of the document, and after Odoo's answer about the payment: one of each.
#[tokio::test(flavor = "multi_thread")]
async fn death_of_the_daemon_posts_and_pays_once() -> anyhow::Result<()> {
    if !OdooServer::present()? {
        return Ok(());
    }
    let owner = Owner::set();
    let session = owner.session();
    let id = owner.invoice(&session).await;
    for point in ["effect-prepared", "effect-performed"] {
        let draft = match point {
            "effect-prepared" => owner.propose_posting(&session, id).await,
            _ => owner.propose_payment(&session, id).await,
        };
        owner.shows(&["approve", &draft.to_string()]);
        let dying = owner.start(&format!("{point}=return"));
        owner.await_death();
        drop(dying);
        let _daemon = owner.start("");
        owner.await_done(draft);
    }
    assert_eq!(owner.read(id, "payment_state"), "paid");
    let payments = json!({"domain": [["memo", "like", owner.read(id, "name")]]});
    assert_eq!(owner.call("account.payment", "search_count", &payments), 1);
    Ok(())
}
