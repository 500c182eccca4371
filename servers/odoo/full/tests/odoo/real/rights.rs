//! What may be read, what is refused, and in which words.

use platinum_odoo::Outcome;
use platinum_odoo::payment::PaymentArguments;
use platinum_odoo_client::Connection;
use platinum_odoo_client::http::CallLimits;
use platinum_odoo_draft::data::DataArguments;
use platinum_odoo_draft::drafting::{DraftArguments, DraftOutcome};
use serde_json::{Value, json};

use super::{Real, approved, config, config_of, invoice, unique};

/// Rows by typed filters, as the drafting skill asks for them.
#[tokio::test]
async fn data_is_read_by_typed_filters() {
    for protocol in ["auto", "json-rpc"] {
        let Some(odoo) = Real::open(protocol) else {
            return;
        };
        let partner = unique("50%_off\\");
        let id = odoo
            .create(
                "res.partner",
                json!({"name": partner, "vat": "DE136695976", "is_company": true}),
            )
            .await;
        let get = async |arguments: Value| {
            let arguments: DataArguments = serde_json::from_value(arguments).unwrap();
            odoo.acting.as_ref().get_data(&arguments).await
        };
        let found = get(json!({"model": "partner", "fields": ["name", "vat", "commercial_partner_id", "email", "is_company"],
            "filters": [{"field": "name", "comparison": "contains", "value": partner}]})).await.unwrap();
        assert_eq!(
            json!(found.records),
            json!([{"id": id, "name": partner, "vat": "DE136695976", "email": null, "is_company": true,
                "commercial_partner_id": {"id": id, "name": partner}}])
        );
        // Every model with all its fields.
        for model in [
            "partner",
            "bank_account",
            "company",
            "currency",
            "journal",
            "account",
            "tax",
            "fiscal_position",
            "payment_term",
            "product",
            "document",
            "document_line",
        ] {
            let found = get(json!({"model": model, "limit": 2, "descending": true})).await;
            let found = found.unwrap_or_else(|error| panic!("{model}: {error}"));
            assert!(
                found.records.iter().all(|record| record["id"].is_i64()),
                "{model}"
            );
        }
        let refused = get(json!({"model": "account", "fields": ["internal_type"]}))
            .await
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "Odoo refused: this Odoo (19.0) shows this user no field internal_type of account.account"
        );
        let none = odoo
            .acting
            .as_ref()
            .read_document(999_999_999)
            .await
            .unwrap_err();
        assert!(
            none.to_string()
                .starts_with("there is no document 999999999"),
            "{none}"
        );
    }
}

#[tokio::test]
async fn refusals_of_a_real_odoo_are_short() {
    for protocol in ["auto", "json-rpc"] {
        let Some(odoo) = Real::open(protocol) else {
            return;
        };
        let books = odoo.books().await;
        for (change, text) in [
            (json!({"partner": 99_999_999}), "Odoo"),
            (json!({"journal": books.bank}), "Odoo refused: "),
            (
                json!({"currency": "XTS"}),
                "`currency` XTS is not active in this Odoo",
            ),
        ] {
            let asked: DraftArguments =
                serde_json::from_value(invoice(&books, "customer_invoice", change.clone()))
                    .unwrap();
            let refused = odoo
                .acting
                .as_ref()
                .create_draft(&asked)
                .await
                .unwrap_err()
                .to_string();
            eprintln!("{protocol} {change}: {refused}");
            assert!(
                refused.starts_with(text) && refused.len() < 500 && !refused.contains("Traceback"),
                "{refused}"
            );
            let left = odoo
                .acting
                .as_ref()
                .find_documents(&asked.operation, asked.kind)
                .await
                .unwrap();
            assert_eq!(left, []);
        }
    }
    let mut config = config("auto").unwrap();
    config.key = platinum_kit::Secret::Env("PATH".to_owned());
    let refused = Connection::new(config, CallLimits::default())
        .fields("account.move")
        .await
        .unwrap_err();
    assert!(
        refused.to_string().starts_with("Odoo refuses the login: "),
        "{refused}"
    );
}

/// The user of the addon: it drafts every kind, and what acts is refused with the reason.
#[tokio::test]
async fn drafter_drafts_and_cannot_act() {
    let Some(owner) = Real::open("auto") else {
        return;
    };
    if std::env::var_os("PLATINUM_TEST_ODOO_DRAFTER_KEY").is_none() {
        let why = "no user of Odoo's here that can only draft: PLATINUM_TEST_ODOO_DRAFTER_KEY has its key";
        platinum_testkit::skip(why, true).unwrap();
        return;
    }
    let books = owner.books().await;
    for protocol in ["auto", "json-rpc"] {
        let config = config_of(
            "platinum-drafter",
            "PLATINUM_TEST_ODOO_DRAFTER_KEY",
            protocol,
        );
        let drafter = Real::over(config.unwrap());
        let tax = owner.tax("purchase", 19.0, json!({})).await;
        let lines =
            json!([{"name": "Paper", "quantity": "2", "unit_price": "10.50", "taxes": [tax]}]);
        for kind in [
            "customer_invoice",
            "customer_credit_note",
            "vendor_credit_note",
        ] {
            let drafted = drafter.draft(&invoice(&books, kind, json!({}))).await;
            assert_eq!(drafted.outcome, DraftOutcome::Created, "{kind}");
        }
        let entry = json!({"operation": unique("op"), "kind": "journal_entry", "company": 1, "journal": books.general,
            "currency": "USD", "date": "2026-11-20", "items": [
                {"name": "Rent", "account": books.expense, "debit": "1"},
                {"name": "Owed", "account": books.receivable, "credit": "1", "partner": books.partner}]});
        assert_eq!(drafter.draft(&entry).await.outcome, DraftOutcome::Created);
        let asked = invoice(
            &books,
            "vendor_bill",
            json!({"lines": lines, "reference": unique("R")}),
        );
        let draft = drafter.draft(&asked).await.document;
        let refused = drafter.acting.post(&approved(&draft)).await.unwrap();
        assert_eq!(
            (refused.outcome, refused.retry),
            (Outcome::NotDone, false),
            "{}",
            refused.answer
        );
        assert!(
            refused.answer.starts_with("the Odoo user lacks a right: "),
            "{}",
            refused.answer
        );
        assert!(owner.document(draft.id).await.is_draft());
        // The owner's server posts it, and what was asked for is found by the drafter after that.
        let seen = owner.document(draft.id).await;
        let posted = owner.acting.post(&approved(&seen)).await.unwrap();
        assert_eq!(posted.outcome, Outcome::Done, "{}", posted.answer);
        let again = drafter.draft(&asked).await;
        assert_eq!(
            (again.outcome, again.document.id, again.differences.len()),
            (DraftOutcome::Existing, draft.id, 0)
        );
        let pay: PaymentArguments = serde_json::from_value(json!({"operation": unique("pay"), "document": draft.id,
            "partner": books.partner, "amount": "1", "currency": "USD", "date": "2026-11-25", "journal": books.bank}))
        .unwrap();
        let refused = drafter.acting.record_payment(&pay).await.unwrap();
        assert_eq!(refused.outcome, Outcome::NotDone, "{}", refused.answer);
        assert!(
            refused.answer.starts_with("the Odoo user lacks a right: "),
            "{}",
            refused.answer
        );
        eprintln!("{protocol}: {}", refused.answer);
    }
}
