//! What a draft is called, and what the server is given for it.

use std::sync::Arc;

use serde_json::json;

use super::{Scripted, document, partner, rows, task};
use crate::{
    bindings::platinum::odoo::{
        draft::{Host as _, NewDocument, NewLine},
        types::Error,
    },
    odoo::{Books, CompanyKey, OdooCtx, read_only},
};

fn new_document() -> NewDocument {
    NewDocument {
        kind: "vendor-bill".into(),
        company: 1,
        journal: 2,
        currency: "EUR".into(),
        partner: 7,
        date: "2026-11-01".into(),
        due: Some("2026-11-15".into()),
        payment_term: None,
        reference: Some("R-1".into()),
        fiscal_position: None,
        lines: vec![NewLine {
            name: "Paper".into(),
            quantity: "10".into(),
            unit_price: "10.5".into(),
            discount: "0".into(),
            taxes: vec![4],
        }],
    }
}

async fn operation_of(document: NewDocument) -> String {
    let commercial =
        json!({ "id": 7, "name": "Ada", "commercial_partner_id": { "id": 3, "name": "Acme" } });
    let server = Scripted::with([rows(json!([commercial]))]);
    server.context().operation(document).await.unwrap().unwrap()
}

/// The same bill has one name, whoever has it, and everything else the name of its task.
#[tokio::test]
async fn operation_is_that_of_the_bill_or_of_the_task() {
    let bill = operation_of(new_document()).await;
    assert_eq!(bill.len(), "bill-".len() + 32);
    let mut alike = new_document();
    (alike.reference, alike.lines, alike.date) = (Some("r 1".into()), vec![], "2026-11-02".into());
    assert_eq!(operation_of(alike).await, bill);
    type Change = fn(&mut NewDocument);
    let others: [Change; 3] = [
        |it| it.reference = Some("R-2".into()),
        |it| it.company = 2,
        |it| it.kind = "vendor-credit-note".into(),
    ];
    for change in others {
        let mut other = new_document();
        change(&mut other);
        assert_ne!(operation_of(other).await, bill);
    }
    let of_task = task(1).to_string().to_lowercase();
    let nameless: [Change; 3] = [
        |it| it.reference = None,
        |it| it.reference = Some("-".into()),
        |it| it.kind = "customer-invoice".into(),
    ];
    for change in nameless {
        let mut nameless = new_document();
        change(&mut nameless);
        assert_eq!(operation_of(nameless).await, of_task);
    }
    let mut without = Arc::new(Scripted::default()).context();
    without.task = None;
    let mut nameless = new_document();
    nameless.reference = None;
    assert!(matches!(
        without.operation(nameless).await.unwrap(),
        Err(Error::Refused(_))
    ));
    // Of another company than the one that is drafted in, nothing is asked.
    let server = Arc::new(Scripted::default());
    let refused = server
        .of_company(Some(CompanyKey::Id(9)))
        .operation(new_document())
        .await
        .unwrap();
    assert!(matches!(refused, Err(Error::Refused(_))) && server.asked().is_empty());
}

#[tokio::test]
async fn create_gives_the_server_all_of_the_document() {
    let answer = json!({ "outcome": "created", "document": document("draft"), "link": "https://erp.test/web#id=42",
        "differences": [], "duplicates": [43] });
    let server = Scripted::with([rows(json!([partner(7, "Acme", None)])), answer]);
    let saved = server
        .context()
        .create(new_document())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (saved.is_new, saved.duplicates, saved.document.id),
        (true, vec![43], 42)
    );
    let (tool, arguments) = server.asked().pop().unwrap();
    let operation = arguments["operation"].as_str().unwrap().to_owned();
    assert_eq!(tool, "create_draft");
    assert_eq!(
        arguments,
        json!({ "operation": operation, "kind": "vendor_bill", "company": 1, "journal": 2, "currency": "EUR",
            "partner": 7, "date": "2026-11-01", "due_date": "2026-11-15", "payment_term": null, "reference": "R-1",
            "fiscal_position": null, "lines": [{ "name": "Paper", "quantity": "10", "unit_price": "10.5",
                "discount": "0", "taxes": [4] }] })
    );
}

/// What is out of bounds does not reach the server, and neither does a document of another company.
#[tokio::test]
async fn create_refuses_what_is_out_of_bounds() {
    type Spoil = fn(&mut NewDocument);
    let cases: [(&str, Spoil); 9] = [
        ("kind", |it| it.kind = "journal-entry".into()),
        ("two due dates", |it| it.payment_term = Some(1)),
        ("no due date", |it| it.due = None),
        ("no day", |it| it.date = "tomorrow".into()),
        ("no line", |it| it.lines.clear()),
        ("too many lines", |it| {
            it.lines = vec![it.lines[0].clone(); 201];
        }),
        ("no number", |it| it.lines[0].quantity = "1e3".into()),
        ("control characters", |it| {
            it.lines[0].name = "a\u{7}".into();
        }),
        ("long reference", |it| it.reference = Some("R".repeat(129))),
    ];
    for (what, spoil) in cases {
        let mut spoiled = new_document();
        spoil(&mut spoiled);
        let server = Scripted::with([rows(json!([partner(7, "Acme", None)]))]);
        let answer = server.context().create(spoiled).await.unwrap();
        assert!(
            matches!(answer, Err(Error::Invalid(_))),
            "{what}: {answer:?}"
        );
        assert!(
            !server
                .asked()
                .iter()
                .any(|(tool, _)| *tool == "create_draft"),
            "{what}"
        );
    }
    let server = Arc::new(Scripted::default());
    let refused = server
        .of_company(Some(CompanyKey::Id(9)))
        .create(new_document())
        .await
        .unwrap();
    assert!(matches!(refused, Err(Error::Refused(_))) && server.asked().is_empty());
    // A trial reads, and saves nothing.
    let server = Scripted::with([rows(json!([partner(7, "Acme", None)]))]);
    let mut trial = OdooCtx {
        books: Books::new(Arc::new(read_only(server.clone())), None),
        task: Some(task(1)),
    };
    let refused = trial.create(new_document()).await.unwrap();
    assert!(matches!(refused, Err(Error::Refused(why)) if why.starts_with("this is a trial")));
    assert_eq!(server.asked().len(), 1);
}
