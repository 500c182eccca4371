//! The host side of `odoo/read`: what is asked of the server for each question of the contract.
//!
//! Invariants: a partner or a document that is answered is compared here once more, in full: what Odoo finds by a part
//! of a text is no answer; a list says where it was cut.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::text::comparable;
use serde_json::{Value, json};

use super::{
    OdooCtx,
    answers::{
        BankRow, DocumentAnswer, DocumentRow, JournalRow, KINDS, PartnerRow, TaxRow, is_decimal,
    },
    server::{Books, PAGE},
};
use crate::{
    bindings::platinum::odoo::{
        read::{self, DocumentList, DocumentQuery, PartnerKey},
        types::{Company, Document, Error, Journal, Partner, Tax},
    },
    text::checked_line,
};

/// Most partners of an answer.
const MAX_PARTNERS: usize = 50;
/// Most bank accounts of a partner.
const MAX_ACCOUNTS: usize = 20;
/// Most documents of an answer.
const MAX_DOCUMENTS: usize = 50;
/// Most pages of documents that are compared by their reference.
const MAX_PAGES: usize = 20;
/// Most pages of taxes.
const MAX_TAX_PAGES: usize = 3;
/// The fields of a document in a list.
const DOCUMENT_FIELDS: [&str; 9] = [
    "move_type",
    "state",
    "name",
    "ref",
    "invoice_origin",
    "company_id",
    "partner_id",
    "invoice_date",
    "amount_total",
];

/// One condition of a question.
pub(super) fn filter(field: &str, comparison: &str, value: impl Into<Value>) -> Value {
    json!({ "field": field, "comparison": comparison, "value": value.into() })
}

/// Whether a text is a day, `YYYY-MM-DD`.
pub(super) fn is_day(text: &str) -> bool {
    text.len() == 10 && text.parse::<jiff::civil::Date>().is_ok()
}

fn invalid<T>(what: impl Into<String>) -> Result<T, Error> {
    Err(Error::Invalid(what.into()))
}

impl Books {
    /// The partners of a company that match all of the filters.
    pub(super) async fn partner_rows(
        &self,
        company: u64,
        filters: Vec<Value>,
    ) -> Result<Vec<PartnerRow>, Error> {
        Ok(self.rows_of("partner", company, &filters).await?.records)
    }

    /// The partners that have this key: found by its exact text, else by a part of it, and compared in full.
    async fn find_partners(&self, company: u64, key: PartnerKey) -> Result<Vec<PartnerRow>, Error> {
        let (field, text) = match &key {
            PartnerKey::Vat(text) => ("vat", text),
            PartnerKey::Account(text) => ("sanitized_acc_number", text),
            PartnerKey::Name(text) => ("name", text),
            PartnerKey::Email(text) => ("email", text),
        };
        let text = checked_line(field, text, 200).map_err(Error::Invalid)?;
        let wanted = comparable(&text);
        if wanted.is_empty() {
            return invalid(format!("`{field}` has no letter and no digit"));
        }
        let is_same = |own: Option<&str>| own.is_some_and(|own| comparable(own) == wanted);
        let equal = filter(field, "equals", text.as_str());
        let (exact, part) = match &key {
            PartnerKey::Account(_) => return self.holders(company, &wanted).await,
            // Odoo keeps a VAT number as it was written, with spaces or without.
            PartnerKey::Vat(_) => (
                filter(field, "any_of", json!([text, wanted])),
                last_characters(&wanted, 3),
            ),
            PartnerKey::Name(_) => (equal, longest_word(&text).to_owned()),
            PartnerKey::Email(_) => (equal, text.clone()),
        };
        for filters in [vec![exact], vec![filter(field, "contains", part)]] {
            let mut rows = self.partner_rows(company, filters).await?;
            rows.retain(|row| match &key {
                PartnerKey::Vat(_) => is_same(row.vat.as_deref()),
                PartnerKey::Name(_) => is_same(row.name.as_deref()),
                // Of an address the punctuation counts.
                _ => row
                    .email
                    .as_deref()
                    .is_some_and(|own| own.trim().eq_ignore_ascii_case(&text)),
            });
            if !rows.is_empty() {
                return Ok(rows);
            }
        }
        Ok(Vec::new())
    }

