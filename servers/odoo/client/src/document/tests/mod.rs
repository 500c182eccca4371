//! Checking and comparing documents, by tables of changes to one bill.

mod rendering;

use serde_json::{Value, json};

use super::Document;
use super::check::inconsistencies;
use super::compare::{differences, differences_of_content};

/// A draft vendor bill of 2 × 10.50 less 10 %, with 19 % of tax on it: 18.90 + 3.59 = 22.49.
fn bill() -> Value {
    let item = |role: &str, debit: &str, credit: &str, amount: &str| {
        json!({"role": role, "account": {"id": 1, "name": "600 Expenses"}, "partner": {"id": 7, "name": "Paper Ltd"},
            "name": null, "debit": debit, "credit": credit, "amount": amount, "currency": "EUR", "due_date": null,
            "state": "draft"})
    };
    json!({
        "id": 12, "kind": "vendor_bill", "state": "draft", "number": null, "operation": "op_12345678",
        "company": {"id": 1, "name": "Us"}, "journal": {"id": 2, "name": "Bills"},
        "partner": {"id": 7, "name": "Paper Ltd"}, "commercial_partner": {"id": 7, "name": "Paper Ltd"},
        "reference": "R-1", "payment_reference": null, "date": "2026-11-30", "invoice_date": "2026-11-30",
        "due_date": "2026-12-14", "payment_term": null, "bank_account": null, "fiscal_position": null, "reverses": null,
        "currency": {"id": 3, "code": "EUR", "digits": 2}, "rounding": "per_line",
        "lines": [{"kind": "product", "name": "Paper", "product": null, "quantity": "2", "unit_price": "10.5",
            "discount": "10", "taxes": [{"id": 4, "name": "19 %", "kind": "percent", "amount": "19", "is_included": false}],
            "account": {"id": 1, "name": "600 Expenses"}, "subtotal": "18.90", "total": "22.49", "booked": "18.90"}],
        "items": [item("line", "18.90", "0.00", "18.90"), item("tax", "3.59", "0.00", "3.59"),
            item("counterpart", "0.00", "22.49", "-22.49")],
        "untaxed": "18.90", "tax": "3.59", "total": "22.49", "residual": "22.49", "payment_state": "not_paid",
        "narration": null,
        "consequences": {"auto_post": "no", "will_be_sent": false, "is_sent": false, "was_posted": false, "followers": []},
    })
}

fn changed(changes: &[(&str, Value)]) -> Document {
    let mut document = bill();
    for (path, value) in changes {
        *document.pointer_mut(path).unwrap() = value.clone();
    }
    serde_json::from_value(document).unwrap()
}

#[test]
fn consistent_document_has_no_inconsistency() {
    assert_eq!(inconsistencies(&changed(&[])), [""; 0]);
    // The same on the other side of the books.
    let invoice = [
        ("/kind", json!("customer_invoice")),
        ("/lines/0/booked", json!("-18.90")),
        ("/items/0/debit", json!("0")),
        ("/items/0/credit", json!("18.90")),
        ("/items/0/amount", json!("-18.90")),
        ("/items/1/debit", json!("0")),
        ("/items/1/credit", json!("3.59")),
        ("/items/1/amount", json!("-3.59")),
        ("/items/2/debit", json!("22.49")),
        ("/items/2/credit", json!("0")),
        ("/items/2/amount", json!("22.49")),
    ];
    assert_eq!(inconsistencies(&changed(&invoice)), [""; 0]);
}

/// Each of the ways to make a draft show another sum than it books.
#[test]
fn lying_document_is_found_out() {
    for (changes, found) in [
        (
            vec![("/total", json!("1.00"))],
            vec![
                "the total by its lines and taxes is shown as 1.00, and is 22.49",
                "the total by what is owed is shown as 1.00, and is 22.49",
                "the total by its sums is shown as 1.00, and is 22.49",
                "what is not paid yet is shown as 22.49, and is 1.00",
            ],
        ),
        (
            vec![("/lines/0/unit_price", json!("1.05"))],
            vec!["line 1 shows 18.90, and 2 × 1.05 is 1.89"],
        ),
        (
            vec![
                ("/lines/0/subtotal", json!("1.89")),
                ("/lines/0/unit_price", json!("1.05")),
            ],
            vec!["line 1 shows 1.89, and books 18.90"],
        ),
        (
            vec![("/items/1/state", json!("posted"))],
            vec!["journal item 2 counts as posted in reports, and the document is draft"],
        ),
        (
            vec![("/items/2/credit", json!("20.00"))],
            vec!["its debits and credits differ by 2.49"],
        ),
        (
            vec![("/items/2/amount", json!("-20.00"))],
            vec!["the total by what is owed is shown as 22.49, and is 20.00"],
        ),
        (
            vec![("/tax", json!("3.60")), ("/untaxed", json!("18.89"))],
            vec!["the tax is shown as 3.60, and is 3.59"],
        ),
        (
            vec![("/payment_state", json!("paid"))],
            vec!["it is a draft and shown as paid"],
        ),
        (
            vec![("/residual", json!("0.00"))],
            vec!["what is not paid yet is shown as 0.00, and is 22.49"],
        ),
        (
            vec![
                ("/items/0/debit", json!("0")),
                ("/items/0/credit", json!("18.90")),
            ],
            vec![
                "its debits and credits differ by -37.80",
                "journal item 1 books -18.90, and 18.90 in its own currency",
            ],
        ),
        (
            vec![("/lines/0/kind", json!("line_note"))],
            vec!["line 1 is text, and books 18.90"],
        ),
    ] {
        assert_eq!(inconsistencies(&changed(&changes)), found, "{changes:?}");
    }
}

