//! Where a document is not what was asked for: every field that was given, against what Odoo saved. Pure.

use std::collections::BTreeSet;
use std::fmt::Display;

use platinum_odoo_client::document::{Item, ItemRole, Line};
use platinum_odoo_client::value::Named;
use platinum_odoo_client::{Amount, Document};

use super::arguments::{DraftArguments, DraftItem, DraftLine};

/// The fields that differ, each in one line.
#[must_use]
pub fn differences(asked: &DraftArguments, saved: &Document) -> Vec<String> {
    let mut all = Differences(Vec::new());
    all.compare("kind", &asked.kind.words(), &saved.kind.words());
    all.compare(
        "operation",
        &asked.operation,
        &or_none(saved.operation.as_ref()),
    );
    all.compare("company", &asked.company, &saved.company.id);
    all.compare("journal", &asked.journal, &saved.journal.id);
    all.compare("currency", &asked.currency, &saved.currency.code);
    all.compare(
        "reference",
        &or_none(asked.reference.as_ref()),
        &or_none(saved.reference.as_ref()),
    );
    if saved.is_draft() {
        let day = asked.accounting_date.as_ref().unwrap_or(&asked.date);
        all.compare("accounting date", &day, &or_none(saved.date.as_ref()));
    }
    if asked.kind.is_invoice() {
        all.compare_record("partner", asked.partner, saved.partner.as_ref());
        all.compare("date", &asked.date, &or_none(saved.invoice_date.as_ref()));
        let term = saved.payment_term.as_ref();
        all.compare_record("payment term", asked.payment_term, term);
        if let Some(day) = &asked.due_date {
            all.compare("due date", &day, &or_none(saved.due_date.as_ref()));
        }
        let position = saved.fiscal_position.as_ref();
        all.compare_record("fiscal position", asked.fiscal_position, position);
        all.compare_record("reverses", asked.reverses, saved.reverses.as_ref());
        all.compare("number of lines", &asked.lines.len(), &saved.lines.len());
        for (at, (asked, saved)) in asked.lines.iter().zip(&saved.lines).enumerate() {
            all.compare_line(at + 1, asked, saved);
        }
    } else {
        let items: Vec<&Item> = saved
            .items
            .iter()
            .filter(|item| item.role == ItemRole::Line)
            .collect();
        all.compare("number of items", &asked.items.len(), &saved.items.len());
        for (at, (asked, saved)) in asked.items.iter().zip(items).enumerate() {
            all.compare_item(at + 1, asked, saved);
        }
    }
    all.0
}

struct Differences(Vec<String>);

impl Differences {
    fn compare(&mut self, field: impl Display, asked: &dyn Display, saved: &dyn Display) {
        let (asked, saved) = (asked.to_string(), saved.to_string());
        if asked != saved {
            let shown = |text: &str| platinum_text::one_line(text, 80);
            let (asked, saved) = (shown(&asked), shown(&saved));
            self.0
                .push(format!("{field}: asked for {asked}, saved {saved}"));
        }
    }

    fn compare_amount(&mut self, field: impl Display, asked: Amount, saved: Amount) {
        if asked != saved {
            self.compare(field, &asked, &saved);
        }
    }

    fn compare_record(&mut self, field: impl Display, asked: Option<i64>, saved: Option<&Named>) {
        let saved = saved.map(|named| named.id);
        self.compare(field, &id_of(asked), &id_of(saved));
    }

    fn compare_line(&mut self, nth: usize, asked: &DraftLine, saved: &Line) {
        let field = |name: &str| format!("line {nth} {name}");
        self.compare(field("kind"), &"product", &saved.kind);
        self.compare(field("name"), &asked.name, &saved.name);
        self.compare_amount(field("quantity"), asked.quantity, saved.quantity);
        self.compare_amount(field("unit price"), asked.unit_price, saved.unit_price);
        self.compare_amount(field("discount"), asked.discount, saved.discount);
        let wanted: BTreeSet<i64> = asked.taxes.iter().copied().collect();
        let taxes: BTreeSet<i64> = saved.taxes.iter().map(|tax| tax.id).collect();
        self.compare(field("taxes"), &list(&wanted), &list(&taxes));
        if asked.account.is_some() {
            self.compare_record(field("account"), asked.account, saved.account.as_ref());
        }
        self.compare_record(field("product"), asked.product, saved.product.as_ref());
    }

    fn compare_item(&mut self, nth: usize, asked: &DraftItem, saved: &Item) {
        let field = |name: &str| format!("item {nth} {name}");
        self.compare(field("name"), &asked.name, &or_none(saved.name.as_ref()));
        let account = saved.account.as_ref();
        self.compare_record(field("account"), Some(asked.account), account);
        self.compare_amount(field("debit"), asked.debit, saved.debit);
        self.compare_amount(field("credit"), asked.credit, saved.credit);
        self.compare_record(field("partner"), asked.partner, saved.partner.as_ref());
    }
}

fn or_none(text: Option<&String>) -> &str {
    text.map_or("nothing", String::as_str)
}

fn id_of(id: Option<i64>) -> String {
    id.map_or_else(|| "nothing".to_owned(), |id| id.to_string())
}

fn list(ids: &BTreeSet<i64>) -> String {
    let all: Vec<String> = ids.iter().map(i64::to_string).collect();
    match all.is_empty() {
        true => "nothing".to_owned(),
        false => all.join(", "),
    }
}
