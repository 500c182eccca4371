//! Reading a [`Document`]. The fields differ between versions of Odoo and rights of users: those that are there are
//! read.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{
    Consequences, Currency, Document, DocumentKind, Item, ItemRole, Line, PartnerDetails, Rounding,
    Tax,
};
use crate::amount::Amount;
use crate::connection::Connection;
use crate::error::OdooError;
use crate::value::{Named, amount, ids, text};

/// The model of documents.
pub const MOVE: &str = "account.move";
/// The model of their lines.
pub const MOVE_LINE: &str = "account.move.line";
/// The field that holds the operation: it is in plain Odoo, is found by search, is not copied with a document, and
/// neither the partner's number (`ref`) nor a text that the partner reads (`narration`) has to make room for it.
pub const OPERATION: &str = "invoice_origin";

const MOVE_FIELDS: [&str; 32] = [
    "name",
    "state",
    "move_type",
    "partner_id",
    "commercial_partner_id",
    "company_id",
    "journal_id",
    "currency_id",
    "date",
    "invoice_date",
    "invoice_date_due",
    "ref",
    "payment_reference",
    OPERATION,
    "fiscal_position_id",
    "invoice_payment_term_id",
    "reversed_entry_id",
    "partner_bank_id",
    "invoice_line_ids",
    "line_ids",
    "amount_untaxed",
    "amount_tax",
    "amount_total",
    "amount_residual",
    "payment_state",
    "narration",
    "auto_post",
    "sending_data",
    // Odoo 17 has this in its place.
    "send_and_print_values",
    "message_partner_ids",
    "posted_before",
    "is_move_sent",
];
const LINE_FIELDS: [&str; 21] = [
    "sequence",
    "display_type",
    "name",
    "product_id",
    "account_id",
    "partner_id",
    "quantity",
    "price_unit",
    "discount",
    "tax_ids",
    "tax_line_id",
    "price_subtotal",
    "price_total",
    "debit",
    "credit",
    "amount_currency",
    "currency_id",
    "date_maturity",
    "parent_state",
    // Up to Odoo 15, where `display_type` does not tell what a line is there for.
    "exclude_from_invoice_tab",
    "account_internal_type",
];
/// The most lines of a document.
const MAX_LINES: usize = 1000;

impl Document {
    /// Reads one; none if there is no such document, or it is of a kind that is not known here.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn read(odoo: &Connection, id: i64) -> Result<Option<Self>, OdooError> {
        let fields = odoo.existing(MOVE, &MOVE_FIELDS).await?;
        let rows = odoo.read(MOVE, &[id], &fields).await?;
        let Some(row) = rows.first() else {
            return Ok(None);
        };
        let Some(kind) = row["move_type"].as_str().and_then(DocumentKind::parse) else {
            return Ok(None);
        };
        let line_ids = row["line_ids"].as_array().map_or(0, Vec::len);
        if line_ids > MAX_LINES {
            return Err(OdooError::Setup(format!(
                "document {id} has {line_ids} lines; at most {MAX_LINES} are read"
            )));
        }
        let mut all: BTreeSet<i64> = all_ids(&row["line_ids"]);
        let shown = all_ids(&row["invoice_line_ids"]);
        all.extend(&shown);
        let all: Vec<i64> = all.into_iter().collect();
        let fields = odoo.existing(MOVE_LINE, &LINE_FIELDS).await?;
        let mut lines = odoo.read(MOVE_LINE, &all, &fields).await?;
        lines.sort_by_key(|line| (line["sequence"].as_i64(), line["id"].as_i64()));

        let company = required(row, "company_id")?;
        let currencies = read_currencies(odoo, row, &lines).await?;
        let taxes = read_taxes(odoo, company.id, &lines).await?;
        let currency = required(row, "currency_id")?;
        let currency = currencies
            .get(&currency.id)
            .cloned()
            .ok_or_else(|| OdooError::Right(format!("it cannot read the currency {currency}")))?;
        let rounding = read_rounding(odoo, company.id).await?;
        let parts = Parts {
            row,
            kind,
            lines: &lines,
            shown: &shown,
            currencies: &currencies,
            taxes: &taxes,
        };
        let (lines, items) = (parts.lines(currency.digits), parts.items(&currency));
        let money = |name: &str| amount(&row[name]).with_digits(currency.digits);
        Ok(Some(Self {
            id,
            kind,
            state: text(&row["state"]).unwrap_or_default(),
            // A draft is called "/" or "Draft …" until it has a number.
            number: text(&row["name"]).filter(|name| name != "/"),
            operation: text(&row[OPERATION]),
            journal: required(row, "journal_id")?,
            partner: Named::from_json(&row["partner_id"]),
            commercial_partner: Named::from_json(&row["commercial_partner_id"]),
            reference: text(&row["ref"]),
            payment_reference: text(&row["payment_reference"]),
            date: text(&row["date"]),
            invoice_date: text(&row["invoice_date"]),
            due_date: text(&row["invoice_date_due"]),
            payment_term: Named::from_json(&row["invoice_payment_term_id"]),
            bank_account: Named::from_json(&row["partner_bank_id"]),
            fiscal_position: Named::from_json(&row["fiscal_position_id"]),
            reverses: Named::from_json(&row["reversed_entry_id"]),
            rounding,
            lines,
            items,
            untaxed: money("amount_untaxed"),
            tax: money("amount_tax"),
            total: money("amount_total"),
            residual: money("amount_residual"),
            payment_state: text(&row["payment_state"]),
            narration: text(&row["narration"]),
            consequences: Consequences {
                auto_post: match &row["auto_post"] {
                    Value::String(text) => text.clone(),
                    // A yes or no up to Odoo 15.
                    Value::Bool(true) => "at_date".to_owned(),
                    _ => "no".to_owned(),
                },
                will_be_sent: is_set(&row["sending_data"]) || is_set(&row["send_and_print_values"]),
                is_sent: is_set(&row["is_move_sent"]),
                was_posted: is_set(&row["posted_before"]),
                followers: read_followers(odoo, &row["message_partner_ids"]).await?,
            },
            company,
            currency,
        }))
    }
}

