//! The host side of `odoo/read`: what is asked of the server for each question of the contract.
//!
//! Invariants: a partner or a document that is answered is compared here once more, in full: what Odoo finds by a part
//! of a text is no answer; no list is cut in silence: it says so, or there is none.

use std::collections::{BTreeMap, BTreeSet};

use platinum_core::text::comparable;
use serde_json::{Value, json};

use super::{
    OdooCtx,
    answers::{
        BankRow, DocumentAnswer, DocumentRow, JournalRow, KINDS, PartnerRow, TaxRow, is_decimal,
    },
    server::{Books, MAX_PAGES, PAGE},
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
const MAX_ACCOUNTS: usize = 200;
/// Most values of one filter.
const MAX_VALUES: usize = 100;
/// Most documents of an answer.
const MAX_DOCUMENTS: usize = 50;
/// Most words of a name that a search is narrowed by.
const MAX_WORDS: usize = 8;
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
        self.all_rows("partner", "such contacts", Some(company), &filters)
            .await
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
        let equal = || vec![filter(field, "equals", text.as_str())];
        let part = |part: &str| filter(field, "contains", part);
        // From the narrowest to the widest.
        let mut searches = match &key {
            PartnerKey::Account(_) => return self.holders(company, &wanted).await,
            // Odoo keeps a VAT number as it was written, with spaces or without.
            PartnerKey::Vat(_) => vec![
                vec![filter(field, "any_of", json!([text, wanted]))],
                vec![part(&last_characters(&wanted, 3))],
            ],
            PartnerKey::Name(_) => {
                let all = words(&text).take(MAX_WORDS).map(part).collect();
                let longest = words(&text).max_by_key(|word| word.chars().count());
                vec![equal(), all, vec![part(longest.unwrap_or(&text))]]
            }
            PartnerKey::Email(_) => vec![equal(), vec![part(&text)]],
        };
        searches.dedup();
        for filters in searches {
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
        let accounts = self.account_rows(company, &by_number).await?;
        let holders = accounts.into_iter().filter_map(|row| row.partner_id);
        let holders: BTreeSet<u64> = holders.map(|named| named.id).collect();
        if holders.is_empty() {
            return Ok(Vec::new());
        }
        let mut rows = Vec::new();
        for holders in in_parts(&holders) {
            rows.extend(
                self.partner_rows(company, vec![filter("id", "any_of", holders)])
                    .await?,
            );
        }
        Ok(rows)
    }

    /// The bank accounts that a company may see and that match all of the filters.
    async fn account_rows(&self, company: u64, filters: &[Value]) -> Result<Vec<BankRow>, Error> {
        self.all_rows("bank_account", "such bank accounts", Some(company), filters)
            .await
    }

    /// The bank accounts of contacts and of the companies that they belong to, by partner.
    async fn accounts(
        &self,
        company: u64,
        partners: &[PartnerRow],
    ) -> Result<BTreeMap<u64, Vec<String>>, Error> {
        let ids: BTreeSet<u64> = partners.iter().flat_map(PartnerRow::ids).collect();
        let mut accounts: BTreeMap<u64, Vec<String>> = BTreeMap::new();
        for ids in in_parts(&ids) {
            let by_partner = [filter("partner_id", "any_of", ids)];
            for row in self.account_rows(company, &by_partner).await? {
                if let (Some(partner), Some(number)) = (row.partner_id, row.sanitized_acc_number) {
                    let own = accounts.entry(partner.id).or_default();
                    own.push(comparable(&number));
                }
            }
        }
        Ok(accounts)
    }

    /// Partners as a skill sees them, with their accounts and those of the companies that they belong to. The companies
    /// are first: of the contacts of one, those beyond [`MAX_PARTNERS`] say nothing that it does not say.
    async fn with_accounts(
        &self,
        company: u64,
        mut rows: Vec<PartnerRow>,
    ) -> Result<Vec<Partner>, Error> {
        rows.sort_by_key(|row| (row.ids()[1] != row.id, row.id));
        let books: BTreeSet<u64> = rows.iter().map(|row| row.ids()[1]).collect();
        if rows.len() > MAX_PARTNERS && books.len() > 1 {
            return Err(Error::Refused(format!(
                "Odoo has {} contacts that it may be, and at most {MAX_PARTNERS} are told apart: write the VAT number \
                 or the account into the task, or merge them in Odoo",
                rows.len()
            )));
        }
        rows.truncate(MAX_PARTNERS);
        let accounts = self.accounts(company, &rows).await?;
        let mut partners = Vec::new();
        for row in rows {
            let ids: BTreeSet<u64> = row.ids().into();
            let own = ids.iter().filter_map(|id| accounts.get(id)).flatten();
            let own: Vec<String> = own.cloned().collect();
            if own.len() > MAX_ACCOUNTS {
                return Err(Error::Refused(format!(
                    "contact {} has {} bank accounts in Odoo, and at most {MAX_ACCOUNTS} are compared",
                    row.id,
                    own.len()
                )));
            }
            partners.push(row.into_wit(own));
        }
        Ok(partners)
    }

    /// The journals of a company.
    pub(super) async fn journal_rows(&self, company: u64) -> Result<Vec<JournalRow>, Error> {
        self.all_rows("journal", "journals", Some(company), &[])
            .await
    }

    /// The taxes of a company that are a percentage.
    pub(super) async fn tax_rows(&self, company: u64) -> Result<Vec<TaxRow>, Error> {
        let filters = [filter("amount_type", "equals", "percent")];
        self.all_rows("tax", "taxes of a percentage", Some(company), &filters)
            .await
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

fn words(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_alphanumeric());
    words.filter(|word| !word.is_empty())
}

/// Ids, as many at once as one filter takes.
fn in_parts(ids: &BTreeSet<u64>) -> Vec<Vec<u64>> {
    let ids: Vec<u64> = ids.iter().copied().collect();
    ids.chunks(MAX_VALUES).map(<[u64]>::to_vec).collect()
}

impl read::Host for OdooCtx {
    async fn companies(&mut self) -> wasmtime::Result<Result<Vec<Company>, Error>> {
        let companies = self.books.own_companies().await;
        Ok(companies.map(|rows| rows.into_iter().map(|row| row.into_wit()).collect()))
    }

    async fn partners(
        &mut self,
        company: u64,
        key: PartnerKey,
    ) -> wasmtime::Result<Result<Vec<Partner>, Error>> {
        let partners = async {
            self.books.check_company(company).await?;
            let rows = self.books.find_partners(company, key).await?;
            self.books.with_accounts(company, rows).await
        };
        Ok(partners.await)
    }

    async fn journals(&mut self, company: u64) -> wasmtime::Result<Result<Vec<Journal>, Error>> {
        let journals = async {
            self.books.check_company(company).await?;
            let rows = self.books.journal_rows(company).await?;
            Ok(rows.into_iter().map(JournalRow::into_wit).collect())
        };
        Ok(journals.await)
    }

    async fn taxes(&mut self, company: u64) -> wasmtime::Result<Result<Vec<Tax>, Error>> {
        let taxes = async {
            self.books.check_company(company).await?;
            let rows = self.books.tax_rows(company).await?;
            Ok(rows.into_iter().filter_map(TaxRow::into_wit).collect())
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
