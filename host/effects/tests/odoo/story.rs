//! From the note to the posted and paid document; what was done by hand; what the drafter and the owner see.

use platinum_effects::EffectError;
use platinum_journal::State;
use platinum_testkit::odoo::{OdooServer, OdooUser};
use serde_json::json;

use crate::host::{Machine, configure, session, unique};

/// The whole way, over both protocols; and nothing of it is done twice.
#[tokio::test(flavor = "multi_thread")]
async fn note_becomes_a_posted_and_paid_document() {
    for protocol in ["auto", "json-rpc"] {
        let Some(machine) = Machine::open(protocol) else {
            return;
        };
        let id = machine.invoice().await;
        let draft = machine.propose_posting(id).await;
        let note = machine.waiting(draft);
        eprintln!("{}", note.action.text());
        assert!(
            note.summary
                .starts_with(&format!("Draft customer invoice {id} · Ann-")),
            "{}",
            note.summary
        );
        assert!(note.summary.ends_with(" · 299.97 USD"), "{}", note.summary);
        machine.approve(draft);
        let receipt = machine.carry_out().await.unwrap();
        let posted = machine.read(id, &["state", "name"]);
        let number = posted["name"].as_str().unwrap();
        assert_eq!(posted["state"], "posted");
        assert_eq!(
            receipt.answer,
            format!("customer invoice {number} is posted")
        );
        assert_eq!(receipt.reference, format!("document-{id}"));

        let draft = machine.propose_payment(id, "200.00").await;
        let note = machine.waiting(draft);
        eprintln!("{}", note.action.text());
        machine.approve(draft);
        let receipt = machine.carry_out().await.unwrap();
        assert!(
            receipt.answer.ends_with(" is recorded"),
            "{}",
            receipt.answer
        );
        assert_eq!(receipt.reference, draft.to_string().to_lowercase());
        let rest = machine.propose_payment(id, "99.97").await;
        machine.approve(rest);
        machine.carry_out().await.unwrap();
        let paid = machine.read(id, &["payment_state", "amount_residual"]);
        assert_eq!(
            (&paid["payment_state"], paid["amount_residual"].as_f64()),
            (&json!("paid"), Some(0.0))
        );
        assert_eq!(machine.payments(), 2);
        assert!(machine.next().await.is_none());
        assert_eq!(machine.states().await.matches("done at ").count(), 3);
    }
}

/// What was posted or paid in Odoo by hand is found, and not done again.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_done_in_odoo_is_not_done_again() {
    let Some(machine) = Machine::open("auto") else {
        return;
    };
    let id = machine.invoice().await;
    let draft = machine.propose_posting(id).await;
    machine.approve(draft);
    machine.act(id, "action_post");
    let receipt = machine.carry_out().await.unwrap();
    let number = machine.read(id, &["name"])["name"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(
        receipt.answer,
        format!("customer invoice {number} is posted in Odoo")
    );

    let draft = machine.propose_payment(id, "299.97").await;
    machine.approve(draft);
    let by_hand = machine.propose_payment(id, "299.97").await;
    // Another program of theirs records it.
    let paid = machine
        .tool(
            "record_payment",
            json!({"operation": unique("by-hand"), "document": id, "partner": machine.ids.partner, "amount": "299.97",
                "currency": "USD", "date": "2026-11-25", "journal": machine.bank()}),
        )
        .await;
    assert_eq!(paid["outcome"], "done", "{paid}");
    let refused = machine.carry_out().await.unwrap_err();
    let words = format!("customer invoice {number} is paid in Odoo already: nothing of it is open");
    assert!(
        matches!(&refused, EffectError::Refused(reason) if *reason == words),
        "{refused:?}"
    );
    let journal = machine.executor.approvals().journal();
    assert!(matches!(
        journal.state(draft).unwrap(),
        State::DoneByOwner { .. }
    ));
    machine.approve(by_hand);
    machine.carry_out().await.unwrap_err();
    assert_eq!(machine.payments(), 1);
}