    /// Who holds a bank account.
    async fn holders(&self, company: u64, account: &str) -> Result<Vec<PartnerRow>, Error> {
        let by_number = [filter("sanitized_acc_number", "equals", account)];
        let accounts = self.rows_of::<BankRow>("bank_account", company, &by_number);
        let accounts = accounts.await?.records.into_iter();
        let holders = accounts.filter_map(|row| row.partner_id);
        let holders: BTreeSet<u64> = holders.map(|named| named.id).collect();
        if holders.is_empty() {
            return Ok(Vec::new());
        }
        let holders: Vec<u64> = holders.into_iter().collect();
        self.partner_rows(company, vec![filter("id", "any_of", holders)])
            .await
    }

    /// The bank accounts of contacts and of the companies that they belong to, by partner.
    async fn accounts(
        &self,
        company: u64,
        partners: &[PartnerRow],
    ) -> Result<BTreeMap<u64, Vec<String>>, Error> {
        let ids: BTreeSet<u64> = partners.iter().flat_map(PartnerRow::ids).collect();
        let ids: Vec<u64> = ids.into_iter().collect();
        let mut accounts: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        if ids.is_empty() {
            return Ok(accounts);
        }
        let by_partner = [filter("partner_id", "any_of", ids)];
        let rows = self.rows_of::<BankRow>("bank_account", company, &by_partner);
        for row in rows.await?.records {
            if let (Some(partner), Some(number)) = (row.partner_id, row.sanitized_acc_number) {
                accounts
                    .entry(partner.id)
                    .or_default()
                    .push(comparable(&number));
            }
        }
        Ok(accounts)
    }

    /// The documents that match, the newest first.
    async fn find_documents(&self, query: &DocumentQuery) -> Result<DocumentList, Error> {
        let filters = document_filters(query, self.company().await?)?;
        let wanted = query.reference.as_deref().map(comparable);
        let is_wanted = |row: &DocumentRow| match &wanted {
            None => true,
            Some(wanted) => row
                .reference
                .as_deref()
                .is_some_and(|own| comparable(own) == *wanted),
        };
        let mut found = DocumentList {
            rows: Vec::new(),
            is_complete: false,
        };
        let mut before: Option<u64> = None;
        for _ in 0..MAX_PAGES {
            let mut filters = filters.clone();
            filters.extend(before.map(|id| filter("id", "at_most", id)));
            let page = self.rows::<DocumentRow>(json!({
                "model": "document", "fields": DOCUMENT_FIELDS, "filters": filters,
                "order_by": "id", "descending": true, "limit": PAGE,
            }));
            let page = page.await?;
            before = page.records.last().and_then(|row| row.id.checked_sub(1));
            let rows = page.records.into_iter().filter(is_wanted);
            found.rows.extend(rows.map(DocumentRow::into_wit));
            found.is_complete = !page.has_more || before.is_none();
            if found.is_complete || found.rows.len() >= MAX_DOCUMENTS {
                break;
            }
        }
        found.rows.truncate(MAX_DOCUMENTS);
        Ok(found)
    }

    /// One document, of a company that is drafted in.
    pub(super) async fn document(&self, id: u64) -> Result<DocumentAnswer, Error> {
        let answer: DocumentAnswer = self.call("get_document", json!({ "id": id })).await?;
        if answer.document.id != id {
            let what = format!("it answered document {} for {id}", answer.document.id);
            return Err(Error::Unavailable(what));
        }
        self.check_company(answer.document.company.id).await?;
        Ok(answer)
    }
}

/// What Odoo is asked of the documents; their references are compared afterwards.
fn document_filters(query: &DocumentQuery, company: Option<u64>) -> Result<Vec<Value>, Error> {
    if query.partners.is_empty() && query.number.is_none() && query.reference.is_none() {
        return invalid("one of `partners`, `number` and `reference` must be given");
    }
    if query.partners.len() > MAX_PARTNERS {
        return invalid(format!("`partners` has more than {MAX_PARTNERS}"));
    }
    let kinds = query.kinds.iter().map(|kind| move_type(kind));
    let kinds = kinds.collect::<Result<Vec<_>, _>>()?;
    if !(1..=KINDS.len()).contains(&kinds.len()) {
        return invalid(format!("`kinds` must be 1 to {}", KINDS.len()));
    }
    let mut filters = vec![
        filter("move_type", "any_of", kinds),
        filter("state", "differs", "cancel"),
    ];
    if !query.partners.is_empty() {
        filters.push(filter(
            "commercial_partner_id",
            "any_of",
            query.partners.clone(),
        ));
    }
    if let Some(number) = &query.number {
        let number = checked_line("number", number, 200).map_err(Error::Invalid)?;
        filters.push(filter("name", "equals", number));
    }
    if let Some(reference) = &query.reference {
        if comparable(reference).is_empty() || reference.len() > 1000 {
            return invalid("`reference` has no letter and no digit, or too many");
        }
        filters.push(json!({ "field": "ref", "comparison": "is_set" }));
    }
    if let Some(date) = &query.date {
        if !is_day(date) {
            return invalid("`date` is no day such as 2026-11-30");
        }
        filters.push(filter("invoice_date", "equals", date.as_str()));
    }
    if let Some(total) = &query.total {
        if !is_decimal(total) {
            return invalid("`total` is no decimal number such as 12.50");
        }
        filters.push(filter("amount_total", "equals", total.as_str()));
    }
    filters.extend(company.map(|company| filter("company_id", "equals", company)));
    Ok(filters)
}

