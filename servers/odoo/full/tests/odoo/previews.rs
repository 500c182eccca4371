//! What is shown before anything is done, and found after it: `get_document`'s rendering, `preview_payment`,
//! `find_payment`.

use platinum_odoo::payment::FindArguments;
use platinum_odoo_draft::data::DocumentArguments;
use platinum_odoo_draft::payment::{PreviewArguments, preview_payment};
use serde_json::{Value, json};

use crate::acting::{approved, payment, with_draft, with_invoice};
use crate::fake::Fault;

const SHOWN: &str = "\
# Draft customer invoice 1 · Ann · 299.97 EUR

- **Customer:** Ann, no. 7
- **Company:** Us, no. 1
- **Journal:** Sales, no. 2
- **Date:** 2026-11-30
- **Due:** 2026-12-14
- **Operation:** op\\_12345678

| What | Taxes | Quantity | Price |    Sum |
| ---- | ----- | -------: | ----: | -----: |
| Work |       |        3 | 99.99 | 299.97 |

| Sum     |    EUR |
| ------- | -----: |
| Untaxed | 299.97 |
| Total   | 299.97 |

## What it books

| Account           | What           |  Debit | Credit |
| ----------------- | -------------- | -----: | -----: |
| Income, no. 4     | Work           |   0.00 | 299.97 |
| Receivable, no. 5 | Due 2026-12-14 | 299.97 |   0.00 |

- **Followers:** Ann, no. 7; each may get a mail
";

/// The same for the same document, until it is posted.
#[tokio::test]
async fn document_is_shown_as_an_invoice() {
    let (fake, odoo, draft) = with_draft(vec![]).await;
    let read = async || {
        let asked = DocumentArguments { id: 1 };
        odoo.as_ref().get_document(&asked).await.unwrap()
    };
    let first = read().await;
    let link = format!("- **In Odoo:** <{}>\n", first.link);
    assert_eq!(first.shown, format!("{SHOWN}{link}"));
    assert_eq!(
        (first.obstacles, read().await.shown),
        (vec![], first.shown.clone())
    );
    fake.books.lock().unwrap().moves[0]["auto_post"] = json!("at_date");
    let held = read().await;
    let obstacle = "is set to be posted by itself (at_date); take that back in Odoo first";
    assert_eq!(held.obstacles, [obstacle]);
    assert!(
        held.shown
            .contains("> [!danger] It cannot be posted as it is\n> - It is set"),
        "{}",
        held.shown
    );
    fake.books.lock().unwrap().moves[0]["auto_post"] = json!("no");
    odoo.post(&approved(&draft)).await.unwrap();
    let posted = read().await;
    assert!(
        posted
            .shown
            .starts_with("# Customer invoice INV/2026/00001 · Ann · 299.97 EUR\n"),
        "{}",
        posted.shown
    );
    assert_eq!(posted.obstacles, [""; 0]);
}

fn preview(change: Value) -> PreviewArguments {
    let mut arguments = json!({"document": 1, "amount": "200", "currency": "EUR", "date": "2026-12-01", "journal": "BNK1"});
    for (name, value) in change.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    serde_json::from_value(arguments).unwrap()
}

