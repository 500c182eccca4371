//! The built daemon of the owner's machine: a note that is approved becomes a posted document and a recorded payment,
//! and what the owner's commands show of it.
//!
//! Lives elsewhere: faults between the program and Odoo are `platinum-effects`' tests.

use std::sync::Arc;

use platinum_core::{Action, DraftId, Money, OdooPayment, OdooPost, Role, TaskId};
use platinum_host_tests::hosts::{Host, SOON};
use platinum_mcp::{Gate, ServerSpec, Session};
use platinum_testkit::{
    odoo::{OdooServer, OdooUser},
    program,
};
use serde_json::{Value, json};

struct Owner {
    host: Host,
    odoo: Arc<OdooServer>,
}

impl Owner {
    fn set() -> Self {
        let odoo = OdooServer::shared().unwrap();
        let host = Host::local_only(&["platinum-intake", "platinum-odoo"], |home| {
            let config = odoo.configure(home, OdooUser::Owner, "auto").unwrap();
            format!("[zones.accounting]\nconfig = {config:?}\n")
        });
        Self { host, odoo }
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
        let config = self.host.home().join("odoo.toml");
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

    async fn propose_posting(&self, session: &Session, id: i64) -> DraftId {
        let read = session
            .call("get_document", json!({ "id": id }))
            .await
            .unwrap();
        self.host.propose(
            "accounting",
            Action::new(&OdooPost {
                document: u64::try_from(id).unwrap(),
                total: dollars(29_997),
                due: Some("2026-12-04".parse().unwrap()),
                shown: read["shown"].as_str().unwrap().to_owned(),
            }),
        )
    }

    async fn propose_payment(&self, session: &Session, id: i64) -> DraftId {
        let asked = json!({"document": id, "amount": "299.97", "currency": "USD", "date": "2026-11-25",
            "journal": "BNK1"});
        let read = session.call("preview_payment", asked).await.unwrap();
        self.host.propose(
            "accounting",
            Action::new(&OdooPayment {
                invoice: u64::try_from(id).unwrap(),
                amount: dollars(29_997),
                date: "2026-11-25".parse().unwrap(),
                journal: "BNK1".to_owned(),
                shown: read["shown"].as_str().unwrap().to_owned(),
            }),
        )
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
    let _daemon = owner.host.start("");
    let draft = owner.propose_posting(&session, id).await;
    let listed = owner.host.shows(&["approvals"]);
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
    owner.host.approve(draft);
    owner.host.await_done(draft);
    assert_eq!(owner.read(id, "state"), "posted");
    let number = owner.read(id, "name");
    let draft = owner.propose_payment(&session, id).await;
    println!("{}", owner.host.shows(&["approvals", "--full"]));
    owner.host.approve(draft);
    owner.host.await_done(draft);
    assert_eq!(owner.read(id, "payment_state"), "paid");
    let log = owner.host.shows(&["log"]);
    println!("{log}\n{}", owner.host.shows(&["log", "entries"]));
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
        owner.host.approve(draft);
        let dying = owner.host.start(&format!("{point}=return"));
        owner.host.await_death();
        drop(dying);
        let _daemon = owner.host.start("");
        owner.host.await_done(draft);
    }
    assert_eq!(owner.read(id, "payment_state"), "paid");
    let payments = json!({"domain": [["memo", "like", owner.read(id, "name")]]});
    assert_eq!(owner.call("account.payment", "search_count", &payments), 1);
    Ok(())
}
