//! `post_invoice` and `record_payment` against an Odoo with faults: at most once, and nothing but what was approved.

use platinum_odoo::payment::PaymentArguments;
use platinum_odoo::post::PostArguments;
use platinum_odoo::{ActingService, Outcome};
use platinum_odoo_client::Document;
use serde_json::{Value, json};

use crate::drafting::arguments;
use crate::fake::{Fake, Fault, Plan};

/// An Odoo with one draft, whose calls after that go wrong as planned.
pub(crate) async fn with_draft(plans: Vec<Plan>) -> (Fake, ActingService, Document) {
    let fake = Fake::start(vec![]);
    let odoo = ActingService::new(fake.server.service());
    let drafted = odoo
        .as_ref()
        .create_draft(&arguments(json!({})))
        .await
        .unwrap();
    fake.books.lock().unwrap().plans = plans;
    (fake, odoo, drafted.document)
}

pub(crate) fn approved(document: &Document) -> PostArguments {
    PostArguments {
        approved: document.clone(),
    }
}

#[tokio::test]
async fn post_posts_what_was_approved_once() {
    let (fake, odoo, draft) = with_draft(vec![]).await;
    let first = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!(first.outcome, Outcome::Done, "{}", first.answer);
    assert_eq!(first.answer, "customer invoice INV/2026/00001 is posted");
    assert!(first.document.unwrap().is_posted());
    let second = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!(second.outcome, Outcome::Done);
    assert_eq!(
        second.answer,
        "customer invoice INV/2026/00001 was posted before"
    );
    assert_eq!(fake.server.count("/action_post"), 1);
}

#[tokio::test]
async fn post_whose_answer_was_lost_is_done_or_unknown() {
    let (_fake, odoo, draft) =
        with_draft(vec![("account.move/action_post", Fault::LostAfter)]).await;
    let answer = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!(
        (answer.outcome, answer.answer.as_str()),
        (Outcome::Done, "customer invoice INV/2026/00001 is posted")
    );

    let (fake, odoo, draft) =
        with_draft(vec![("account.move/action_post", Fault::LostBefore)]).await;
    let answer = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Unknown, "{}", answer.answer);
    let answer = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!(answer.outcome, Outcome::Done);
    assert_eq!(fake.server.count("/action_post"), 2);
}

/// Every drift between the approval and the posting is named, and nothing is posted.
#[tokio::test]
async fn post_refuses_every_drift() {
    for (field, value, differs, text) in [
        (
            "partner_id",
            json!([8, "Bob"]),
            true,
            "is not what was approved: partner id was 7, and is 8; partner name was Ann, and is Bob",
        ),
        (
            "amount_total",
            json!(1.0),
            true,
            "is not what was approved: total was 299.97, and is 1.00",
        ),
        (
            "invoice_date_due",
            json!("2027-01-01"),
            true,
            "due_date was 2026-12-14, and is 2027-01-01",
        ),
        (
            "partner_bank_id",
            json!([4, "DE99"]),
            true,
            "bank_account was nothing, and is DE99 (4)",
        ),
        (
            "auto_post",
            json!("at_date"),
            true,
            "consequences auto_post was no, and is at_date",
        ),
        (
            "sending_data",
            json!({"author": 1}),
            true,
            "consequences will_be_sent was false, and is true",
        ),
        (
            "message_partner_ids",
            json!([7, 9]),
            true,
            "consequences followers was 1 of them, and is 2 of them",
        ),
        ("ref", json!("x"), true, "reference was nothing, and is x"),
        ("state", json!("cancel"), false, "is in the state cancel"),
    ] {
        let (fake, odoo, draft) =
            with_draft(vec![("account.move/read", Fault::Changes(field, value))]).await;
        let answer = odoo.post(&approved(&draft)).await.unwrap();
        assert_eq!(
            (answer.outcome, answer.differs, answer.retry),
            (Outcome::NotDone, differs, false),
            "{field}"
        );
        assert!(answer.answer.contains(text), "{}", answer.answer);
        assert_eq!(fake.server.count("/action_post"), 0, "{field}");
    }
}

/// What is in the document, and does more than an approval of the document says, is refused although it was approved.
#[tokio::test]
async fn post_refuses_what_has_consequences() {
    for (field, value, text) in [
        (
            "auto_post",
            json!("monthly"),
            "is set to be posted by itself (monthly); take that back in Odoo first",
        ),
        (
            "sending_data",
            json!({"author": 1}),
            "waits to be sent as soon as it is posted; take that back in Odoo first",
        ),
        (
            "invoice_date",
            json!(false),
            "has no date; Odoo would put today's on it",
        ),
        (
            "amount_total",
            json!(1.0),
            "does not show what it books: the total by its lines and taxes is shown as 1.00, and is 299.97",
        ),
    ] {
        let (fake, odoo, _) = with_draft(vec![]).await;
        fake.books.lock().unwrap().moves[0][field] = value;
        let now = odoo.as_ref().read_document(1).await.unwrap();
        let answer = odoo.post(&approved(&now)).await.unwrap();
        assert_eq!(answer.outcome, Outcome::NotDone, "{field}");
        assert!(answer.answer.contains(text), "{}", answer.answer);
        assert_eq!(fake.server.count("/action_post"), 0, "{field}");
    }
}