impl PartnerDetails {
    /// Reads those of a document's partner, as far as this Odoo shows them to this user.
    ///
    /// # Errors
    /// As [`Connection::call`].
    pub async fn read(odoo: &Connection, document: &Document) -> Result<Self, OdooError> {
        const ADDRESS: [&str; 5] = ["street", "street2", "zip", "city", "country_id"];
        let Some(partner) = &document.partner else {
            return Ok(Self::default());
        };
        let wanted: Vec<&str> = ADDRESS.into_iter().chain(["vat"]).collect();
        let fields = odoo.existing("res.partner", &wanted).await?;
        if fields.is_empty() {
            return Ok(Self::default());
        }
        let rows = odoo.read("res.partner", &[partner.id], &fields).await?;
        let Some(row) = rows.first() else {
            return Ok(Self::default());
        };
        let part = |field: &str| {
            let country = Named::from_json(&row[field]).map(|country| country.name);
            country.or_else(|| text(&row[field]))
        };
        let parts: Vec<String> = ADDRESS.into_iter().filter_map(part).collect();
        Ok(Self {
            vat: text(&row["vat"]),
            address: (!parts.is_empty()).then(|| parts.join(", ")),
        })
    }
}

/// What a document's lines are made of.
struct Parts<'a> {
    row: &'a Value,
    kind: DocumentKind,
    lines: &'a [Value],
    shown: &'a BTreeSet<i64>,
    currencies: &'a BTreeMap<i64, Currency>,
    taxes: &'a BTreeMap<i64, Tax>,
}

impl Parts<'_> {
    fn is_shown(&self, line: &Value) -> bool {
        line["id"]
            .as_i64()
            .is_some_and(|id| self.shown.contains(&id))
    }

    fn lines(&self, digits: u32) -> Vec<Line> {
        if !self.kind.is_invoice() {
            return Vec::new();
        }
        let shown = self.lines.iter().filter(|line| self.is_shown(line));
        shown
            .map(|line| Line {
                kind: text(&line["display_type"]).unwrap_or_else(|| "product".to_owned()),
                name: text(&line["name"]).unwrap_or_default(),
                product: Named::from_json(&line["product_id"]),
                quantity: amount(&line["quantity"]),
                unit_price: amount(&line["price_unit"]),
                discount: amount(&line["discount"]),
                taxes: ids(&line["tax_ids"])
                    .iter()
                    .filter_map(|id| self.taxes.get(id).cloned())
                    .collect(),
                account: Named::from_json(&line["account_id"]),
                subtotal: amount(&line["price_subtotal"]).with_digits(digits),
                total: amount(&line["price_total"]).with_digits(digits),
                booked: amount(&line["amount_currency"]).with_digits(digits),
            })
            .collect()
    }

    fn role(&self, line: &Value) -> ItemRole {
        let is_owed = matches!(
            line["account_internal_type"].as_str(),
            Some("receivable" | "payable")
        );
        match line["display_type"].as_str() {
            Some("product") => ItemRole::Line,
            Some("tax") => ItemRole::Tax,
            Some("payment_term") => ItemRole::Counterpart,
            Some(_) => ItemRole::Other,
            None if !self.kind.is_invoice() || self.is_shown(line) => ItemRole::Line,
            None if line["tax_line_id"].is_array() => ItemRole::Tax,
            None if is_owed => ItemRole::Counterpart,
            None => ItemRole::Other,
        }
    }

    fn items(&self, currency: &Currency) -> Vec<Item> {
        let booked = self
            .lines
            .iter()
            .filter(|line| line["account_id"].is_array());
        let mut items: Vec<Item> = booked
            .map(|line| {
                let own = Named::from_json(&line["currency_id"])
                    .and_then(|named| self.currencies.get(&named.id))
                    .unwrap_or(currency);
                let role = self.role(line);
                Item {
                    role,
                    account: Named::from_json(&line["account_id"]),
                    partner: Named::from_json(&line["partner_id"]),
                    name: text(&line["name"]).filter(|_| role == ItemRole::Line),
                    tax: Named::from_json(&line["tax_line_id"]),
                    debit: amount(&line["debit"]).with_digits(2),
                    credit: amount(&line["credit"]).with_digits(2),
                    amount: amount(&line["amount_currency"]).with_digits(own.digits),
                    currency: own.code.clone(),
                    due_date: text(&line["date_maturity"])
                        .filter(|_| role == ItemRole::Counterpart),
                    state: text(&line["parent_state"])
                        .or_else(|| text(&self.row["state"]))
                        .unwrap_or_default(),
                }
            })
            .collect();
        // Odoo makes taxes and what is owed anew whenever a line changes: their order says nothing.
        items.sort_by(|one, other| {
            let key = |item: &Item| (item.role as u8, item.due_date.clone());
            key(one).cmp(&key(other))
        });
        items
    }
}

