//! What may happen to a draft between approval and posting.

use platinum_odoo::Outcome;
use serde_json::json;

use super::{Real, approved, invoice, unique};

/// What a draft may be made to say, or to bring about, between approval and posting, written past its form.
#[tokio::test]
async fn no_changed_draft_is_posted() {
    let Some(odoo) = Real::open("auto") else {
        return;
    };
    let books = odoo.books().await;
    let other = odoo
        .create("res.partner", json!({"name": unique("Other")}))
        .await;
    for (values, text) in [
        (json!({"partner_id": other}), "partner id was"),
        (json!({"ref": "x"}), "reference was nothing, and is x"),
        (
            json!({"invoice_date_due": "2027-01-01"}),
            "due_date was 2026-12-04, and is 2027-01-01",
        ),
        (
            json!({"auto_post": "at_date"}),
            "consequences auto_post was no, and is at_date",
        ),
        (
            json!({"sending_data": {"author_user_id": 2}}),
            "consequences will_be_sent was false, and is true",
        ),
        (
            json!({"amount_total": 1.0}),
            "total was 299.97, and is 1.00",
        ),
        (json!({"narration": "x"}), "narration was nothing, and is"),
        (
            json!({"message_partner_ids": [[4, other, 0]]}),
            "consequences followers",
        ),
    ] {
        let drafted = odoo
            .draft(&invoice(&books, "customer_invoice", json!({})))
            .await
            .document;
        odoo.write("account.move", drafted.id, values.clone()).await;
        let answer = odoo.acting.post(&approved(&drafted)).await.unwrap();
        assert_eq!(
            (answer.outcome, answer.differs),
            (Outcome::NotDone, true),
            "{values}: {}",
            answer.answer
        );
        assert!(answer.answer.contains(text), "{values}: {}", answer.answer);
        assert!(odoo.document(drafted.id).await.is_draft());
    }
    // The lines, past the document.
    for (values, text) in [
        (json!({"price_unit": 1.0}), "unit_price was 99.99, and is 1"),
        (
            json!({"name": "Other work"}),
            "name was Work, and is Other work",
        ),
        (
            json!({"price_subtotal": 1.0}),
            "subtotal was 299.97, and is 1.00",
        ),
    ] {
        let drafted = odoo
            .draft(&invoice(&books, "customer_invoice", json!({})))
            .await
            .document;
        let line = odoo
            .find(
                "account.move.line",
                json!([
                    ["move_id", "=", drafted.id],
                    ["display_type", "=", "product"]
                ]),
            )
            .await;
        odoo.write("account.move.line", line, values.clone()).await;
        let answer = odoo.acting.post(&approved(&drafted)).await.unwrap();
        assert!(
            answer.differs && answer.answer.contains(text),
            "{values}: {}",
            answer.answer
        );
    }
    // A total that lies is refused although it was approved.
    let drafted = odoo
        .draft(&invoice(&books, "customer_invoice", json!({})))
        .await
        .document;
    odoo.write("account.move", drafted.id, json!({"amount_total": 1.0}))
        .await;
    let lying = odoo.document(drafted.id).await;
    let answer = odoo.acting.post(&approved(&lying)).await.unwrap();
    assert!(answer.answer.contains("does not show what it books: the total by its lines and taxes is shown as 1.00, and is 299.97"), "{}", answer.answer);
}
