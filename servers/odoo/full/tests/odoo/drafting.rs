//! `create_draft` against an Odoo with faults: one draft an operation, whatever is lost.

use platinum_odoo_draft::drafting::{DraftArguments, DraftOutcome};
use serde_json::{Value, json};

use crate::fake::{Fake, Fault};

pub(crate) fn arguments(change: Value) -> DraftArguments {
    let mut arguments = json!({"operation": "op_12345678", "kind": "customer_invoice", "company": 1, "journal": 2,
        "currency": "EUR", "partner": 7, "date": "2026-11-30", "due_date": "2026-12-14",
        "lines": [{"name": "Work", "quantity": "3", "unit_price": "99.99", "taxes": []}]});
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    serde_json::from_value(arguments).unwrap()
}

#[tokio::test]
async fn draft_is_saved_once_an_operation() {
    let fake = Fake::start(vec![]);
    let odoo = fake.server.service();
    let first = odoo.create_draft(&arguments(json!({}))).await.unwrap();
    assert_eq!(
        (first.outcome, first.document.id),
        (DraftOutcome::Created, 1)
    );
    assert_eq!(first.document.total.to_string(), "299.97");
    assert_eq!(first.document.operation.as_deref(), Some("op_12345678"));
    assert!(
        first
            .link
            .ends_with("/web#id=1&model=account.move&view_type=form"),
        "{}",
        first.link
    );
    let second = odoo.create_draft(&arguments(json!({}))).await.unwrap();
    assert_eq!(
        (second.outcome, second.document),
        (DraftOutcome::Existing, first.document)
    );
    // Another operation is another draft, and so is another kind.
    let other = odoo
        .create_draft(&arguments(json!({"operation": "op_87654321"})))
        .await
        .unwrap();
    assert_eq!(
        (other.outcome, other.document.id),
        (DraftOutcome::Created, 2)
    );
    assert_eq!(fake.books.lock().unwrap().moves.len(), 2);
}

#[tokio::test]
async fn draft_whose_answer_was_lost_is_found() {
    let fake = Fake::start(vec![("account.move/create", Fault::LostAfter)]);
    let answer = fake
        .server
        .service()
        .create_draft(&arguments(json!({})))
        .await
        .unwrap();
    assert_eq!(
        (answer.outcome, answer.document.id),
        (DraftOutcome::Created, 1)
    );
    assert_eq!(fake.books.lock().unwrap().moves.len(), 1);
}

#[tokio::test]
async fn lost_creation_is_unknown_and_done_by_the_next_call() {
    let fake = Fake::start(vec![("account.move/create", Fault::LostBefore)]);
    let odoo = fake.server.service();
    let error = odoo
        .create_draft(&arguments(json!({})))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("it is not known whether the draft of op_12345678 was saved: the answer of Odoo at 127.0.0.1 was lost: "),
        "{error}"
    );
    assert!(
        error.ends_with("the same call looks for it first, and saves no second one"),
        "{error}"
    );
    let answer = odoo.create_draft(&arguments(json!({}))).await.unwrap();
    assert_eq!(
        (answer.outcome, answer.document.id),
        (DraftOutcome::Created, 1)
    );
}

/// Lost answers everywhere, one after the other: in the end there is one draft.
#[tokio::test]
async fn draft_is_saved_once_whatever_answer_is_lost() {
    let calls = [
        "account.move/search_read",
        "account.move/create",
        "account.move/read",
        "account.move.line/read",
        "account.move/fields_get",
        "res.currency/search_read",
    ];
    for call in calls {
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            let fake = Fake::start(vec![(call, fault.clone())]);
            let odoo = fake.server.service();
            let mut answer = odoo.create_draft(&arguments(json!({}))).await;
            if answer.is_err() {
                answer = odoo.create_draft(&arguments(json!({}))).await;
            }
            assert_eq!(answer.unwrap().document.id, 1, "{call} {fault:?}");
            assert_eq!(
                fake.books.lock().unwrap().moves.len(),
                1,
                "{call} {fault:?}"
            );
        }
    }
}

/// Two agents at the same moment: both find nothing and create. The lower number counts for both.
#[tokio::test]
async fn two_drafts_of_an_operation_are_told() {
    let fake = Fake::start(vec![("account.move/create", Fault::Twice)]);
    let odoo = fake.server.service();
    let answer = odoo.create_draft(&arguments(json!({}))).await.unwrap();
    assert_eq!(answer.outcome, DraftOutcome::Existing);
    assert_eq!((answer.document.id, answer.duplicates), (1, vec![2]));
}

#[tokio::test]
async fn calls_of_one_server_do_not_race() {
    let fake = Fake::start(vec![]);
    let odoo = std::sync::Arc::new(fake.server.service());
    let calls = (0..8).map(|_| {
        let odoo = std::sync::Arc::clone(&odoo);
        tokio::spawn(async move {
            odoo.create_draft(&arguments(json!({})))
                .await
                .unwrap()
                .document
                .id
        })
    });
    for call in calls.collect::<Vec<_>>() {
        assert_eq!(call.await.unwrap(), 1);
    }
    assert_eq!(fake.books.lock().unwrap().moves.len(), 1);
}

/// What Odoo saves otherwise is named, field by field, with the draft that is there.
#[tokio::test]
async fn draft_that_was_saved_otherwise_is_an_error() {
    for (field, value, difference) in [
        (
            "fiscal_position_id",
            json!([9, "Abroad"]),
            "fiscal position: asked for nothing, saved 9",
        ),
        (
            "company_id",
            json!([2, "Them"]),
            "company: asked for 1, saved 2",
        ),
        (
            "journal_id",
            json!([8, "Other"]),
            "journal: asked for 2, saved 8",
        ),
        (
            "partner_id",
            json!([6, "Bob"]),
            "partner: asked for 7, saved 6",
        ),
        (
            "invoice_date",
            json!("2026-12-01"),
            "date: asked for 2026-11-30, saved 2026-12-01",
        ),
        (
            "date",
            json!("2026-12-01"),
            "accounting date: asked for 2026-11-30, saved 2026-12-01",
        ),
        (
            "invoice_date_due",
            json!(false),
            "due date: asked for 2026-12-14, saved nothing",
        ),
        (
            "invoice_payment_term_id",
            json!([1, "30 days"]),
            "payment term: asked for nothing, saved 1",
        ),
        ("ref", json!("x"), "reference: asked for nothing, saved x"),
        (
            "amount_total",
            json!(1.0),
            "the total by its lines and taxes is shown as 1.00, and is 299.97",
        ),
    ] {
        let fake = Fake::start(vec![]);
        fake.books.lock().unwrap().overrides = vec![(field, value)];
        let odoo = fake.server.service();
        let error = odoo
            .create_draft(&arguments(json!({})))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("draft 1 was saved, and is not what was asked for: "),
            "{error}"
        );
        assert!(
            error.contains(difference)
                && error.contains("delete or mend it in Odoo: http://127.0.0.1:"),
            "{error}"
        );
        // A second call saves no second one, and says the same.
        let again = odoo.create_draft(&arguments(json!({}))).await.unwrap();
        assert_eq!(again.outcome, DraftOutcome::Existing);
        assert!(
            again.differences.iter().any(|one| one == difference),
            "{:?}",
            again.differences
        );
    }
}