#[tokio::test]
async fn payment_is_shown_before_it_is_recorded() {
    let (_fake, odoo) = with_invoice(vec![]).await;
    let shown = preview_payment(odoo.as_ref(), &preview(json!({})))
        .await
        .unwrap();
    assert_eq!(
        shown.shown,
        format!(
            "# Payment of customer invoice INV/2026/00001 · Ann · 200.00 EUR\n\n\
             - **Amount:** 200.00 EUR\n- **Day:** 2026-12-01\n- **Into:** Bank, no. 6, code BNK1\n\
             - **From:** Ann, no. 7\n- **Company:** Us, no. 1\n- **Date of the document:** 2026-11-30\n\
             - **Due:** 2026-12-14\n\n\
             | Sum           |    EUR |\n\
             | ------------- | -----: |\n\
             | Total         | 299.97 |\n\
             | Open          | 299.97 |\n\
             | This payment  | 200.00 |\n\
             | Open after it |  99.97 |\n\n\
             - **No money is moved:** it is recorded as paid\n\
             - **In Odoo:** <{}>\n",
            odoo.as_ref().link(1)
        )
    );
    assert_eq!((shown.partner.id, shown.journal.id), (7, 6));
    for (change, text) in [
        (json!({"amount": "0"}), "`amount` must be above 0"),
        (
            json!({"date": "soon"}),
            "`date` must be a day such as 2026-11-30",
        ),
        (
            json!({"journal": ""}),
            "`journal` must have from 1 to 20 characters",
        ),
        (
            json!({"journal": "BNK2"}),
            "it cannot be paid so: Us has no journal of a bank or cash with the code BNK2; it has: CSH1, BNK1",
        ),
        (
            json!({"amount": "300"}),
            "it cannot be paid so: only 299.97 EUR of customer invoice INV/2026/00001 are open, and 300 were approved",
        ),
        (
            json!({"currency": "USD"}),
            "it cannot be paid so: customer invoice INV/2026/00001 is in EUR, and USD was approved",
        ),
        (
            json!({"document": 9}),
            "there is no document 9 in Odoo that this user may see and that is an invoice, a bill, a credit note or a \
             journal entry",
        ),
    ] {
        let refused = preview_payment(odoo.as_ref(), &preview(change))
            .await
            .unwrap_err();
        assert_eq!(refused.to_string(), text);
    }
    let (_fake, odoo, _) = with_draft(vec![]).await;
    let refused = preview_payment(odoo.as_ref(), &preview(json!({})))
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "it cannot be paid so: draft customer invoice 1 is not posted; it is draft"
    );
}

/// However many journals were made before it.
#[tokio::test]
async fn journal_of_a_payment_is_found_among_many() {
    let (fake, odoo) = with_invoice(vec![]).await;
    fake.books.lock().unwrap().journals = (100..250)
        .map(|id| json!({"id": id, "name": "Till", "code": format!("T{id}")}))
        .collect();
    let shown = preview_payment(odoo.as_ref(), &preview(json!({})))
        .await
        .unwrap();
    assert_eq!(shown.journal.id, 6);
    let refused = preview_payment(odoo.as_ref(), &preview(json!({"journal": "BNK2"})))
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.ends_with("with the code BNK2; it has: T100, T101, T102, T103, T104, T105, T106, T107, T108, T109, T110, \
            T111, T112, T113, T114, T115, T116, T117, T118, T119 and more"),
        "{refused}"
    );
}

#[tokio::test]
async fn payment_is_found_by_any_attempt_of_its_operation() {
    let (fake, odoo) = with_invoice(vec![]).await;
    let find = async |operation: &str| {
        let asked = json!({"operation": operation, "document": 1});
        let asked: FindArguments = serde_json::from_value(asked).unwrap();
        odoo.find_payment(&asked).await
    };
    assert_eq!(find("pay_12345678").await.unwrap().payment, None);
    odoo.record_payment(&payment(
        json!({"operation": "pay_12345678-2", "amount": "100"}),
    ))
    .await
    .unwrap();
    let found = find("pay_12345678").await.unwrap();
    assert_eq!(found.payment.unwrap().memo, "INV/2026/00001 pay_12345678-2");
    assert_eq!(
        (
            found.others.len(),
            found.document.unwrap().residual.to_string()
        ),
        (0, "199.97".to_owned())
    );
    assert_eq!(
        find("pay_123").await.unwrap_err().to_string(),
        "`operation` must be 8 to 64 letters, digits, - and _"
    );
    assert_eq!(find("pay_1234567").await.unwrap().payment, None);
    odoo.record_payment(&payment(json!({"amount": "50"})))
        .await
        .unwrap();
    let found = find("pay_12345678").await.unwrap();
    assert_eq!((found.payment.unwrap().id, found.others), (2, vec![1]));
    // One that was cancelled is none.
    fake.books.lock().unwrap().payments[1]["state"] = json!("canceled");
    let found = find("pay_12345678").await.unwrap();
    assert_eq!((found.payment.unwrap().id, found.others), (1, vec![]));
    let lost = vec![("account.payment/search_read", Fault::LostBefore); 3];
    fake.books.lock().unwrap().plans = lost;
    let error = find("pay_12345678").await.unwrap_err().to_string();
    assert!(
        error.starts_with("the answer of Odoo at 127.0.0.1 was lost: "),
        "{error}"
    );
}
