//! The values that Odoo is given for a draft. Pure.

use platinum_odoo_client::DocumentKind;
use platinum_odoo_client::document::read::OPERATION;
use serde_json::{Value, json};

use super::arguments::{DraftArguments, DraftItem, DraftLine};

/// Values of a new `account.move`. What is not given is set to nothing, so that Odoo fills in no suggestion of its own.
#[must_use]
pub fn values(draft: &DraftArguments, currency: i64) -> Value {
    let mut values = json!({
        "move_type": draft.kind.move_type(),
        "company_id": draft.company,
        "journal_id": draft.journal,
        "currency_id": currency,
        "ref": or_false(draft.reference.as_ref()),
        "date": draft.accounting_date.as_ref().unwrap_or(&draft.date),
    });
    values[OPERATION] = json!(draft.operation);
    if draft.kind == DocumentKind::JournalEntry {
        values["line_ids"] = draft.items.iter().map(item).collect();
        return values;
    }
    values["partner_id"] = or_false(draft.partner);
    values["invoice_date"] = json!(draft.date);
    values["invoice_payment_term_id"] = or_false(draft.payment_term);
    if let Some(day) = &draft.due_date {
        values["invoice_date_due"] = json!(day);
    }
    values["fiscal_position_id"] = or_false(draft.fiscal_position);
    if let Some(document) = draft.reverses {
        values["reversed_entry_id"] = json!(document);
    }
    values["invoice_line_ids"] = draft.lines.iter().map(line).collect();
    values
}

fn line(line: &DraftLine) -> Value {
    let mut values = json!({
        "name": line.name,
        "quantity": line.quantity.to_json(),
        "price_unit": line.unit_price.to_json(),
        "discount": line.discount.to_json(),
        "tax_ids": [[6, 0, line.taxes]],
    });
    if let Some(account) = line.account {
        values["account_id"] = json!(account);
    }
    if let Some(product) = line.product {
        values["product_id"] = json!(product);
    }
    json!([0, 0, values])
}

fn item(item: &DraftItem) -> Value {
    json!([0, 0, {
        "name": item.name,
        "account_id": item.account,
        "partner_id": or_false(item.partner),
        "debit": item.debit.to_json(),
        "credit": item.credit.to_json(),
        "tax_ids": [[6, 0, []]],
    }])
}

/// How Odoo writes a value that may be missing.
fn or_false<T: serde::Serialize>(value: Option<T>) -> Value {
    value.map_or(json!(false), |value| json!(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_set_all_that_odoo_would_suggest() {
        let draft = json!({"operation": "op_12345678", "kind": "customer_credit_note", "company": 1, "journal": 2,
            "currency": "EUR", "partner": 3, "date": "2026-11-30", "payment_term": 4, "reverses": 9,
            "lines": [{"name": "Paper", "quantity": "2", "unit_price": "10.50", "discount": "5", "taxes": [1, 2], "account": 7}]});
        let draft: DraftArguments = serde_json::from_value(draft).unwrap();
        assert_eq!(
            values(&draft, 5),
            json!({"move_type": "out_refund", "company_id": 1, "journal_id": 2, "currency_id": 5, "ref": false,
                "date": "2026-11-30", "invoice_origin": "op_12345678", "partner_id": 3, "invoice_date": "2026-11-30",
                "invoice_payment_term_id": 4, "fiscal_position_id": false, "reversed_entry_id": 9,
                "invoice_line_ids": [[0, 0, {"name": "Paper", "quantity": 2, "price_unit": 10.5, "discount": 5,
                    "tax_ids": [[6, 0, [1, 2]]], "account_id": 7}]]})
        );
    }

    #[test]
    fn values_of_an_entry_have_no_partner_or_due_date() {
        let draft = json!({"operation": "op_12345678", "kind": "journal_entry", "company": 1, "journal": 2,
            "currency": "EUR", "date": "2026-11-30", "reference": "Rent",
            "items": [{"name": "a", "account": 1, "debit": "0.1"}, {"name": "b", "account": 2, "credit": "0.1", "partner": 8}]});
        let draft: DraftArguments = serde_json::from_value(draft).unwrap();
        assert_eq!(
            values(&draft, 5),
            json!({"move_type": "entry", "company_id": 1, "journal_id": 2, "currency_id": 5, "ref": "Rent",
                "date": "2026-11-30", "invoice_origin": "op_12345678", "line_ids": [
                    [0, 0, {"name": "a", "account_id": 1, "partner_id": false, "debit": 0.1, "credit": 0, "tax_ids": [[6, 0, []]]}],
                    [0, 0, {"name": "b", "account_id": 2, "partner_id": 8, "debit": 0, "credit": 0.1, "tax_ids": [[6, 0, []]]}]]})
        );
    }
}