#[tokio::test]
async fn post_refuses_a_document_posted_otherwise() {
    let (fake, odoo, draft) = with_draft(vec![]).await;
    odoo.post(&approved(&draft)).await.unwrap();
    fake.books.lock().unwrap().moves[0]["ref"] = json!("x");
    let answer = odoo.post(&approved(&draft)).await.unwrap();
    assert_eq!((answer.outcome, answer.differs), (Outcome::NotDone, true));
    assert_eq!(
        answer.answer,
        "customer invoice INV/2026/00001 was posted by somebody, and is not what was approved: reference was nothing, and is x"
    );
}

/// Of two drafts of one operation, one is posted: the lower number, unless the other one is posted already.
#[tokio::test]
async fn post_posts_one_of_two_drafts_of_an_operation() {
    let (fake, odoo, _) = with_draft(vec![]).await;
    let mut second = fake.books.lock().unwrap().moves[0].clone();
    second["id"] = json!(2);
    fake.books.lock().unwrap().moves.push(second);
    let document = odoo.as_ref().read_document(2).await.unwrap();
    let answer = odoo.post(&approved(&document)).await.unwrap();
    assert_eq!(answer.outcome, Outcome::NotDone);
    assert_eq!(
        answer.answer,
        "draft customer invoice 2 is a second document of op_12345678: 1 is one, too, and draft; delete one of them in Odoo"
    );
    let first = odoo.as_ref().read_document(1).await.unwrap();
    fake.books.lock().unwrap().moves[1]["state"] = json!("posted");
    let answer = odoo.post(&approved(&first)).await.unwrap();
    assert!(
        answer.answer.contains(": 2 is one, too, and posted"),
        "{}",
        answer.answer
    );
    fake.books.lock().unwrap().moves[1]["state"] = json!("cancel");
    assert_eq!(
        odoo.post(&approved(&first)).await.unwrap().outcome,
        Outcome::Done
    );
}

pub(crate) fn payment(change: Value) -> PaymentArguments {
    let mut arguments = json!({"operation": "pay_12345678", "document": 1, "partner": 7, "amount": "299.97",
        "currency": "EUR", "date": "2026-12-01", "journal": 6});
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    serde_json::from_value(arguments).unwrap()
}

pub(crate) async fn with_invoice(plans: Vec<Plan>) -> (Fake, ActingService) {
    let (fake, odoo, draft) = with_draft(vec![]).await;
    odoo.post(&approved(&draft)).await.unwrap();
    fake.books.lock().unwrap().plans = plans;
    (fake, odoo)
}

#[tokio::test]
async fn payment_is_recorded_once_an_operation() {
    let (fake, odoo) = with_invoice(vec![]).await;
    let first = odoo.record_payment(&payment(json!({}))).await.unwrap();
    assert_eq!(
        (first.outcome, first.answer.as_str()),
        (Outcome::Done, "PBNK/1 is recorded")
    );
    assert_eq!(first.payment.unwrap().memo, "INV/2026/00001 pay_12345678");
    assert_eq!(
        first.document.unwrap().payment_state.as_deref(),
        Some("paid")
    );
    let second = odoo.record_payment(&payment(json!({}))).await.unwrap();
    assert_eq!(
        (second.outcome, second.answer.as_str()),
        (Outcome::Done, "PBNK/1 was recorded before")
    );
    // Another operation finds that nothing is open.
    let other = odoo
        .record_payment(&payment(json!({"operation": "pay_87654321"})))
        .await
        .unwrap();
    assert_eq!(other.outcome, Outcome::NotDone);
    assert_eq!(
        other.answer,
        "nothing of customer invoice INV/2026/00001 is open: its state of payment is paid"
    );
    assert_eq!(fake.books.lock().unwrap().payments.len(), 1);
}

#[tokio::test]
async fn payment_is_recorded_once_whatever_answer_is_lost() {
    for call in [
        "account.payment.register/create",
        "account.payment.register/read",
        "account.payment.register/action_create_payments",
        "account.payment/search_read",
        "account.move/read",
    ] {
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            let (fake, odoo) = with_invoice(vec![(call, fault.clone())]).await;
            let mut calls = 0;
            let answer = loop {
                let answer = odoo.record_payment(&payment(json!({}))).await.unwrap();
                calls += 1;
                if answer.outcome == Outcome::Done || calls == 3 {
                    break answer;
                }
            };
            assert_eq!(
                answer.outcome,
                Outcome::Done,
                "{call} {fault:?}: {}",
                answer.answer
            );
            assert_eq!(
                fake.books.lock().unwrap().payments.len(),
                1,
                "{call} {fault:?}"
            );
        }
    }
}