/// A cent more or less on a line is right where a sum is rounded as a whole, or taxes are in the price.
#[test]
fn rounding_of_a_cent_is_no_inconsistency() {
    let cent = [
        ("/lines/0/booked", json!("18.91")),
        ("/items/0/debit", json!("18.91")),
        ("/items/0/amount", json!("18.91")),
        ("/items/1/debit", json!("3.58")),
        ("/items/1/amount", json!("3.58")),
        ("/tax", json!("3.58")),
        ("/untaxed", json!("18.91")),
    ];
    assert_eq!(
        inconsistencies(&changed(&cent)),
        ["line 1 shows 18.90, and books 18.91"]
    );
    let global = [&cent[..], &[("/rounding", json!("global"))]].concat();
    assert_eq!(inconsistencies(&changed(&global)), [""; 0]);
    let included = [
        ("/lines/0/taxes/0/is_included", json!(true)),
        ("/lines/0/unit_price", json!("12.495")),
    ];
    assert_eq!(inconsistencies(&changed(&included)), [""; 0]);
}

#[test]
fn differences_name_every_field() {
    for (path, value, difference) in [
        ("/total", json!("22.50"), "total was 22.49, and is 22.50"),
        (
            "/partner",
            json!({"id": 8, "name": "Paper Ltd"}),
            "partner id was 7, and is 8",
        ),
        (
            "/partner/name",
            json!("Paper Inc"),
            "partner name was Paper Ltd, and is Paper Inc",
        ),
        (
            "/reference",
            json!("R-01"),
            "reference was R-1, and is R-01",
        ),
        (
            "/bank_account",
            json!({"id": 5, "name": "DE99"}),
            "bank_account was nothing, and is DE99 (5)",
        ),
        (
            "/lines/0/taxes",
            json!([]),
            "lines 1 taxes was 1 of them, and is 0 of them",
        ),
        (
            "/consequences/followers",
            json!([{"id": 9, "name": "x"}]),
            "consequences followers was 0 of them, and is 1 of them",
        ),
        (
            "/consequences/auto_post",
            json!("at_date"),
            "consequences auto_post was no, and is at_date",
        ),
        (
            "/consequences/will_be_sent",
            json!(true),
            "consequences will_be_sent was false, and is true",
        ),
        (
            "/items/2/due_date",
            json!("2026-12-01"),
            "items 3 due_date was nothing, and is 2026-12-01",
        ),
    ] {
        let found = differences(&changed(&[]), &changed(&[(path, value)]));
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(found, [difference]);
    }
    assert!(differences(&changed(&[]), &changed(&[])).is_empty());
}

/// The fields that decide are found in every one of their places: no change of the document is overlooked.
#[test]
fn differences_find_a_change_anywhere() {
    fn leaves(path: &str, value: &Value, all: &mut Vec<String>) {
        match value {
            Value::Object(fields) => {
                fields
                    .iter()
                    .for_each(|(name, value)| leaves(&format!("{path}/{name}"), value, all));
            }
            Value::Array(list) if !list.is_empty() => {
                let list = list.iter().enumerate();
                list.for_each(|(at, value)| leaves(&format!("{path}/{at}"), value, all));
            }
            _ => all.push(path.to_owned()),
        }
    }
    let mut all = vec![];
    leaves("", &bill(), &mut all);
    assert!(all.len() > 80, "{}", all.len());
    let before = bill();
    let mut tried = 0;
    for path in &all {
        for other in [
            json!("1.23"),
            json!(99),
            json!(true),
            json!("customer_invoice"),
            json!("global"),
            json!("tax"),
            json!("other"),
            json!({"id": 1, "name": "x"}),
            json!([{"id": 1, "name": "x"}]),
        ] {
            let mut document = bill();
            let place = document.pointer_mut(path).unwrap();
            if *place == other {
                continue;
            }
            *place = other;
            let (Ok(before), Ok(now)) = (
                serde_json::from_value(before.clone()),
                serde_json::from_value(document),
            ) else {
                continue;
            };
            assert!(!differences(&before, &now).is_empty(), "{path}");
            tried += 1;
        }
    }
    assert!(tried > all.len(), "{tried} changes of {} places", all.len());
}

#[test]
fn posting_changes_no_content() {
    let posted = changed(&[
        ("/state", json!("posted")),
        ("/number", json!("BILL/2026/0001")),
        ("/payment_state", json!("paid")),
        ("/residual", json!("0.00")),
        ("/items/0/state", json!("posted")),
        ("/consequences/was_posted", json!(true)),
        (
            "/consequences/followers",
            json!([{"id": 7, "name": "Paper Ltd"}]),
        ),
    ]);
    assert!(differences_of_content(&changed(&[]), &posted).is_empty());
    let other = changed(&[("/state", json!("posted")), ("/total", json!("9.00"))]);
    assert_eq!(differences_of_content(&changed(&[]), &other).len(), 1);
}