async fn read_currencies(
    odoo: &Connection,
    row: &Value,
    lines: &[Value],
) -> Result<BTreeMap<i64, Currency>, OdooError> {
    let own = lines.iter().map(|line| &line["currency_id"]);
    let used: BTreeSet<i64> = own
        .chain([&row["currency_id"]])
        .filter_map(Named::from_json)
        .map(|named| named.id)
        .collect();
    let used: Vec<i64> = used.into_iter().collect();
    let fields = ["name".to_owned(), "decimal_places".to_owned()];
    let rows = odoo.read("res.currency", &used, &fields).await?;
    let read = rows.iter().filter_map(|row| {
        let id = row["id"].as_i64()?;
        let digits = row["decimal_places"].as_u64().unwrap_or(2).min(9);
        let currency = Currency {
            id,
            code: text(&row["name"])?,
            digits: u32::try_from(digits).unwrap_or(2),
        };
        Some((id, currency))
    });
    Ok(read.collect())
}

async fn read_taxes(
    odoo: &Connection,
    company: i64,
    lines: &[Value],
) -> Result<BTreeMap<i64, Tax>, OdooError> {
    let used: BTreeSet<i64> = lines
        .iter()
        .flat_map(|line| all_ids(&line["tax_ids"]))
        .collect();
    if used.is_empty() {
        return Ok(BTreeMap::new());
    }
    let used: Vec<i64> = used.into_iter().collect();
    let fields = ["name", "amount_type", "amount", "price_include"];
    let fields = odoo.existing("account.tax", &fields).await?;
    // Whether a tax is included may be the company's setting.
    let call = crate::Call::new("account.tax", "read")
        .on(&used)
        .with("fields", fields)
        .of_company(company);
    let rows = odoo.rows(&call).await?;
    let read = rows.iter().filter_map(|row| {
        let id = row["id"].as_i64()?;
        let tax = Tax {
            id,
            name: text(&row["name"]).unwrap_or_default(),
            kind: text(&row["amount_type"]).unwrap_or_default(),
            amount: Amount::from_json(&row["amount"]).unwrap_or_default(),
            is_included: is_set(&row["price_include"]),
        };
        Some((id, tax))
    });
    Ok(read.collect())
}

async fn read_rounding(odoo: &Connection, company: i64) -> Result<Rounding, OdooError> {
    let wanted = ["tax_calculation_rounding_method"];
    let fields = odoo.existing("res.company", &wanted).await?;
    let rows = odoo.read("res.company", &[company], &fields).await?;
    let method = rows.first().and_then(|row| row[wanted[0]].as_str());
    Ok(match method {
        Some("round_globally") => Rounding::Global,
        _ => Rounding::PerLine,
    })
}

async fn read_followers(
    odoo: &Connection,
    partners: &Value,
) -> Result<Option<Vec<Named>>, OdooError> {
    if !partners.is_array() {
        return Ok(None);
    }
    let partners = all_ids(partners);
    let mut names = odoo.names("res.partner", &partners).await?;
    let named = partners.into_iter().map(|id| Named {
        id,
        name: names.remove(&id).unwrap_or_default(),
    });
    Ok(Some(named.collect()))
}

fn required(row: &Value, field: &str) -> Result<Named, OdooError> {
    Named::from_json(&row[field])
        .ok_or_else(|| OdooError::Answer(format!("a document without `{field}`")))
}

fn all_ids(list: &Value) -> BTreeSet<i64> {
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_i64)
        .collect()
}

/// Whether a value is not how Odoo writes nothing.
fn is_set(value: &Value) -> bool {
    !matches!(value, Value::Null | Value::Bool(false)) && *value != json!({})
}