/// Less is open than was approved: nothing is recorded, and it is said why.
#[tokio::test(flavor = "multi_thread")]
async fn payment_of_more_than_is_open_is_refused_in_words() {
    let Some(machine) = Machine::open("auto") else {
        return;
    };
    let id = machine.posted_invoice().await;
    let (first, second) = (
        machine.propose_payment(id, "200.00").await,
        machine.propose_payment(id, "150.00").await,
    );
    machine.approve(first);
    machine.carry_out().await.unwrap();
    machine.approve(second);
    let refused = machine.carry_out().await.unwrap_err();
    let number = machine.read(id, &["name"])["name"]
        .as_str()
        .unwrap()
        .to_owned();
    let words = format!(
        "it cannot be paid so: only 99.97 USD of customer invoice {number} are open, and 150.00 were approved"
    );
    assert!(
        matches!(&refused, EffectError::Refused(reason) if *reason == words),
        "{refused:?}"
    );
    assert_eq!(machine.payments(), 1);
    // Half of it is paid by someone else: what stays open is another than was seen.
    let third = machine.propose_payment(id, "50.00").await;
    machine.approve(third);
    let fourth = machine.propose_payment(id, "10.00").await;
    machine.approve(fourth);
    machine.carry_out().await.unwrap();
    let _ = machine.carry_out().await.unwrap_err();
    let returned = machine.returned().await;
    assert!(
        returned[0].contains("“Open | 99.97” is now “Open | 49.97”"),
        "{returned:?}"
    );
    machine.approve(fourth);
    machine.carry_out().await.unwrap();
    assert_eq!(machine.payments(), 3);
}

/// The cloud's user and the owner see the same, so that what was approved there is found here.
#[tokio::test(flavor = "multi_thread")]
async fn drafter_and_owner_are_shown_the_same() {
    if !OdooServer::present().unwrap() {
        return;
    }
    let machine = Machine::before(OdooServer::shared().unwrap(), OdooUser::Owner, "auto");
    let folder = tempfile::tempdir().unwrap();
    let user = OdooUser::Drafter;
    for protocol in ["auto", "json-rpc"] {
        let config = configure(folder.path(), &machine.odoo, &machine.proxy, user, protocol);
        let drafter = session(&config);
        let asked = json!({"operation": unique("op"), "kind": "vendor_bill", "company": 1, "journal": machine.purchases(),
            "currency": "USD", "partner": machine.ids.partner, "date": "2026-11-20", "due_date": "2026-12-04",
            "reference": unique("R"), "lines": [
                {"name": "Paper | A4\n[[x]] <b>", "quantity": "2", "unit_price": "10.50", "discount": "10", "taxes": []}]});
        let drafted = drafter.call("create_draft", asked).await.unwrap();
        let id = json!({"id": drafted["document"]["id"]});
        let seen = drafter.call("get_document", id.clone()).await.unwrap();
        let shown = machine.tool("get_document", id).await;
        assert_eq!(seen["shown"], shown["shown"]);
        eprintln!("{}", shown["shown"].as_str().unwrap());
    }
}

/// Which right is missing is said.
#[tokio::test(flavor = "multi_thread")]
async fn missing_right_is_named() {
    if !OdooServer::present().unwrap() {
        return;
    }
    let odoo = OdooServer::shared().unwrap();
    let owner = Machine::before(std::sync::Arc::clone(&odoo), OdooUser::Owner, "auto");
    let machine = Machine::before(odoo, OdooUser::Drafter, "auto");
    let draft = machine.propose_posting(machine.invoice().await).await;
    machine.approve(draft);
    let refused = machine.carry_out().await.unwrap_err();
    assert!(
        matches!(&refused, EffectError::Refused(reason) if reason.starts_with("the Odoo user lacks a right: ")),
        "{refused:?}"
    );
    let id = owner.posted_invoice().await;
    let draft = machine.propose_payment(id, "10.00").await;
    machine.approve(draft);
    let refused = machine.carry_out().await.unwrap_err();
    assert!(
        matches!(&refused, EffectError::Refused(reason) if reason.starts_with("the Odoo user lacks a right: ")),
        "{refused:?}"
    );
    eprintln!("{refused:?}");
    assert_eq!(owner.payments(), 0);
}