/// What Odoo calls a kind of document.
pub(super) fn move_type(kind: &str) -> Result<&'static str, Error> {
    let known = KINDS.iter().find(|(name, _)| *name == kind);
    match known {
        Some((_, move_type)) => Ok(move_type),
        None => invalid(format!(
            "unknown kind of document `{}`; expected one of {}",
            platinum_core::text::one_line(kind, 40),
            KINDS.map(|(name, _)| name).join(", ")
        )),
    }
}

fn last_characters(text: &str, count: usize) -> String {
    let skipped = text.chars().count().saturating_sub(count);
    text.chars().skip(skipped).collect()
}

fn longest_word(text: &str) -> &str {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words
        .max_by_key(|word| word.chars().count())
        .unwrap_or(text)
}

impl read::Host for OdooCtx {
    async fn companies(&mut self) -> wasmtime::Result<Result<Vec<Company>, Error>> {
        let companies = async {
            let own = self.books.company().await?;
            let mut companies = self.books.all_companies().await?;
            companies.retain(|company| own.is_none_or(|own| own == company.id));
            Ok(companies.into_iter().map(|row| row.into_wit()).collect())
        };
        Ok(companies.await)
    }

    async fn partners(
        &mut self,
        company: u64,
        key: PartnerKey,
    ) -> wasmtime::Result<Result<Vec<Partner>, Error>> {
        let partners = async {
            self.books.check_company(company).await?;
            let mut rows = self.books.find_partners(company, key).await?;
            rows.truncate(MAX_PARTNERS);
            let accounts = self.books.accounts(company, &rows).await?;
            let partners = rows.into_iter().map(|row| {
                let ids: BTreeSet<u64> = row.ids().into();
                let own = ids.iter().filter_map(|id| accounts.get(id)).flatten();
                let own = own.take(MAX_ACCOUNTS).cloned().collect();
                row.into_wit(own)
            });
            Ok(partners.collect())
        };
        Ok(partners.await)
    }

    async fn journals(&mut self, company: u64) -> wasmtime::Result<Result<Vec<Journal>, Error>> {
        let journals = async {
            self.books.check_company(company).await?;
            let question = json!({ "model": "journal", "company": company, "limit": PAGE });
            let rows = self.books.rows::<JournalRow>(question).await?.records;
            Ok(rows.into_iter().map(JournalRow::into_wit).collect())
        };
        Ok(journals.await)
    }

    async fn taxes(&mut self, company: u64) -> wasmtime::Result<Result<Vec<Tax>, Error>> {
        let taxes = async {
            self.books.check_company(company).await?;
            let mut taxes = Vec::new();
            let mut after = 0;
            for _ in 0..MAX_TAX_PAGES {
                let filters = [
                    filter("amount_type", "equals", "percent"),
                    filter("id", "at_least", after + 1),
                ];
                let page = self.books.rows_of::<TaxRow>("tax", company, &filters);
                let page = page.await?;
                after = page.records.last().map_or(after, |row| row.id);
                taxes.extend(page.records.into_iter().filter_map(TaxRow::into_wit));
                if !page.has_more {
                    break;
                }
            }
            Ok(taxes)
        };
        Ok(taxes.await)
    }

    async fn documents(
        &mut self,
        query: DocumentQuery,
    ) -> wasmtime::Result<Result<DocumentList, Error>> {
        Ok(self.books.find_documents(&query).await)
    }

    async fn get_document(&mut self, id: u64) -> wasmtime::Result<Result<Document, Error>> {
        let answer = self.books.document(id).await;
        Ok(answer.map(DocumentAnswer::into_wit))
    }
}
