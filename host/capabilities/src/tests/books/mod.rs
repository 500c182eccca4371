//! `odoo/read`, `odoo/draft` and `odoo/propose`, over a server that answers as it is told and keeps what it was asked.

mod drafting;
mod proposing;
mod reading;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Tasks, author, now, scripted::Scripted, task, vault};
use crate::odoo::{Books, CompanyKey, OdooCtx};

impl Scripted {
    /// The context of a run for task 1.
    fn context(self: &Arc<Self>) -> OdooCtx {
        self.of_company(None)
    }

    fn of_company(self: &Arc<Self>, company: Option<CompanyKey>) -> OdooCtx {
        OdooCtx {
            books: Books::new(self.clone(), company),
            task: Some(task(1)),
        }
    }
}

pub(super) fn rows(rows: impl Into<Value>) -> Value {
    let rows: Value = rows.into();
    json!({ "records": rows, "has_more": false })
}

pub(super) fn company(id: u64, name: &str) -> Value {
    json!({ "id": id, "name": name, "vat": null, "currency_id": { "id": 1, "name": "EUR" },
        "tax_calculation_rounding_method": "round_globally", "account_sale_tax_id": { "id": 4, "name": "19%" } })
}

pub(super) fn partner(id: u64, name: &str, vat: Option<&str>) -> Value {
    json!({ "id": id, "name": name, "vat": vat, "commercial_partner_id": { "id": id, "name": name },
        "property_account_position_id": { "id": 8, "name": "EU" } })
}

pub(super) fn document(state: &str) -> Value {
    json!({ "id": 42, "kind": "vendor_bill", "state": state, "number": null, "operation": "bill-1",
        "company": { "id": 1, "name": "Me" }, "journal": { "id": 2, "name": "Bills" },
        "partner": { "id": 7, "name": "Acme\n\u{202e}" }, "reference": "R-1", "invoice_date": "2026-11-01",
        "due_date": "2026-11-15", "currency": { "id": 1, "code": "EUR", "digits": 2 }, "rounding": "global",
        "lines": [{ "kind": "product", "name": "Paper\nA4", "quantity": "10", "unit_price": "10", "discount": "0",
            "taxes": [{ "id": 4, "name": "19%" }], "subtotal": "100.00", "total": "119.00" }],
        "untaxed": "100.00", "tax": "19.00", "total": "119.00", "residual": "119.00" })
}

pub(super) fn shown_document(state: &str) -> Value {
    json!({ "document": document(state), "link": "https://erp.test/web#id=42", "inconsistencies": [],
        "obstacles": [], "shown": "Vendor bill R-1\n\n| Paper | 10 |\n|---|---|\n" })
}
