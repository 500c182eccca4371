//! Drafts of every kind, with taxes and roundings of every kind.

use platinum_odoo::Outcome;
use platinum_odoo_draft::drafting::DraftArguments;
use serde_json::{Value, json};

use super::{Real, approved, invoice, unique};

/// Taxes in the price, three at once, rounding of the sum, a currency without cents, a foreign partner.
#[tokio::test]
async fn drafts_of_every_kind_are_what_was_asked_for() {
    let Some(odoo) = Real::open_alone("auto") else {
        return;
    };
    let books = odoo.books().await;
    let included = odoo
        .tax(
            "purchase",
            19.0,
            json!({"price_include_override": "tax_included"}),
        )
        .await;
    let on_top = odoo.tax("purchase", 7.0, json!({})).await;
    let base = odoo
        .tax(
            "purchase",
            5.5,
            json!({"include_base_amount": true, "sequence": 0}),
        )
        .await;
    let withheld = odoo.tax("purchase", -15.0, json!({})).await;
    let fixed = odoo
        .tax("purchase", 0.35, json!({"amount_type": "fixed"}))
        .await;
    let abroad = odoo
        .create(
            "account.fiscal.position",
            json!({"name": unique("Abroad"), "company_id": 1}),
        )
        .await;
    odoo.server.activate_currency("JPY").unwrap();
    let term = odoo.find("account.payment.term", json!([])).await;
    let line = |quantity: &str, price: &str, taxes: Value| json!({"name": "Item", "quantity": quantity, "unit_price": price, "taxes": taxes});
    let prices = [("3", "99.99"), ("7", "0.33"), ("1", "1234.57")];
    let lines = |taxes: Value| -> Value {
        prices
            .iter()
            .map(|(quantity, price)| line(quantity, price, taxes.clone()))
            .collect()
    };
    let bill = |change: Value| invoice(&books, "vendor_bill", change);
    for (what, asked) in [
        ("included", bill(json!({"lines": lines(json!([included]))}))),
        (
            "three taxes",
            bill(json!({"lines": lines(json!([base, on_top, withheld]))})),
        ),
        (
            "fixed",
            bill(json!({"lines": lines(json!([fixed, on_top]))})),
        ),
        (
            "included and on top",
            bill(json!({"lines": lines(json!([included, on_top]))})),
        ),
        (
            "yen",
            bill(
                json!({"currency": "JPY", "lines": [line("3", "3333", json!([on_top])), line("1.5", "101", json!([on_top]))]}),
            ),
        ),
        (
            "abroad",
            bill(json!({"fiscal_position": abroad, "reference": unique("R")})),
        ),
        ("payment term", {
            let mut asked = bill(json!({"payment_term": term}));
            asked.as_object_mut().unwrap().remove("due_date");
            asked
        }),
        (
            "account",
            bill(
                json!({"lines": [{"name": "x", "quantity": "1", "unit_price": "5", "taxes": [], "account": books.expense}]}),
            ),
        ),
        (
            "vendor credit note",
            invoice(
                &books,
                "vendor_credit_note",
                json!({"lines": lines(json!([on_top]))}),
            ),
        ),
        (
            "customer credit note",
            invoice(&books, "customer_credit_note", json!({})),
        ),
        (
            "negative line",
            bill(
                json!({"lines": [line("2", "10", json!([on_top])), line("-1", "5", json!([on_top]))]}),
            ),
        ),
        (
            "four digits",
            bill(json!({"lines": [line("1000", "0.0123", json!([on_top]))]})),
        ),
    ] {
        for method in ["round_per_line", "round_globally"] {
            odoo.write(
                "res.company",
                1,
                json!({"tax_calculation_rounding_method": method}),
            )
            .await;
            let mut asked = asked.clone();
            asked["operation"] = json!(unique("op"));
            let asked: DraftArguments = serde_json::from_value(asked).unwrap();
            let drafted = odoo.acting.as_ref().create_draft(&asked).await;
            let drafted = drafted.unwrap_or_else(|error| panic!("{what}, {method}: {error}"));
            assert_eq!(drafted.differences, [""; 0], "{what}, {method}");
            let posted = odoo
                .acting
                .post(&approved(&drafted.document))
                .await
                .unwrap();
            assert_eq!(
                posted.outcome,
                Outcome::Done,
                "{what}, {method}: {}",
                posted.answer
            );
            assert!(
                posted.answer.ends_with(" is posted"),
                "{what}, {method}: {}",
                posted.answer
            );
        }
    }
    odoo.write(
        "res.company",
        1,
        json!({"tax_calculation_rounding_method": "round_per_line"}),
    )
    .await;
    let entry = json!({"operation": unique("op"), "kind": "journal_entry", "company": 1, "journal": books.general, "currency": "USD",
        "date": "2026-11-20", "reference": "Rent", "items": [
            {"name": "Rent", "account": books.expense, "debit": "0.10"},
            {"name": "Rent", "account": books.expense, "debit": "0.20"},
            {"name": "Owed", "account": books.receivable, "credit": "0.30", "partner": books.partner}]});
    let drafted = odoo.draft(&entry).await;
    assert_eq!(drafted.document.items.len(), 3);
    let posted = odoo
        .acting
        .post(&approved(&drafted.document))
        .await
        .unwrap();
    assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
}
