//! [`TestOdoo`]: the Odoo of a [`TestHost`], in memory.
//!
//! Invariants: it finds what its fields have, by the keys of the contract; it computes nothing: the totals of
//! a draft are those that the test says.

use std::cell::RefCell;
use std::collections::VecDeque;

use super::TestHost;
use crate::actions::types::{Proposal, ProposeError};
use crate::host::{DraftOdoo, ProposeOdoo, ReadOdoo};
use crate::odoo::draft::{NewDocument, Saved};
use crate::odoo::read::{DocumentList, DocumentQuery, PartnerKey};
use crate::odoo::types::{
    Company, Document, DocumentRow, Error, Journal, Line, Named, Partner, Payment, Posting, Tax,
};
use crate::text::comparable;

/// Books in memory.
#[derive(Debug, Default)]
pub struct TestOdoo {
    /// The companies.
    pub companies: Vec<Company>,
    /// The partners, in every company.
    pub partners: Vec<Partner>,
    /// The journals, by company.
    pub journals: Vec<(u64, Journal)>,
    /// The taxes, by company.
    pub taxes: Vec<(u64, Tax)>,
    /// The documents that are there.
    pub documents: RefCell<Vec<Document>>,
    /// Whether a list of documents is cut off.
    pub has_more: bool,
    /// Untaxed, tax and total of the drafts that are created.
    pub totals: [String; 3],
    /// What was to be created.
    pub created: RefCell<Vec<NewDocument>>,
    /// What the next calls of `create` answer; when empty, a draft of what is asked for.
    pub saves: RefCell<VecDeque<Result<Saved, Error>>>,
    /// What every call answers that reads, if not success.
    pub read_error: Option<Error>,
    /// Proposed postings.
    pub postings: RefCell<Vec<(Proposal, Posting)>>,
    /// Proposed payments.
    pub payments: RefCell<Vec<(Proposal, Payment)>>,
    /// What proposing answers, if not success.
    pub propose_error: Option<ProposeError>,
}

/// The address of a document of the test.
fn link(id: u64) -> String {
    format!("https://odoo.test/web#id={id}")
}

/// What is of a company.
fn of_company<T: Clone>(all: &[(u64, T)], company: u64) -> Vec<T> {
    let own = all.iter().filter(|(of, _)| *of == company);
    own.map(|(_, it)| it.clone()).collect()
}

impl TestOdoo {
    fn check_read(&self) -> Result<(), Error> {
        self.read_error.clone().map_or(Ok(()), Err)
    }

    /// The draft that is created of this, with the next free id.
    #[must_use]
    pub fn draft_of(&self, asked: &NewDocument, operation: &str) -> Document {
        let documents = self.documents.borrow();
        let id = documents.iter().map(|it| it.id).max().unwrap_or(100) + 1;
        let named = |id: u64, name: Option<&str>| Named {
            id,
            name: name.unwrap_or_default().into(),
        };
        let partner = self.partners.iter().find(|it| it.id == asked.partner);
        let company = self.companies.iter().find(|it| it.id == asked.company);
        let [untaxed, tax, total] = self.totals.clone();
        let lines = asked.lines.iter().map(|line| Line {
            name: line.name.clone(),
            quantity: line.quantity.clone(),
            unit_price: line.unit_price.clone(),
            discount: line.discount.clone(),
            taxes: line.taxes.iter().map(|tax| named(*tax, None)).collect(),
            untaxed: "0".into(),
            total: "0".into(),
        });
        Document {
            id,
            kind: asked.kind.clone(),
            state: "draft".into(),
            number: None,
            operation: Some(operation.into()),
            link: link(id),
            company: named(asked.company, company.map(|it| it.name.as_str())),
            journal: named(asked.journal, None),
            partner: Some(named(asked.partner, partner.map(|it| it.name.as_str()))),
            reference: asked.reference.clone(),
            date: Some(asked.date.clone()),
            due: asked.due.clone(),
            fiscal_position: asked.fiscal_position.map(|id| named(id, None)),
            currency: asked.currency.clone(),
            digits: if asked.currency == "JPY" { 0 } else { 2 },
            rounds_per_line: company.is_none_or(|company| company.rounds_per_line),
            lines: lines.collect(),
            untaxed,
            tax,
            open: total.clone(),
            total,
            inconsistencies: Vec::new(),
        }
    }
}

impl ReadOdoo for TestHost {
    fn companies(&self) -> Result<Vec<Company>, Error> {
        self.odoo.check_read()?;
        Ok(self.odoo.companies.clone())
    }