#[tokio::test]
async fn payment_that_was_not_approved_like_this_is_refused() {
    for (change, differs, text) in [
        (
            json!({"amount": "299.98"}),
            true,
            "only 299.97 EUR of customer invoice INV/2026/00001 are open, and 299.98 were approved",
        ),
        (
            json!({"amount": "1.001"}),
            false,
            "1.001 has more digits than EUR has",
        ),
        (
            json!({"currency": "USD"}),
            true,
            "customer invoice INV/2026/00001 is in EUR, and USD was approved",
        ),
        (
            json!({"partner": 8}),
            true,
            "customer invoice INV/2026/00001 is of Ann (7), and 8 was approved",
        ),
        (
            json!({"document": 5}),
            false,
            "there is no document 5 in Odoo that this user may see and that is an invoice, a bill, a credit note or a journal entry",
        ),
    ] {
        let (fake, odoo) = with_invoice(vec![]).await;
        let answer = odoo.record_payment(&payment(change)).await.unwrap();
        assert_eq!(
            (answer.outcome, answer.differs, answer.answer.as_str()),
            (Outcome::NotDone, differs, text)
        );
        assert_eq!(fake.books.lock().unwrap().payments.len(), 0);
    }
    let (_fake, odoo) = with_invoice(vec![]).await;
    for (change, text) in [
        (json!({"amount": "0"}), "`amount` must be above 0"),
        (json!({"amount": "-1"}), "`amount` must be above 0"),
        (
            json!({"date": "tomorrow"}),
            "`date` must be a day such as 2026-11-30",
        ),
        (
            json!({"operation": "x%"}),
            "`operation` must be 8 to 64 letters, digits, - and _",
        ),
    ] {
        let refused = odoo.record_payment(&payment(change)).await.unwrap_err();
        assert_eq!(refused.to_string(), text);
    }
    let (_fake, odoo, _) = with_draft(vec![]).await;
    let answer = odoo.record_payment(&payment(json!({}))).await.unwrap();
    assert_eq!(
        answer.answer,
        "draft customer invoice 1 is not posted; it is draft"
    );
}

/// A payment that was changed, or made twice by others, is told.
#[tokio::test]
async fn payment_that_is_there_otherwise_is_told() {
    let (fake, odoo) = with_invoice(vec![]).await;
    odoo.record_payment(&payment(json!({"amount": "100"})))
        .await
        .unwrap();
    let answer = odoo
        .record_payment(&payment(json!({"amount": "120"})))
        .await
        .unwrap();
    assert!(answer.differs);
    assert_eq!(
        answer.answer,
        "PBNK/1 is the payment of pay_12345678, and is not what was approved: its amount is 100"
    );
    let second = fake.books.lock().unwrap().payments[0].clone();
    fake.books.lock().unwrap().payments.push(second);
    fake.books.lock().unwrap().payments[1]["id"] = json!(2);
    let answer = odoo
        .record_payment(&payment(json!({"amount": "100"})))
        .await
        .unwrap();
    assert_eq!(
        answer.answer,
        "PBNK/1 was recorded before, and there are more payments of pay_12345678: 2; cancel them in Odoo"
    );
}

/// What cannot be asked is not said to be undone: an earlier call may have done it.
#[tokio::test]
async fn acting_claims_nothing_when_odoo_is_away() {
    let away = |call: &'static str| vec![(call, Fault::LostBefore); 3];
    let (fake, odoo, draft) =
        with_draft(vec![("account.move/action_post", Fault::LostBefore)]).await;
    assert_eq!(
        odoo.post(&approved(&draft)).await.unwrap().outcome,
        Outcome::Unknown
    );
    fake.books.lock().unwrap().plans = away("account.move/read");
    let error = odoo.post(&approved(&draft)).await.unwrap_err().to_string();
    assert!(
        error.starts_with("the answer of Odoo at 127.0.0.1 was lost: "),
        "{error}"
    );

    for call in ["account.payment/search_read", "account.move/read"] {
        let (fake, odoo) = with_invoice(vec![]).await;
        odoo.record_payment(&payment(json!({}))).await.unwrap();
        fake.books.lock().unwrap().plans = away(call);
        let error = odoo
            .record_payment(&payment(json!({})))
            .await
            .unwrap_err()
            .to_string();
        assert!(
            error.starts_with("the answer of Odoo at 127.0.0.1 was lost: "),
            "{error}"
        );
    }
}
