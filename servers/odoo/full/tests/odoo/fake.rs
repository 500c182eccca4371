//! An Odoo 19 as far as these servers use it, in memory, with faults: what a real one cannot be made to do at a moment
//! of the test's choice. What a real one does is tried in `real`.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::scripted::{Reply, Scripted, ok};

/// What goes wrong with a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// It is not carried out, and not answered.
    LostBefore,
    /// It is carried out, and not answered.
    LostAfter,
    /// This is changed in the first document before the call is carried out.
    Changes(&'static str, Value),
    /// It is carried out twice, as if another had asked the same at the same time.
    Twice,
}

/// The next call of this method, and what happens to it.
pub(crate) type Plan = (&'static str, Fault);

#[derive(Debug, Default)]
pub(crate) struct Books {
    pub(crate) moves: Vec<Value>,
    pub(crate) payments: Vec<Value>,
    /// Journals that were made before its two.
    pub(crate) journals: Vec<Value>,
    forms: Vec<Value>,
    /// What goes wrong from now on.
    pub(crate) plans: Vec<Plan>,
    /// What a created document has otherwise than it was asked for.
    pub(crate) overrides: Vec<(&'static str, Value)>,
}

pub(crate) struct Fake {
    pub(crate) server: Scripted,
    pub(crate) books: Arc<Mutex<Books>>,
}

impl Fake {
    pub(crate) fn start(plans: Vec<Plan>) -> Self {
        let books = Arc::new(Mutex::new(Books {
            plans,
            ..Books::default()
        }));
        let shared = Arc::clone(&books);
        let server = Scripted::odoo19(move |model, method, body| {
            let mut books = shared.lock().unwrap();
            let call = format!("{model}/{method}");
            let planned = books.plans.iter().position(|(of, _)| *of == call);
            let fault = planned.map(|at| books.plans.remove(at).1);
            match &fault {
                Some(Fault::LostBefore) => return Reply::Closed,
                Some(Fault::Changes(field, value)) => books.moves[0][*field] = value.clone(),
                Some(Fault::Twice) => {
                    books.call(model, method, body);
                }
                Some(Fault::LostAfter) | None => {}
            }
            let reply = books.call(model, method, body);
            match fault {
                Some(Fault::LostAfter) => Reply::Closed,
                _ => reply,
            }
        });
        Self { server, books }
    }
}

fn named(id: i64, name: &str) -> Value {
    json!([id, name])
}

fn types(fields: &[(&str, &[&str])]) -> Reply {
    let all = fields
        .iter()
        .flat_map(|(kind, names)| names.iter().map(move |name| (*name, json!({"type": kind}))));
    ok(Value::Object(
        all.map(|(name, kind)| (name.to_owned(), kind)).collect(),
    ))
}

fn refused(text: &str) -> Reply {
    Reply::Json(
        422,
        json!({"name": "odoo.exceptions.UserError", "message": text, "debug": "Traceback"}),
    )
}

impl Books {
    fn call(&mut self, model: &str, method: &str, body: &Value) -> Reply {
        let id = body["ids"][0].as_i64().unwrap_or_default();
        let at = usize::try_from(id - 1).unwrap_or(usize::MAX);
        match (model, method) {
            ("account.move", "fields_get") => types(&[
                (
                    "char",
                    &[
                        "name",
                        "state",
                        "move_type",
                        "ref",
                        "invoice_origin",
                        "payment_state",
                        "auto_post",
                        "payment_reference",
                    ],
                ),
                (
                    "many2one",
                    &[
                        "partner_id",
                        "commercial_partner_id",
                        "company_id",
                        "journal_id",
                        "currency_id",
                        "fiscal_position_id",
                        "invoice_payment_term_id",
                        "reversed_entry_id",
                        "partner_bank_id",
                    ],
                ),
                ("date", &["date", "invoice_date", "invoice_date_due"]),
                (
                    "one2many",
                    &["invoice_line_ids", "line_ids", "message_partner_ids"],
                ),
                (
                    "monetary",
                    &[
                        "amount_untaxed",
                        "amount_tax",
                        "amount_total",
                        "amount_residual",
                    ],
                ),
                ("json", &["sending_data"]),
            ]),
            ("account.move.line", "fields_get") => types(&[
                ("char", &["display_type", "name", "parent_state"]),
                (
                    "many2one",
                    &["account_id", "partner_id", "currency_id", "product_id"],
                ),
                (
                    "float",
                    &[
                        "quantity",
                        "price_unit",
                        "discount",
                        "price_subtotal",
                        "price_total",
                        "debit",
                        "credit",
                        "amount_currency",
                    ],
                ),
                ("many2many", &["tax_ids"]),
                ("date", &["date_maturity"]),
            ]),
            ("account.payment", "fields_get") => types(&[
                ("char", &["name", "state", "memo"]),
                ("monetary", &["amount"]),
                ("many2one", &["currency_id", "journal_id", "partner_id"]),
                ("date", &["date"]),
            ]),
            (_, "fields_get") => types(&[("char", &["name", "tax_calculation_rounding_method"])]),
            ("res.currency", _) => ok(json!([{"id": 3, "name": "EUR", "decimal_places": 2}])),
            ("res.company", _) => {
                ok(json!([{"id": 1, "tax_calculation_rounding_method": "round_per_line"}]))
            }
            ("account.journal", "search_read") => {
                let mut journals = self.journals.clone();
                journals.extend(
                    [("Cash", "CSH1", 5), ("Bank", "BNK1", 6)]
                        .map(|(name, code, id)| json!({"id": id, "name": name, "code": code})),
                );
                if body["domain"][2][0] == "code" {
                    journals.retain(|journal| journal["code"] == body["domain"][2][2]);
                }
                let most = body["limit"].as_u64().unwrap_or(u64::MAX);
                journals.truncate(usize::try_from(most).unwrap_or(usize::MAX));
                ok(journals.into())
            }
            ("res.partner", _) => ok(json!([{"id": 7, "display_name": "Ann"}])),
            ("account.move", "search_read") => {
                let (operation, kind) = (&body["domain"][0][2], &body["domain"][1][2]);
                let found = self
                    .moves
                    .iter()
                    .filter(|one| one["invoice_origin"] == *operation && one["move_type"] == *kind);
                ok(found
                    .map(|one| json!({"id": one["id"], "state": one["state"]}))
                    .collect())
            }
            ("account.move", "create") => {
                let id = self.create(&body["vals_list"][0]);
                ok(json!([id]))
            }
            ("account.move", "read") => ok(self.moves.get(at).cloned().into_iter().collect()),
            ("account.move", "action_post") if self.moves[at]["state"] == "draft" => {
                self.moves[at]["state"] = json!("posted");
                self.moves[at]["name"] = json!("INV/2026/00001");
                for line in self.moves[at]["lines"].as_array_mut().unwrap() {
                    line["parent_state"] = json!("posted");
                }
                ok(json!(false))
            }
            ("account.move", "action_post") => refused("The entry must be in draft."),
            ("account.move.line", "read") => {
                // The number of a line says whose it is.
                let of = body["ids"][0].as_i64().unwrap() / 100 - 1;
                ok(self.moves[usize::try_from(of).unwrap()]["lines"].clone())
            }
            ("account.payment.register", "create") => {
                self.forms.push(body["vals_list"][0].clone());
                ok(json!([self.forms.len()]))
            }
            ("account.payment.register", "read") => {
                let mut form = self.forms[at].clone();
                for field in ["journal_id", "currency_id"] {
                    form[field] = named(form[field].as_i64().unwrap(), "x");
                }
                form["partner_id"] = named(7, "Ann");
                ok(json!([form]))
            }
            ("account.payment.register", "action_create_payments") => {
                let form = self.forms[at].clone();
                let id = self.payments.len() + 1;
                self.payments.push(json!({"id": id, "name": format!("PBNK/{id}"), "state": "paid", "amount": form["amount"],
                    "currency_id": named(3, "EUR"), "date": form["payment_date"], "memo": form["communication"],
                    "journal_id": named(form["journal_id"].as_i64().unwrap(), "Bank"), "partner_id": named(7, "Ann")}));
                let open = self.moves[0]["amount_residual"].as_f64().unwrap()
                    - form["amount"].as_f64().unwrap();
                self.moves[0]["amount_residual"] = json!(open);
                self.moves[0]["payment_state"] = json!(if open.abs() < 0.005 {
                    "paid"
                } else {
                    "partial"
                });
                ok(json!({"res_id": id}))
            }
            ("account.payment", "search_read") => {
                let pattern = body["domain"][0][2].as_str().unwrap().replace("\\_", "_");
                let end = pattern.strip_prefix('%').unwrap();
                let matches = |memo: &str| match end.strip_suffix('%') {
                    Some(part) => memo.contains(part),
                    None => memo.ends_with(end),
                };
                let found = self
                    .payments
                    .iter()
                    .filter(|one| matches(one["memo"].as_str().unwrap()));
                ok(found.cloned().collect())
            }
            _ => refused(&format!("unknown call {model}.{method}")),
        }
    }

    /// A document without taxes, as Odoo would make it.
    fn create(&mut self, values: &Value) -> usize {
        let id = self.moves.len() + 1;
        let number = i64::try_from(id).unwrap();
        let mut total = 0.0;
        let asked = values["invoice_line_ids"].as_array().unwrap();
        let mut lines: Vec<Value> = asked.iter().enumerate().map(|(at, line)| {
            let line = &line[2];
            let sum = line["quantity"].as_f64().unwrap() * line["price_unit"].as_f64().unwrap();
            total += sum;
            json!({"id": number * 100 + i64::try_from(at).unwrap(), "display_type": "product", "name": line["name"], "quantity": line["quantity"],
                "price_unit": line["price_unit"], "discount": line["discount"], "tax_ids": [], "price_subtotal": sum,
                "price_total": sum, "debit": 0, "credit": sum, "amount_currency": -sum, "currency_id": named(3, "EUR"),
                "account_id": named(4, "Income"), "partner_id": named(7, "Ann"), "product_id": false,
                "date_maturity": false, "parent_state": "draft"})
        }).collect();
        let shown: Vec<Value> = lines.iter().map(|line| line["id"].clone()).collect();
        lines.push(json!({"id": number * 100 + 99, "display_type": "payment_term", "name": false, "quantity": 0, "price_unit": 0,
            "discount": 0, "tax_ids": [], "price_subtotal": 0, "price_total": 0, "debit": total, "credit": 0,
            "amount_currency": total, "currency_id": named(3, "EUR"), "account_id": named(5, "Receivable"),
            "partner_id": named(7, "Ann"), "product_id": false, "date_maturity": values["invoice_date_due"], "parent_state": "draft"}));
        let all: Vec<Value> = lines.iter().map(|line| line["id"].clone()).collect();
        let mut made = json!({"id": id, "name": "/", "state": "draft", "move_type": values["move_type"], "partner_id": named(7, "Ann"),
            "commercial_partner_id": named(7, "Ann"), "company_id": named(1, "Us"), "journal_id": named(2, "Sales"),
            "currency_id": named(3, "EUR"), "date": values["date"], "invoice_date": values["invoice_date"],
            "invoice_date_due": values["invoice_date_due"], "ref": values["ref"], "payment_reference": false,
            "invoice_origin": values["invoice_origin"], "fiscal_position_id": false, "invoice_payment_term_id": false,
            "reversed_entry_id": false, "partner_bank_id": false, "invoice_line_ids": shown, "line_ids": all,
            "amount_untaxed": total, "amount_tax": 0, "amount_total": total, "amount_residual": total,
            "payment_state": "not_paid", "auto_post": "no", "sending_data": false, "message_partner_ids": [7], "lines": lines});
        for (field, value) in &self.overrides {
            made[*field] = value.clone();
        }
        self.moves.push(made);
        id
    }
}