    fn partners(&self, _: u64, key: &PartnerKey) -> Result<Vec<Partner>, Error> {
        self.odoo.check_read()?;
        let is_same = |one: Option<&str>, other: &str| {
            one.is_some_and(|one| comparable(one) == comparable(other))
        };
        let partners = self.odoo.partners.iter().filter(|partner| match key {
            PartnerKey::Vat(vat) => is_same(partner.vat.as_deref(), vat),
            PartnerKey::Account(account) => {
                let mut accounts = partner.accounts.iter();
                accounts.any(|own| is_same(Some(own), account))
            }
            PartnerKey::Name(name) => is_same(Some(&partner.name), name),
            PartnerKey::Email(email) => partner.email.as_ref() == Some(email),
        });
        Ok(partners.cloned().collect())
    }

    fn journals(&self, company: u64) -> Result<Vec<Journal>, Error> {
        self.odoo.check_read()?;
        Ok(of_company(&self.odoo.journals, company))
    }

    fn taxes(&self, company: u64) -> Result<Vec<Tax>, Error> {
        self.odoo.check_read()?;
        Ok(of_company(&self.odoo.taxes, company))
    }

    fn documents(&self, query: &DocumentQuery) -> Result<DocumentList, Error> {
        self.odoo.check_read()?;
        let commercial = |id: u64| {
            let partner = self.odoo.partners.iter().find(|it| it.id == id);
            partner.map_or(id, |partner| partner.commercial.id)
        };
        let is_wanted = |it: &&Document| {
            let partner = it.partner.as_ref().map_or(0, |partner| partner.id);
            let reference = query.reference.as_deref().map(comparable);
            it.state != "cancel"
                && query.kinds.contains(&it.kind)
                && (query.partners.is_empty() || query.partners.contains(&commercial(partner)))
                && (query.number.is_none() || query.number == it.number)
                && (reference.is_none() || reference == it.reference.as_deref().map(comparable))
                && (query.date.is_none() || query.date == it.date)
                && query.total.as_ref().is_none_or(|total| *total == it.total)
        };
        let documents = self.odoo.documents.borrow();
        let rows = documents.iter().rev().filter(is_wanted);
        let rows = rows.map(|it| DocumentRow {
            id: it.id,
            kind: it.kind.clone(),
            state: it.state.clone(),
            number: it.number.clone(),
            reference: it.reference.clone(),
            operation: it.operation.clone(),
            company: it.company.clone(),
            partner: it.partner.clone().unwrap_or_else(|| Named {
                id: 0,
                name: String::new(),
            }),
            date: it.date.clone(),
            total: it.total.clone(),
        });
        Ok(DocumentList {
            rows: rows.collect(),
            is_complete: !self.odoo.has_more,
        })
    }

    fn get_document(&self, id: u64) -> Result<Document, Error> {
        self.odoo.check_read()?;
        let documents = self.odoo.documents.borrow();
        let found = documents.iter().find(|it| it.id == id);
        found.cloned().ok_or(Error::NotFound)
    }
}

impl DraftOdoo for TestHost {
    /// `bill-` with the partner and the reference, or `task`.
    fn operation(&self, document: &NewDocument) -> Result<String, Error> {
        let is_bill = document.kind.starts_with("vendor-");
        let number = document.reference.as_deref().filter(|_| is_bill);
        Ok(match number {
            Some(number) => format!("bill-{}-{}", document.partner, comparable(number)),
            None => "task".into(),
        })
    }

    fn create(&self, document: &NewDocument) -> Result<Saved, Error> {
        self.odoo.created.borrow_mut().push(document.clone());
        if let Some(answer) = self.odoo.saves.borrow_mut().pop_front() {
            return answer;
        }
        let operation = self.operation(document)?;
        let own = |it: &&Document| it.operation.as_ref() == Some(&operation);
        let existing = self.odoo.documents.borrow().iter().find(own).cloned();
        let saved = existing
            .clone()
            .unwrap_or_else(|| self.odoo.draft_of(document, &operation));
        if existing.is_none() {
            self.odoo.documents.borrow_mut().push(saved.clone());
        }
        Ok(Saved {
            document: saved,
            is_new: existing.is_none(),
            differences: Vec::new(),
            duplicates: Vec::new(),
        })
    }
}

impl ProposeOdoo for TestHost {
    fn propose_posting(
        &self,
        proposal: &Proposal,
        posting: &Posting,
    ) -> Result<String, ProposeError> {
        if let Some(error) = &self.odoo.propose_error {
            return Err(error.clone());
        }
        let mut postings = self.odoo.postings.borrow_mut();
        postings.push((proposal.clone(), posting.clone()));
        Ok(format!("draft_{:026}", postings.len()))
    }

    fn propose_payment(
        &self,
        proposal: &Proposal,
        payment: &Payment,
    ) -> Result<String, ProposeError> {
        if let Some(error) = &self.odoo.propose_error {
            return Err(error.clone());
        }
        let mut payments = self.odoo.payments.borrow_mut();
        payments.push((proposal.clone(), payment.clone()));
        Ok(format!("draft_{:026}", payments.len()))
    }
}
